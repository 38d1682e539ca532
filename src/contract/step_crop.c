/* Crops and pads, with each library's rounding of where the middle is. */
#include "contract/contract_internal.h"

#include "base/text.h"
#include "image/imageops.h"
#include "image/keras.h"

#include <math.h>

/* ---- a window onto a picture ---- */

uncork_status uc_state_window(uc_state *s, int left, int top, int width, int height,
                              const double *fill, int count)
{
    const uc_size size = {width, height};
    double of_channel[16] = {0};
    if (left == 0 && top == 0 && width == uc_state_width(s) && height == uc_state_height(s))
        return UNCORK_OK;
    for (int c = 0; c < 16 && count; c++) { /* colours are told as red, green, blue */
        const int k = count > 1 && s->bgr && c < 3 ? 2 - c : c;
        of_channel[c] = count == 1 ? fill[0] : k < count ? fill[k] : 0;
    }
    s->place = uc_geometry_crop(s->place, left, top, width, height);
    if (!s->is_array)
        return uc_window_pillow(&s->image, left, top, size, of_channel, s->arena, &s->image,
                                s->error);
    UC_TRY(uc_state_last(s));
    return uc_pixels_window(&s->pixels, left, top, size, of_channel, s->arena, &s->pixels,
                            s->error);
}

/* ---- center_crop ---- */

/* Numbers behind a size: the colour around the picture, as red, green, blue. */
static uncork_status parse_fill(const uc_spec *spec, uc_str word, uc_step *step)
{
    if (step->value_count == 4 || !uc_text_f64(word, &step->value[step->value_count]) ||
        !isfinite(step->value[step->value_count]))
        return uc_spec_wrong(spec, word, "is no library and no number to fill with");
    step->value_count++;
    return UNCORK_OK;
}

static void print_fill(const uc_step *step, uc_writer *out)
{
    for (int i = 0; i < step->value_count; i++) {
        uc_writer_text(out, ",");
        uc_number_print(step->value[i], out);
    }
}

static uncork_status parse_size(const uc_spec *spec, uc_str word, uc_step *step)
{
    if (!uc_word_size(word, &step->width, &step->height))
        return uc_spec_wrong(spec, word, "is no size: WIDTHxHEIGHT or one number");
    if (!step->height) step->height = step->width;
    return UNCORK_OK;
}

uncork_status uc_step_center_crop_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    uc_str rest = arguments, size = uc_word_cut(&rest, ',');
    int version = 0;
    /* Pillow and OpenCV have no such function; torchvision's is what Pillow users crop with, and an
     * OpenCV user writes (h - H) // 2. */
    if (step->library != UC_LIB_OPENCV && step->library != UC_LIB_KERAS)
        step->library = step->library == UC_LIB_TENSORFLOW ? UC_LIB_KERAS : UC_LIB_TORCHVISION;
    UC_TRY(parse_size(spec, size, step));
    while (rest.size) {
        uc_str word = uc_word_cut(&rest, ',');
        uc_library library;
        if (!uc_word_library(word, &library, &version)) {
            UC_TRY(parse_fill(spec, word, step));
            continue;
        }
        if (library != UC_LIB_TORCHVISION && library != UC_LIB_KERAS && library != UC_LIB_HF &&
            library != UC_LIB_OPENCV) {
            return uc_spec_wrong(spec, word,
                                 "has no centre crop of its own (torchvision, keras, hf, opencv)");
        }
        step->library = library;
    }
    return UNCORK_OK;
}

void uc_step_center_crop_print(const uc_step *step, uc_writer *out)
{
    uc_writer_printf(out, "%dx%d", step->width, step->height);
    if (step->library != UC_LIB_TORCHVISION)
        uc_writer_printf(out, ",%s", uc_library_name(step->library));
    print_fill(step, out);
}

static uc_center_rule rule_of(const uc_state *s, uc_library library)
{
    if (library == UC_LIB_HF)
        return s->is_array ? UC_CENTER_TRANSFORMERS : UC_CENTER_TRANSFORMERS_PIL;
    if (library == UC_LIB_KERAS) return UC_CENTER_KERAS;
    return library == UC_LIB_OPENCV ? UC_CENTER_TENSORFLOW : UC_CENTER_TORCHVISION;
}

uncork_status uc_step_center_crop_run(uc_state *s, const uc_step *step)
{
    const uc_size from = {uc_state_width(s), uc_state_height(s)}, to = {step->width, step->height};
    int left, top;
    if (step->library == UC_LIB_KERAS && (from.width < to.width || from.height < to.height)) {
        UC_TRY(uc_state_array(s));
        UC_TRY(uc_state_last(s));
        s->place = uc_geometry_resize(s->place, to.width, to.height);
        return uc_center_crop_keras(&s->pixels, to, s->arena, &s->pixels, s->error);
    }
    uc_center(rule_of(s, step->library), from, to, &left, &top);
    return uc_state_window(s, left, top, to.width, to.height, step->value, step->value_count);
}

