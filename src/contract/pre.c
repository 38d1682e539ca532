/* Runs a contract's steps: while the picture is an image, with image/'s arithmetic; from the first
 * numeric step on as an array, in the type NumPy would compute in (uint8 and a float constant give
 * float64; float32 stays float32). */
#include "contract/contract_internal.h"

#include <math.h>

typedef struct state {
    uc_image image;
    uc_arena *arena;
    uncork_error *error;
    uncork_dtype dtype; /* of `numbers`; NONE while it is an image */
    double *numbers;    /* every value as double; rounded to float after each step when FLOAT32 */
    int64_t channels, height, width;
    bool first; /* channels first */
} state;

static size_t value_count(const state *s) { return (size_t)(s->channels * s->height * s->width); }

static double element(const uc_image *im, size_t i)
{
    switch (im->mode) {
    case UC_IMAGE_I16: return ((const uint16_t *)im->data)[i];
    case UC_IMAGE_I: return ((const int32_t *)im->data)[i];
    case UC_IMAGE_F: return (double)((const float *)im->data)[i];
    case UC_IMAGE_1: return ((const uint8_t *)im->data)[i] ? 1.0 : 0.0; /* a bool array in NumPy */
    case UC_IMAGE_L:
    case UC_IMAGE_LA:
    case UC_IMAGE_P:
    case UC_IMAGE_RGB:
    case UC_IMAGE_RGBA:
    case UC_IMAGE_CMYK: break;
    }
    return ((const uint8_t *)im->data)[i];
}

/* numpy.asarray(image). */
static uncork_status to_numbers(state *s)
{
    if (s->dtype != UNCORK_DTYPE_NONE) return UNCORK_OK;
    s->channels = uc_image_channels(s->image.mode);
    s->height = s->image.height;
    s->width = s->image.width;
    s->dtype = s->image.mode == UC_IMAGE_F                  ? UNCORK_FLOAT32
               : uc_image_channel_bytes(s->image.mode) == 1 ? UNCORK_UINT8
                                                            : UNCORK_INT32;
    size_t n = value_count(s);
    s->numbers = UC_NEW(s->arena, double, n);
    if (!s->numbers) return uc_arena_status(s->arena, s->error);
    for (size_t i = 0; i < n; i++) {
        s->numbers[i] = element(&s->image, i);
    }
    return UNCORK_OK;
}

/* The result's type: integers and a float constant make float64. */
static void promote(state *s)
{
    if (s->dtype != UNCORK_FLOAT32) s->dtype = UNCORK_FLOAT64;
}

static double round_to(const state *s, double v)
{
    return s->dtype == UNCORK_FLOAT32 ? (double)(float)v : v;
}

/* Channel of the i-th value in the layout now. */
static int64_t channel_of(const state *s, size_t i)
{
    return s->first ? (int64_t)i / (s->height * s->width) : (int64_t)i % s->channels;
}

static uncork_status arithmetic(state *s, const uc_step *step)
{
    UC_TRY(to_numbers(s));
    if (step->value_count > 1 && step->value_count != s->channels) {
        return uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET, "%d values for %lld channels",
                       step->value_count, (long long)s->channels);
    }
    if (step->kind == UC_STEP_CAST) {
        s->dtype = step->dtype;
    } else if (step->kind != UC_STEP_INVERT) {
        promote(s);
    }
    size_t n = value_count(s);
    for (size_t i = 0; i < n; i++) {
        double v = s->numbers[i],
               k = round_to(s, step->value[step->value_count > 1 ? channel_of(s, i) : 0]);
        switch (step->kind) {
        case UC_STEP_DIVIDE:
        case UC_STEP_STD:
            v = s->dtype == UNCORK_FLOAT32 ? (double)((float)v / (float)k) : v / k;
            break;
        case UC_STEP_MULTIPLY: v *= k; break;
        case UC_STEP_ADD: v += k; break;
        case UC_STEP_MEAN: v -= k; break;
        case UC_STEP_INVERT: v = 255.0 - v; break;
        case UC_STEP_CAST:
            if (s->dtype == UNCORK_UINT8) v = v <= 0 || isnan(v) ? 0 : v >= 255 ? 255 : trunc(v);
            break;
        case UC_STEP_EXIF:
        case UC_STEP_CONVERT:
        case UC_STEP_BGR:
        case UC_STEP_RESIZE:
        case UC_STEP_CENTER_CROP:
        case UC_STEP_CROP:
        case UC_STEP_NCHW:
        case UC_STEP_NHWC:
        case UC_STEP_FLATTEN: break;
        }
        s->numbers[i] = round_to(s, v);
    }
    return UNCORK_OK;
}

