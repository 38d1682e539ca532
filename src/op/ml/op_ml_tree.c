/* TreeEnsemble, TreeEnsembleRegressor and TreeEnsembleClassifier.
 *
 * Source: ONNX operators TreeEnsemble 5, TreeEnsembleRegressor 5, TreeEnsembleClassifier 5 of
 * ai.onnx.ml; ONNX Runtime, core/providers/cpu/ml/tree_ensemble_aggregator.h, whose order of additions,
 * ties and binary rules these are.
 * x  float32, float64, int32, int64 (or float16 in TreeEnsemble) [rows, features]
 * y  [rows, targets]: float32, TreeEnsemble: x's type;  labels [rows], scores float32 [rows, classes]
 * Numerics: x is compared as float32, or float64 when it is that; sums in that type, tree by tree. */
#include "base/thread.h"
#include "op/ml/ml_tree_read.h"

#include <inttypes.h>
#include <math.h>

typedef enum aggregate { AVERAGE, SUM, MIN, MAX } aggregate;

typedef struct ensemble {
    uc_ml_trees trees;
    int64_t targets;
    aggregate how;
    uc_post post;
    const double *base;
    int64_t base_count;
    uc_labels labels;  /* classifier */
    bool binary;       /* classifier: two classes, votes for one of them only */
    bool all_positive; /* its weights */
    bool is_classifier;
    bool is_f32; /* how x is compared and sums are made */
} ensemble;

/* ---- the sums of a row ---------------------------------------------------------------------- */

typedef struct job {
    const ensemble *e;
    const char *x; /* [rows, columns] of float32 or float64 */
    int64_t rows, columns, y_columns;
    double *y;        /* [rows, y_columns] */
    int64_t *classes; /* classifier */
    double *sums;     /* a thread: [UC_TREE_BLOCK, targets + 2] */
    uint8_t *voted;   /* the same: whether the target has a vote */
    int64_t width;
} job;

/* Adds as the sums' own type does; float64 rounded once more is that of float32. */
static double add(const ensemble *e, double a, double b)
{
    return e->is_f32 ? (double)(float)(a + b) : a + b;
}

static void take_vote(const ensemble *e, double *sum, uint8_t *voted, double w)
{
    bool first = !*voted;
    *voted = 1;
    if (e->how == MIN) {
        *sum = first || w < *sum ? w : *sum;
    } else if (e->how == MAX) {
        *sum = first || w > *sum ? w : *sum;
    } else {
        *sum = add(e, *sum, w);
    }
}

static void finish_values(const job *j, double *sums, double *y)
{
    const ensemble *e = j->e;
    for (int64_t k = 0; k < e->targets; k++) {
        double v = sums[k];
        if (e->how == AVERAGE) {
            v /= (double)e->trees.tree_count;
            if (e->is_f32) v = (double)(float)v;
        }
        y[k] = e->base_count == e->targets ? add(e, v, e->base[k]) : v;
    }
    if (e->targets > 1 || e->post == UC_POST_PROBIT) {
        uc_post_row(e->post, y, e->targets);
    }
}

static int64_t best_of(const double *s, int64_t n)
{
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++) {
        if (s[k] > s[best]) best = k;
    }
    return best;
}

/* Votes for one class of two: those of class 0 make both scores, and speak for class 1; those of class
 * 1 are its score alone. That is what converters of scikit-learn, xgboost and lightgbm count on. */
static int64_t finish_binary(const ensemble *e, const double *sums, const uint8_t *voted, double *y)
{
    double score = voted[1] ? sums[1] : sums[0];
    if (voted[1]) {
        if (e->base_count == 2) score = add(e, score, e->base[1]);
        y[0] = 0;
        y[1] = score;
        uc_post_row(e->post, y, 2);
    } else if (e->base_count == 2) {
        score = add(e, score, e->base[0]);
        y[0] = score;
        y[1] = 0;
        uc_post_row(e->post, y, 2);
    } else {
        if (e->base_count == 1) score = add(e, score, e->base[0]);
        uc_post_pair(e->post, e->all_positive, score, y);
    }
    return score > (e->all_positive ? 0.5 : 0);
}

