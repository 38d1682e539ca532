/* Quantised numbers as floats, and between: FakeQuantWithMinMax*, QuantizeAndDequantize*, QuantizeV2,
 * Dequantize, Uniform*.
 *
 * Source: tensorflow/core/kernels/{fake_quant_ops_functor.h,quantize_and_dequantize_op.h,quantize_op.cc,
 * dequantize_op.cc,quantization_utils.h}. Quantised types are the plain ones of their width. */
#include "op/ext/tf_call.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

/* ---- FakeQuant ------------------------------------------------------------------------------- */

typedef struct range {
    float low, high, scale;
} range;

/* Moved so that zero is one of the steps. */
static range nudge(float min, float max, float least, float most)
{
    const float scale = (max - min) / (most - least), from = least - min / scale;
    const float zero = from < least ? least : from > most ? most : roundf(from);
    return (range){(least - zero) * scale, (most - zero) * scale, scale};
}

static float fake(float v, const range *r)
{
    const float clamped = fmaxf(fminf(v, r->high), r->low);
    return floorf((clamped - r->low) * (1.0F / r->scale) + 0.5F) * r->scale + r->low;
}

static uncork_status infer(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    return uc_tf_infer_same(call);
}

static uncork_status run_fake(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lows = uc_call_in(call, 1),
                    *highs = uc_call_in(call, 2);
    const int64_t bits = uc_call_int(call, "num_bits", 8);
    UC_TRY(uc_tf_want(call, 0, UNCORK_FLOAT32, -1));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t n = uc_tensor_count(x), m = lows ? uc_tensor_count(lows) : 1;
    if (bits < 2 || bits > 16 || m < 1 || (highs && uc_tensor_count(highs) != m) || n % m)
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " bits, %" PRId64 " ranges", bits, m);
    const float least = uc_call_int(call, "narrow_range", 0) ? 1 : 0,
                most = (float)((1 << bits) - 1);
    range *r = uc_call_scratch(call, (size_t)m, sizeof *r);
    if (!r) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < m; i++) {
        const float low = (float)(lows ? uc_tf_at(lows, i) : uc_call_float(call, "min", -6));
        const float high = (float)(highs ? uc_tf_at(highs, i) : uc_call_float(call, "max", 6));
        r[i] = low == 0 && high == 0 ? (range){0, 0, 0} : nudge(low, high, least, most);
    }
    for (int64_t i = 0; i < n; i++) {
        const range *own = &r[i % m];
        ((float *)y->data)[i] = own->scale == 0 ? 0 : fake(((const float *)x->data)[i], own);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_fake_quant_args, "TfFakeQuantWithMinMaxArgs", 1, 1, 1, infer, run_fake)
UC_TF_ROW(tf_fake_quant_vars, "TfFakeQuantWithMinMaxVars", 3, 3, 1, infer, run_fake)
UC_TF_ROW(tf_fake_quant_channels, "TfFakeQuantWithMinMaxVarsPerChannel", 3, 3, 1, infer, run_fake)

/* ---- QuantizeAndDequantize --------------------------------------------------------------------- */

typedef struct qdq {
    double low, high; /* as given, then as representable */
    double scale;
} qdq;

static double rounded(double v, bool half_up) { return half_up ? floor(v + 0.5) : rint(v); }

/* Symmetric steps: the scale follows from the end that reaches farther. */
static void settle(qdq *q, bool is_signed, int64_t bits, bool narrow, bool single)
{
    const double least =
        is_signed ? (narrow ? -ldexp(1, (int)bits - 1) + 1 : -ldexp(1, (int)bits - 1)) : 0;
    const double most = is_signed ? ldexp(1, (int)bits - 1) - 1 : ldexp(1, (int)bits) - 1;
    const double by_low = least * q->low > 0 ? least / q->low : DBL_MAX;
    const double by_high = most * q->high > 0 ? most / q->high : DBL_MAX;
    const float low_f = least * q->low > 0 ? (float)least / (float)q->low : FLT_MAX;
    const float high_f = most * q->high > 0 ? (float)most / (float)q->high : FLT_MAX;
    if (single ? low_f < high_f : by_low < by_high) {
        q->scale = single ? (double)low_f : by_low;
        q->high = single ? (double)((float)most * ((float)q->low / (float)least))
                         : most * (q->low / least);
    } else {
        q->scale = single ? (double)high_f : by_high;
        q->low = single ? (double)((float)least * ((float)q->high / (float)most))
                        : least * (q->high / most);
    }
}

