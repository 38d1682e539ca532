/* decode=LIBRARY: file bytes as that library's decoder gives them. It is the first step; a contract
 * without one decodes as Pillow does. */
#include "contract/contract_internal.h"

#include "base/text.h"
#include "image/decode.h"
#include "image/keras.h"

static const struct {
    const char *name;
    int colours;
} colour_names[] = {
    {"grayscale", UC_COLOURS_GRAY},      {"color", UC_COLOURS_COLOR},
    {"rgba", UC_COLOURS_RGBA},           {"gray_alpha", UC_COLOURS_GRAY_ALPHA},
    {"unchanged", UC_COLOURS_UNCHANGED}, {"anydepth", UC_COLOURS_ANYDEPTH},
    {"gray", UC_COLOURS_GRAY},           {"grey", UC_COLOURS_GRAY},
    {"rgb", UC_COLOURS_COLOR},           {"bgr", UC_COLOURS_COLOR},
    {"colour", UC_COLOURS_COLOR},
};

/* TensorFlow's operators; the first is tf.io.decode_image. */
static const char *const operators[] = {"image", "jpeg", "png", "bmp", "gif"};

static bool parse_colours(uc_str word, int *colours)
{
    for (size_t i = 0; i < sizeof colour_names / sizeof colour_names[0]; i++) {
        if (!uc_str_is(word, colour_names[i].name)) continue;
        *colours = colour_names[i].colours;
        return true;
    }
    return false;
}

/* "reduced4" of OpenCV, "ratio4" of TensorFlow. */
static bool parse_ratio(uc_str word, int *ratio)
{
    static const char *const forms[] = {"reduced2", "reduced4", "reduced8",
                                        "ratio2",   "ratio4",   "ratio8"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (!uc_str_is(word, forms[i])) continue;
        *ratio = 2 << (i % 3);
        return true;
    }
    return false;
}

static bool parse_tensorflow_word(uc_str word, uc_step *step)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (!uc_str_is(word, operators[i])) continue;
        step->filter = (int)i;
        return true;
    }
    if (uc_str_is(word, "uint16") || uc_str_is(word, "float32")) {
        step->dtype = uc_str_is(word, "uint16") ? UNCORK_UINT16 : UNCORK_FLOAT32;
        return true;
    }
    return false;
}

/* Whether this library's decoder knows what was asked. */
static bool fits(const uc_step *step)
{
    const unsigned tensorflow = UC_FLAG_ACCURATE | UC_FLAG_PLAIN | UC_FLAG_RECOVER;
    switch (step->library) {
    case UC_LIB_OPENCV:
        return (step->flags & ~(unsigned)UC_FLAG_IGNORE_ORIENTATION) == 0 &&
               step->variant != UC_COLOURS_RGBA && step->variant != UC_COLOURS_GRAY_ALPHA;
    case UC_LIB_TENSORFLOW:
        return (step->flags & ~tensorflow) == 0 && step->variant != UC_COLOURS_ANYDEPTH &&
               step->variant != UC_COLOURS_GRAY_ALPHA;
    case UC_LIB_TORCHVISION:
        return step->flags == 0 && !step->ratio && step->variant != UC_COLOURS_ANYDEPTH;
    case UC_LIB_KERAS:
        return step->flags == 0 && !step->ratio &&
               (step->variant == UC_COLOURS_COLOR || step->variant == UC_COLOURS_GRAY ||
                step->variant == UC_COLOURS_RGBA);
    case UC_LIB_PILLOW:
    case UC_LIB_SKIMAGE:
    case UC_LIB_MATPLOTLIB:
        return step->flags == 0 && !step->ratio && step->variant == UC_COLOURS_UNCHANGED;
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return false;
}

/* Only these decoders convert colours themselves. */
static int usual_colours(uc_library library)
{
    return library == UC_LIB_PILLOW || library == UC_LIB_SKIMAGE || library == UC_LIB_MATPLOTLIB
               ? UC_COLOURS_UNCHANGED
               : UC_COLOURS_COLOR;
}

uncork_status uc_step_decode_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    static const char *const names[] = {"pillow", "opencv",  "tensorflow", "torchvision",
                                        "keras",  "skimage", "matplotlib", NULL};
    uc_str rest = arguments, name = uc_word_cut(&rest, ',');
    if (!uc_word_library(name, &step->library, &step->version) || step->library == UC_LIB_HF) {
        return uc_spec_unknown(
            spec, name,
            "is no decoder (pillow, opencv, tensorflow, torchvision, keras, skimage, matplotlib)",
            names);
    }
    if (spec->contract->count) return uc_spec_wrong(spec, name, "must be the first step");
    step->variant = usual_colours(step->library);
    while (rest.size) {
        uc_str word = uc_word_cut(&rest, ',');
        bool known = parse_colours(word, &step->variant) || parse_ratio(word, &step->ratio) ||
                     (step->library == UC_LIB_TENSORFLOW && parse_tensorflow_word(word, step)) ||
                     uc_word_flag(word, &step->flags);
        if (!known || !fits(step)) return uc_spec_wrong(spec, word, "isn't known to this decoder");
    }
    /* only tf.io.decode_jpeg has these (it reads the other formats as well) */
    if (step->library == UC_LIB_TENSORFLOW && (step->flags || step->ratio) &&
        step->filter == UC_TF_DECODE_IMAGE) {
        step->filter = UC_TF_DECODE_JPEG;
    }
    spec->keras = step->library == UC_LIB_KERAS;
    spec->version = step->version;
    spec->library = step->library == UC_LIB_KERAS || step->library == UC_LIB_MATPLOTLIB
                        ? UC_LIB_PILLOW
                        : step->library;
    return UNCORK_OK;
}

