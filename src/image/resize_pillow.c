/* Pillow's resize, bit for bit: filters, 22-bit fixed-point weights for 8-bit modes, the order of
 * the passes, alpha premultiplied, nearest by accumulation, reduce() for reducing_gap.
 * Whose results are matched: Pillow's libImaging/Resample.c, Reduce.c and Geometry.c; tests/image
 * compares. */
#define _DEFAULT_SOURCE /* M_PI */
#include "image/imageops.h"
#include "image/pixel.h"
#include "kernel/resample_u8.h"

#include <math.h>

#define WEIGHT_BITS 22

typedef double (*filter_fn)(double x);

static double box_weight(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

static double bilinear_weight(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double hamming_weight(double x)
{
    x = fabs(x);
    if (!(x > 0.0)) return 1.0;
    if (x >= 1.0) return 0.0;
    x *= M_PI;
    return sin(x) / x * ((double)0.54f + (double)0.46f * cos(x));
}

static double bicubic_weight(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static double sinc(double x)
{
    if (!(x < 0.0) && !(x > 0.0)) return 1.0;
    x *= M_PI;
    return sin(x) / x;
}

static double lanczos_weight(double x)
{
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

/* Magic kernel sharp 2013 and 2021 (Costella, 2021). */
static double mks2013_weight(double x)
{
    x = fabs(x);
    if (x < 0.5) return 1.0625 - 1.75 * x * x;
    if (x < 1.5) return (4 * x * x - 11 * x + 7) / 4;
    if (x < 2.5) return -(x - 2.5) * (x - 2.5) / 8;
    return 0.0;
}

static double mks2021_weight(double x)
{
    x = fabs(x);
    if (x < 0.5) return 577.0 / 576.0 - 239.0 / 144.0 * x * x;
    if (x < 1.5) return (140 * x * x - 379 * x + 239) / 144;
    if (x < 2.5) return -(24 * x * x - 113 * x + 130) / 144;
    if (x < 3.5) return (4 * x * x - 27 * x + 45) / 144;
    if (x < 4.5) return -(4 * x * x - 36 * x + 81) / 1152;
    return 0.0;
}

static const struct {
    filter_fn weight;
    double support;
} filters[] = {
    [UC_PILLOW_LANCZOS] = {lanczos_weight, 3.0}, [UC_PILLOW_BILINEAR] = {bilinear_weight, 1.0},
    [UC_PILLOW_BICUBIC] = {bicubic_weight, 2.0}, [UC_PILLOW_BOX] = {box_weight, 0.5},
    [UC_PILLOW_HAMMING] = {hamming_weight, 1.0}, [UC_PILLOW_MKS2013] = {mks2013_weight, 2.5},
    [UC_PILLOW_MKS2021] = {mks2021_weight, 4.5},
};

/* Weights of one axis: output i sums count[i] inputs from first[i] on. */
typedef struct axis {
    int *first, *count;
    double *weights; /* [out, room] */
    int32_t *fixed;  /* the same in fixed point */
    int room;
} axis;

static uncork_status make_axis(axis *a, int in, int out, double low, double high,
                               uc_pillow_filter filter, uc_arena *arena, uncork_error *error)
{
    /* the box's ends are float32 inside Pillow */
    double lo = (double)(float)low, scale = (double)((float)high - (float)low) / out;
    double stretch = scale < 1.0 ? 1.0 : scale, support = filters[filter].support * stretch,
           inverse = 1.0 / stretch;
    double wide = ceil(support) * 2 + 1;
    size_t cells;
    if (!(wide < 1e9) || !uc_mul_size((size_t)out, (size_t)wide, &cells)) {
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "a resize from %d to %d pixels is too large", in, out);
    }
    a->room = (int)wide;
    a->first = UC_NEW(arena, int, (size_t)out);
    a->count = UC_NEW(arena, int, (size_t)out);
    a->weights = UC_NEW(arena, double, cells);
    a->fixed = UC_NEW(arena, int32_t, cells);
    if (!a->first || !a->count || !a->weights || !a->fixed) return uc_arena_status(arena, error);
    for (int i = 0; i < out; i++) {
        double center = lo + (i + 0.5) * scale, sum = 0.0;
        int begin = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
        if (begin < 0) begin = 0;
        if (end > in) end = in;
        double *w = a->weights + (size_t)i * (size_t)a->room;
        for (int j = 0; j < end - begin; j++) {
            w[j] = filters[filter].weight((j + begin - center + 0.5) * inverse);
            sum += w[j];
        }
        for (int j = 0; j < end - begin; j++) {
            if (sum < 0.0 || sum > 0.0) w[j] /= sum;
            double q = w[j] * (1 << WEIGHT_BITS);
            a->fixed[(size_t)i * (size_t)a->room + (size_t)j] =
                (int32_t)(w[j] < 0 ? q - 0.5 : q + 0.5);
        }
        a->first[i] = begin;
        a->count[i] = end > begin ? end - begin : 0;
    }
    return UNCORK_OK;
}

static double load(const uc_image *im, size_t i)
{
    if (im->mode == UC_IMAGE_F) return (double)((const float *)im->data)[i];
    if (im->mode == UC_IMAGE_I) return ((const int32_t *)im->data)[i];
    return ((const uint16_t *)im->data)[i];
}

static void store(uc_image *im, size_t i, double v)
{
    if (im->mode == UC_IMAGE_F) {
        ((float *)im->data)[i] = (float)v;
    } else if (im->mode == UC_IMAGE_I) {
        double r = v < 0 ? v - 0.5 : v + 0.5;
        ((int32_t *)im->data)[i] = r >= 2147483647.0    ? INT32_MAX
                                   : r <= -2147483648.0 ? INT32_MIN
                                                        : (int32_t)r;
    } else {
        double r = v < 0 ? v - 0.5 : v + 0.5;
        ((uint16_t *)im->data)[i] = r <= 0 ? 0 : r >= 65535 ? 65535 : (uint16_t)r;
    }
}

/* One pass along one axis of an 8-bit picture. */
static uncork_status pass_u8(const uc_image *from, uc_image *to, const axis *a, bool horizontal,
                             uc_arena *arena, uncork_error *error)
{
    const uc_resample_u8 *kernel = uc_resamples_u8();
    const int channels = uc_image_channels(from->mode);
    const size_t row = (size_t)from->width * (size_t)channels;
    uc_resample_axis weights = {.first = a->first,
                                .count = a->count,
                                .weights = a->fixed,
                                .out = horizontal ? to->width : to->height,
                                .room = a->room,
                                .shift = WEIGHT_BITS};
    const uint8_t *in = from->data;
    uint8_t *out = to->data;
    if (horizontal) {
        int16_t *packed = UC_NEW(arena, int16_t, uc_resample_packed(&weights));
        if (!packed) return uc_arena_status(arena, error);
        kernel->pack(&weights, packed);
        weights.packed = packed;
    }
    for (int y = 0; y < to->height; y++) {
        UC_TRY(uc_arena_check(arena, error));
        if (horizontal) {
            kernel->across(in, ((size_t)from->height - (size_t)y) * row, channels, &weights, out);
            in += row;
        } else {
            kernel->down(in, &weights, y, row, out);
        }
        out += (size_t)to->width * (size_t)channels;
    }
    return UNCORK_OK;
}

static uncork_status pass_wide(const uc_image *from, uc_image *to, const axis *a, bool horizontal,
                               uc_arena *arena, uncork_error *error)
{
    for (int y = 0; y < to->height; y++) {
        UC_TRY(uc_arena_check(arena, error));
        for (int x = 0; x < to->width; x++) {
            int at = horizontal ? x : y;
            size_t base = horizontal ? (size_t)y * (size_t)from->width + (size_t)a->first[at]
                                     : (size_t)a->first[at] * (size_t)from->width + (size_t)x;
            size_t step = horizontal ? 1 : (size_t)from->width;
            double sum = 0.0;
            for (int j = 0; j < a->count[at]; j++) {
                sum += load(from, base + (size_t)j * step) *
                       a->weights[(size_t)at * (size_t)a->room + (size_t)j];
            }
            store(to, (size_t)y * (size_t)to->width + (size_t)x, sum);
        }
    }
    return UNCORK_OK;
}

static uncork_status pass(const uc_image *from, int size, double low, double high, bool horizontal,
                          uc_pillow_filter filter, uc_arena *arena, uc_image *to,
                          uncork_error *error)
{
    axis a = {0};
    UC_TRY(make_axis(&a, horizontal ? from->width : from->height, size, low, high, filter, arena,
                     error));
    UC_TRY(uc_image_new(from->mode, horizontal ? size : from->width,
                        horizontal ? from->height : size, arena, to, error));
    if (uc_image_channel_bytes(from->mode) == 1)
        return pass_u8(from, to, &a, horizontal, arena, error);
    return pass_wide(from, to, &a, horizontal, arena, error);
}

static uncork_status resample(const uc_image *from, int width, int height, uc_pillow_filter filter,
                              const double box[4], int version, uc_arena *arena, uc_image *image,
                              uncork_error *error)
{
    /* Pillow's box is float32 from here on: its comparisons too */
    float b[4] = {(float)box[0], (float)box[1], (float)box[2], (float)box[3]};
    bool across = width != from->width || b[0] < 0.0f || b[0] > 0.0f || b[2] < (float)width ||
                  b[2] > (float)width;
    bool down = height != from->height || b[1] < 0.0f || b[1] > 0.0f || b[3] < (float)height ||
                b[3] > (float)height;
    bool down_first = version >= 13 && across && down && from->height > height &&
                      from->height - height > 2 * ((int64_t)from->width - width);
    uc_image now = *from;
    for (int k = 0; k < 2; k++) {
        bool horizontal = (k == 0) != down_first;
        if (horizontal ? !across : !down) continue;
        uc_image next;
        UC_TRY(pass(&now, horizontal ? width : height, box[horizontal ? 0 : 1],
                    box[horizontal ? 2 : 3], horizontal, filter, arena, &next, error));
        now = next;
    }
    *image = now;
    return UNCORK_OK;
}

static uncork_status nearest(const uc_image *from, int width, int height, const double box[4],
                             uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_image to;
    UC_TRY(uc_image_new(from->mode, width, height, arena, &to, error));
    memcpy(to.palette, from->palette, sizeof to.palette);
    to.palette_count = from->palette_count;
    double b0 = (double)(float)box[0], b1 = (double)(float)box[1];
    double sx = ((double)(float)box[2] - b0) / width, sy = ((double)(float)box[3] - b1) / height;
    size_t size = (size_t)uc_image_channels(from->mode) * uc_image_channel_bytes(from->mode);
    double y = b1 + sy * 0.5; /* positions accumulate: (i + 0.5) * scale differs at ties */
    for (int i = 0; i < height; i++, y += sy) {
        UC_TRY(uc_arena_check(arena, error));
        double x = b0 + sx * 0.5;
        for (int j = 0; j < width; j++, x += sx) {
            int px = (int)x, py = (int)y;
            if (px < 0 || py < 0 || px >= from->width || py >= from->height) continue;
            memcpy((char *)to.data + ((size_t)i * (size_t)width + (size_t)j) * size,
                   (const char *)from->data +
                       ((size_t)py * (size_t)from->width + (size_t)px) * size,
                   size);
        }
    }
    *image = to;
    return UNCORK_OK;
}

/* The sum of a block of I, I;16 or F. Of F a whole block is added two columns and two rows at a time, these
 * four in float32; one that the edge cuts is added pixel by pixel. */
static double block_sum(const uc_image *from, int x0, int x1, int y0, int y1, bool whole)
{
    const size_t row = (size_t)from->width;
    double sum = 0;
    if (from->mode != UC_IMAGE_F) {
        for (int v = y0; v < y1; v++) {
            for (int u = x0; u < x1; u++) {
                sum += load(from, (size_t)v * row + (size_t)u);
            }
        }
        return sum;
    }
    double total = 0;
    for (int v = y0; v < y1; v += 2) {
        const float *a = (const float *)from->data + (size_t)v * row;
        const float *b = whole && v + 1 < y1 ? a + row : NULL;
        if (!whole) v--; /* one row at a time */
        for (int u = x0; u < x1;) {
            if (whole && u + 1 < x1) {
                total += (double)(b ? a[u] + a[u + 1] + b[u] + b[u + 1] : a[u] + a[u + 1]);
                u += 2;
            } else {
                total += (double)(b ? a[u] + b[u] : a[u]);
                u++;
            }
        }
    }
    return total;
}

/* Image.reduce((fx, fy), box): block means. */
static uncork_status reduce(const uc_image *from, int fx, int fy, const int box[4], uc_arena *arena,
                            uc_image *image, uncork_error *error)
{
    int width = (box[2] - box[0] + fx - 1) / fx, height = (box[3] - box[1] + fy - 1) / fy;
    UC_TRY(uc_image_new(from->mode, width, height, arena, image, error));
    size_t channels = (size_t)uc_image_channels(from->mode);
    bool wide = uc_image_channel_bytes(from->mode) != 1;
    for (int y = 0; y < height; y++) {
        UC_TRY(uc_arena_check(arena, error));
        int y0 = box[1] + y * fy, y1 = y0 + fy < box[3] ? y0 + fy : box[3];
        for (int x = 0; x < width; x++) {
            int x0 = box[0] + x * fx, x1 = x0 + fx < box[2] ? x0 + fx : box[2];
            uint32_t n = (uint32_t)(x1 - x0) * (uint32_t)(y1 - y0);
            for (size_t c = 0; c < channels; c++) {
                uint64_t sum = n / 2;
                double sum_wide =
                    wide ? block_sum(from, x0, x1, y0, y1, x1 - x0 == fx && y1 - y0 == fy) : 0.0;
                for (int v = y0; v < y1 && !wide; v++) {
                    for (int u = x0; u < x1; u++) {
                        size_t i = ((size_t)v * (size_t)from->width + (size_t)u) * channels + c;
                        sum += ((const uint8_t *)from->data)[i];
                    }
                }
                size_t to = ((size_t)y * (size_t)width + (size_t)x) * channels + c;
                if (wide) {
                    store(image, to, sum_wide * (1.0 / n));
                } else {
                    uint32_t multiplier = (uint32_t)((float)4294967296.0 / (float)(256u * n));
                    ((uint8_t *)image->data)[to] = (uint8_t)((uint32_t)sum * multiplier >> 24);
                }
            }
        }
    }
    return UNCORK_OK;
}

/* Shrinks by whole factors first when the gap allows; moves the box to the reduced picture. */
static uncork_status apply_gap(const uc_image *from, int width, int height, uc_pillow_filter filter,
                               double gap, double box[4], uc_arena *arena, uc_image *image,
                               uncork_error *error)
{
    int fx = (int)((box[2] - box[0]) / width / gap), fy = (int)((box[3] - box[1]) / height / gap);
    if (fx < 1) fx = 1;
    if (fy < 1) fy = 1;
    *image = *from;
    if (fx == 1 && fy == 1) return UNCORK_OK;
    double support = filters[filter].support - 0.5;
    double sx = support * ((box[2] - box[0]) / width), sy = support * ((box[3] - box[1]) / height);
    int safe[4] = {(int)(box[0] - sx), (int)(box[1] - sy), (int)ceil(box[2] + sx),
                   (int)ceil(box[3] + sy)};
    if (box[0] - sx < 0) safe[0] = 0;
    if (box[1] - sy < 0) safe[1] = 0;
    if (safe[2] > from->width) safe[2] = from->width;
    if (safe[3] > from->height) safe[3] = from->height;
    uc_image small;
    UC_TRY(reduce(from, fx, fy, safe, arena, &small, error));
    *image = small; /* may be the source itself */
    box[0] = (box[0] - safe[0]) / fx;
    box[2] = (box[2] - safe[0]) / fx;
    box[1] = (box[1] - safe[1]) / fy;
    box[3] = (box[3] - safe[1]) / fy;
    return UNCORK_OK;
}

static void premultiply(uc_image *im)
{
    size_t channels = (size_t)uc_image_channels(im->mode),
           n = (size_t)im->width * (size_t)im->height;
    uint8_t *p = im->data;
    for (size_t i = 0; i < n; i++, p += channels) {
        for (size_t c = 0; c + 1 < channels; c++) {
            p[c] = (uint8_t)uc_muldiv255(p[c], p[channels - 1]);
        }
    }
}

static uncork_status premultiplied(const uc_image *from, uc_arena *arena, uc_image *image,
                                   uncork_error *error)
{
    UC_TRY(uc_image_new(from->mode, from->width, from->height, arena, image, error));
    memcpy(image->data, from->data,
           (size_t)from->width * (size_t)from->height * (size_t)uc_image_channels(from->mode));
    premultiply(image);
    return UNCORK_OK;
}

static void unpremultiply(uc_image *im)
{
    size_t channels = (size_t)uc_image_channels(im->mode),
           n = (size_t)im->width * (size_t)im->height;
    uint8_t *p = im->data;
    for (size_t i = 0; i < n; i++, p += channels) {
        unsigned alpha = p[channels - 1];
        if (alpha == 0 || alpha == 255) continue;
        for (size_t c = 0; c + 1 < channels; c++) {
            unsigned v = 255u * p[c] / alpha;
            p[c] = (uint8_t)(v > 255 ? 255 : v);
        }
    }
}

static uncork_status smooth(const uc_image *from, int width, int height, uc_pillow_filter filter,
                            double box[4], double gap, int version, uc_arena *arena,
                            uc_image *image, uncork_error *error)
{
    uc_image source = *from;
    const bool alpha = from->mode == UC_IMAGE_RGBA || from->mode == UC_IMAGE_LA;
    if (alpha) UC_TRY(premultiplied(from, arena, &source, error));
    if (gap > 0) UC_TRY(apply_gap(&source, width, height, filter, gap, box, arena, &source, error));
    UC_TRY(resample(&source, width, height, filter, box, version, arena, image, error));
    if (alpha) unpremultiply(image); /* a skipped pass leaves the copy: still ours */
    return UNCORK_OK;
}

uncork_status uc_reduce_pillow(const uc_image *from, int fx, int fy, const int *box,
                               uc_arena *arena, uc_image *image, uncork_error *error)
{
    const int whole[4] = {0, 0, from->width, from->height}, *b = box ? box : whole;
    if (fx < 1 || fy < 1 || b[0] < 0 || b[1] < 0 || b[2] > from->width || b[3] > from->height ||
        b[2] <= b[0] || b[3] <= b[1])
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "a picture of %d x %d can't be reduced by %d x %d in that box", from->width,
                       from->height, fx, fy);
    if (fx == 1 && fy == 1 && memcmp(b, whole, sizeof whole) == 0) {
        *image = *from;
        return UNCORK_OK;
    }
    if (from->mode == UC_IMAGE_1 || from->mode == UC_IMAGE_P || from->mode == UC_IMAGE_I16)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "Pillow doesn't reduce mode %s",
                       uc_image_mode_name(from->mode));
    const bool alpha = from->mode == UC_IMAGE_RGBA || from->mode == UC_IMAGE_LA;
    uc_image source = *from, to;
    if (alpha) UC_TRY(premultiplied(from, arena, &source, error));
    UC_TRY(reduce(&source, fx, fy, b, arena, &to, error));
    if (alpha) unpremultiply(&to);
    to.format = from->format;
    to.orientation = 1;
    *image = to;
    return UNCORK_OK;
}

uncork_status uc_resize_pillow(const uc_image *from, int width, int height, uc_pillow_filter filter,
                               const double *box, double reducing_gap, int version, uc_arena *arena,
                               uc_image *image, uncork_error *error)
{
    double whole[4] = {0, 0, from->width, from->height};
    if (box) memcpy(whole, box, sizeof whole);
    if (!(whole[0] >= 0 && whole[1] >= 0 && whole[2] <= from->width && whole[3] <= from->height &&
          whole[2] >= whole[0] && whole[3] >= whole[1])) { /* an empty box is a place to Pillow */
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "the box doesn't lie in the picture of %d x %d", from->width, from->height);
    }
    bool indexed = from->mode == UC_IMAGE_1 || from->mode == UC_IMAGE_P;
    if (filter == UC_PILLOW_DEFAULT) filter = version < 7 ? UC_PILLOW_NEAREST : UC_PILLOW_BICUBIC;
    if (indexed) filter = UC_PILLOW_NEAREST;
    bool full = !(whole[0] > 0) && !(whole[1] > 0) && !(whole[2] < from->width) &&
                !(whole[3] < from->height);
    if (full && width == from->width && height == from->height) {
        *image = *from;
        return UNCORK_OK;
    }
    uc_image to;
    UC_TRY(filter == UC_PILLOW_NEAREST ? nearest(from, width, height, whole, arena, &to, error)
                                       : smooth(from, width, height, filter, whole, reducing_gap,
                                                version, arena, &to, error));
    to.format = from->format;
    to.orientation = 1;
    *image = to;
    return UNCORK_OK;
}
