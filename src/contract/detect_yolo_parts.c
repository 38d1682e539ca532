/* What else Ultralytics' heads say of a box: keypoints, and masks as sums of prototypes. */
#include "contract/detect_internal.h"

#include <math.h>

/* Column of the numbers behind the scores. */
static int64_t extra_column(const uc_detector *d)
{
    return d->classes ? 4 + (d->objectness ? 1 : 0) + d->classes : 6;
}

static uncork_status add_keypoints(uc_detect_job *job, const uc_detect_view *v,
                                   uc_detections *found)
{
    const uc_detector *d = job->d;
    const int n = d->keypoints, values = d->keypoint_values;
    const int64_t first = extra_column(d);
    const float w = (float)job->geometry->picture_width, h = (float)job->geometry->picture_height;
    found->keypoint_count = n;
    for (size_t i = 0; i < found->count; i++) {
        float *points = UC_NEW(job->arena, float, 3 * (size_t)n);
        if (!points) return uc_arena_status(job->arena, job->error);
        for (int k = 0; k < n; k++) {
            const int64_t at = first + (int64_t)k * values;
            float x = uc_view_at(v, job->found[i].row, at),
                  y = uc_view_at(v, job->found[i].row, at + 1);
            uc_detect_to_picture(job, &x, &y);
            points[3 * k] = fminf(fmaxf(x, 0), w); /* clip_coords */
            points[3 * k + 1] = fminf(fmaxf(y, 0), h);
            points[3 * k + 2] = values == 3 ? uc_view_at(v, job->found[i].row, at + 2) : 1;
        }
        found->items[i].keypoints = points;
    }
    return UNCORK_OK;
}

/* The part of a prototype that the picture takes: ultralytics/utils/ops.py, scale_masks. */
typedef struct region {
    int left, top, width, height;
} region;

static int side(int n, double gain) { return (int)fmax(1, nearbyint(n * gain)); }

static double gain_of(const uc_geometry *g, int width, int height)
{
    const double x = (double)width / g->picture_width, y = (double)height / g->picture_height;
    return x < y ? x : y;
}

static region picture_region(const uc_geometry *g, int mw, int mh)
{
    if (uc_geometry_is_squash(g)) return (region){0, 0, mw, mh};
    const double gain = gain_of(g, mw, mh);
    const int w = side(g->picture_width, gain), h = side(g->picture_height, gain);
    const bool centred = g->shift_x != 0 || g->shift_y != 0;
    const int left = centred ? (int)nearbyint((mw - w) / 2.0 - 0.1) : 0,
              top = centred ? (int)nearbyint((mh - h) / 2.0 - 0.1) : 0;
    return (region){left, top, w < mw - left ? w : mw - left, h < mh - top ? h : mh - top};
}

/* How much larger prototypes are made so that pads end between their cells (process_mask_native). */
static int enlargement(const uc_geometry *g, int mw, int mh)
{
    if (uc_geometry_is_squash(g)) return 1;
    const double gain = gain_of(g, 4 * mw, 4 * mh);
    const int pad =
        (4 * mh - side(g->picture_height, gain)) | (4 * mw - side(g->picture_width, gain));
    const int odd = pad | pad / 2;
    return odd % 2 ? 4 : odd % 4 ? 2 : 1;
}

/* torch.nn.functional.interpolate(mode="bilinear", align_corners=False) at one pixel. */
static float sample(const float *sum, int mw, region r, double scale_x, double scale_y, int x,
                    int y)
{
    const float fx = fmaxf((float)scale_x * ((float)x + 0.5F) - 0.5F, 0),
                fy = fmaxf((float)scale_y * ((float)y + 0.5F) - 0.5F, 0);
    const int x0 = (int)fx < r.width - 1 ? (int)fx : r.width - 1,
              y0 = (int)fy < r.height - 1 ? (int)fy : r.height - 1;
    const int x1 = x0 + (x0 < r.width - 1), y1 = y0 + (y0 < r.height - 1);
    const float dx = fx - (float)x0, dy = fy - (float)y0;
    const float *a = sum + (size_t)(r.top + y0) * (size_t)mw + r.left;
    const float *b = sum + (size_t)(r.top + y1) * (size_t)mw + r.left;
    return (1 - dy) * ((1 - dx) * a[x0] + dx * a[x1]) + dy * ((1 - dx) * b[x0] + dx * b[x1]);
}

