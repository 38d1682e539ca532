/* The importer "sklearn": a pickle or joblib file that holds a model of scikit-learn (or xgboost's
 * and lightgbm's scikit-learn classes). Opening reads and describes; importing translates one method
 * of the model, with the scaler that stood beside it in front. */
#include "import/sklearn/sk_file.h"

#include <stdio.h>

/* ---- which bytes --------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static bool is_pickle_name(const char *name)
{
    static const char *const ends[] = {".pkl",    ".pickle",    ".joblib",  ".sav",
                                       ".pkl.gz", ".joblib.gz", ".pkl.z",   ".joblib.z",
                                       ".pkl.xz", ".pkl.bz2",   ".pkl.lzma"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(name, ends[i])) return true;
    }
    return false;
}

/* The pickle of a folder or archive: "model.*" before others; SIZE_MAX when there is none. */
static size_t pickle_in(const uc_bundle *bundle, size_t *count)
{
    size_t found = SIZE_MAX;
    *count = 0;
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        const char *slash = strrchr(name, '/');
        const char *base = slash ? slash + 1 : name;
        if (!is_pickle_name(base)) continue;
        ++*count;
        if (found == SIZE_MAX || strncmp(base, "model.", 6) == 0) found = i;
    }
    return found;
}

static int sk_probe(uc_bytes head, const uc_bundle *bundle)
{
    size_t count;
    if (head.size) return uc_pickle_probe(head) ? 2 : 0;
    if (!bundle || uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE) return 0;
    return pickle_in(bundle, &count) != SIZE_MAX ? 2 : 0;
}

static uncork_status find_bytes(uc_import *file, uc_bytes *bytes, uncork_error *error)
{
    *bytes = file->bytes;
    if (bytes->size || !file->bundle || uc_bundle_kind_of(file->bundle) == UC_BUNDLE_FILE)
        return UNCORK_OK;
    size_t count, at = pickle_in(file->bundle, &count);
    if (at == SIZE_MAX) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "there is no pickle in it");
    }
    if (count > 1) {
        uc_note(&file->findings, UC_NOTE_CHOSEN, "file-chosen",
                "%s is read, %zu other pickle%s not", uc_bundle_name(file->bundle, at), count - 1,
                count > 2 ? "s are" : " is");
    }
    return uc_bundle_read(file->bundle, at, bytes, error);
}

/* Old joblib keeps arrays in files of their own beside the pickle, named in it. */
static uncork_status read_side(void *context, uc_str name, uc_bytes *bytes, uncork_error *error)
{
    uc_import *file = context;
    char text[256];
    if (name.size == 0 || name.size >= sizeof text || memchr(name.data, 0, name.size)) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "an array's file has a name of %zu bytes", name.size);
    }
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    if (!file->bundle)
        return uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "'%s' isn't beside the pickle", text);
    if (uc_bundle_kind_of(file->bundle) == UC_BUNDLE_FILE)
        return uc_bundle_side(file->bundle, text, bytes, error);
    for (size_t i = 0; i < uc_bundle_count(file->bundle); i++) {
        const char *entry = uc_bundle_name(file->bundle, i), *slash = strrchr(entry, '/');
        if (strcmp(slash ? slash + 1 : entry, text) == 0)
            return uc_bundle_read(file->bundle, i, bytes, error);
    }
    return uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "'%s' isn't in the archive", text);
}

/* ---- opening ------------------------------------------------------------------------------- */

static void list_entries(uc_import *file, const sk_file *sk)
{
    sk_est est;
    if (!sk_view(sk->model.object, NULL, &est)) return;
    file->entries = UC_NEW(file->arena, const char *, SK_METHOD_COUNT);
    for (int m = 0; file->entries && m < SK_METHOD_COUNT; m++) {
        if (sk_has_method(&est, (sk_method)m))
            file->entries[file->entry_count++] = sk_method_name((sk_method)m);
    }
}

