/* Operators of pictures [..., height, width, channels]. Sources: keras/src/ops/image.py,
 * keras/src/backend/tensorflow/image.py; tensorflow/python/ops/image_ops_impl.py. */
#include "import/keras/keras_operator.h"

#include <inttypes.h>
#include <math.h>

static bool picture(uc_k_call *c, uc_ref *x, int *rank)
{
    *x = uc_k_first_operand(c);
    *rank = uc_k_rank(c, *x);
    if (*rank == 3 || *rank == 4) return true;
    uc_k_fail(c, "its input is no picture");
    return false;
}

static void direct(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_k_set(c, uc_g1(c->graph, row->op, uc_k_first_operand(c)));
}

/* With a number as its second operand. */
static void adjust(uc_k_call *c, const uc_k_operator_row *row)
{
    const char *key = strchr(row->op, ' ') + 1,
               *op = uc_arena_printf(c->graph->arena, "%.*s", (int)(key - 1 - row->op), row->op);
    const uc_ref in[] = {uc_k_first_operand(c),
                         uc_graph_f32(c->graph, (float)uc_k_arg_number(c, 1, key, 0))};
    if (op) uc_k_set(c, uc_k_node(c, op, in, 2));
}

static void flip(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref x;
    int rank;
    if (!picture(c, &x, &rank)) return;
    const int64_t axis = row->op[0] == 'x' ? rank - 2 : rank - 3;
    uc_k_set(c, uc_g_reverse(c->graph, x, &axis, 1));
}

static void transpose(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref x;
    int rank;
    (void)row;
    static const int64_t perm[] = {0, 2, 1, 3}, one[] = {1, 0, 2};
    if (picture(c, &x, &rank))
        uc_k_set(c, uc_k_transpose(c->graph, x, rank == 4 ? perm : one, (size_t)rank));
}

static uc_ref padded(uc_k_call *c, uc_ref x, int rank, int64_t top, int64_t left, int64_t bottom,
                     int64_t right)
{
    int64_t pads[8] = {0};
    pads[rank - 3] = top;
    pads[rank - 2] = left;
    pads[2 * rank - 3] = bottom;
    pads[2 * rank - 2] = right;
    const uc_ref in[] = {x, uc_graph_i64s(c->graph, pads, 2 * (int64_t)rank), uc_k_scalar(c, 0)};
    return uc_k_node(c, "Pad", in, 3);
}

static uc_ref cropped(uc_k_call *c, uc_ref x, int rank, int64_t top, int64_t left, int64_t height,
                      int64_t width)
{
    x = uc_g_slice(c->graph, x, rank - 3, top, top + height);
    return uc_g_slice(c->graph, x, rank - 2, left, left + width);
}

/* A place and a size: (offset_height, offset_width, target_height, target_width); Keras 3's names.
 * op "p": around the picture, "c": of it. */
static void box(uc_k_call *c, const uc_k_operator_row *row)
{
    static const char *const tf[] = {"offset_height", "offset_width", "target_height",
                                     "target_width"};
    uc_ref x;
    int rank;
    if (!picture(c, &x, &rank)) return;
    const int64_t h = uc_k_dim(c, x, -3), w = uc_k_dim(c, x, -2);
    const bool new = row->op[1] == '3';
    int64_t top = uc_k_arg_int(
                c, 1, new ? (row->op[0] == 'p' ? "top_padding" : "top_cropping") : tf[0], -1),
            left = uc_k_arg_int(
                c, 2, new ? (row->op[0] == 'p' ? "left_padding" : "left_cropping") : tf[1], -1);
    const int64_t height = uc_k_arg_int(c, 3, tf[2], -1), width = uc_k_arg_int(c, 4, tf[3], -1),
                  below = uc_k_arg_int(
                      c, SIZE_MAX, row->op[0] == 'p' ? "bottom_padding" : "bottom_cropping", -1),
                  beside = uc_k_arg_int(c, SIZE_MAX,
                                        row->op[0] == 'p' ? "right_padding" : "right_cropping", -1);
    if (h < 1 || w < 1) {
        uc_k_fail(c, "it needs a picture of a known size");
        return;
    }
    const int64_t sign = row->op[0] == 'p' ? 1 : -1;
    if (top < 0) top = below >= 0 && height >= 0 ? sign * (height - h) - below : 0;
    if (left < 0) left = beside >= 0 && width >= 0 ? sign * (width - w) - beside : 0;
    const int64_t to_h = height >= 0 ? height : h + sign * (top + (below > 0 ? below : 0)),
                  to_w = width >= 0 ? width : w + sign * (left + (beside > 0 ? beside : 0));
    uc_k_set(c, row->op[0] == 'p' ? padded(c, x, rank, top, left, to_h - h - top, to_w - w - left)
                                  : cropped(c, x, rank, top, left, to_h, to_w));
}

