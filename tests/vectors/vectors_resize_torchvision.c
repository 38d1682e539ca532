/* torchvision's tensors and PIL transforms, timm and transformers. */
#include "vectors_resize.h"

#include "contract/contract.h"
#include "image/scale.h"

#include "steps.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

uncork_status vector_steps(const vector *v, uc_pixels *pixels, const char *format, ...)
{
    char spec[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(spec, sizeof spec, format, args);
    va_end(args);
    return steps_over(pixels, spec, v->arena, v->error);
}

uncork_status vector_give_planes(vector *v, const uc_pixels *pixels)
{
    void *planes;
    const int64_t shape[3] = {pixels->channels, pixels->height, pixels->width};
    UC_TRY(uc_pixels_planes(pixels, v->arena, &planes, v->error));
    return vector_give(v, pixels->dtype, 3, shape, planes);
}

static uncork_status tensor(vector *v, int version)
{
    static const char *const names[] = {"nearest", "nearest-exact", "bilinear", "bicubic",
                                        "lanczos"};
    const int filter = vector_name(v, "interpolation", "bilinear", names, 5);
    uc_size size;
    uc_pixels pixels;
    if (filter < 0) return vector_unknown(v, "interpolation");
    UC_TRY(vector_size_hw(v, "size_hw", &size));
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_resize_torchvision(&pixels, size.width, size.height, (uc_torchvision_filter)filter,
                                 vector_flag(v, "antialias", true), version, v->arena, &pixels,
                                 v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status tensor_v1(vector *v) { return tensor(v, 1); }

static uncork_status tensor_v2(vector *v) { return tensor(v, 2); }

/* ---- PIL pictures ---------------------------------------------------------------------------- */

static uncork_status open_rgb(const vector *v, uc_image *image)
{
    UC_TRY(vector_open(v, image));
    return uc_image_convert(image, UC_IMAGE_RGB, v->arena, image, v->error);
}

static uncork_status resize_to(const vector *v, uc_image *image, uc_size size,
                               uc_pillow_filter filter)
{
    return uc_resize_pillow(image, size.width, size.height, filter, NULL, 0, 13, v->arena, image,
                            v->error);
}

static uncork_status filter_of(const vector *v, uc_pillow_filter *filter)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear", "bicubic"};
    const int i = vector_name(v, "interpolation", "bilinear", names, 4);
    if (i < 0) return vector_unknown(v, "interpolation");
    *filter = (uc_pillow_filter)i;
    return UNCORK_OK;
}

static uncork_status center(const vector *v, uc_pixels *pixels, uc_center_rule rule, uc_size size)
{
    int left, top;
    uc_center(rule, (uc_size){pixels->width, pixels->height}, size, &left, &top);
    return uc_pixels_window(pixels, left, top, size, NULL, v->arena, pixels, v->error);
}

/* Resize(n) of a PIL picture, then CenterCrop, as an array; crop 0: none. */
static uncork_status classic(const vector *v, int resize, int max_size, uc_pillow_filter filter,
                             uc_size crop, uc_pixels *pixels)
{
    uc_image image;
    UC_TRY(open_rgb(v, &image));
    if (resize > 0)
        UC_TRY(resize_to(v, &image,
                         uc_fit_shorter((uc_size){image.width, image.height}, resize, max_size),
                         filter));
    UC_TRY(uc_pixels_of_image(&image, v->arena, pixels, v->error));
    return crop.width > 0 ? center(v, pixels, UC_CENTER_TORCHVISION, crop) : UNCORK_OK;
}

static uncork_status pil(vector *v)
{
    uc_pixels pixels;
    uc_pillow_filter filter = UC_PILLOW_BILINEAR;
    uc_size crop = {0, 0};
    int hw[2];
    UC_TRY(filter_of(v, &filter));
    if (vector_has(v, "crop")) {
        if (vector_ints(v, "crop", hw, 2) != UNCORK_OK)
            hw[0] = hw[1] = (int)vector_number(v, "crop", 0);
        crop = (uc_size){hw[1], hw[0]};
    }
    UC_TRY(classic(v, (int)vector_number(v, "resize", 0), (int)vector_number(v, "max_size", 0),
                   filter, crop, &pixels));
    return vector_give_pixels(v, &pixels);
}

static uncork_status grey(vector *v)
{
    uc_image image;
    UC_TRY(open_rgb(v, &image));
    UC_TRY(uc_image_convert(&image, UC_IMAGE_L, v->arena, &image, v->error));
    return vector_give_image(v, &image);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const double imagenet_mean[3] = {0.485, 0.456, 0.406},
                    imagenet_std[3] = {0.229, 0.224, 0.225};

static uncork_status grey_tensor(vector *v)
{
    uc_pixels pixels;
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_grey(&pixels, UC_GREY_TORCHVISION, v->arena, &pixels, v->error));
    return vector_give_planes(v, &pixels);
}

static uncork_status scaled(vector *v, const char *steps)
{
    uc_pixels pixels;
    UC_TRY(vector_rgb(v, &pixels));
    UC_TRY(vector_steps(v, &pixels, "%s", steps));
    return vector_give_planes(v, &pixels);
}

/* v1 divides, v2 multiplies by the nearest float32. */
static uncork_status to_tensor(vector *v) { return scaled(v, "float32 | scale=1/255"); }

static uncork_status to_dtype(vector *v)
{
    return scaled(v, "float32 | scale=0.00392156862745098");
}

static uncork_status normalize(const vector *v, uc_pixels *pixels, const char *scale,
                               const double *mean, const double *std)
{
    return vector_steps(v, pixels, "%s | mean=%.17g,%.17g,%.17g | std=%.17g,%.17g,%.17g", scale,
                        mean[0], mean[1], mean[2], std[0], std[1], std[2]);
}

/* x / 255, then mean and std of the parameters, or ImageNet's. */
static uncork_status give_normalized(vector *v, uc_pixels *pixels)
{
    double mean[3], std[3];
    memcpy(mean, imagenet_mean, sizeof mean);
    memcpy(std, imagenet_std, sizeof std);
    if (vector_has(v, "mean")) UC_TRY(vector_doubles(v, "mean", mean, 3));
    if (vector_has(v, "std")) UC_TRY(vector_doubles(v, "std", std, 3));
    UC_TRY(normalize(v, pixels, "float32 | scale=1/255", mean, std));
    return vector_give_planes(v, pixels);
}

static uncork_status normalized(vector *v)
{
    uc_pixels pixels;
    UC_TRY(vector_rgb(v, &pixels));
    return give_normalized(v, &pixels);
}

/* weights.transforms() of the model: the preset of that name. */
static uncork_status preset(vector *v)
{
    char name[200];
    uc_contract *contract = NULL;
    const uc_contract_want any = {.rank = -1};
    const uc_str model = vector_text(v, "model", ""), weights = vector_text(v, "weights", "");
    snprintf(name, sizeof name, "torchvision:%.*s:%.*s", (int)model.size, model.data,
             (int)weights.size, weights.data);
    UC_TRY(uc_contract_parse(name, v->arena, &contract, v->error));
    return uc_contract_apply_placed(contract, v->file, &any, v->arena, &v->result, NULL, v->error);
}

static uncork_status timm(vector *v)
{
    static const char *const modes[] = {"center", "squash", "border"};
    int input[3];
    uc_image image;
    uc_pixels pixels;
    uc_pillow_filter filter = UC_PILLOW_BILINEAR;
    const int mode = vector_name(v, "crop_mode", "center", modes, 3);
    if (mode < 0) return vector_unknown(v, "crop_mode");
    UC_TRY(vector_ints(v, "input_size", input, 3));
    UC_TRY(filter_of(v, &filter));
    UC_TRY(open_rgb(v, &image));
    const double part = vector_number(v, "crop_pct", 0.875);
    const uc_size from = {image.width, image.height}, to = {input[2], input[1]},
                  scale = {(int)floor(to.width / part), (int)floor(to.height / part)};
    const uc_size size = mode == 1                     ? scale
                         : mode == 2                   ? uc_fit_timm(from, scale, 1.0)
                         : scale.width == scale.height ? uc_fit_shorter(from, scale.width, 0)
                                                       : uc_fit_timm(from, scale, 0);
    UC_TRY(resize_to(v, &image, size, filter));
    UC_TRY(uc_pixels_of_image(&image, v->arena, &pixels, v->error));
    double fill[3], mean[3];
    UC_TRY(vector_doubles(v, "mean", mean, 3));
    for (int c = 0; c < 3; c++) {
        fill[c] = mode == 2 ? rint(255 * mean[c]) : 0; /* timm fills borders with the mean */
    }
    int left, top;
    uc_center(UC_CENTER_TORCHVISION, (uc_size){pixels.width, pixels.height}, to, &left, &top);
    UC_TRY(uc_pixels_window(&pixels, left, top, to, fill, v->arena, &pixels, v->error));
    return give_normalized(v, &pixels);
}

/* transformers' CLIP and ViT processors: `pil` is the NumPy twin. */
static uncork_status transformers(vector *v, bool pil_twin, bool clip)
{
    static const double clip_mean[3] = {0.48145466, 0.4578275, 0.40821073},
                        clip_std[3] = {0.26862954, 0.26130258, 0.27577711},
                        half[3] = {0.5, 0.5, 0.5};
    double mean[3], std[3];
    memcpy(mean, clip ? clip_mean : half, sizeof mean);
    memcpy(std, clip ? clip_std : half, sizeof std);
    if (vector_has(v, "image_mean")) UC_TRY(vector_doubles(v, "image_mean", mean, 3));
    if (vector_has(v, "image_std")) UC_TRY(vector_doubles(v, "image_std", std, 3));
    const uc_json *size = uc_json_get(v->params, "size"),
                  *crop = uc_json_get(v->params, "crop_size");
    uc_image image;
    uc_pixels pixels;
    UC_TRY(open_rgb(v, &image));
    uc_size to = {(int)uc_json_i64(uc_json_get(size, "width"), 224),
                  (int)uc_json_i64(uc_json_get(size, "height"), 224)};
    if (uc_json_get(size, "shortest_edge"))
        to = uc_fit_shorter((uc_size){image.width, image.height},
                            (int)uc_json_i64(uc_json_get(size, "shortest_edge"), 224), 0);
    const bool cubic = clip || (int)vector_number(v, "resample", 2) == 3;
    if (pil_twin) {
        UC_TRY(resize_to(v, &image, to, cubic ? UC_PILLOW_BICUBIC : UC_PILLOW_BILINEAR));
        UC_TRY(uc_pixels_of_image(&image, v->arena, &pixels, v->error));
    } else {
        UC_TRY(uc_pixels_of_image(&image, v->arena, &pixels, v->error));
        UC_TRY(uc_resize_torchvision(&pixels, to.width, to.height,
                                     cubic ? UC_TORCHVISION_BICUBIC : UC_TORCHVISION_BILINEAR, true,
                                     2, v->arena, &pixels, v->error));
    }
    if (clip)
        UC_TRY(center(v, &pixels, pil_twin ? UC_CENTER_TRANSFORMERS_PIL : UC_CENTER_TRANSFORMERS,
                      (uc_size){(int)uc_json_i64(uc_json_get(crop, "width"), 224),
                                (int)uc_json_i64(uc_json_get(crop, "height"), 224)}));
    if (pil_twin) {
        UC_TRY(normalize(v, &pixels, "scale=0.00392156862745098 | float32", mean, std));
    } else { /* fused in float32 */
        const float times = (float)(1 / 0.00392156862745098);
        double m[3], s[3];
        for (int c = 0; c < 3; c++) {
            m[c] = (double)((float)mean[c] * times);
            s[c] = (double)((float)std[c] * times);
        }
        UC_TRY(normalize(v, &pixels, "float32", m, s));
    }
    return vector_give_planes(v, &pixels);
}

static uncork_status clip(vector *v) { return transformers(v, false, true); }

static uncork_status clip_pil(vector *v) { return transformers(v, true, true); }

static uncork_status vit(vector *v) { return transformers(v, false, false); }

static uncork_status vit_pil(vector *v) { return transformers(v, true, false); }

const vector_row vectors_resize_torchvision[] = {
    {"torchvision", "v1.resize_tensor_u8", tensor_v1},
    {"torchvision", "v2.resize_tensor_u8", tensor_v2},
    {"torchvision", "v1.resize_tensor_f32", tensor_v1},
    {"torchvision", "v2.resize_tensor_f32", tensor_v2},
    {"torchvision", "PIL_resize_shorter_center_crop", pil},
    {"torchvision", "PIL_resize_max_size", pil},
    {"torchvision", "PIL_center_crop_pad", pil},
    {"torchvision", "PIL_Grayscale", grey},
    {"torchvision", "rgb_to_grayscale_tensor", grey_tensor},
    {"torchvision", "v1.ToTensor", to_tensor},
    {"torchvision", "v2.to_dtype_scale", to_dtype},
    {"torchvision", "v1.ToTensor_Normalize", normalized},
    {"torchvision", "preset_PIL_input", preset},
    {"timm", "create_transform_eval", timm},
    {"transformers", "CLIPImageProcessor", clip},
    {"transformers", "CLIPImageProcessorPil", clip_pil},
    {"transformers", "ViTImageProcessor", vit},
    {"transformers", "ViTImageProcessorPil", vit_pil},
    {NULL, NULL, NULL},
};
