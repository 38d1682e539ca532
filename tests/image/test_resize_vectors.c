/* Resizes, crops and pads against the genuine libraries over random sizes, dtypes and parameters: the
 * CRC-32 of their bytes, written by tests/fixtures/gen/resize_vectors.py, which says what a case means.
 * Runs itself once for each instruction set. */
#include "base/dtype.h"
#include "base/file.h"
#include "base/json.h"
#include "image/imageops.h"
#include "image/keras.h"
#include "image/letterbox.h"
#include "image/scale.h"

#include "isa.h"
#include "steps.h"

#include <math.h>
#include <stdio.h>

#include <zlib.h>

#define FOLDER "tests/fixtures/resize/"

typedef struct test_case {
    uc_str op, filter;
    uc_pixels in;
    uc_size from, to;
    int a, b;
    uc_arena *arena;
    uncork_error *error;
} test_case;

typedef uncork_status (*run_fn)(const test_case *c, uc_pixels *out);

typedef struct row {
    const char *op;
    run_fn run;
} row;

static int name_of(uc_str s, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (uc_str_is(s, names[i])) return i;
    }
    return 0;
}

static uncork_dtype dtype_of(uc_str s)
{
    static const char *const names[] = {"uint8", "uint16", "bool", "float32", "float64", "int32"};
    static const uncork_dtype dtypes[] = {UNCORK_UINT8,   UNCORK_UINT16,  UNCORK_BOOL,
                                          UNCORK_FLOAT32, UNCORK_FLOAT64, UNCORK_INT32};
    return dtypes[name_of(s, names, 6)];
}

/* The generator's `picture`. */
static void paint(uc_pixels *p, uint32_t seed)
{
    uint32_t x = seed;
    for (size_t i = 0; i < uc_pixels_count(p); i++) {
        x = x * 1664525u + 1013904223u;
        switch ((int)p->dtype) {
        case UNCORK_UINT8: ((uint8_t *)p->data)[i] = (uint8_t)(x >> 24); break;
        case UNCORK_UINT16: ((uint16_t *)p->data)[i] = (uint16_t)(x >> 16); break;
        case UNCORK_BOOL: ((uint8_t *)p->data)[i] = (uint8_t)(x >> 31); break;
        case UNCORK_FLOAT32: ((float *)p->data)[i] = (float)(x >> 8) / 16777216.0f; break;
        case UNCORK_INT32: ((int32_t *)p->data)[i] = (int32_t)(x >> 12); break;
        default: ((double *)p->data)[i] = x / 4294967296.0; break;
        }
    }
}

/* ---- OpenCV, Ultralytics ----------------------------------------------------------------------- */

static uncork_status cv_resize(const test_case *c, uc_pixels *out)
{
    static const char *const names[] = {"nearest",  "linear",       "cubic",        "area",
                                        "lanczos4", "linear_exact", "nearest_exact"};
    return uc_resize_opencv(&c->in, c->to.width, c->to.height,
                            (uc_opencv_filter)name_of(c->filter, names, 7), c->arena, out,
                            c->error);
}

static uncork_status cv_grey(const test_case *c, uc_pixels *out)
{
    const bool bgr = uc_str_is(c->filter, "BGR2GRAY");
    return uc_grey(&c->in, bgr ? UC_GREY_OPENCV_BGR : UC_GREY_OPENCV_RGB, c->arena, out, c->error);
}

static uncork_status cv_blob(const test_case *c, uc_pixels *out)
{
    const uc_blob_options options = {.scale = 1 / 127.5,
                                     .size = c->to,
                                     .mean = {104, 117, 123},
                                     .swap_rb = c->a != 0,
                                     .crop = c->b != 0};
    return uc_blob_opencv(&c->in, &options, c->arena, out, c->error);
}

static const row opencv[] = {
    {"resize", cv_resize}, {"grey", cv_grey}, {"blob", cv_blob}, {NULL, NULL}};

