/* Custom operators of MediaPipe's models. Their options are the C structures TfLiteTransposeConvParams
 * (padding, stride_width, stride_height) and TfLitePoolParams (padding, stride_width, stride_height,
 * filter_width, filter_height): int32 each, SAME 1, VALID 2.
 * Source: mediapipe/util/tflite/operations/{transpose_conv_bias,max_pool_argmax,max_unpooling}.cc. */
#include "import/tflite/tflite_layout.h"

#include <inttypes.h>

static int64_t option(const uc_tfl_call *c, size_t i)
{
    int32_t v = 0;
    if (4 * i + 4 <= c->op->custom.size) memcpy(&v, c->op->custom.data + 4 * i, sizeof v);
    return v;
}

/* Inputs: x, a kernel [out, rows, columns, in], a bias. */
void uc_tfl_conv_transpose_bias(uc_tfl_call *c)
{
    static const int64_t perm[] = {3, 0, 1, 2};
    uc_graph *g = c->graph;
    const int64_t strides[] = {option(c, 2), option(c, 1)};
    int64_t pads[4] = {0}, extra[2] = {0};
    const uc_ref x = uc_tfl_first(c, 0), weights = uc_tfl_weight(c, 1, perm, 4);
    for (int i = 0; i < 2 && !g->status; i++) {
        const int64_t size = uc_tfl_dim(c, weights, i + 2);
        if (strides[i] < 1 || size < 1) {
            uc_tfl_fail(c, "a kernel of %" PRId64 ", strides %" PRId64, size, strides[i]);
            return;
        }
        if (option(c, 0) != 1) continue; /* SAME makes strides times as many */
        const int64_t total = size - strides[i];
        pads[i] = total > 0 ? total / 2 : 0;
        pads[2 + i] = total > 0 ? total - pads[i] : 0;
        extra[i] = total < 0 ? -total : 0;
    }
    if (g->status) return;
    const uc_ref in[] = {x, weights, uc_tfl_bias(c, 2)};
    uc_node *n = uc_graph_node(g, "ConvTranspose", in, 3, 1);
    uc_node_ints(g, n, "strides", strides, 2);
    uc_node_ints(g, n, "pads", pads, 4);
    uc_node_ints(g, n, "output_padding", extra, 2);
    uc_tfl_out_first(c, 0, uc_node_out(n, 0));
}

typedef struct tiles {
    int64_t n, h, w, c, rows, columns; /* of tiles; each rows x columns pixels */
} tiles;

static bool read_tiles(uc_tfl_call *c, uc_ref x, tiles *t)
{
    *t = (tiles){.n = uc_tfl_dim(c, x, 0),
                 .h = uc_tfl_dim(c, x, 1),
                 .w = uc_tfl_dim(c, x, 2),
                 .c = uc_tfl_dim(c, x, 3),
                 .rows = option(c, 4),
                 .columns = option(c, 3)};
    const bool fits = t->rows >= 1 && t->columns >= 1 && t->rows <= 4096 && t->columns <= 4096 &&
                      option(c, 1) == t->columns && option(c, 2) == t->rows;
    if (uc_tfl_rank(c, x) == 4 && fits && t->n >= 0 && t->h >= 0 && t->w >= 0 && t->c >= 0)
        return true;
    uc_tfl_fail(c, "windows other than tiles, or a size isn't known");
    return false;
}

/* The largest of each tile, and which of its pixels that is. */
void uc_tfl_max_pool_argmax(uc_tfl_call *c)
{
    static const int64_t perm[] = {0, 1, 3, 5, 2, 4};
    uc_graph *g = c->graph;
    tiles t;
    const uc_ref x = uc_tfl_in(c, 0);
    if (!read_tiles(c, x, &t)) return;
    if (t.h % t.rows || t.w % t.columns) {
        uc_tfl_fail(c, "%" PRId64 " x %" PRId64 " pixels in tiles of %" PRId64 " x %" PRId64, t.h,
                    t.w, t.rows, t.columns);
        return;
    }
    const int64_t split[] = {t.n, t.h / t.rows, t.rows, t.w / t.columns, t.columns, t.c};
    const int64_t flat[] = {t.n, t.h / t.rows, t.w / t.columns, t.c, t.rows * t.columns};
    const uc_ref apart = uc_tfl_transpose(g, uc_g_reshape(g, x, split, 6), perm, 6);
    const uc_ref each = uc_g_reshape(g, apart, flat, 5);
    const uc_ref at = uc_g_argmax(g, each, -1, false);
    uc_tfl_out(c, 0, uc_g_reduce(g, "ReduceMax", each, -1, false));
    uc_tfl_out(c, 1, uc_g_cast(g, at, uc_tfl_tensor_out(c, 1)->dtype));
}

/* The inverse: a value at its pixel of the tile, zeros elsewhere. */
void uc_tfl_max_unpooling(uc_tfl_call *c)
{
    static const int64_t perm[] = {0, 1, 4, 2, 5, 3};
    uc_graph *g = c->graph;
    tiles t;
    const uc_ref x = uc_tfl_in(c, 0);
    if (!read_tiles(c, x, &t)) return;
    const int64_t count = t.rows * t.columns;
    int64_t *numbers = UC_NEW(g->arena, int64_t, (size_t)count);
    if (!numbers) {
        uc_tfl_fail(c, "memory is out");
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        numbers[i] = i;
    }
    const uc_ref at = uc_g_unsqueeze(g, uc_g_cast(g, uc_tfl_in(c, 1), UNCORK_INT64), -1);
    const uc_ref on = uc_g2(g, "Equal", at, uc_graph_i64s(g, numbers, count));
    const uc_ref each = uc_g_where(g, on, uc_g_unsqueeze(g, x, -1), uc_graph_f32(g, 0));
    const int64_t split[] = {t.n, t.h, t.w, t.c, t.rows, t.columns};
    const int64_t whole[] = {t.n, t.h * t.rows, t.w * t.columns, t.c};
    const uc_ref apart = uc_tfl_transpose(g, uc_g_reshape(g, each, split, 6), perm, 6);
    uc_tfl_out(c, 0, uc_g_reshape(g, apart, whole, 4));
}
