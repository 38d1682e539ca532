/* Greedy suppression: one loop, an overlap a library. */
#include "kernel/nms.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* std::max(a, b): the first where they are equal or one is NaN. */
static float larger(float a, float b) { return a < b ? b : a; }
static float smaller(float a, float b) { return b < a ? b : a; }

/* In float32; the quotient meets the threshold as a double. 0 / 0 is NaN, which suppresses nothing. */
static bool over_torchvision(const float *a, const float *b, double iou)
{
    const float w = larger(0, smaller(a[2], b[2]) - larger(a[0], b[0]));
    const float h = larger(0, smaller(a[3], b[3]) - larger(a[1], b[1]));
    const float both = w * h;
    const float area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
    return (double)(both / (area_a + area_b - both)) > iou;
}

/* Corners in any order; an empty box overlaps nothing. */
static float overlap_tensorflow(const float *a, const float *b)
{
    const float ax1 = fminf(a[0], a[2]), ax2 = fmaxf(a[0], a[2]), ay1 = fminf(a[1], a[3]),
                ay2 = fmaxf(a[1], a[3]), bx1 = fminf(b[0], b[2]), bx2 = fmaxf(b[0], b[2]),
                by1 = fminf(b[1], b[3]), by2 = fmaxf(b[1], b[3]);
    const float area_a = (ay2 - ay1) * (ax2 - ax1), area_b = (by2 - by1) * (bx2 - bx1);
    if (area_a <= 0 || area_b <= 0) return 0;
    const float h = fmaxf(fminf(ay2, by2) - fmaxf(ay1, by1), 0),
                w = fmaxf(fminf(ax2, bx2) - fmaxf(ax1, bx1), 0), both = h * w;
    return both / (area_a + area_b - both);
}

/* 1 - jaccardDistance in double, then as float (opencv2/core/types.hpp). */
static bool over_opencv(const float *a, const float *b, double iou)
{
    const double aw = (double)a[2] - (double)a[0], ah = (double)a[3] - (double)a[1];
    const double bw = (double)b[2] - (double)b[0], bh = (double)b[3] - (double)b[1];
    const double area_a = aw * ah, area_b = bw * bh;
    if (area_a + area_b <= DBL_EPSILON) return 1.0F > (float)iou; /* distance 0 */
    const double x1 = fmax((double)a[0], (double)b[0]), y1 = fmax((double)a[1], (double)b[1]);
    const double w = fmin((double)a[0] + aw, (double)b[0] + bw) - x1,
                 h = fmin((double)a[1] + ah, (double)b[1] + bh) - y1;
    const double both = w <= 0 || h <= 0 ? 0 : w * h;
    const float overlap = 1.0F - (float)(1.0 - both / (area_a + area_b - both));
    return !(overlap <= (float)iou);
}

/* Corner and sides cut to whole numbers; what no int holds overlaps nothing. */
static bool over_opencv_int(const float *a, const float *b, double iou)
{
    float whole[8];
    for (int i = 0; i < 8; i++) {
        const float *box = i < 4 ? a : b;
        const int k = i % 4;
        const float v = k < 2 ? box[k] : box[k] - box[k - 2];
        if (!(fabsf(v) < 1e9F)) return false;
        whole[i] = truncf(v) + (k < 2 ? 0 : whole[i - 2]);
    }
    return over_opencv(whole, whole + 4, iou);
}

static float area_clamped(const float *b) { return fmaxf(b[2] - b[0], 0) * fmaxf(b[3] - b[1], 0); }

static bool over_epsilon(const float *a, const float *b, double iou)
{
    const float w = fmaxf(fminf(a[2], b[2]) - fmaxf(a[0], b[0]), 0),
                h = fmaxf(fminf(a[3], b[3]) - fmaxf(a[1], b[1]), 0), both = w * h;
    const float all = area_clamped(b) + area_clamped(a) - both + 1e-5F;
    return !(both / all <= (float)iou);
}

