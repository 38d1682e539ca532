/* torchvision's decode_image, and the readers that stand on Pillow. */
#include "vectors.h"

static uncork_status torchvision(vector *v)
{
    static const char *const modes[] = {"UNCHANGED", "GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA"};
    uc_str mode = vector_text(v, "mode", "UNCHANGED");
    uc_pixels pixels;
    int frames;
    for (int i = 0; i < 5; i++) {
        if (!uc_str_is(mode, modes[i])) continue;
        UC_TRY(uc_decode_torchvision(v->file, i, v->arena, &pixels, &frames, v->error));
        int64_t shape[] = {frames, pixels.height, pixels.width, pixels.channels};
        return vector_give(v, pixels.dtype, 4, shape, pixels.data);
    }
    return vector_unknown(v, "mode");
}

static uncork_status skimage(vector *v)
{
    uc_pixels pixels;
    UC_TRY(uc_decode_skimage(v->file, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status matplotlib(vector *v)
{
    uc_pixels pixels;
    UC_TRY(uc_decode_matplotlib(v->file, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

const vector_row vectors_readers[] = {
    {"torchvision", "decode_image", torchvision},
    {"skimage", "io.imread", skimage},
    {"imageio", "v3.imread", skimage},
    {"matplotlib", "image.imread", matplotlib},
    {NULL, NULL, NULL},
};
