/* Oriented boxes of Ultralytics: x, y, w, h, classes, angle. Suppressed by the overlap of Gaussians
 * (ultralytics/utils/metrics.py, batch_probiou) and all at once (nms.py, fast_nms): a box goes where
 * any better one overlaps it, one that went itself too. The box that is answered holds the oriented
 * one, whose corners are its points. */
#include "contract/detect_internal.h"

#include <math.h>

/* Every pair is compared: half a second. */
#define MOST_PAIRS_OF 3000

static bool recognise(const uc_detect_model *m, uc_detector *d)
{
    if (strcmp(uc_model_fact(m, "metadata.task"), "obb") != 0 || m->count != 1 ||
        !uc_model_has_columns(m, 0)) {
        return false;
    }
    d->role[UC_ROLE_BOXES] = 0;
    d->transposed = true;
    d->variant = 1; /* a column for the angle */
    d->classes = uc_model_dim(m, 0, 1) - 5;
    uc_detect_why(
        d,
        "output %s of 5 + %lld numbers a cell and the metadata's task obb: oriented boxes; "
        "points are their corners",
        m->names[0], (long long)d->classes);
    return d->classes > 0;
}

static uncork_status decode(uc_detect_job *job)
{
    uc_detect_view v;
    UC_TRY(uc_detect_head(job, &v));
    for (int64_t r = 0; r < v.rows; r++) {
        const int64_t id = uc_detect_best_class(&v, r, 4, job->d->classes);
        const float score = uc_view_at(&v, r, 4 + id);
        if (score <= job->threshold) continue;
        if (!isfinite(uc_view_at(&v, r, v.columns - 1))) {
            job->lost++;
            continue;
        }
        const float xywh[4] = {uc_view_at(&v, r, 0), uc_view_at(&v, r, 1), uc_view_at(&v, r, 2),
                               uc_view_at(&v, r, 3)};
        UC_TRY(uc_detect_add(job, xywh, score, id, r));
    }
    return UNCORK_OK;
}

/* A box as a Gaussian: centre and covariance. */
typedef struct gauss {
    float x, y, a, b, c;
} gauss;

static gauss gauss_of(const float *xywh, float angle, float apart)
{
    const float w = xywh[2] * xywh[2] / 12, h = xywh[3] * xywh[3] / 12;
    const float cosine = cosf(angle), sine = sinf(angle), c2 = cosine * cosine, s2 = sine * sine;
    return (gauss){xywh[0] + apart, xywh[1] + apart, w * c2 + h * s2, w * s2 + h * c2,
                   (w - h) * cosine * sine};
}

static float overlap(const gauss *p, const gauss *q)
{
    const float eps = 1e-7F, a = p->a + q->a, b = p->b + q->b, c = p->c + q->c;
    const float dx = p->x - q->x, dy = p->y - q->y, all = a * b - c * c;
    const float t1 = (a * (dy * dy) + b * (dx * dx)) / (all + eps) * 0.25F;
    const float t2 = c * (q->x - p->x) * dy / (all + eps) * 0.5F;
    const float dp = fmaxf(p->a * p->b - p->c * p->c, 0), dq = fmaxf(q->a * q->b - q->c * q->c, 0);
    const float t3 = logf(all / (4 * sqrtf(dp * dq) + eps) + eps) * 0.5F;
    const float bd = fminf(fmaxf(t1 + t2 + t3, eps), 100);
    return 1 - sqrtf(1 - expf(-bd) + eps);
}

static uncork_status suppress(uc_detect_job *job)
{
    uc_detect_view v;
    UC_TRY(uc_detect_head(job, &v));
    uc_detect_sort(job->found, job->count);
    if (job->count > MOST_PAIRS_OF) {
        uc_note(job->findings, UC_NOTE_IGNORED, "detection-candidates",
                "%zu oriented boxes were above the threshold: the best %d were looked at",
                job->count, MOST_PAIRS_OF);
        job->count = MOST_PAIRS_OF;
    }
    gauss *all = UC_NEW(job->arena, gauss, job->count);
    if (!all) return uc_arena_status(job->arena, job->error);
    size_t kept = 0;
    for (size_t i = 0; i < job->count; i++) {
        const uc_candidate *c = &job->found[i];
        const float apart = job->agnostic ? 0 : (float)c->id * 7680;
        all[i] = gauss_of(c->box, uc_view_at(&v, c->row, v.columns - 1), apart);
    }
    for (size_t i = 0; i < job->count && kept < job->most; i++) {
        bool free = true;
        for (size_t k = 0; k < i && free; k++) {
            free = !(overlap(&all[k], &all[i]) > (float)job->iou);
        }
        if (free) job->found[kept++] = job->found[i];
    }
    job->count = kept;
    return UNCORK_OK;
}

/* Centre and sides to the picture, then the corners: xywhr2xyxyxyxy. */
static void corners_of(const uc_detect_job *job, const float *xywh, float angle, float *points)
{
    const uc_geometry *g = job->geometry;
    const float x = uc_geometry_x(g, xywh[0]), y = uc_geometry_y(g, xywh[1]);
    const float w = xywh[2] / (float)g->scale_x / 2, h = xywh[3] / (float)g->scale_y / 2;
    const float cosine = cosf(angle), sine = sinf(angle);
    const float ux = w * cosine, uy = w * sine, vx = -h * sine, vy = h * cosine;
    static const float sign[4][2] = {{1, 1}, {1, -1}, {-1, -1}, {-1, 1}};
    for (int k = 0; k < 4; k++) {
        points[3 * k] = x + sign[k][0] * ux + sign[k][1] * vx;
        points[3 * k + 1] = y + sign[k][0] * uy + sign[k][1] * vy;
        points[3 * k + 2] = 1;
    }
}

static uncork_status finish(uc_detect_job *job, uc_detections *found)
{
    uc_detect_view v;
    UC_TRY(uc_detect_head(job, &v));
    found->keypoint_count = 4;
    for (size_t i = 0; i < found->count; i++) {
        const uc_candidate *c = &job->found[i];
        float *points = UC_NEW(job->arena, float, 12), *box = found->items[i].box;
        if (!points) return uc_arena_status(job->arena, job->error);
        corners_of(job, c->box, uc_view_at(&v, c->row, v.columns - 1), points);
        for (int k = 0; k < 4; k++) {
            const float x = points[3 * k], y = points[3 * k + 1];
            box[0] = k ? fminf(box[0], x) : x;
            box[1] = k ? fminf(box[1], y) : y;
            box[2] = k ? fmaxf(box[2], x) : x;
            box[3] = k ? fmaxf(box[3], y) : y;
        }
        found->items[i].keypoints = points;
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_yolov8_obb = {.name = "yolov8_obb",
                                               .library = "Ultralytics",
                                               .recognise = recognise,
                                               .decode = decode,
                                               .suppress = suppress,
                                               .finish = finish,
                                               .frame = UC_FRAME_INPUT,
                                               .rule = UC_NMS_TORCHVISION,
                                               .apart = UC_APART_OFFSET,
                                               .threshold = 0.25,
                                               .iou = 0.7,
                                               .most = 300};