/* ---- tf.image.resize_with_crop_or_pad ---- */

uncork_status uc_step_crop_or_pad_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    return parse_size(spec, arguments, step);
}

void uc_step_crop_or_pad_print(const uc_step *step, uc_writer *out)
{
    uc_writer_printf(out, "%dx%d", step->width, step->height);
}

uncork_status uc_step_crop_or_pad_run(uc_state *s, const uc_step *step)
{
    int left, top;
    uc_center(UC_CENTER_TENSORFLOW, (uc_size){uc_state_width(s), uc_state_height(s)},
              (uc_size){step->width, step->height}, &left, &top);
    return uc_state_window(s, left, top, step->width, step->height, NULL, 0);
}

/* ---- tf.image.central_crop ---- */

uncork_status uc_step_central_crop_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    if (!uc_text_f64(arguments, &step->value[0]) || !(step->value[0] > 0) || step->value[0] > 1)
        return uc_spec_wrong(spec, arguments, "is no fraction above 0 and up to 1");
    step->value_count = 1;
    return UNCORK_OK;
}

void uc_step_central_crop_print(const uc_step *step, uc_writer *out)
{
    uc_number_print(step->value[0], out);
}

uncork_status uc_step_central_crop_run(uc_state *s, const uc_step *step)
{
    int left, top;
    uc_size to;
    uc_central_crop((uc_size){uc_state_width(s), uc_state_height(s)}, step->value[0], &left, &top,
                    &to);
    return uc_state_window(s, left, top, to.width, to.height, NULL, 0);
}

/* ---- crop, pad ---- */

uncork_status uc_step_crop_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    uc_str rest = arguments;
    int *const numbers[4] = {&step->left, &step->top, &step->width, &step->height};
    for (int i = 0; i < 4; i++) {
        if (!uc_word_int(uc_word_cut(&rest, ','), i > 1 ? 1 : -65535, 65535, numbers[i]))
            return uc_spec_wrong(spec, arguments, "is no rectangle: LEFT,TOP,WIDTH,HEIGHT");
    }
    return rest.size ? uc_spec_wrong(spec, rest, "is one number too many") : UNCORK_OK;
}

void uc_step_crop_print(const uc_step *step, uc_writer *out)
{
    uc_writer_printf(out, "%d,%d,%d,%d", step->left, step->top, step->width, step->height);
}

uncork_status uc_step_crop_run(uc_state *s, const uc_step *step)
{
    return uc_state_window(s, step->left, step->top, step->width, step->height, NULL, 0);
}

uncork_status uc_step_pad_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    uc_str rest = arguments;
    int *const numbers[4] = {&step->left, &step->top, &step->right, &step->bottom};
    for (int i = 0; i < 4; i++) {
        if (!uc_word_int(uc_word_cut(&rest, ','), 0, 65535, numbers[i]))
            return uc_spec_wrong(spec, arguments, "is no border: LEFT,TOP,RIGHT,BOTTOM[,VALUE]");
    }
    while (rest.size)
        UC_TRY(parse_fill(spec, uc_word_cut(&rest, ','), step));
    return UNCORK_OK;
}

void uc_step_pad_print(const uc_step *step, uc_writer *out)
{
    uc_writer_printf(out, "%d,%d,%d,%d", step->left, step->top, step->right, step->bottom);
    print_fill(step, out);
}

uncork_status uc_step_pad_run(uc_state *s, const uc_step *step)
{
    return uc_state_window(s, -step->left, -step->top, uc_state_width(s) + step->left + step->right,
                           uc_state_height(s) + step->top + step->bottom, step->value,
                           step->value_count);
}

/* Rows below and columns to the right until both sides are multiples. */
uncork_status uc_step_pad_to_multiple_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    uc_str rest = arguments, n = uc_word_cut(&rest, ',');
    if (!uc_word_int(n, 1, 4096, &step->width))
        return uc_spec_wrong(spec, n, "is no whole number from 1 to 4096");
    while (rest.size)
        UC_TRY(parse_fill(spec, uc_word_cut(&rest, ','), step));
    return UNCORK_OK;
}

void uc_step_pad_to_multiple_print(const uc_step *step, uc_writer *out)
{
    uc_writer_printf(out, "%d", step->width);
    print_fill(step, out);
}

uncork_status uc_step_pad_to_multiple_run(uc_state *s, const uc_step *step)
{
    int n = step->width, w = (uc_state_width(s) + n - 1) / n * n,
        h = (uc_state_height(s) + n - 1) / n * n;
    return uc_state_window(s, 0, 0, w, h, step->value, step->value_count);
}