static uncork_status move_channels(state *s, bool first)
{
    UC_TRY(to_numbers(s));
    if (s->first == first) return UNCORK_OK;
    size_t n = value_count(s), plane = (size_t)(s->height * s->width), c = (size_t)s->channels;
    double *to = UC_NEW(s->arena, double, n);
    if (!to) return uc_arena_status(s->arena, s->error);
    for (size_t p = 0; p < plane; p++) {
        for (size_t k = 0; k < c; k++) {
            if (first) {
                to[k * plane + p] = s->numbers[p * c + k];
            } else {
                to[p * c + k] = s->numbers[k * plane + p];
            }
        }
    }
    s->numbers = to;
    s->first = first;
    return UNCORK_OK;
}

static uncork_status swap_channels(state *s)
{
    UC_TRY(to_numbers(s));
    if (s->channels < 3)
        return uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET,
                       "bgr needs a colour picture: put rgb before it");
    size_t plane = (size_t)(s->height * s->width), c = (size_t)s->channels;
    for (size_t p = 0; p < plane; p++) {
        size_t red = s->first ? p : p * c, blue = s->first ? 2 * plane + p : p * c + 2;
        double v = s->numbers[red];
        s->numbers[red] = s->numbers[blue];
        s->numbers[blue] = v;
    }
    return UNCORK_OK;
}

/* A float array back to a picture of mode F, one channel (Pillow has no other float picture). */
static uncork_status back_to_image(state *s, const char *step)
{
    if (s->dtype == UNCORK_DTYPE_NONE) return UNCORK_OK;
    if (s->channels != 1) {
        return uc_fail(s->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "%s after numeric steps works on one channel only: put it first", step);
    }
    bool bytes = s->dtype == UNCORK_UINT8;
    UC_TRY(uc_image_new(bytes ? UC_IMAGE_L : UC_IMAGE_F, s->width, s->height, s->arena, &s->image,
                        s->error));
    for (size_t i = 0; i < value_count(s); i++) {
        if (bytes) {
            ((uint8_t *)s->image.data)[i] = (uint8_t)s->numbers[i];
        } else {
            ((float *)s->image.data)[i] = (float)s->numbers[i];
        }
    }
    s->dtype = UNCORK_DTYPE_NONE;
    return UNCORK_OK;
}

/* torchvision's Resize(int) on PIL images: the shorter side becomes `width`, the other int(). */
static void shorter_side(const uc_image *im, int size, int *width, int *height)
{
    bool wide = im->width > im->height;
    int64_t shorter = wide ? im->height : im->width, longer = wide ? im->width : im->height;
    int64_t other = (int64_t)size * longer / shorter;
    if (other > 65535) other = 65535;
    *width = wide ? (int)other : size;
    *height = wide ? size : (int)other;
}

static uncork_status resize(state *s, const uc_step *step)
{
    UC_TRY(back_to_image(s, "resize"));
    int width = step->width, height = step->height;
    if (!height) shorter_side(&s->image, step->width, &width, &height);
    return uc_resize_pillow(&s->image, width, height, step->filter, NULL, 0, step->version,
                            s->arena, &s->image, s->error);
}

/* torchvision's CenterCrop: offsets by round half to even. */
static uncork_status center_crop(state *s, const uc_step *step)
{
    UC_TRY(back_to_image(s, "center_crop"));
    int left = (int)nearbyint((s->image.width - step->width) / 2.0),
        top = (int)nearbyint((s->image.height - step->height) / 2.0);
    return uc_image_crop(&s->image, left, top, step->width, step->height, s->arena, &s->image,
                         s->error);
}

static uncork_status run_step(state *s, const uc_step *step)
{
    switch (step->kind) {
    case UC_STEP_EXIF:
        UC_TRY(back_to_image(s, "exif"));
        return uc_image_upright(&s->image, s->arena, &s->image, s->error);
    case UC_STEP_CONVERT:
        UC_TRY(back_to_image(s, "a colour conversion"));
        return uc_image_convert(&s->image, step->mode, s->arena, &s->image, s->error);
    case UC_STEP_RESIZE: return resize(s, step);
    case UC_STEP_CENTER_CROP: return center_crop(s, step);
    case UC_STEP_CROP:
        UC_TRY(back_to_image(s, "crop"));
        return uc_image_crop(&s->image, step->left, step->top, step->width, step->height, s->arena,
                             &s->image, s->error);
    case UC_STEP_BGR: return swap_channels(s);
    case UC_STEP_NCHW: return move_channels(s, true);
    case UC_STEP_NHWC: return move_channels(s, false);
    case UC_STEP_FLATTEN: return to_numbers(s);
    case UC_STEP_CAST:
    case UC_STEP_DIVIDE:
    case UC_STEP_MULTIPLY:
    case UC_STEP_ADD:
    case UC_STEP_MEAN:
    case UC_STEP_STD:
    case UC_STEP_INVERT: return arithmetic(s, step);
    }
    return UNCORK_OK;
}

