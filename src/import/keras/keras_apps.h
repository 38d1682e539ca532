/* Files that hold weights only, of an architecture of keras.applications: told by the shapes of all weights. */
#ifndef UC_IMPORT_KERAS_KERAS_APPS_H
#define UC_IMPORT_KERAS_KERAS_APPS_H

#include "import/keras/keras.h"

/* apps.json.xz, compiled in (cmake/apps.cmake writes the source). */
extern const unsigned char uc_k_apps_data[];
extern const size_t uc_k_apps_size;

/* Finds the architecture whose weights have these shapes and sets f->root with its weights. `legacy`: the group
 * with layer_names; NULL: a file of paths. f->root stays NULL when there is none. */
uncork_status uc_k_recognise(uc_k_file *f, uc_import *import, const uc_h5_object *legacy,
                             uncork_error *error);

#endif
