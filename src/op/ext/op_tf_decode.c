/* Files to pixels and back: DecodeJpeg, DecodeAndCropJpeg, ExtractJpegShape, DecodePng, DecodeBmp, DecodeGif,
 * DecodeImage, EncodePng, DecodeWav, EncodeWav; EnsureShape, which says what they can't.
 *
 * Source: tensorflow/core/kernels/image/decode_image_op.cc, extract_jpeg_shape_op.cc, encode_png_op.cc;
 * core/lib/wav/wav_io.cc. */
#include "base/reader.h"
#include "image/decode.h"
#include "image/write.h"
#include "op/ext/tf_call.h"
#include "op/move.h"

#include <inttypes.h>
#include <math.h>

/* ---- pictures -------------------------------------------------------------------------------- */

static uncork_status read_options(uc_call *call, uc_tensorflow_decode *o)
{
    static const struct {
        const char *name;
        uc_tensorflow_op op;
    } ops[] = {{"TfDecodeImage", UC_TF_DECODE_IMAGE},      {"TfDecodeJpeg", UC_TF_DECODE_JPEG},
               {"TfDecodeAndCropJpeg", UC_TF_DECODE_JPEG}, {"TfDecodePng", UC_TF_DECODE_PNG},
               {"TfDecodeBmp", UC_TF_DECODE_BMP},          {"TfDecodeGif", UC_TF_DECODE_GIF}};
    *o = (uc_tensorflow_decode){.channels = (int)uc_call_int(call, "channels", 0)};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(call->op->name, ops[i].name) == 0) o->op = ops[i].op;
    }
    o->accurate_dct = uc_tf_attr_is(call, "dct_method", "INTEGER_ACCURATE");
    o->plain_upscaling = uc_call_int(call, "fancy_upscaling", 1) == 0;
    o->ratio = (int)uc_call_int(call, "ratio", 1);
    o->try_recover = uc_call_int(call, "try_recover_truncated", 0) != 0;
    o->dtype = uc_tf_type_of(call, "dtype", UNCORK_UINT8);
    o->first_frame_only = uc_call_int(call, "expand_animations", 1) == 0;
    const int64_t c = uc_call_int(call, "channels", 0);
    if (c < 0 || c > 4 || c == 2)
        return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " channels", c);
    if (o->ratio != 1 && o->ratio != 2 && o->ratio != 4 && o->ratio != 8)
        return uc_call_fail(call, UNCORK_MALFORMED, "a ratio of %d", o->ratio);
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    uc_tensorflow_decode o;
    UC_TRY(read_options(call, &o));
    if (uc_call_dtype(call, 0) && uc_call_dtype(call, 0) != UNCORK_STRING)
        return uc_call_fail(call, UNCORK_INPUT, "a string is wanted, not %s",
                            uc_dtype_name(uc_call_dtype(call, 0)));
    const int64_t channels = o.op == UC_TF_DECODE_GIF ? 3
                             : o.channels             ? o.channels
                                                      : UC_DIM_UNKNOWN;
    const int64_t shape[] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN, channels},
                  four[] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN, UC_DIM_UNKNOWN, channels};
    if (o.op == UC_TF_DECODE_GIF) return uc_call_shape(call, 0, UNCORK_UINT8, 4, four);
    if (o.op == UC_TF_DECODE_IMAGE && !o.first_frame_only)
        return uc_call_shape(call, 0, o.dtype, -1, NULL);
    return uc_call_shape(call, 0, o.dtype, 3, shape);
}

/* GIFs keep their frames in front where the operator gives four dimensions. */
static bool keeps_frames(const uc_tensorflow_decode *o, uc_bytes bytes)
{
    const bool gif = bytes.size >= 4 && memcmp(bytes.data, "GIF8", 4) == 0;
    return o->op == UC_TF_DECODE_GIF ||
           (o->op == UC_TF_DECODE_IMAGE && !o->first_frame_only && gif);
}

