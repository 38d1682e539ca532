/* Every step there is: one row each. */
#include "contract/contract_internal.h"

#define SIZE_FORM "N|WIDTHxHEIGHT"

static const uc_step_row rows[] = {
    {"decode", UC_KIND_PICTURE, 0, "LIBRARY[,grayscale|color|rgba|unchanged][,...]",
     uc_step_decode_parse, uc_step_decode_print, NULL},
    {"exif", UC_KIND_PICTURE, 0, NULL, NULL, NULL, uc_step_exif_run},
    {"rgb", UC_KIND_PICTURE, UC_IMAGE_RGB, NULL, NULL, NULL, uc_step_color_run},
    {"rgba", UC_KIND_PICTURE, UC_IMAGE_RGBA, NULL, NULL, NULL, uc_step_color_run},
    {"float", UC_KIND_PICTURE, UC_IMAGE_F, NULL, NULL, NULL, uc_step_color_run},
    {"gray", UC_KIND_PICTURE, UC_IMAGE_L, "LIBRARY", uc_step_gray_parse, uc_step_gray_print,
     uc_step_gray_run},
    {"bgr", UC_KIND_ORDER, 0, NULL, NULL, NULL, uc_step_bgr_run},
    {"resize", UC_KIND_PICTURE, 0, SIZE_FORM "[,FILTER][,LIBRARY][,antialias|noantialias][,...]",
     uc_step_resize_parse, uc_step_resize_print, uc_step_resize_run},
    {"center_crop", UC_KIND_PICTURE, 0, SIZE_FORM "[,LIBRARY]", uc_step_center_crop_parse,
     uc_step_center_crop_print, uc_step_center_crop_run},
    {"central_crop", UC_KIND_PICTURE, 0, "FRACTION", uc_step_central_crop_parse,
     uc_step_central_crop_print, uc_step_central_crop_run},
    {"crop", UC_KIND_PICTURE, 0, "LEFT,TOP,WIDTH,HEIGHT", uc_step_crop_parse, uc_step_crop_print,
     uc_step_crop_run},
    {"pad", UC_KIND_PICTURE, 0, "LEFT,TOP,RIGHT,BOTTOM[,VALUE]", uc_step_pad_parse,
     uc_step_pad_print, uc_step_pad_run},
    {"pad_to_multiple", UC_KIND_PICTURE, 0, "N[,VALUE]", uc_step_pad_to_multiple_parse,
     uc_step_pad_to_multiple_print, uc_step_pad_to_multiple_run},
    {"crop_or_pad", UC_KIND_PICTURE, 0, SIZE_FORM, uc_step_crop_or_pad_parse,
     uc_step_crop_or_pad_print, uc_step_crop_or_pad_run},
    {"letterbox", UC_KIND_PICTURE, 0, SIZE_FORM "[,VALUE]", uc_step_letterbox_parse,
     uc_step_letterbox_print, uc_step_letterbox_run},
    {"uint8", UC_KIND_VALUES, UNCORK_UINT8, NULL, NULL, NULL, uc_step_cast_run},
    {"int8", UC_KIND_VALUES, UNCORK_INT8, NULL, NULL, NULL, uc_step_cast_run},
    {"uint16", UC_KIND_VALUES, UNCORK_UINT16, NULL, NULL, NULL, uc_step_cast_run},
    {"int16", UC_KIND_VALUES, UNCORK_INT16, NULL, NULL, NULL, uc_step_cast_run},
    {"int32", UC_KIND_VALUES, UNCORK_INT32, NULL, NULL, NULL, uc_step_cast_run},
    {"int64", UC_KIND_VALUES, UNCORK_INT64, NULL, NULL, NULL, uc_step_cast_run},
    {"float16", UC_KIND_VALUES, UNCORK_FLOAT16, NULL, NULL, NULL, uc_step_cast_run},
    {"float32", UC_KIND_VALUES, UNCORK_FLOAT32, NULL, NULL, NULL, uc_step_cast_run},
    {"float64", UC_KIND_VALUES, UNCORK_FLOAT64, NULL, NULL, NULL, uc_step_cast_run},
    {"scale", UC_KIND_VALUES, UC_VALUES_MULTIPLY, "1/N|FACTOR[,FACTOR...]", uc_step_scale_parse,
     uc_step_scale_print, uc_step_values_run},
    {"add", UC_KIND_VALUES, UC_VALUES_ADD, "X[,Y,Z]", uc_step_values_parse, uc_step_values_print,
     uc_step_values_run},
    {"mean", UC_KIND_VALUES, UC_VALUES_SUBTRACT, "X[,Y,Z]", uc_step_values_parse,
     uc_step_values_print, uc_step_values_run},
    {"std", UC_KIND_VALUES, UC_VALUES_DIVIDE, "X[,Y,Z]", uc_step_values_parse, uc_step_values_print,
     uc_step_values_run},
    {"normalize", UC_KIND_VALUES, 0, "MEANS/DEVIATIONS|imagenet|clip|half", uc_step_normalize_parse,
     NULL, NULL},
    {"invert", UC_KIND_VALUES, 0, NULL, NULL, NULL, uc_step_invert_run},
    {"standardize", UC_KIND_PICTURE, 0, NULL, NULL, NULL, uc_step_standardize_run},
    {"nchw", UC_KIND_LAYOUT, UC_PLACE_FIRST, NULL, NULL, NULL, uc_step_layout_run},
    {"nhwc", UC_KIND_LAYOUT, UC_PLACE_LAST, NULL, NULL, NULL, uc_step_layout_run},
    {"flatten", UC_KIND_LAYOUT, UC_PLACE_FLAT, NULL, NULL, NULL, uc_step_layout_run},
    {"batch", UC_KIND_LAYOUT, UC_PLACE_BATCH, NULL, NULL, NULL, uc_step_layout_run},
    {"grey", UC_KIND_ALIAS, 0, "gray", NULL, NULL, NULL},
    {"grayscale", UC_KIND_ALIAS, 0, "gray", NULL, NULL, NULL},
    {"chw", UC_KIND_ALIAS, 0, "nchw", NULL, NULL, NULL},
    {"hwc", UC_KIND_ALIAS, 0, "nhwc", NULL, NULL, NULL},
    {"expand_dims", UC_KIND_ALIAS, 0, "batch", NULL, NULL, NULL},
    {"per_image_standardization", UC_KIND_ALIAS, 0, "standardize", NULL, NULL, NULL},
    {"resize_with_crop_or_pad", UC_KIND_ALIAS, 0, "crop_or_pad", NULL, NULL, NULL},
};

const uc_step_row *uc_step_at(size_t i)
{
    return i < sizeof rows / sizeof rows[0] ? &rows[i] : NULL;
}

const uc_step_row *uc_step_find(uc_str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!uc_str_is(name, rows[i].name)) continue;
        return rows[i].kind == UC_KIND_ALIAS ? uc_step_find(uc_str_of(rows[i].form)) : &rows[i];
    }
    return NULL;
}