static bool over_pixels(const float *a, const float *b, double iou)
{
    const double w =
        fmax(0, fmin((double)a[2], (double)b[2]) - fmax((double)a[0], (double)b[0]) + 1);
    const double h =
        fmax(0, fmin((double)a[3], (double)b[3]) - fmax((double)a[1], (double)b[1]) + 1);
    const double both = w * h;
    const double area_a = ((double)a[2] - (double)a[0] + 1) * ((double)a[3] - (double)a[1] + 1),
                 area_b = ((double)b[2] - (double)b[0] + 1) * ((double)b[3] - (double)b[1] + 1);
    return !(both / (area_a + area_b - both) <= iou);
}

static bool over(uc_nms_rule rule, const float *a, const float *b, double iou)
{
    switch (rule) {
    case UC_NMS_TENSORFLOW: return overlap_tensorflow(b, a) > (float)iou;
    case UC_NMS_OPENCV: return over_opencv(b, a, iou);
    case UC_NMS_OPENCV_INT: return over_opencv_int(b, a, iou);
    case UC_NMS_EPSILON: return over_epsilon(a, b, iou);
    case UC_NMS_PIXELS: return over_pixels(a, b, iou);
    case UC_NMS_TORCHVISION: break;
    }
    return over_torchvision(a, b, iou);
}

size_t uc_nms(uc_nms_rule rule, const float *boxes, const int32_t *classes, size_t n, double iou,
              size_t most, size_t *keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < n && kept < most; i++) {
        bool free = true;
        for (size_t k = 0; k < kept && free; k++) {
            if (classes && classes[keep[k]] != classes[i]) continue;
            free = !over(rule, boxes + 4 * keep[k], boxes + 4 * i, iou);
        }
        if (free) keep[kept++] = i;
    }
    return kept;
}

/* ---- soft ---- */

typedef struct soft_heap {
    size_t *at; /* indices of boxes */
    size_t count;
    const float *score;
} soft_heap;

static bool before(const soft_heap *h, size_t a, size_t b)
{
    return h->score[a] > h->score[b] || (h->score[a] == h->score[b] && a < b);
}

static void push(soft_heap *h, size_t box)
{
    size_t i = h->count++;
    while (i && before(h, box, h->at[(i - 1) / 2])) {
        h->at[i] = h->at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->at[i] = box;
}

static size_t pop(soft_heap *h)
{
    const size_t top = h->at[0], last = h->at[--h->count];
    size_t i = 0;
    for (size_t child = 1; child < h->count; child = 2 * i + 1) {
        if (child + 1 < h->count && before(h, h->at[child + 1], h->at[child])) child++;
        if (!before(h, h->at[child], last)) break;
        h->at[i] = h->at[child];
        i = child;
    }
    h->at[i] = last;
    return top;
}

size_t uc_nms_soft(const float *boxes, const float *scores, size_t n, float iou, float least,
                   float sigma, size_t most, size_t *heap, float *decayed, size_t *begin,
                   size_t *keep, float *kept_scores)
{
    soft_heap h = {heap, 0, decayed};
    const bool soft = sigma > 0;
    const float scale = soft ? -0.5F / sigma : 0;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        decayed[i] = scores[i];
        begin[i] = 0;
        if (scores[i] > least) push(&h, i);
    }
    while (kept < most && h.count) {
        const size_t box = pop(&h);
        const float was = decayed[box];
        bool hard = false;
        /* The latest chosen first: they overlap most, and those before `begin` have had their say. */
        for (size_t k = kept; k-- > begin[box];) {
            const float overlap = overlap_tensorflow(boxes + 4 * box, boxes + 4 * keep[k]);
            if (soft) decayed[box] *= expf(scale * overlap * overlap);
            if (!soft && overlap > iou) {
                hard = true;
                break;
            }
            if (decayed[box] <= least) break;
        }
        begin[box] = kept;
        if (hard) continue;
        if (decayed[box] == was) {
            kept_scores[kept] = decayed[box];
            keep[kept++] = box;
        } else if (decayed[box] > least) {
            push(&h, box);
        }
    }
    return kept;
}
