/* Loops and conditions, whatever they were written as: functions (While, If) or frames (Enter, Switch). */
#ifndef UC_IMPORT_TENSORFLOW_TF_LOOP_H
#define UC_IMPORT_TENSORFLOW_TF_LOOP_H

#include "import/tensorflow/tf_list.h"

typedef struct uc_tf_loop_source {
    void *context;
    size_t count;            /* of variables */
    const uc_tf_value *init; /* what they begin as, in the graph around */
    bool *fixed;             /* no iteration changes it */
    /* One iteration: `in` and `out` are values of r->inner's graph. */
    bool (*body)(void *context, uc_tf_region *r, const uc_tf_value *in, uc_tf_value *out);
    /* Whether there is another iteration: a bool; 0 after a failure. */
    uc_ref (*condition)(void *context, uc_tf_region *r, const uc_tf_value *in);
} uc_tf_loop_source;

typedef struct uc_tf_loop {
    const uc_tf_loop_source *source;
    uc_tf_region region;
    size_t count;
    bool *fixed;
    uc_value *types; /* of what goes on, [count] */
    uc_ref *begin;   /* its start in the graph around, once it is known to go on */
    uc_ref *formal;  /* inputs of the body; 0: none */
    uc_ref *next;    /* what goes on; 0: nothing does */
    bool *written;   /* a list of which each iteration writes one item, in order */
    uc_tf_value *in, *out;
    uc_ref trips; /* in the graph around: how many iterations; 0: the condition says */
    bool widened;
} uc_tf_loop;

/* The loop as nodes of c's graph; what the variables are afterwards. False after a failure. */
bool uc_tf_loop_emit(uc_tf_call *c, const uc_tf_loop_source *source, uc_tf_value *results);
/* The list that variable i is at the start of an iteration, as a sequence. */
uc_ref uc_tf_loop_items(uc_tf_loop *l, size_t i);

/* tf_loop_count.c: whether the loop counts: sets l->trips; which variables are counters from 0 by 1. */
bool uc_tf_loop_counts(uc_tf_loop *l, size_t i);
void uc_tf_loop_trips(uc_tf_loop *l, uc_ref condition);
/* Whether two numbers are the same but for their types. */
bool uc_tf_same_number(const uc_graph *g, uc_ref a, uc_ref b);

typedef struct uc_tf_branches {
    void *context;
    size_t count; /* of results */
    bool (*emit)(void *context, uc_tf_region *r, bool which, uc_tf_value *out);
} uc_tf_branches;

/* The branch that `condition` takes, or an If with both. False after a failure. */
bool uc_tf_if_emit(uc_tf_call *c, uc_ref condition, const uc_tf_branches *branches,
                   uc_tf_value *results);

#endif
