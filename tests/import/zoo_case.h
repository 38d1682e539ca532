/* What tests of architectures share: a state dict in memory, run, against torch's answers. Bound of networks:
 * |got - want| <= 1e-4 |want| + 1e-5 max|want|. */
#ifndef UC_TESTS_IMPORT_ZOO_CASE_H
#define UC_TESTS_IMPORT_ZOO_CASE_H

#include "check.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void check_answers(const char *name, const uncork_value *out, const uc_tensor *want)
{
    const float *got = uncork_value_data(out), *w = want->data;
    double largest = 0;
    CHECK_INT(uncork_value_count(out), uc_tensor_count(want));
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        largest = fmax(largest, fabs((double)w[i]));
    }
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        const double bound = 1e-4 * fabs((double)w[i]) + 1e-5 * largest;
        if (!(fabs((double)got[i] - (double)w[i]) <= bound)) {
            fail_msg("%s: output %d is %.9g, expected %.9g", name, (int)i, (double)got[i],
                     (double)w[i]);
        }
    }
}

/* `model` is the file's bytes, its name is evidence. */
static void check_case(const char *name, uc_bytes bytes, const char *arch, const uc_tensor *x,
                       const uc_tensor *want)
{
    uncork_error error = {.size = sizeof error};
    uncork_model *model;
    uncork_session *session;
    uncork_value *in;
    uncork_file *file;
    const uncork_open_options open = {.size = sizeof open, .arch = arch};
    CHECK_OK(uncork_open_memory(bytes.data, bytes.size, name, &open, &file, &error), &error);
    const uncork_prepare_options options = {.size = sizeof options};
    CHECK_OK(uncork_prepare(file, NULL, &options, &model, &error), &error);
    uncork_file_close(file);
    CHECK_OK(uncork_value_wrap(UNCORK_FLOAT32, x->rank, x->shape, x->data, &in), &error);
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    const uncork_value *inputs[] = {in};
    CHECK_OK(uncork_session_run(session, inputs, 1, NULL, &error), &error);
    check_answers(name, uncork_session_output(session, 0), want);
    uncork_session_free(session);
    uncork_value_free(in);
    uncork_model_free(model);
}

#endif
