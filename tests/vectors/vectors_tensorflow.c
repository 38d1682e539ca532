/* tf.io.decode_*. */
#include "vectors.h"

static uncork_status give_frames(vector *v, const uc_pixels *pixels, int frames)
{
    int64_t shape[] = {frames, pixels->height, pixels->width, pixels->channels};
    return vector_give(v, pixels->dtype, 4, shape, pixels->data);
}

static uncork_status decode(vector *v, uc_tensorflow_op op)
{
    uc_str dct = vector_text(v, "dct_method", ""), dtype = vector_text(v, "dtype", "uint8");
    uc_tensorflow_decode o = {.op = op,
                              .channels = (int)vector_number(v, "channels", 0),
                              .accurate_dct = uc_str_is(dct, "INTEGER_ACCURATE"),
                              .plain_upscaling = !vector_flag(v, "fancy_upscaling", true),
                              .ratio = (int)vector_number(v, "ratio", 1),
                              .try_recover = vector_flag(v, "try_recover_truncated", false),
                              .dtype = UNCORK_UINT8,
                              .first_frame_only = !vector_flag(v, "expand_animations", true)};
    if (dct.size && !o.accurate_dct && !uc_str_is(dct, "INTEGER_FAST"))
        return vector_unknown(v, "dct_method");
    if (uc_str_is(dtype, "uint16"))
        o.dtype = UNCORK_UINT16;
    else if (uc_str_is(dtype, "float32"))
        o.dtype = UNCORK_FLOAT32;
    else if (!uc_str_is(dtype, "uint8"))
        return vector_unknown(v, "dtype");
    uc_pixels pixels;
    int frames;
    UC_TRY(uc_decode_tensorflow(v->file, &o, v->arena, &pixels, &frames, v->error));
    return give_frames(v, &pixels, frames);
}

static uncork_status image(vector *v) { return decode(v, UC_TF_DECODE_IMAGE); }
static uncork_status jpeg(vector *v) { return decode(v, UC_TF_DECODE_JPEG); }
static uncork_status png(vector *v) { return decode(v, UC_TF_DECODE_PNG); }
static uncork_status bmp(vector *v) { return decode(v, UC_TF_DECODE_BMP); }
static uncork_status gif(vector *v) { return decode(v, UC_TF_DECODE_GIF); }

const vector_row vectors_tensorflow[] = {
    {"tensorflow", "decode_image", image}, {"tensorflow", "decode_jpeg", jpeg},
    {"tensorflow", "decode_png", png},     {"tensorflow", "decode_bmp", bmp},
    {"tensorflow", "decode_gif", gif},     {NULL, NULL, NULL},
};