/* With votes for both of two classes ONNX Runtime gives label 1 wherever the second score is above 0,
 * whatever the labels are; here, as the specification says, it is the top class. */
static int64_t finish_classes(const job *j, const double *sums, const uint8_t *voted, double *y)
{
    const ensemble *e = j->e;
    int64_t n = e->targets;
    if (n == 2 && e->binary) return finish_binary(e, sums, voted, y);
    for (int64_t k = 0; k < n; k++) {
        y[k] = k < e->base_count ? add(e, sums[k], e->base[k]) : sums[k];
    }
    int64_t best = best_of(y, n);
    if (n == 1) best = y[0] > 0 ? UC_LABEL_ONE : UC_LABEL_ZERO;
    if (n > 1 || e->post == UC_POST_PROBIT) uc_post_row(e->post, y, n);
    return best;
}

static void run_block(const job *j, int64_t row, int32_t n, double *sums, uint8_t *voted)
{
    const ensemble *e = j->e;
    const uc_ml_trees *t = &e->trees;
    int64_t leaf[UC_TREE_BLOCK];
    size_t size = e->is_f32 ? sizeof(float) : sizeof(double);
    const char *x = j->x + (size_t)(row * j->columns) * size;
    memset(sums, 0, (size_t)(n * j->width) * sizeof *sums);
    memset(voted, 0, (size_t)(n * j->width));
    for (int64_t tree = 0; tree < t->tree_count; tree++) {
        uc_ml_trees_find(t, tree, x, e->is_f32, j->columns, n, leaf);
        for (int32_t r = 0; r < n; r++) {
            for (int64_t v = t->vote_first[leaf[r]]; v < t->vote_first[leaf[r] + 1]; v++) {
                int64_t at = r * j->width + t->votes[v].target;
                take_vote(e, &sums[at], &voted[at], t->votes[v].weight);
            }
        }
    }
    for (int32_t r = 0; r < n; r++) {
        double *y = j->y + (row + r) * j->y_columns;
        if (e->is_classifier) {
            j->classes[row + r] = finish_classes(j, sums + r * j->width, voted + r * j->width, y);
        } else {
            finish_values(j, sums + r * j->width, y);
        }
    }
}

static void run_blocks(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    int64_t own = (int64_t)thread * UC_TREE_BLOCK * j->width;
    for (int64_t b = begin; b < end; b++) {
        int64_t row = b * UC_TREE_BLOCK, left = j->rows - row;
        run_block(j, row, (int32_t)(left < UC_TREE_BLOCK ? left : UC_TREE_BLOCK), j->sums + own,
                  j->voted + own);
    }
}

/* x as the trees compare it, in scratch unless it is so already; NULL after a failure. */
static const void *rows_of(uc_call *call, bool is_f32)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uncork_dtype dtype = is_f32 ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
    if (x->dtype == dtype) return x->data;
    int64_t n = uc_tensor_count(x);
    void *to = uc_call_scratch(call, (size_t)n + 1, uc_dtype_size(dtype));
    if (to) uc_dtype_convert(to, dtype, x->data, x->dtype, n);
    return to;
}

