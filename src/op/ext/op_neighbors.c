/* uncork.Neighbors: the k nearest of constant rows, nearest first, in the order scikit-learn gives
 * them, ties included (see metric.h for the metrics).
 *
 * x  f64 [n, d]; with metric precomputed [n, m], the distances themselves
 * y  f64 [m, d], constant; missing with precomputed
 * parameter  of the metric, optional
 * order, nodes, bounds, radius  a tree, for ties="tree": its row order i64 [m]; i64 [nodes, 3] begin,
 *    end, is_leaf; f64 [2, nodes, d] (KDTree: least and most) or [nodes, d] (BallTree: centre) and
 *    f64 [nodes]
 * distances f64 [n, k]; indices i64 [n, k]
 * Attributes: k; ties: "first" (smaller index), "heap" (ArgKmin, scikit-learn 1.1+), "tree",
 * "partition" (brute force before 1.1); sort: 0 the pair sort until 1.8, 1 from 1.9 on.
 *
 * Method: all the orders agree unless two of the k+1 least distances are equal. So rows are screened
 * in float32 with a proven bound (screen_margin), the few that remain are measured in float64, and
 * only a row that ties is done again the way scikit-learn would. */
#include "kernel/neighbors.h"
#include "op/ext/metric.h"

#include <float.h>
#include <math.h>

typedef enum tie_rule { TIES_FIRST, TIES_HEAP, TIES_TREE, TIES_PARTITION } tie_rule;

typedef struct tree {
    const int64_t *order; /* [rows] */
    uc_tree_node *nodes;
    int64_t node_count;
    const double *low, *high; /* KDTree: [nodes, width] each */
    uc_metric_rows *centres;  /* BallTree */
    const double *radius;     /* [nodes] */
} tree;

/* The rows in float32, moved so that their mean is 0. */
typedef struct screen {
    const double *centre; /* [width] */
    float *panels;        /* [count][width][64] */
    float *half;          /* [count][64]: half the squared length; INFINITY behind the last row */
    int64_t count;
    double longest; /* of the moved rows */
} screen;

typedef struct neighbors {
    uc_metric_rows *m;
    int64_t k;
    tie_rule ties;
    bool intro;
    tree *tree;
    screen *screen;
} neighbors;

/* ---- checks and packing -------------------------------------------------------------------- */

static uncork_status infer(uc_call *call)
{
    int64_t rows, k = uc_call_int(call, "k", 1);
    UC_TRY(uc_metric_infer(call, &rows));
    if (k < 1 || (rows >= 0 && k > rows)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "asks for %lld neighbours of %lld rows",
                            (long long)k, (long long)rows);
    }
    int64_t shape[2] = {uc_call_in(call, 0)->shape[0], k};
    UC_TRY(uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape));
    return uc_call_shape(call, 1, UNCORK_INT64, 2, shape);
}

static const uc_tensor *constant_in(uc_call *call, size_t i, uncork_dtype dtype, int rank)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t || !t->data || t->dtype != dtype || t->rank != rank) return NULL;
    return uc_tensor_dense(call->arena, t);
}

/* Every row once, nodes that cover [0, rows), children inside the array. */
static uncork_status check_tree(uc_call *call, const tree *t, int64_t rows)
{
    bool *seen = UC_NEW(call->arena, bool, rows);
    if (!seen) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < rows; i++) {
        int64_t row = t->order[i];
        if (row < 0 || row >= rows || seen[row]) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "the tree's idx_array[%lld] is %lld, of %lld rows", (long long)i,
                                (long long)row, (long long)rows);
        }
        seen[row] = true;
    }
    for (int64_t i = 0; i < t->node_count; i++) {
        const uc_tree_node *n = &t->nodes[i];
        bool children = n->is_leaf || 2 * i + 2 < t->node_count;
        if (n->begin < 0 || n->end < n->begin || n->end > rows || !children) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "the tree's node %lld of %lld covers rows %lld to %lld of %lld",
                                (long long)i, (long long)t->node_count, (long long)n->begin,
                                (long long)n->end, (long long)rows);
        }
    }
    return UNCORK_OK;
}