static uncork_status decode(uc_call *call, uc_arena *arena)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensorflow_decode o;
    uc_pixels p;
    int frames = 1;
    uc_tensor *y = NULL;
    UC_TRY(read_options(call, &o));
    if (uc_tensor_count(x) != 1) return uc_call_fail(call, UNCORK_INPUT, "one string is wanted");
    const uc_str s = uc_tensor_string(x, 0);
    const uc_bytes bytes = {.data = (const uint8_t *)s.data, .size = s.size};
    UC_TRY(uc_decode_tensorflow(bytes, &o, arena, &p, &frames, call->error));
    int64_t top = 0, left = 0, height = p.height, width = p.width;
    if (call->in_count > 1) {
        int64_t crop[UNCORK_MAX_RANK];
        size_t n = 0;
        UC_TRY(uc_call_small_ints(call, 1, crop, &n));
        if (n != 4 || crop[0] < 0 || crop[1] < 0 || crop[2] < 1 || crop[3] < 1 ||
            crop[0] > height - crop[2] || crop[1] > width - crop[3])
            return uc_call_fail(call, UNCORK_INPUT, "its crop isn't within the picture");
        top = crop[0];
        left = crop[1];
        height = crop[2];
        width = crop[3];
    }
    const bool four = keeps_frames(&o, bytes);
    const int64_t shape[] = {frames, four ? p.height : height, width, p.channels};
    UC_TRY(uc_call_output(call, 0, p.dtype, four ? 4 : 3, four ? shape : shape + 1, &y));
    const size_t row = (size_t)width * (size_t)p.channels * uc_dtype_size(p.dtype);
    const size_t from = (size_t)p.width * (size_t)p.channels * uc_dtype_size(p.dtype);
    const int64_t line = width * p.channels, rows = line > 0 ? uc_tensor_count(y) / line : 0;
    for (int64_t i = 0; i < rows; i++) {
        memcpy((char *)y->data + (size_t)i * row,
               (const char *)p.data + (size_t)(top + i) * from +
                   (size_t)left * (row / (size_t)width),
               row);
    }
    return UNCORK_OK;
}

static uncork_status with_arena(uc_call *call, uncork_status (*work)(uc_call *, uc_arena *))
{
    uc_arena *arena = uc_arena_new(call->budget);
    if (!arena) return uc_fail_memory(call->error);
    const uncork_status status = work(call, arena);
    uc_arena_free(arena);
    return status;
}

static uncork_status run(uc_call *call) { return with_arena(call, decode); }
UC_TF_ROW(tf_decode_and_crop_jpeg, "TfDecodeAndCropJpeg", 2, 2, 1, infer, run)
UC_TF_ROW(tf_decode_bmp, "TfDecodeBmp", 1, 1, 1, infer, run)
UC_TF_ROW(tf_decode_gif, "TfDecodeGif", 1, 1, 1, infer, run)
UC_TF_ROW(tf_decode_image, "TfDecodeImage", 1, 1, 1, infer, run)
UC_TF_ROW(tf_decode_jpeg, "TfDecodeJpeg", 1, 1, 1, infer, run)
UC_TF_ROW(tf_decode_png, "TfDecodePng", 1, 1, 1, infer, run)

static uncork_status infer_jpeg_shape(uc_call *call)
{
    const int64_t shape[] = {3};
    return uc_call_shape(call, 0, uc_tf_type_of(call, "output_type", UNCORK_INT32), 1, shape);
}

static uncork_status jpeg_shape(uc_call *call, uc_arena *arena)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uc_tensorflow_decode o = {.op = UC_TF_DECODE_JPEG};
    uc_pixels p;
    int frames = 1;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    if (uc_tensor_count(x) != 1) return uc_call_fail(call, UNCORK_INPUT, "one string is wanted");
    const uc_str s = uc_tensor_string(x, 0);
    UC_TRY(uc_decode_tensorflow((uc_bytes){.data = (const uint8_t *)s.data, .size = s.size}, &o,
                                arena, &p, &frames, call->error));
    uc_tf_put_int(y->data, 0, y->dtype, p.height);
    uc_tf_put_int(y->data, 1, y->dtype, p.width);
    uc_tf_put_int(y->data, 2, y->dtype, p.channels);
    return UNCORK_OK;
}

static uncork_status run_jpeg_shape(uc_call *call) { return with_arena(call, jpeg_shape); }
UC_TF_ROW(tf_extract_jpeg_shape, "TfExtractJpegShape", 1, 1, 1, infer_jpeg_shape, run_jpeg_shape)

/* ---- EncodePng ------------------------------------------------------------------------------- */

static uncork_status infer_encode(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (x->rank < 0) return uc_tf_infer_open(call, 0, UNCORK_STRING, -1);
    return uc_call_shape(call, 0, UNCORK_STRING, x->rank > 3 ? x->rank - 3 : 0, x->shape);
}

