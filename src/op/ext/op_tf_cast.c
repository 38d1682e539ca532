/* Cast and Bitcast where they aren't ONNX's.
 *
 * Source: tensorflow/core/kernels/cast_op.h as it is compiled for x86-64: a float out of the range of int32 or
 * int64 gives the least number; the narrower types take the low bits of an int32; unsigned ones those of
 * an int64. Truncate: short floats drop bits instead of rounding.
 * x  any number;  y  type DstT. */
#include "op/ext/tf_call.h"
#include "op/move.h"

#include <math.h>

static bool is_complex(uncork_dtype d) { return d == UNCORK_COMPLEX64 || d == UNCORK_COMPLEX128; }
static uncork_dtype part_of(uncork_dtype d)
{
    return d == UNCORK_COMPLEX64 ? UNCORK_FLOAT32 : d == UNCORK_COMPLEX128 ? UNCORK_FLOAT64 : d;
}

static uncork_status infer(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FIXED));
    return uc_tf_infer_shape_of(call, uc_tf_type_of(call, "DstT", UNCORK_FLOAT32));
}

static int64_t to_i64(double v) { return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN; }

static int64_t to_whole(double v, uncork_dtype to)
{
    if (to == UNCORK_INT64 || to == UNCORK_UINT32) return to_i64(v);
    if (to == UNCORK_UINT64)
        return v >= 0x1p63 ? (int64_t)((uint64_t)to_i64(v - 0x1p63) ^ 0x8000000000000000U)
                           : to_i64(v);
    return v > -2147483649.0 && v < 2147483648.0 ? (int64_t)v : INT32_MIN;
}

/* What a float32 keeps of its low bits when they are cut off. */
static double cut(double v, uncork_dtype to)
{
    if (isnan(v) || isinf(v)) return v;
    float f = (float)v;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    bits &= to == UNCORK_BFLOAT16 ? 0xFFFF0000U : to == UNCORK_FLOAT16 ? 0xFFFFE000U : 0xFFFFFFFFU;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const bool truncate = uc_call_int(call, "Truncate", 0) != 0;
    const uncork_dtype from = part_of(x->dtype), to = part_of(y->dtype);
    const int p = is_complex(x->dtype) ? 2 : 1, q = is_complex(y->dtype) ? 2 : 1;
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const double v = uc_dtype_load_f64(x->data, i * p, from);
        if (to == UNCORK_BOOL)
            ((uint8_t *)y->data)[i] =
                v != 0 || (p == 2 && uc_dtype_load_f64(x->data, i * p + 1, from) != 0);
        else if (uc_dtype_is_float(to))
            uc_tf_put(y->data, i * q, to, truncate ? cut(v, to) : v);
        else if (uc_dtype_is_float(from))
            uc_tf_put_int(y->data, i, to, to_whole(v, to));
        else
            uc_tf_put_int(y->data, i, to, uc_dtype_load_i64(x->data, i, from));
        if (q == 2)
            uc_tf_put(y->data, 2 * i + 1, to,
                      p == 2 ? uc_dtype_load_f64(x->data, 2 * i + 1, from) : 0);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_cast, "TfCast", 1, 1, 1, infer, run)

/* ---- Bitcast --------------------------------------------------------------------------------- */

static size_t bytes_of(uncork_dtype d)
{
    return d == UNCORK_COMPLEX64 ? 8 : d == UNCORK_COMPLEX128 ? 16 : uc_dtype_size(d);
}

/* Wider: the last dimension is gone; narrower: it is new. */
static uncork_status infer_bits(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uncork_dtype to = uc_tf_type_of(call, "type", UNCORK_FLOAT32);
    const size_t a = bytes_of(x->dtype), b = bytes_of(to);
    int64_t shape[UNCORK_MAX_RANK + 1];
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FIXED));
    if (!b) return uc_call_fail(call, UNCORK_UNSUPPORTED, "to %s", uc_dtype_name(to));
    if (!a || x->rank < 0) return uc_tf_infer_open(call, 0, to, -1);
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    int rank = x->rank;
    if (a > b) {
        shape[rank++] = (int64_t)(a / b);
    } else if (a < b) {
        const int64_t last = rank ? shape[rank - 1] : 0;
        if (rank == 0 || (last >= 0 && last != (int64_t)(b / a)))
            return uc_call_fail(call, UNCORK_INPUT, "its last dimension doesn't make one %s",
                                uc_dtype_name(to));
        rank--;
    }
    return uc_call_shape(call, 0, to, rank, shape);
}

static uncork_status run_bits(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const size_t size = (size_t)uc_tensor_count(x) * bytes_of(x->dtype);
    if (size) memcpy(y->data, x->data, size);
    return UNCORK_OK;
}
UC_TF_ROW(tf_bitcast, "TfBitcast", 1, 1, 1, infer_bits, run_bits)

/* ---- PopulationCount ------------------------------------------------------------------------- */

static uncork_status infer_population(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_INT));
    return uc_tf_infer_shape_of(call, UNCORK_UINT8);
}

static uncork_status run_population(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const size_t size = uc_dtype_size(x->dtype);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        unsigned count = 0;
        for (size_t k = 0; k < size; k++) {
            count += (unsigned)__builtin_popcount(((const uint8_t *)x->data)[(size_t)i * size + k]);
        }
        ((uint8_t *)y->data)[i] = (uint8_t)count;
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_population_count, "TfPopulationCount", 1, 1, 1, infer_population, run_population)