static uncork_status prepare_bounds(uc_call *call, neighbors *s, tree *t)
{
    const uc_metric_rows *m = s->m;
    const uc_tensor *kd = constant_in(call, 5, UNCORK_FLOAT64, 3);
    const uc_tensor *ball = constant_in(call, 5, UNCORK_FLOAT64, 2);
    const uc_tensor *radius = constant_in(call, 6, UNCORK_FLOAT64, 1);
    if (kd && kd->shape[0] == 2 && kd->shape[1] == t->node_count && kd->shape[2] == m->width) {
        t->low = uc_tensor_doubles(kd);
        t->high = t->low + t->node_count * m->width;
        return UNCORK_OK;
    }
    if (ball && radius && ball->shape[0] == t->node_count && ball->shape[1] == m->width &&
        radius->shape[0] == t->node_count) {
        t->radius = uc_tensor_doubles(radius);
        return uc_metric_pack(call, m, uc_tensor_doubles(ball), t->node_count, &t->centres);
    }
    return uc_call_fail(call, UNCORK_MALFORMED,
                        "the tree's node_bounds don't fit %lld nodes of %lld features",
                        (long long)t->node_count, (long long)m->width);
}

static uncork_status prepare_tree(uc_call *call, neighbors *s)
{
    const uc_tensor *order = constant_in(call, 3, UNCORK_INT64, 1);
    const uc_tensor *nodes = constant_in(call, 4, UNCORK_INT64, 2);
    tree *t = UC_NEW(call->arena, tree, 1);
    if (!t) return uc_arena_status(call->arena, call->error);
    if (!order || !nodes || order->shape[0] != s->m->rows || nodes->shape[0] < 1 ||
        nodes->shape[1] != 3) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "the tree's idx_array or node_data don't fit its data");
    }
    t->order = order->data;
    t->node_count = nodes->shape[0];
    t->nodes = UC_NEW(call->arena, uc_tree_node, t->node_count);
    if (!t->nodes) return uc_arena_status(call->arena, call->error);
    const int64_t *n = nodes->data;
    for (int64_t i = 0; i < t->node_count; i++, n += 3) {
        t->nodes[i] = (uc_tree_node){n[0], n[1], n[2] != 0};
    }
    UC_TRY(check_tree(call, t, s->m->rows));
    s->tree = t;
    return prepare_bounds(call, s, t);
}

static double length_from(const double *row, const double *centre, int64_t width)
{
    double sum = 0.0;
    for (int64_t j = 0; j < width; j++) {
        double t = row[j] - centre[j];
        sum += t * t;
    }
    return sqrt(sum);
}

/* Beyond this a float32 square may overflow; such data is measured in float64 only. */
#define SCREEN_LONGEST 1e15

static void fill_screen(screen *c, const uc_metric_rows *m)
{
    for (int64_t i = 0; i < c->count * UC_SCREEN_LANES; i++) {
        if (i >= m->rows) {
            c->half[i] = INFINITY;
            continue;
        }
        const double *row = m->y + i * m->width;
        float *panel = c->panels + i / UC_SCREEN_LANES * UC_SCREEN_LANES * m->width;
        double length = length_from(row, c->centre, m->width);
        c->half[i] = (float)(length * length / 2.0);
        c->longest = fmax(c->longest, length);
        for (int64_t j = 0; j < m->width; j++) {
            panel[j * UC_SCREEN_LANES + i % UC_SCREEN_LANES] = (float)(row[j] - c->centre[j]);
        }
    }
}

static uncork_status prepare_screen(uc_call *call, neighbors *s)
{
    const uc_metric_rows *m = s->m;
    if (m->sum != UC_SUM_SQUARE || m->rows < 2 * UC_SCREEN_LANES || m->width < 4 ||
        s->k > m->rows / 8 || m->rows > INT32_MAX) {
        return UNCORK_OK;
    }
    screen *c = UC_NEW(call->arena, screen, 1);
    double *centre = UC_NEW(call->arena, double, m->width);
    if (!c || !centre) return uc_arena_status(call->arena, call->error);
    c->centre = centre;
    c->count = (m->rows + UC_SCREEN_LANES - 1) / UC_SCREEN_LANES;
    for (int64_t i = 0; i < m->rows; i++) {
        for (int64_t j = 0; j < m->width; j++) {
            centre[j] += m->y[i * m->width + j] / (double)m->rows;
        }
    }
    for (int64_t i = 0; i < m->rows; i++) { /* NaN and infinity fail here, too */
        if (!(length_from(m->y + i * m->width, centre, m->width) < SCREEN_LONGEST))
            return UNCORK_OK;
    }
    size_t floats = (size_t)c->count * UC_SCREEN_LANES; /* <= the panels of metric.c, times 4 */
    c->panels = UC_NEW(call->arena, float, floats *(size_t)m->width);
    c->half = UC_NEW(call->arena, float, floats);
    if (!c->panels || !c->half) return uc_arena_status(call->arena, call->error);
    fill_screen(c, m);
    s->screen = c;
    return UNCORK_OK;
}