static uncork_status run_encode(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tf_texts out = {.call = call};
    if (x->rank < 3 || (x->dtype != UNCORK_UINT8 && x->dtype != UNCORK_UINT16))
        return uc_call_fail(call, UNCORK_INPUT, "a picture of uint8 or uint16 is wanted");
    const int64_t *s = x->shape + x->rank - 3;
    const int64_t count = uc_tf_product(x->shape, 0, x->rank - 3), each = s[0] * s[1] * s[2];
    if (s[0] < 1 || s[1] < 1 || s[2] < 1 || s[2] > 4 || s[0] > INT32_MAX || s[1] > INT32_MAX)
        return uc_call_fail(call, UNCORK_INPUT, "a picture of 1 to 4 channels is wanted");
    for (int64_t i = 0; i < count; i++) {
        const uc_pixels p = {.dtype = x->dtype,
                             .height = (int)s[0],
                             .width = (int)s[1],
                             .channels = (int)s[2],
                             .data =
                                 (char *)x->data + (size_t)(i * each) * uc_dtype_size(x->dtype)};
        uc_writer w;
        uc_writer_init(&w, (size_t)1 << 31);
        const uncork_status status = uc_png_write(&p, NULL, &w, call->error);
        if (!status) uc_tf_texts_add(&out, (const char *)w.data, w.size);
        uc_writer_done(&w);
        UC_TRY(status);
    }
    return uc_tf_texts_give(&out, 0, x->rank - 3, x->shape);
}
UC_TF_ROW(tf_encode_png, "TfEncodePng", 1, 1, 1, infer_encode, run_encode)

/* ---- sound ----------------------------------------------------------------------------------- */

static uncork_status infer_wav(uc_call *call)
{
    UC_TRY(uc_tf_infer_open(call, 0, UNCORK_FLOAT32, 2));
    return uc_call_shape(call, 1, UNCORK_INT32, 0, NULL);
}

typedef struct wave {
    uint32_t channels, rate;
    uc_bytes samples;
} wave;

static uncork_status read_wave(uc_call *call, uc_str s, wave *w)
{
    uc_reader r = uc_reader_over(s.data, s.size, 0, call->error);
    const uc_bytes riff = uc_reader_take(&r, 12, "a WAV header");
    bool format = false;
    if (r.failed || memcmp(riff.data, "RIFF", 4) != 0 || memcmp(riff.data + 8, "WAVE", 4) != 0)
        return uc_call_fail(call, UNCORK_INPUT, "it isn't a WAV file");
    while (!r.failed && uc_reader_left(&r) >= 8) {
        const uc_bytes id = uc_reader_take(&r, 4, "a chunk");
        const uint32_t size = uc_reader_u32le(&r, "a chunk's size");
        if (memcmp(id.data, "data", 4) == 0 && format) {
            w->samples = uc_reader_take(&r, size <= uc_reader_left(&r) ? size : uc_reader_left(&r),
                                        "samples");
            return UNCORK_OK;
        }
        uc_reader in = uc_reader_sub(&r, size, "a chunk");
        if (memcmp(id.data, "fmt ", 4) == 0) {
            const uint16_t kind = uc_reader_u16le(&in, "a format");
            w->channels = uc_reader_u16le(&in, "channels");
            w->rate = uc_reader_u32le(&in, "a rate");
            uc_reader_skip(&in, 6, "a format");
            const uint16_t bits = uc_reader_u16le(&in, "bits");
            if (in.failed || (kind != 1 && kind != 0xFFFE) || bits != 16 || w->channels < 1)
                return uc_call_fail(call, UNCORK_UNSUPPORTED, "only PCM of 16 bits is supported");
            format = true;
        }
        if (size % 2 && uc_reader_left(&r)) uc_reader_skip(&r, 1, "a pad");
    }
    return uc_call_fail(call, UNCORK_INPUT, "the WAV file has no samples");
}

static uncork_status run_wav(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    wave w = {0};
    uc_tensor *y = NULL, *rate = NULL;
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    if (uc_tensor_count(x) != 1) return uc_call_fail(call, UNCORK_INPUT, "one string is wanted");
    UC_TRY(read_wave(call, uc_tensor_string(x, 0), &w));
    const int64_t have = (int64_t)(w.samples.size / 2 / w.channels);
    int64_t channels = uc_call_int(call, "desired_channels", -1),
            samples = uc_call_int(call, "desired_samples", -1);
    if (channels < 0) channels = w.channels;
    if (samples < 0) samples = have;
    const int64_t shape[] = {samples, channels};
    if (channels > 65535) return uc_call_fail(call, UNCORK_LIMIT, "%" PRId64 " channels", channels);
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT32, 2, shape, &y));
    for (int64_t i = 0; i < samples; i++) {
        for (int64_t c = 0; c < channels; c++) {
            const int64_t own = c < w.channels ? c : w.channels - 1;
            const uint8_t *b = i < have ? w.samples.data + 2 * (i * w.channels + own) : NULL;
            const int16_t v = b ? (int16_t)(b[0] | b[1] << 8) : 0;
            ((float *)y->data)[i * channels + c] = (float)v / 32768.0F;
        }
    }
    if (!uc_call_wants(call, 1)) return UNCORK_OK;
    UC_TRY(uc_call_output(call, 1, UNCORK_INT32, 0, NULL, &rate));
    *(int32_t *)rate->data = (int32_t)w.rate;
    return UNCORK_OK;
}
UC_TF_ROW(tf_decode_wav, "TfDecodeWav", 1, 1, 2, infer_wav, run_wav)

