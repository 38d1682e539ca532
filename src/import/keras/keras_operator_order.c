/* Operators that sort, choose by size or count. Sources: keras/src/backend/tensorflow/numpy.py, math.py;
 * tensorflow/python/ops/sort_ops.py. */
#include "import/keras/keras_operator.h"

#include <inttypes.h>
#include <math.h>

static bool is_new(const uc_k_call *c) { return c->layer->is_operator && c->layer->major >= 3; }

void uc_k_top(uc_k_call *c, uc_ref x, uc_ref k, int axis, bool largest, uc_ref *values, uc_ref *at)
{
    const uc_ref in[] = {x, k};
    uc_node *n = uc_graph_node(c->graph, "TopK", in, 2, 2);
    uc_node_int(c->graph, n, "axis", axis);
    uc_node_int(c->graph, n, "largest", largest);
    *values = uc_node_out(n, 0);
    *at = uc_node_out(n, 1);
}

/* The operand, all of it in a row where no axis is given. */
static uc_ref along(uc_k_call *c, size_t position, int64_t otherwise, int *axis)
{
    const int64_t flat = -1;
    uc_ref x = uc_k_first_operand(c);
    if (otherwise == INT64_MIN && !uc_k_argument_json(c, position, "axis")) {
        x = uc_g_reshape(c->graph, x, &flat, 1);
        *axis = 0;
        return x;
    }
    *axis = uc_k_arg_axis(c, position, x, otherwise);
    if (*axis < 0) return uc_k_fail(c, "its axis isn't one of its operand's");
    return x;
}

static uc_ref size_of(uc_k_call *c, uc_ref x, int axis)
{
    return uc_g_slice(c->graph, uc_g1(c->graph, "Shape", x), 0, axis, (int64_t)axis + 1);
}

static void arg(uc_k_call *c, const uc_k_operator_row *row)
{
    int axis;
    uc_graph *g = c->graph;
    const bool fresh = is_new(c);
    const uc_ref x = along(c, 1, fresh ? INT64_MIN : 0, &axis);
    const bool keep = uc_k_arg_bool(c, 2, "keepdims", false);
    if (!x) return;
    const uc_ref y = row->op[3] == 'M' && row->op[4] == 'a' ? uc_g_argmax(g, x, axis, keep)
                                                            : uc_g_argmin(g, x, axis, keep);
    const uc_str type = uc_k_arg_text(c, 2, "output_type", "int64");
    const bool narrow = fresh || uc_str_is(type, "int32");
    uc_k_set(c, narrow ? uc_g_cast(g, y, UNCORK_INT32) : y);
}

/* op: "v" values, "i" indices. */
static void sorted(uc_k_call *c, const uc_k_operator_row *row)
{
    int axis;
    const uc_ref x = along(c, 1, -1, &axis);
    uc_ref values, at;
    const bool down = uc_str_is(uc_k_arg_text(c, 2, "direction", ""), "DESCENDING");
    if (!x) return;
    uc_k_top(c, x, size_of(c, x, axis), axis, down, &values, &at);
    uc_k_set(c, row->op[0] == 'v' ? values : uc_g_cast(c->graph, at, UNCORK_INT32));
}

static void top_k(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_ref x = uc_k_first_operand(c);
    const int64_t k = uc_k_arg_int(c, 1, "k", 1);
    uc_ref values, at;
    (void)row;
    uc_k_top(c, x, uc_graph_i64s(c->graph, &k, 1), uc_k_rank(c, x) - 1, true, &values, &at);
    uc_k_give(c, values);
    uc_k_give(c, uc_g_cast(c->graph, at, UNCORK_INT32));
}

static void in_top_k(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_graph *g = c->graph;

    uc_ref targets = uc_k_arg_tensor(c, 0, "targets"),
           guesses = uc_k_arg_tensor(c, 1, "predictions");
    const int64_t k = uc_k_arg_int(c, 2, "k", 1);
    (void)row;
    if (!targets || !guesses) {
        uc_k_fail(c, "it needs targets and predictions");
        return;
    }
    targets = uc_g_cast(g, targets, UNCORK_INT32);
    const uc_ref in[] = {guesses, targets, uc_g_cast(g, uc_graph_i64(g, k), UNCORK_INT32)};
    uc_k_set(c, uc_k_node(c, "uncork.TfInTopKV2", in, 3));
}