static uncork_status prepare(uc_call *call)
{
    static const char *const rules[] = {"first", "heap", "tree", "partition"};
    neighbors *s = UC_NEW(call->arena, neighbors, 1);
    if (!s) return uc_arena_status(call->arena, call->error);
    uc_str rule = uc_call_str(call, "ties", "first");
    for (int i = 0; i < 4; i++) {
        if (uc_str_is(rule, rules[i])) s->ties = (tie_rule)i;
    }
    UC_TRY(uc_metric_prepare(call, &s->m));
    s->k = uc_call_int(call, "k", 1);
    s->intro = uc_call_int(call, "sort", 0) != 0;
    if (s->m->metric != UC_METRIC_PRECOMPUTED && s->k > s->m->rows) {
        return uc_call_fail(call, UNCORK_MALFORMED, "asks for %lld neighbours of %lld rows",
                            (long long)s->k, (long long)s->m->rows);
    }
    if (s->ties == TIES_TREE) UC_TRY(prepare_tree(call, s));
    UC_TRY(prepare_screen(call, s));
    call->prepared = s;
    return UNCORK_OK;
}

/* ---- one row ------------------------------------------------------------------------------- */

/* Scratch of a thread. */
typedef struct bench {
    double *reduced;     /* [padded] */
    double *work;        /* [width] */
    double *values;      /* [padded] of the candidates, or of k + 1 */
    int64_t *indices;    /* [padded] the same */
    int64_t *second;     /* [padded] */
    double *bounds;      /* [padded nodes] */
    float *x32;          /* [6, width] */
    float *scores;       /* [6, 64] */
    float *least;        /* [6, k] the k least scores so far: a max-heap */
    float *kept;         /* [6, padded] scores of the candidates */
    int32_t *kept_index; /* [6, padded] */
} bench;

typedef struct job {
    const neighbors *s;
    int64_t rows, padded; /* of the indexed rows; precomputed: of this run */
    const uc_distance_kernels *kernels;
    const double *x;
    int64_t x_width, n;
    bench *benches;
    double *distances;
    int64_t *indices;
} job;

static void sort_pairs(const neighbors *s, double *values, int64_t *indices, int64_t n)
{
    if (s->intro) {
        uc_sort_pairs_intro(values, indices, n);
    } else {
        uc_sort_pairs_quick(values, indices, n);
    }
}

/* Reduced distances of x to the tree's nodes, from below. Sources: kd_tree.pyx and ball_tree.pyx,
 * min_rdist. */
static void node_bounds(const neighbors *s, const double *x, bench *b)
{
    const tree *t = s->tree;
    const uc_metric_rows *m = s->m;
    if (t->centres) {
        uc_metric_reduced(t->centres, x, b->work, b->bounds);
        for (int64_t i = 0; i < t->node_count; i++) {
            double d = uc_metric_finish(m, b->bounds[i]) - t->radius[i];
            b->bounds[i] = uc_metric_reduce(m, fmax(0.0, d));
        }
        return;
    }
    double p = m->metric == UC_METRIC_MANHATTAN   ? 1.0
               : m->metric == UC_METRIC_MINKOWSKI ? m->p
                                                  : 2.0;
    for (int64_t i = 0; i < t->node_count; i++) {
        const double *low = t->low + i * m->width, *high = t->high + i * m->width;
        double bound = 0.0;
        for (int64_t j = 0; j < m->width; j++) {
            double below = low[j] - x[j], above = x[j] - high[j];
            double d = 0.5 * ((below + fabs(below)) + (above + fabs(above)));
            if (m->metric == UC_METRIC_CHEBYSHEV) {
                bound = fmax(bound, d);
            } else {
                bound += p == 2.0 ? d * d : p == 1.0 ? d : pow(d, p);
            }
        }
        b->bounds[i] = bound;
    }
}