static uncork_status letterbox(const test_case *c, uc_pixels *out)
{
    const uc_letterbox_options options = {.width = c->to.width,
                                          .height = c->to.height,
                                          .minimum_rectangle = (c->a & 1) != 0,
                                          .scale_fill = (c->a & 2) != 0,
                                          .no_scale_up = (c->a & 4) == 0,
                                          .corner = (c->a & 8) == 0,
                                          .stride = c->b,
                                          .padding = 114,
                                          .filter = UC_OPENCV_LINEAR};
    uc_letterbox record;
    UC_TRY(uc_letterbox_apply(&c->in, &options, c->arena, out, &record, c->error));
    CHECK_INT(record.to.width, out->width);
    CHECK_INT(record.to.height, out->height);
    return UNCORK_OK;
}

static const row ultralytics[] = {{"letterbox", letterbox}, {NULL, NULL}};

/* ---- TensorFlow, Keras ------------------------------------------------------------------------- */

static uc_tensorflow_filter tf_filter(uc_str s)
{
    static const char *const names[] = {"nearest",  "bilinear", "bicubic",  "area",
                                        "lanczos3", "lanczos5", "gaussian", "mitchellcubic"};
    return (uc_tensorflow_filter)name_of(s, names, 8);
}

static uncork_status tf_resize(const test_case *c, uc_pixels *out)
{
    const uc_tensorflow_resize options = {.filter = tf_filter(c->filter), .antialias = c->a != 0};
    return uc_resize_tensorflow(&c->in, c->to.width, c->to.height, &options, c->arena, out,
                                c->error);
}

static uncork_status tf_raw(const test_case *c, uc_pixels *out)
{
    const uc_tensorflow_resize options = {
        .filter = tf_filter(c->filter), .legacy = c->b == 0, .align_corners = c->a != 0};
    return uc_resize_tensorflow(&c->in, c->to.width, c->to.height, &options, c->arena, out,
                                c->error);
}

static uncork_status tf_with_pad(const test_case *c, uc_pixels *out)
{
    const uc_tensorflow_resize options = {.filter = tf_filter(c->filter), .antialias = c->a != 0};
    return uc_resize_with_pad(&c->in, c->to, &options, c->arena, out, c->error);
}

static uncork_status centered(const test_case *c, uc_center_rule rule, uc_pixels *out)
{
    int left, top;
    uc_center(rule, c->from, c->to, &left, &top);
    return uc_pixels_window(&c->in, left, top, c->to, NULL, c->arena, out, c->error);
}

static uncork_status tf_crop_or_pad(const test_case *c, uc_pixels *out)
{
    return centered(c, UC_CENTER_TENSORFLOW, out);
}

static uncork_status tf_central_crop(const test_case *c, uc_pixels *out)
{
    int left, top;
    uc_size size;
    uc_central_crop(c->from, c->a / 1000.0, &left, &top, &size);
    return uc_pixels_window(&c->in, left, top, size, NULL, c->arena, out, c->error);
}

static uncork_status tf_convert(const test_case *c, uc_pixels *out)
{
    return uc_convert_dtype_tensorflow(&c->in, dtype_of(c->filter), c->arena, out, c->error);
}

static uncork_status tf_grey(const test_case *c, uc_pixels *out)
{
    return uc_grey(&c->in, UC_GREY_TENSORFLOW, c->arena, out, c->error);
}

static const row tensorflow[] = {{"resize", tf_resize},
                                 {"raw", tf_raw},
                                 {"with_pad", tf_with_pad},
                                 {"crop_or_pad", tf_crop_or_pad},
                                 {"central_crop", tf_central_crop},
                                 {"convert", tf_convert},
                                 {"grey", tf_grey},
                                 {NULL, NULL}};

static uncork_status keras_resizing(const test_case *c, uc_pixels *out)
{
    static const uc_keras_aspect aspects[] = {UC_KERAS_STRETCH, UC_KERAS_CROP, UC_KERAS_PAD};
    return uc_resizing_keras(&c->in, c->to, tf_filter(c->filter), c->a != 0, aspects[c->b], 0,
                             c->arena, out, c->error);
}

static uncork_status keras_smart(const test_case *c, uc_pixels *out)
{
    return uc_smart_resize_keras(&c->in, c->to, tf_filter(c->filter), c->arena, out, c->error);
}

