/* Arithmetic on shapes that a free dimension keeps from being folded: the shape of a Reshape is followed,
 * element by element, to the numbers and to the dimensions it is made of. Where one free dimension is
 * left, it becomes 0 (kept) or -1 (what remains), and what follows knows its shape again:
 *
 *   Reshape(x, Concat(Slice(Shape(x)), 7, 64))  ->  Reshape(x, [0, 7, 64])
 *
 * Exact: -1 is written only where the other dimensions prove that the free one is what remains. */
#include "graph/graph_infer.h"
#include "pass/rewrite.h"

enum { MOST_STEPS_BACK = 32 };

/* Shapes are inferred on the way: what one Reshape became is known to the next. */
typedef struct walk {
    uc_rewrite r;
    uc_infer infer;
} walk;

typedef struct element {
    enum { UNKNOWN, NUMBER, SYMBOL } kind;
    int64_t v;
} element;

static bool is_index(const uc_tensor *t)
{
    return t && (t->dtype == UNCORK_INT64 || t->dtype == UNCORK_INT32);
}

static element number(int64_t v) { return (element){NUMBER, v}; }

static element constant_element(const uc_tensor *t, int64_t i)
{
    if (!is_index(t) || i < 0 || i >= uc_tensor_count(t)) return (element){0};
    return number(t->dtype == UNCORK_INT64 ? ((const int64_t *)t->data)[i]
                                           : ((const int32_t *)t->data)[i]);
}

/* The i-th number of a constant, *v; false when the input is no such constant. */
static bool constant_at(const walk *w, const uc_node *node, size_t input, int64_t i, int64_t *v)
{
    if (input >= node->in_count || !node->in[input]) return false;
    element e = constant_element(uc_rewrite_const(&w->r, node->in[input]), i);
    *v = e.v;
    return e.kind == NUMBER;
}

/* Elements of a value with one dimension or none; -1: not known. */
static int64_t length_of(const walk *w, uc_ref ref)
{
    const uc_tensor *v = &w->infer.values[ref].tensor;
    if (v->rank == 0) return 1;
    return v->rank == 1 ? v->shape[0] : -1;
}

static element shape_element(const walk *w, const uc_node *node, int64_t i)
{
    const uc_tensor *x = &w->infer.values[node->in[0]].tensor;
    int64_t start = uc_node_get_int(node, "start", 0);
    if (w->infer.values[node->in[0]].kind != UC_TENSOR || x->rank < 0) return (element){0};
    i += start < 0 ? start + x->rank : start;
    if (i < 0 || i >= x->rank || x->shape[i] == UC_DIM_UNKNOWN) return (element){0};
    return (element){x->shape[i] < 0 ? SYMBOL : NUMBER, x->shape[i]};
}

/* Where the i-th element of a Slice or Gather of a list lies in the list; -1: not known. */
static int64_t source_index(const walk *w, const uc_node *node, int64_t i)
{
    int64_t n = length_of(w, node->in[0]), at = 0, step = 1;
    if (w->infer.values[node->in[0]].tensor.rank != 1 || n < 0) return -1;
    if (uc_is_op(node, "Gather")) {
        if (!constant_at(w, node, 1, i, &at)) return -1;
        at = at < 0 ? at + n : at;
    } else {
        if (!constant_at(w, node, 1, 0, &at)) return -1;
        if (node->in_count > 4 && node->in[4] && !constant_at(w, node, 4, 0, &step)) return -1;
        at = at < 0 ? at + n : at;
        if (at < 0 || at >= n || step < -n || step > n) return -1;
        at += i * step;
    }
    return at >= 0 && at < n ? at : -1;
}

/* The part of a Concat of lists that holds element *i, which becomes its place there; 0: not known. */
static uc_ref concat_part(const walk *w, const uc_node *node, int64_t *i)
{
    for (size_t p = 0; p < node->in_count; p++) {
        int64_t n = length_of(w, node->in[p]);
        if (n < 0) break;
        if (*i < n) return node->in[p];
        *i -= n;
    }
    return 0;
}

/* Element i of a list of dimensions. */
static element element_of(const walk *w, uc_ref ref, int64_t i)
{
    static const char *const same[] = {"Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape"};
    for (int back = 0; back < MOST_STEPS_BACK && ref && i >= 0; back++) {
        const uc_tensor *t = uc_rewrite_const(&w->r, ref);
        const uc_node *node = uc_rewrite_producer(&w->r, ref);
        uncork_dtype dtype = w->r.g->values[ref].dtype;
        if (t) return constant_element(t, i);
        if (!node || (dtype != UNCORK_INT64 && dtype != UNCORK_INT32)) break;
        if (uc_is_op(node, "Shape")) return shape_element(w, node, i);
        uc_ref next = 0;
        for (size_t k = 0; k < sizeof same / sizeof same[0]; k++) {
            if (uc_is_op(node, same[k])) next = node->in[0];
        }
        if (uc_is_op(node, "Slice") || uc_is_op(node, "Gather")) {
            i = source_index(w, node, i);
            next = node->in[0];
        } else if (uc_is_op(node, "Concat")) {
            next = concat_part(w, node, &i);
        }
        ref = next;
    }
    return (element){0};
}

