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
/* Every step of the runs that follow is timed; uc_runner_step tells what was found. */
void uc_runner_profile(uc_runner *runner, bool on);
/* The steps of the last run's plan, and one of them. */
size_t uc_runner_step_count(const uc_runner *runner);
typedef struct uc_step_report {
    const uc_call *call;
    uint64_t runs, nanoseconds; /* of the profiled runs of this plan */
    uint64_t macs, bytes;       /* of one run; bytes: inputs, constants and outputs */
} uc_step_report;
void uc_runner_step(const uc_runner *runner, size_t i, uc_step_report *report);
/* Bytes of the values of one run of the last plan. */
uint64_t uc_runner_block_bytes(const uc_runner *runner);
/* Multiply-adds a second of one core on registers alone, measured now (about a millisecond). */
double uc_machine_peak(void);

/* Valid until the next run. */
const uc_value *uc_runner_output(const uc_runner *runner, size_t i);

#endif