static uncork_status keras_center(const test_case *c, uc_pixels *out)
{
    return uc_center_crop_keras(&c->in, c->to, c->arena, out, c->error);
}

static uc_pillow_filter pillow_filter(uc_str s)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear", "bicubic",
                                        "box",     "hamming", "mks2013",  "mks2021"};
    return (uc_pillow_filter)name_of(s, names, 8);
}

static uncork_status keras_load(const test_case *c, uc_pixels *out)
{
    uc_image image;
    UC_TRY(uc_pixels_to_image(&c->in, c->arena, &image, c->error));
    UC_TRY(uc_load_img_keras(&image, UC_IMAGE_RGB, &c->to, pillow_filter(c->filter), c->a != 0, 13,
                             c->arena, &image, c->error));
    return uc_pixels_of_image(&image, c->arena, out, c->error);
}

static uncork_status keras_preprocess(const test_case *c, uc_pixels *out)
{
    static const char *const names[] = {"tf", "torch", "caffe"};
    static const char *const presets[] = {"keras:mobilenet_v2", "keras:densenet121", "keras:vgg16"};
    *out = c->in;
    return steps_over(out, presets[name_of(c->filter, names, 3)], c->arena, c->error);
}

static const row keras[] = {{"resizing", keras_resizing},     {"smart_resize", keras_smart},
                            {"center_crop", keras_center},    {"load_img", keras_load},
                            {"preprocess", keras_preprocess}, {NULL, NULL}};

/* ---- torchvision, scikit-image, Pillow --------------------------------------------------------- */

static uncork_status tv_resize(const test_case *c, uc_pixels *out)
{
    static const char *const names[] = {"nearest", "nearest-exact", "bilinear", "bicubic",
                                        "lanczos"};
    return uc_resize_torchvision(&c->in, c->to.width, c->to.height,
                                 (uc_torchvision_filter)name_of(c->filter, names, 5), c->a != 0,
                                 c->b, c->arena, out, c->error);
}

static uncork_status tv_center(const test_case *c, uc_pixels *out)
{
    return centered(c, UC_CENTER_TORCHVISION, out);
}

/* The CRC-32 of nothing is 0: an empty array says that the size is right. */
static uncork_status tv_shorter(const test_case *c, uc_pixels *out)
{
    const uc_size size = uc_fit_shorter(c->from, c->a, c->b);
    *out = (uc_pixels){UNCORK_UINT8, size.width != c->to.width || size.height != c->to.height, 1, 1,
                       c->in.data};
    return UNCORK_OK;
}

static uncork_status tv_grey(const test_case *c, uc_pixels *out)
{
    return uc_grey(&c->in, UC_GREY_TORCHVISION, c->arena, out, c->error);
}

static const row torchvision[] = {{"resize", tv_resize},
                                  {"center_crop", tv_center},
                                  {"shorter", tv_shorter},
                                  {"grey", tv_grey},
                                  {NULL, NULL}};

static uncork_status sk_resize(const test_case *c, uc_pixels *out)
{
    return uc_resize_skimage(&c->in, c->to.width, c->to.height, c->filter.data[0] - '0', c->a != 0,
                             c->b != 0, c->arena, out, c->error);
}

static const row skimage[] = {{"resize", sk_resize}, {NULL, NULL}};

static uncork_status pil(const test_case *c, uc_pixels *out)
{
    static const char *const names[] = {"resize", "thumbnail", "contain", "cover",
                                        "pad",    "fit",       "reduce"};
    static const double middle[2] = {0.5, 0.5};
    const uc_pillow_filter f = pillow_filter(c->filter);
    uc_arena *arena = c->arena;
    uncork_error *error = c->error;
    uc_image from, to;
    UC_TRY(uc_pixels_to_image(&c->in, arena, &from, error));
    switch (name_of(c->op, names, 7)) {
    case 1:
        UC_TRY(uc_thumbnail_pillow(&from, c->to.width, c->to.height, f, c->a / 10.0, 13, arena, &to,
                                   error));
        break;
    case 2: UC_TRY(uc_contain_pillow(&from, c->to, f, 13, arena, &to, error)); break;
    case 3: UC_TRY(uc_cover_pillow(&from, c->to, f, 13, arena, &to, error)); break;
    case 4: UC_TRY(uc_pad_pillow(&from, c->to, f, NULL, middle, 13, arena, &to, error)); break;
    case 5:
        UC_TRY(uc_fit_pillow(&from, c->to, f, c->a / 100.0, middle, 13, arena, &to, error));
        break;
    case 6: UC_TRY(uc_reduce_pillow(&from, c->a, c->b, NULL, arena, &to, error)); break;
    default:
        UC_TRY(
            uc_resize_pillow(&from, c->to.width, c->to.height, f, NULL, 0, 13, arena, &to, error));
        break;
    }
    return uc_pixels_of_image(&to, arena, out, error);
}

