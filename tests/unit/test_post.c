/* Readings of outputs by end, shape, type and options, and their numbers at the edges. What whole networks
 * give is compared with ONNX Runtime by tests/cli/cli_readings.sh. */
#include "check.h"
#include "contract/post.h"

#include <math.h>
#include <stdio.h>

static uc_arena *arena;

typedef struct output {
    const char *name;
    uncork_dtype dtype;
    uc_post_end end;
    int rank;
    int64_t shape[6];
} output;

/* A model that takes pictures of 64 x 48. */
static const uc_post_options pictures = {.task = -1,
                                         .threshold = (double)NAN,
                                         .batch = 1,
                                         .picture = true,
                                         .input_height = 48,
                                         .input_width = 64};

static uc_reading read_one(output o, uc_post_options options, uncork_status *status)
{
    uncork_error error = {.size = sizeof error};
    uc_findings notes = {.arena = arena};
    uc_reading reading;
    uc_post_output out = {.name = o.name, .dtype = o.dtype, .rank = o.rank, .end = o.end};
    memcpy(out.shape, o.shape, sizeof o.shape);
    uncork_status got = uc_post_read(&out, 1, &options, &notes, &reading, &error);
    if (status) {
        *status = got;
    } else {
        CHECK_OK(got, &error);
    }
    return reading;
}

static void shapes_and_ends_decide_the_reading(void **state)
{
    (void)state;
    const uncork_dtype f = UNCORK_FLOAT32, i = UNCORK_INT64;
    static const char y[] = "y";
    const struct {
        output out;
        uc_post_kind kind;
        int64_t classes;
    } rows[] = {
        {{y, f, UC_END_SOFTMAX, 2, {1, 10}}, UC_POST_CLASSIFY, 10},
        {{y, f, UC_END_LINEAR, 2, {1, 10}}, UC_POST_CLASSIFY, 10},
        {{y, f, UC_END_SOFTMAX, 4, {1, 1000, 1, 1}}, UC_POST_CLASSIFY, 1000},
        {{y, f, UC_END_SOFTMAX, 1, {10}}, UC_POST_CLASSIFY, 10}, /* no batch axis */
        {{y, f, UC_END_SIGMOID, 2, {1, 10}}, UC_POST_MULTILABEL, 10},
        {{y, f, UC_END_SIGMOID, 2, {1, 1}}, UC_POST_CLASSIFY, 2},
        {{y, f, UC_END_LINEAR, 2, {1, 1}}, UC_POST_REGRESS, 0},
        {{y, f, UC_END_LINEAR, 2, {1, 512}}, UC_POST_EMBED, 0},
        {{y, f, UC_END_SOFTMAX, 2, {1, 512}}, UC_POST_CLASSIFY, 512},
        {{y, f, UC_END_UNIT_NORM, 2, {1, 100}}, UC_POST_EMBED, 0},
        {{y, f, UC_END_POOL, 4, {1, 1280, 1, 1}}, UC_POST_EMBED, 0},
        {{y, i, UC_END_ARGMAX, 1, {1}}, UC_POST_LABEL, 0},
        {{y, i, UC_END_OTHER, 1, {1}}, UC_POST_TENSOR, 0},
        {{"class_id", i, UC_END_OTHER, 1, {1}}, UC_POST_LABEL, 0},
        {{y, UNCORK_STRING, UC_END_OTHER, 1, {1}}, UC_POST_LABEL, 0},
        {{y, f, UC_END_LINEAR, 4, {1, 21, 48, 64}}, UC_POST_SEGMENT, 21},
        {{y, f, UC_END_SOFTMAX, 4, {1, 48, 64, 21}}, UC_POST_SEGMENT, 21},
        {{y, f, UC_END_LINEAR, 4, {1, 21, 6, 8}}, UC_POST_TENSOR, 0}, /* features, not a map */
        {{y, f, UC_END_LINEAR, 4, {1, 21, 12, 16}}, UC_POST_KEYPOINTS, 21},
        {{"heatmap", f, UC_END_LINEAR, 4, {1, 4, 24, 32}}, UC_POST_KEYPOINTS, 4},
        {{y, i, UC_END_ARGMAX, 3, {1, 48, 64}}, UC_POST_SEGMENT, 0},
        {{y, f, UC_END_SIGMOID, 4, {1, 1, 48, 64}}, UC_POST_SEGMENT, 2},
        {{y, f, UC_END_LINEAR, 4, {1, 1, 48, 64}}, UC_POST_IMAGE, 0},
        {{y, f, UC_END_LINEAR, 4, {1, 3, 96, 128}}, UC_POST_IMAGE, 0},
        {{y, f, UC_END_SOFTMAX, 4, {1, 3, 48, 64}}, UC_POST_SEGMENT, 3},
        {{y, f, UC_END_SIGMOID, 4, {1, 1, 17, 3}}, UC_POST_KEYPOINTS, 17},
        {{"landmarks", f, UC_END_LINEAR, 3, {1, 68, 2}}, UC_POST_KEYPOINTS, 68},
        {{y, f, UC_END_LINEAR, 3, {1, 100, 85}}, UC_POST_TENSOR, 0},
        {{y, f, UC_END_OTHER, 5, {1, 2, 3, 4, 5}}, UC_POST_TENSOR, 0},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        uc_reading r = read_one(rows[k].out, pictures, NULL);
        if (r.kind != rows[k].kind) print_message("row %zu: %s\n", k, uc_post_kind_name(r.kind));
        CHECK_INT(r.kind, rows[k].kind);
        if (rows[k].classes) CHECK_INT(r.classes, rows[k].classes);
    }
}

