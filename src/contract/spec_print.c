/* A contract as text that parses back. */
#include "contract/contract_internal.h"

#include "base/text.h"

/* 255 rather than 255.0, as people write it. */
static void put_number(double v, uc_writer *out)
{
    char text[32];
    uc_writer_put(out, text, uc_f64_plain_text(v, text));
}

static void put_values(const uc_step *s, uc_writer *out)
{
    for (int i = 0; i < s->value_count; i++) {
        if (i) uc_writer_text(out, ",");
        put_number(s->value[i], out);
    }
}

static void put_step(const uc_step *s, uc_writer *out)
{
    switch (s->kind) {
    case UC_STEP_EXIF: uc_writer_text(out, "exif"); break;
    case UC_STEP_CONVERT:
        uc_writer_text(out, s->mode == UC_IMAGE_L      ? "gray"
                            : s->mode == UC_IMAGE_RGB  ? "rgb"
                            : s->mode == UC_IMAGE_RGBA ? "rgba"
                                                       : "float");
        break;
    case UC_STEP_BGR: uc_writer_text(out, "bgr"); break;
    case UC_STEP_RESIZE:
        uc_writer_printf(out, s->height ? "resize=%dx%d" : "resize=%d", s->width, s->height);
        uc_writer_printf(out, ",%s,pillow", uc_pillow_filter_name(s->filter));
        if (s->version < 13) uc_writer_printf(out, "%d", s->version);
        break;
    case UC_STEP_CENTER_CROP:
        uc_writer_printf(out, "center_crop=%dx%d", s->width, s->height);
        break;
    case UC_STEP_CROP:
        uc_writer_printf(out, "crop=%d,%d,%d,%d", s->left, s->top, s->width, s->height);
        break;
    case UC_STEP_CAST: uc_writer_text(out, uc_dtype_name(s->dtype)); break;
    case UC_STEP_DIVIDE:
        uc_writer_text(out, "scale=1/");
        put_number(s->value[0], out);
        break;
    case UC_STEP_MULTIPLY:
        uc_writer_text(out, "scale=");
        if (s->value_text) {
            uc_writer_text(out, s->value_text);
        } else {
            put_values(s, out);
        }
        break;
    case UC_STEP_ADD:
        uc_writer_text(out, "add=");
        put_values(s, out);
        break;
    case UC_STEP_MEAN:
        uc_writer_text(out, "mean=");
        put_values(s, out);
        break;
    case UC_STEP_STD:
        uc_writer_text(out, "std=");
        put_values(s, out);
        break;
    case UC_STEP_INVERT: uc_writer_text(out, "invert"); break;
    case UC_STEP_NCHW: uc_writer_text(out, "nchw"); break;
    case UC_STEP_NHWC: uc_writer_text(out, "nhwc"); break;
    case UC_STEP_FLATTEN: uc_writer_text(out, "flatten"); break;
    }
}

void uc_contract_text(const uc_contract *contract, uc_writer *out)
{
    for (size_t i = 0; i < contract->count; i++) {
        if (i) uc_writer_text(out, " | ");
        put_step(&contract->steps[i], out);
    }
}
