/* Ultralytics' LetterBox: cv2.resize to fit, then a border of one value.
 * Whose results are matched: Ultralytics 8.4, data/augment.py. */
#include "image/letterbox.h"

#include <math.h>

uc_letterbox uc_letterbox_plan(uc_size from, const uc_letterbox_options *options)
{
    const double h = (double)options->height / from.height, w = (double)options->width / from.width;
    double ratio = fmin(h, w);
    if (options->no_scale_up) ratio = fmin(ratio, 1.0);
    uc_letterbox box = {.from = from, .scale_x = ratio, .scale_y = ratio};
    box.inner.width = (int)fmax(rint(from.width * ratio), 1);
    box.inner.height = (int)fmax(rint(from.height * ratio), 1);
    double spare_x = options->width - box.inner.width, spare_y = options->height - box.inner.height;
    if (options->minimum_rectangle) {
        const int stride = options->stride > 0 ? options->stride : 32;
        spare_x -= floor(spare_x / stride) * stride;
        spare_y -= floor(spare_y / stride) * stride;
    } else if (options->scale_fill) {
        spare_x = spare_y = 0;
        box.inner = (uc_size){options->width, options->height};
        box.scale_x = w;
        box.scale_y = h;
    }
    if (!options->corner) {
        spare_x /= 2;
        spare_y /= 2;
        box.left = (int)rint(spare_x - 0.1);
        box.top = (int)rint(spare_y - 0.1);
    }
    box.to.width = box.left + box.inner.width + (int)rint(spare_x + 0.1);
    box.to.height = box.top + box.inner.height + (int)rint(spare_y + 0.1);
    return box;
}

uncork_status uc_letterbox_apply(const uc_pixels *from, const uc_letterbox_options *options,
                                 uc_arena *arena, uc_pixels *pixels, uc_letterbox *record,
                                 uncork_error *error)
{
    if (options->width < 1 || options->height < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a letterbox of %d x %d pixels",
                       options->width, options->height);
    const uc_letterbox box = uc_letterbox_plan((uc_size){from->width, from->height}, options);
    double fill[16];
    for (int c = 0; c < 16; c++) {
        fill[c] = options->padding;
    }
    uc_pixels inner;
    UC_TRY(uc_resize_opencv(from, box.inner.width, box.inner.height, options->filter, arena, &inner,
                            error));
    UC_TRY(uc_pixels_window(&inner, -box.left, -box.top, box.to, fill, arena, pixels, error));
    *record = box;
    return UNCORK_OK;
}