static void note_rest(uc_import *file, const sk_file *sk, uc_bytes bytes)
{
    if (sk->info.compression || sk->info.end_offset >= bytes.size) return;
    uint64_t rest = bytes.size - sk->info.end_offset;
    uc_bytes after = {bytes.data + sk->info.end_offset, (size_t)rest};
    if (uc_pickle_probe(after)) {
        uc_note(&file->findings, UC_NOTE_IGNORED, "second-pickle",
                "another pickle follows at byte %llu; the first one counts, as with pickle.load",
                (unsigned long long)sk->info.end_offset);
    } else {
        uc_note(&file->findings, UC_NOTE_IGNORED, "trailing-bytes", "%llu bytes follow the pickle",
                (unsigned long long)rest);
    }
}

static uncork_status sk_open(uc_import *file, uncork_error *error)
{
    uc_bytes bytes;
    UC_TRY(find_bytes(file, &bytes, error));
    sk_file *sk = UC_NEW(file->arena, sk_file, 1);
    if (!sk) return uc_arena_status(file->arena, error);
    file->state = sk;
    uc_pickle *root = NULL;
    uc_pickle_side side = {read_side, file};
    UC_TRY(uc_pickle_read(bytes, &side, file->arena, file->budget, &root, &sk->info, error));
    sk->root = root;
    UC_TRY(sk_scan(sk, file->arena, file->budget, &file->findings, error));
    /* What the looks below meet is no reason not to open the file: import tells it. */
    uncork_error quiet = {.size = sizeof quiet};
    uc_error_init(&quiet);
    sk_ctx ctx = {.arena = file->arena,
                  .budget = file->budget,
                  .findings = &file->findings,
                  .error = &quiet,
                  .root = root,
                  .version = sk->version,
                  .python2 = sk->info.python2};
    (void)sk_find_model(sk, &ctx);
    list_entries(file, sk);
    note_rest(file, sk, bytes);
    sk_collect_facts(sk, &ctx, &file->facts);
    return uc_arena_status(file->arena, error);
}

/* ---- importing: the input ------------------------------------------------------------------ */

static void declare_table(sk_ctx *ctx, sk_input *input, sk_data *data)
{
    for (size_t i = 0; i < input->column_count; i++) {
        sk_column *c = &input->columns[i];
        int64_t shape[1] = {-1};
        const char *name = uc_arena_copy(ctx->arena, c->name.data, c->name.size);
        c->ref = uc_graph_input(ctx->graph, name ? name : "", c->dtype, 1, shape);
    }
    *data = (sk_data){.columns = input->columns,
                      .column_count = input->column_count,
                      .rank = 2,
                      .width = (int64_t)input->column_count,
                      .dtype = UNCORK_FLOAT64};
}

static bool is_number(uncork_dtype t)
{
    return t == UNCORK_BOOL || uc_dtype_is_float(t) || uc_dtype_is_integer(t);
}

/* Declares the graph's inputs. A caller who has another type than float64 says so, for
 * scikit-learn keeps some types apart (float32 stays float32 in many estimators). */
static bool declare_input(sk_ctx *ctx, const sk_est *first, const uc_import_options *options,
                          sk_data *data)
{
    sk_input input;
    if (!sk_input_of(ctx, first, &input)) return false;
    if (input.kind == SK_INPUT_TABLE) {
        declare_table(ctx, &input, data);
        return sk_status(ctx) == UNCORK_OK;
    }
    uncork_dtype dtype = input.dtype;
    if (options && options->input_dtype != UNCORK_DTYPE_NONE &&
        is_number(options->input_dtype) == is_number(input.dtype)) {
        dtype = options->input_dtype;
    }
    int64_t shape[2] = {-1, input.width};
    static const int64_t column[2] = {-1, 1};
    int rank = input.kind == SK_INPUT_MATRIX ? 2 : input.kind == SK_INPUT_VECTOR ? 1 : -1;
    uc_ref x = uc_graph_input(ctx->graph, "X", dtype, rank, shape);
    if (rank < 0) x = uc_g_reshape(ctx->graph, x, column, 2);
    *data = (sk_data){.x = x,
                      .dtype = dtype,
                      .rank = rank == 1 ? 1 : 2,
                      .width = rank == 1 ? 1 : input.width,
                      .names = rank == 2 ? input.names : NULL};
    return sk_status(ctx) == UNCORK_OK;
}

