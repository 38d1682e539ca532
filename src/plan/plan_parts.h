/* What the files of plan/ share: the program, the plan of one set of input shapes, its steps. */
#ifndef UC_PLAN_PLAN_PARTS_H
#define UC_PLAN_PLAN_PARTS_H

#include "base/limits.h"
#include "graph/graph_infer.h"
#include "plan/plan.h"

struct uc_program {
    const uc_graph *graph;
    uc_arena *arena;
    uc_value *values;      /* [value_count]: constants and folded values have data */
    const void **prepared; /* [node_count], NULL where the operator prepares nothing */
    bool *folded;          /* [node_count]: all outputs are constants */
};

typedef struct uc_step {
    uc_call call; /* ready to run; budget and error are set for each run */
    /* A shape is known only by running: infer is rerun with data, outputs are made as it goes. */
    bool dynamic;
    bool heavy;  /* the deadline is looked at after it */
    size_t node; /* its index in the graph */
    bool alone;  /* done before another thread would have woken */
    /* For a profile alone. */
    uint64_t macs; /* of one run; 0 for dynamic steps and cheap operators */
    uint64_t runs, nanoseconds;
} uc_step;

/* A value that is a view of an input and moves with it. */
typedef struct uc_follower {
    uc_ref value, input;
    size_t offset; /* bytes from the input's first */
} uc_follower;

typedef struct uc_plan {
    uc_arena *arena;
    int64_t *key; /* see key_of in plan_run.c */
    uc_value *values;
    uc_step *steps;
    size_t step_count;
    uc_follower *followers;
    size_t follower_count;
    uc_ref *unknown; /* values that only a run gives a shape */
    size_t unknown_count;
    uint64_t block_bytes, macs;
    uint64_t stamp; /* of the last run, for eviction */
} uc_plan;

struct uc_runner {
    const uc_program *program;
    uncork_pool *pool;
    uc_arena *arena; /* the runner itself */
    uc_arena *run;   /* what only the data decides: strings, dynamic outputs; reset with each run */
    uc_plan plans[UC_LIMIT_PLANS];
    size_t plan_count;
    uc_plan *plan; /* of the last run */
    uint64_t runs;
    size_t key_size; /* bytes */
    /* Scratch of the step that runs: one block, grown between runs to what was wanted. */
    uc_arena *scratch_arena;
    char *scratch;
    size_t scratch_size, scratch_used, scratch_wanted;
    uc_budget *budget; /* of this run */
    uncork_error *error;
    bool profile;            /* time every step */
    uint64_t charged;        /* bytes taken from it, given back at the end of the run */
    const uc_value **fed;    /* [input_count]: what is fed, or stands in for it */
    uc_value *stand_ins;     /* [input_count]: of inputs that may be left out */
    uc_runner **children;    /* [node_count][2], NULL before the first body runs */
    const uc_runner *parent; /* runs this body for a node; what it holds lives longer */
};

/* Memory until the runner's next run, charged to this run; NULL when it isn't there. */
void *uc_runner_memory(uc_runner *r, size_t bytes);

/* ---- bodies (plan_control.c) ---- */

typedef struct uc_bodies {
    uc_program *programs[2]; /* If: else, then; others: the body; NULL: never run */
} uc_bodies;

/* Programs of the bodies of a node, in `arena`. */
uncork_status uc_control_prepare(const uc_node *node, const uc_call *call, uc_arena *arena,
                                 uc_budget *budget, const uc_bodies **bodies, uncork_error *error);
/* Runs a step that is If, Loop, Scan or SequenceMap. */
uncork_status uc_control_run(uc_runner *r, uc_step *step);
/* Frees the runners of the bodies. */
void uc_control_free(uc_runner *r);

/* Makes a plan for these inputs; everything in plan->arena. */
uncork_status uc_plan_make(const uc_program *program, const uc_value *const *inputs,
                           const uc_call_host *host, uc_budget *budget, uc_plan *plan,
                           uncork_error *error);

/* Runs one step; the other times it as well (plan_profile.c). */
uncork_status uc_step_run(uc_runner *r, uc_step *step);
uncork_status uc_step_profile(uc_runner *r, uc_step *step);

/* A block of memory that is alive from step `first` to step `last`, both included. */
typedef struct uc_life {
    size_t bytes, offset;
    size_t first, last;
} uc_life;

/* Gives each life an offset (multiple of 64) so that no two alive at once overlap; *total is the size
 * of the whole. False on overflow or when `scratch` is out. */
bool uc_plan_memory(uc_life *lives, size_t count, uc_arena *scratch, size_t *total);

#endif