static const row pillow[] = {{"resize", pil}, {"thumbnail", pil}, {"contain", pil}, {"cover", pil},
                             {"pad", pil},    {"fit", pil},       {"reduce", pil},  {NULL, NULL}};

/* ---- the comparison ---------------------------------------------------------------------------- */

static int number(const uc_json *v, size_t i) { return (int)uc_json_i64(uc_json_at(v, i), 0); }

static bool run_case(const uc_json *v, const row *rows, test_case *c, uc_pixels *out)
{
    c->op = uc_json_str(uc_json_at(v, 0), "");
    c->from = (uc_size){number(v, 2), number(v, 3)};
    c->to = (uc_size){number(v, 6), number(v, 7)};
    c->filter = uc_json_str(uc_json_at(v, 8), "");
    c->a = number(v, 9);
    c->b = number(v, 10);
    if (uc_pixels_new(dtype_of(uc_json_str(uc_json_at(v, 5), "")), c->from.height, c->from.width,
                      number(v, 4), c->arena, &c->in, c->error) != UNCORK_OK)
        return false;
    paint(&c->in, (uint32_t)number(v, 1));
    for (; rows->op; rows++) {
        if (uc_str_is(c->op, rows->op)) return rows->run(c, out) == UNCORK_OK;
    }
    return false;
}

/* Bytes by their CRC-32 or, of `whole` cases, numbers within the tolerance that the case states. */
static bool holds(const uc_json *v, bool whole, const uc_pixels *out, uc_arena *arena)
{
    if (!whole) {
        const size_t n = out->height ? uc_pixels_bytes(out) : 0;
        return (int64_t)crc32(0, out->data, (uInt)n) == uc_json_i64(uc_json_at(v, 11), -1);
    }
    size_t n;
    const double *values = uc_json_f64s(uc_json_at(v, 12), arena, &n);
    const double allowed = uc_json_f64(uc_json_at(v, 11), 0);
    bool same = values && uc_dtype_is_float(out->dtype) && n == uc_pixels_count(out);
    for (size_t i = 0; same && i < uc_pixels_count(out); i++) {
        same = fabs(uc_dtype_load_f64(out->data, (int64_t)i, out->dtype) - values[i]) <= allowed;
    }
    return same;
}

static void compare(const char *file, const row *rows, size_t least)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error;
    uc_error_init(&error);
    uc_bytes bytes;
    CHECK_OK(uc_file_read(file, false, arena, &bytes, &error), &error);
    const uc_json *all = uc_json_read(bytes, 0, arena, &error);
    size_t count = 0, differ = 0;
    for (int k = 0; k < 2; k++) {
        const uc_json *cases = uc_json_get(all, k == 0 ? "cases" : "whole");
        for (size_t i = 0; i < uc_json_count(cases); i++, count++) {
            uncork_error why;
            uc_error_init(&why);
            test_case c = {.arena = uc_arena_new(NULL), .error = &why};
            uc_pixels out;
            const uc_json *v = uc_json_at(cases, i);
            if (!run_case(v, rows, &c, &out) || !holds(v, k == 1, &out, c.arena)) {
                differ++;
                printf("  %s, case %zu: %.*s of %d x %d x %d to %d x %d, %.*s %d %d: %s\n", file, i,
                       (int)c.op.size, c.op.data, c.from.width, c.from.height, c.in.channels,
                       c.to.width, c.to.height, (int)c.filter.size, c.filter.data, c.a, c.b,
                       why.status ? why.what : "differs");
            }
            uc_arena_free(c.arena);
        }
    }
    printf("%s: %zu of %zu hold\n", file, count - differ, count);
    CHECK(count >= least);
    CHECK_INT(differ, 0);
    uc_arena_free(arena);
}

