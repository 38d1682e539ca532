/* What the files that make a plan share. */
#ifndef UC_PLAN_PLANNER_H
#define UC_PLAN_PLANNER_H

#include "plan/plan_parts.h"

typedef struct planner {
    const uc_program *program;
    const uc_graph *graph;
    uc_plan *plan;
    uc_arena *scratch;
    uncork_error *error;
    uc_call **calls;   /* [node_count], NULL: not run */
    uc_ref *root;      /* [value_count]: whose memory a value is; itself unless it shares */
    size_t *at;        /* [value_count]: at which byte of it */
    bool *any_stride;  /* [value_count]: whoever reads it takes it with any strides */
    bool *result;      /* [value_count]: an output of the graph */
    bool *needed;      /* [value_count] */
    uint8_t *is_view;  /* [node_count] */
    uint8_t *in_place; /* [node_count]: output 0 is the memory of an input */
} planner;

/* Bytes of a value whose shape is known; 1 for none. */
size_t uc_plan_bytes(const uc_value *v);
/* Whether the caller brings the value with each run. */
bool uc_plan_is_fed(const planner *p, uc_ref ref);
/* Decides which values share memory (root, at, is_view, in_place): views, outputs written over an
 * input that dies, inputs of a concatenation made where they will lie. False when memory is out. */
bool uc_plan_share(planner *p);

#endif
