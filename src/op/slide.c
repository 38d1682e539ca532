/* Geometry of sliding windows: see slide.h. Source: ONNX operators Conv 22, MaxPool 22, AveragePool
 * 22, "auto_pad" and "ceil_mode". */
#include "op/slide.h"

#include <inttypes.h>

#define MOST INT32_MAX /* of a kernel, stride, dilation, pad: products of two fit an int64 */

/* Attribute `name`: `count` integers within [least, MOST]; all `otherwise` when it is missing. */
static uncork_status read_ints(uc_call *call, const char *name, int count, int64_t least,
                               int64_t otherwise, int64_t *out)
{
    size_t have = 0;
    const int64_t *given = uc_call_ints(call, name, &have);
    if (have && have != (size_t)count) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%s has %zu numbers, not %d", name, have,
                            count);
    }
    for (int i = 0; i < count; i++) {
        out[i] = have ? given[i] : otherwise;
        if (out[i] >= least && out[i] <= MOST) continue;
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%s[%d] is %" PRId64 ", not between %" PRId64 " and %d", name, i,
                            out[i], least, MOST);
    }
    return UNCORK_OK;
}

uncork_status uc_slide_attributes(uc_call *call, const int64_t *kernel, uc_slide *w)
{
    int64_t pads[2 * UC_SLIDE_RANK], shape[UC_SLIDE_RANK];
    size_t have = 0;
    UC_TRY(read_ints(call, "strides", w->rank, 1, 1, w->stride));
    UC_TRY(read_ints(call, "dilations", w->rank, 1, 1, w->dilation));
    UC_TRY(read_ints(call, "pads", 2 * w->rank, 0, 0, pads));
    UC_TRY(read_ints(call, "kernel_shape", w->rank, 1, 1, shape)); /* 1: the weights say it */
    uc_call_ints(call, "kernel_shape", &have);
    for (int d = 0; d < w->rank; d++) {
        w->before[d] = pads[d];
        w->after[d] = pads[w->rank + d];
        w->kernel[d] = kernel ? kernel[d] : shape[d];
        if (!kernel || !have || kernel[d] < 0 || kernel[d] == shape[d]) continue;
        return uc_call_fail(call, UNCORK_INPUT,
                            "kernel_shape[%d] is %" PRId64 ", the weights have %" PRId64, d,
                            shape[d], kernel[d]);
    }
    return UNCORK_OK;
}

typedef enum auto_pad { EXPLICIT, VALID, SAME_UPPER, SAME_LOWER } auto_pad;

static uncork_status read_auto_pad(uc_call *call, auto_pad *mode)
{
    uc_str text = uc_call_str(call, "auto_pad", "NOTSET");
    if (uc_str_is(text, "NOTSET") || text.size == 0) {
        *mode = EXPLICIT;
    } else if (uc_str_is(text, "VALID")) {
        *mode = VALID;
    } else if (uc_str_is(text, "SAME_UPPER")) {
        *mode = SAME_UPPER;
    } else if (uc_str_is(text, "SAME_LOWER")) {
        *mode = SAME_LOWER;
    } else {
        return uc_call_fail(call, UNCORK_MALFORMED, "auto_pad is '%.*s'", (int)text.size,
                            text.data);
    }
    return UNCORK_OK;
}

/* Padding that makes ceil(in / stride) outputs. */
static void pad_same(uc_slide *w, int d, bool upper)
{
    int64_t extent = (w->kernel[d] - 1) * w->dilation[d] + 1;
    w->out[d] = w->in[d] / w->stride[d] + (w->in[d] % w->stride[d] != 0);
    int64_t total = (w->out[d] - 1) * w->stride[d] + extent - w->in[d];
    if (total < 0) total = 0;
    w->before[d] = upper ? total / 2 : total - total / 2;
    w->after[d] = total - w->before[d];
}

