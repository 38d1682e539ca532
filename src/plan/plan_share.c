/* Which values share memory, so that a plan moves less through the caches: views of another value,
 * outputs written over an input that dies, and inputs of a concatenation that are made where they will
 * lie in it. */
#include "plan/planner.h"

/* ---- views -------------------------------------------------------------------------------- */

bool uc_plan_is_fed(const planner *p, uc_ref ref)
{
    return p->graph->values[ref].producer < 0 && !p->graph->values[ref].constant;
}

/* Results of bodies stay where the bodies left them. */
static bool is_given(const planner *p, uc_ref ref)
{
    int32_t producer = p->graph->values[ref].producer;
    return producer >= 0 && p->graph->nodes[producer].op->control;
}

/* A view takes its source's memory, unless it is an output over the caller's input. Strings that a
 * step makes lie elsewhere with each run, so a view of them is a step too. */
static bool can_view(const planner *p, const uc_node *node)
{
    const uc_value *out = &p->plan->values[node->out[0]];
    if (node->in[0] == 0 || !uc_value_is_shaped(out)) return false;
    if (!uc_value_is_shaped(&p->plan->values[node->in[0]])) return false;
    if (out->tensor.dtype == UNCORK_STRING && !uc_plan_is_fed(p, p->root[node->in[0]]))
        return false;
    if (is_given(p, p->root[node->in[0]])) return false;
    return !(p->result[node->out[0]] && uc_plan_is_fed(p, p->root[node->in[0]]));
}

/* Asks the operator whether its output lies in its input; sets y's strides and first element. */
static bool ask_view(const planner *p, size_t n, uc_tensor *y, int64_t *first)
{
    const uc_node *node = &p->graph->nodes[n];
    const uc_value *x = &p->plan->values[node->in[0]], *out = &p->plan->values[node->out[0]];
    const uc_tensor *t = &x->tensor;
    if (!node->op->view_of || !uc_value_is_shaped(x) || !uc_value_is_shaped(out)) return false;
    if (t->dtype == UNCORK_STRING || uc_dtype_size(t->dtype) == 0 || uc_tensor_count(t) == 0) {
        return false;
    }
    *y = out->tensor;
    return node->op->view_of(p->calls[n], y, first);
}

/* Which values are read by such alone as take any strides: by their run, or by becoming views that in
 * their turn are so read. Backwards, so that readers are known. */
static bool find_any_stride(planner *p)
{
    uc_tensor y;
    int64_t first;
    p->any_stride = UC_NEW(p->scratch, bool, p->graph->value_count);
    for (size_t i = 0; p->any_stride && i < p->graph->value_count; i++) {
        p->any_stride[i] = !p->result[i];
    }
    for (size_t n = p->graph->node_count; p->any_stride && n-- > 0;) {
        const uc_node *node = &p->graph->nodes[n];
        for (size_t i = 0; p->calls[n] && i < node->in_count; i++) {
            bool takes = i < 32 && (node->op->any_stride >> i & 1);
            if (!takes && i == 0 && node->in[0] && p->any_stride[node->out[0]]) {
                takes = ask_view(p, n, &y, &first);
            }
            if (!takes) p->any_stride[node->in[i]] = false;
        }
    }
    return p->any_stride != NULL;
}

/* Whether the node's output lies in its input's memory from now on. */
static bool make_view(planner *p, size_t n)
{
    const uc_node *node = &p->graph->nodes[n];
    uc_tensor *out = &p->plan->values[node->out[0]].tensor, y = *out;
    int64_t first = 0;
    if (!can_view(p, node)) return false;
    const uc_tensor *x = &p->plan->values[node->in[0]].tensor;
    const bool lies = node->op->view ? uc_tensor_is_dense(x) || uc_tensor_reshape_strided(x, &y)
                                     : ask_view(p, n, &y, &first);
    if (!lies) return false;
    if (uc_tensor_is_dense(&y)) uc_tensor_set(&y, y.dtype, y.rank, y.shape);
    if (!uc_tensor_is_dense(&y) && !p->any_stride[node->out[0]]) return false;
    memcpy(out->stride, y.stride, sizeof y.stride);
    p->at[node->out[0]] = p->at[node->in[0]] + (size_t)first * uc_dtype_size(y.dtype);
    return true;
}

