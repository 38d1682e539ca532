/* Uses nothing but the installed header and library: one row through one model. */
#include <uncork.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    uncork_session *session = NULL;
    uncork_value *row = NULL;
    double data[4] = {5.1, 3.5, 1.4, 0.2};
    const int64_t shape[2] = {1, 4};
    int status = 1;
    size_t length;
    if (argc == 2 && !uncork_open(argv[1], NULL, &file, &error) &&
        !uncork_prepare(file, "predict", NULL, &model, &error) &&
        !uncork_session_new(model, NULL, &session) &&
        !uncork_value_wrap(UNCORK_FLOAT64, 2, shape, data, &row) &&
        !uncork_session_run(session, (const uncork_value *const *)&row, 1, NULL, &error)) {
        const char *label = uncork_value_string(uncork_session_output(session, 0), 0, &length);
        printf("%.*s\n", (int)length, label);
        status = length == 6 ? 0 : 1; /* setosa */
    } else {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
    }
    uncork_value_free(row);
    uncork_session_free(session);
    uncork_model_free(model);
    uncork_file_close(file);
    return status;
}