static uncork_status set_out(uc_call *call, uc_slide *w, int d, auto_pad mode, bool ceil)
{
    bool same = mode == SAME_UPPER || mode == SAME_LOWER;
    bool keeps = w->stride[d] == 1 && w->kernel[d] >= 1 &&
                 (same || w->before[d] + w->after[d] == (w->kernel[d] - 1) * w->dilation[d]);
    w->out[d] = w->in[d] < 0 && keeps ? w->in[d] : UC_DIM_UNKNOWN; /* a symbol stays itself */
    if (w->in[d] < 0 || w->kernel[d] < 0) return UNCORK_OK;
    if (w->in[d] > INT64_MAX / 4) {
        return uc_call_fail(call, UNCORK_LIMIT, "the input has %" PRId64 " places in one dimension",
                            w->in[d]);
    }
    if (w->kernel[d] < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "kernel dimension %d is %" PRId64, d, w->kernel[d]);
    }
    if (same) {
        pad_same(w, d, mode == SAME_UPPER);
        if (w->out[d] > 0) return UNCORK_OK;
    }
    int64_t extent = (w->kernel[d] - 1) * w->dilation[d] + 1;
    int64_t room = w->in[d] + w->before[d] + w->after[d] - extent;
    if (ceil && room < 0 && room > -w->stride[d]) room = 0; /* one window beyond the end */
    if (room < 0 || w->in[d] == 0) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "a kernel that spans %" PRId64 " doesn't fit dimension %d of %" PRId64
                            " padded by %" PRId64 " and %" PRId64,
                            extent, d + 2, w->in[d], w->before[d], w->after[d]);
    }
    int64_t steps = room / w->stride[d], rest = room % w->stride[d];
    w->out[d] = steps + 1;
    /* The last window must begin in the input or the padding in front of it. */
    bool more = ceil && rest != 0 && (steps + 1) * w->stride[d] < w->in[d] + w->before[d];
    if (more) w->out[d]++;
    return UNCORK_OK;
}

uncork_status uc_slide_read(uc_call *call, const uc_tensor *x, const int64_t *kernel, bool ceil,
                            uc_slide *w)
{
    auto_pad mode = EXPLICIT;
    *w = (uc_slide){.rank = x->rank - 2};
    if (w->rank < 1) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "the input has %d dimensions, at least 3 are needed", x->rank);
    }
    size_t have = 0;
    uc_call_ints(call, "kernel_shape", &have);
    if (!kernel && !have) return uc_call_fail(call, UNCORK_MALFORMED, "kernel_shape is missing");
    UC_TRY(uc_slide_attributes(call, kernel, w));
    UC_TRY(read_auto_pad(call, &mode));
    for (int d = 0; d < w->rank; d++) {
        if (mode != EXPLICIT) w->before[d] = w->after[d] = 0;
        w->in[d] = x->shape[2 + d];
        UC_TRY(set_out(call, w, d, mode, ceil && mode == EXPLICIT));
    }
    return UNCORK_OK;
}

void uc_slide_range(const uc_slide *w, int d, int64_t k, int64_t *begin, int64_t *end)
{
    /* 0 <= o * stride + shift < in */
    int64_t shift = k * w->dilation[d] - w->before[d], s = w->stride[d];
    int64_t first = shift < 0 ? (-shift + s - 1) / s : 0;
    int64_t last = w->in[d] - shift <= 0 ? 0 : (w->in[d] - shift + s - 1) / s;
    *end = last < w->out[d] ? last : w->out[d];
    *begin = first < *end ? first : *end;
}

static int64_t product(const int64_t *dims, int rank)
{
    int64_t n = 1;
    for (int d = 0; d < rank; d++) {
        if (__builtin_mul_overflow(n, dims[d], &n)) return INT64_MAX;
    }
    return n;
}

int64_t uc_slide_in(const uc_slide *w) { return product(w->in, w->rank); }

int64_t uc_slide_out(const uc_slide *w) { return product(w->out, w->rank); }

int64_t uc_slide_taps(const uc_slide *w) { return product(w->kernel, w->rank); }
