/* com.microsoft operators that ai.onnx has under the same name or another, with small differences:
 * ExpandDims, Pad, Range, Trilu, Unique.
 *
 * Source: onnxruntime/core/graph/contrib_ops/contrib_defs.cc. ExpandDims  Unsqueeze with one int32 axis;
 * Range  the step may be missing: 1;  Unique  the first of each, in order of appearance, where each went and
 * how often it came. */
#include "op/inner.h"
#include "op/shape.h"

#define BORROW(SYMBOL, NAME, FROM, MIN, MAX)                                                \
    static uncork_status infer_##SYMBOL(uc_call *call) { return uc_op_##FROM.infer(call); } \
    static uncork_status run_##SYMBOL(uc_call *call) { return uc_op_##FROM.run(call); }     \
    const uc_op uc_op_ms_##SYMBOL = {.domain = "com.microsoft",                             \
                                     .name = NAME,                                          \
                                     .in = {MIN, MAX},                                      \
                                     .out = {1, 1},                                         \
                                     .infer = infer_##SYMBOL,                               \
                                     .run = run_##SYMBOL};

BORROW(expand_dims, "ExpandDims", unsqueeze, 2, 2)
BORROW(pad, "Pad", pad, 2, 3)
BORROW(trilu, "Trilu", trilu, 1, 2)

/* ---- Range -------------------------------------------------------------------------------- */

/* Scalars where the inputs have one element; the step's storage is `one`. */
static uncork_status begin_range(uc_call *call, uc_inner *inner, uint64_t *one)
{
    static const int64_t step = 1;
    const uc_tensor *start = uc_call_arg(call, 0);
    uc_inner_begin(inner, call);
    for (size_t i = 0; i < 3; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        uc_tensor scalar = t ? *t : (uc_tensor){.dtype = start->dtype};
        if (!t && start->dtype) {
            uc_dtype_convert(one, start->dtype, &step, UNCORK_INT64, 1);
            scalar.data = one;
        }
        if (scalar.rank == 1 && (scalar.shape[0] == 1 || scalar.shape[0] < 0)) scalar.rank = 0;
        uc_inner_add(inner, &scalar);
    }
    inner->call.out = call->out;
    inner->call.out_count = call->out_count;
    return UNCORK_OK;
}

static uncork_status infer_range(uc_call *call)
{
    uc_inner inner;
    uint64_t one = 0;
    if (uc_dtype_size(uc_call_dtype(call, 0)) > sizeof one) {
        return uc_call_fail(call, UNCORK_INPUT, "a range of %s",
                            uc_dtype_name(uc_call_dtype(call, 0)));
    }
    UC_TRY(begin_range(call, &inner, &one));
    return uc_op_range.infer(&inner.call);
}

static uncork_status run_range(uc_call *call)
{
    uc_inner inner;
    uint64_t one = 0;
    UC_TRY(begin_range(call, &inner, &one));
    return uc_op_range.run(&inner.call);
}

const uc_op uc_op_ms_range = {.domain = "com.microsoft",
                              .name = "Range",
                              .in = {2, 3},
                              .out = {1, 1},
                              .infer = infer_range,
                              .run = run_range};

/* ---- Unique ------------------------------------------------------------------------------- */

static uncork_status as_unique(uc_call *call, uncork_status (*function)(uc_call *call))
{
    static const uc_attr unsorted = {.name = "sorted", .kind = UC_ATTR_INT, .i = 0};
    uc_attr room[UC_INNER_ATTRS];
    uc_value *out[4] = {NULL};
    uc_call own = *call;
    for (size_t i = 0; i < call->out_count && i < 3; i++) {
        out[i ? i + 1 : 0] = call->out[i];
    }
    own.out = out;
    own.out_count = 4;
    uc_inner_attrs(&own, room, &unsorted, 1);
    return function(&own);
}

static uncork_status infer_unique(uc_call *call) { return as_unique(call, uc_op_unique.infer); }

static uncork_status run_unique(uc_call *call) { return as_unique(call, uc_op_unique.run); }

const uc_op uc_op_ms_unique = {.domain = "com.microsoft",
                               .name = "Unique",
                               .in = {1, 1},
                               .out = {1, 3},
                               .infer = infer_unique,
                               .run = run_unique};