/* Whether one of the wanted dimensions, all others given, is what remains of x: they have the same symbols
 * and the same product of numbers. */
static bool agree(const uc_tensor *x, const element *want, int rank)
{
    bool used[UNCORK_MAX_RANK] = {0};
    double have = 1, need = 1; /* exact up to 2^53, and shapes beyond that don't exist */
    int symbols = 0;
    for (int d = 0; d < x->rank; d++) {
        if (x->shape[d] == UC_DIM_UNKNOWN) return false;
        if (x->shape[d] >= 0) have *= (double)x->shape[d];
        symbols += x->shape[d] < 0;
    }
    for (int d = 0; d < rank; d++) {
        if (want[d].kind == NUMBER) {
            need *= (double)want[d].v;
            continue;
        }
        int found = -1;
        for (int k = 0; k < x->rank && found < 0; k++) {
            if (!used[k] && x->shape[k] == want[d].v) found = k;
        }
        if (found < 0) return false;
        used[found] = true;
        symbols--;
    }
    return symbols == 0 && have == need && need > 0;
}

/* The shape as a constant with 0 and -1; false when it isn't known well enough. */
static bool constant_shape(const walk *w, const uc_node *node, int64_t *shape, int *count)
{
    const uc_tensor *x = &w->infer.values[node->in[0]].tensor;
    element want[UNCORK_MAX_RANK];
    int64_t n = length_of(w, node->in[1]);
    int rest = -1;
    if (w->infer.values[node->in[0]].kind != UC_TENSOR || x->rank < 0) return false;
    if (w->infer.values[node->in[1]].tensor.rank != 1) return false;
    if (n < 0 || n > UNCORK_MAX_RANK) return false;
    for (int d = 0; d < (int)n; d++) {
        want[d] = element_of(w, node->in[1], d);
        if (want[d].kind == UNKNOWN || (want[d].kind == NUMBER && want[d].v < 1)) return false;
        bool keeps = want[d].kind == SYMBOL && d < x->rank && x->shape[d] == want[d].v;
        shape[d] = want[d].kind == NUMBER ? want[d].v : keeps ? 0 : -1;
        if (want[d].kind == NUMBER || keeps) continue;
        if (rest >= 0) return false;
        rest = d;
    }
    *count = (int)n;
    return rest < 0 || agree(x, want, (int)n);
}

static uncork_status visit(walk *w, uc_node *node)
{
    int64_t shape[UNCORK_MAX_RANK];
    int count = 0;
    uc_graph *g = w->r.g;
    if (!uc_is_op(node, "Reshape") || uc_rewrite_const(&w->r, node->in[1])) return UNCORK_OK;
    if (!constant_shape(w, node, shape, &count)) return UNCORK_OK;
    const uc_ref in[] = {node->in[0], uc_graph_i64s(g, shape, count)};
    UC_TRY(uc_rewrite_become(&w->r, node, "Reshape", in, 2));
    return uc_infer_value(&w->infer, (size_t)in[1]); /* a value that the walk hasn't seen */
}

/* uc_infer_init, with room for a constant a node. */
static uncork_status init_values(walk *w)
{
    uc_graph *g = w->r.g;
    size_t count = g->value_count;
    UC_TRY(uc_infer_init(&w->infer));
    uc_value *values = UC_NEW(w->infer.arena, uc_value, count + g->node_count);
    if (!values) return uc_arena_status(w->infer.arena, g->error);
    memcpy(values, w->infer.values, count * sizeof *values);
    w->infer.values = values;
    return UNCORK_OK;
}

static uncork_status walk_nodes(walk *w)
{
    uc_graph *g = w->r.g;
    UC_TRY(init_values(w));
    for (size_t n = 0; n < g->node_count; n++) {
        UC_TRY(visit(w, &g->nodes[n]));
        uc_call *call = uc_infer_call(&w->infer, &g->nodes[n]);
        if (!call) return uc_arena_status(w->infer.arena, g->error);
        UC_TRY(uc_infer_node(&w->infer, &g->nodes[n], call));
    }
    return UNCORK_OK;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    walk w = {.infer = {.graph = g,
                        .arena = uc_arena_new(g->budget),
                        .scratch = uc_arena_new(g->budget),
                        .budget = g->budget,
                        .error = g->error,
                        .fold_bytes = UC_FOLD_SHAPE_BYTES,
                        .fold_macs = UC_FOLD_SHAPE_MACS}};
    uncork_status status =
        w.infer.arena && w.infer.scratch ? uc_rewrite_init(&w.r, g) : uc_fail_memory(g->error);
    if (status == UNCORK_OK) status = walk_nodes(&w);
    uc_arena_free(w.infer.scratch);
    uc_arena_free(w.infer.arena);
    return status == UNCORK_OK ? uc_rewrite_done(&w.r, changed) : status;
}

const uc_pass uc_pass_fold_shapes = {.name = "fold_shapes", .exact = true, .run = run};
