/* Pillow's thumbnail, contain, cover, pad and fit.
 * Whose results are matched: Pillow 13, Image.py and ImageOps.py. */
#include "image/imageops.h"

#include <math.h>

static uncork_status resized(const uc_image *from, uc_size to, uc_pillow_filter filter,
                             const double *box, double gap, int version, uc_arena *arena,
                             uc_image *image, uncork_error *error)
{
    if (to.width < 1 || to.height < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a resize to %d x %d pixels", to.width,
                       to.height);
    return uc_resize_pillow(from, to.width, to.height, filter, box, gap, version, arena, image,
                            error);
}

static uc_size size_of(const uc_image *image) { return (uc_size){image->width, image->height}; }

uncork_status uc_thumbnail_pillow(const uc_image *from, double width, double height,
                                  uc_pillow_filter filter, double reducing_gap, int version,
                                  uc_arena *arena, uc_image *image, uncork_error *error)
{
    return resized(from, uc_fit_thumbnail(size_of(from), width, height), filter, NULL, reducing_gap,
                   version, arena, image, error);
}

uncork_status uc_contain_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter,
                                int version, uc_arena *arena, uc_image *image, uncork_error *error)
{
    return resized(from, uc_fit_contain(size_of(from), to), filter, NULL, 0, version, arena, image,
                   error);
}

uncork_status uc_cover_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter,
                              int version, uc_arena *arena, uc_image *image, uncork_error *error)
{
    return resized(from, uc_fit_cover(size_of(from), to), filter, NULL, 0, version, arena, image,
                   error);
}

uncork_status uc_window_pillow(const uc_image *from, int left, int top, uc_size size,
                               const double *fill, uc_arena *arena, uc_image *image,
                               uncork_error *error)
{
    const size_t depth = uc_image_channel_bytes(from->mode);
    /* the bytes as they lie, mode 1 and P too, so that every mode keeps its own */
    const uc_pixels view = {from->mode == UC_IMAGE_F   ? UNCORK_FLOAT32
                            : from->mode == UC_IMAGE_I ? UNCORK_INT32
                            : depth == 2               ? UNCORK_UINT16
                                                       : UNCORK_UINT8,
                            from->height, from->width, uc_image_channels(from->mode), from->data};
    uc_pixels to;
    uc_image out = *from;
    UC_TRY(uc_pixels_window(&view, left, top, size, fill, arena, &to, error));
    out.width = to.width;
    out.height = to.height;
    out.data = to.data;
    *image = out;
    return UNCORK_OK;
}

static double within_one(double v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

uncork_status uc_pad_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter,
                            const double *color, const double centering[2], int version,
                            uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_image inner;
    const uc_size fits = uc_fit_contain(size_of(from), to);
    if (fits.width < 1 || fits.height < 1) /* a picture of no pixels: the color alone */
        return uc_window_pillow(from, from->width, from->height, to, color, arena, image, error);
    UC_TRY(uc_contain_pillow(from, to, filter, version, arena, &inner, error));
    const int left = inner.width == to.width
                         ? 0
                         : (int)rint((to.width - inner.width) * within_one(centering[0]));
    const int top = inner.width != to.width
                        ? 0
                        : (int)rint((to.height - inner.height) * within_one(centering[1]));
    return uc_window_pillow(&inner, -left, -top, to, color, arena, image, error);
}

uncork_status uc_fit_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter, double bleed,
                            const double centering[2], int version, uc_arena *arena,
                            uc_image *image, uncork_error *error)
{
    if (to.width < 1 || to.height < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a resize to %d x %d pixels", to.width,
                       to.height);
    const double cx = centering[0] >= 0 && centering[0] <= 1 ? centering[0] : 0.5,
                 cy = centering[1] >= 0 && centering[1] <= 1 ? centering[1] : 0.5,
                 part = bleed >= 0 && bleed < 0.5 ? bleed : 0;
    const double bx = part * from->width, by = part * from->height, live_w = from->width - bx * 2,
                 live_h = from->height - by * 2, live = live_w / live_h,
                 wanted = (double)to.width / to.height;
    const double w = live > wanted ? wanted * live_h : live_w,
                 h = live < wanted ? live_w / wanted : live_h, left = bx + (live_w - w) * cx,
                 top = by + (live_h - h) * cy;
    const double box[4] = {left, top, left + w, top + h};
    return resized(from, to, filter, box, 0, version, arena, image, error);
}