/* Runs of equal values by index. */
static void order_ties(double *values, int64_t *indices, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        int64_t index = indices[i], at = i;
        for (; at > 0 && values[at - 1] == values[i] && indices[at - 1] > index; at--) {
            indices[at] = indices[at - 1];
        }
        indices[at] = index;
    }
}

/* Equal distances by index. */
static void choose_first(const double *reduced, int64_t rows, int64_t k, bench *b)
{
    if (k > 1) {
        for (int64_t i = 0; i < rows; i++) {
            b->values[i] = reduced[i];
            b->indices[i] = i;
        }
        uc_sort_pairs_intro(b->values, b->indices, rows);
        order_ties(b->values, b->indices, rows);
        return;
    }
    int64_t best = 0;
    for (int64_t i = 1; i < rows; i++) {
        if (reduced[i] < reduced[best]) best = i;
    }
    b->values[0] = reduced[best];
    b->indices[0] = best;
}

/* The row as scikit-learn does it, from all its reduced distances. The heap is filled twice, as
 * ArgKmin does on few queries: a heap a thread, emptied into the result's. */
static void choose_as_sklearn(const job *j, const double *x, const double *reduced, bench *b)
{
    const neighbors *s = j->s;
    int64_t k = s->k;
    if (s->ties == TIES_FIRST) {
        choose_first(reduced, j->rows, k, b);
        return;
    }
    if (s->ties == TIES_PARTITION) {
        uc_partition_smallest(reduced, j->rows, k, b->indices);
        for (int64_t i = 0; i < k; i++) {
            b->values[i] = reduced[b->indices[i]];
        }
        return;
    }
    uc_heap_clear(b->values, b->indices, k);
    if (s->ties == TIES_TREE) {
        node_bounds(s, x, b);
        uc_tree_query(s->tree->nodes, b->bounds, s->tree->order, reduced, 0, b->values, b->indices,
                      k);
    } else {
        double *first = b->values + k;
        uc_heap_clear(first, b->second, k);
        for (int64_t i = 0; i < j->rows; i++) {
            uc_heap_push(first, b->second, k, reduced[i], i);
        }
        for (int64_t i = 0; i < k; i++) {
            uc_heap_push(b->values, b->indices, k, first[i], b->second[i]);
        }
    }
    sort_pairs(s, b->values, b->indices, k);
}

/* The k least of `count` pairs (which hold everything that could be among the k least) to the
 * front; whether two of the k + 1 least are equal, or so near that the order of a sum could decide. */
static bool choose_least(const neighbors *s, double *values, int64_t *indices, int64_t count)
{
    uc_sort_pairs_intro(values, indices, count);
    double near = 1.0 + ((double)s->m->width + 8.0) * 0x1p-51;
    for (int64_t i = 0; i < s->k && i + 1 < count; i++) {
        if (values[i + 1] <= values[i] * near) return true;
    }
    return false;
}

static void answer(const job *j, int64_t row, const bench *b)
{
    const neighbors *s = j->s;
    for (int64_t i = 0; i < s->k; i++) {
        j->distances[row * s->k + i] = uc_metric_finish(s->m, b->values[i]);
        j->indices[row * s->k + i] = b->indices[i];
    }
}

/* Without a screen: every reduced distance, then scikit-learn's own way. */
static void full_row(const job *j, int64_t row, bench *b)
{
    const neighbors *s = j->s;
    const double *x = j->x + row * j->x_width, *reduced = x;
    if (s->m->metric != UC_METRIC_PRECOMPUTED) {
        uc_metric_reduced(s->m, x, b->work, b->reduced);
        reduced = b->reduced;
    }
    choose_as_sklearn(j, x, reduced, b);
    answer(j, row, b);
}

/* ---- screened rows ------------------------------------------------------------------------- */

/* Twice the error a score x.y - |y|^2/2 can have, plus that of the float64 distances measured after.
 * u = 2^-24. Rounding the moved x and y costs 2u|x||y|, the half square u|y|^2/2, and a sum of
 * width + 2 terms in any order, fused or not, (width + 2)u(|y|^2/2 + |x||y|) [Higham, Accuracy and
 * Stability of Numerical Algorithms, 2nd ed., 3.1]; the factor 1.02 covers the squares of u. The
 * direct float64 distance is off by (width + 4) 2^-53 (|x| + |y|)^2. The last term is underflow. */
