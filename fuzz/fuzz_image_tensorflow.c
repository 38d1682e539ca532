/* Any bytes as a picture read as TensorFlow's operators read it. */
#include "fuzz_decode.h"

static uncork_status decode(uc_bytes bytes, unsigned way, uc_arena *arena, uncork_error *error)
{
    static const int channels[] = {0, 1, 3, 4};
    static const uncork_dtype dtypes[] = {UNCORK_UINT8, UNCORK_UINT16, UNCORK_FLOAT32,
                                          UNCORK_UINT8};
    uc_tensorflow_decode options = {.op = (uc_tensorflow_op)(way % 5),
                                    .channels = channels[way / 5 % 4],
                                    .dtype = dtypes[way / 20 % 4],
                                    .ratio = 1 << (way >> 5 & 3),
                                    .try_recover = way & 1,
                                    .first_frame_only = way & 2};
    uc_pixels pixels;
    int frames;
    return uc_decode_tensorflow(bytes, &options, arena, &pixels, &frames, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_decode(data, size, decode);
}
