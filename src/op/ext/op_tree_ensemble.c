/* uncork.TreeEnsemble: decision trees of scikit-learn, xgboost and lightgbm, in each one's arithmetic.
 *
 * Source: sklearn/tree/_tree.pyx (x <= threshold), sklearn/ensemble/_hist_gradient_boosting/
 * _predictor.pyx, xgboost src/predictor (x < threshold in float32), lightgbm include/LightGBM/tree.h.
 * x     f32 or f64 [rows, features]
 * base  optional, [rows, columns] of value's type: what sums start from, instead of attribute base
 * y     sum: [rows, columns] of value's type; each: [rows, trees]; leaf: int64 [rows, trees]
 * Attributes, all trees' nodes one after another:
 *   tree_nodes  int64 [trees + 1]: first node of each tree, its root; the last is the node count
 *   left, right int32 [nodes]: inside the tree, negative in leaves;  feature int32 [nodes]
 *   threshold   float64 [nodes]: left when x <= threshold; strict=1: when x < threshold
 *   flags       uint8 [nodes], optional: UC_TREE_* of kernel/tree_ensemble.h; else default_flags
 *   set, sets, words   int32 [nodes] row of sets, int64 [sets, 4] (first word and bits of the set, the
 *               same of the known categories), uint32 [words]: categories
 *   value       float64 or float32 [nodes], added to column group[tree]; or [nodes, columns]
 *   group int32 [trees], weight float64 [trees]: factor of the tree's values, both optional
 *   linear_first int64 [nodes + 1], linear_feature int32, linear_coef float64, linear_const float64
 *               [nodes]: leaves that are linear functions; value where one of their features is NaN
 *   base [columns], base_last=1: it is added to the finished sum; divisor; features; columns; output
 * Numerics: sums in tree order in value's type; the same bits for any batch and number of threads. */
#include "base/cpu.h"
#include "base/thread.h"
#include "op/ext/tree_pack.h"

typedef struct run_context {
    const uc_tree_pack *pack;
    const uc_tree_kernel *kernel;
    const void *x;
    bool is_f32;
    int64_t rows, block;
    const void *base; /* the second input's data or NULL */
    void *y;
    uint8_t *scratch; /* [threads, scratch_size] */
    size_t scratch_size;
} run_context;

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *base = uc_call_in(call, 1);
    uc_tree_output output;
    uncork_dtype dtype;
    int64_t columns, features = uc_call_int(call, "features", 0);
    UC_TRY(uc_tree_pack_shape(call, &output, &dtype, &columns));
    if (x && x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_INPUT, "rows are %s, trees take float32 or float64",
                            uc_dtype_name(x->dtype));
    }
    if (x && (x->rank != 2 || (x->shape[1] >= 0 && x->shape[1] != features))) {
        return uc_call_fail(call, UNCORK_INPUT, "rows have %lld columns, the trees take %lld",
                            (long long)(x->rank == 2 ? x->shape[1] : x->rank), (long long)features);
    }
    if (base && base->dtype != dtype) {
        return uc_call_fail(call, UNCORK_MALFORMED, "base is %s, the trees' values are %s",
                            uc_dtype_name(base->dtype), uc_dtype_name(dtype));
    }
    int64_t shape[2] = {x ? x->shape[0] : UC_DIM_UNKNOWN, columns};
    return uc_call_shape(call, 0, dtype, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    call->prepared = uc_tree_pack_new(call, x ? x->dtype : UNCORK_FLOAT64);
    return call->prepared ? UNCORK_OK : call->error->status;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    const uc_tree_pack *pack = call->prepared;
    uint64_t cost = 0;
    if (!x || !pack || x->shape[0] < 0 ||
        __builtin_mul_overflow((uint64_t)x->shape[0], pack->steps + (uint64_t)pack->tree_count,
                               &cost)) {
        return x && pack ? UINT64_MAX : 0;
    }
    return cost;
}

/* ---- leaves --------------------------------------------------------------------------------- */

static const void *row_at(const run_context *c, int64_t row)
{
    size_t size = c->is_f32 ? sizeof(float) : sizeof(double);
    return (const uint8_t *)c->x + (size_t)row * (size_t)c->pack->features * size;
}