/* ---- importing: what stands in front ------------------------------------------------------- */

static bool is_left_out(sk_ctx *ctx, const sk_est *est)
{
    int64_t in = sk_width_in(ctx, est), out = sk_width_out(ctx, est);
    return ctx->raw && in >= 0 && in == out;
}

static bool apply_before(sk_ctx *ctx, const sk_file *sk, const uc_import_options *options,
                         sk_data *data)
{
    sk_est *list = UC_NEW(ctx->arena, sk_est, sk->before_count + 1);
    size_t count = 0;
    for (size_t i = 0; list && i < sk->before_count; i++) {
        if (!sk_estimator(ctx, sk->before[i].object, NULL, sk->before[i].path, &list[count]))
            return false;
        if (!is_left_out(ctx, &list[count])) {
            count++;
            continue;
        }
        uc_note(ctx->findings, UC_NOTE_CHOSEN, "scaler-skipped",
                "%s (%.*s) is not applied: the input is raw", list[count].path,
                (int)list[count].class_name.size, list[count].class_name.data);
    }
    if (!list || !sk_estimator(ctx, sk->model.object, NULL, sk->model.path, &list[count]))
        return false;
    if (!declare_input(ctx, &list[0], options, data)) return false;
    for (size_t i = 0; i < count; i++) {
        sk_result result;
        if (sk_apply(ctx, &list[i], SK_TRANSFORM, data, &result) != UNCORK_OK) return false;
        *data = sk_as_data(&result);
        uc_note(ctx->findings, UC_NOTE_ASSUMED, "scaler-applied",
                "%s (%.*s) is applied before the model", list[i].path, (int)list[i].class_name.size,
                list[i].class_name.data);
    }
    return true;
}

/* ---- importing: outputs -------------------------------------------------------------------- */

static void put_outputs(sk_ctx *ctx, const char *name, const sk_result *result)
{
    if (result->count == 1) {
        uc_graph_output(ctx->graph, name, result->out[0]);
        return;
    }
    for (size_t i = 0; i < result->count; i++) {
        const char *numbered = uc_arena_printf(ctx->arena, "%s_%zu", name, i);
        if (numbered) uc_graph_output(ctx->graph, numbered, result->out[i]);
    }
}

/* Labels come out in the type that classes_ has in the file: int32 stays int32. */
static void restore_label_type(sk_ctx *ctx, const sk_est *est, sk_result *result)
{
    sk_est last = sk_last_step(ctx, est);
    const uc_pickle *value = sk_attr(&last, "classes_");
    if (!value || value->kind != UC_PICKLE_ARRAY || !value->tensor || result->count != 1) return;
    uncork_dtype stored = value->tensor->dtype;
    if (result->dtype != UNCORK_INT64 || stored == UNCORK_INT64 || !uc_dtype_is_integer(stored))
        return;
    result->out[0] = uc_g_cast(ctx->graph, result->out[0], stored);
    result->dtype = stored;
}

/* Numbers become the labels of the encoder that stood beside the model. */
static void decode_labels(sk_ctx *ctx, const sk_file *sk, sk_result *result)
{
    sk_est encoder;
    if (!sk->encoder.object || result->count != 1 || result->dtype != UNCORK_INT64) return;
    if (!sk_estimator(ctx, sk->encoder.object, NULL, sk->encoder.path, &encoder)) return;
    const uc_tensor *classes = sk_classes(ctx, &encoder);
    if (!classes) return;
    result->out[0] = sk_take_labels(ctx, classes, result->out[0]);
    result->dtype = classes->dtype;
    uc_note(ctx->findings, UC_NOTE_ASSUMED, "labels-decoded",
            "labels are turned back by %s (LabelEncoder)", sk->encoder.path);
}

