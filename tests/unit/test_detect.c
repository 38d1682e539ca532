/* Raw outputs of every family become the boxes that the genuine library makes of them
 * (tests/fixtures/gen/detect_cases.py). Corners agree to 1e-4 of the picture's larger side, scores to
 * 1e-6: exp is another in each library. Suppression has no tolerance: the same boxes in the same order,
 * but for scores that are equal to the last bit or nearly. */
#include "base/file.h"
#include "base/text.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "contract/detect.h"
#include "contract/detect_internal.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER       UC_SOURCE_DIR "/tests/fixtures/detect"
#define MOST_OUTPUTS 16

typedef struct fixture {
    uc_arena *arena;
    uc_bundle *bundle;
    uc_facts facts;
    const uc_tensor *outputs[MOST_OUTPUTS];
    const char *names[MOST_OUTPUTS];
    int count;
    const uc_tensor *geometry, *options, *boxes, *keypoints, *masks;
} fixture;

static const uc_tensor *read_array(const fixture *f, size_t i)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bytes bytes;
    uc_npy npy;
    CHECK_OK(uc_bundle_read(f->bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, f->arena, &npy, &error), &error);
    const uc_tensor *t = uc_tensor_dense(f->arena, npy.tensor);
    CHECK(t != NULL);
    return t;
}

static const uc_tensor *find_array(const fixture *f, const char *name)
{
    const size_t i = uc_bundle_find(f->bundle, uc_arena_printf(f->arena, "%s.npy", name));
    return i == SIZE_MAX ? NULL : read_array(f, i);
}

/* Outputs are called 00.NAME, 01.NAME and so on. */
static void read_outputs(fixture *f)
{
    for (size_t i = 0; i < uc_bundle_count(f->bundle); i++) {
        const char *name = uc_bundle_name(f->bundle, i);
        if (name[0] < '0' || name[0] > '9' || name[2] != '.') continue;
        const int at = (name[0] - '0') * 10 + (name[1] - '0');
        CHECK(at < MOST_OUTPUTS);
        f->outputs[at] = read_array(f, i);
        f->names[at] = uc_arena_printf(f->arena, "%.*s", (int)strlen(name) - 7, name + 3);
        if (at >= f->count) f->count = at + 1;
    }
}

static fixture open_fixture(const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    fixture f = {.arena = uc_arena_new(NULL)};
    const char *path = uc_arena_printf(f.arena, FOLDER "/%s", name);
    CHECK_OK(uc_bundle_open(path, true, f.arena, NULL, &f.bundle, &error), &error);
    f.facts.arena = f.arena;
    read_outputs(&f);
    f.geometry = find_array(&f, "geometry");
    f.options = find_array(&f, "options");
    f.boxes = find_array(&f, "boxes");
    f.keypoints = find_array(&f, "keypoints");
    f.masks = find_array(&f, "masks");
    const uc_tensor *facts = find_array(&f, "facts");
    for (int64_t i = 0; i < uc_tensor_count(facts); i++) {
        const uc_str s = uc_tensor_string(facts, i);
        const char *equals = s.size ? memchr(s.data, '=', s.size) : NULL;
        if (!equals) continue;
        const int key = (int)(equals - s.data);
        uc_fact_text(&f.facts, uc_arena_printf(f.arena, "%.*s", key, s.data), "%.*s",
                     (int)s.size - key - 1, equals + 1);
    }
    return f;
}

static uc_geometry geometry_of(const fixture *f)
{
    const int64_t *g = f->geometry->data;
    const int pw = (int)g[0], ph = (int)g[1], w = (int)g[2], h = (int)g[3];
    return g[4] ? uc_geometry_letterbox(pw, ph, w, h, g[4] == 1) : uc_geometry_squash(pw, ph, w, h);
}

static uc_detector recognise(const fixture *f, const char *name)
{
    const int64_t *g = f->geometry->data;
    const double *o = f->options->data;
    const uc_detect_model model = {f->names, f->outputs,   f->count, g[2],
                                   g[3],     (size_t)o[4], &f->facts};
    uc_detector d;
    if (!uc_detect_recognise(&model, &d)) fail_msg("%s: not recognised", name);
    const size_t n = strlen(d.name);
    if (strncmp(name, d.name, n) != 0) fail_msg("%s is said to be %s: %s", name, d.name, d.why);
    return d;
}

