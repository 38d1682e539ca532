/* --input and rows: files to tensors, tensors to the model's inputs. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/text.h"
#include "container/npy.h"
#include "container/pickle.h"

#include <inttypes.h>

static uncork_status add(cli_arrays *arrays, uc_arena *arena, cli_array array, uncork_error *error)
{
    cli_array *items =
        uc_arena_grow(arena, arrays->items, &arrays->capacity, arrays->count + 1, sizeof *items);
    if (!items) return uc_fail_memory(error);
    arrays->items = items;
    items[arrays->count++] = array;
    return UNCORK_OK;
}

static bool begins_json(uc_bytes bytes)
{
    size_t i = 0;
    while (i < bytes.size && (bytes.data[i] == ' ' || bytes.data[i] == '\n' ||
                              bytes.data[i] == '\r' || bytes.data[i] == '\t')) {
        i++;
    }
    return i < bytes.size && (bytes.data[i] == '[' || bytes.data[i] == '{');
}

/* Object arrays hold a pickle: texts or numbers in it become a tensor, anything else is refused. */
static uncork_status read_objects(const uc_npy *npy, uc_arena *arena, uc_budget *budget,
                                  const uc_tensor **tensor, uncork_error *error)
{
    uc_pickle *root;
    UC_TRY(uc_pickle_read(npy->pickle, NULL, arena, budget, &root, NULL, error));
    const uc_tensor *flat = uc_pickle_tensor(root, arena, error);
    size_t count;
    if (!flat || !uc_shape_count(npy->shape, npy->rank, &count) ||
        (size_t)uc_tensor_count(flat) != count) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "an object array that holds neither texts nor numbers");
    }
    uc_tensor *view = UC_NEW(arena, uc_tensor, 1);
    if (!view) return uc_fail_memory(error);
    *view = uc_tensor_reshaped(flat, npy->rank, npy->shape);
    *tensor = view;
    return UNCORK_OK;
}

static uncork_status read_npy(uc_bytes bytes, const char *name, const char *path, uc_arena *arena,
                              uc_budget *budget, cli_arrays *arrays, uncork_error *error)
{
    uc_npy npy;
    UC_TRY(uc_npy_read(bytes, 0, arena, &npy, error));
    const uc_tensor *tensor = npy.tensor;
    if (!tensor) UC_TRY(read_objects(&npy, arena, budget, &tensor, error));
    return add(arrays, arena, (cli_array){.name = name, .path = path, .tensor = tensor}, error);
}

/* Every entry of an .npz is an array under its name. */
static uncork_status read_npz(uc_bytes bytes, const char *path, uc_arena *arena, uc_budget *budget,
                              cli_arrays *arrays, uncork_error *error)
{
    uc_bundle *bundle;
    UC_TRY(uc_bundle_over(bytes, path, arena, budget, &bundle, error));
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *entry = uc_bundle_name(bundle, i);
        size_t n = strlen(entry) - (uc_text_ends(entry, ".npy") ? 4 : 0);
        const char *name = uc_arena_copy(arena, entry, n);
        uc_bytes inner;
        if (!name) return uc_fail_memory(error);
        UC_TRY(uc_bundle_read(bundle, i, &inner, error));
        UC_TRY(read_npy(inner, name, path, arena, budget, arrays, error));
    }
    return UNCORK_OK;
}

static bool is_picture(uc_bytes bytes)
{
    return bytes.size >= 4 &&
           (memcmp(bytes.data, "\x89PNG", 4) == 0 || memcmp(bytes.data, "\xff\xd8\xff", 3) == 0);
}

static uncork_status read_bytes(uc_bytes bytes, const char *name, const char *path,
                                const uc_tensor *known, uc_arena *arena, uc_budget *budget,
                                cli_arrays *arrays, uncork_error *error)
{
    if (uc_npy_probe(bytes)) return read_npy(bytes, name, path, arena, budget, arrays, error);
    if (bytes.size >= 4 && memcmp(bytes.data, "PK\x03\x04", 4) == 0) {
        return read_npz(bytes, path, arena, budget, arrays, error);
    }
    if (is_picture(bytes)) {
        uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "this is a picture, not an array or a table");
        return uc_fix(error, "uncork predict takes pictures; run takes .npy, .npz, .csv, .json");
    }
    cli_rows *rows = UC_NEW(arena, cli_rows, 1);
    if (!rows) return uc_fail_memory(error);
    if (uc_text_ends(path, ".json") || uc_text_ends(path, ".jsonl") || begins_json(bytes)) {
        UC_TRY(cli_rows_json(bytes, arena, rows, error));
    } else {
        UC_TRY(cli_rows_csv(bytes, known, arena, rows, error));
    }
    return add(arrays, arena, (cli_array){.name = name, .path = path, .rows = rows}, error);
}

