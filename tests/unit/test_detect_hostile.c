/* Outputs that lie: shapes other than those recognised, numbers that are none, a million boxes. No read
 * past an end, no hang, an error or fewer boxes. */
#include "base/thread.h"
#include "check.h"
#include "contract/detect.h"
#include "contract/detect_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct net {
    uc_arena *arena;
    uncork_error error;
    uc_findings findings;
    const uc_tensor *outputs[16];
    const char *names[16];
    int count;
    int64_t width, height;
    uc_detector d;
    uc_detections found;
} net;

static net new_net(int64_t width, int64_t height)
{
    net n = {.arena = uc_arena_new(NULL), .width = width, .height = height};
    n.findings.arena = n.arena;
    n.error.size = sizeof n.error;
    uc_error_init(&n.error);
    return n;
}

static float *add(net *n, const char *name, int rank, const int64_t *shape)
{
    uc_tensor *t = uc_tensor_new(n->arena, UNCORK_FLOAT32, rank, shape);
    CHECK(t != NULL);
    n->names[n->count] = name;
    n->outputs[n->count++] = t;
    return t->data;
}

static bool recognise(net *n)
{
    const uc_detect_model m = {n->names, n->outputs, n->count, n->width, n->height, 0, NULL};
    return uc_detect_recognise(&m, &n->d);
}

static uncork_status detect(net *n, const uc_tensor *const *outputs, int64_t sample)
{
    const uc_detect_options o = {.threshold = -1, .iou = -1};
    const uc_geometry g = uc_geometry_letterbox(640, 480, (int)n->width, (int)n->height, true);
    uc_error_init(&n->error);
    return uc_detect_boxes(&n->d, outputs, sample, &o, &g, n->arena, &n->findings, &n->found,
                           &n->error);
}

static void a_million_boxes_take_no_time(void **state)
{
    (void)state;
    /* 4 x 512 x 512 + ... cells: the grid of a 4096 x 4096 picture, all above the threshold. */
    net n = new_net(4096, 4096);
    const int64_t cells = 512 * 512 + 256 * 256 + 128 * 128, shape[] = {1, 3 * cells, 7};
    float *v = add(&n, "output", 3, shape);
    unsigned seed = 1;
    for (int64_t i = 0; i < 3 * cells; i++) {
        seed = seed * 1664525 + 1013904223;
        const float box[7] = {(float)(seed >> 20),
                              (float)(seed >> 8 & 4095),
                              2,
                              2,
                              1,
                              0.5F + (float)(seed >> 16) / 131072.0F,
                              0};
        memcpy(v + 7 * i, box, sizeof box);
    }
    CHECK(recognise(&n));
    CHECK_STR(n.d.name, "yolov5");
    const uint64_t begin = uc_now_ns();
    CHECK_OK(detect(&n, n.outputs, 0), &n.error);
    const double seconds = (double)(uc_now_ns() - begin) / 1e9;
    printf("%d boxes above the threshold: %.2f s\n", (int)(3 * cells), seconds);
    CHECK(seconds < 10); /* with sanitizers; comparing all pairs would take an hour */
    CHECK_INT(n.found.count, 200);
    uc_arena_free(n.arena);
}

static void what_is_no_number_is_left_out_and_noted(void **state)
{
    (void)state;
    net n = new_net(64, 64);
    const int64_t shape[] = {1, 6, 84};
    float *v = add(&n, "output0", 3, shape);
    for (int64_t c = 0; c < 84; c++) {
        v[c] = v[84 + c] = 10;
        v[2 * 84 + c] = v[3 * 84 + c] = 8;
    }
    v[4 * 84 + 3] = 0.9F;
    v[4 * 84 + 7] = NAN;
    v[4 * 84 + 9] = 0.8F;
    v[2 * 84 + 9] = INFINITY;
    CHECK(recognise(&n));
    CHECK_OK(detect(&n, n.outputs, 0), &n.error);
    CHECK_INT(n.found.count, 1);
    CHECK_INT(n.findings.count, 1);
    CHECK_STR(n.findings.items[0].text, "2 boxes or scores are no number and were left out");
    v[4 * 84 + 3] = NAN; /* nothing is left: that is another answer than "nothing there" */
    CHECK_INT(detect(&n, n.outputs, 0), UNCORK_INPUT);
    CHECK_STR(n.error.what, "the model's answer is no box: 3 boxes or scores are no number");
    uc_arena_free(n.arena);
}

static void other_shapes_than_recognised_are_refused(void **state)
{
    (void)state;
    static const int64_t shapes[][4] = {{1, 6, 83, 0}, {1, 7, 84, 0}, {0, 6, 84, 0}, {6, 84, 0, 0},
                                        {1, 2, 6, 84}, {84, 0, 0, 0}, {1, 6, 0, 0}};
    static const int ranks[] = {3, 3, 3, 2, 4, 1, 3};
    net n = new_net(64, 64);
    const int64_t shape[] = {1, 6, 84};
    (void)add(&n, "output0", 3, shape);
    CHECK(recognise(&n));
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        const uc_tensor *other = uc_tensor_new(n.arena, UNCORK_FLOAT32, ranks[i], shapes[i]);
        CHECK(other != NULL);
        (void)detect(&n, &other, 0); /* boxes of any kind, or an error: never a read past the end */
    }
    CHECK_INT(detect(&n, n.outputs, 1), UNCORK_INPUT);
    uc_arena_free(n.arena);
}