static bool find_views(planner *p)
{
    for (size_t i = 0; i < p->graph->value_count; i++) {
        p->root[i] = (uc_ref)i;
    }
    if (!find_any_stride(p)) return false;
    for (size_t n = 0; n < p->graph->node_count; n++) {
        const uc_node *node = &p->graph->nodes[n];
        if (!p->calls[n] || !(node->op->view || node->op->view_of) || !make_view(p, n)) continue;
        p->is_view[n] = 1;
        p->root[node->out[0]] = p->root[node->in[0]];
    }
    return true;
}

/* ---- in place ----------------------------------------------------------------------------- */

/* Whose memory a value is while roots still change: an output in place, then what that lies in. */
static uc_ref root_of(const planner *p, uc_ref ref) { return p->root[p->root[ref]]; }

/* Where a value begins in the memory of root_of. */
static size_t at_of(const planner *p, uc_ref ref)
{
    const uc_ref root = p->root[ref];
    return p->at[ref] + (root != ref && p->root[root] != root ? p->at[root] : 0);
}

/* The last node that reads each root's memory; SIZE_MAX for outputs. */
static size_t *find_last_readers(planner *p)
{
    size_t *last = UC_NEW(p->scratch, size_t, p->graph->value_count);
    for (size_t n = 0; last && n < p->graph->node_count; n++) {
        const uc_node *node = &p->graph->nodes[n];
        for (size_t i = 0; p->calls[n] && i < node->in_count; i++) {
            last[p->root[node->in[i]]] = n;
        }
    }
    for (size_t i = 0; last && i < p->graph->output_count; i++) {
        last[p->root[p->graph->outputs[i]]] = SIZE_MAX;
    }
    return last;
}

static bool same_type_and_shape(const uc_value *a, const uc_value *b)
{
    if (a->tensor.dtype != b->tensor.dtype || a->tensor.rank != b->tensor.rank) return false;
    for (int d = 0; d < a->tensor.rank; d++) {
        if (a->tensor.shape[d] != b->tensor.shape[d]) return false;
    }
    return true;
}

/* Whether node n may write its output over its i-th input: memory of the plan that dies here and that
 * no other input shares. */
static bool can_overwrite(const planner *p, const uc_node *node, size_t n, size_t i,
                          const size_t *last)
{
    const uc_value *in = &p->plan->values[node->in[i]], *out = &p->plan->values[node->out[0]];
    uc_ref root = root_of(p, node->in[i]);
    int32_t maker = p->graph->values[root].producer;
    if (!node->in[i] || maker < 0 || p->graph->nodes[maker].op->control) return false;
    if (last[root] != n || uc_value_is_known(in) || uc_value_is_known(&p->plan->values[root])) {
        return false;
    }
    if (!uc_value_is_shaped(in) || !uc_value_is_shaped(&p->plan->values[root])) return false;
    if (!same_type_and_shape(in, out)) return false;
    for (size_t k = 0; k < node->in_count; k++) {
        bool shared = k != i && node->in[k] && root_of(p, node->in[k]) == root;
        bool alike = node->in[k] == node->in[i] && (node->op->in_place >> k & 1);
        if (shared && !alike) return false;
    }
    return true;
}

/* Outputs that take the memory of an input: what streams through the caches is halved. */
static bool find_in_place(planner *p)
{
    size_t *last = find_last_readers(p);
    if (!last) return false;
    for (size_t n = 0; n < p->graph->node_count; n++) {
        const uc_node *node = &p->graph->nodes[n];
        if (!p->calls[n] || p->is_view[n] || !node->op->in_place) continue;
        uc_ref out = node->out[0];
        if (!p->needed[out] || !uc_value_is_shaped(&p->plan->values[out])) continue;
        for (size_t i = 0; i < node->in_count && i < 32; i++) {
            if (!(node->op->in_place >> i & 1) || !can_overwrite(p, node, n, i, last)) continue;
            uc_ref root = root_of(p, node->in[i]);
            last[root] = last[out];
            p->in_place[n] = 1;
            p->root[out] = root;
            p->at[out] = at_of(p, node->in[i]);
            break;
        }
    }
    for (size_t v = 0; v < p->graph->value_count; v++) { /* views of outputs in place move along */
        p->at[v] = at_of(p, (uc_ref)v);
        p->root[v] = root_of(p, (uc_ref)v);
    }
    return true;
}

/* ---- joined in place ---------------------------------------------------------------------- */

/* Beyond it, looking at every node for each concatenation could take a hostile graph minutes. */
enum { MOST_TO_JOIN = 4096 };

/* When each memory (by root) is written and read. */
typedef struct uses {
    size_t *written; /* last node that writes it */
    size_t *read;    /* last node that reads it; SIZE_MAX for outputs */
} uses;

