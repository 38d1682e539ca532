/* The pipeline text: "rgb | resize=224x224,bilinear,pillow | scale=1/255 | nchw", read left to right;
 * a message points at the wrong word. docs/preprocessing.md lists the steps. */
#include "contract/contract_internal.h"

#include "base/text.h"

#define NEWEST_PILLOW 13

static const struct {
    const char *name;
    uc_pillow_filter filter;
} filter_names[] = {
    {"nearest", UC_PILLOW_NEAREST},   {"lanczos", UC_PILLOW_LANCZOS},
    {"antialias", UC_PILLOW_LANCZOS}, {"bilinear", UC_PILLOW_BILINEAR},
    {"linear", UC_PILLOW_BILINEAR},   {"bicubic", UC_PILLOW_BICUBIC},
    {"cubic", UC_PILLOW_BICUBIC},     {"box", UC_PILLOW_BOX},
    {"hamming", UC_PILLOW_HAMMING},   {"mks2013", UC_PILLOW_MKS2013},
    {"mks2021", UC_PILLOW_MKS2021},   {"default", UC_PILLOW_DEFAULT},
};

/* Libraries whose arithmetic has its place but isn't in this build. */
static const char *const other_libraries[] = {"opencv", "tensorflow", "torchvision", "keras",
                                              "skimage"};

const char *uc_pillow_filter_name(uc_pillow_filter filter)
{
    for (size_t i = 0; i < sizeof filter_names / sizeof filter_names[0]; i++) {
        if (filter_names[i].filter == filter) return filter_names[i].name;
    }
    return "?";
}

bool uc_contract_add(uc_contract *contract, uc_arena *arena, uc_step step)
{
    uc_step *steps = uc_arena_grow(arena, contract->steps, &contract->capacity, contract->count + 1,
                                   sizeof *steps);
    if (!steps) return false;
    contract->steps = steps;
    steps[contract->count++] = step;
    return true;
}

typedef struct parser {
    const char *spec;
    uc_arena *arena;
    uncork_error *error;
    uc_contract *contract;
} parser;

/* USAGE, with the word and where it stands. */
static uncork_status wrong(const parser *p, uc_str word, const char *why)
{
    uc_fail(p->error, UNCORK_USAGE, UC_NO_OFFSET, "--preprocess: '%.*s' (character %zu) %s",
            (int)word.size, word.data, (size_t)(word.data - p->spec) + 1, why);
    return p->error->status;
}

/* Takes the text up to `separator` off the front, trimmed. */
static uc_str cut(uc_str *rest, char separator)
{
    const char *end = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    uc_str part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t used = end ? part.size + 1 : part.size;
    rest->data += used;
    rest->size -= used;
    return uc_text_trim(part);
}

static bool parse_size(uc_str s, int *width, int *height)
{
    uc_str rest = s, w = cut(&rest, 'x');
    int64_t a, b = 0;
    bool pair = w.size < s.size;
    if (!uc_text_i64(w, &a) || a < 1 || a > 65535) return false;
    if (pair && (!uc_text_i64(uc_text_trim(rest), &b) || b < 1 || b > 65535)) return false;
    *width = (int)a;
    *height = (int)b;
    return true;
}

/* "1/255", "0.5": value; *divide when it is 1/x, kept as a division as people's code has it. */
static bool parse_ratio(uc_str s, double *value, bool *divide)
{
    uc_str rest = s, top = cut(&rest, '/');
    double a, b;
    *divide = false;
    if (!uc_text_f64(top, &a)) return false;
    *value = a;
    if (top.size == s.size) return true;
    if (!uc_text_f64(uc_text_trim(rest), &b) || !(b < 0 || b > 0)) return false;
    *divide = !(a < 1.0) && !(a > 1.0);
    *value = *divide ? b : a / b;
    return true;
}

static bool parse_library(uc_str word, int *version)
{
    static const char name[] = "pillow";
    size_t n = sizeof name - 1;
    if (word.size < n || memcmp(word.data, name, n) != 0) return false;
    if (word.size == n) return true;
    int64_t v;
    if (!uc_text_i64((uc_str){word.data + n, word.size - n}, &v) || v < 1 || v > 99) return false;
    *version = (int)v;
    return true;
}

