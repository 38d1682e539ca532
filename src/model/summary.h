/* A network layer by layer, as it was written: before any pass. */
#ifndef UC_MODEL_SUMMARY_H
#define UC_MODEL_SUMMARY_H

#include "model/model.h"

typedef struct uc_summary_layer {
    const char *name; /* as messages say it; the operator's name where the file has none */
    const char *op;   /* of its last node */
    size_t nodes;
    uncork_dtype dtype; /* of what it gives */
    int rank;           /* -1: not known before it runs */
    const int64_t *shape;
    uint64_t parameters; /* elements of its weights; shared ones count where they come first */
    uint64_t weight_bytes;
    uint64_t out_bytes; /* of what it gives, of one input (free dimensions are 1) */
    uint64_t
        macs; /* of one input (free dimensions are 1), of convolutions and products; 0: not known */
} uc_summary_layer;

/* What one layer gives another. Layers are counted behind the inputs, outputs behind the layers. */
typedef struct uc_summary_edge {
    size_t from, to;
} uc_summary_edge;

typedef struct uc_summary {
    uc_summary_layer *layers;
    size_t count;
    uc_summary_edge *edges; /* sorted */
    size_t edge_count;
    const char **inputs, **outputs; /* names */
    size_t input_count, output_count;
    uint64_t parameters, weight_bytes, macs;
    uint64_t
        peak_bytes; /* of what is held at once between the layers of one input, in file order */
} uc_summary;

/* Imports the entry (NULL: the default) and lists its layers in the order they run. Failures are the
 * importer's. */
uncork_status uc_summary_of(const uncork_file *file, const char *entry, const uncork_limits *limits,
                            uc_arena *arena, uc_summary *summary, uncork_error *error);

#endif