void uc_step_decode_print(const uc_step *step, uc_writer *out)
{
    uc_library_print(step->library, step->version, out);
    if (step->library == UC_LIB_TENSORFLOW && step->filter)
        uc_writer_printf(out, ",%s", operators[step->filter]);
    for (size_t i = 0; i < sizeof colour_names / sizeof colour_names[0]; i++) {
        if (colour_names[i].colours != step->variant) continue;
        if (step->variant != usual_colours(step->library))
            uc_writer_printf(out, ",%s", colour_names[i].name);
        break;
    }
    if (step->ratio)
        uc_writer_printf(out, step->library == UC_LIB_OPENCV ? ",reduced%d" : ",ratio%d",
                         step->ratio);
    if (step->dtype != UNCORK_DTYPE_NONE) uc_writer_printf(out, ",%s", uc_dtype_name(step->dtype));
    uc_flags_print(step->flags, out);
}

/* ---- running ---- */

static uncork_status decode_keras(uc_bytes bytes, const uc_step *step, uc_state *s)
{
    const uc_image_mode mode = step->variant == UC_COLOURS_RGBA   ? UC_IMAGE_RGBA
                               : step->variant == UC_COLOURS_GRAY ? UC_IMAGE_L
                                                                  : UC_IMAGE_RGB;
    UC_TRY(uc_image_decode(bytes, s->arena, &s->image, s->error));
    return uc_load_img_keras(&s->image, mode, NULL, UC_PILLOW_NEAREST, false, UC_PILLOW_NEWEST,
                             s->arena, &s->image, s->error);
}

static uncork_status decode_opencv(uc_bytes bytes, const uc_step *step, uc_state *s)
{
    static const uc_opencv_read flags[] = {
        [UC_COLOURS_UNCHANGED] = UC_OPENCV_UNCHANGED, [UC_COLOURS_GRAY] = UC_OPENCV_GRAYSCALE,
        [UC_COLOURS_GRAY_ALPHA] = UC_OPENCV_COLOR,    [UC_COLOURS_COLOR] = UC_OPENCV_COLOR,
        [UC_COLOURS_RGBA] = UC_OPENCV_COLOR,          [UC_COLOURS_ANYDEPTH] = UC_OPENCV_ANYDEPTH,
    };
    const bool ignore = (step->flags & UC_FLAG_IGNORE_ORIENTATION) != 0;
    UC_TRY(uc_decode_opencv(bytes, flags[step->variant], ignore, step->ratio ? step->ratio : 1,
                            s->arena, &s->pixels, s->error));
    s->bgr = s->pixels.channels >= 3;
    return UNCORK_OK;
}

static int channel_count(const uc_step *step)
{
    switch ((uc_colours)step->variant) {
    case UC_COLOURS_GRAY: return 1;
    case UC_COLOURS_GRAY_ALPHA: return 2;
    case UC_COLOURS_COLOR: return 3;
    case UC_COLOURS_RGBA: return 4;
    case UC_COLOURS_UNCHANGED:
    case UC_COLOURS_ANYDEPTH: break;
    }
    return 0;
}

/* The first picture of an animation. */
static uncork_status decode_tensorflow(uc_bytes bytes, const uc_step *step, uc_state *s)
{
    const uc_tensorflow_decode options = {.op = (uc_tensorflow_op)step->filter,
                                          .channels = channel_count(step),
                                          .accurate_dct = (step->flags & UC_FLAG_ACCURATE) != 0,
                                          .plain_upscaling = (step->flags & UC_FLAG_PLAIN) != 0,
                                          .ratio = step->ratio,
                                          .try_recover = (step->flags & UC_FLAG_RECOVER) != 0,
                                          .dtype = step->dtype,
                                          .first_frame_only = true};
    int frames;
    s->axis = true;
    return uc_decode_tensorflow(bytes, &options, s->arena, &s->pixels, &frames, s->error);
}

uncork_status uc_step_decode_run(uc_bytes bytes, const uc_step *step, uc_state *s)
{
    const uc_library library = step ? step->library : UC_LIB_PILLOW;
    int frames; /* the first of an animation is taken: the others lie behind it */
    s->is_array = library != UC_LIB_PILLOW && library != UC_LIB_KERAS;
    switch (library) {
    case UC_LIB_KERAS: return decode_keras(bytes, step, s);
    case UC_LIB_OPENCV: return decode_opencv(bytes, step, s);
    case UC_LIB_TENSORFLOW: return decode_tensorflow(bytes, step, s);
    case UC_LIB_TORCHVISION:
        s->axis = true;
        return uc_decode_torchvision(bytes, channel_count(step), s->arena, &s->pixels, &frames,
                                     s->error);
    case UC_LIB_SKIMAGE: return uc_decode_skimage(bytes, s->arena, &s->pixels, s->error);
    case UC_LIB_MATPLOTLIB: return uc_decode_matplotlib(bytes, s->arena, &s->pixels, s->error);
    case UC_LIB_PILLOW:
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return uc_image_decode(bytes, s->arena, &s->image, s->error);
}
