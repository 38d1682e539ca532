/* Numbers: a class by itself, values of a regression, a vector, a tensor as it is. */
#include "base/text.h"
#include "cli/answer.h"
#include "container/npy.h"

#include <math.h>

/* Numbers of a tensor that are printed; whole ones go to --json and `uncork run`. */
#define TEXT_VALUES 64
#define JSON_VALUES 1000000
#define HEAD_VALUES 6

typedef struct values {
    uc_tensor row;
    double length; /* Euclidean, of an embedding */
    const char *path;
} values;

static uncork_status make_row(const uc_reading *reading, const cli_input *input, uc_arena *arena,
                              values **made, uncork_error *error)
{
    values *v = UC_NEW(arena, values, 1);
    if (!v) return uc_arena_status(arena, error);
    *made = v;
    return uc_post_take(reading, input->outputs[reading->output], input->batch, input->row, arena,
                        &v->row, error);
}

/* A row of numbers: checked for NaN, and real numbers where it was quantised. */
static uncork_status make(const cli_answers *a, const uc_reading *reading, const cli_input *input,
                          uc_arena *arena, void **made, uncork_error *error)
{
    (void)a;
    values *v = NULL;
    double *x;
    int64_t n;
    UC_TRY(make_row(reading, input, arena, &v, error));
    *made = v;
    if (v->row.dtype == UNCORK_STRING || v->row.dtype == UNCORK_COMPLEX64 ||
        v->row.dtype == UNCORK_COMPLEX128) {
        return UNCORK_OK;
    }
    UC_TRY(uc_post_numbers(reading, &v->row, arena, &x, &n, error));
    for (int64_t i = 0; i < n; i++) {
        v->length += x[i] * x[i];
    }
    v->length = sqrt(v->length);
    if (reading->scale > 0) { /* int8 with a scale: what it stands for */
        uc_tensor_set(&v->row, UNCORK_FLOAT64, v->row.rank, v->row.shape);
        v->row.data = x;
    }
    return UNCORK_OK;
}

static uc_str element(const cli_answers *a, const uc_reading *reading, const uc_tensor *t,
                      int64_t i, char text[32])
{
    if (t->dtype == UNCORK_STRING) return uc_tensor_string(t, i);
    if (t->dtype == UNCORK_BOOL) return uc_str_of(((const uint8_t *)t->data)[i] ? "True" : "False");
    if (uc_dtype_is_integer(t->dtype)) {
        int64_t v = uc_dtype_load_i64(t->data, i, t->dtype);
        if (reading->kind == UC_POST_LABEL) {
            if (v >= 0 && (size_t)v < a->labels.count && a->labels.items[v].size)
                return a->labels.items[v];
        }
        int n = snprintf(text, 32, "%lld", (long long)v);
        return (uc_str){text, n > 0 ? (size_t)n : 0};
    }
    if (t->dtype == UNCORK_FLOAT64)
        return (uc_str){text, uc_f64_text(((const double *)t->data)[i], text)};
    return (uc_str){text, uc_f32_text((float)uc_dtype_load_f64(t->data, i, t->dtype), text)};
}

static void put_elements(const cli_answers *a, const uc_reading *reading, const uc_tensor *t,
                         int64_t limit)
{
    int64_t n = uc_tensor_count(t);
    char own[32];
    for (int64_t i = 0; i < n && i < limit; i++) {
        if (i) uc_writer_text(a->out, " ");
        uc_text_escape(a->out, element(a, reading, t, i, own));
    }
    if (n > limit) uc_writer_text(a->out, " ...");
}

static void text(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const values *v = made;
    char shape[128];
    if (v->row.rank > 1) {
        uc_shape_text(v->row.shape, v->row.rank, shape, sizeof shape);
        uc_writer_printf(a->out, "%s: ", shape);
    }
    put_elements(a, reading, &v->row, v->row.rank > 1 ? HEAD_VALUES : TEXT_VALUES);
}

static void put_json(const cli_answers *a, const uc_reading *reading, const uc_tensor *t, int64_t i,
                     uc_json_writer *json)
{
    char own[32];
    if (t->dtype == UNCORK_STRING || reading->kind == UC_POST_LABEL) {
        uc_json_put_str(json, element(a, reading, t, i, own));
    } else if (t->dtype == UNCORK_BOOL) {
        uc_json_put_bool(json, ((const uint8_t *)t->data)[i] != 0);
    } else if (uc_dtype_is_integer(t->dtype)) {
        uc_json_put_i64(json, uc_dtype_load_i64(t->data, i, t->dtype));
    } else if (t->dtype == UNCORK_FLOAT64) {
        uc_json_put_f64(json, ((const double *)t->data)[i]);
    } else {
        uc_json_put_f32(json, (float)uc_dtype_load_f64(t->data, i, t->dtype));
    }
}