static void rows_of_numbers_are_not_taken_for_logits(void **state)
{
    (void)state;
    uc_post_options rows = {.task = -1, .threshold = (double)NAN, .batch = 1};
    output o = {"y", UNCORK_FLOAT32, UC_END_LINEAR, 2, {1, 3}};
    CHECK_INT(read_one(o, rows, NULL).kind, UC_POST_TENSOR);
    rows.label_count = 3;
    CHECK_INT(read_one(o, rows, NULL).kind, UC_POST_CLASSIFY);
}

static void options_outweigh_the_graph(void **state)
{
    (void)state;
    output o = {"y", UNCORK_FLOAT32, UC_END_LINEAR, 2, {1, 10}};
    uc_post_options options = pictures;
    CHECK_INT(read_one(o, options, NULL).activation, UC_ACTIVATION_SOFTMAX);
    options.activation = UC_ACTIVATION_SIGMOID;
    CHECK_INT(read_one(o, options, NULL).kind, UC_POST_MULTILABEL);
    options.activation = UC_ACTIVATION_NONE;
    CHECK(read_one(o, options, NULL).raw);
    options = pictures;
    static const uc_post_kind fitting[] = {UC_POST_CLASSIFY, UC_POST_MULTILABEL, UC_POST_REGRESS,
                                           UC_POST_EMBED,    UC_POST_TENSOR,     UC_POST_KEYPOINTS};
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++) {
        options.task = (int)fitting[i];
        CHECK_INT(read_one(o, options, NULL).kind, fitting[i]);
    }
    static const uc_post_kind not [] = {UC_POST_SEGMENT, UC_POST_IMAGE};
    for (size_t i = 0; i < sizeof not / sizeof not [0]; i++) {
        uncork_status status;
        options.task = (int)not [i];
        (void)read_one(o, options, &status);
        CHECK_INT(status, UNCORK_USAGE);
    }
}

static uc_tensor floats(const float *data, int rank, const int64_t *shape)
{
    uc_tensor t = {0};
    uc_tensor_set(&t, UNCORK_FLOAT32, rank, shape);
    t.data = (void *)(uintptr_t)data;
    return t;
}

static void softmax_stays_finite_where_exp_does_not(void **state)
{
    (void)state;
    double large[3] = {1000, 1000, -1000}, cut[2] = {-(double)INFINITY, 3};
    uc_post_softmax(large, 3);
    CHECK(large[0] == 0.5 && large[1] == 0.5 && large[2] == 0.0);
    uc_post_softmax(cut, 2);
    CHECK(cut[0] == 0.0 && cut[1] == 1.0);
}

/* A division by a sum that the graph doesn't call a softmax: its shares aren't squashed once more. */
static void shares_of_one_are_not_taken_for_logits(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    const output any = {"y", UNCORK_FLOAT32, UC_END_OTHER, 2, {1, 4}};
    const uc_reading r = read_one(any, pictures, NULL);
    const int64_t shape[] = {1, 4};
    uc_tensor *row = uc_tensor_new(arena, UNCORK_FLOAT32, 2, shape);
    const float shares[] = {0.5F, 0.25F, 0.25F, 0}, logits[] = {5, -1, 0, 0};
    double *scores;
    memcpy(row->data, shares, sizeof shares);
    CHECK_OK(uc_post_scores(&r, row, arena, &scores, &error), &error);
    CHECK(scores[0] == 0.5 && scores[3] == 0.0);
    memcpy(row->data, logits, sizeof logits);
    CHECK_OK(uc_post_scores(&r, row, arena, &scores, &error), &error);
    CHECK(scores[0] > 0.98 && scores[0] < 1);
}