static uncork_status run(uc_call *call)
{
    const ensemble *e = call->prepared;
    int64_t shape[2], columns;
    job j = {.e = e, .width = e->targets, .y_columns = e->targets};
    UC_TRY(uc_ml_rows(call, &shape[0], &columns));
    shape[1] = j.y_columns;
    if (columns < e->trees.features) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "x has %" PRId64 " columns, the trees ask for %" PRId64, columns,
                            e->trees.features);
    }
    size_t room = (size_t)uc_pool_threads(call->pool) * UC_TREE_BLOCK;
    size_t elements = 0;
    if (!uc_mul_size(room, (size_t)j.width, &elements)) {
        return uc_call_fail(call, UNCORK_LIMIT, "%" PRId64 " targets", j.width);
    }
    j.rows = shape[0];
    j.columns = columns;
    j.x = rows_of(call, e->is_f32);
    j.sums = uc_call_scratch(call, elements, sizeof *j.sums);
    j.voted = uc_call_scratch(call, elements, 1);
    j.y = uc_call_scratch(call, (size_t)shape[0], (size_t)shape[1] * sizeof *j.y);
    j.classes = uc_call_scratch(call, (size_t)shape[0], sizeof *j.classes);
    if (!j.x || !j.sums || !j.voted || !j.y || !j.classes) return call->error->status;
    uc_parallel(call->pool, (j.rows + UC_TREE_BLOCK - 1) / UC_TREE_BLOCK, 1, run_blocks, &j);
    if (!e->is_classifier) return uc_ml_output(call, 0, j.y, 2, shape);
    UC_TRY(uc_labels_write(call, 0, &e->labels, j.classes, shape[0]));
    return uc_ml_output(call, 1, j.y, 2, shape);
}

static uint64_t macs(const uc_call *call)
{
    const ensemble *e = call->prepared;
    const uc_tensor *x = uc_call_in(call, 0);
    uint64_t cost = 0;
    if (!e || !x || x->rank < 1 || x->shape[0] < 0) return 0;
    uint64_t each = (uint64_t)e->trees.tree_count * (uint64_t)(e->trees.depth + e->targets);
    return __builtin_mul_overflow(each, (uint64_t)(x->rank == 2 ? x->shape[0] : 1), &cost)
               ? UINT64_MAX
               : cost;
}

/* ---- what they are made of ------------------------------------------------------------------ */

static bool compares_f32(uc_call *call) { return uc_call_dtype(call, 0) != UNCORK_FLOAT64; }

static uncork_status read_base(uc_call *call, ensemble *e)
{
    bool wide = false;
    return uc_ml_floats(call, "base_values", &e->base, &e->base_count, &wide);
}

static uncork_status finish(uc_call *call, ensemble *e)
{
    UC_TRY(uc_ml_trees_finish(call, &e->trees, e->is_f32));
    for (int64_t v = 0; e->is_f32 && v < e->trees.vote_first[e->trees.leaf_count]; v++) {
        e->trees.votes[v].weight = (double)(float)e->trees.votes[v].weight;
    }
    call->prepared = e;
    return UNCORK_OK;
}

static uncork_status read_targets(uc_call *call, int64_t *targets)
{
    *targets = uc_call_int(call, "n_targets", 1);
    if (*targets >= 1 && *targets <= INT32_MAX / 16) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "n_targets is %" PRId64, *targets);
}

static uncork_status infer_values(uc_call *call, uncork_dtype dtype)
{
    int64_t shape[2], columns;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(read_targets(call, &shape[1]));
    UC_TRY(uc_ml_rows(call, &shape[0], &columns));
    return uc_call_shape(call, 0, dtype, 2, shape);
}

static uncork_status infer_regressor(uc_call *call) { return infer_values(call, UNCORK_FLOAT32); }

static uncork_status prepare_regressor(uc_call *call)
{
    static const char *const names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    ensemble *e = UC_NEW(call->arena, ensemble, 1);
    uc_str name = uc_call_str(call, "aggregate_function", "SUM");
    bool wide = false;
    int how = 0;
    if (!e) return uc_arena_status(call->arena, call->error);
    while (how < 4 && !uc_str_is(name, names[how]))
        how++;
    if (how == 4) {
        return uc_call_fail(call, UNCORK_MALFORMED, "aggregate_function '%.*s' isn't known",
                            (int)(name.size < 40 ? name.size : 40), name.data);
    }
    e->how = (aggregate)how;
    e->is_f32 = compares_f32(call);
    UC_TRY(read_targets(call, &e->targets));
    UC_TRY(uc_post_of(call, &e->post));
    UC_TRY(read_base(call, e));
    UC_TRY(uc_ml_trees_read(call, "target", e->targets, &e->trees, &wide));
    return finish(call, e);
}

