/* Cast and CastLike: the same elements in another type.
 *
 * Source: ONNX operators Cast 28, CastLike 28 (the numbers of `to` are TensorProto.DataType).
 * x  any type;  y  the type `to`, or that of the second input.
 * Numerics: floats to integers cut towards zero and saturate (ONNX leaves out-of-range open), but to those
 * below a byte they keep the low bits, as the reference does; integers to integers keep the low bits; the
 * short floats follow `saturate`, float8e8m0 `round_mode` too; text is read as Python's float() reads it,
 * text of floats is the shortest that reads back the same. */
#include "base/text.h"
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>
#include <stdio.h>

static uncork_status infer_to(uc_call *call, int64_t to)
{
    bool valid = to >= UNCORK_FLOAT32 && to <= UNCORK_FLOAT6E3M2;
    if (!valid) return uc_call_fail(call, UNCORK_MALFORMED, "type %" PRId64 " isn't known", to);
    return uc_call_shape_like(call, 0, 0, (uncork_dtype)to);
}

static uncork_status find_round(uc_call *call, uc_e8m0_round *round)
{
    static const char *const names[] = {"up", "down", "nearest"};
    uc_str mode = uc_call_str(call, "round_mode", "up");
    for (int i = 0; i < 3; i++) {
        if (!uc_str_is(mode, names[i])) continue;
        *round = (uc_e8m0_round)i;
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_MALFORMED, "round_mode '%.*s' isn't up, down or nearest",
                        mode.size < 40 ? (int)mode.size : 40, mode.data);
}

static uncork_status infer_cast(uc_call *call)
{
    uc_e8m0_round round;
    UC_TRY(find_round(call, &round));
    return infer_to(call, uc_call_int(call, "to", 0));
}

static uncork_status infer_cast_like(uc_call *call)
{
    uncork_dtype to = uc_call_dtype(call, 1);
    if (to == UNCORK_DTYPE_NONE) return uc_call_shape_like(call, 0, 0, to);
    return infer_to(call, to);
}

/* ---- text --------------------------------------------------------------------------------- */

/* The number a text stands for: as `integer` when it is a whole one and `whole` says it matters. */
static uncork_status read_text(uc_call *call, uc_str s, bool whole, int64_t *integer,
                               double *number, bool *exact)
{
    s = uc_text_trim(s);
    *exact = whole && uc_text_i64(s, integer);
    if (*exact || uc_text_f64(s, number)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "'%.*s' is no number", s.size < 40 ? (int)s.size : 40,
                        s.data);
}

static uncork_status cast_numbers(uc_call *call, const uc_tensor *x, uc_tensor *y);

static uncork_status from_text(uc_call *call, const uc_tensor *x, uc_tensor *y)
{
    size_t size = uc_dtype_size(y->dtype);
    bool whole = uc_dtype_is_integer(y->dtype) && size, exact = false;
    int64_t n = uc_tensor_count(x), integer = 0;
    uc_tensor wide = *x;
    double number = 0, *numbers = whole ? &number : uc_call_scratch(call, (size_t)n, sizeof number);
    if (!numbers) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < n; i++) {
        UC_TRY(read_text(call, uc_tensor_string(x, i), whole, &integer,
                         whole ? numbers : numbers + i, &exact));
        if (!whole) continue;
        char *to = (char *)y->data + (size_t)i * size;
        uc_dtype_convert(to, y->dtype, exact ? (const void *)&integer : &number,
                         exact ? UNCORK_INT64 : UNCORK_FLOAT64, 1);
    }
    if (whole) return UNCORK_OK;
    wide.dtype = UNCORK_FLOAT64;
    wide.data = numbers;
    return cast_numbers(call, &wide, y);
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

/* Two's complement: what doesn't fit is cut off. */
static bool keep_low_bits(const uc_tensor *x, uc_tensor *y)
{
    size_t to = uc_dtype_size(y->dtype);
    int bits = uc_dtype_bits(y->dtype);
    bool integers = uc_dtype_is_integer(x->dtype) && uc_dtype_is_integer(y->dtype);
    if (!to && uc_dtype_is_float(x->dtype) && uc_dtype_is_integer(y->dtype)) integers = true;
    if (!integers) return false;
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        uint64_t bits_of = x->dtype == UNCORK_UINT64
                               ? ((const uint64_t *)x->data)[i]
                               : (uint64_t)uc_dtype_load_i64(x->data, i, x->dtype);
        switch (to) {
        case 0: uc_bits_store(y->data, i, bits, (unsigned)bits_of); break;
        case 1: ((uint8_t *)y->data)[i] = (uint8_t)bits_of; break;
        case 2: ((uint16_t *)y->data)[i] = (uint16_t)bits_of; break;
        case 4: ((uint32_t *)y->data)[i] = (uint32_t)bits_of; break;
        default: ((uint64_t *)y->data)[i] = bits_of; break;
        }
    }
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* The attributes that only the short floats obey. */
static uncork_status cast_short(uc_call *call, const uc_tensor *x, uc_tensor *y, bool *done)
{
    bool saturate = uc_call_int(call, "saturate", 1) != 0;
    bool e8m0 = y->dtype == UNCORK_FLOAT8E8M0;
    uc_e8m0_round round;
    UC_TRY(find_round(call, &round));
    *done = e8m0 || (!saturate && uc_dtype_is_float(y->dtype) && uc_dtype_bits(y->dtype) == 8);
    for (int64_t i = 0; *done && i < uc_tensor_count(x); i++) {
        double d = uc_dtype_load_f64(x->data, i, x->dtype);
        ((uint8_t *)y->data)[i] =
            e8m0 ? uc_f32_to_e8m0((float)d, round, saturate) : uc_f64_to_f8(d, y->dtype, saturate);
    }
    return UNCORK_OK;
}

static uncork_status cast_numbers(uc_call *call, const uc_tensor *x, uc_tensor *y)
{
    bool done = keep_low_bits(x, y);
    if (!done) UC_TRY(cast_short(call, x, y, &done));
    if (done || uc_dtype_convert(y->data, y->dtype, x->data, x->dtype, uc_tensor_count(x))) {
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "no conversion from %s to %s",
                        uc_dtype_name(x->dtype), uc_dtype_name(y->dtype));
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (call->out[0]->tensor.dtype == x->dtype) return uc_move_same(call, 0, x);
    if (call->out[0]->tensor.dtype == UNCORK_STRING) return to_text(call, x);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (!uc_dtype_size(y->dtype)) { /* the bits that fill the last byte */
        size_t bytes = 0;
        if (uc_shape_bytes(y->dtype, y->shape, y->rank, &bytes)) memset(y->data, 0, bytes);
    }
    return x->dtype == UNCORK_STRING ? from_text(call, x, y) : cast_numbers(call, x, y);
}

const uc_op uc_op_cast = {
    .name = "Cast", .in = {1, 1}, .out = {1, 1}, .infer = infer_cast, .run = run};
const uc_op uc_op_cast_like = {
    .name = "CastLike", .in = {2, 2}, .out = {1, 1}, .infer = infer_cast_like, .run = run};