static void central(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref x;
    int rank;
    (void)row;
    if (!picture(c, &x, &rank)) return;
    const double part = uc_k_arg_number(c, 1, "central_fraction", 1);
    const int64_t h = uc_k_dim(c, x, -3), w = uc_k_dim(c, x, -2),
                  top = (int64_t)(((double)h - (double)h * part) / 2),
                  left = (int64_t)(((double)w - (double)w * part) / 2);
    if (h < 1 || w < 1)
        uc_k_fail(c, "it needs a picture of a known size");
    else
        uc_k_set(c, cropped(c, x, rank, top, left, h - 2 * top, w - 2 * left));
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* resize_with_crop_or_pad; op "r": resize_with_pad. */
static void fit(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref x;
    int rank;
    if (!picture(c, &x, &rank)) return;
    int64_t h = uc_k_dim(c, x, -3), w = uc_k_dim(c, x, -2);
    const int64_t height = uc_k_arg_int(c, 1, "target_height", 0),
                  width = uc_k_arg_int(c, 2, "target_width", 0);
    if (h < 1 || w < 1 || height < 1 || width < 1 || (row->op[0] == 'r' && rank != 4)) {
        uc_k_fail(c, "it needs pictures of a known size");
        return;
    }
    if (row->op[0] == 'r') {
        const double by = fmax((double)w / (double)width, (double)h / (double)height);
        const int64_t to_h = (int64_t)floor((double)h / by), to_w = (int64_t)floor((double)w / by);
        const uc_k_value v = {.ref = x};
        const uc_str how = uc_k_arg_text(c, 3, "method", "bilinear");
        const uc_k_value y = {.ref = uc_k_resize(c, uc_k_first(c, v), how, to_h, to_w),
                              .nchw = true};
        x = uc_k_plain(c, y);
        h = to_h;
        w = to_w;
        const int64_t top = (int64_t)fmax(0, floor(((double)height - (double)to_h) / 2)),
                      left = (int64_t)fmax(0, floor(((double)width - (double)to_w) / 2));
        uc_k_set(c, padded(c, x, rank, top, left, height - h - top, width - w - left));
        return;
    }
    const int64_t keep_h = least(h, height), keep_w = least(w, width);
    x = cropped(c, x, rank, (h - keep_h) / 2, (w - keep_w) / 2, keep_h, keep_w);
    const int64_t top = (height - keep_h) / 2, left = (width - keep_w) / 2;
    uc_k_set(c, padded(c, x, rank, top, left, height - keep_h - top, width - keep_w - left));
}

/* Windows of the picture laid into its channels. */
static void patches(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t size[4] = {1, 1, 1, 1}, by[4] = {1, 1, 1, 1}, rate[4] = {1, 1, 1, 1};
    uc_ref x;
    int rank;
    if (!picture(c, &x, &rank) || rank != 4) return;
    const bool old = row->op[0] == 't';
    size_t n =
        uc_k_arg_ints(c, 1, old ? "sizes" : "size", NULL, old ? size : size + 1, old ? 4 : 2);
    if (!old && n == 1) size[2] = size[1];
    const size_t m = uc_k_arg_ints(c, 2, "strides", NULL, old ? by : by + 1, old ? 4 : 2);
    if (!old && m == 1) by[2] = by[1];
    if (!old && m == 0) memcpy(by, size, sizeof by);
    const size_t k = uc_k_arg_ints(c, 3, old ? "rates" : "dilation_rate", NULL,
                                   old ? rate : rate + 1, old ? 4 : 2);
    if (!old && k == 1) rate[2] = rate[1];
    const uc_str padding = uc_k_arg_text(c, 4, "padding", "valid");
    if (n == 0) {
        uc_k_fail(c, "its size isn't in the file");
        return;
    }
    uc_node *node = uc_graph_node(c->graph, "uncork.TfExtractImagePatches", &x, 1, 1);
    uc_node_ints(c->graph, node, "ksizes", size, 4);
    uc_node_ints(c->graph, node, "strides", by, 4);
    uc_node_ints(c->graph, node, "rates", rate, 4);
    uc_node_str(c->graph, node, "padding",
                uc_str_is(padding, "same") || uc_str_is(padding, "SAME") ? "SAME" : "VALID");
    uc_k_set(c, uc_node_out(node, 0));
}

/* One channel three times. */
static void gray_to_rgb(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref x = uc_k_first_operand(c), parts[] = {x, x, x};
    uc_k_set(c, uc_g_concat(c->graph, parts, 3, -1));
}

/* Channels times a matrix; op "y": RGB to YUV, "r": back. */
static void colors(uc_k_call *c, const uc_k_operator_row *row)
{
    static const double yuv[] = {0.299,       -0.14714119, 0.61497538, 0.587,      -0.28886916,
                                 -0.51496512, 0.114,       0.43601035, -0.10001026};
    static const double rgb[] = {1, 1, 1, 0, -0.394642334, 2.03206185, 1.13988303, -0.58062185, 0};
    static const int64_t shape[] = {3, 3};
    uc_k_set(c, uc_g2(c->graph, "MatMul", uc_k_first_operand(c),
                      uc_k_constant(c, row->op[0] == 'y' ? yuv : rgb, 2, shape)));
}

/* clang-format off */
const uc_k_operator_row uc_k_picture_rows[] = {
    {"RGBToHSV", "uncork.TfRGBToHSV", direct}, {"HSVToRGB", "uncork.TfHSVToRGB", direct}, {"image.rgb_to_hsv", "uncork.TfRGBToHSV", direct}, {"image.hsv_to_rgb", "uncork.TfHSVToRGB", direct},
    {"image.adjust_hue", "uncork.TfAdjustHue delta", adjust}, {"image.adjust_saturation", "uncork.TfAdjustSaturation saturation_factor", adjust}, {"image.adjust_contrast", "uncork.TfAdjustContrastv2 contrast_factor", adjust},
    {"image.flip_left_right", "x", flip}, {"image.flip_up_down", "y", flip}, {"image.transpose", "", transpose}, {"PadImages", "p3", box}, {"CropImages", "c3", box}, {"image.pad_to_bounding_box", "p", box}, {"image.crop_to_bounding_box", "c", box},
    {"image.central_crop", "", central}, {"image.resize_with_crop_or_pad", "", fit}, {"image.resize_with_pad", "r", fit}, {"ExtractPatches", "", patches}, {"image.extract_patches", "t", patches},
    {"image.grayscale_to_rgb", "", gray_to_rgb}, {"image.rgb_to_yuv", "y", colors}, {"image.yuv_to_rgb", "r", colors},
    {NULL, NULL, NULL},
};
/* clang-format on */
