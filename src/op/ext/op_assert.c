/* uncork.Assert: refuses the input when a condition doesn't hold, as TensorFlow's Assert does.
 * uncork.After: its first input, once the others are there: what must hold before it is used.
 *
 * Assert  condition bool any shape, data of any type; y bool [] true. Attribute summarize: elements of each
 *         datum that the message has
 * After   x any type, others any; y = x, may share x's buffer
 *
 * Facts: TensorFlow 2.21, core/kernels/logging_ops.cc: "assertion failed: [first datum] [second] ..." */
#include "base/text.h"
#include "op/shape.h"

#include <stdio.h>

static uncork_status infer_assert(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_BOOL));
    return uc_call_shape(call, 0, UNCORK_BOOL, 0, NULL);
}

static size_t put_element(char *text, size_t room, const uc_tensor *t, int64_t i)
{
    int n;
    if (t->dtype == UNCORK_STRING) {
        const uc_str s = uc_tensor_string(t, i);
        n = snprintf(text, room, "%.*s", s.size < 200 ? (int)s.size : 200, s.data);
    } else if (uc_dtype_is_float(t->dtype)) {
        n = snprintf(text, room, "%g", uc_dtype_load_f64(t->data, i, t->dtype));
    } else {
        n = snprintf(text, room, "%lld", (long long)uc_dtype_load_i64(t->data, i, t->dtype));
    }
    return n < 0 ? 0 : (size_t)n >= room ? room - 1 : (size_t)n;
}

static void put_datum(uc_writer *w, const uc_tensor *t, int64_t most)
{
    char text[240];
    const int64_t count = uc_tensor_count(t);
    uc_writer_text(w, " [");
    for (int64_t i = 0; i < count && i < most; i++) {
        if (i) uc_writer_text(w, " ");
        uc_text_escape(w, (uc_str){text, put_element(text, sizeof text, t, i)});
    }
    uc_writer_text(w, count > most ? "...]" : "]");
}

static uncork_status run_assert(uc_call *call)
{
    const uc_tensor *condition = uc_call_arg(call, 0);
    bool holds = true;
    for (int64_t i = 0; i < uc_tensor_count(condition); i++) {
        holds = holds && ((const uint8_t *)condition->data)[i];
    }
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    *(uint8_t *)y->data = 1;
    if (holds) return UNCORK_OK;
    int64_t most = uc_call_int(call, "summarize", 3);
    if (most < 0 || most > 16) most = 16;
    uc_writer w;
    uc_writer_init(&w, 4096);
    for (size_t i = 1; i < call->in_count; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        if (t) put_datum(&w, t, most);
    }
    uc_call_fail(call, UNCORK_INPUT, "assertion failed:%.300s", uc_writer_string(&w));
    uc_writer_done(&w);
    return UNCORK_INPUT;
}

const uc_op uc_op_assert = {.domain = "uncork",
                            .name = "Assert",
                            .in = {1, -1},
                            .out = {1, 1},
                            .impure = true,
                            .infer = infer_assert,
                            .run = run_assert};

static uncork_status infer_after(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    if (!x) return uc_call_fail(call, UNCORK_INPUT, "it takes a tensor");
    return uc_call_shape(call, 0, x->dtype, x->rank, x->shape);
}

static uncork_status run_after(uc_call *call) { return uc_call_share(call, 0, call->in[0]); }

const uc_op uc_op_after = {.domain = "uncork",
                           .name = "After",
                           .in = {2, -1},
                           .out = {1, 1},
                           .view = true,
                           .impure = true,
                           .any_kind = true,
                           .infer = infer_after,
                           .run = run_after};
