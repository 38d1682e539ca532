/* Formats uncork knows by sight but doesn't read: named with advice instead of "unknown". */
#ifndef UC_IMPORT_RECOGNISE_H
#define UC_IMPORT_RECOGNISE_H

#include "container/bundle.h"

/* A folder or archive whose members say that it is a model of another framework. */
uncork_status uc_recognise_archive(const uc_bundle *bundle, uncork_error *error);
/* OK when the file is nothing known and `maybe` says that an importer could take it; else the
 * failure that names the format and what to do. */
uncork_status uc_recognise_other(uc_bytes head, const uc_bundle *bundle, bool maybe,
                                 uncork_error *error);
/* OK when the first bytes are of nothing that is known by sight; else the failure that names it. */
uncork_status uc_recognise_bytes(uc_bytes head, uncork_error *error);

/* recognise_text.c: web pages, XML, JSON and other text that is no model; OK when it is none of them.
 * Markup is told by its first word, the rest only where no importer takes the file. */
uncork_status uc_recognise_markup(uc_bytes head, uncork_error *error);
uncork_status uc_recognise_text(uc_bytes head, uncork_error *error);

#endif