/* Sorted values at part `at` of the way from the first to the last, between two of them linearly. */
static uc_ref part_of(uc_k_call *c, uc_ref values, int axis, int64_t n, double part)
{
    uc_graph *g = c->graph;
    const double place = part * (double)(n - 1), low = floor(place);
    const uc_ref a = uc_g_gather(g, values, uc_graph_i64(g, (int64_t)low), axis);
    if (place == low) return a;
    const uc_ref b = uc_g_gather(g, values, uc_graph_i64(g, (int64_t)low + 1), axis);
    const uc_ref scaled = uc_g2(g, "Mul", uc_g2(g, "Sub", b, a), uc_k_scalar(c, place - low));
    return uc_g2(g, "Add", a, scaled);
}

/* op: "0.5" the median, else the part is the argument q, of 100 in "%". */
static void quantile(uc_k_call *c, const uc_k_operator_row *row)
{
    int axis;
    uc_graph *g = c->graph;
    const bool median = row->op[0] == '0';
    const uc_ref x = along(c, median ? 1 : 2, INT64_MIN, &axis);
    const bool keep = uc_k_arg_bool(c, median ? 2 : 4, "keepdims", false);
    const int64_t n = x ? uc_k_dim(c, x, axis) : -1;
    const uc_json *q = median ? NULL : uc_k_argument_json(c, 1, "q");
    if (q && q->kind == UC_JSON_OBJECT) q = uc_json_path(q, "config.value");
    const uc_str method = uc_k_arg_text(c, 3, "method", "linear");
    size_t count = 0;
    double one = 0.5;
    const double *parts = &one;
    if (q && (q->kind == UC_JSON_INT || q->kind == UC_JSON_FLOAT))
        one = q->number;
    else if (q)
        parts = uc_json_f64s(q, g->arena, &count);
    if (n < 1 || !parts || count > UC_K_OUTPUTS || !uc_str_is(method, "linear")) {
        uc_k_fail(c, "it needs a known size, known parts and the linear method");
        return;
    }
    uc_ref values, at, out[UC_K_OUTPUTS];
    uc_k_top(c, x, size_of(c, x, axis), axis, false, &values, &at);
    for (size_t i = 0; i < (count ? count : 1); i++) {
        out[i] = part_of(c, values, axis, n, row->op[0] == '%' ? parts[i] / 100 : parts[i]);
        if (keep) out[i] = uc_g_unsqueeze(g, out[i], axis);
        if (count) out[i] = uc_g_unsqueeze(g, out[i], 0);
    }
    uc_k_set(c, count ? uc_g_concat(g, out, count, 0) : out[0]);
}

/* Numbers to the bins they are in, counted from 0. */
static void digitize(uc_k_call *c, const uc_k_operator_row *row)
{
    size_t n = 0;
    (void)row;
    const uc_ref x = uc_k_first_operand(c);
    const uc_json *bins = uc_k_argument_json(c, 1, "bins");
    if (bins && bins->kind == UC_JSON_OBJECT) bins = uc_json_path(bins, "config.value");
    const double *edges = bins ? uc_json_f64s(bins, c->graph->arena, &n) : NULL;
    if (!edges) {
        uc_k_fail(c, "its bins aren't in the file");
        return;
    }
    uc_node *node = uc_graph_node(c->graph, "uncork.TfBucketize", &x, 1, 1);
    uc_node_floats(c->graph, node, "boundaries", edges, n);
    uc_k_set(c, uc_node_out(node, 0));
}

