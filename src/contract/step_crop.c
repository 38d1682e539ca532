/* Crops and pads, with each library's rounding of where the middle is. */
#include "contract/contract_internal.h"

#include "base/text.h"

#include <math.h>

/* ---- a window onto a picture ---- */

/* One value of any type. */
static void store(void *to, uncork_dtype dtype, double value)
{
    uc_dtype_convert(to, dtype, &value, UNCORK_FLOAT64, 1);
}

static void fill_window(const uc_pixels *to, const uc_state *s, const double *fill, int count)
{
    size_t size = uc_dtype_size(to->dtype), pixel = size * (size_t)to->channels;
    uint8_t one[16 * 8] = {0}, *out = to->data;
    for (int c = 0; c < to->channels && c < 16; c++) {
        int k = count > 1 && s->bgr && c < 3 ? 2 - c : c; /* colours are told as RGB */
        store(one + (size_t)c * size, to->dtype, count > 1 ? (k < count ? fill[k] : 0) : fill[0]);
    }
    size_t n = (size_t)to->width * (size_t)to->height;
    for (size_t p = 0; p < n; p++) {
        memcpy(out + p * pixel, one, pixel);
    }
}

static uncork_status window_array(uc_state *s, int left, int top, int width, int height,
                                  const double *fill, int count)
{
    UC_TRY(uc_state_last(s));
    const uc_pixels from = s->pixels;
    uc_pixels to;
    UC_TRY(uc_pixels_new(from.dtype, height, width, from.channels, s->arena, &to, s->error));
    bool outside = left < 0 || top < 0 || left > from.width - width || top > from.height - height;
    if (outside && count) fill_window(&to, s, fill, count);
    int x0 = left > 0 ? left : 0, x1 = left + width < from.width ? left + width : from.width;
    size_t pixel = uc_dtype_size(from.dtype) * (size_t)from.channels;
    for (int y = 0; y < height && x1 > x0; y++) {
        if (top + y < 0 || top + y >= from.height) continue;
        memcpy((uint8_t *)to.data + ((size_t)y * (size_t)width + (size_t)(x0 - left)) * pixel,
               (const uint8_t *)from.data +
                   ((size_t)(top + y) * (size_t)from.width + (size_t)x0) * pixel,
               (size_t)(x1 - x0) * pixel);
    }
    s->pixels = to;
    return UNCORK_OK;
}

uncork_status uc_state_window(uc_state *s, int left, int top, int width, int height,
                              const double *fill, int count)
{
    if (left == 0 && top == 0 && width == uc_state_width(s) && height == uc_state_height(s))
        return UNCORK_OK;
    s->place = uc_geometry_crop(s->place, left, top, width, height);
    if (s->is_array) return window_array(s, left, top, width, height, fill, count);
    bool zero = true;
    for (int i = 0; i < count; i++) {
        zero = zero && !(fill[i] < 0) && !(fill[i] > 0);
    }
    if (zero)
        return uc_image_crop(&s->image, left, top, width, height, s->arena, &s->image, s->error);
    UC_TRY(uc_state_array(s));
    UC_TRY(window_array(s, left, top, width, height, fill, count));
    return uc_state_image(s, "pad");
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

/* Where a crop of `size` begins in `length` pixels, and where the picture does in a larger one. */
static int middle(uc_library library, int length, int size)
{
    int over = length - size;
    if (over < 0) return -((size - length) / 2); /* all of them pad, the smaller half in front */
    /* torchvision rounds half to even; Keras, transformers and (h - H) // 2 cut off. */
    return library == UC_LIB_TORCHVISION ? (int)nearbyint(over / 2.0) : over / 2;
}

uncork_status uc_step_center_crop_run(uc_state *s, const uc_step *step)
{
    int left = middle(step->library, uc_state_width(s), step->width),
        top = middle(step->library, uc_state_height(s), step->height);
    return uc_state_window(s, left, top, step->width, step->height, step->value, step->value_count);
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

static int half(int length, int size)
{
    return length >= size ? (length - size) / 2 : -((size - length) / 2);
}

uncork_status uc_step_crop_or_pad_run(uc_state *s, const uc_step *step)
{
    return uc_state_window(s, half(uc_state_width(s), step->width),
                           half(uc_state_height(s), step->height), step->width, step->height, NULL,
                           0);
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
    double f = step->value[0];
    int w = uc_state_width(s), h = uc_state_height(s);
    int left = (int)((w - w * f) / 2), top = (int)((h - h * f) / 2);
    return uc_state_window(s, left, top, w - 2 * left, h - 2 * top, NULL, 0);
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