uncork_status cli_read_input(const char *argument, const uc_tensor *known, uc_arena *arena,
                             uc_budget *budget, cli_arrays *arrays, uncork_error *error)
{
    const char *equals = strchr(argument, '='), *path = argument, *name = NULL;
    if (equals) { /* NAME=PATH splits at the first '=' */
        name = uc_arena_copy(arena, argument, (size_t)(equals - argument));
        path = equals + 1;
        if (!name) return uc_fail_memory(error);
    }
    uc_bytes bytes;
    uncork_status status = strcmp(path, "-") == 0
                               ? uc_file_read_stdin((size_t)1 << 30, arena, &bytes, error)
                               : uc_file_read(path, false, arena, &bytes, error);
    if (status == UNCORK_OK) {
        status = read_bytes(bytes, name, path, known, arena, budget, arrays, error);
    }
    if (status != UNCORK_OK && error->where[0] == 0) uc_where(error, "%s", path);
    return status;
}

uncork_dtype cli_input_dtype(const cli_arrays *arrays)
{
    if (arrays->count != 1 || !arrays->items[0].tensor) return UNCORK_DTYPE_NONE;
    return arrays->items[0].tensor->dtype;
}

/* The model's input a name means: exact, or with ":0" left out; -1 when none. */
static int find_input(const uncork_model *model, const char *name)
{
    size_t n = strlen(name);
    if (n > 2 && strcmp(name + n - 2, ":0") == 0) n -= 2;
    for (int i = 0; i < uncork_model_input_count(model); i++) {
        const char *own = uncork_model_input_name(model, i);
        if (own && (strcmp(own, name) == 0 || (strlen(own) == n && memcmp(own, name, n) == 0)))
            return i;
    }
    return -1;
}

static uncork_status unknown_name(const uncork_model *model, const char *name, uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, 200);
    int count = uncork_model_input_count(model);
    for (int i = 0; i < count && i < 5; i++) {
        uc_writer_printf(&w, "%s%s", i ? ", " : "", uncork_model_input_name(model, i));
    }
    if (count > 5) uc_writer_printf(&w, ", ... (%d)", count);
    uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "the model has no input '%s'; it has %s", name,
            uc_writer_string(&w));
    uc_writer_done(&w);
    return error->status;
}

/* Whether every value survives the cast there and back. */
static bool survives(const uc_tensor *from, const uc_tensor *to, uc_arena *arena)
{
    const uc_tensor *back = uc_tensor_cast(arena, to, from->dtype);
    if (!back) return false;
    int64_t n = uc_tensor_count(from);
    for (int64_t i = 0; i < n; i++) {
        double a = uc_dtype_load_f64(from->data, i, from->dtype),
               b = uc_dtype_load_f64(back->data, i, back->dtype);
        bool nan = a != a && b != b;
        if (!nan && (a < b || a > b)) return false;
        if (uc_dtype_load_i64(from->data, i, from->dtype) !=
            uc_dtype_load_i64(back->data, i, back->dtype))
            return false;
    }
    return true;
}

/* Said once here, not once a row by the session. */
static uncork_status check_shape(const uncork_model *model, int i, const uc_tensor *tensor,
                                 uncork_error *error)
{
    int64_t want[UNCORK_MAX_RANK];
    int rank = uncork_model_input_shape(model, i, want);
    const char *name = uncork_model_input_name(model, i);
    bool fits = rank < 0 || rank == tensor->rank;
    for (int k = 0; fits && k < rank; k++) {
        fits = want[k] < 0 || want[k] == tensor->shape[k];
    }
    if (fits) return UNCORK_OK;
    char given[128], wanted[128];
    uc_shape_text(tensor->shape, tensor->rank, given, sizeof given);
    uc_shape_text(want, rank, wanted, sizeof wanted);
    return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                   "input '%s' is %s%s, the model takes %s%s: another %s", name ? name : "",
                   uc_dtype_name(tensor->dtype), given, uc_dtype_name(tensor->dtype), wanted,
                   rank == tensor->rank ? "size" : "number of dimensions");
}

