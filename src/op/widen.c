/* Short floats as float32: see widen.h. */
#include "op/widen.h"

bool uc_is_short_float(uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT16 || dtype == UNCORK_BFLOAT16;
}

uncork_status uc_call_expect_wide(uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    bool taken = !t || t->dtype == UNCORK_DTYPE_NONE || t->dtype == UNCORK_FLOAT32 ||
                 t->dtype == UNCORK_FLOAT64 || uc_is_short_float(t->dtype);
    if (taken) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "input %zu is %s, not float32, float64, float16 or bfloat16", i,
                        uc_dtype_name(t->dtype));
}

/* A float32 twin of t in scratch, with t's elements when they are to be read. */
static bool widen(uc_call *call, const uc_tensor *t, bool read, uc_value *wide)
{
    *wide = (uc_value){.kind = UC_TENSOR};
    uc_tensor_set(&wide->tensor, UNCORK_FLOAT32, t->rank, t->shape);
    int64_t n = uc_tensor_count(t);
    wide->tensor.data = uc_call_scratch(call, (size_t)n, sizeof(float));
    return wide->tensor.data &&
           (!read || uc_dtype_convert(wide->tensor.data, UNCORK_FLOAT32, t->data, t->dtype, n));
}

static bool is_short(const uc_value *v)
{
    return v && v->kind == UC_TENSOR && uc_is_short_float(v->tensor.dtype);
}

uncork_status uc_widened(uc_call *call, uncork_status (*run)(uc_call *call))
{
    uc_value values[2 * UC_WIDEN_VALUES];
    const uc_value *in[UC_WIDEN_VALUES];
    uc_value *out[UC_WIDEN_VALUES];
    bool any = false;
    for (size_t i = 0; i < call->in_count; i++) {
        any = any || is_short(call->in[i]);
    }
    for (size_t i = 0; i < call->out_count; i++) {
        any = any || is_short(call->out[i]);
    }
    if (!any) return run(call);
    if (call->in_count > UC_WIDEN_VALUES || call->out_count > UC_WIDEN_VALUES) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "%zu inputs of short floats", call->in_count);
    }
    uc_call inner = *call;
    inner.in = in;
    inner.out = out;
    for (size_t i = 0; i < call->in_count; i++) {
        in[i] = call->in[i];
        if (!is_short(in[i])) continue;
        if (!widen(call, &call->in[i]->tensor, true, &values[i])) {
            return uc_fail_memory(call->error);
        }
        in[i] = &values[i];
    }
    for (size_t i = 0; i < call->out_count; i++) {
        out[i] = call->out[i];
        if (!is_short(out[i])) continue;
        out[i] = &values[UC_WIDEN_VALUES + i];
        if (!widen(call, &call->out[i]->tensor, false, out[i])) {
            return uc_fail_memory(call->error);
        }
    }
    UC_TRY(run(&inner));
    for (size_t i = 0; i < call->out_count; i++) {
        if (!is_short(call->out[i])) continue;
        uc_tensor *y = uc_call_out(call, i);
        if (!y) return uc_fail_memory(call->error);
        uc_dtype_convert(y->data, y->dtype, out[i]->tensor.data, UNCORK_FLOAT32,
                         uc_tensor_count(y));
    }
    return UNCORK_OK;
}

const double *uc_call_doubles(uc_call *call, const uc_tensor *t)
{
    if (t->dtype == UNCORK_FLOAT64) return t->data;
    int64_t n = uc_tensor_count(t);
    double *wide = uc_call_scratch(call, (size_t)n, sizeof *wide);
    if (wide) uc_dtype_convert(wide, UNCORK_FLOAT64, t->data, t->dtype, n);
    return wide;
}
