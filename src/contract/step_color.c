/* Colours: conversions as each library has them, and the order of channels. */
#include "contract/contract_internal.h"

#include "image/scale.h"

uncork_status uc_step_exif_run(uc_state *s, const uc_step *step)
{
    (void)step;
    if (s->is_array)
        return uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET,
                       "exif turns what Pillow decoded: put it behind decode=pillow");
    UC_TRY(uc_image_upright(&s->image, s->arena, &s->image, s->error));
    /* boxes are told in the picture as it is shown */
    const int w = s->image.width, h = s->image.height;
    s->place = uc_geometry_squash(w, h, w, h);
    return UNCORK_OK;
}

/* Red and blue change places. */
static uncork_status swap_channels(uc_state *s)
{
    if (uc_state_channels(s) < 3) {
        return uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET,
                       "bgr needs a colour picture: put rgb before it");
    }
    UC_TRY(uc_state_array(s));
    const bool first = s->first;
    UC_TRY(uc_state_last(s));
    uc_swap_channels(&s->pixels);
    s->bgr = !s->bgr;
    return first ? uc_state_first(s) : UNCORK_OK;
}

uncork_status uc_step_bgr_run(uc_state *s, const uc_step *step)
{
    (void)step;
    return s->bgr ? UNCORK_OK : swap_channels(s);
}

/* An array of another number of channels: grey is repeated, alpha dropped or put in as opaque. */
static uncork_status set_channels(uc_state *s, int channels)
{
    const uc_pixels from = s->pixels;
    if (from.channels == channels) return UNCORK_OK;
    UC_TRY(uc_state_last(s));
    if (channels == 4 && from.dtype != UNCORK_UINT8) {
        return uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET,
                       "rgba after numeric steps has no opaque to put in: put it first");
    }
    uc_pixels to;
    UC_TRY(uc_pixels_new(from.dtype, from.height, from.width, channels, s->arena, &to, s->error));
    size_t size = uc_dtype_size(from.dtype), plane = uc_pixels_count(&from) / (size_t)from.channels;
    const uint8_t *in = s->pixels.data;
    uint8_t *out = to.data;
    for (size_t p = 0; p < plane; p++, in += (size_t)from.channels * size) {
        for (int c = 0; c < channels; c++, out += size) {
            if (c == 3) {
                *out = 255;
            } else {
                memcpy(out, in + (from.channels < 3 ? 0 : (size_t)c * size), size);
            }
        }
    }
    s->pixels = to;
    return UNCORK_OK;
}

uncork_status uc_step_color_run(uc_state *s, const uc_step *step)
{
    const uc_image_mode mode = (uc_image_mode)step->row->extra;
    if (!s->is_array || mode == UC_IMAGE_F) {
        UC_TRY(uc_state_image(s, step->row->name));
        return uc_image_convert(&s->image, mode, s->arena, &s->image, s->error);
    }
    UC_TRY(set_channels(s, mode == UC_IMAGE_RGB ? 3 : 4));
    return s->bgr ? swap_channels(s) : UNCORK_OK;
}

/* ---- grey ---- */

uncork_status uc_step_gray_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    static const char *const names[] = {"pillow",      "opencv",  "tensorflow",
                                        "torchvision", "skimage", NULL};
    if (step->library == UC_LIB_MATPLOTLIB || step->library == UC_LIB_HF)
        step->library = UC_LIB_PILLOW;
    if (!arguments.size) return UNCORK_OK;
    int version = 0;
    if (!uc_word_library(arguments, &step->library, &version) ||
        step->library == UC_LIB_MATPLOTLIB || step->library == UC_LIB_HF) {
        return uc_spec_unknown(
            spec, arguments,
            "has no grey of its own (pillow, opencv, tensorflow, torchvision, skimage)", names);
    }
    return UNCORK_OK;
}

void uc_step_gray_print(const uc_step *step, uc_writer *out)
{
    if (step->library != UC_LIB_PILLOW) uc_writer_text(out, uc_library_name(step->library));
}

static uc_grey_rule grey_rule(const uc_state *s, uc_library library)
{
    switch (library) {
    case UC_LIB_TENSORFLOW:
    case UC_LIB_KERAS: return UC_GREY_TENSORFLOW;
    case UC_LIB_TORCHVISION: return UC_GREY_TORCHVISION;
    case UC_LIB_SKIMAGE: return UC_GREY_SKIMAGE;
    case UC_LIB_PILLOW:
    case UC_LIB_OPENCV:
    case UC_LIB_MATPLOTLIB:
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return s->bgr ? UC_GREY_OPENCV_BGR : UC_GREY_OPENCV_RGB;
}

uncork_status uc_step_gray_run(uc_state *s, const uc_step *step)
{
    if (step->library != UC_LIB_PILLOW) {
        UC_TRY(uc_state_array(s));
        UC_TRY(uc_state_last(s));
        if (s->pixels.channels < 3) return UNCORK_OK; /* grey already */
        UC_TRY(uc_grey(&s->pixels, grey_rule(s, step->library), s->arena, &s->pixels, s->error));
        s->bgr = false;
        s->axis = s->axis || (step->library != UC_LIB_OPENCV && step->library != UC_LIB_SKIMAGE);
        return UNCORK_OK;
    }
    UC_TRY(uc_state_image(s, "gray"));
    return uc_image_convert(&s->image, UC_IMAGE_L, s->arena, &s->image, s->error);
}