static bool is_other_library(uc_str word)
{
    for (size_t i = 0; i < sizeof other_libraries / sizeof other_libraries[0]; i++) {
        if (uc_str_is(word, other_libraries[i])) return true;
    }
    return false;
}

/* The words behind a resize's size: a filter, a library, in any order. */
static uncork_status parse_resize_words(const parser *p, uc_str rest, uc_step *step)
{
    while (rest.size) {
        uc_str word = cut(&rest, ',');
        bool known = parse_library(word, &step->version);
        for (size_t i = 0; !known && i < sizeof filter_names / sizeof filter_names[0]; i++) {
            if (uc_str_is(word, filter_names[i].name)) {
                step->filter = filter_names[i].filter;
                known = true;
            }
        }
        if (!known && is_other_library(word))
            return wrong(p, word, "resizes aren't in this build yet; pillow is");
        if (!known)
            return wrong(
                p, word,
                "is no filter (nearest, bilinear, bicubic, lanczos, box, hamming) and no library (pillow)");
    }
    return UNCORK_OK;
}

static uncork_status parse_values(const parser *p, uc_str word, uc_str rest, uc_step *step)
{
    while (rest.size) {
        uc_str v = cut(&rest, ',');
        if (step->value_count == 4 || !uc_text_f64(v, &step->value[step->value_count]))
            return wrong(p, v, "is no number");
        step->value_count++;
    }
    if (step->value_count == 2 || step->value_count == 0)
        return wrong(p, word, "takes one number, or one a channel");
    return UNCORK_OK;
}

static const struct {
    const char *name;
    uc_step step;
} plain_steps[] = {
    {"exif", {.kind = UC_STEP_EXIF}},
    {"gray", {.kind = UC_STEP_CONVERT, .mode = UC_IMAGE_L}},
    {"grey", {.kind = UC_STEP_CONVERT, .mode = UC_IMAGE_L}},
    {"grayscale", {.kind = UC_STEP_CONVERT, .mode = UC_IMAGE_L}},
    {"rgb", {.kind = UC_STEP_CONVERT, .mode = UC_IMAGE_RGB}},
    {"rgba", {.kind = UC_STEP_CONVERT, .mode = UC_IMAGE_RGBA}},
    {"float", {.kind = UC_STEP_CONVERT, .mode = UC_IMAGE_F}},
    {"bgr", {.kind = UC_STEP_BGR}},
    {"invert", {.kind = UC_STEP_INVERT}},
    {"uint8", {.kind = UC_STEP_CAST, .dtype = UNCORK_UINT8}},
    {"float32", {.kind = UC_STEP_CAST, .dtype = UNCORK_FLOAT32}},
    {"float64", {.kind = UC_STEP_CAST, .dtype = UNCORK_FLOAT64}},
    {"nchw", {.kind = UC_STEP_NCHW}},
    {"chw", {.kind = UC_STEP_NCHW}},
    {"nhwc", {.kind = UC_STEP_NHWC}},
    {"hwc", {.kind = UC_STEP_NHWC}},
    {"flatten", {.kind = UC_STEP_FLATTEN}},
};

