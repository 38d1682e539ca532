/* Tensors made from little: Constant, ConstantOfShape, Range, EyeLike.
 *
 * Source: ONNX operators Constant 25, ConstantOfShape 25, Range 27, EyeLike 22. */
#include "kernel/copy.h"
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>
#include <math.h>

/* ---- Constant: the one attribute that is given --------------------------------------------- */

static uncork_status infer_constant(uc_call *call)
{
    const uc_attr *a = call->attr_count == 1 ? &call->attrs[0] : NULL;
    if (!a) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu values are given, 1 is wanted",
                            call->attr_count);
    }
    int64_t n = (int64_t)a->count;
    switch (a->kind) {
    case UC_ATTR_INT: return uc_call_shape(call, 0, UNCORK_INT64, 0, NULL);
    case UC_ATTR_FLOAT: return uc_call_shape(call, 0, UNCORK_FLOAT32, 0, NULL);
    case UC_ATTR_STRING: return uc_call_shape(call, 0, UNCORK_STRING, 0, NULL);
    case UC_ATTR_INTS: return uc_call_shape(call, 0, UNCORK_INT64, 1, &n);
    case UC_ATTR_FLOATS: return uc_call_shape(call, 0, UNCORK_FLOAT32, 1, &n);
    case UC_ATTR_STRINGS: return uc_call_shape(call, 0, UNCORK_STRING, 1, &n);
    case UC_ATTR_TENSOR:
        return uc_call_shape(call, 0, a->tensor->dtype, a->tensor->rank, a->tensor->shape);
    case UC_ATTR_GRAPH: break;
    }
    return uc_call_fail(call, UNCORK_MALFORMED, "attribute '%.40s' is no value", a->name);
}

static uncork_status run_constant(uc_call *call)
{
    const uc_attr *a = &call->attrs[0];
    int64_t n = (int64_t)a->count;
    if (a->kind == UC_ATTR_STRING) return uc_call_strings(call, 0, &a->s, 0, NULL);
    if (a->kind == UC_ATTR_STRINGS) return uc_call_strings(call, 0, a->strings, 1, &n);
    if (a->kind == UC_ATTR_TENSOR) {
        const uc_tensor *dense = uc_tensor_dense(call->arena, a->tensor);
        return dense ? uc_move_same(call, 0, dense) : uc_fail_memory(call->error);
    }
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (a->kind == UC_ATTR_INT) *(int64_t *)y->data = a->i;
    if (a->kind == UC_ATTR_FLOAT) *(float *)y->data = (float)a->f;
    if (a->kind == UC_ATTR_INTS && n) memcpy(y->data, a->ints, (size_t)n * sizeof *a->ints);
    for (int64_t i = 0; a->kind == UC_ATTR_FLOATS && i < n; i++) {
        ((float *)y->data)[i] = (float)a->floats[i];
    }
    return UNCORK_OK;
}

const uc_op uc_op_constant = {
    .name = "Constant", .in = {0, 0}, .out = {1, 1}, .infer = infer_constant, .run = run_constant};

/* ---- ConstantOfShape: shape int64 [n] -> y filled with `value` (float32 0) ------------------ */

static const uc_tensor *value_of(const uc_call *call)
{
    const uc_attr *a = uc_call_attr(call, "value");
    return a && a->kind == UC_ATTR_TENSOR ? a->tensor : NULL;
}

static uncork_status infer_constant_of_shape(uc_call *call)
{
    const uc_tensor *value = value_of(call), *s = uc_call_arg(call, 0);
    uncork_dtype dtype = value ? value->dtype : UNCORK_FLOAT32;
    int64_t shape[UNCORK_MAX_RANK];
    size_t rank = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_INDEX));
    if (value && uc_tensor_count(value) != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "the value has %" PRId64 " elements, 1 is wanted",
                            uc_tensor_count(value));
    }
    if (!uc_call_known(call, 0)) {
        bool ranked = s->rank == 1 && s->shape[0] >= 0 && s->shape[0] <= UNCORK_MAX_RANK;
        for (int64_t d = 0; ranked && d < s->shape[0]; d++) {
            shape[d] = UC_DIM_UNKNOWN;
        }
        return uc_call_shape(call, 0, dtype, ranked ? (int)s->shape[0] : -1, shape);
    }
    UC_TRY(uc_call_small_ints(call, 0, shape, &rank));
    for (size_t d = 0; d < rank; d++) {
        if (shape[d] < 0) {
            return uc_call_fail(call, UNCORK_MALFORMED, "dimension %zu is %" PRId64, d, shape[d]);
        }
    }
    return uc_call_shape(call, 0, dtype, (int)rank, shape);
}

static void move_fill(const void *ctx, void *to, const void *const *from, size_t size)
{
    const int64_t *count = ctx;
    uc_fill(to, from[0], *count, size);
}

static uncork_status run_constant_of_shape(uc_call *call)
{
    float zero = 0;
    const uc_tensor zero_tensor = {.dtype = UNCORK_FLOAT32, .data = &zero};
    const uc_tensor *value = value_of(call);
    if (!value) value = &zero_tensor;
    int64_t count = uc_tensor_count(&call->out[0]->tensor);
    return uc_move(call, 0, &value, 1, move_fill, &count);
}

const uc_op uc_op_constant_of_shape = {.name = "ConstantOfShape",
                                       .in = {1, 1},
                                       .out = {1, 1},
                                       .infer = infer_constant_of_shape,
                                       .run = run_constant_of_shape};

/* ---- Range: start, limit, delta scalars -> y [ceil((limit - start) / delta)] ---------------- */

