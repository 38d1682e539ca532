/* Running a finished graph: constants prepared once a program, a plan (steps and arena offsets) a set
 * of input shapes, kept by a runner. Running a known plan allocates nothing but outputs whose shape
 * only the data decides. */
#ifndef UC_PLAN_PLAN_H
#define UC_PLAN_PLAN_H

#include "graph/graph.h"

typedef struct uc_program uc_program; /* immutable, shared by threads */
typedef struct uc_runner uc_runner;   /* one thread at a time */

/* Prepares every node (op->prepare) and folds what is constant. `graph` must be finished and outlive
 * the program. */
uncork_status uc_program_new(const uc_graph *graph, uc_arena *arena, uc_budget *budget,
                             uc_program **program, uncork_error *error);

uncork_status uc_runner_new(const uc_program *program, uncork_pool *pool, uc_runner **runner);
void uc_runner_free(uc_runner *runner);
/* inputs: one per graph input, checked against its declared type and shape (INPUT names both). */
uncork_status uc_runner_run(uc_runner *runner, const uc_value *const *inputs, size_t input_count,
                            uc_budget *budget, uncork_error *error);
/* Valid until the next run. */
const uc_value *uc_runner_output(const uc_runner *runner, size_t i);

#endif
