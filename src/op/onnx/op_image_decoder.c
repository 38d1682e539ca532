/* ImageDecoder: the bytes of a picture file to its pixels.
 *
 * Source: ONNX operator ImageDecoder, opset 20, whose reference decodes as Pillow does.
 * encoded  uint8 [bytes];  image  uint8 [height, width, 3] (RGB, BGR) or [height, width, 1] */
#include "image/image.h"
#include "op/shape.h"

static uncork_status read_format(uc_call *call, bool *grey, bool *turned)
{
    uc_str format = uc_call_str(call, "pixel_format", "RGB");
    *grey = uc_str_is(format, "Grayscale");
    *turned = uc_str_is(format, "BGR");
    if (*grey || *turned || uc_str_is(format, "RGB")) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "pixel_format is '%.*s'", (int)format.size,
                        format.data);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool grey, turned;
    UC_TRY(read_format(call, &grey, &turned));
    if ((x->dtype && x->dtype != UNCORK_UINT8) || (x->rank >= 0 && x->rank != 1)) {
        return uc_call_fail(call, UNCORK_INPUT, "a row of uint8 is wanted, not %d dimensions of %s",
                            x->rank, uc_dtype_name(x->dtype));
    }
    const int64_t shape[] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN, grey ? 1 : 3};
    return uc_call_shape(call, 0, UNCORK_UINT8, 3, shape);
}

static uncork_status decode(uc_call *call, uc_arena *arena, bool grey, bool turned)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_image file, image;
    uc_tensor *y = NULL;
    uc_bytes bytes = {.data = x->data, .size = (size_t)uc_tensor_count(x)};
    UC_TRY(uc_image_decode(bytes, arena, &file, call->error));
    UC_TRY(uc_image_convert(&file, grey ? UC_IMAGE_L : UC_IMAGE_RGB, arena, &image, call->error));
    const int64_t shape[] = {image.height, image.width, grey ? 1 : 3};
    UC_TRY(uc_call_output(call, 0, UNCORK_UINT8, 3, shape, &y));
    const uint8_t *from = image.data;
    uint8_t *to = y->data;
    int64_t count = uc_tensor_count(y);
    memcpy(to, from, (size_t)count);
    for (int64_t i = 0; turned && i + 2 < count; i += 3) {
        to[i] = from[i + 2];
        to[i + 2] = from[i];
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    bool grey, turned;
    UC_TRY(read_format(call, &grey, &turned));
    uc_arena *arena = uc_arena_new(call->budget);
    if (!arena) return uc_fail_memory(call->error);
    uncork_status status = decode(call, arena, grey, turned);
    uc_arena_free(arena);
    return status;
}

const uc_op uc_op_image_decoder = {
    .name = "ImageDecoder", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run};
