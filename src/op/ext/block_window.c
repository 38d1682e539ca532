/* Shapes and windows of the channel-blocked operators. Source of the arithmetic: ONNX Conv and MaxPool,
 * "output spatial shape". */
#include "op/ext/block_window.h"

#include "kernel/conv_blocked.h"

#include <inttypes.h>

static uncork_status read_ints(uc_call *call, const char *name, int64_t least, size_t want,
                               int64_t *out)
{
    size_t count = 0;
    const int64_t *ints = uc_call_ints(call, name, &count);
    if (!ints || count == 0) return UNCORK_OK;
    if (count != want) {
        return uc_call_fail(call, UNCORK_INPUT, "%s has %zu numbers, not %zu", name, count, want);
    }
    for (size_t i = 0; i < want; i++) {
        if (ints[i] < least || ints[i] > INT32_MAX) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "%s is %" PRId64 ", it can be %" PRId64 " to %d", name, ints[i],
                                least, INT32_MAX);
        }
        out[i] = ints[i];
    }
    return UNCORK_OK;
}

uncork_status uc_window_read(uc_call *call, uc_window *w)
{
    for (int d = 0; d < 2; d++) {
        w->stride[d] = w->dilation[d] = 1;
        w->pad[d] = w->pad[2 + d] = 0;
    }
    UC_TRY(read_ints(call, "strides", 1, 2, w->stride));
    UC_TRY(read_ints(call, "dilations", 1, 2, w->dilation));
    UC_TRY(read_ints(call, "pads", 0, 4, w->pad));
    for (int d = 0; d < 2; d++) {
        if (w->kernel[d] < 1 || w->kernel[d] > INT32_MAX) {
            return uc_call_fail(call, UNCORK_INPUT, "a window of %" PRId64 " pixels, at least 1",
                                w->kernel[d]);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_window_read_kernel(uc_call *call, uc_window *w)
{
    size_t count = 0;
    const int64_t *kernel = uc_call_ints(call, "kernel_shape", &count);
    if (count != 2) {
        return uc_call_fail(call, UNCORK_INPUT, "kernel_shape has %zu numbers, not 2", count);
    }
    w->kernel[0] = kernel[0];
    w->kernel[1] = kernel[1];
    return uc_window_read(call, w);
}

uncork_status uc_window_read_pool(uc_call *call, uc_window *w, bool *average)
{
    const uc_str kind = uc_call_str(call, "kind", "");
    *average = uc_str_is(kind, "average");
    if (!*average && !uc_str_is(kind, "max")) {
        return uc_call_fail(call, UNCORK_INPUT, "kind is %.*s, it can be max or average",
                            (int)(kind.size < 32 ? kind.size : 32), kind.data);
    }
    return uc_window_read_kernel(call, w);
}

uint64_t uc_window_macs(const uc_call *call)
{
    const uc_tensor *w = uc_call_arg(call, 1), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || w->rank != 4 || !uc_dims_known(y->shape, y->rank) || !uc_dims_known(w->shape, 4)) {
        return 0;
    }
    const uint64_t taps = (uint64_t)(w->shape[1] * w->shape[2] * w->shape[3]);
    return __builtin_mul_overflow((uint64_t)uc_tensor_count(y), taps, &n) ? UINT64_MAX : n;
}

/* No overflow: every number of the window fits 31 bits, products 62. */
uncork_status uc_window_count(uc_call *call, const uc_window *w, int d, int64_t size,
                              bool ceil_mode, int64_t *count)
{
    *count = UC_DIM_UNKNOWN;
    if (size < 0) return UNCORK_OK;
    const int64_t reach = (w->kernel[d] - 1) * w->dilation[d] + 1;
    if (size > INT32_MAX) {
        return uc_call_fail(call, UNCORK_LIMIT, "%" PRId64 " pixels in a row, at most %d", size,
                            INT32_MAX);
    }
    const int64_t room = size + w->pad[d] + w->pad[2 + d] - reach;
    if (room < 0) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "a window of %" PRId64 " pixels over %" PRId64 " with %" PRId64
                            " of padding",
                            reach, size, w->pad[d] + w->pad[2 + d]);
    }
    *count = room / w->stride[d] + 1;
    if (!ceil_mode || room % w->stride[d] == 0) return UNCORK_OK;
    if (*count * w->stride[d] < size + w->pad[d])
        *count += 1; /* none starts in the end's padding */
    return UNCORK_OK;
}

int64_t uc_block_best(void) { return uc_conv_best_block(); }

uncork_status uc_block_read(uc_call *call, int64_t *block)
{
    *block = uc_call_int(call, "block", 0);
    if (*block >= 1 && *block <= UC_CONV_MAX_BLOCK) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "block is %" PRId64 ", it can be 1 to %d", *block,
                        UC_CONV_MAX_BLOCK);
}

uncork_status uc_block_expect(uc_call *call, size_t i, int64_t block)
{
    const uc_tensor *t = uc_call_in(call, i);
    char text[192];
    if (!t) return UNCORK_OK;
    if (t->dtype != UNCORK_FLOAT32 && t->dtype != UNCORK_DTYPE_NONE) {
        return uc_call_fail(call, UNCORK_INPUT, "input %zu must be float32", i);
    }
    if (t->rank < 0 || (t->rank == 5 && (t->shape[4] < 0 || t->shape[4] == block))) {
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, not [n, c, h, w, %" PRId64 "]", i,
                        uc_shape_text(t->shape, t->rank, text, sizeof text), block);
}

uncork_status uc_block_act(uc_call *call, const char *name, const char *alpha, const char *beta,
                           uc_act *act)
{
    const uc_str called = uc_call_str(call, name, "");
    if (!uc_act_find(called.data, called.size, act)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "no activation is called %.*s",
                            (int)(called.size < 32 ? called.size : 32), called.data);
    }
    act->alpha = (float)uc_call_float(call, alpha, (double)act->alpha);
    act->beta = (float)uc_call_float(call, beta, (double)act->beta);
    return UNCORK_OK;
}