static uncork_status put_default(sk_ctx *ctx, const sk_file *sk, const sk_est *est,
                                 const sk_data *data)
{
    static const struct {
        sk_method method;
        const char *name;
    } outputs[] = {{SK_PREDICT, "label"},
                   {SK_PREDICT_PROBA, "probabilities"},
                   {SK_DECISION_FUNCTION, "scores"},
                   {SK_SCORE_SAMPLES, "scores"},
                   {SK_TRANSFORM, "transformed"},
                   {SK_KNEIGHBORS, "kneighbors"}};
    bool done = false;
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        sk_method method = outputs[i].method;
        bool scores = method == SK_DECISION_FUNCTION;
        bool wanted = i == 0 || method == SK_PREDICT_PROBA ||
                      (scores && !sk_has_method(est, SK_PREDICT_PROBA)) || !done;
        if (!wanted || !sk_has_method(est, method)) continue;
        sk_result result;
        UC_TRY(sk_apply(ctx, est, method, data, &result));
        if (method == SK_PREDICT) {
            decode_labels(ctx, sk, &result);
            restore_label_type(ctx, est, &result);
        }
        bool booster = uc_str_is(est->class_name, "Booster"); /* no estimator: what it predicts */
        put_outputs(ctx, booster ? sk_method_name(method) : outputs[i].name, &result);
        done = true;
    }
    if (!done)
        return sk_apply(ctx, est, SK_PREDICT, data, &(sk_result){0}); /* says what is missing */
    return sk_status(ctx);
}

/* PREDICT for the default outputs, and for names that are none. */
static sk_method method_of(const char *entry)
{
    for (int m = 0; entry && m < SK_METHOD_COUNT; m++) {
        if (strcmp(entry, sk_method_name((sk_method)m)) == 0) return (sk_method)m;
    }
    return SK_PREDICT;
}

static uncork_status put_method(sk_ctx *ctx, const sk_est *est, const char *entry,
                                const sk_data *data)
{
    sk_method method = method_of(entry);
    sk_result result;
    if (strcmp(entry, sk_method_name(method)) != 0) {
        return uc_fail(ctx->error, UNCORK_USAGE, UC_NO_OFFSET, "there is no method '%s'", entry);
    }
    UC_TRY(sk_apply(ctx, est, method, data, &result));
    if (method == SK_PREDICT) restore_label_type(ctx, est, &result);
    put_outputs(ctx, entry, &result);
    return sk_status(ctx);
}

static uncork_status sk_import(const uc_import *file, const char *entry,
                               const uc_import_options *options, uc_graph *graph,
                               uc_findings *findings, uncork_error *error)
{
    const sk_file *sk = file->state;
    if (sk->refusal) {
        (void)uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "%s", sk->refusal);
        return uc_fix(
            error,
            "the file calls code when Python loads it; 'uncork inspect' shows what it holds");
    }
    if (!sk->model.object) {
        return uc_fail(error, UNCORK_UNSUPPORTED, sk->root->offset, "%s",
                       sk->no_model ? sk->no_model : "the pickle holds no model");
    }
    sk_ctx ctx = {.arena = graph->arena,
                  .budget = graph->budget,
                  .graph = graph,
                  .findings = findings,
                  .error = error,
                  .raw = options && options->raw,
                  .root = sk->root,
                  .version = sk->version,
                  .python2 = sk->info.python2};
    sk_est est;
    sk_data data;
    if (!sk_estimator(&ctx, sk->model.object, NULL, sk->model.path, &est)) return sk_status(&ctx);
    if (!sk_find_row(est.module, est.class_name)) { /* named before anything is asked of it */
        return sk_apply(&ctx, &est, method_of(entry), &(sk_data){0}, &(sk_result){0});
    }
    if (!apply_before(&ctx, sk, options, &data)) return sk_status(&ctx);
    graph->where = est.path;
    uncork_status status =
        entry ? put_method(&ctx, &est, entry, &data) : put_default(&ctx, sk, &est, &data);
    return status == UNCORK_OK ? sk_status(&ctx) : status;
}

const uc_importer uc_importer_sklearn = {
    .name = "sklearn",
    .probe = sk_probe,
    .open = sk_open,
    .import = sk_import,
    .inspect = sk_inspect,
};
