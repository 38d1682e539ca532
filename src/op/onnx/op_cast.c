/* Cast and CastLike: the same elements in another type.
 *
 * Source: ONNX operators Cast 28, CastLike 28 (the numbers of `to` are TensorProto.DataType).
 * x  any type;  y  the type `to`, or that of the second input.
 * Numerics: floats to integers cut towards zero and saturate (ONNX leaves out-of-range open); integers to
 * integers keep the low bits; text is
 * read as Python's float() reads it, text of floats is the shortest that reads back the same. */
#include "base/text.h"
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>
#include <stdio.h>

static uncork_status infer_to(uc_call *call, int64_t to)
{
    bool valid = to >= UNCORK_FLOAT32 && to <= UNCORK_INT2;
    if (!valid) return uc_call_fail(call, UNCORK_MALFORMED, "type %" PRId64 " isn't known", to);
    return uc_call_shape_like(call, 0, 0, (uncork_dtype)to);
}

static uncork_status infer_cast(uc_call *call)
{
    return infer_to(call, uc_call_int(call, "to", 0));
}

static uncork_status infer_cast_like(uc_call *call)
{
    uncork_dtype to = uc_call_dtype(call, 1);
    if (to == UNCORK_DTYPE_NONE) return uc_call_shape_like(call, 0, 0, to);
    return infer_to(call, to);
}

/* ---- text --------------------------------------------------------------------------------- */

static uncork_status from_text(uc_call *call, const uc_tensor *x, uc_tensor *y)
{
    size_t size = uc_dtype_size(y->dtype);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        uc_str s = uc_text_trim(uc_tensor_string(x, i));
        char *to = (char *)y->data + (size_t)i * size;
        int64_t integer = 0;
        double number = 0;
        bool exact = uc_dtype_is_integer(y->dtype) && uc_text_i64(s, &integer);
        if (!exact && !uc_text_f64(s, &number)) {
            return uc_call_fail(call, UNCORK_INPUT, "'%.*s' is no number",
                                s.size < 40 ? (int)s.size : 40, s.data);
        }
        bool ok = size && (exact ? uc_dtype_convert(to, y->dtype, &integer, UNCORK_INT64, 1)
                                 : uc_dtype_convert(to, y->dtype, &number, UNCORK_FLOAT64, 1));
        if (!ok) {
            return uc_call_fail(call, UNCORK_UNSUPPORTED, "no text as %s", uc_dtype_name(y->dtype));
        }
    }
    return UNCORK_OK;
}

/* One element as text, at most 32 characters. */
static size_t write_text(const uc_tensor *x, int64_t i, char text[32])
{
    if (x->dtype == UNCORK_FLOAT64) return uc_f64_text(((const double *)x->data)[i], text);
    if (uc_dtype_is_float(x->dtype)) {
        return uc_f32_text((float)uc_dtype_load_f64(x->data, i, x->dtype), text);
    }
    int n = x->dtype == UNCORK_UINT64
                ? snprintf(text, 32, "%" PRIu64, ((const uint64_t *)x->data)[i])
                : snprintf(text, 32, "%" PRId64, uc_dtype_load_i64(x->data, i, x->dtype));
    return (size_t)n;
}

static uncork_status to_text(uc_call *call, const uc_tensor *x)
{
    size_t n = (size_t)uc_tensor_count(x);
    char(*texts)[32] = uc_call_scratch(call, n, sizeof *texts);
    uc_str *items = uc_call_scratch(call, n, sizeof *items);
    if (!texts || !items) return uc_fail_memory(call->error);
    for (size_t i = 0; i < n; i++) {
        items[i] = (uc_str){texts[i], write_text(x, (int64_t)i, texts[i])};
    }
    return uc_call_strings(call, 0, items, x->rank, x->shape);
}

/* Whole bytes of two's complement: what doesn't fit is cut off. */
static bool keep_low_bits(const uc_tensor *x, uc_tensor *y)
{
    size_t from = uc_dtype_size(x->dtype), to = uc_dtype_size(y->dtype);
    bool integers = uc_dtype_is_integer(x->dtype) && uc_dtype_is_integer(y->dtype);
    if (!integers || !from || !to) return false;
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        uint64_t bits = x->dtype == UNCORK_UINT64
                            ? ((const uint64_t *)x->data)[i]
                            : (uint64_t)uc_dtype_load_i64(x->data, i, x->dtype);
        switch (to) {
        case 1: ((uint8_t *)y->data)[i] = (uint8_t)bits; break;
        case 2: ((uint16_t *)y->data)[i] = (uint16_t)bits; break;
        case 4: ((uint32_t *)y->data)[i] = (uint32_t)bits; break;
        default: ((uint64_t *)y->data)[i] = bits; break;
        }
    }
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------ */

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (call->out[0]->tensor.dtype == x->dtype) return uc_move_same(call, 0, x);
    if (call->out[0]->tensor.dtype == UNCORK_STRING) return to_text(call, x);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (x->dtype == UNCORK_STRING) return from_text(call, x, y);
    if (keep_low_bits(x, y)) return UNCORK_OK;
    if (uc_dtype_convert(y->data, y->dtype, x->data, x->dtype, uc_tensor_count(x))) {
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "no conversion from %s to %s",
                        uc_dtype_name(x->dtype), uc_dtype_name(y->dtype));
}

const uc_op uc_op_cast = {
    .name = "Cast", .in = {1, 1}, .out = {1, 1}, .infer = infer_cast, .run = run};
const uc_op uc_op_cast_like = {
    .name = "CastLike", .in = {2, 2}, .out = {1, 1}, .infer = infer_cast_like, .run = run};