static uc_detections detect(const fixture *f, const uc_detector *d, uc_findings *findings)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    const double *o = f->options->data;
    const uc_detect_options options = {.threshold = o[0],
                                       .iou = o[1] > 0 ? o[1] : -1,
                                       .max_boxes = (int64_t)o[2],
                                       .agnostic = o[3] != 0};
    const uc_geometry g = geometry_of(f);
    uc_detections found;
    CHECK_OK(uc_detect_boxes(d, f->outputs, 0, &options, &g, f->arena, findings, &found, &error),
             &error);
    return found;
}

static bool same_box(const uc_detection *got, const float *want, float side)
{
    for (int k = 0; k < 4; k++) {
        if (!(fabsf(got->box[k] - want[k]) <= 1e-4F * side)) return false;
    }
    return fabsf(got->score - want[4]) <= 1e-6F && got->id == (int64_t)want[5];
}

/* Rows whose scores are nearly equal may stand in another order. */
static int find_box(const fixture *f, const uc_detection *got, float side, const bool *taken)
{
    const float *want = f->boxes->data;
    for (int64_t i = 0; i < f->boxes->shape[0]; i++) {
        if (!taken[i] && same_box(got, want + 6 * i, side)) return (int)i;
    }
    return -1;
}

static void check_mask(const fixture *f, const char *name, const uc_detection *d, int64_t row)
{
    const int64_t *g = f->geometry->data;
    const uint8_t *bits = f->masks->data;
    int64_t wrong = 0;
    for (int64_t y = 0; y < g[1]; y++) {
        for (int64_t x = 0; x < g[0]; x++) {
            const int64_t at = (row * g[1] + y) * g[0] + x;
            const int want = bits[at / 8] >> (7 - at % 8) & 1;
            const uc_detect_mask *m = d->mask;
            const bool in = m && x >= m->left && y >= m->top && x < m->left + m->width &&
                            y < m->top + m->height;
            const int got = in ? m->data[(y - m->top) * m->width + x - m->left] : 0;
            wrong += got != want;
        }
    }
    /* Sums of products in another order: a pixel whose sum is 0 but for the last bits may differ. */
    if (wrong * 1000 > g[0] * g[1])
        fail_msg("%s: %d pixels of mask %d differ", name, (int)wrong, (int)row);
}

static void check_keypoints(const fixture *f, const char *name, const uc_detection *d, int count,
                            int64_t row, float side)
{
    CHECK_INT(count, f->keypoints->shape[1]);
    const float *want = (const float *)f->keypoints->data + row * count * 3;
    for (int k = 0; k < 3 * count; k++) {
        if (!(fabsf(d->keypoints[k] - want[k]) <= 1e-4F * side)) {
            fail_msg("%s: number %d of the keypoints of box %d is %g, expected %g", name, k,
                     (int)row, (double)d->keypoints[k], (double)want[k]);
        }
    }
}

static void check_case(const char *name)
{
    fixture f = open_fixture(name);
    uc_findings findings = {.arena = f.arena};
    const uc_detector d = recognise(&f, name);
    const uc_detections found = detect(&f, &d, &findings);
    const int64_t *g = f.geometry->data;
    const float side = (float)(g[0] > g[1] ? g[0] : g[1]);
    const int64_t count = f.boxes->shape[0];
    bool *taken = UC_NEW(f.arena, bool, (size_t)count);
    if ((int64_t)found.count != count)
        fail_msg("%s: %zu boxes, expected %d", name, found.count, (int)count);
    for (size_t i = 0; i < found.count; i++) {
        const uc_detection *b = &found.items[i];
        const int row = find_box(&f, b, side, taken);
        if (row < 0) {
            fail_msg("%s: box %zu, %g of %d at %g %g %g %g, isn't the library's", name, i,
                     (double)b->score, (int)b->id, (double)b->box[0], (double)b->box[1],
                     (double)b->box[2], (double)b->box[3]);
        }
        taken[row] = true;
        if (f.masks) check_mask(&f, name, b, row);
        if (f.keypoints) check_keypoints(&f, name, b, found.keypoint_count, row, side);
    }
    CHECK_INT(findings.count, 0);
    uc_arena_free(f.arena);
}

static void boxes_are_those_of_the_genuine_library(void **state)
{
    (void)state;
    DIR *folder = opendir(FOLDER);
    CHECK(folder != NULL);
    int cases = 0;
    for (const struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        if (!uc_text_ends(e->d_name, ".npz")) continue;
        check_case(e->d_name);
        cases++;
    }
    closedir(folder);
    printf("%d cases of raw outputs\n", cases);
    CHECK(cases >= 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_those_of_the_genuine_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