/* Whether channels, rows and columns are those wanted, but in the other order. */
static bool is_other_layout(const state *s, const uc_contract_want *want)
{
    const int64_t other[3] = {s->first ? s->height : s->channels, s->first ? s->width : s->height,
                              s->first ? s->channels : s->width};
    for (int d = 0; d < 3; d++) {
        if (want->rank != 3 || (want->shape[d] >= 0 && want->shape[d] != other[d])) return false;
    }
    return true;
}

/* The wanted shape, or INPUT naming both sides. */
static uncork_status fit(const state *s, const uc_contract_want *want, uc_tensor **tensor)
{
    int64_t have[3] = {s->height, s->width, s->channels},
            first[3] = {s->channels, s->height, s->width};
    const int64_t *shape = s->first ? first : have;
    bool fits = want->rank <= 0;
    int64_t flat = s->channels * s->height * s->width, grey[2] = {s->height, s->width};
    int rank = want->rank;
    if (rank == 1) {
        fits = want->shape[0] < 0 || want->shape[0] == flat;
        shape = &flat;
    } else if (rank == 2 && s->channels == 1) {
        shape = grey;
        fits = true;
    } else if (rank == 3) {
        fits = true;
    }
    for (int d = 0; fits && rank > 1 && d < rank; d++) {
        fits = want->shape[d] < 0 || want->shape[d] == shape[d];
    }
    if (!fits) {
        char wanted[128];
        uc_shape_text(want->shape, want->rank, wanted, sizeof wanted);
        uc_fail(
            s->error, UNCORK_INPUT, UC_NO_OFFSET,
            "the picture gives %lld x %lld pixels of %lld channels (%lld values), the model takes %s",
            (long long)s->width, (long long)s->height, (long long)s->channels, (long long)flat,
            wanted);
        if (is_other_layout(s, want)) {
            return uc_fix(s->error, s->first ? "channels come last: leave nchw out of --preprocess"
                                             : "channels come first: put nchw at the end of "
                                               "--preprocess");
        }
        return uc_fix(s->error, "put resize=WIDTHxHEIGHT and gray or rgb into --preprocess");
    }
    uc_tensor *t = uc_tensor_new(s->arena, want->dtype, rank, shape);
    if (!t) return uc_fail_memory(s->error);
    uc_dtype_convert(t->data, want->dtype, s->numbers, UNCORK_FLOAT64, flat);
    *tensor = t;
    return UNCORK_OK;
}

uncork_status uc_contract_apply(const uc_contract *contract, uc_bytes image,
                                const uc_contract_want *want, uc_arena *arena, uc_tensor **tensor,
                                uncork_error *error)
{
    state s = {.arena = arena, .error = error};
    UC_TRY(uc_image_decode(image, arena, &s.image, error));
    for (size_t i = 0; i < contract->count; i++) {
        UC_TRY(run_step(&s, &contract->steps[i]));
    }
    UC_TRY(to_numbers(&s));
    return fit(&s, want, tensor);
}

uc_contract_shape uc_contract_result(const uc_contract *contract)
{
    uc_contract_shape r = {-1, -1, -1, false, false};
    for (size_t i = 0; i < contract->count; i++) {
        const uc_step *s = &contract->steps[i];
        if (s->kind == UC_STEP_CONVERT) r.channels = uc_image_channels(s->mode);
        if (s->kind == UC_STEP_CROP || s->kind == UC_STEP_CENTER_CROP ||
            s->kind == UC_STEP_RESIZE) {
            r.width = s->kind == UC_STEP_RESIZE && !s->height ? -1 : s->width;
            r.height = s->height ? s->height : -1;
        }
        if (s->kind == UC_STEP_NCHW) r.first = true;
        if (s->kind == UC_STEP_NHWC) r.first = false;
        if (s->kind == UC_STEP_FLATTEN) r.flat = true;
    }
    return r;
}

uncork_status uc_contract_check(const uc_contract *contract, const uc_contract_want *want,
                                uncork_error *error)
{
    uc_contract_shape r = uc_contract_result(contract);
    if (r.channels < 0 || r.width < 0 || r.height < 0) return UNCORK_OK; /* told by each picture */
    int64_t flat = r.channels * r.width * r.height, expected = 1;
    for (int d = 0; d < want->rank; d++) {
        if (want->shape[d] < 0) return UNCORK_OK;
        expected *= want->shape[d];
    }
    if (flat == expected) return UNCORK_OK;
    char wanted[128];
    uc_shape_text(want->shape, want->rank, wanted, sizeof wanted);
    uc_fail(
        error, UNCORK_USAGE, UC_NO_OFFSET,
        "--preprocess gives %lld x %lld pixels of %lld channels (%lld values), the model takes %s",
        (long long)r.width, (long long)r.height, (long long)r.channels, (long long)flat, wanted);
    return uc_fix(error, "change resize=, gray or rgb so that both sides agree");
}
