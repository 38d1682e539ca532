/* Suppression keeps what each library keeps, index by index (tests/fixtures/gen/detect_cases.py, nms). */
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "kernel/nms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N 120

typedef struct arrays {
    uc_arena *arena;
    uc_bundle *bundle;
    size_t order[N]; /* best first */
    float boxes[4 * N], sorted[4 * N], scores[N];
} arrays;

static const uc_tensor *array(const arrays *a, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bytes bytes;
    uc_npy npy;
    const size_t i = uc_bundle_find(a->bundle, uc_arena_printf(a->arena, "%s.npy", name));
    if (i == SIZE_MAX) fail_msg("no array %s", name);
    CHECK_OK(uc_bundle_read(a->bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, a->arena, &npy, &error), &error);
    return npy.tensor;
}

static void open_arrays(arrays *a)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    a->arena = uc_arena_new(NULL);
    CHECK_OK(uc_bundle_open(UC_SOURCE_DIR "/tests/fixtures/nms.npz", true, a->arena, NULL,
                            &a->bundle, &error),
             &error);
    memcpy(a->boxes, array(a, "boxes")->data, sizeof a->boxes);
    memcpy(a->scores, array(a, "scores")->data, sizeof a->scores);
    for (size_t i = 0; i < N; i++) {
        size_t at = i;
        while (at && a->scores[a->order[at - 1]] < a->scores[i]) {
            a->order[at] = a->order[at - 1];
            at--;
        }
        a->order[at] = i;
    }
    for (size_t i = 0; i < N; i++) {
        memcpy(a->sorted + 4 * i, a->boxes + 4 * a->order[i], 4 * sizeof(float));
    }
}

static const double ious[] = {0.2, 0.45, 0.7};

static void check_rule(uc_nms_rule rule, const char *library, float least, size_t most)
{
    arrays a;
    open_arrays(&a);
    for (int k = 0; k < 3; k++) {
        const uc_tensor *want = array(&a, uc_arena_printf(a.arena, "%s_%d", library, k));
        const int64_t *index = want->data;
        size_t keep[N], n = 0;
        while (n < N && a.scores[a.order[n]] > least) {
            n++;
        }
        const size_t kept = uc_nms(rule, a.sorted, NULL, n, ious[k], most, keep);
        CHECK_INT(kept, want->shape[0]);
        for (size_t i = 0; i < kept; i++) {
            CHECK_INT(a.order[keep[i]], index[i]);
        }
    }
    uc_arena_free(a.arena);
}

static void torchvision_keeps_the_same(void **state)
{
    (void)state;
    check_rule(UC_NMS_TORCHVISION, "torchvision", -1, N);
}

static void tensorflow_keeps_the_same(void **state)
{
    (void)state;
    check_rule(UC_NMS_TENSORFLOW, "tensorflow", 0.1F, 50);
}

static void opencv_keeps_the_same(void **state)
{
    (void)state;
    check_rule(UC_NMS_OPENCV, "opencv", 0.1F, N);
}

/* Scores within 4 ULP of float32: exp is another. */
static void soft_scores_decay_as_in_tensorflow(void **state)
{
    (void)state;
    arrays a;
    open_arrays(&a);
    static const int sigmas[] = {0, 3, 5};
    for (int k = 0; k < 9; k++) {
        const int i = k / 3, s = sigmas[k % 3];
        const uc_tensor *want = array(&a, uc_arena_printf(a.arena, "soft_%d_%d", i, s));
        const uc_tensor *scores = array(&a, uc_arena_printf(a.arena, "softscore_%d_%d", i, s));
        const int64_t *index = want->data;
        const float *score = scores->data;
        size_t heap[N], begin[N], keep[60];
        float decayed[N], kept_scores[60];
        const size_t kept = uc_nms_soft(a.boxes, a.scores, N, s ? 1.0F : (float)ious[i],
                                        s ? 0.05F * (float)(i + 1) : 0.1F, (float)s / 10, 60, heap,
                                        decayed, begin, keep, kept_scores);
        CHECK_INT(kept, want->shape[0]);
        for (size_t n = 0; n < kept; n++) {
            CHECK_INT(keep[n], index[n]);
            CHECK(fabsf(kept_scores[n] - score[n]) <= 5e-7F * score[n]);
        }
    }
    uc_arena_free(a.arena);
}

static void classes_suppress_only_their_own(void **state)
{
    (void)state;
    const float boxes[] = {0, 0, 10, 10, 0, 0, 10, 10, 1, 0, 10, 10};
    const int32_t classes[] = {1, 2, 1};
    size_t keep[3];
    CHECK_INT(uc_nms(UC_NMS_TORCHVISION, boxes, classes, 3, 0.5, 3, keep), 2);
    CHECK_INT(keep[1], 1);
    CHECK_INT(uc_nms(UC_NMS_TORCHVISION, boxes, NULL, 3, 0.5, 3, keep), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torchvision_keeps_the_same),
        cmocka_unit_test(tensorflow_keeps_the_same),
        cmocka_unit_test(opencv_keeps_the_same),
        cmocka_unit_test(soft_scores_decay_as_in_tensorflow),
        cmocka_unit_test(classes_suppress_only_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