static void opencv_resizes_and_greys_are_bit_exact(void **state)
{
    (void)state;
    compare(FOLDER "opencv.json", opencv, 1000);
}

static void tensorflow_resizes_and_crops_are_bit_exact(void **state)
{
    (void)state;
    compare(FOLDER "tensorflow.json", tensorflow, 1000);
}

static void keras_layers_are_bit_exact(void **state)
{
    (void)state;
    compare(FOLDER "keras.json", keras, 300);
}

static void torchvision_tensors_are_bit_exact(void **state)
{
    (void)state;
    compare(FOLDER "torchvision.json", torchvision, 600);
}

static void scikit_image_resizes_are_bit_exact_without_gaussian(void **state)
{
    (void)state;
    compare(FOLDER "skimage.json", skimage, 150);
}

static void pillow_resizes_thumbnails_and_pads_are_bit_exact(void **state)
{
    (void)state;
    compare(FOLDER "pillow.json", pillow, 400);
}

static void letterboxes_are_those_of_ultralytics(void **state)
{
    (void)state;
    compare(FOLDER "ultralytics.json", ultralytics, 150);
}

/* torchvision 0.29 with torch 2.15: every row of a column is the first. */
static void a_smoothed_column_one_pixel_wide_repeats_its_first_row(void **state)
{
    (void)state;
    uncork_error error;
    uc_pixels in, out;
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    assert_int_equal(uc_pixels_new(UNCORK_UINT8, 4, 1, 1, arena, &in, &error), UNCORK_OK);
    memcpy(in.data, (uint8_t[]){0, 40, 80, 200}, 4);
    assert_int_equal(
        uc_resize_torchvision(&in, 1, 2, UC_TORCHVISION_BILINEAR, true, 1, arena, &out, &error),
        UNCORK_OK);
    assert_memory_equal(out.data, ((uint8_t[]){29, 29}), 2);
    uc_arena_free(arena);
}

/* Keras 3.15: bars are float32 and can't be joined to bytes, but bars of no width aren't. */
static void bytes_that_need_no_bars_pass_pad_to_aspect_ratio(void **state)
{
    (void)state;
    uncork_error error;
    uc_pixels in, out;
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    assert_int_equal(uc_pixels_new(UNCORK_UINT8, 3, 1, 1, arena, &in, &error), UNCORK_OK);
    memcpy(in.data, (uint8_t[]){10, 20, 30}, 3);
    assert_int_equal(uc_resizing_keras(&in, (uc_size){2, 4}, UC_TF_NEAREST, false, UC_KERAS_PAD, 0,
                                       arena, &out, &error),
                     UNCORK_OK);
    assert_memory_equal(out.data, ((uint8_t[]){10, 10, 20, 20, 20, 20, 30, 30}), 8);
    assert_int_not_equal(uc_resizing_keras(&in, (uc_size){3, 1}, UC_TF_NEAREST, false, UC_KERAS_PAD,
                                           0, arena, &out, &error),
                         UNCORK_OK);
    uc_arena_free(arena);
}

int main(int argc, char **argv)
{
    if (argc < 2) return isa_run_each(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opencv_resizes_and_greys_are_bit_exact),
        cmocka_unit_test(tensorflow_resizes_and_crops_are_bit_exact),
        cmocka_unit_test(keras_layers_are_bit_exact),
        cmocka_unit_test(torchvision_tensors_are_bit_exact),
        cmocka_unit_test(scikit_image_resizes_are_bit_exact_without_gaussian),
        cmocka_unit_test(pillow_resizes_thumbnails_and_pads_are_bit_exact),
        cmocka_unit_test(letterboxes_are_those_of_ultralytics),
        cmocka_unit_test(a_smoothed_column_one_pixel_wide_repeats_its_first_row),
        cmocka_unit_test(bytes_that_need_no_bars_pass_pad_to_aspect_ratio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
