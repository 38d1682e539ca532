/* Arithmetic on every value, in the type NumPy would compute in: whole numbers and a constant give
 * float64, float32 stays float32 (NEP 50). */
#include "contract/contract_internal.h"

#include "base/text.h"
#include "image/scale.h"

#include <math.h>

/* ---- reading and printing ---- */

static uncork_status read_numbers(const uc_spec *spec, uc_str word, uc_step *step)
{
    uc_str rest = word;
    while (rest.size) {
        uc_str v = uc_word_cut(&rest, ',');
        if (step->value_count == 4 || !uc_text_f64(v, &step->value[step->value_count]) ||
            !isfinite(step->value[step->value_count]))
            return uc_spec_wrong(spec, v, "is no number");
        step->value_count++;
    }
    if (step->value_count == 2 || step->value_count == 0)
        return uc_spec_wrong(spec, word, "takes one number, or one a channel");
    return UNCORK_OK;
}

uncork_status uc_step_values_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    UC_TRY(read_numbers(spec, arguments, step));
    for (int i = 0; i < step->value_count; i++) {
        if (step->variant == UC_VALUES_DIVIDE && !(step->value[i] < 0 || step->value[i] > 0))
            return uc_spec_wrong(spec, arguments, "divides by zero");
    }
    return UNCORK_OK;
}

void uc_step_values_print(const uc_step *step, uc_writer *out)
{
    for (int i = 0; i < step->value_count; i++) {
        if (i) uc_writer_text(out, ",");
        uc_number_print(step->value[i], out);
    }
}

/* "1/255" is kept as a division, as people's code has it; "16/255" is one factor. */
uncork_status uc_step_scale_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    uc_str rest = arguments, top = uc_word_cut(&rest, '/');
    double a, b;
    step->variant = UC_VALUES_MULTIPLY;
    if (top.size == arguments.size && memchr(arguments.data, ',', arguments.size))
        return read_numbers(spec, arguments, step);
    if (!uc_text_f64(top, &a) || !isfinite(a))
        return uc_spec_wrong(spec, arguments, "is no number and no ratio such as 1/255");
    step->value_count = 1;
    step->value[0] = a;
    if (top.size == arguments.size) return UNCORK_OK;
    if (!uc_text_f64(uc_text_trim(rest), &b) || !isfinite(b) || !(b < 0 || b > 0))
        return uc_spec_wrong(spec, arguments, "is no number and no ratio such as 1/255");
    if (!(a < 1.0) && !(a > 1.0)) {
        step->variant = UC_VALUES_DIVIDE;
        step->value[0] = b;
        return UNCORK_OK;
    }
    step->value[0] = a / b;
    step->text = uc_arena_copy(spec->arena, arguments.data, arguments.size);
    return step->text ? UNCORK_OK : uc_arena_status(spec->arena, spec->error);
}

void uc_step_scale_print(const uc_step *step, uc_writer *out)
{
    if (step->text) {
        uc_writer_text(out, step->text);
        return;
    }
    if (step->variant == UC_VALUES_DIVIDE) uc_writer_text(out, "1/");
    uc_step_values_print(step, out);
}

/* mean and std in one word, or by the name that everyone's code has. */
uncork_status uc_step_normalize_parse(uc_spec *spec, uc_str arguments, uc_step *step)
{
    static const struct {
        const char *name, *values;
    } known[] = {
        {"imagenet", "0.485,0.456,0.406/0.229,0.224,0.225"},
        {"clip", "0.48145466,0.4578275,0.40821073/0.26862954,0.26130258,0.27577711"},
        {"half", "0.5,0.5,0.5/0.5,0.5,0.5"},
    };
    uc_str rest = arguments;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (uc_str_is(arguments, known[i].name)) rest = uc_str_of(known[i].values);
    }
    uc_str means = uc_word_cut(&rest, '/');
    uc_step mean = {.row = uc_step_find(uc_str_of("mean")), .variant = UC_VALUES_SUBTRACT},
            std = {.row = uc_step_find(uc_str_of("std")), .variant = UC_VALUES_DIVIDE};
    if (!means.size || !rest.size)
        return uc_spec_wrong(spec, arguments,
                             "is neither MEANS/DEVIATIONS nor imagenet, clip or half");
    UC_TRY(read_numbers(spec, means, &mean));
    UC_TRY(read_numbers(spec, uc_text_trim(rest), &std));
    step->row = NULL;
    return uc_contract_add(spec->contract, spec->arena, mean) &&
                   uc_contract_add(spec->contract, spec->arena, std)
               ? UNCORK_OK
               : uc_arena_status(spec->arena, spec->error);
}

/* ---- running ---- */

/* x op k for n values that lie `stride` apart. */
#define LOOP(type, name)                                               \
    static void name(type *x, size_t n, size_t stride, int op, type k) \
    {                                                                  \
        switch (op) {                                                  \
        case UC_VALUES_ADD:                                            \
            for (size_t i = 0; i < n; i++)                             \
                x[i * stride] = x[i * stride] + k;                     \
            break;                                                     \
        case UC_VALUES_SUBTRACT:                                       \
            for (size_t i = 0; i < n; i++)                             \
                x[i * stride] = x[i * stride] - k;                     \
            break;                                                     \
        case UC_VALUES_MULTIPLY:                                       \
            for (size_t i = 0; i < n; i++)                             \
                x[i * stride] = x[i * stride] * k;                     \
            break;                                                     \
        default:                                                       \
            for (size_t i = 0; i < n; i++)                             \
                x[i * stride] = x[i * stride] / k;                     \
        }                                                              \
    }
