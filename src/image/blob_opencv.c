/* cv2.dnn.blobFromImage.
 * Whose results are matched: OpenCV 5.0.0, modules/dnn/src/dnn_utils.cpp. */
#include "image/resize_opencv_parts.h"
#include "image/scale.h"

uncork_status uc_blob_opencv(const uc_pixels *from, const uc_blob_options *options, uc_arena *arena,
                             uc_pixels *blob, uncork_error *error)
{
    uc_pixels now = *from, floats;
    const uc_size size = options->size;
    const bool resize = size.width > 0 && size.height > 0 &&
                        (size.width != from->width || size.height != from->height);
    if (resize && options->crop) {
        const float x = (float)size.width / (float)from->width,
                    y = (float)size.height / (float)from->height;
        UC_TRY(uc_resize_opencv_by(from, (double)(x > y ? x : y), UC_OPENCV_LINEAR, arena, &now,
                                   error));
        UC_TRY(uc_pixels_window(&now, (int)(0.5 * (now.width - size.width)),
                                (int)(0.5 * (now.height - size.height)), size, NULL, arena, &now,
                                error));
    } else if (resize) {
        UC_TRY(
            uc_resize_opencv(from, size.width, size.height, UC_OPENCV_LINEAR, arena, &now, error));
    }
    if (now.dtype != UNCORK_UINT8 && now.dtype != UNCORK_FLOAT32)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "blobFromImage takes uint8 and float32 pictures here");
    UC_TRY(
        uc_pixels_new(UNCORK_FLOAT32, now.height, now.width, now.channels, arena, &floats, error));
    const float scale = (float)(options->scale > 0 || options->scale < 0 ? options->scale : 1.0);
    const bool swap = options->swap_rb && now.channels >= 3;
    const size_t channels = (size_t)now.channels, n = (size_t)now.width * (size_t)now.height;
    float *out = floats.data; /* channels first */
    for (size_t c = 0; c < channels; c++) {
        const size_t at = swap && c < 3 ? 2 - c : c;
        const float mean = c < 4 ? (float)options->mean[c] : 0.0f;
        for (size_t i = 0; i < n; i++) {
            const size_t p = i * channels + at;
            const float v = now.dtype == UNCORK_UINT8 ? (float)((const uint8_t *)now.data)[p]
                                                      : ((const float *)now.data)[p];
            *out++ = (v - mean) * scale;
        }
    }
    *blob = floats;
    return UNCORK_OK;
}
