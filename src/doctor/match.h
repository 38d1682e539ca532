/* Two networks side by side: which layer of one is which of the other, and how far apart they are. */
#ifndef UC_DOCTOR_MATCH_H
#define UC_DOCTOR_MATCH_H

#include "model/model.h"

/* How far A's tensor is from B's. */
typedef struct uc_difference {
    bool comparable; /* false: of other shapes or kinds */
    bool
        beyond; /* more than rounding: |a-b| > 1e-4 |b| + 1e-5 max|b| somewhere; texts, integers: any */
    double largest; /* |a-b|; infinity where one is no number */
    double share;   /* of the largest |b| */
    int64_t at;     /* the element, in B's order */
    double a, b;    /* there */
    int64_t differing, count;
    bool turned; /* compared after turning channels-last into channels-first, or back */
} uc_difference;

/* Axes that lie otherwise (channels first or last) and axes of length 1 are seen through. */
uncork_status uc_difference_of(const uc_tensor *a, const uc_tensor *b, uc_difference *difference,
                               uncork_error *error);

/* A layer that ran. */
typedef struct uc_layer_seen {
    const uc_layer *layer;
    const uc_tensor *value; /* NULL: no tensor */
} uc_layer_seen;

typedef struct uc_layer_pair {
    size_t a, b;
    uc_difference difference;
} uc_layer_pair;

typedef struct uc_layer_match {
    uc_layer_pair *pairs; /* in A's order */
    size_t count;
    bool by_name; /* else by the sequence of operators and shapes */
} uc_layer_match;

/* Pairs layers by their names where at least half of the shorter network's have a partner, else by the
 * longest common sequence of operators and shapes, and measures each pair. LIMIT: too many layers. */
uncork_status uc_layers_match(const uc_layer_seen *a, size_t a_count, const uc_layer_seen *b,
                              size_t b_count, uc_arena *arena, uc_layer_match *match,
                              uncork_error *error);

/* "layer conv1 (Conv2D)" and "node 'conv1'" are conv1. */
uc_str uc_layer_short_name(const char *name);

#endif