static double quantised(const qdq *q, double v, bool half_up, bool single)
{
    const double c = fmax(fmin(v, q->high), q->low);
    if (single) {
        const float s = (float)q->scale, t = (float)c * s;
        return (double)((half_up ? floorf(t + 0.5F) : rintf(t)) * (1.0F / s));
    }
    return rounded(c * q->scale, half_up) / q->scale;
}

static uncork_status read_bits(uc_call *call, int64_t *bits)
{
    *bits = uc_call_int(call, "num_bits", 8);
    if (call->in_count > 3) UC_TRY(uc_tf_one_int(call, 3, bits));
    if (*bits >= 1 && *bits <= 62) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " bits", *bits);
}

static uncork_status run_qdq(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lows = uc_call_in(call, 1),
                    *highs = uc_call_in(call, 2);
    const bool given = uc_call_int(call, "range_given", 0) != 0,
               narrow = uc_call_int(call, "narrow_range", 0) != 0;
    const bool is_signed = uc_call_int(call, "signed_input", 1) != 0,
               up = uc_tf_attr_is(call, "round_mode", "HALF_UP");
    int64_t bits;
    const int64_t at = uc_call_int(call, "axis", -1);
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, -1));
    UC_TRY(read_bits(call, &bits));
    if (at >= x->rank)
        return uc_call_fail(call, UNCORK_INPUT, "axis %" PRId64 " of %d dimensions", at, x->rank);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t m = at < 0 ? 1 : x->shape[at],
                  inner = at < 0 ? 1 : uc_tf_product(x->shape, (int)at + 1, x->rank);
    if (given && (!lows || !highs || uc_tensor_count(lows) < m || uc_tensor_count(highs) < m))
        return uc_call_fail(call, UNCORK_INPUT, "its ranges don't fit");
    const bool single = x->dtype == UNCORK_FLOAT32;
    for (int64_t k = 0; k < m; k++) {
        qdq q = {0, 0, 0};
        bool any = false;
        for (int64_t i = 0; !given && i < uc_tensor_count(x); i++) {
            if (at >= 0 && i / inner % m != k) continue;
            const double v = uc_tf_at(x, i);
            if (!any || v < q.low) q.low = v;
            if (!any || v > q.high) q.high = v;
            any = true;
        }
        if (given) q = (qdq){uc_tf_at(lows, k), uc_tf_at(highs, k), 0};
        settle(&q, is_signed, bits, narrow, single);
        for (int64_t i = 0; i < uc_tensor_count(x); i++) {
            if (at < 0 || i / inner % m == k)
                uc_tf_put(y->data, i, y->dtype, quantised(&q, uc_tf_at(x, i), up, single));
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_qdq_v2, "TfQuantizeAndDequantizeV2", 3, 3, 1, infer, run_qdq)
UC_TF_ROW(tf_qdq_v3, "TfQuantizeAndDequantizeV3", 4, 4, 1, infer, run_qdq)
UC_TF_ROW(tf_qdq_v4, "TfQuantizeAndDequantizeV4", 3, 3, 1, infer, run_qdq)

/* ---- QuantizeV2 ------------------------------------------------------------------------------ */

static void limits_of(uncork_dtype d, double *least, double *most)
{
    const int bits = uc_dtype_bits(d);
    *least = uc_dtype_is_signed(d) ? -ldexp(1, bits - 1) : 0;
    *most = uc_dtype_is_signed(d) ? ldexp(1, bits - 1) - 1 : ldexp(1, bits) - 1;
}

static uncork_status infer_quantize(uc_call *call)
{
    const int64_t axis = uc_call_int(call, "axis", -1);
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_tf_infer_shape_of(call, uc_tf_type_of(call, "T", UNCORK_UINT8)));
    for (size_t i = 1; i < 3; i++) {
        if (axis < 0)
            UC_TRY(uc_call_shape(call, i, UNCORK_FLOAT32, 0, NULL));
        else if (axis < x->rank)
            UC_TRY(uc_call_shape(call, i, UNCORK_FLOAT32, 1, x->shape + axis));
        else
            UC_TRY(uc_tf_infer_open(call, i, UNCORK_FLOAT32, 1));
    }
    return UNCORK_OK;
}