static uncork_status fit(const cli_options *options, const uncork_model *model, int i,
                         const uc_tensor *tensor, uc_arena *arena, uncork_value **values,
                         uncork_error *error)
{
    uncork_dtype want = uncork_model_input_dtype(model, i);
    const char *name = uncork_model_input_name(model, i);
    const uc_tensor *dense = uc_tensor_dense(arena, tensor);
    if (!dense) return uc_fail_memory(error);
    if (want != UNCORK_DTYPE_NONE && dense->dtype != want) {
        const uc_tensor *cast = uc_tensor_cast(arena, dense, want);
        if (!cast || !survives(dense, cast, arena)) {
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                           "input '%s' takes %s, given %s that doesn't fit without loss",
                           name ? name : "", uc_dtype_name(want), uc_dtype_name(dense->dtype));
        }
        cli_note(options, "input '%s': %s taken as %s", name ? name : "",
                 uc_dtype_name(dense->dtype), uc_dtype_name(want));
        dense = cast;
    }
    if (values[i])
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "input '%s' is given twice",
                       name ? name : "");
    UC_TRY(check_shape(model, i, dense, error));
    return uc_value_over(dense, &values[i]) ? uc_fail_memory(error) : UNCORK_OK;
}

int cli_required_input(const uncork_model *model, int from)
{
    for (int i = from; i < uncork_model_input_count(model); i++) {
        if (!uncork_model_input_optional(model, i)) return i;
    }
    return -1;
}

int cli_only_input(const uncork_model *model)
{
    const int first = cli_required_input(model, 0);
    return first >= 0 && cli_required_input(model, first + 1) < 0 ? first : -1;
}

/* The inputs that must be given, in order. */
static const int *required_inputs(const uncork_model *model, uc_arena *arena, int *count)
{
    int *list = UC_NEW(arena, int, (size_t)uncork_model_input_count(model));
    *count = 0;
    for (int i = cli_required_input(model, 0); list && i >= 0;
         i = cli_required_input(model, i + 1)) {
        list[(*count)++] = i;
    }
    return list;
}

/* One input takes all the columns, several take one each. */
static uncork_status bind_rows(const cli_options *options, const uncork_model *model,
                               const uc_tensor *known, const cli_rows *rows, uc_arena *arena,
                               uncork_value **values, uncork_error *error)
{
    int inputs;
    const int *given = required_inputs(model, arena, &inputs);
    if (!given) return uc_fail_memory(error);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = inputs > 0 ? uncork_model_input_shape(model, given[0], shape) : -1;
    size_t count = inputs > 1 || rank == 1 ? (size_t)inputs : rows->column_count, extra, *order;
    if (inputs == 1 && rank == 2 && shape[1] > 0) count = (size_t)shape[1];
    bool one_name = inputs == 1 && rank == 1;
    uc_str *wanted = NULL;
    if (inputs > 1 || (known && uc_tensor_count(known) == (int64_t)count && !one_name)) {
        wanted = UC_NEW(arena, uc_str, count);
        if (!wanted) return uc_fail_memory(error);
        for (size_t i = 0; i < count; i++) {
            wanted[i] = inputs > 1 ? uc_str_of(uncork_model_input_name(model, given[i]))
                                   : uc_tensor_string(known, (int64_t)i);
        }
    }
    UC_TRY(cli_rows_match(rows, wanted, count, known, arena, &order, &extra, error));
    if (extra) {
        cli_note(options, "%zu column%s that the model doesn't take %s left out", extra,
                 extra > 1 ? "s" : "", extra > 1 ? "are" : "is");
    }
    for (int k = 0; k < inputs; k++) {
        const uc_tensor *tensor;
        const int i = given[k];
        int want_rank = uncork_model_input_shape(model, i, shape);
        UC_TRY(cli_rows_tensor(rows, inputs > 1 ? &order[k] : order, inputs > 1 ? 1 : count,
                               want_rank == 1 ? 1 : 2, uncork_model_input_dtype(model, i), arena,
                               &tensor, error));
        UC_TRY(fit(options, model, i, tensor, arena, values, error));
    }
    return UNCORK_OK;
}

/* A matrix for a model of columns: column i is input i. */
static uncork_status bind_matrix(const cli_options *options, const uncork_model *model,
                                 const uc_tensor *t, uc_arena *arena, uncork_value **values,
                                 uncork_error *error)
{
    const int64_t rows = t->shape[0];
    for (int i = 0; i < uncork_model_input_count(model); i++) {
        uc_tensor *column = UC_NEW(arena, uc_tensor, 1);
        if (!column) return uc_fail_memory(error);
        *column = *t;
        column->rank = 1;
        column->shape[0] = rows;
        column->stride[0] = t->stride[0];
        if (t->dtype == UNCORK_STRING) {
            uc_str *items = UC_NEW(arena, uc_str, (size_t)rows);
            for (int64_t r = 0; items && r < rows; r++) {
                items[r] = uc_tensor_string(t, r * t->stride[0] + i * t->stride[1]);
            }
            column = items ? uc_tensor_strings(arena, items, 1, &rows) : NULL;
            if (!column) return uc_fail_memory(error);
        } else {
            column->data = (char *)t->data + (size_t)(i * t->stride[1]) * uc_dtype_size(t->dtype);
        }
        UC_TRY(fit(options, model, i, column, arena, values, error));
    }
    return UNCORK_OK;
}