static void what_is_no_answer_is_an_error(void **state)
{
    (void)state;
    static const float data[6] = {1, (float)NAN, 3, 4, (float)INFINITY, 6};
    const int64_t two[2] = {2, 3}, none[2] = {2, 0}, one[2] = {1, 3};
    uncork_error error = {.size = sizeof error};
    output o = {"y", UNCORK_FLOAT32, UC_END_LINEAR, 2, {2, 3}};
    uc_post_options options = pictures;
    options.batch = 2;
    uc_reading reading = read_one(o, options, NULL);
    uc_tensor row, t = floats(data, 2, two);
    double *scores;
    CHECK_OK(uc_post_take(&reading, &t, 2, 0, arena, &row, &error), &error);
    CHECK_INT(uc_post_scores(&reading, &row, arena, &scores, &error), UNCORK_INPUT);
    CHECK(strstr(error.what, "NaN at 1 of 3") != NULL);
    uc_error_init(&error);
    CHECK_OK(uc_post_take(&reading, &t, 2, 1, arena, &row, &error), &error);
    CHECK_INT(uc_post_scores(&reading, &row, arena, &scores, &error), UNCORK_INPUT); /* inf - inf */
    uc_error_init(&error);
    t = floats(data, 2, none);
    CHECK_INT(uc_post_take(&reading, &t, 2, 0, arena, &row, &error), UNCORK_INPUT);
    CHECK(strstr(error.what, "gave nothing") != NULL);
    uc_error_init(&error);
    t = floats(data, 2, one);
    CHECK_INT(uc_post_take(&reading, &t, 2, 1, arena, &row, &error), UNCORK_INPUT);
    uc_error_init(&error);
    reading.classes = 4; /* the first run had four */
    t = floats(data + 3, 2, one);
    CHECK_OK(uc_post_take(&reading, &t, 1, 0, arena, &row, &error), &error);
    CHECK_INT(uc_post_scores(&reading, &row, arena, &scores, &error), UNCORK_INPUT);
    CHECK(strstr(error.what, "3 scores for this input, 4 before") != NULL);
}

static void masks_and_points_undo_the_way_to_the_model(void **state)
{
    (void)state;
    /* a picture of 8 x 4, squeezed to 4 x 4, of which the model saw the right half, 2 x 4, as 2 x 2 cells */
    static const float map[8] = {1, 0, 1, 0, 0, 1, 0, 1}; /* [2 classes, 2, 2]: left 0, right 1 */
    const int64_t shape[4] = {1, 2, 2, 2};
    const uc_post_place place = {2, 1, -2, 0, 8, 4};
    uc_post_options options = pictures;
    options.input_width = 2;
    options.input_height = 4;
    options.task = UC_POST_SEGMENT;
    uncork_error error = {.size = sizeof error};
    output o = {"y", UNCORK_FLOAT32, UC_END_SOFTMAX, 4, {1, 2, 2, 2}};
    uc_reading reading = read_one(o, options, NULL);
    reading.channels_last = false;
    uc_tensor t = floats(map, 4, shape), row;
    uc_mask mask;
    CHECK_OK(uc_post_take(&reading, &t, 1, 0, arena, &row, &error), &error);
    CHECK_OK(uc_post_mask(&reading, &row, &options, &place, arena, &mask, &error), &error);
    CHECK_INT(mask.width, 8);
    CHECK_INT(mask.height, 4);
    CHECK_INT(mask.index[0], UINT16_MAX); /* cut off */
    CHECK_INT(mask.index[4], 0);
    CHECK_INT(mask.index[5], 0);
    CHECK_INT(mask.index[6], 1);
    CHECK_INT(mask.index[31], 1);
    CHECK_INT(mask.pixels[0], 8);
    CHECK_INT(mask.pixels[1], 8);
}

static int set_up(void **state)
{
    (void)state;
    arena = uc_arena_new(NULL);
    return arena ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    uc_arena_free(arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shapes_and_ends_decide_the_reading),
        TEST(rows_of_numbers_are_not_taken_for_logits),
        TEST(options_outweigh_the_graph),
        TEST(softmax_stays_finite_where_exp_does_not),
        TEST(shares_of_one_are_not_taken_for_logits),
        TEST(what_is_no_answer_is_an_error),
        TEST(masks_and_points_undo_the_way_to_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