/* The range is widened until it holds zero and isn't narrower than its ends allow. */
static void widen(const uc_call *call, float *low, float *high)
{
    const double floor_ = uc_call_float(call, "ensure_minimum_range", 0.01);
    if (*low > 0) *low = 0;
    const float epsilon = fmaxf(1, fmaxf(fabsf(*low), fabsf(*high))) * (float)floor_;
    *high = fmaxf(0, fmaxf(*high, *low + epsilon));
}

static double scaled_step(uncork_dtype d, float low, float high, bool narrow, bool *by_low)
{
    double least, most;
    limits_of(d, &least, &most);
    if (narrow && least < 0) least += 1;
    const float a = least * (double)low > 0 ? (float)least / low : FLT_MAX,
                b = most * (double)high > 0 ? (float)most / high : FLT_MAX;
    *by_low = a < b;
    return (double)(a < b ? a : b);
}

static double min_first(double v, float low, float high, uncork_dtype d)
{
    double least, most;
    limits_of(d, &least, &most);
    const double steps = ldexp(1, uc_dtype_bits(d)), adjust = steps / (steps - 1);
    const double scale = steps / ((double)(high - low) * adjust);
    const double q = round(v * scale) - round((double)low * scale) + least;
    return fmin(fmax(q, least), most);
}

static uncork_status run_quantize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lows = uc_call_arg(call, 1),
                    *highs = uc_call_arg(call, 2);
    const int64_t axis = uc_call_int(call, "axis", -1);
    const bool first = uc_tf_attr_is(call, "mode", "MIN_FIRST"),
               scaled = uc_tf_attr_is(call, "mode", "SCALED");
    const bool even = uc_tf_attr_is(call, "round_mode", "HALF_TO_EVEN"),
               narrow = uc_call_int(call, "narrow_range", 0) != 0;
    UC_TRY(uc_tf_want(call, 0, UNCORK_FLOAT32, -1));
    uc_tensor *y = uc_call_out(call, 0), *ends[2] = {NULL};
    if (!y || axis >= x->rank) return uc_call_fail(call, UNCORK_INPUT, "axis %" PRId64, axis);
    const int64_t m = axis < 0 ? 1 : x->shape[axis],
                  inner = axis < 0 ? 1 : uc_tf_product(x->shape, (int)axis + 1, x->rank);
    if (uc_tensor_count(lows) != m || uc_tensor_count(highs) != m)
        return uc_call_fail(call, UNCORK_INPUT, "its ranges don't fit");
    for (size_t i = 0; i < 2; i++) {
        UC_TRY(uc_call_output(call, i + 1, UNCORK_FLOAT32, axis < 0 ? 0 : 1, &m, &ends[i]));
    }
    double least, most;
    limits_of(y->dtype, &least, &most);
    for (int64_t k = 0; k < m; k++) {
        float low = (float)uc_tf_at(lows, k), high = (float)uc_tf_at(highs, k);
        widen(call, &low, &high);
        bool by_low = false;
        const double step = scaled_step(y->dtype, low, high, narrow, &by_low);
        const double scale = scaled ? step : (most - least) / (double)(high - low);
        if (scaled && by_low) high = (float)(most / step);
        if (scaled && !by_low) low = (float)((narrow && least < 0 ? least + 1 : least) / step);
        for (int64_t i = 0; i < uc_tensor_count(x); i++) {
            if (axis >= 0 && i / inner % m != k) continue;
            const float v = ((const float *)x->data)[i], c = fmaxf(fminf(v, high), low);
            double q;
            if (first)
                q = min_first((double)v, low, high, y->dtype);
            else if (scaled)
                q = even ? (double)rintf(c * (float)scale) : (double)roundf(c * (float)scale);
            else
                q = (double)roundf((c - low) * (float)scale + (float)(least < 0 ? -(most + 1) : 0));
            /* As there, a float of 2^31 becomes the least int32. */
            if (q > 2147483647 && y->dtype == UNCORK_INT32 && !first && !scaled) q = least;
            uc_tf_put_int(
                y->data, i, y->dtype,
                (int64_t)fmin(fmax(q, scaled && narrow && least < 0 ? least + 1 : least), most));
        }
        ((float *)ends[0]->data)[k] = low;
        ((float *)ends[1]->data)[k] = high;
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_quantize_v2, "TfQuantizeV2", 3, 3, 3, infer_quantize, run_quantize)

