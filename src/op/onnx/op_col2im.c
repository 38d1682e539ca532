/* Col2Im: columns of sliding blocks added back into an image.
 *
 * Source: ONNX operator Col2Im, opset 18, any number of spatial dimensions.
 * x  number [N, C * taps, blocks];  image_shape, block_shape  int64 [dims];  y  [N, C, image...]
 * Numerics: sums run in float64 (integers up to 2^53 exactly). */
#include "op/slide.h"
#include "op/widen.h"

#include <inttypes.h>

/* The slide of a convolution over the image with the block as its kernel. */
static uncork_status read_slide(uc_call *call, uc_slide *w)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t image[UNCORK_MAX_RANK], block[UNCORK_MAX_RANK];
    size_t count = 0, blocks = 0;
    UC_TRY(uc_call_small_ints(call, 1, image, &count));
    UC_TRY(uc_call_small_ints(call, 2, block, &blocks));
    if (count == 0 || count != blocks || count > UC_SLIDE_RANK) {
        return uc_call_fail(call, UNCORK_INPUT, "an image of %zu and a block of %zu dimensions",
                            count, blocks);
    }
    uc_tensor like = {.rank = (int)count + 2};
    like.shape[0] = x->shape[0];
    memcpy(like.shape + 2, image, count * sizeof *image);
    for (size_t d = 0; d < count; d++) {
        if (image[d] > 0 && image[d] <= INT32_MAX && block[d] > 0 && block[d] <= INT32_MAX)
            continue;
        return uc_call_fail(call, UNCORK_INPUT, "an image of %" PRId64 ", a block of %" PRId64,
                            image[d], block[d]);
    }
    UC_TRY(uc_slide_read(call, &like, block, false, w));
    int64_t taps = uc_slide_taps(w), steps = uc_slide_out(w);
    bool fits =
        (x->shape[1] < 0 || x->shape[1] % taps == 0) && (x->shape[2] < 0 || x->shape[2] == steps);
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "%" PRId64 " rows of %" PRId64 " columns for blocks of %" PRId64
                        " at %" PRId64 " places",
                        x->shape[1], x->shape[2], taps, steps);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *image = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    uc_slide w;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_INDEX));
    if (x->rank >= 0 && x->rank != 3) {
        return uc_call_fail(call, UNCORK_INPUT, "the input has %d dimensions, not 3", x->rank);
    }
    bool known = x->rank == 3 && uc_call_known(call, 1) && uc_call_known(call, 2);
    if (!known) {
        int64_t dims = image->rank == 1 ? image->shape[0] : UC_DIM_UNKNOWN;
        int rank = dims > 0 && dims <= UC_SLIDE_RANK ? (int)dims + 2 : -1;
        for (int d = 0; d < rank; d++) {
            shape[d] = UC_DIM_UNKNOWN;
        }
        return uc_call_shape(call, 0, x->dtype, rank, shape);
    }
    UC_TRY(read_slide(call, &w));
    shape[0] = x->shape[0];
    shape[1] = x->shape[1] < 0 ? UC_DIM_UNKNOWN : x->shape[1] / uc_slide_taps(&w);
    memcpy(shape + 2, w.in, (size_t)w.rank * sizeof *shape);
    return uc_call_shape(call, 0, x->dtype, w.rank + 2, shape);
}

static bool next_index(const int64_t *shape, int rank, int64_t *index)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++index[d] < shape[d]) return true;
        index[d] = 0;
    }
    return false;
}

/* One tap's row of columns added to a plane. */
static void add_tap(const uc_slide *w, const int64_t *tap, const double *from, double *plane)
{
    int64_t at[UC_SLIDE_RANK] = {0};
    do {
        int64_t offset = 0;
        bool inside = true;
        for (int d = 0; d < w->rank && inside; d++) {
            int64_t i = at[d] * w->stride[d] + tap[d] * w->dilation[d] - w->before[d];
            inside = i >= 0 && i < w->in[d];
            offset = offset * w->in[d] + i;
        }
        if (inside) plane[offset] += *from;
        from++;
    } while (next_index(w->out, w->rank, at));
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    uc_slide w;
    uc_tensor *y = NULL;
    UC_TRY(read_slide(call, &w));
    int64_t taps = uc_slide_taps(&w), plane = uc_slide_in(&w), columns = uc_slide_out(&w);
    shape[0] = x->shape[0];
    shape[1] = x->shape[1] / taps;
    memcpy(shape + 2, w.in, (size_t)w.rank * sizeof *shape);
    UC_TRY(uc_call_output(call, 0, x->dtype, w.rank + 2, shape, &y));
    const double *wide = uc_call_doubles(call, x);
    double *sum = uc_call_scratch(call, (size_t)plane, sizeof *sum);
    if (!wide || !sum) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < shape[0] * shape[1]; i++) {
        int64_t tap[UC_SLIDE_RANK] = {0};
        memset(sum, 0, (size_t)plane * sizeof *sum);
        do {
            add_tap(&w, tap, wide, sum);
            wide += columns;
        } while (next_index(w.kernel, w.rank, tap));
        uc_dtype_convert((char *)y->data + (size_t)(i * plane) * uc_dtype_size(y->dtype), y->dtype,
                         sum, UNCORK_FLOAT64, plane);
    }
    return UNCORK_OK;
}

const uc_op uc_op_col2im = {
    .name = "Col2Im", .in = {3, 3}, .out = {1, 1}, .infer = infer, .run = run};