static void search(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_graph *g = c->graph;
    (void)row;
    const bool right = uc_str_is(uc_k_arg_text(c, 2, "side", "left"), "right");
    uc_ref x = uc_k_first_operand(c), v = uc_k_arg_tensor(c, 1, "v");
    if (!v) v = uc_k_arg_tensor(c, 1, "values");
    if (!v || uc_k_rank(c, x) != 1) {
        uc_k_fail(c, "it needs values and one row of sorted ones");
        return;
    }
    const int64_t flat[] = {1, -1};
    const uc_ref in[] = {uc_g_reshape(g, x, flat, 2), uc_g_reshape(g, v, flat, 2)};
    uc_node *n = uc_graph_node(g, right ? "uncork.TfUpperBound" : "uncork.TfLowerBound", in, 2, 1);
    uc_node_int(g, n, "out_type", UNCORK_INT32);
    uc_k_set(c, uc_g2(g, "Reshape", uc_node_out(n, 0), uc_g1(g, "Shape", v)));
}

/* How often each number from 0 to minlength occurs in each row. */
static void bincount(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_graph *g = c->graph;
    (void)row;
    const int64_t depth = uc_k_arg_int(c, 2, "minlength", 0), two = 2;
    const uc_ref x = uc_g_cast(g, uc_k_first_operand(c), UNCORK_INT64),
                 w = uc_k_arg_tensor(c, 1, "weights");
    const double values[] = {0, 1};
    if (depth < 1) {
        uc_k_fail(c, "it has no minlength");
        return;
    }
    c->dtype = w ? uc_k_dtype(c, w) : UNCORK_INT32;
    const uc_ref in[] = {x, uc_graph_i64(g, depth), uc_k_constant(c, values, 1, &two)};
    uc_node *n = uc_graph_node(g, "OneHot", in, 3, 1);
    uc_node_int(g, n, "axis", -1);
    uc_ref hot = uc_node_out(n, 0);
    if (w) hot = uc_g2(g, "Mul", hot, uc_g_unsqueeze(g, w, -1));
    uc_k_set(c, uc_g_reduce(g, "ReduceSum", hot, uc_k_rank(c, x) - 1, false));
}

static void segments(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_graph *g = c->graph;
    const uc_ref ids = uc_k_arg_tensor(c, 1, "segment_ids");
    const int64_t n = uc_k_arg_int(c, 2, "num_segments", 0);
    if (!ids || n < 1) {
        uc_k_fail(c, "it needs segment_ids and num_segments");
        return;
    }
    const uc_ref in[] = {uc_k_first_operand(c), uc_g_cast(g, ids, UNCORK_INT32),
                         uc_g_cast(g, uc_graph_i64(g, n), UNCORK_INT32)};
    uc_k_set(c, uc_k_node(c, row->op, in, 3));
}

const uc_k_operator_row uc_k_order_rows[] = {
    {"Argmax", "ArgMax", arg},
    {"Argmin", "ArgMin", arg},
    {"math.argmax", "ArgMax", arg},
    {"math.argmin", "ArgMin", arg},
    {"argmax", "ArgMax", arg},
    {"argmin", "ArgMin", arg},
    {"Sort", "v", sorted},
    {"sort", "v", sorted},
    {"Argsort", "i", sorted},
    {"argsort", "i", sorted},
    {"TopK", "", top_k},
    {"math.top_k", "", top_k},
    {"nn.top_k", "", top_k},
    {"InTopK", "", in_top_k},
    {"math.in_top_k", "", in_top_k},
    {"Median", "0.5", quantile},
    {"Quantile", "", quantile},
    {"Percentile", "%", quantile},
    {"Digitize", "", digitize},
    {"SearchSorted", "", search},
    {"searchsorted", "", search},
    {"Bincount", "", bincount},
    {"SegmentSum", "uncork.TfUnsortedSegmentSum", segments},
    {"SegmentMax", "uncork.TfUnsortedSegmentMax", segments},
    {"SegmentMin", "uncork.TfUnsortedSegmentMin", segments},
    {"SegmentProd", "uncork.TfUnsortedSegmentProd", segments},
    {"math.unsorted_segment_sum", "uncork.TfUnsortedSegmentSum", segments},
    {"math.unsorted_segment_max", "uncork.TfUnsortedSegmentMax", segments},
    {"math.unsorted_segment_min", "uncork.TfUnsortedSegmentMin", segments},
    {NULL, NULL, NULL},
};