/* A column of the table the model was trained on. */
static bool is_column(const uc_fact *names, const char *name)
{
    for (int64_t i = 0; names && names->tensor && i < names->tensor->shape[0]; i++) {
        if (uc_str_is(uc_tensor_string(names->tensor, i), name)) return true;
    }
    return false;
}

/* Several [rows] arrays by name for a model that takes one matrix and was trained on a table: the
 * columns of `x` in the order of the names. NULL in *x when that isn't what is given. */
static uncork_status join_columns(const uncork_model *model, const uc_fact *names,
                                  const cli_arrays *arrays, uc_arena *arena, const uc_tensor **x,
                                  uncork_error *error)
{
    *x = NULL;
    size_t width = names && names->tensor ? (size_t)uc_tensor_count(names->tensor) : 0;
    if (uncork_model_input_count(model) != 1 || width < 2 || arrays->count < width)
        return UNCORK_OK;
    const int64_t rows = arrays->items[0].tensor ? arrays->items[0].tensor->shape[0] : 0;
    const int64_t shape[2] = {rows, (int64_t)width};
    uc_tensor *joined = uc_tensor_new(arena, UNCORK_FLOAT64, 2, shape);
    if (!joined) return uc_fail_memory(error);
    for (size_t c = 0; c < width; c++) {
        uc_str name = uc_tensor_string(names->tensor, (int64_t)c);
        const uc_tensor *column = NULL;
        for (size_t k = 0; k < arrays->count; k++) {
            const cli_array *a = &arrays->items[k];
            if (a->name && uc_str_is(name, a->name)) column = a->tensor;
        }
        if (!column || column->rank != 1 || column->dtype == UNCORK_STRING) return UNCORK_OK;
        if (column->shape[0] != rows) {
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                           "column '%.*s' has %" PRId64 " rows, the first one given %" PRId64,
                           (int)name.size, name.data, column->shape[0], rows);
        }
        for (int64_t r = 0; r < rows; r++) {
            ((double *)joined->data)[(size_t)r * width + c] =
                uc_dtype_load_f64(column->data, r * column->stride[0], column->dtype);
        }
    }
    *x = joined;
    return UNCORK_OK;
}

uncork_status cli_bind(const cli_options *options, const uncork_model *model,
                       const cli_arrays *arrays, uc_arena *arena, uncork_value **values,
                       uncork_error *error)
{
    int inputs = uncork_model_input_count(model);
    const uc_fact *names =
        uc_fact_find(&uc_file_import(uc_model_file(model))->facts, "feature_names");
    const cli_array *first = arrays->count == 1 ? &arrays->items[0] : NULL;
    if (first && first->rows) {
        bool one_of_several = inputs > 1 && cli_only_input(model) >= 0;
        if (one_of_several && first->name && find_input(model, first->name) < 0) {
            return unknown_name(model, first->name, error);
        }
        return bind_rows(options, model, names ? names->tensor : NULL, first->rows, arena, values,
                         error);
    }
    if (first && inputs > 1 && first->tensor && first->tensor->rank == 2 &&
        first->tensor->shape[1] == inputs && (!first->name || find_input(model, first->name) < 0)) {
        return bind_matrix(options, model, first->tensor, arena, values, error);
    }
    const uc_tensor *joined;
    UC_TRY(join_columns(model, names, arrays, arena, &joined, error));
    if (joined) return fit(options, model, 0, joined, arena, values, error);
    int next = 0;
    for (size_t k = 0; k < arrays->count; k++) {
        const cli_array *a = &arrays->items[k];
        int i = a->name && inputs > 1 ? find_input(model, a->name) : next++;
        if (i < 0 && is_column(names, a->name)) continue; /* trained on, but nothing uses it */
        if (i < 0) return unknown_name(model, a->name, error);
        if (i >= inputs) {
            return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                           "the model takes %d inputs, %zu given", inputs, arrays->count);
        }
        if (!a->tensor) {
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                           "%s: a table can't be one of several inputs", a->path);
        }
        UC_TRY(fit(options, model, i, a->tensor, arena, values, error));
    }
    for (int i = 0; i < inputs; i++) {
        if (!values[i] && !uncork_model_input_optional(model, i)) {
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "input '%s' is not given",
                           uncork_model_input_name(model, i));
        }
    }
    return UNCORK_OK;
}