/* Every family with outputs whose shapes were changed at random after it was recognised. */
static void families_survive_any_shape(void **state)
{
    (void)state;
    static const struct {
        const char *names[4];
        int64_t shape[4][4];
        int rank[4], count;
    } nets[] = {
        {{"detection_boxes", "detection_classes", "detection_scores", "detection_masks"},
         {{1, 9, 4}, {1, 9}, {1, 9}, {1, 9, 5, 5}},
         {3, 2, 2, 4},
         4},
        {{"TFLite_Detection_PostProcess", "TFLite_Detection_PostProcess:1",
          "TFLite_Detection_PostProcess:2", "TFLite_Detection_PostProcess:3"},
         {{1, 9, 4}, {1, 9}, {1, 9}, {1}},
         {3, 2, 2, 1},
         4},
        {{"logits", "pred_boxes"}, {{1, 30, 7}, {1, 30, 4}}, {3, 3}, 2},
        {{"logits", "pred_boxes"}, {{1, 300, 7}, {1, 300, 4}}, {3, 3}, 2},
        {{"output0"}, {{1, 20, 84}}, {3}, 1},
        {{"output0", "output1"}, {{1, 20, 84}, {1, 8, 16, 16}}, {3, 4}, 2},
        {{"output0"}, {{1, 84, 9}}, {3}, 1},
        {{"output0"}, {{1, 252, 9}}, {3}, 1},
        {{"output0"}, {{1, 50, 6}}, {3}, 1},
        {{"output0"}, {{1, 50, 7}}, {3}, 1},
        {{"boxes", "scores"}, {{1, 40, 4}, {1, 40, 2}}, {3, 3}, 2},
        {{"a", "b"}, {{1, 40, 4}, {1, 40, 9}}, {3, 3}, 2},
        {{"cls", "regression"}, {{1, 774, 9}, {1, 774, 4}}, {3, 3}, 2},
        {{"class_outputs", "box_outputs"}, {{1, 774, 9}, {1, 774, 4}}, {3, 3}, 2},
        {{"a", "b", "c"}, {{1, 21, 8, 8}, {1, 21, 4, 4}, {1, 21, 2, 2}}, {4, 4, 4}, 3},
        {{"grid"}, {{1, 85, 4, 4}}, {4}, 1},
    };
    unsigned seed = 7;
    int refused = 0, taken = 0;
    for (size_t k = 0; k < sizeof nets / sizeof nets[0]; k++) {
        net n = new_net(64, 64);
        for (int i = 0; i < nets[k].count; i++) {
            (void)add(&n, nets[k].names[i], nets[k].rank[i], nets[k].shape[i]);
        }
        if (!recognise(&n)) fail_msg("net %d isn't recognised", (int)k);
        for (int turn = 0; turn < 200; turn++) {
            uc_arena *arena = uc_arena_new(NULL), *kept = n.arena;
            const uc_tensor *outputs[4];
            n.arena = arena;
            for (int i = 0; i < nets[k].count; i++) {
                int64_t shape[4];
                memcpy(shape, nets[k].shape[i], sizeof shape);
                seed = seed * 1664525 + 1013904223;
                const int rank = seed >> 28 ? nets[k].rank[i] : (int)(seed >> 20 & 3);
                if (turn & 1) shape[seed >> 16 & 3] = seed >> 8 & 31;
                uc_tensor *t = uc_tensor_new(arena, UNCORK_FLOAT32, rank, shape);
                CHECK(t != NULL);
                for (int64_t e = 0; e < uc_tensor_count(t); e++) {
                    seed = seed * 1664525 + 1013904223;
                    const unsigned kind = seed >> 27;
                    ((float *)t->data)[e] = kind == 0   ? NAN
                                            : kind == 1 ? -INFINITY
                                            : kind == 2 ? 3e38F
                                                        : (float)(seed >> 8) / 8388608.0F - 0.5F;
                }
                outputs[i] = t;
            }
            const uncork_status status = detect(&n, outputs, 0);
            refused += status != UNCORK_OK;
            taken += status == UNCORK_OK;
            if (status) CHECK(n.error.what[0] != 0);
            n.arena = kept;
            uc_arena_free(arena);
        }
        uc_arena_free(n.arena);
    }
    printf("%d refused, %d taken\n", refused, taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_boxes_take_no_time),
        cmocka_unit_test(what_is_no_number_is_left_out_and_noted),
        cmocka_unit_test(other_shapes_than_recognised_are_refused),
        cmocka_unit_test(families_survive_any_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