static uncork_status infer_v5(uc_call *call) { return infer_values(call, uc_call_dtype(call, 0)); }

static uncork_status prepare_v5(uc_call *call)
{
    ensemble *e = UC_NEW(call->arena, ensemble, 1);
    if (!e) return uc_arena_status(call->arena, call->error);
    int64_t how = uc_call_int(call, "aggregate_function", SUM);
    int64_t post = uc_call_int(call, "post_transform", UC_POST_NONE);
    if (how < AVERAGE || how > MAX || post < UC_POST_NONE || post > UC_POST_PROBIT) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "aggregate_function %" PRId64 ", post_transform %" PRId64, how, post);
    }
    e->how = (aggregate)how;
    e->post = (uc_post)post;
    e->is_f32 = compares_f32(call);
    UC_TRY(read_targets(call, &e->targets));
    UC_TRY(uc_ml_trees_read_v5(call, e->targets, &e->trees));
    return finish(call, e);
}

static uncork_status read_labels(uc_call *call, uc_labels *labels)
{
    *labels = uc_labels_of(call, "classlabels_int64s");
    if (labels->count >= 1 && labels->count <= INT32_MAX / 16) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "there are %" PRId64 " class labels",
                        labels->count);
}

static uncork_status infer_classifier(uc_call *call)
{
    uc_labels labels;
    int64_t shape[2], columns;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(read_labels(call, &labels));
    UC_TRY(uc_ml_rows(call, &shape[0], &columns));
    shape[1] = labels.count;
    UC_TRY(uc_call_shape(call, 0, uc_labels_dtype(&labels), 1, shape));
    return uc_call_shape(call, 1, UNCORK_FLOAT32, 2, shape);
}

static uncork_status prepare_classifier(uc_call *call)
{
    ensemble *e = UC_NEW(call->arena, ensemble, 1);
    bool wide = false;
    if (!e) return uc_arena_status(call->arena, call->error);
    e->how = SUM;
    e->is_classifier = true;
    e->is_f32 = compares_f32(call);
    UC_TRY(read_labels(call, &e->labels));
    e->targets = e->labels.count;
    UC_TRY(uc_post_of(call, &e->post));
    UC_TRY(read_base(call, e));
    UC_TRY(uc_ml_trees_read(call, "class", e->targets, &e->trees, &wide));
    const uc_ml_trees *t = &e->trees;
    e->binary = e->targets == 2;
    e->all_positive = true;
    for (int64_t v = 0; v < t->vote_first[t->leaf_count]; v++) {
        e->binary = e->binary && t->votes[v].target == t->votes[0].target;
        e->all_positive = e->all_positive && t->votes[v].weight >= 0;
    }
    return finish(call, e);
}

#define TREES(SYMBOL, NAME, OUTPUTS, INFER, PREPARE)      \
    const uc_op uc_op_##SYMBOL = {.domain = "ai.onnx.ml", \
                                  .name = NAME,           \
                                  .in = {1, 1},           \
                                  .out = {1, OUTPUTS},    \
                                  .infer = INFER,         \
                                  .prepare = PREPARE,     \
                                  .run = run,             \
                                  .macs = macs};

TREES(ml_tree_ensemble, "TreeEnsemble", 1, infer_v5, prepare_v5)
TREES(ml_tree_ensemble_regressor, "TreeEnsembleRegressor", 1, infer_regressor, prepare_regressor)
TREES(ml_tree_ensemble_classifier, "TreeEnsembleClassifier", 2, infer_classifier,
      prepare_classifier)
