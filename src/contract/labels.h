/* Label files: one a line, "index label", JSON list or map, CSV, .pbtxt label maps. */
#ifndef UC_CONTRACT_LABELS_H
#define UC_CONTRACT_LABELS_H

#include "base/arena.h"

typedef struct uc_labels {
    uc_str *items; /* items[i] is empty when the file leaves i out */
    size_t count;
} uc_labels;

/* `name` (its extension) and the content tell the form. */
uncork_status uc_labels_read(uc_bytes bytes, const char *name, uc_arena *arena, uc_labels *labels,
                             uncork_error *error);

#endif
