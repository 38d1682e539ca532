/* Elementwise operators: see spread.h. */
#include "op/spread.h"

#include "op/move.h"

static bool is_short_float(uncork_dtype dtype)
{
    return uc_dtype_is_float(dtype) && dtype != UNCORK_FLOAT32 && dtype != UNCORK_FLOAT64;
}

uncork_dtype uc_spread_dtype(uncork_dtype dtype)
{
    return is_short_float(dtype) ? UNCORK_FLOAT32 : dtype;
}

static void add(uc_walk *w, const uc_tensor *t)
{
    uc_walk_add(w, t->data, uc_dtype_size(t->dtype), t->rank, t->shape, NULL);
}

static bool same_shape(const uc_tensor *a, const uc_tensor *b)
{
    if (a->rank != b->rank) return false;
    for (int d = 0; d < a->rank; d++) {
        if (a->shape[d] != b->shape[d]) return false;
    }
    return true;
}

/* One flat loop where no input broadcasts. */
static bool run_flat(uc_loop_fn loop, uc_tensor *out, const uc_tensor *const *in, size_t in_count)
{
    char *p[UC_WALK_ARRAYS];
    int64_t step[UC_WALK_ARRAYS], n = uc_tensor_count(out);
    p[0] = out->data;
    step[0] = (int64_t)uc_dtype_size(out->dtype);
    for (size_t k = 0; k < in_count; k++) {
        if (!same_shape(out, in[k]) && in[k]->rank > 0) return false;
        p[k + 1] = in[k]->data;
        step[k + 1] = in[k]->rank || !out->rank ? (int64_t)uc_dtype_size(in[k]->dtype) : 0;
    }
    loop(p, step, n);
    return true;
}

static void run(uc_call *call, uc_loop_fn loop, uc_tensor *out, const uc_tensor *const *in,
                size_t in_count)
{
    if (!call->pool && run_flat(loop, out, in, in_count)) return;
    uc_walk w;
    uc_walk_begin(&w, out->rank, out->shape);
    add(&w, out);
    for (size_t k = 0; k < in_count; k++) {
        add(&w, in[k]);
    }
    uc_walk_fold(&w);
    uc_walk_run(&w, loop, call->pool);
}

/* A float32 copy in scratch; NULL when memory is out. */
static bool widen(uc_call *call, const uc_tensor *t, uc_tensor *wide)
{
    uc_tensor_set(wide, UNCORK_FLOAT32, t->rank, t->shape);
    size_t n = (size_t)uc_tensor_count(t);
    wide->data = uc_call_scratch(call, n, sizeof(float));
    return wide->data &&
           uc_dtype_convert(wide->data, UNCORK_FLOAT32, t->data, t->dtype, (int64_t)n);
}

static uncork_status run_widened(uc_call *call, uc_loop_fn loop, uc_tensor *out,
                                 const uc_tensor *const *in, size_t in_count)
{
    uc_tensor wide[UC_WALK_ARRAYS] = {{0}}, result = *out;
    const uc_tensor *use[UC_WALK_ARRAYS];
    for (size_t k = 0; k < in_count; k++) {
        use[k] = in[k];
        if (!is_short_float(in[k]->dtype)) continue;
        if (!widen(call, in[k], &wide[k])) return uc_fail_memory(call->error);
        use[k] = &wide[k];
    }
    bool narrow = is_short_float(out->dtype);
    size_t n = (size_t)uc_tensor_count(out);
    if (narrow) {
        uc_tensor_set(&result, UNCORK_FLOAT32, out->rank, out->shape);
        result.data = uc_call_scratch(call, n, sizeof(float));
        if (!result.data) return uc_fail_memory(call->error);
    }
    run(call, loop, &result, use, in_count);
    if (narrow) {
        uc_dtype_convert(out->data, out->dtype, result.data, UNCORK_FLOAT32, (int64_t)n);
    }
    return UNCORK_OK;
}

uncork_status uc_spread(uc_call *call, uc_loop_fn loop, const uc_tensor *const *in, size_t in_count)
{
    if (!loop) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(in[0]->dtype));
    }
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return uc_fail_memory(call->error);
    bool short_floats = is_short_float(out->dtype);
    for (size_t k = 0; k < in_count; k++) {
        short_floats = short_floats || is_short_float(in[k]->dtype);
    }
    if (short_floats) return run_widened(call, loop, out, in, in_count);
    run(call, loop, out, in, in_count);
    return UNCORK_OK;
}

uncork_status uc_spread_inputs(uc_call *call, uc_loop_fn loop, size_t count)
{
    const uc_tensor *in[UC_WALK_ARRAYS];
    for (size_t k = 0; k < count; k++) {
        in[k] = uc_call_in(call, k);
    }
    return uc_spread(call, loop, in, count);
}

uncork_status uc_spread_fold(uc_call *call, uc_loop_fn loop)
{
    if (call->in_count == 2) return uc_spread_inputs(call, loop, 2);
    const uc_tensor *first = uc_call_in(call, 0);
    const uc_tensor *start[] = {first, first};
    if (call->in_count == 1) return uc_move_same(call, 0, first);
    start[1] = uc_call_in(call, 1);
    UC_TRY(uc_spread(call, loop, start, 2));
    for (size_t k = 2; k < call->in_count; k++) {
        /* In place: the output is walked at its own pace. */
        const uc_tensor *next[] = {&call->out[0]->tensor, uc_call_in(call, k)};
        UC_TRY(uc_spread(call, loop, next, 2));
    }
    return UNCORK_OK;
}
