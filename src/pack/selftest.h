/* The self-test inside an artifact: inputs made from the model's declared types, the outputs it gave. */
#ifndef UC_PACK_SELFTEST_H
#define UC_PACK_SELFTEST_H

#include "container/zip.h"
#include "model/model.h"

typedef struct uc_selftest {
    uc_arena *arena;
    const char *reason; /* why there is none; NULL: there is one */
    size_t input_count, output_count;
    uncork_value **inputs; /* of the arena's life */
    const uc_tensor **outputs;
    const char **input_names, **output_names;
} uc_selftest;

/* Makes inputs that the model takes and runs it. A model it can't be done for (inputs that are no
 * tensors, shapes nobody knows) gets a reason, not a failure. */
uncork_status uc_selftest_make(const uncork_model *model, const uc_facts *facts, uc_arena *arena,
                               uc_selftest *test, uncork_error *error);
/* Its entries: selftest/selftest.json, input_0.npy, ..., output_0.npy, ... */
void uc_selftest_put(const uc_selftest *test, uc_zip_writer *zip);

/* What a run differs by: the worst of |got - want| / (1e-4 |want| + 1e-5 max |want|), 0 for the same
 * bits, infinity for a type or shape that isn't the same. */
typedef struct uc_selftest_result {
    size_t outputs, different; /* outputs; those beyond the bound */
    double worst;
    const char *worst_output;
} uc_selftest_result;

/* Runs the model on the inputs and compares. */
uncork_status uc_selftest_run(const uc_selftest *test, const uncork_model *model,
                              uc_selftest_result *result, uncork_error *error);
/* Reads the self-test of an artifact; UNSUPPORTED when it has none. */
uncork_status uc_selftest_read(uc_bundle *bundle, const uncork_model *model, uc_arena *arena,
                               uc_selftest *test, uncork_error *error);

#endif