static double screen_margin(int64_t width, double x, double y)
{
    double terms = (double)width + 6.0;
    double single = terms * 0x1p-24 * 1.02 * (y * y / 2.0 + x * y);
    double exact = terms * 0x1p-52 * (x + y) * (x + y);
    return 2.0 * (single + exact + terms * 1e-37 * (1.0 + x + y));
}

static void push_least(float *heap, int64_t k, float score)
{
    int64_t at = 0;
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= k) break;
        if (child + 1 < k && heap[child] < heap[child + 1]) child++;
        if (!(score < heap[child])) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = score;
}

/* A float not below v. */
static float above(double v)
{
    float f = (float)v;
    return f + fabsf(f) * 0x1p-22f + FLT_MIN;
}

/* Takes one panel's scores of one query in. */
static int64_t keep_scores(const job *j, const float *scores, int64_t first, double margin,
                           float *least, float *kept, int32_t *kept_index, int64_t count)
{
    int64_t k = j->s->k;
    uint64_t hits = j->kernels->below(scores, above((double)least[0] + margin));
    for (; hits; hits &= hits - 1) {
        int at = __builtin_ctzll(hits);
        float score = scores[at];
        if (first + at >= j->rows || (double)score > (double)least[0] + margin) continue;
        kept[count] = score;
        kept_index[count++] = (int32_t)(first + at);
        if (score < least[0]) push_least(least, k, score);
    }
    return count;
}

/* The candidates that remain under the final limit, measured. */
static int64_t measure_kept(const job *j, const double *x, float limit, const float *kept,
                            const int32_t *kept_index, int64_t count, bench *b)
{
    int64_t left = 0;
    for (int64_t i = 0; i < count; i++) {
        b->indices[left] = kept_index[i];
        left += kept[i] <= limit;
    }
    j->kernels->squares(x, j->s->m->y, b->indices, left, j->s->m->width, b->values);
    return left;
}

static void screened_rows(const job *j, int64_t begin, int rows, bench *b)
{
    const neighbors *s = j->s;
    const screen *c = s->screen;
    int64_t width = s->m->width, k = s->k, room = j->padded;
    double margin[UC_SCREEN_ROWS];
    int64_t count[UC_SCREEN_ROWS] = {0};
    bool screened[UC_SCREEN_ROWS];
    for (int r = 0; r < rows; r++) {
        const double *x = j->x + (begin + r) * width;
        double length = length_from(x, c->centre, width);
        screened[r] = length < SCREEN_LONGEST;
        margin[r] = screen_margin(width, length, c->longest);
        for (int64_t i = 0; i < width; i++) {
            b->x32[r * width + i] = screened[r] ? (float)(x[i] - c->centre[i]) : 0.0f;
        }
        for (int64_t i = 0; i < k; i++) {
            b->least[r * k + i] = INFINITY;
        }
    }
    for (int64_t p = 0; p < c->count; p++) {
        j->kernels->screen(c->panels + p * UC_SCREEN_LANES * width, c->half + p * UC_SCREEN_LANES,
                           b->x32, width, rows, width, b->scores);
        for (int r = 0; r < rows; r++) {
            count[r] = keep_scores(j, b->scores + r * UC_SCREEN_LANES, p * UC_SCREEN_LANES,
                                   margin[r], b->least + r * k, b->kept + r * room,
                                   b->kept_index + r * room, count[r]);
        }
    }
    for (int r = 0; r < rows; r++) {
        const double *x = j->x + (begin + r) * width;
        if (!screened[r]) {
            full_row(j, begin + r, b);
            continue;
        }
        float limit = above((double)b->least[r * k] + margin[r]);
        int64_t left =
            measure_kept(j, x, limit, b->kept + r * room, b->kept_index + r * room, count[r], b);
        if (choose_least(s, b->values, b->indices, left)) {
            uc_metric_reduced(s->m, x, b->work, b->reduced);
            choose_as_sklearn(j, x, b->reduced, b);
        }
        answer(j, begin + r, b);
    }
}