/* The first node behind `n` that writes over the memory of `root`, SIZE_MAX when none does. */
static size_t overwritten_after(const planner *p, uc_ref root, size_t n)
{
    for (size_t m = n + 1; m < p->graph->node_count; m++) {
        if (p->calls[m] && p->in_place[m] && p->root[p->graph->nodes[m].out[0]] == root) return m;
    }
    return SIZE_MAX;
}

/* Whether the value may be made inside the memory of what node n joins: all of a memory of the plan, of
 * no output, not written once it is joined, and not read once the join is written over. */
static bool can_join(const planner *p, const uses *u, const uc_node *node, size_t n, size_t i)
{
    const uc_ref ref = node->in[i], root = p->root[ref], into = p->root[node->out[0]];
    const uc_value *v = &p->plan->values[root];
    const int32_t maker = p->graph->values[root].producer;
    if (!ref || root == into || maker < 0 || p->graph->nodes[maker].op->control) return false;
    if (!uc_value_is_shaped(v) || uc_value_is_known(v) || uc_value_is_known(&p->plan->values[ref]))
        return false;
    if (uc_plan_bytes(v) != uc_plan_bytes(&p->plan->values[ref]) || p->at[ref] != 0) return false;
    for (size_t k = 0; k < node->in_count; k++) {
        if (k != i && node->in[k] && p->root[node->in[k]] == root) return false;
    }
    if (u->read[root] == SIZE_MAX || u->written[root] >= n) return false;
    return u->read[root] <= overwritten_after(p, into, n);
}

/* Moves all that lies in `root` to byte `at` of `into`. */
static void move_memory(planner *p, uses *u, uc_ref root, uc_ref into, size_t at)
{
    for (size_t v = 0; v < p->graph->value_count; v++) {
        if (p->root[v] != root) continue;
        p->root[v] = into;
        p->at[v] += at;
    }
    if (u->written[root] > u->written[into]) u->written[into] = u->written[root];
    if (u->read[root] > u->read[into]) u->read[into] = u->read[root];
}

static void join_inputs(planner *p, uses *u, size_t n)
{
    enum { ALIGNMENT = 64 }; /* every value begins at one, and may be written up to one */
    const uc_node *node = &p->graph->nodes[n];
    const uc_ref out = node->out[0];
    size_t at = p->at[out];
    for (size_t i = 0; i < node->in_count; i++) {
        const uc_value *in = &p->plan->values[node->in[i]];
        const size_t bytes = uc_tensor_count(&in->tensor) ? uc_plan_bytes(in) : 0;
        if (bytes && (at | bytes) % ALIGNMENT == 0 && can_join(p, u, node, n, i))
            move_memory(p, u, p->root[node->in[i]], p->root[out], at);
        at += bytes;
    }
}

static bool is_join(const planner *p, size_t n)
{
    const uc_node *node = &p->graph->nodes[n];
    if (!p->calls[n] || !node->op->end_to_end || !p->needed[node->out[0]]) return false;
    const uc_value *out = &p->plan->values[node->out[0]];
    if (!uc_value_is_shaped(out) || uc_value_is_known(out)) return false;
    for (size_t i = 0; i < node->in_count; i++) {
        if (!uc_value_is_shaped(&p->plan->values[node->in[i]])) return false;
    }
    return uc_dtype_bits(out->tensor.dtype) % 8 == 0 && out->tensor.dtype != UNCORK_STRING &&
           node->op->end_to_end(p->calls[n]);
}

/* The later joins first, so that one inside another lands in the outer one. */
static bool find_joins(planner *p)
{
    uses u = {.written = UC_NEW(p->scratch, size_t, p->graph->value_count),
              .read = find_last_readers(p)};
    if (!u.written || !u.read) return false;
    if (p->graph->node_count > MOST_TO_JOIN) return true;
    for (size_t n = 0; n < p->graph->node_count; n++) {
        const bool writes = p->calls[n] && !p->is_view[n];
        for (size_t i = 0; writes && i < p->graph->nodes[n].out_count; i++) {
            u.written[p->root[p->graph->nodes[n].out[i]]] = n;
        }
    }
    for (size_t n = p->graph->node_count; n-- > 0;) {
        if (is_join(p, n)) join_inputs(p, &u, n);
    }
    return true;
}

bool uc_plan_share(planner *p) { return find_views(p) && find_in_place(p) && find_joins(p); }