/* Leaves of rows [row, row + n) in one tree. */
static void find_rows(const run_context *c, int32_t tree, int64_t row, int32_t n, int32_t *leaf)
{
    const uc_tree_pack *p = c->pack;
    const void *x = row_at(c, row);
    if (p->is_packed && c->is_f32) {
        c->kernel->rows_f32(&p->trees, tree, x, p->features, n, leaf);
    } else if (p->is_packed) {
        c->kernel->rows_f64(&p->trees, tree, x, p->features, n, leaf);
    } else if (c->is_f32) {
        uc_tree_general_f32(&p->general, tree, x, p->features, n, leaf);
    } else {
        uc_tree_general_f64(&p->general, tree, x, p->features, n, leaf);
    }
}

/* Leaves of one row in trees [begin, begin + n). */
static void find_trees(const run_context *c, int32_t begin, int64_t row, int32_t n, int32_t *leaf)
{
    const uc_tree_pack *p = c->pack;
    if (!p->is_packed) {
        for (int32_t i = 0; i < n; i++) {
            find_rows(c, begin + i, row, 1, leaf + i);
        }
    } else if (c->is_f32) {
        c->kernel->trees_f32(&p->trees, begin, row_at(c, row), n, leaf);
    } else {
        c->kernel->trees_f64(&p->trees, begin, row_at(c, row), n, leaf);
    }
}

static int32_t tree_first(const uc_tree_pack *p, int32_t tree)
{
    return p->is_packed ? p->trees.first[tree] : p->general.first[tree];
}

/* ---- sums ----------------------------------------------------------------------------------- */

/* A block's sums: width 1 column by column [columns, n], wider row by row [n, columns]. */
typedef struct sums {
    double *f64; /* one of the two */
    float *f32;
} sums;

static double row_value(const run_context *c, int64_t row, int64_t feature)
{
    const void *x = row_at(c, row);
    return c->is_f32 ? (double)((const float *)x)[feature] : ((const double *)x)[feature];
}

/* lightgbm's Tree::Predict with is_linear_: the plain value where one of the features is NaN. */
static double linear_value(const run_context *c, int32_t node, int64_t row)
{
    const uc_tree_linear *l = &c->pack->linear[node];
    double sum = l->constant;
    for (int64_t i = l->first; i < l->first + l->count; i++) {
        double x = row_value(c, row, c->pack->linear_feature[i]);
        if (x != x) {
            return c->pack->value64[node];
        }
        sum += x * c->pack->linear_coef[i];
    }
    return sum;
}

static void add_wide_f32(float *sum, const uc_tree_pack *p, int32_t first, const int32_t *leaf,
                         int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        const float *value = p->value32 + (int64_t)p->slot[first + leaf[i]] * p->width;
        for (int32_t k = 0; k < p->width; k++) {
            sum[(int64_t)i * p->width + k] += value[k];
        }
    }
}

/* Adds one tree's values of n rows from `row` on. */
static void add_tree(const run_context *c, int32_t tree, int64_t row, int32_t n,
                     const int32_t *leaf, sums s)
{
    const uc_tree_pack *p = c->pack;
    int32_t first = tree_first(p, tree);
    int64_t column = p->group ? (int64_t)p->group[tree] * n : 0;
    if (p->slot && s.f32) {
        add_wide_f32(s.f32, p, first, leaf, n);
    } else if (p->slot) {
        c->kernel->add_wide(s.f64, p->value64, p->slot + first, leaf, n, p->width);
    } else if (p->linear) {
        for (int32_t i = 0; i < n; i++) {
            s.f64[column + i] += linear_value(c, first + leaf[i], row + i);
        }
    } else if (s.f32) {
        c->kernel->add_f32(s.f32 + column, p->value32 + first, leaf, n);
    } else {
        c->kernel->add_f64(s.f64 + column, p->value64 + first, leaf, n);
    }
}

static double base_at(const run_context *c, int64_t row, int64_t column)
{
    const uc_tree_pack *p = c->pack;
    if (c->base) {
        return uc_dtype_load_f64(c->base, row * p->columns + column, p->dtype);
    }
    return p->base ? p->base[column] : 0;
}