/* ---- Dequantize ------------------------------------------------------------------------------ */

static uncork_status infer_dequantize(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_INT));
    return uc_tf_infer_shape_of(call, uc_tf_type_of(call, "dtype", UNCORK_FLOAT32));
}

static uncork_status run_dequantize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lows = uc_call_arg(call, 1),
                    *highs = uc_call_arg(call, 2);
    const int64_t axis = uc_call_int(call, "axis", -1);
    const bool first = uc_tf_attr_is(call, "mode", "MIN_FIRST"),
               scaled = uc_tf_attr_is(call, "mode", "SCALED");
    const bool narrow = uc_call_int(call, "narrow_range", 0) != 0;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y || axis >= x->rank) return uc_call_fail(call, UNCORK_INPUT, "axis %" PRId64, axis);
    const int64_t m = axis < 0 ? 1 : x->shape[axis],
                  inner = axis < 0 ? 1 : uc_tf_product(x->shape, (int)axis + 1, x->rank);
    if (uc_tensor_count(lows) != m || uc_tensor_count(highs) != m)
        return uc_call_fail(call, UNCORK_INPUT, "its ranges don't fit");
    double least, most;
    limits_of(x->dtype, &least, &most);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const int64_t k = axis < 0 ? 0 : i / inner % m;
        const float low = (float)uc_tf_at(lows, k), high = (float)uc_tf_at(highs, k);
        const double q = uc_tf_at(x, i);
        double v;
        if (scaled) {
            const float a = least < 0 ? low / (float)(least + narrow) : 0, b = high / (float)most;
            v = q * (double)fmaxf(a, b);
        } else if (first) {
            const double steps = ldexp(1, uc_dtype_bits(x->dtype)),
                         step = (double)(high - low) * (steps / (steps - 1)) / steps;
            v = rint((double)low / step) * step + (q - least) * step;
        } else {
            const float step = (high - low) / (float)(most - least);
            v = (q + (least < 0 ? most + 1 : 0)) * (double)step + (double)low;
            if (least < 0) v = (double)(((float)q + (float)(most + 1)) * step + low);
        }
        uc_tf_put(y->data, i, y->dtype, v);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_dequantize, "TfDequantize", 3, 3, 1, infer_dequantize, run_dequantize)

/* ---- Uniform --------------------------------------------------------------------------------- */

static uncork_status infer_uniform(uc_call *call)
{
    return uc_tf_infer_shape_of(call, uc_tf_type_of(call, "Tout", UNCORK_FLOAT32));
}

static uncork_status run_uniform(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *scales = uc_call_arg(call, 1),
                    *zeros = uc_call_arg(call, 2);
    const int64_t axis = uc_call_int(call, "quantization_axis", -1);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y || axis >= x->rank) return uc_call_fail(call, UNCORK_INPUT, "axis %" PRId64, axis);
    const int64_t m = axis < 0 ? 1 : x->shape[axis],
                  inner = axis < 0 ? 1 : uc_tf_product(x->shape, (int)axis + 1, x->rank);
    if (uc_tensor_count(scales) != m || uc_tensor_count(zeros) != m)
        return uc_call_fail(call, UNCORK_INPUT, "its scales don't fit");
    const double least = (double)uc_call_int(call, "quantization_min_val", 0),
                 most = (double)uc_call_int(call, "quantization_max_val", 0);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const int64_t k = axis < 0 ? 0 : i / inner % m;
        const float scale = (float)uc_tf_at(scales, k), zero = (float)uc_tf_at(zeros, k);
        if (uc_dtype_is_float(y->dtype))
            uc_tf_put(y->data, i, y->dtype, (double)(((float)uc_tf_at(x, i) - zero) * scale));
        else
            uc_tf_put_int(
                y->data, i, y->dtype,
                (int64_t)fmin(
                    fmax((double)floorf((float)uc_tf_at(x, i) * (1 / scale) + 0.5F + zero), least),
                    most));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_uniform_dequantize, "TfUniformDequantize", 3, 3, 1, infer_uniform, run_uniform)
UC_TF_ROW(tf_uniform_quantize, "TfUniformQuantize", 3, 3, 1, infer_uniform, run_uniform)
