/* resize= and letterbox=: to which size, and by whose arithmetic. */
#include "contract/contract_internal.h"

#include "base/text.h"
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
    static const char *const words[] = {
        "pillow",        "opencv",         "tensorflow",    "torchvision",  "keras",
        "skimage",       "nearest",        "bilinear",      "bicubic",      "lanczos",
        "box",           "hamming",        "linear",        "cubic",        "area",
        "lanczos4",      "lanczos3",       "lanczos5",      "gaussian",     "mitchell",
        "antialias",     "noantialias",    "align_corners", "v1",           "crop_to_aspect",
        "pad_to_aspect", "preserve_range", "max_size",      "longest_edge", "fit",
        "imageops_fit",  "cover",          "nearest_exact", "linear_exact", NULL};
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

typedef struct size2 {
    int width, height;
} size2;

static int clamp(double v) { return v < 1 ? 1 : v > 65535 ? 65535 : (int)v; }

/* torchvision's _compute_resized_output_size: the shorter side becomes `size`, the other int(). */
static size2 shorter_side(int w, int h, int size, int max_size)
{
    bool wide = w > h;
    int64_t shorter = wide ? h : w, longer = wide ? w : h;
    int64_t one = size, other = (int64_t)size * longer / shorter;
    if (max_size && other > max_size) {
        one = max_size * one / other;
        other = max_size;
    }
    int a = clamp((double)one), b = clamp((double)other);
    return wide ? (size2){b, a} : (size2){a, b};
}

/* transformers' get_size_with_aspect_ratio (image_transforms.py). */
static size2 longest_edge(int w, int h, int size, int most)
{
    double least = w < h ? w : h, longest = w < h ? h : w, raw = size;
    if (longest / least * size > most) {
        raw = most * least / longest;
        size = (int)nearbyint(raw);
    }
    if ((h <= w && h == size) || (w <= h && w == size)) return (size2){w, h};
    if (w < h) return (size2){size, clamp(raw * h / w)};
    return (size2){clamp(raw * w / h), size};
}

/* timm's ResizeKeepRatio: `fit` by the longer ratio, `cover` by the shorter. */
static size2 keep_ratio(int w, int h, const uc_step *step)
{
    double x = w / (double)step->width, y = h / (double)step->height;
    double ratio = step->flags & UC_FLAG_FIT ? fmax(x, y) : fmin(x, y);
    return (size2){clamp(nearbyint(w / ratio)), clamp(nearbyint(h / ratio))};
}

static size2 target(const uc_state *s, const uc_step *step)
{
    int w = uc_state_width(s), h = uc_state_height(s);
    if (step->height == 0) {
        return step->flags & UC_FLAG_LONGEST_EDGE ? longest_edge(w, h, step->width, step->longest)
                                                  : shorter_side(w, h, step->width, step->longest);
    }
    if (step->flags & (UC_FLAG_FIT | UC_FLAG_COVER)) return keep_ratio(w, h, step);
    return (size2){step->width, step->height};
}

/* ---- by whose arithmetic ---- */

static uncork_status resize_pillow(uc_state *s, const uc_step *step, size2 to)
{
    UC_TRY(uc_state_image(s, "resize"));
    double box[4], *boxed = NULL;
    if (step->flags & UC_FLAG_CROP_TO_ASPECT) { /* load_img(keep_aspect_ratio=True) */
        int64_t w = s->image.width, h = s->image.height;
        int64_t crop_h = w * to.height / to.width, crop_w = h * to.width / to.height;
        if (crop_h > h) crop_h = h;
        if (crop_w > w) crop_w = w;
        box[0] = (double)((w - crop_w) / 2);
        box[1] = (double)((h - crop_h) / 2);
        box[2] = box[0] + (double)crop_w;
        box[3] = box[1] + (double)crop_h;
        boxed = box;
    }
    if (step->flags & UC_FLAG_IMAGEOPS_FIT) { /* the middle, in fractions of pixels */
        double w = s->image.width, h = s->image.height, ratio = (double)to.width / to.height;
        double crop_w = w / h >= ratio ? ratio * h : w, crop_h = w / h >= ratio ? h : w / ratio;
        box[0] = (w - crop_w) * 0.5;
        box[1] = (h - crop_h) * 0.5;
        box[2] = box[0] + crop_w;
        box[3] = box[1] + crop_h;
        boxed = box;
    }
    if (boxed) {
        s->place.shift_x -= box[0];
        s->place.shift_y -= box[1];
        s->place.input_width = (int)(box[2] - box[0] + 0.5);
        s->place.input_height = (int)(box[3] - box[1] + 0.5);
    }
    s->place = uc_geometry_resize(s->place, to.width, to.height);
    return uc_resize_pillow(&s->image, to.width, to.height, (uc_pillow_filter)step->filter, boxed,
                            0, step->version ? step->version : UC_PILLOW_NEWEST, s->arena,
                            &s->image, s->error);
}

static uncork_status not_yet(const uc_state *s, const char *what)
{
    return uc_fail(s->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                   "resizes by %s aren't in this build yet; pillow's, opencv's, tensorflow's and "
                   "torchvision's are",
                   what);
}

static uncork_status resize_tensorflow(uc_state *s, const uc_step *step, size2 to)
{
    const uc_tensorflow_resize options = {.filter = (uc_tensorflow_filter)step->filter,
                                          .antialias = (step->flags & UC_FLAG_ANTIALIAS) != 0,
                                          .legacy = (step->flags & UC_FLAG_V1) != 0,
                                          .align_corners =
                                              (step->flags & UC_FLAG_ALIGN_CORNERS) != 0};
    if (step->flags & UC_FLAG_PAD_TO_ASPECT) return not_yet(s, "pad_to_aspect");
    return uc_resize_tensorflow(&s->pixels, to.width, to.height, &options, s->arena, &s->pixels,
                                s->error);
}

/* The place of what is cut or padded on the way to WIDTHxHEIGHT. */
static void keep_place(uc_state *s, const uc_step *step, size2 to)
{
    const double w = uc_state_width(s), h = uc_state_height(s);
    if (step->flags & UC_FLAG_CROP_TO_ASPECT) { /* smart_resize: the middle, whole pixels */
        int crop_w = clamp(fmin(w, floor(h * to.width / to.height))),
            crop_h = clamp(fmin(h, floor(w * to.height / to.width)));
        s->place = uc_geometry_crop(s->place, (int)((w - crop_w) / 2), (int)((h - crop_h) / 2),
                                    crop_w, crop_h);
    } else if (step->flags & UC_FLAG_PAD_TO_ASPECT) {
        double ratio = fmax(w / to.width, h / to.height);
        int inner_w = clamp(floor(w / ratio)), inner_h = clamp(floor(h / ratio));
        s->place = uc_geometry_resize(s->place, inner_w, inner_h);
        s->place = uc_geometry_crop(s->place, -(int)((to.width - w / ratio) / 2),
                                    -(int)((to.height - h / ratio) / 2), to.width, to.height);
        return;
    }
    s->place = uc_geometry_resize(s->place, to.width, to.height);
}

uncork_status uc_step_resize_run(uc_state *s, const uc_step *step)
{
    size2 to = target(s, step);
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
    case UC_LIB_KERAS:
    case UC_LIB_SKIMAGE: return not_yet(s, uc_library_name(step->library));
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
        if (!uc_text_f64(word, &step->value[0]) || !isfinite(step->value[0]))
            return uc_spec_wrong(spec, word, "is no number to fill with");
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
    return not_yet(s, step->row->name);
}
