/* Chains and unions: Pipeline, FeatureUnion, and wrappers that pass every call on unchanged (search
 * results, FrozenEstimator). Source: sklearn/pipeline.py, sklearn/model_selection/_search.py. */
#include "import/sklearn/sk_file.h"
#include "import/sklearn/sk_meta.h"

/* A step that does nothing: None before 0.21, 'passthrough' since. */
static bool is_nothing(const uc_pickle *step)
{
    return !step || step->kind == UC_PICKLE_NONE || uc_pickle_is_text(step, "passthrough");
}

static const uc_pickle *second(const uc_pickle *pair) { return uc_pickle_item(pair, 1); }

/* What was fed, as a result: the identity. */
uncork_status sk_return_input(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out)
{
    if (in->columns) {
        return sk_return(ctx, out, sk_x(ctx, est, in, -1), UNCORK_FLOAT64,
                         (int64_t)in->column_count);
    }
    uncork_status status = sk_return(ctx, out, in->x, in->dtype, in->rank == 1 ? 0 : in->width);
    out->names = in->names;
    return status;
}

uncork_status sk_do_pipeline(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                             sk_result *out)
{
    const uc_pickle *steps = sk_attr(est, "steps");
    size_t n = sk_list_count(est, "steps");
    if (n == 0) return sk_fail(ctx, est, "steps", "holds no step");
    sk_data data = *in;
    for (size_t i = 0; i < n; i++) {
        const uc_pickle *what = second(uc_pickle_item(steps, i));
        if (is_nothing(what) || sk_is_sampler(what)) continue;
        sk_est step;
        bool last = i + 1 == n;
        if (!sk_list_child(ctx, est, "steps", i, &step)) return sk_status(ctx);
        UC_TRY(sk_apply(ctx, &step, last ? method : SK_TRANSFORM, &data, out));
        if (last) return UNCORK_OK;
        data = sk_as_data(out);
    }
    if (method != SK_TRANSFORM) {
        return sk_unsupported(ctx, est, "ends in a step that only passes through");
    }
    return sk_return_input(ctx, est, &data, out);
}

uncork_status sk_do_wrapped(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                            sk_result *out)
{
    sk_est inner;
    if (!sk_child(ctx, est, "best_estimator_|estimator_|base_estimator_|estimator", &inner)) {
        return sk_status(ctx);
    }
    return sk_apply(ctx, &inner, method, in, out);
}

/* ---- side by side -------------------------------------------------------------------------- */

uncork_status sk_hstack(sk_ctx *ctx, const sk_est *est, const sk_result *parts, size_t count,
                        sk_result *out)
{
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (count == 0) return sk_unsupported(ctx, est, "leaves no column");
    uncork_dtype dtype = UNCORK_DTYPE_NONE;
    int64_t width = 0;
    bool named = true;
    for (size_t i = 0; i < count; i++) {
        bool mixed = i && (dtype == UNCORK_STRING) != (parts[i].dtype == UNCORK_STRING);
        if (mixed || parts[i].columns) {
            return sk_unsupported(ctx, est, "puts text and numbers into one matrix");
        }
        dtype = sk_common_dtype(dtype, parts[i].dtype);
        width = width < 0 || parts[i].width < 0 ? -1 : width + parts[i].width;
        named = named && parts[i].names;
    }
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, count);
    uc_str *names = named && width > 0 ? UC_NEW(ctx->arena, uc_str, (size_t)width) : NULL;
    if (!refs) return sk_status(ctx);
    for (size_t i = 0, at = 0; i < count; i++) {
        refs[i] = parts[i].out[0];
        if (parts[i].dtype != dtype) refs[i] = uc_g_cast(ctx->graph, refs[i], dtype);
        for (int64_t j = 0; names && j < parts[i].width; j++)
            names[at++] = parts[i].names[j];
    }
    uc_ref all = count == 1 ? refs[0] : uc_g_concat(ctx->graph, refs, count, 1);
    UC_TRY(sk_return(ctx, out, all, dtype, width));
    out->names = names;
    return UNCORK_OK;
}

uncork_status sk_weigh(sk_ctx *ctx, sk_result *part, double weight)
{
    if (weight == 1 || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    bool f32 = part->dtype == UNCORK_FLOAT32;
    if (!f32 && part->dtype != UNCORK_FLOAT64) {
        part->out[0] = uc_g_cast(ctx->graph, part->out[0], UNCORK_FLOAT64);
        part->dtype = UNCORK_FLOAT64;
    }
    uc_ref factor =
        f32 ? uc_graph_f32(ctx->graph, (float)weight) : uc_graph_f64(ctx->graph, weight);
    part->out[0] = uc_g2(ctx->graph, "Mul", part->out[0], factor);
    return sk_status(ctx);
}

/* transformer_weights[name]; 1 when there is none. */
double sk_transformer_weight(const sk_est *est, const uc_pickle *name)
{
    const uc_pickle *weights = sk_attr(est, "transformer_weights");
    double w = 1;
    for (size_t i = 0; weights && weights->kind == UC_PICKLE_DICT && i < weights->count; i++) {
        const uc_pickle *key = weights->items[2 * i];
        if (name && key && uc_str_equal(key->text, name->text)) {
            (void)uc_pickle_f64(weights->items[2 * i + 1], &w);
        }
    }
    return w;
}

uncork_status sk_do_feature_union(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_pickle *list = sk_attr(est, "transformer_list");
    size_t n = sk_list_count(est, "transformer_list"), used = 0;
    sk_result *parts = UC_NEW(ctx->arena, sk_result, n + 1);
    if (!parts) return sk_status(ctx);
    for (size_t i = 0; i < n; i++) {
        const uc_pickle *pair = uc_pickle_item(list, i);
        const uc_pickle *value = second(pair);
        if (!value || value->kind == UC_PICKLE_NONE || uc_pickle_is_text(value, "drop")) continue;
        sk_result *part = &parts[used++];
        if (uc_pickle_is_text(value, "passthrough")) {
            UC_TRY(sk_return_input(ctx, est, in, part));
        } else {
            sk_est child;
            if (!sk_list_child(ctx, est, "transformer_list", i, &child)) return sk_status(ctx);
            UC_TRY(sk_apply(ctx, &child, SK_TRANSFORM, in, part));
        }
        UC_TRY(sk_weigh(ctx, part, sk_transformer_weight(est, uc_pickle_item(pair, 0))));
    }
    return sk_hstack(ctx, est, parts, used, out);
}