/* f times as large, by the same interpolation. */
static void enlarge(const float *sum, int mw, int mh, int f, float *large)
{
    const region whole = {0, 0, mw, mh};
    for (int y = 0; y < mh * f; y++) {
        for (int x = 0; x < mw * f; x++) {
            *large++ = sample(sum, mw, whole, 1.0 / f, 1.0 / f, x, y);
        }
    }
}

static uncork_status add_mask(uc_detect_job *job, const float *sum, int mw, int mh, uc_detection *d)
{
    const int w = job->geometry->picture_width, h = job->geometry->picture_height;
    const region r = picture_region(job->geometry, mw, mh);
    /* crop_mask: pixels from the first at or behind x1 to the last before x2. */
    const float corners[4] = {ceilf(d->box[0]), ceilf(d->box[1]), ceilf(d->box[2]),
                              ceilf(d->box[3])};
    uc_detect_mask *m = NULL;
    uint8_t *data = NULL;
    if (r.width > 0 && r.height > 0) UC_TRY(uc_detect_new_mask(job, corners, &m, &data));
    const double sx = (double)r.width / w, sy = (double)r.height / h;
    for (int y = 0; m && y < m->height; y++) {
        for (int x = 0; x < m->width; x++) {
            *data++ = sample(sum, mw, r, sx, sy, m->left + x, m->top + y) > 0;
        }
    }
    d->mask = m;
    return UNCORK_OK;
}

static uncork_status add_masks(uc_detect_job *job, const uc_detect_view *v, uc_detections *found)
{
    const uc_detector *d = job->d;
    uc_detect_array p;
    UC_TRY(uc_detect_array_of(job, d->role[UC_ROLE_MASKS], false, &p));
    if (p.rank != 3 || p.shape[0] != d->mask_coefficients || p.shape[1] < 1 || p.shape[2] < 1 ||
        p.shape[1] > 4096 || p.shape[2] > 4096) {
        return uc_detect_unfit(job, "there are other prototypes of masks than coefficients");
    }
    const int64_t area = p.shape[1] * p.shape[2], first = extra_column(d);
    const int mh = (int)p.shape[1], mw = (int)p.shape[2];
    const int f = enlargement(job->geometry, mw, mh);
    float *sum = UC_NEW(job->arena, float, (size_t)area), *large = sum;
    if (f > 1) large = UC_NEW(job->arena, float, (size_t)area *(size_t)(f * f));
    if (!sum || !large) return uc_arena_status(job->arena, job->error);
    for (size_t i = 0; i < found->count; i++) {
        memset(sum, 0, (size_t)area * sizeof *sum);
        for (int k = 0; k < d->mask_coefficients; k++) {
            const float c = uc_view_at(v, job->found[i].row, first + k);
            for (int64_t at = 0; at < area; at++) {
                sum[at] += c * p.data[k * area + at];
            }
        }
        if (f > 1) enlarge(sum, mw, mh, f, large);
        UC_TRY(add_mask(job, large, mw * f, mh * f, &found->items[i]));
    }
    return UNCORK_OK;
}

uncork_status uc_detect_finish_yolo(uc_detect_job *job, uc_detections *found)
{
    const uc_detector *d = job->d;
    if (!d->keypoints && !d->mask_coefficients) return UNCORK_OK;
    uc_detect_view v;
    UC_TRY(uc_detect_matrix(job, d->role[UC_ROLE_BOXES], false, d->transposed, &v));
    const int64_t more =
        d->keypoints ? (int64_t)d->keypoints * d->keypoint_values : d->mask_coefficients;
    if (v.columns < extra_column(d) + more) return uc_detect_unfit(job, "rows are too short");
    return d->keypoints ? add_keypoints(job, &v, found) : add_masks(job, &v, found);
}