/* Integers are counted as integers: a double would lose some beyond 2^53. */
static uncork_status count_range(uc_call *call, int64_t *count)
{
    const uc_tensor *t[3];
    for (size_t i = 0; i < 3; i++) {
        t[i] = uc_call_in(call, i);
        if (uc_tensor_count(t[i]) != 1) {
            return uc_call_fail(call, UNCORK_MALFORMED, "input %zu is no scalar", i);
        }
    }
    if (uc_dtype_is_float(t[0]->dtype)) {
        double start = uc_dtype_load_f64(t[0]->data, 0, t[0]->dtype);
        double limit = uc_dtype_load_f64(t[1]->data, 0, t[1]->dtype);
        double delta = uc_dtype_load_f64(t[2]->data, 0, t[2]->dtype);
        double n = ceil((limit - start) / delta);
        if (!(n < 9e15)) return uc_call_fail(call, UNCORK_LIMIT, "a range of %g elements", n);
        *count = n > 0 ? (int64_t)n : 0;
        return UNCORK_OK;
    }
    int64_t start = uc_dtype_load_i64(t[0]->data, 0, t[0]->dtype);
    int64_t limit = uc_dtype_load_i64(t[1]->data, 0, t[1]->dtype);
    int64_t delta = uc_dtype_load_i64(t[2]->data, 0, t[2]->dtype);
    if (delta == 0) return uc_call_fail(call, UNCORK_INPUT, "a range with a step of 0");
    bool empty = delta > 0 ? limit <= start : limit >= start;
    uint64_t span =
        delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    uint64_t step = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
    uint64_t n = empty ? 0 : (span - 1) / step + 1;
    if (n > INT64_MAX)
        return uc_call_fail(call, UNCORK_LIMIT, "a range of %" PRIu64 " elements", n);
    *count = (int64_t)n;
    return UNCORK_OK;
}

static uncork_status infer_range(uc_call *call)
{
    int64_t n = UC_DIM_UNKNOWN;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    UC_TRY(uc_call_same_dtype(call, 0, 2));
    bool known = uc_call_known(call, 0) && uc_call_known(call, 1) && uc_call_known(call, 2);
    if (known) UC_TRY(count_range(call, &n));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), 1, &n);
}

static uncork_status run_range(uc_call *call)
{
    const uc_tensor *start = uc_call_arg(call, 0), *delta = uc_call_in(call, 2);
    uc_tensor *y = NULL;
    int64_t n = 0;
    UC_TRY(count_range(call, &n));
    UC_TRY(uc_call_output(call, 0, start->dtype, 1, &n, &y));
    if (uc_dtype_is_float(start->dtype)) {
        double a = uc_dtype_load_f64(start->data, 0, start->dtype);
        double d = uc_dtype_load_f64(delta->data, 0, delta->dtype);
        bool single = start->dtype != UNCORK_FLOAT64; /* as float32 arithmetic would round it */
        for (int64_t i = 0; i < n; i++) {
            double product = (double)i * d;
            double v = single ? (double)((float)a + (float)product) : a + product;
            uc_dtype_convert((char *)y->data + (size_t)i * uc_dtype_size(y->dtype), y->dtype, &v,
                             UNCORK_FLOAT64, 1);
        }
        return UNCORK_OK;
    }
    uint64_t a = (uint64_t)uc_dtype_load_i64(start->data, 0, start->dtype);
    uint64_t d = (uint64_t)uc_dtype_load_i64(delta->data, 0, delta->dtype);
    for (int64_t i = 0; i < n; i++) {
        int64_t v = (int64_t)(a + (uint64_t)i * d);
        uc_dtype_convert((char *)y->data + (size_t)i * uc_dtype_size(y->dtype), y->dtype, &v,
                         UNCORK_INT64, 1);
    }
    return UNCORK_OK;
}

const uc_op uc_op_range = {
    .name = "Range", .in = {3, 3}, .out = {1, 1}, .infer = infer_range, .run = run_range};

/* ---- EyeLike: ones on diagonal k of a matrix shaped like x ---------------------------------- */

static uncork_status infer_eye_like(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t dtype = uc_call_int(call, "dtype", x->dtype);
    bool fits = dtype >= 0 && dtype <= UNCORK_FLOAT6E3M2 && dtype != UNCORK_STRING;
    if (!fits || (x->rank >= 0 && x->rank != 2)) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%d dimensions and type %" PRId64 ": a matrix of numbers is wanted",
                            x->rank, dtype);
    }
    return uc_call_shape_like(call, 0, 0, (uncork_dtype)dtype);
}

static uncork_status run_eye_like(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    int64_t k = uc_call_int(call, "k", 0), one = 1;
    if (!y) return uc_fail_memory(call->error);
    size_t size = uc_dtype_size(y->dtype);
    if (!size) return uc_call_fail(call, UNCORK_UNSUPPORTED, "no %s", uc_dtype_name(y->dtype));
    memset(y->data, 0, (size_t)uc_tensor_count(y) * size);
    for (int64_t i = 0; i < y->shape[0]; i++) {
        if (k >= y->shape[1] || k <= -y->shape[0]) break; /* no such diagonal, and no overflow */
        if (i + k < 0 || i + k >= y->shape[1]) continue;
        size_t at = (size_t)(i * y->shape[1] + i + k) * size;
        uc_dtype_convert((char *)y->data + at, y->dtype, &one, UNCORK_INT64, 1);
    }
    return UNCORK_OK;
}

const uc_op uc_op_eye_like = {.name = "EyeLike",
                              .in = {1, 1},
                              .out = {1, 1},
                              .shapely = true,
                              .infer = infer_eye_like,
                              .run = run_eye_like};
