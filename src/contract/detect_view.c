/* Outputs as float32 arrays and matrices, and the list of candidates. */
#include "contract/detect_internal.h"

#include <math.h>
#include <stdlib.h>

uncork_status uc_detect_unfit(uc_detect_job *job, const char *what)
{
    return uc_fail(job->error, UNCORK_INPUT, UC_NO_OFFSET,
                   "the outputs aren't those of a %s detector: %s", job->d->name, what);
}

uncork_status uc_detect_array_of(uc_detect_job *job, int index, bool whole, uc_detect_array *array)
{
    *array = (uc_detect_array){0};
    if (index < 0) return uc_detect_unfit(job, "one is missing");
    const uc_tensor *t = uc_tensor_dense(job->arena, job->outputs[index]);
    if (!t) return uc_arena_status(job->arena, job->error);
    if (t->dtype == UNCORK_STRING || t->rank < 0 || uc_dtype_size(t->dtype) == 0)
        return uc_detect_unfit(job, "one isn't of numbers");
    const int skip = whole ? 0 : 1;
    if (t->rank < skip || (whole && job->sample != 0) || (!whole && job->sample >= t->shape[0])) {
        return uc_detect_unfit(job, "there are fewer than pictures in the batch");
    }
    array->rank = t->rank - skip;
    memcpy(array->shape, t->shape + skip, (size_t)array->rank * sizeof *array->shape);
    size_t count;
    if (!uc_shape_count(array->shape, array->rank, &count))
        return uc_detect_unfit(job, "one is too large");
    array->count = (int64_t)count;
    const int64_t begin = whole ? 0 : job->sample * array->count;
    if (t->dtype == UNCORK_FLOAT32) {
        array->data = (const float *)t->data + begin;
        return UNCORK_OK;
    }
    float *copy = UC_NEW(job->arena, float, count);
    if (!copy) return uc_arena_status(job->arena, job->error);
    uc_dtype_floats(t->data, begin, array->count, t->dtype, copy);
    array->data = copy;
    return UNCORK_OK;
}

uncork_status uc_detect_matrix(uc_detect_job *job, int index, bool whole, bool transposed,
                               uc_detect_view *view)
{
    uc_detect_array a;
    UC_TRY(uc_detect_array_of(job, index, whole, &a));
    int64_t n[2] = {1, 1};
    int rank = 0;
    /* Axes of length 1 in front or between say nothing: [N, 1, 4] is [N, 4]. */
    for (int i = 0; i < a.rank; i++) {
        if (a.shape[i] == 1 && a.rank - i + rank > 2) continue;
        if (rank == 2) return uc_detect_unfit(job, "one has too many axes");
        n[rank++] = a.shape[i];
    }
    *view = (uc_detect_view){a.data, n[0], n[1], n[1], 1};
    if (transposed) *view = (uc_detect_view){a.data, n[1], n[0], 1, n[1]};
    return UNCORK_OK;
}

/* Candidates held at most: 32 MB. Beyond them only the best stay. */
#define HELD       ((size_t)1 << 20)
/* Bytes of the masks of one picture. */
#define MASK_BYTES ((size_t)256 << 20)

uncork_status uc_detect_add(uc_detect_job *job, const float box[4], float score, int64_t id,
                            int64_t row)
{
    const float sum = box[0] + box[1] + box[2] + box[3];
    if (!isfinite(sum) || !isfinite(score) || id < INT32_MIN || id > INT32_MAX) {
        job->lost++;
        return UNCORK_OK;
    }
    if (job->count - job->group >= HELD) {
        uc_detect_sort(job->found + job->group, job->count - job->group);
        job->count = job->group + UC_DETECT_CANDIDATES;
    }
    uc_candidate *items =
        uc_arena_grow(job->arena, job->found, &job->capacity, job->count + 1, sizeof *items);
    if (!items) return uc_arena_status(job->arena, job->error);
    job->found = items;
    items[job->count++] = (uc_candidate){
        .box = {box[0], box[1], box[2], box[3]}, .score = score, .id = (int32_t)id, .row = row};
    return UNCORK_OK;
}

void uc_detect_corners(const float xywh[4], float box[4])
{
    const float w = xywh[2] / 2, h = xywh[3] / 2;
    box[0] = xywh[0] - w;
    box[1] = xywh[1] - h;
    box[2] = xywh[0] + w;
    box[3] = xywh[1] + h;
}

float uc_detect_sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

void uc_detect_to_picture(const uc_detect_job *job, float *x, float *y)
{
    const uc_geometry *g = job->geometry;
    if (job->frame == UC_FRAME_UNIT && uc_geometry_is_squash(g)) {
        *x *= (float)g->picture_width;
        *y *= (float)g->picture_height;
        return;
    }
    if (job->frame == UC_FRAME_UNIT) {
        *x *= (float)g->input_width;
        *y *= (float)g->input_height;
    }
    *x = uc_geometry_x(g, *x);
    *y = uc_geometry_y(g, *y);
}

/* As a whole number between 0 and `most`; NaN is 0. */
static int inside(float v, int most) { return (int)fminf(fmaxf(v, 0), (float)most); }

uncork_status uc_detect_new_mask(uc_detect_job *job, const float corners[4], uc_detect_mask **mask,
                                 uint8_t **data)
{
    const int w = job->geometry->picture_width, h = job->geometry->picture_height;
    const int left = inside(corners[0], w), top = inside(corners[1], h),
              right = inside(corners[2], w), bottom = inside(corners[3], h);
    *mask = NULL;
    if (right <= left || bottom <= top) return UNCORK_OK;
    job->mask_bytes += (size_t)(bottom - top) * (size_t)(right - left);
    if (job->mask_bytes > MASK_BYTES) {
        uc_note(job->findings, UC_NOTE_IGNORED, "detection-masks",
                "masks beyond %zu MB a picture were left out", MASK_BYTES >> 20);
        return UNCORK_OK;
    }
    *mask = UC_NEW(job->arena, uc_detect_mask, 1);
    *data = uc_arena_alloc(job->arena, (size_t)(bottom - top), (size_t)(right - left));
    if (!*mask || !*data) return uc_arena_status(job->arena, job->error);
    **mask = (uc_detect_mask){left, top, right - left, bottom - top, *data};
    return UNCORK_OK;
}

static int by_score(const void *a, const void *b)
{
    const uc_candidate *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

void uc_detect_sort(uc_candidate *items, size_t count)
{
    if (count) qsort(items, count, sizeof *items, by_score);
}

void uc_detect_best(uc_detect_job *job, size_t begin, size_t most)
{
    uc_detect_sort(job->found + begin, job->count - begin);
    if (job->count - begin > most) job->count = begin + most;
    job->group = job->count;
}
