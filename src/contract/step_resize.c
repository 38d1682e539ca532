/* resize= and letterbox=: to which size, and by whose arithmetic. */
#include "contract/contract_internal.h"

#include "base/text.h"
#include "image/imageops.h"
#include "image/keras.h"
#include "image/letterbox.h"
#include "image/resize.h"

#include <math.h>

/* ---- reading ---- */

/* The words each library's resize takes. */
static unsigned known_flags(uc_library library)
{
    const unsigned anti = UC_FLAG_ANTIALIAS | UC_FLAG_NO_ANTIALIAS,
                   fit = UC_FLAG_FIT | UC_FLAG_COVER,
                   aspect = UC_FLAG_CROP_TO_ASPECT | UC_FLAG_PAD_TO_ASPECT;
    switch (library) {
    case UC_LIB_PILLOW: return fit | UC_FLAG_CROP_TO_ASPECT | UC_FLAG_IMAGEOPS_FIT;
    case UC_LIB_OPENCV: return fit;
    case UC_LIB_TENSORFLOW: return anti | aspect | fit | UC_FLAG_V1 | UC_FLAG_ALIGN_CORNERS;
    case UC_LIB_TORCHVISION: return anti | fit | UC_FLAG_V1;
    case UC_LIB_KERAS: return anti | aspect;
    case UC_LIB_SKIMAGE: return anti | UC_FLAG_PRESERVE_RANGE;
    case UC_LIB_MATPLOTLIB:
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return 0;
}

static int usual_filter(const uc_spec *spec, uc_library library)
{
    switch (library) {
    case UC_LIB_PILLOW: return spec->keras ? UC_PILLOW_NEAREST : UC_PILLOW_DEFAULT;
    case UC_LIB_OPENCV: return UC_OPENCV_LINEAR;
    case UC_LIB_TORCHVISION: return UC_TORCHVISION_BILINEAR;
    case UC_LIB_SKIMAGE: return 1;
    case UC_LIB_TENSORFLOW:
    case UC_LIB_KERAS:
    case UC_LIB_MATPLOTLIB:
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return UC_TF_BILINEAR;
}

/* "max_size=1333" of torchvision, "longest_edge=1333" of transformers, whose rounding differs. */
static bool parse_longest(uc_str word, uc_step *step)
{
    uc_str rest = word, name = uc_word_cut(&rest, '=');
    bool max_size = uc_str_is(name, "max_size");
    if (!max_size && !uc_str_is(name, "longest_edge")) return false;
    if (!max_size) step->flags |= UC_FLAG_LONGEST_EDGE;
    return uc_word_int(uc_text_trim(rest), 1, 65535, &step->longest);
}

static uncork_status unknown_word(const uc_spec *spec, uc_str word)
{
    static const char *const words[] = {"pillow",
                                        "opencv",
                                        "tensorflow",
                                        "torchvision",
                                        "keras",
                                        "skimage",
                                        "nearest",
                                        "bilinear",
                                        "bicubic",
                                        "lanczos",
                                        "box",
                                        "hamming",
                                        "linear",
                                        "cubic",
                                        "area",
                                        "lanczos4",
                                        "lanczos3",
                                        "lanczos5",
                                        "gaussian",
                                        "mitchell",
                                        "antialias",
                                        "noantialias",
                                        "align_corners",
                                        "v1",
                                        "crop_to_aspect",
                                        "pad_to_aspect",
                                        "preserve_range",
                                        "max_size",
                                        "longest_edge",
                                        "fit",
                                        "imageops_fit",
                                        "cover",
                                        "nearest_exact",
                                        "linear_exact",
                                        "biquadratic",
                                        "biquartic",
                                        "biquintic",
                                        NULL};
    return uc_spec_unknown(spec, word, "is no filter, no library and no switch of a resize", words);
}

/* Two goes over the words: what a filter means depends on the library, which may stand behind it. */
static uncork_status parse_words(const uc_spec *spec, uc_str words, uc_step *step)
{
    uc_str rest = words;
    for (uc_str again = words; again.size;) {
        uc_library library;
        int version = step->version;
        if (!uc_word_library(uc_word_cut(&again, ','), &library, &version)) continue;
        step->library = library;
        step->version = library == UC_LIB_PILLOW ? version : 0;
    }
    step->filter = usual_filter(spec, step->library);
    while (rest.size) {
        uc_str word = uc_word_cut(&rest, ',');
        uc_library library;
        int version = 0, found = uc_word_filter(word, step->library);
        if (uc_word_library(word, &library, &version) || parse_longest(word, step)) continue;
        unsigned flag = 0;
        if (uc_word_flag(word, &flag) && (flag & known_flags(step->library))) {
            step->flags |= flag;
        } else if (found >= 0) {
            step->filter = found;
        } else if (flag) {
            return uc_spec_wrong(spec, word, "isn't known to this library's resize");
        } else {
            bool elsewhere = false;
            for (uc_library l = 0; l < UC_LIB_COUNT; l++) {
                elsewhere = elsewhere || uc_word_filter(word, l) >= 0;
            }
            if (elsewhere) return uc_spec_wrong(spec, word, "is a filter of another library");
            return unknown_word(spec, word);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_step_resize_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    uc_str rest = arguments, size = uc_word_cut(&rest, ',');
    step->version = spec->version;
    if (!uc_word_size(size, &step->width, &step->height)) {
        return uc_spec_wrong(spec, size,
                             "is no size: WIDTHxHEIGHT, or one number for the shorter side");
    }
    UC_TRY(parse_words(spec, rest, step));
    if (known_flags(step->library) == 0)
        return uc_spec_wrong(spec, arguments, "names a library without a resize of its own");
    const unsigned exact = UC_FLAG_CROP_TO_ASPECT | UC_FLAG_PAD_TO_ASPECT | UC_FLAG_IMAGEOPS_FIT |
                           UC_FLAG_FIT | UC_FLAG_COVER;
    if (step->height == 0 && (step->flags & exact))
        return uc_spec_wrong(spec, size, "must be WIDTHxHEIGHT to keep the aspect in");
    return UNCORK_OK;
}

void uc_step_resize_print(const uc_step *step, uc_writer *out)
{
    uc_writer_printf(out, step->height ? "%dx%d" : "%d", step->width, step->height);
    uc_writer_printf(out, ",%s,", uc_filter_name(step->library, step->filter));
    uc_library_print(step->library, step->version, out);
    if (step->longest) {
        uc_writer_printf(out, ",%s=%d",
                         step->flags & UC_FLAG_LONGEST_EDGE ? "longest_edge" : "max_size",
                         step->longest);
    }
    uc_flags_print(step->flags, out);
}

/* ---- to which size ---- */

static uc_size target(const uc_state *s, const uc_step *step)
{
    const uc_size from = {uc_state_width(s), uc_state_height(s)}, to = {step->width, step->height};
    if (step->height == 0) {
        return step->flags & UC_FLAG_LONGEST_EDGE
                   ? uc_fit_detr(from, step->width, step->longest)
                   : uc_fit_shorter(from, step->width, step->longest);
    }
    if (step->flags & (UC_FLAG_FIT | UC_FLAG_COVER))
        return uc_fit_timm(from, to, step->flags & UC_FLAG_FIT ? 1 : 0);
    return to;
}

/* ---- where the picture is then ---- */

/* What was cut or padded on the way to WIDTHxHEIGHT: the middle of the picture's own aspect. */
static void keep_place(uc_state *s, const uc_step *step, uc_size to)
{
    const double w = uc_state_width(s), h = uc_state_height(s),
                 ratio = step->flags & UC_FLAG_PAD_TO_ASPECT ? fmax(w / to.width, h / to.height)
                                                             : fmin(w / to.width, h / to.height);
    const unsigned middle = UC_FLAG_CROP_TO_ASPECT | UC_FLAG_PAD_TO_ASPECT | UC_FLAG_IMAGEOPS_FIT;
    if (!(step->flags & middle)) {
        s->place = uc_geometry_resize(s->place, to.width, to.height);
        return;
    }
    const double inner_w = w / ratio, inner_h = h / ratio;
    s->place = uc_geometry_resize(s->place, to.width, to.height);
    s->place.scale_x *= inner_w / to.width;
    s->place.scale_y *= inner_h / to.height;
    s->place.shift_x = s->place.shift_x * inner_w / to.width + (to.width - inner_w) / 2;
    s->place.shift_y = s->place.shift_y * inner_h / to.height + (to.height - inner_h) / 2;
}

/* ---- by whose arithmetic ---- */

static uncork_status resize_pillow(uc_state *s, const uc_step *step, uc_size to)
{
    static const double centre[2] = {0.5, 0.5};
    const uc_pillow_filter filter = (uc_pillow_filter)step->filter;
    const int version = step->version ? step->version : UC_PILLOW_NEWEST;
    UC_TRY(uc_state_image(s, "resize"));
    keep_place(s, step, to);
    if (step->flags & UC_FLAG_CROP_TO_ASPECT)
        return uc_load_img_keras(&s->image, s->image.mode, &to, filter, true, version, s->arena,
                                 &s->image, s->error);
    if (step->flags & UC_FLAG_IMAGEOPS_FIT)
        return uc_fit_pillow(&s->image, to, filter, 0, centre, version, s->arena, &s->image,
                             s->error);
    return uc_resize_pillow(&s->image, to.width, to.height, filter, NULL, 0, version, s->arena,
                            &s->image, s->error);
}

static uncork_status resize_tensorflow(uc_state *s, const uc_step *step, uc_size to)
{
    const uc_tensorflow_resize options = {.filter = (uc_tensorflow_filter)step->filter,
                                          .antialias = (step->flags & UC_FLAG_ANTIALIAS) != 0,
                                          .legacy = (step->flags & UC_FLAG_V1) != 0,
                                          .align_corners =
                                              (step->flags & UC_FLAG_ALIGN_CORNERS) != 0};
    if (step->flags & UC_FLAG_CROP_TO_ASPECT) /* image_dataset_from_directory */
        return uc_dataset_keras(&s->pixels, to, options.filter, UC_KERAS_CROP, s->arena, &s->pixels,
                                s->error);
    if (step->flags & UC_FLAG_PAD_TO_ASPECT)
        return uc_resize_with_pad(&s->pixels, to, &options, s->arena, &s->pixels, s->error);
    return uc_resize_tensorflow(&s->pixels, to.width, to.height, &options, s->arena, &s->pixels,
                                s->error);
}

static uncork_status resize_keras(uc_state *s, const uc_step *step, uc_size to)
{
    return uc_resizing_keras(&s->pixels, to, (uc_tensorflow_filter)step->filter,
                             (step->flags & UC_FLAG_ANTIALIAS) != 0,
                             step->flags & UC_FLAG_CROP_TO_ASPECT  ? UC_KERAS_CROP
                             : step->flags & UC_FLAG_PAD_TO_ASPECT ? UC_KERAS_PAD
                                                                   : UC_KERAS_STRETCH,
                             0, s->arena, &s->pixels, s->error);
}

/* anti_aliasing=None: where a side shrinks, and never for bool. */
static bool skimage_antialias(const uc_state *s, const uc_step *step, uc_size to)
{
    if (step->flags & (UC_FLAG_ANTIALIAS | UC_FLAG_NO_ANTIALIAS))
        return (step->flags & UC_FLAG_ANTIALIAS) != 0;
    return s->pixels.dtype != UNCORK_BOOL &&
           (to.width < s->pixels.width || to.height < s->pixels.height);
}

uncork_status uc_step_resize_run(uc_state *s, const uc_step *step)
{
    uc_size to = target(s, step);
    if (step->library == UC_LIB_PILLOW) return resize_pillow(s, step, to);
    UC_TRY(uc_state_array(s));
    UC_TRY(uc_state_last(s));
    keep_place(s, step, to);
    switch (step->library) {
    case UC_LIB_OPENCV:
        return uc_resize_opencv(&s->pixels, to.width, to.height, (uc_opencv_filter)step->filter,
                                s->arena, &s->pixels, s->error);
    case UC_LIB_TENSORFLOW: return resize_tensorflow(s, step, to);
    case UC_LIB_TORCHVISION:
        return uc_resize_torchvision(
            &s->pixels, to.width, to.height, (uc_torchvision_filter)step->filter,
            (step->flags & UC_FLAG_NO_ANTIALIAS) == 0, step->flags & UC_FLAG_V1 ? 1 : 2, s->arena,
            &s->pixels, s->error);
    case UC_LIB_KERAS: return resize_keras(s, step, to);
    case UC_LIB_SKIMAGE:
        return uc_resize_skimage(
            &s->pixels, to.width, to.height, step->filter, skimage_antialias(s, step, to),
            (step->flags & UC_FLAG_PRESERVE_RANGE) != 0, s->arena, &s->pixels, s->error);
    case UC_LIB_PILLOW:
    case UC_LIB_MATPLOTLIB:
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return uc_fail(s->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "%s has no resize",
                   uc_library_name(step->library));
}

/* ---- letterbox ---- */

uncork_status uc_step_letterbox_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    uc_str rest = arguments, size = uc_word_cut(&rest, ',');
    step->library = UC_LIB_OPENCV;
    if (!uc_word_size(size, &step->width, &step->height))
        return uc_spec_wrong(spec, size, "is no size: WIDTHxHEIGHT or one number");
    if (!step->height) step->height = step->width;
    step->value[0] = 114;
    step->value_count = 1;
    while (rest.size) {
        uc_str word = uc_word_cut(&rest, ',');
        if (uc_str_is(word, "opencv") || uc_str_is(word, "cv2")) continue;
        int fill;
        if (!uc_word_int(word, 0, 65535, &fill))
            return uc_spec_wrong(spec, word, "is no whole number from 0 to 65535 to fill with");
        step->value[0] = fill;
    }
    return UNCORK_OK;
}

void uc_step_letterbox_print(const uc_step *step, uc_writer *out)
{
    uc_writer_printf(out, "%dx%d,", step->width, step->height);
    uc_number_print(step->value[0], out);
}

uncork_status uc_step_letterbox_run(uc_state *s, const uc_step *step)
{
    const uc_letterbox_options options = {.width = step->width,
                                          .height = step->height,
                                          .padding = (int)step->value[0],
                                          .filter = UC_OPENCV_LINEAR};
    UC_TRY(uc_state_array(s));
    UC_TRY(uc_state_last(s));
    uc_letterbox placed;
    UC_TRY(uc_letterbox_apply(&s->pixels, &options, s->arena, &s->pixels, &placed, s->error));
    s->place = uc_geometry_resize(s->place, placed.inner.width, placed.inner.height);
    s->place = uc_geometry_crop(s->place, -placed.left, -placed.top, step->width, step->height);
    return UNCORK_OK;
}