static void run_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    bench *b = &j->benches[thread];
    if (!j->s->screen) {
        for (int64_t i = begin; i < end; i++) {
            full_row(j, i, b);
        }
        return;
    }
    for (int64_t i = begin; i < end; i += UC_SCREEN_ROWS) {
        int64_t rows = end - i < UC_SCREEN_ROWS ? end - i : UC_SCREEN_ROWS;
        screened_rows(j, i, (int)rows, b);
    }
}

/* ---- run ----------------------------------------------------------------------------------- */

static uncork_status make_bench(uc_call *call, const job *j, bench *b)
{
    const neighbors *s = j->s;
    size_t room = (size_t)j->padded + 16, width = (size_t)s->m->width;
    size_t nodes = s->tree ? (size_t)s->tree->node_count + UC_DISTANCE_LANES : 0;
    b->reduced = uc_call_scratch(call, room, sizeof(double));
    b->work = uc_call_scratch(call, width, sizeof(double));
    b->values = uc_call_scratch(call, room + (size_t)s->k, sizeof(double));
    b->indices = uc_call_scratch(call, room, sizeof(int64_t));
    b->second = uc_call_scratch(call, room, sizeof(int64_t));
    b->bounds = uc_call_scratch(call, nodes, sizeof(double));
    bool ok = b->reduced && b->work && b->values && b->indices && b->second && b->bounds;
    if (s->screen) {
        size_t k = (size_t)s->k;
        b->x32 = uc_call_scratch(call, UC_SCREEN_ROWS * width, sizeof(float));
        b->scores = uc_call_scratch(call, UC_SCREEN_ROWS * UC_SCREEN_LANES, sizeof(float));
        b->least = uc_call_scratch(call, UC_SCREEN_ROWS * k, sizeof(float));
        b->kept = uc_call_scratch(call, UC_SCREEN_ROWS * room, sizeof(float));
        b->kept_index = uc_call_scratch(call, UC_SCREEN_ROWS * room, sizeof(int32_t));
        ok = ok && b->x32 && b->scores && b->least && b->kept && b->kept_index;
    }
    return ok ? UNCORK_OK : UNCORK_NO_MEMORY;
}

static uncork_status check_shapes(uc_call *call, const job *j)
{
    const neighbors *s = j->s;
    if (s->m->metric == UC_METRIC_PRECOMPUTED) {
        if (s->k <= j->rows) return UNCORK_OK;
        return uc_call_fail(call, UNCORK_INPUT,
                            "%lld distances a row are fed, %lld neighbours asked for",
                            (long long)j->rows, (long long)s->k);
    }
    if (j->x_width != s->m->width) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)j->x_width, (long long)s->m->width);
    }
    return uc_metric_check_input(call, s->m, j->x, j->n);
}

static uncork_status run(uc_call *call)
{
    const neighbors *s = call->prepared;
    const uc_tensor *x = uc_call_in(call, 0);
    bool given = s->m->metric == UC_METRIC_PRECOMPUTED;
    job j = {.s = s,
             .kernels = uc_distance(),
             .x = uc_tensor_doubles(x),
             .n = x->shape[0],
             .x_width = x->shape[1]};
    j.rows = given ? j.x_width : s->m->rows;
    j.padded = given ? j.rows : s->m->padded;
    UC_TRY(check_shapes(call, &j));
    const int64_t shape[2] = {j.n, s->k};
    uc_tensor *distances, *indices;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &distances));
    UC_TRY(uc_call_output(call, 1, UNCORK_INT64, 2, shape, &indices));
    j.distances = distances->data;
    j.indices = indices->data;
    /* A lone block stays in this thread: no need for the others' scratch. */
    bool alone = j.n <= UC_SCREEN_ROWS;
    int threads = alone ? 1 : uc_pool_threads(call->pool);
    j.benches = uc_call_scratch(call, (size_t)threads, sizeof(bench));
    if (!j.benches) return UNCORK_NO_MEMORY;
    for (int i = 0; i < threads; i++) {
        UC_TRY(make_bench(call, &j, &j.benches[i]));
    }
    uc_parallel(alone ? NULL : call->pool, j.n, 8 * UC_SCREEN_ROWS, run_rows, &j);
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1);
    return y ? (uint64_t)x->shape[0] * (uint64_t)y->shape[0] * (uint64_t)y->shape[1] : 0;
}

const uc_op uc_op_neighbors = {
    .domain = "uncork",
    .name = "Neighbors",
    .in = {1, 7},
    .out = {1, 2},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = macs,
};
