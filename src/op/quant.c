/* What the quantised operators share: see quant.h. */
#include "op/quant.h"

#include "base/thread.h"
#include "kernel/quantize.h"
#include "op/shape.h"

#include <math.h>

bool uc_quant_bounds(uncork_dtype dtype, int32_t *low, int32_t *high)
{
    int bits = uc_dtype_bits(dtype);
    if (!uc_dtype_is_integer(dtype) || bits > 16) return false;
    bool is_signed = uc_dtype_is_signed(dtype);
    *low = is_signed ? -(1 << (bits - 1)) : 0;
    *high = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    return true;
}

bool uc_quant_is_narrow(uncork_dtype dtype)
{
    int32_t low, high;
    bool is_float = uc_dtype_is_float(dtype) && uc_dtype_bits(dtype) <= 8;
    return uc_quant_bounds(dtype, &low, &high) || (is_float && dtype != UNCORK_FLOAT8E8M0);
}

static bool has_one(const uc_tensor *t)
{
    bool one = t->rank <= 1; /* unknown: may be */
    for (int d = 0; d < t->rank; d++) {
        one = one && (t->shape[d] == 1 || t->shape[d] < 0);
    }
    return one;
}

uncork_status uc_quant_need(uc_call *call, size_t i)
{
    if (uc_call_in(call, i)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "input %zu is missing", i);
}

uncork_status uc_quant_check_one(uc_call *call, size_t scale, size_t zero, uncork_dtype dtype)
{
    const size_t which[] = {scale, zero};
    UC_TRY(uc_call_expect(call, scale, UC_TYPES_FLOAT));
    for (int i = 0; i < 2; i++) {
        const uc_tensor *t = uc_call_in(call, which[i]);
        char text[128];
        if (!t || has_one(t)) continue;
        return uc_call_fail(call, UNCORK_INPUT, "input %zu has shape %s, one %s is wanted",
                            which[i], uc_shape_text(t->shape, t->rank, text, sizeof text),
                            i ? "zero point" : "scale");
    }
    uncork_dtype own = uc_call_dtype(call, zero);
    if (own == UNCORK_DTYPE_NONE || dtype == UNCORK_DTYPE_NONE || own == dtype) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "the zero point (input %zu) is %s, its tensor %s", zero,
                        uc_dtype_name(own), uc_dtype_name(dtype));
}

float uc_quant_scale(const uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    return t && uc_tensor_count(t) ? (float)uc_dtype_load_f64(t->data, 0, t->dtype) : 1.0f;
}

int32_t uc_quant_zero(const uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    return t && uc_tensor_count(t) ? (int32_t)uc_dtype_load_i64(t->data, 0, t->dtype) : 0;
}

const float *uc_quant_floats(uc_call *call, const uc_tensor *t)
{
    int64_t n = t ? uc_tensor_count(t) : 1;
    float *to = uc_call_scratch(call, (size_t)n, sizeof *to);
    if (to && !t) to[0] = 0;
    if (to && t) uc_dtype_floats(t->data, 0, n, t->dtype, to);
    return to;
}

const int32_t *uc_quant_ints(uc_call *call, const uc_tensor *t)
{
    int64_t n = t ? uc_tensor_count(t) : 1;
    int32_t *to = uc_call_scratch(call, (size_t)n, sizeof *to);
    if (to && !t) to[0] = 0;
    for (int64_t i = 0; to && t && i < n; i++) {
        int64_t v = uc_dtype_load_i64(t->data, i, t->dtype);
        to[i] = v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : (int32_t)v;
    }
    return to;
}

void uc_quant_parameters(const float *x, int64_t n, float *scale, uint8_t *zero)
{
    float low = 0, high = 0;
    uc_quant_range(x, n, &low, &high);
    *scale = low == high ? 1.0f : (high - low) / 255.0f;
    float at = 0.0f - low / *scale;
    at = at > 0 ? at : 0; /* NaN (an infinite range): 0 */
    *zero = (uint8_t)nearbyintf(at < 255 ? at : 255);
}

/* ---- tables ------------------------------------------------------------------------------- */

void uc_quant_table_fill(uc_quant_table *t, uc_quant_fn f, const void *context)
{
    bool is_signed = t->dtype == UNCORK_INT8;
    float x[256];
    for (int i = 0; i < 256; i++) {
        x[i] = t->x_scale * (float)((is_signed ? (int8_t)i : i) - t->x_zero);
    }
    if (f) f(context, x, 256);
    uc_quant_row q = {&t->y_scale, &t->y_zero, 0, is_signed ? -128 : 0, is_signed ? 127 : 255};
    uc_quantize(&q, x, t->y, 1, 256);
}

typedef struct lookup {
    const uint8_t *table, *x;
    uint8_t *y;
} lookup;

static void look_up(void *context, int64_t begin, int64_t end, int thread)
{
    const lookup *l = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        l->y[i] = l->table[l->x[i]];
    }
}

void uc_quant_table_apply(const uc_quant_table *t, const void *x, void *y, int64_t n,
                          uncork_pool *pool)
{
    lookup l = {t->y, x, y};
    uc_parallel(pool, n, 16384, look_up, &l);
}
