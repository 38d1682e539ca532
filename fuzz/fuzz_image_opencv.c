/* Any bytes as a picture read as OpenCV reads it, by every flag. */
#include "fuzz_decode.h"

static uncork_status decode(uc_bytes bytes, unsigned way, uc_arena *arena, uncork_error *error)
{
    uc_pixels pixels;
    return uc_decode_opencv(bytes, (uc_opencv_read)(way % 8), way & 8, 1 << (way >> 4 & 3), arena,
                            &pixels, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_decode(data, size, decode);
}