LOOP(float, loop_f32)
LOOP(double, loop_f64)
#undef LOOP

enum { BLOCK = 48 }; /* a multiple of 1 to 4 channels and of vectors */

static inline void block_f32(float *restrict x, const float *restrict k, size_t n, int op)
{
    switch (op) {
    case UC_VALUES_ADD:
        for (size_t i = 0; i < n; i++)
            x[i] = x[i] + k[i];
        break;
    case UC_VALUES_SUBTRACT:
        for (size_t i = 0; i < n; i++)
            x[i] = x[i] - k[i];
        break;
    case UC_VALUES_MULTIPLY:
        for (size_t i = 0; i < n; i++)
            x[i] = x[i] * k[i];
        break;
    default:
        for (size_t i = 0; i < n; i++)
            x[i] = x[i] / k[i];
    }
}

/* A value a channel, channels last (1 to 4): blocks of constant size, of which the compiler makes vectors. */
static void loop_channels_f32(float *x, size_t n, size_t channels, int op, const double *values)
{
    float k[BLOCK];
    for (size_t i = 0; i < BLOCK; i++) {
        k[i] = (float)values[i % channels];
    }
    size_t at = 0;
    for (; at + BLOCK <= n; at += BLOCK) {
        block_f32(x + at, k, BLOCK, op);
    }
    block_f32(x + at, k, n - at, op);
}

static void loop(void *data, uncork_dtype dtype, size_t at, size_t n, size_t stride, int op,
                 double k)
{
    if (dtype == UNCORK_FLOAT32 && stride == 1) {
        loop_channels_f32((float *)data + at, n, 1, op, &k);
    } else if (dtype == UNCORK_FLOAT32) {
        loop_f32((float *)data + at, n, stride, op, (float)k);
    } else {
        loop_f64((double *)data + at, n, stride, op, k);
    }
}

/* The array in another type; a fresh one unless it has it already. */
static uncork_status convert(uc_state *s, uncork_dtype dtype)
{
    if (s->pixels.dtype == dtype) return UNCORK_OK;
    size_t n = uc_pixels_count(&s->pixels);
    void *data = uc_arena_alloc_raw(s->arena, n * uc_dtype_size(dtype));
    if (!data) return uc_arena_status(s->arena, s->error);
    uc_dtype_convert(data, dtype, s->pixels.data, s->pixels.dtype, (int64_t)n);
    s->pixels.data = data;
    s->pixels.dtype = dtype;
    return UNCORK_OK;
}

uncork_status uc_step_values_run(uc_state *s, const uc_step *step)
{
    UC_TRY(uc_state_array(s));
    size_t channels = (size_t)s->pixels.channels, plane = uc_pixels_count(&s->pixels) / channels;
    if (step->value_count > 1 && step->value_count != s->pixels.channels) {
        return uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET,
                       "%s has %d values, the picture %d channel%s", step->row->name,
                       step->value_count, s->pixels.channels, channels == 1 ? "" : "s");
    }
    bool half = s->pixels.dtype == UNCORK_FLOAT16; /* computed in float32, rounded each time */
    UC_TRY(convert(s, half || s->pixels.dtype == UNCORK_FLOAT32 ? UNCORK_FLOAT32 : UNCORK_FLOAT64));
    const bool blocks = s->pixels.dtype == UNCORK_FLOAT32 && !s->first && channels <= 4;
    if (blocks && step->value_count > 1)
        loop_channels_f32(s->pixels.data, plane * channels, channels, step->variant, step->value);
    for (size_t c = 0; c < channels && step->value_count > 1 && !blocks; c++) {
        loop(s->pixels.data, s->pixels.dtype, s->first ? c * plane : c, plane,
             s->first ? 1 : channels, step->variant, step->value[c]);
    }
    if (step->value_count == 1)
        loop(s->pixels.data, s->pixels.dtype, 0, plane * channels, 1, step->variant,
             step->value[0]);
    return half ? convert(s, UNCORK_FLOAT16) : UNCORK_OK;
}

/* astype: toward zero, out of range to the ends (where NumPy says nothing). */
uncork_status uc_step_cast_run(uc_state *s, const uc_step *step)
{
    UC_TRY(uc_state_array(s));
    return convert(s, (uncork_dtype)step->row->extra);
}

/* 255 - x; a bool array gives whole numbers, as in NumPy. */
uncork_status uc_step_invert_run(uc_state *s, const uc_step *step)
{
    (void)step;
    UC_TRY(uc_state_array(s));
    size_t n = uc_pixels_count(&s->pixels);
    if (s->pixels.dtype == UNCORK_UINT8) {
        uint8_t *x = s->pixels.data;
        for (size_t i = 0; i < n; i++)
            x[i] = (uint8_t)(255 - x[i]);
        return UNCORK_OK;
    }
    uncork_dtype dtype = s->pixels.dtype == UNCORK_BOOL ? UNCORK_INT64 : s->pixels.dtype;
    UC_TRY(convert(s, dtype == UNCORK_FLOAT32 ? dtype : UNCORK_FLOAT64));
    loop(s->pixels.data, s->pixels.dtype, 0, n, 1, UC_VALUES_MULTIPLY, -1);
    loop(s->pixels.data, s->pixels.dtype, 0, n, 1, UC_VALUES_ADD, 255);
    return convert(s, dtype);
}

uncork_status uc_step_standardize_run(uc_state *s, const uc_step *step)
{
    (void)step;
    UC_TRY(uc_state_array(s));
    UC_TRY(convert(s, UNCORK_FLOAT32));
    uc_standardize_tensorflow(&s->pixels); /* of all values: where channels stand doesn't matter */
    return UNCORK_OK;
}