static void json_values(const cli_answers *a, const uc_reading *reading, const values *v,
                        uc_json_writer *json)
{
    int64_t n = uc_tensor_count(&v->row);
    uc_json_key(json, "values");
    uc_json_begin_array(json);
    for (int64_t i = 0; i < n && i < JSON_VALUES; i++) {
        put_json(a, reading, &v->row, i, json);
    }
    uc_json_end_array(json);
}

static void json_tensor(const cli_answers *a, const uc_reading *reading, const void *made,
                        uc_json_writer *json)
{
    const values *v = made;
    uc_json_key(json, "shape");
    uc_json_begin_array(json);
    for (int d = 0; d < v->row.rank; d++) {
        uc_json_put_i64(json, v->row.shape[d]);
    }
    uc_json_end_array(json);
    json_values(a, reading, v, json);
}

static void json_regress(const cli_answers *a, const uc_reading *reading, const void *made,
                         uc_json_writer *json)
{
    const values *v = made;
    if (uc_tensor_count(&v->row) == 1) {
        uc_json_key(json, "value");
        put_json(a, reading, &v->row, 0, json);
    } else {
        json_values(a, reading, v, json);
    }
}

static void json_label(const cli_answers *a, const uc_reading *reading, const void *made,
                       uc_json_writer *json)
{
    const values *v = made;
    uc_json_key(json, "label");
    put_json(a, reading, &v->row, 0, json);
    if (v->row.dtype != UNCORK_STRING) {
        uc_json_key(json, "index");
        uc_json_put_i64(json, uc_dtype_load_i64(v->row.data, 0, v->row.dtype));
    }
}

static size_t csv_head(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const values *v = made;
    int64_t n = uc_tensor_count(&v->row);
    for (int64_t i = 0; i < n; i++) {
        uc_writer_text(a->out, ",");
        uc_writer cell;
        uc_writer_init(&cell, 1u << 16);
        uc_writer_text(&cell, reading->name);
        if (n > 1) uc_writer_printf(&cell, "_%lld", (long long)i);
        cli_csv_cell(a->out, (uc_str){uc_writer_string(&cell), cell.size});
        uc_writer_done(&cell);
    }
    return (size_t)n;
}

static void csv(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const values *v = made;
    int64_t n = uc_tensor_count(&v->row);
    char own[32];
    for (int64_t i = 0; i < n; i++) {
        uc_writer_text(a->out, ",");
        cli_csv_cell(a->out, element(a, reading, &v->row, i, own));
    }
}

/* ---- embeddings ----------------------------------------------------------------------------- */

static uncork_status make_embedding(const cli_answers *a, const uc_reading *reading,
                                    const cli_input *input, uc_arena *arena, void **made,
                                    uncork_error *error)
{
    UC_TRY(make(a, reading, input, arena, made, error));
    if (!a->options->output) return UNCORK_OK;
    values *v = *made;
    uc_writer w;
    uc_writer_init(&w, SIZE_MAX / 2);
    uc_npy_write(&w, &v->row);
    uncork_status status = cli_write_beside(a, reading, input, ".npy", &w, arena, &v->path, error);
    uc_writer_done(&w);
    return status;
}

static void text_embedding(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const values *v = made;
    uc_writer_printf(a->out, "%lld values, length %.4g: ", (long long)uc_tensor_count(&v->row),
                     v->length);
    put_elements(a, reading, &v->row, HEAD_VALUES);
}

static void json_embedding(const cli_answers *a, const uc_reading *reading, const void *made,
                           uc_json_writer *json)
{
    const values *v = made;
    uc_json_key(json, "length");
    uc_json_put_f64(json, v->length);
    if (v->path) {
        uc_json_key(json, "file");
        uc_json_put_text(json, v->path);
    } else {
        json_values(a, reading, v, json);
    }
}

const cli_answer_kind cli_answer_tensor = {.kind = UC_POST_TENSOR,
                                           .make = make,
                                           .text = text,
                                           .json = json_tensor,
                                           .csv_head = csv_head,
                                           .csv = csv,
                                           .named = true};
const cli_answer_kind cli_answer_regress = {.kind = UC_POST_REGRESS,
                                            .make = make,
                                            .text = text,
                                            .json = json_regress,
                                            .csv_head = csv_head,
                                            .csv = csv,
                                            .named = true};
const cli_answer_kind cli_answer_label = {.kind = UC_POST_LABEL,
                                          .make = make,
                                          .text = text,
                                          .json = json_label,
                                          .csv_head = csv_head,
                                          .csv = csv};
const cli_answer_kind cli_answer_embed = {.kind = UC_POST_EMBED,
                                          .make = make_embedding,
                                          .text = text_embedding,
                                          .json = json_embedding,
                                          .csv_head = csv_head,
                                          .csv = csv,
                                          .named = true};
