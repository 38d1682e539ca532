/* Names of classes: label files (one a line, "index label", synsets, JSON list or map, CSV, .pbtxt label
 * maps), sets known by name, texts inside a model; and whether there are as many as classes. */
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
/* The i-th form of CSV: a header with an index and a name column, pairs either way round, names alone. */
uncork_status uc_labels_csv(uc_bytes bytes, uc_arena *arena, uc_labels *labels,
                            uncork_error *error);
/* A text in a model's metadata: a dict or list as Python or JSON writes it, or names between commas or
 * in lines. */
uncork_status uc_labels_text(uc_str text, uc_arena *arena, uc_labels *labels, uncork_error *error);

/* A set by its name ("imagenet", "coco", ...); false when there is none of that name or memory is out. */
bool uc_labels_set(const char *name, uc_arena *arena, uc_labels *labels);
/* Their names: "imagenet, coco, ...". */
const char *uc_labels_set_names(void);

/* Label `index` gets this name; a builder's one step. LIMIT beyond a million. */
uncork_status uc_labels_put(uc_labels *labels, size_t *capacity, int64_t index, uc_str name,
                            uc_arena *arena, uncork_error *error);

/* How labels lie on a model's classes. */
typedef enum uc_labels_fit {
    UC_LABELS_EXACT,
    UC_LABELS_SHIFTED, /* by one: ids from 1, or a background class; said in `text` */
    UC_LABELS_ODD, /* a difference of one or more names than classes; said, taken as they stand */
    UC_LABELS_FEW, /* fewer names than classes, by two or more */
} uc_labels_fit;
/* Moves the labels by one where it is sure, and says what is odd, naming both counts. */
uc_labels_fit uc_labels_fit_to(uc_labels *labels, int64_t classes, uc_arena *arena, char *text,
                               size_t size);

#endif