static uncork_status parse_argument_step(const parser *p, uc_str name, uc_str rest, uc_step *step)
{
    uc_str whole = rest;
    step->value_text = uc_arena_copy(p->arena, whole.data, whole.size);
    if (uc_str_is(name, "resize")) {
        *step = (uc_step){
            .kind = UC_STEP_RESIZE, .filter = UC_PILLOW_DEFAULT, .version = NEWEST_PILLOW};
        uc_str size = cut(&rest, ',');
        if (!parse_size(size, &step->width, &step->height))
            return wrong(p, size, "is no size: WIDTHxHEIGHT, or one number for the shorter side");
        return parse_resize_words(p, rest, step);
    }
    if (uc_str_is(name, "center_crop")) {
        step->kind = UC_STEP_CENTER_CROP;
        if (!parse_size(rest, &step->width, &step->height))
            return wrong(p, rest, "is no size: WIDTHxHEIGHT or one number");
        if (!step->height) step->height = step->width;
        return UNCORK_OK;
    }
    if (uc_str_is(name, "scale")) {
        bool divide;
        if (!parse_ratio(rest, &step->value[0], &divide))
            return wrong(p, rest, "is no number and no ratio such as 1/255");
        step->kind = divide ? UC_STEP_DIVIDE : UC_STEP_MULTIPLY;
        step->value_count = 1;
        return UNCORK_OK;
    }
    if (uc_str_is(name, "add")) {
        step->kind = UC_STEP_ADD;
        return parse_values(p, name, rest, step);
    }
    if (uc_str_is(name, "mean") || uc_str_is(name, "std")) {
        step->kind = uc_str_is(name, "mean") ? UC_STEP_MEAN : UC_STEP_STD;
        return parse_values(p, name, rest, step);
    }
    if (uc_str_is(name, "decode")) {
        if (is_other_library(rest))
            return wrong(p, rest, "decodes aren't in this build yet; pillow's is");
        int version;
        if (!parse_library(rest, &version)) return wrong(p, rest, "is no decoder (pillow)");
        step->kind = UC_STEP_CAST; /* what happens anyway */
        step->dtype = UNCORK_DTYPE_NONE;
        return UNCORK_OK;
    }
    if (uc_str_is(name, "crop")) {
        int64_t v[4];
        for (int i = 0; i < 4; i++) {
            uc_str word = cut(&rest, ',');
            if (!uc_text_i64(word, &v[i]) || v[i] < -65535 || v[i] > 65535 || (i > 1 && v[i] < 1)) {
                return wrong(p, whole, "is no rectangle: LEFT,TOP,WIDTH,HEIGHT");
            }
        }
        *step = (uc_step){.kind = UC_STEP_CROP,
                          .left = (int)v[0],
                          .top = (int)v[1],
                          .width = (int)v[2],
                          .height = (int)v[3]};
        return UNCORK_OK;
    }
    return wrong(
        p, name,
        "is no step (exif, gray, rgb, bgr, resize=, center_crop=, crop=, scale=, add=, mean=, std=, invert, float32, float64, nchw, nhwc, flatten)");
}

static uncork_status parse_step(const parser *p, uc_str text)
{
    uc_str rest = text, name = cut(&rest, '=');
    uc_step step = {0};
    bool found = false;
    if (name.size == text.size) {
        for (size_t i = 0; i < sizeof plain_steps / sizeof plain_steps[0]; i++) {
            if (!uc_str_is(name, plain_steps[i].name)) continue;
            step = plain_steps[i].step;
            found = true;
        }
        if (!found && memchr(name.data, ':', name.size))
            return wrong(p, name, "is a preset; presets aren't in this build yet, write the steps");
    }
    if (!found) UC_TRY(parse_argument_step(p, name, rest, &step));
    if (step.kind == UC_STEP_CAST && step.dtype == UNCORK_DTYPE_NONE) return UNCORK_OK;
    return uc_contract_add(p->contract, p->arena, step) ? UNCORK_OK
                                                        : uc_arena_status(p->arena, p->error);
}

uncork_status uc_contract_parse(const char *spec, uc_arena *arena, uc_contract **contract,
                                uncork_error *error)
{
    uc_contract *c = UC_NEW(arena, uc_contract, 1);
    if (!c) return uc_arena_status(arena, error);
    const parser p = {.spec = spec, .arena = arena, .error = error, .contract = c};
    uc_str rest = uc_str_of(spec);
    while (rest.size) {
        uc_str text = cut(&rest, '|');
        if (text.size == 0)
            return wrong(&p, (uc_str){text.data, 0}, "stands empty between two bars");
        UC_TRY(parse_step(&p, text));
    }
    if (c->count == 0)
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "--preprocess holds no step");
    *contract = c;
    return UNCORK_OK;
}