/* Place of a block's sum: see sums. */
static int64_t sum_place(const uc_tree_pack *p, int32_t n, int32_t i, int64_t column)
{
    return p->slot ? i * p->columns + column : column * n + i;
}

static void start_sums(const run_context *c, int64_t row, int32_t n, sums s)
{
    const uc_tree_pack *p = c->pack;
    for (int32_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < p->columns; k++) {
            double base = p->base_last ? 0 : base_at(c, row + i, k);
            int64_t place = sum_place(p, n, i, k);
            if (s.f32) {
                s.f32[place] = (float)base;
            } else {
                s.f64[place] = base;
            }
        }
    }
}

static void store_sums(const run_context *c, int64_t row, int32_t n, sums s)
{
    const uc_tree_pack *p = c->pack;
    for (int32_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < p->columns; k++) {
            int64_t place = sum_place(p, n, i, k), to = (row + i) * p->columns + k;
            if (s.f32) {
                float v = s.f32[place] + (p->base_last ? (float)base_at(c, row + i, k) : 0);
                ((float *)c->y)[to] = v / (float)p->divisor;
            } else {
                double v = s.f64[place] + (p->base_last ? base_at(c, row + i, k) : 0);
                ((double *)c->y)[to] = v / p->divisor;
            }
        }
    }
}

/* ---- one value or leaf a tree ---------------------------------------------------------------- */

static void store_leaf(const run_context *c, int32_t tree, int64_t row, int32_t n,
                       const int32_t *leaf)
{
    const uc_tree_pack *p = c->pack;
    int32_t first = tree_first(p, tree);
    for (int32_t i = 0; i < n; i++) {
        int64_t to = (row + i) * p->columns + tree;
        int32_t node = first + leaf[i];
        if (p->output == UC_TREE_OUTPUT_LEAF) {
            ((int64_t *)c->y)[to] = p->id[node];
        } else if (p->dtype == UNCORK_FLOAT32) {
            ((float *)c->y)[to] = p->value32[node];
        } else {
            ((double *)c->y)[to] = p->linear ? linear_value(c, node, row + i) : p->value64[node];
        }
    }
}

