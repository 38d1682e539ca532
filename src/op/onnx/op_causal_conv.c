/* CausalConvWithState: a filter a channel over what has been, with the last inputs carried along.
 *
 * Source: ONNX operator CausalConvWithState, opset 27.
 * x  float [b, channels, length];  w  [channels, 1, k];  bias  [channels], optional
 * past_state, present_state  [b, channels, k - 1];  y  as x, activation none, silu or swish. */
#include "kernel/copy.h"
#include "op/conv.h"
#include "op/widen.h"

#include <inttypes.h>

static bool differ(int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; }

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1);
    const uc_tensor *b = uc_call_in(call, 2), *past = uc_call_in(call, 3);
    uc_str f = uc_call_str(call, "activation", "none");
    bool named = uc_str_is(f, "none") || uc_str_is(f, "silu") || uc_str_is(f, "swish");
    if (!named) {
        return uc_call_fail(call, UNCORK_MALFORMED, "activation is '%.*s'", (int)f.size, f.data);
    }
    for (size_t i = 0; i < call->in_count; i++) {
        UC_TRY(uc_call_expect_wide(call, i));
        if (uc_call_in(call, i)) UC_TRY(uc_call_same_dtype(call, 0, i));
    }
    int64_t state[3] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN, UC_DIM_UNKNOWN};
    bool fits = (x->rank < 0 || x->rank == 3) && (w->rank < 0 || w->rank == 3);
    if (fits && x->rank == 3) memcpy(state, x->shape, 2 * sizeof *state);
    if (fits && w->rank == 3) {
        fits = !differ(w->shape[0], state[1]) && !differ(w->shape[1], 1) && w->shape[2] != 0;
        if (w->shape[2] > 0) state[2] = w->shape[2] - 1;
    }
    if (fits && b && b->rank >= 0) fits = b->rank == 1 && !differ(b->shape[0], state[1]);
    if (fits && past && past->rank >= 0) {
        fits = past->rank == 3 && !differ(past->shape[0], state[0]) &&
               !differ(past->shape[1], state[1]) && !differ(past->shape[2], state[2]);
    }
    if (!fits) {
        char s[128], t[128];
        return uc_call_fail(call, UNCORK_INPUT, "input %.90s and weights %.90s don't fit",
                            uc_shape_text(x->shape, x->rank, s, sizeof s),
                            uc_shape_text(w->shape, w->rank, t, sizeof t));
    }
    UC_TRY(uc_call_shape(call, 0, x->dtype, x->rank, x->shape));
    return uc_call_shape(call, 1, x->dtype, 3, state);
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1);
    const uc_tensor *b = uc_call_in(call, 2), *past = uc_call_in(call, 3);
    int64_t rows = x->shape[0] * x->shape[1], n = x->shape[2], k = w->shape[2], m = n + k - 1;
    size_t size = uc_dtype_size(x->dtype), all = 0;
    bool known = uc_mul_size((size_t)rows, (size_t)m, &all);
    char *joined = known ? uc_call_scratch(call, all, size) : NULL;
    if (!joined)
        return known ? uc_fail_memory(call->error)
                     : uc_call_fail(call, UNCORK_LIMIT, "the input is too long");
    for (int64_t i = 0; i < rows; i++) {
        char *to = joined + (size_t)(i * m) * size;
        size_t bytes = (size_t)(k - 1) * size;
        memset(to, 0, bytes);
        if (past && bytes) memcpy(to, (char *)past->data + (size_t)i * bytes, bytes);
        if (n) memcpy(to + bytes, (char *)x->data + (size_t)(i * n) * size, (size_t)n * size);
    }
    if (uc_call_wants(call, 1)) {
        const int64_t from[] = {m, 1}, shape[] = {rows, k - 1};
        uc_tensor *state = uc_call_out(call, 1);
        if (!state) return uc_fail_memory(call->error);
        uc_copy_strided(state->data, NULL, joined + (size_t)n * size, from, 2, shape, size);
    }
    if (!uc_call_wants(call, 0)) return UNCORK_OK;
    uc_conv c = {.dtype = x->dtype, .batch = x->shape[0], .group = x->shape[1]};
    c.w = (uc_slide){.rank = 1, .in = {m}, .out = {n}, .kernel = {k}, .stride = {1}};
    c.w.dilation[0] = 1;
    c.in_channels = c.out_channels = 1;
    uc_str f = uc_call_str(call, "activation", "none");
    if (!uc_activation_of(uc_str_of(uc_str_is(f, "none") ? "" : "Swish"), 1, 0, x->dtype,
                          &c.activation)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not for %s", uc_dtype_name(x->dtype));
    }
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    c.x = joined;
    c.weight = w->data;
    c.bias = b ? b->data : NULL;
    c.y = y->data;
    return uc_conv_run(call, &c);
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_causal_conv = {.name = "CausalConvWithState",
                                 .in = {2, 4},
                                 .out = {1, 2},
                                 .infer = infer,
                                 .run = run,
                                 .macs = uc_conv_macs,
                                 .stoppable = true};