static void put_le(uint8_t *to, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(v >> (8 * i));
    }
}

static uncork_status infer_encode_wav(uc_call *call)
{
    return uc_call_shape(call, 0, UNCORK_STRING, 0, NULL);
}

static uncork_status run_encode_wav(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t rate;
    UC_TRY(uc_tf_want(call, 0, UNCORK_FLOAT32, 2));
    UC_TRY(uc_tf_one_int(call, 1, &rate));
    const int64_t n = uc_tensor_count(x), channels = x->shape[1];
    if (n > INT32_MAX / 4 || channels < 1 || channels > 1024 || rate < 1 || rate > INT32_MAX / 4096)
        return uc_call_fail(call, UNCORK_INPUT, "a sound of %" PRId64 " numbers at %" PRId64, n,
                            rate);
    uint8_t *to = uc_call_scratch(call, 44 + 2 * (size_t)n, 1);
    if (!to) return uc_fail_memory(call->error);
    memcpy(to, "RIFF....WAVEfmt ", 16);
    put_le(to + 4, (uint32_t)(36 + 2 * n), 4);
    put_le(to + 16, 16, 4);
    put_le(to + 20, 1, 2);
    put_le(to + 22, (uint32_t)channels, 2);
    put_le(to + 24, (uint32_t)rate, 4);
    put_le(to + 28, (uint32_t)(rate * channels * 2), 4);
    put_le(to + 32, (uint32_t)(channels * 2), 2);
    put_le(to + 34, 16, 2);
    memcpy(to + 36, "data", 4);
    put_le(to + 40, (uint32_t)(2 * n), 4);
    for (int64_t i = 0; i < n; i++) {
        const float v = fmaxf(fminf(((const float *)x->data)[i] * 32768.0F, 32767.0F), -32768.0F);
        put_le(to + 44 + 2 * i, (uint32_t)(int32_t)roundf(v), 2);
    }
    const uc_str s = {(const char *)to, 44 + 2 * (size_t)n};
    return uc_call_strings(call, 0, &s, 0, NULL);
}
UC_TF_ROW(tf_encode_wav, "TfEncodeWav", 2, 2, 1, infer_encode_wav, run_encode_wav)

/* ---- EnsureShape: what is known of a value that says too little -------------------------------- */

static uncork_status infer_ensure(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    size_t n = 0;
    int64_t shape[UNCORK_MAX_RANK];
    const int64_t *want = uc_call_ints(call, "shape", &n);
    if (n > UNCORK_MAX_RANK || (x->rank >= 0 && x->rank != (int)n))
        return uc_call_fail(call, UNCORK_INPUT, "%d dimensions, not %zu", x->rank, n);
    for (size_t d = 0; d < n; d++) {
        const int64_t own = x->rank >= 0 ? x->shape[d] : UC_DIM_UNKNOWN;
        if (want[d] >= 0 && own >= 0 && want[d] != own)
            return uc_call_fail(call, UNCORK_INPUT, "dimension %zu is %" PRId64 ", not %" PRId64, d,
                                own, want[d]);
        shape[d] = want[d] >= 0 ? want[d] : own;
    }
    return uc_call_shape(call, 0, x->dtype, (int)n, shape);
}

static uncork_status run_ensure(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = NULL;
    UC_TRY(infer_ensure(call));
    if (x->dtype != UNCORK_STRING) UC_TRY(uc_call_output(call, 0, x->dtype, x->rank, x->shape, &y));
    return uc_move_same(call, 0, x);
}

const uc_op uc_op_tf_ensure_shape = {.domain = "uncork",
                                     .name = "TfEnsureShape",
                                     .in = {1, 1},
                                     .out = {1, 1},
                                     .infer = infer_ensure,
                                     .run = run_ensure};
