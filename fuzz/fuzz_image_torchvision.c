/* Any bytes as a picture read as torchvision reads it, and through matplotlib's reader and a draft. */
#include "fuzz_decode.h"

static uncork_status decode(uc_bytes bytes, unsigned way, uc_arena *arena, uncork_error *error)
{
    uc_pixels pixels;
    uc_image image;
    int frames;
    if (way % 8 == 7) return uc_decode_matplotlib(bytes, arena, &pixels, error);
    if (way % 8 > 4) return uc_decode_pillow_draft(bytes, way & 8, 8, 8, arena, &image, error);
    return uc_decode_torchvision(bytes, (int)(way % 8), arena, &pixels, &frames, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_decode(data, size, decode);
}