static void use_tree(const run_context *c, int32_t tree, int64_t row, int32_t n,
                     const int32_t *leaf, sums s)
{
    if (c->pack->output == UC_TREE_OUTPUT_SUM) {
        add_tree(c, tree, row, n, leaf, s);
    } else {
        store_leaf(c, tree, row, n, leaf);
    }
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* Many rows: tree by tree, the tree hot in the cache. */
static void run_block(const run_context *c, int64_t row, int32_t n, sums s)
{
    int32_t leaf[UC_TREE_BLOCK];
    for (int32_t t = 0; t < c->pack->tree_count; t++) {
        find_rows(c, t, row, n, leaf);
        use_tree(c, t, row, n, leaf, s);
    }
}

/* add_tree for one row of many trees, where it is no more than one addition a tree. */
static void add_leaves(const run_context *c, int32_t begin, int32_t n, const int32_t *leaf, sums s)
{
    const uc_tree_pack *p = c->pack;
    const int32_t *first = (p->is_packed ? p->trees.first : p->general.first) + begin;
    for (int32_t i = 0; i < n; i++) {
        int32_t column = p->group ? p->group[begin + i] : 0;
        if (s.f32) {
            s.f32[column] += p->value32[first[i] + leaf[i]];
        } else {
            s.f64[column] += p->value64[first[i] + leaf[i]];
        }
    }
}

/* One row: many trees in flight. */
static void run_row(const run_context *c, int64_t row, sums s)
{
    int32_t leaf[UC_TREE_CHUNK];
    bool is_plain = c->pack->output == UC_TREE_OUTPUT_SUM && !c->pack->slot && !c->pack->linear;
    for (int32_t t = 0; t < c->pack->tree_count; t += UC_TREE_CHUNK) {
        int32_t left = c->pack->tree_count - t, n = left < UC_TREE_CHUNK ? left : UC_TREE_CHUNK;
        find_trees(c, t, row, n, leaf);
        if (is_plain) {
            add_leaves(c, t, n, leaf, s);
        }
        for (int32_t i = 0; i < n && !is_plain; i++) {
            use_tree(c, t + i, row, 1, leaf + i, s);
        }
    }
}

/* Rows below which walking many trees for one row beats walking many rows through one tree. */
#define FEW_ROWS 6

static void run_rows(const run_context *c, int64_t row, int32_t n, sums s)
{
    bool is_sum = c->pack->output == UC_TREE_OUTPUT_SUM, by_row = n <= FEW_ROWS;
    for (int32_t i = 0; i < n; i += by_row ? 1 : n) {
        int32_t count = by_row ? 1 : n;
        if (is_sum) {
            start_sums(c, row + i, count, s);
        }
        if (by_row) {
            run_row(c, row + i, s);
        } else {
            run_block(c, row, n, s);
        }
        if (is_sum) {
            store_sums(c, row + i, count, s);
        }
    }
}

static void run_blocks(void *context, int64_t begin, int64_t end, int thread)
{
    const run_context *c = context;
    uint8_t *scratch = c->scratch + (size_t)thread * c->scratch_size;
    sums s = {0};
    if (c->pack->dtype == UNCORK_FLOAT32) {
        s.f32 = (float *)(void *)scratch;
    } else {
        s.f64 = (double *)(void *)scratch;
    }
    for (int64_t b = begin; b < end; b++) {
        int64_t row = b * c->block, left = c->rows - row;
        run_rows(c, row, (int32_t)(left < c->block ? left : c->block), s);
    }
}

/* Rows of a block: their features and sums stay near the first-level cache beside a tree. */
static int64_t block_rows(const uc_tree_pack *p)
{
    int64_t row_bytes = 8 * (p->features + (p->output == UC_TREE_OUTPUT_SUM ? p->columns : 0));
    int64_t rows = (64 << 10) / row_bytes / 64 * 64;
    return rows < 64 ? 64 : rows > UC_TREE_BLOCK ? UC_TREE_BLOCK : rows;
}

static uncork_status run(uc_call *call)
{
    const uc_tree_pack *pack = call->prepared;
    const uc_tensor *x = uc_tensor_dense(call->arena, uc_call_in(call, 0)),
                    *base = uc_call_in(call, 1);
    uc_tensor *y;
    if (!pack || !x || x->rank != 2) {
        return uc_call_fail(call, UNCORK_NO_MEMORY, "no memory for %s", x ? "trees" : "rows");
    }
    int64_t rows = x->shape[0], shape[2] = {rows, pack->columns};
    if (base && (base->rank != 2 || base->shape[0] != rows || base->shape[1] != pack->columns ||
                 base->dtype != pack->dtype)) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "base has another shape than the result [%lld, %lld]", (long long)rows,
                            (long long)pack->columns);
    }
    base = base ? uc_tensor_dense(call->arena, base) : NULL;
    uncork_dtype dtype = pack->output == UC_TREE_OUTPUT_LEAF ? UNCORK_INT64 : pack->dtype;
    UC_TRY(uc_call_output(call, 0, dtype, 2, shape, &y));
    run_context c = {
        .pack = pack,
        .kernel = uc_tree_kernel_for(uc_cpu_features()),
        .x = x->data,
        .is_f32 = x->dtype == UNCORK_FLOAT32,
        .rows = rows,
        .block = block_rows(pack),
        .base = base ? base->data : NULL,
        .y = y->data,
    };
    int64_t most = rows < c.block ? rows : c.block;
    bool is_sum = pack->output == UC_TREE_OUTPUT_SUM;
    c.scratch_size = ((is_sum ? (size_t)(pack->columns * most) * 8 : 0) + 127) / 64 * 64;
    c.scratch = uc_call_scratch(call, (size_t)uc_pool_threads(call->pool), c.scratch_size);
    if (!c.scratch) {
        return call->error->status;
    }
    uc_parallel(call->pool, (rows + c.block - 1) / c.block, 1, run_blocks, &c);
    return UNCORK_OK;
}

const uc_op uc_op_tree_ensemble = {
    .domain = "uncork",
    .name = "TreeEnsemble",
    .in = {1, 2},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = macs,
};
