/* Gathering and scattering. */
#include "import/pytorch/aten.h"

static uc_ref self(uc_aten_call *c) { return uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE); }

void uc_aten_gather(uc_aten_call *c)
{
    const uc_ref x = self(c), index = uc_aten_in(c, c->with);
    if (uc_t_rank(c->b, x) == 0) {
        uc_aten_out(c, uc_g2(c->g, "Expand", x, uc_g1(c->g, "Shape", index)));
        return;
    }
    const uc_ref in[] = {x, index};
    uc_node *n = uc_graph_node(c->g, "GatherElements", in, 2, 1);
    uc_node_int(c->g, n, "axis", uc_aten_int(c, "dim", 0));
    uc_aten_out(c, uc_node_out(n, 0));
}

void uc_aten_index_select(uc_aten_call *c)
{
    const uc_ref index = uc_aten_in(c, "index");
    uc_aten_out(c, uc_g_gather(c->g, self(c), index, uc_aten_int(c, "dim", 0)));
}

void uc_aten_take(uc_aten_call *c)
{
    const uc_ref line = uc_g_reshape(c->g, self(c), (const int64_t[]){-1}, 1);
    uc_aten_out(c, uc_g_gather(c->g, line, uc_aten_in(c, "index"), 0));
}

/* Where `x` is true, [count, rank]. */
static uc_ref nonzero(uc_aten_call *c, uc_ref x)
{
    const int64_t perm[] = {1, 0};
    return uc_t_permute(c->b, uc_g1(c->g, "NonZero", x), perm, 2);
}

void uc_aten_nonzero(uc_aten_call *c) { uc_aten_out(c, nonzero(c, self(c))); }

void uc_aten_nonzero_numpy(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const uc_ref where = uc_g1(c->g, "NonZero", x);
    const int rank = uc_t_rank(c->b, x);
    uc_pv out[UC_PY_RANK];
    for (int i = 0; i < rank && i < UC_PY_RANK; i++)
        out[i] = uc_py_tensor(c->ev, uc_t_select(c->b, where, 0, i));
    if (rank < 0)
        uc_aten_fail(c, "the number of axes isn't known");
    else
        uc_aten_list(c, out, (size_t)rank);
}

void uc_aten_argwhere(uc_aten_call *c) { uc_aten_out(c, nonzero(c, self(c))); }

void uc_aten_masked_select(uc_aten_call *c)
{
    uc_ref x = self(c), mask = uc_aten_in(c, "mask");
    const uc_ref like = uc_g2(c->g, "And", mask, uc_g2(c->g, "Equal", x, x));
    const uc_ref shape = uc_g1(c->g, "Shape", like);
    x = uc_g2(c->g, "Expand", x, shape);
    mask = uc_g2(c->g, "Expand", mask, shape);
    uc_aten_out(c, uc_g2(c->g, "GatherND", x, nonzero(c, mask)));
}

/* ---- advanced indexing ----------------------------------------------------------------------- */

typedef struct indices {
    uc_ref at[UC_PY_RANK]; /* one an axis; 0: the whole axis */
    int count, used, first;
    bool joined; /* no whole axis between the used ones */
} indices;

static bool read_indices(uc_aten_call *c, uc_ref x, indices *s)
{
    const uc_pv list = uc_aten_arg(c, "indices");
    *s = (indices){.first = -1, .joined = true};
    if (!uc_pv_is_list(list)) return false;
    for (size_t i = 0; i < list.list->count; i++) {
        const uc_pv v = list.list->items[i];
        if (v.kind != UC_PV_TENSOR) {
            if (s->count >= UC_PY_RANK) return false;
            s->at[s->count++] = 0;
            continue;
        }
        const uc_ref r = uc_py_ref(c->ev, v.tensor);
        const uncork_dtype t = uc_t_dtype(c->b, r);
        const int rank = t == UNCORK_BOOL || t == UNCORK_UINT8 ? uc_t_rank(c->b, r) : 1;
        if (rank < 1 || s->count + rank > UC_PY_RANK) return false;
        if (t != UNCORK_BOOL && t != UNCORK_UINT8) {
            s->at[s->count++] = r;
            continue;
        }
        const uc_ref where = uc_g1(c->g, "NonZero", r);
        for (int k = 0; k < rank; k++)
            s->at[s->count++] = uc_t_select(c->b, where, 0, k);
    }
    int last = -1;
    for (int i = 0; i < s->count; i++) {
        if (!s->at[i]) continue;
        if (s->first < 0) s->first = i;
        if (last >= 0 && i != last + 1) s->joined = false;
        last = i;
        s->used++;
    }
    (void)x;
    return s->used > 0;
}

/* The used axes to the front, in their order. */
static int to_front(const indices *s, int rank, int64_t *perm)
{
    int n = 0;
    for (int i = 0; i < s->count; i++) {
        if (s->at[i]) perm[n++] = i;
    }
    for (int i = 0; i < rank; i++) {
        if (i >= s->count || !s->at[i]) perm[n++] = i;
    }
    return n;
}

/* The used indices, of one shape (*shape), side by side in a last axis: GatherND's. */
static uc_ref joined_index(uc_aten_call *c, uc_ref x, const indices *s, uc_ref *shape)
{
    uc_ref sum = 0, parts[UC_PY_RANK];
    int n = 0;
    for (int i = 0; i < s->count; i++) {
        if (!s->at[i]) continue;
        const uc_ref zero =
            uc_g2(c->g, "Mul", uc_g_cast(c->g, s->at[i], UNCORK_INT64), uc_graph_i64(c->g, 0));
        sum = sum ? uc_g2(c->g, "Add", sum, zero) : zero;
    }
    *shape = uc_g1(c->g, "Shape", sum);
    for (int i = 0; i < s->count; i++) {
        if (!s->at[i]) continue;
        uc_ref r = uc_g_cast(c->g, s->at[i], UNCORK_INT64);
        r = uc_g2(c->g, "Expand", r, *shape);
        const uc_ref size = uc_t_size(c->b, x, i); /* negative ones count from the end */
        r = uc_g_where(c->g, uc_g2(c->g, "Less", r, uc_graph_i64(c->g, 0)),
                       uc_g2(c->g, "Add", r, size), r);
        parts[n++] = uc_g_unsqueeze(c->g, r, -1);
    }
    return n == 1 ? parts[0] : uc_g_concat(c->g, parts, (size_t)n, -1);
}

void uc_aten_index(uc_aten_call *c)
{
    const uc_ref x = self(c);
    indices s;
    const int rank = uc_t_rank(c->b, x);
    if (!read_indices(c, x, &s)) {
        uc_aten_fail(c, "its indices aren't of a known kind");
        return;
    }
    if (s.used == 1) { /* one axis: a plain gather */
        uc_aten_out(c, uc_g_gather(c->g, x, uc_g_cast(c->g, s.at[s.first], UNCORK_INT64), s.first));
        return;
    }
    int64_t perm[UC_PY_RANK];
    uc_ref shape = 0;
    if (rank < s.count) {
        uc_aten_fail(c, rank < 0 ? "the number of axes isn't known" : "more indices than axes");
        return;
    }
    to_front(&s, rank, perm);
    const uc_ref index = joined_index(c, x, &s, &shape);
    uc_ref y = uc_g2(c->g, "GatherND", uc_t_permute(c->b, x, perm, rank), index);
    const int wide = uc_t_rank(c->b, index) - 1;
    if (s.joined && s.first > 0 && wide >= 0) {
        if (wide + rank - s.used > UC_PY_RANK) {
            uc_aten_fail(c, "more than %d axes", UC_PY_RANK);
            return;
        }
        /* What was gathered goes where the indexed axes were. */
        int64_t back[UC_PY_RANK];
        int n = 0;
        for (int i = 0; i < s.first; i++)
            back[n++] = wide + i;
        for (int i = 0; i < wide; i++)
            back[n++] = i;
        for (int i = wide + s.first; i < wide + rank - s.used; i++)
            back[n++] = i;
        y = uc_t_permute(c->b, y, back, n);
    }
    uc_aten_out(c, y);
}

void uc_aten_index_put(uc_aten_call *c)
{
    const uc_ref x = self(c);
    indices s;
    const int rank = uc_t_rank(c->b, x);
    uc_ref value = uc_aten_operand(c, uc_aten_arg(c, "values"), uc_t_dtype(c->b, x));
    const uc_pv list = uc_aten_arg(c, "indices");
    /* A mask of x's own shape and one number. */
    if (uc_pv_is_list(list) && list.list->count == 1 && list.list->items[0].kind == UC_PV_TENSOR) {
        const uc_ref mask = uc_py_ref(c->ev, list.list->items[0].tensor);
        const int64_t n = uc_t_rank(c->b, value) == 0   ? 1
                          : uc_t_rank(c->b, value) == 1 ? uc_t_dim(c->b, value, 0)
                                                        : -1;
        if (uc_t_dtype(c->b, mask) == UNCORK_BOOL && n == 1 &&
            !uc_aten_bool(c, "accumulate", false)) {
            uc_ref m = mask;
            for (int i = uc_t_rank(c->b, mask); i < rank; i++)
                m = uc_t_unsqueeze(c->b, m, -1);
            if (uc_t_rank(c->b, value) == 1) value = uc_t_reshape(c->b, value, NULL, 0);
            uc_aten_out(c, uc_g_where(c->g, m, value, x));
            return;
        }
    }
    if (rank < 0 || !read_indices(c, x, &s) || rank < s.count) {
        uc_aten_fail(c, "its indices aren't of a known kind");
        return;
    }
    int64_t perm[UC_PY_RANK], back[UC_PY_RANK];
    uc_ref shape = 0;
    to_front(&s, rank, perm);
    const uc_ref turned = uc_t_permute(c->b, x, perm, rank);
    const uc_ref index = joined_index(c, x, &s, &shape);
    const uc_ref rest = uc_g_slice(c->g, uc_g1(c->g, "Shape", turned), 0, s.used, INT64_MAX);
    const uc_ref both[] = {shape, rest};
    if (s.joined && s.first > 0) {
        uc_aten_fail(c, "writing through indices behind a whole axis isn't supported");
        return;
    }
    value = uc_g2(c->g, "Expand", value, uc_g_concat(c->g, both, 2, 0));
    const uc_ref in[] = {turned, index, value};
    uc_node *n = uc_graph_node(c->g, "ScatterND", in, 3, 1);
    if (uc_aten_bool(c, "accumulate", false)) uc_node_str(c->g, n, "reduction", "add");
    for (int i = 0; i < rank; i++)
        back[perm[i]] = i;
    uc_aten_out(c, uc_t_permute(c->b, uc_node_out(n, 0), back, rank));
}

/* ---- scattering ------------------------------------------------------------------------------ */

static void scatter(uc_aten_call *c, uc_ref x, uc_ref index, uc_ref src, const char *reduction)
{
    const uc_ref shape = uc_g1(c->g, "Shape", index);
    /* Of src only the index' extent is used. */
    const int rank = uc_t_rank(c->b, src);
    if (rank == 0) {
        src = uc_g2(c->g, "Expand", src, shape);
    } else if (rank > 0) {
        const uc_ref zeros = uc_g2(c->g, "Expand", uc_graph_i64(c->g, 0),
                                   uc_graph_i64s(c->g, (const int64_t[]){rank}, 1));
        src = uc_g3(c->g, "Slice", src, zeros, shape);
    }
    const uc_ref in[] = {x, index, src};
    uc_node *n = uc_graph_node(c->g, "ScatterElements", in, 3, 1);
    uc_node_int(c->g, n, "axis", uc_aten_int(c, "dim", 0));
    if (reduction) uc_node_str(c->g, n, "reduction", reduction);
    uc_aten_out(c, uc_node_out(n, 0));
}

void uc_aten_scatter(uc_aten_call *c)
{
    const uc_ref x = self(c), index = uc_aten_in(c, "index");
    const char *name = uc_aten_arg(c, "src").kind != UC_PV_UNSET ? "src" : "value";
    const uc_ref src = uc_aten_operand(c, uc_aten_arg(c, name), uc_t_dtype(c->b, x));
    const char *reduce = uc_aten_text(c, "reduce", "");
    static const char *const names[][2] = {{"add", "add"},  {"multiply", "mul"}, {"sum", "add"},
                                           {"prod", "mul"}, {"amax", "max"},     {"amin", "min"}};
    const char *reduction = strcmp(c->name, "scatter_add") == 0 ? "add" : NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(reduce, names[i][0]) == 0) reduction = names[i][1];
    }
    if (reduce[0] && !reduction)
        uc_aten_fail(c, "reduce='%.20s' isn't supported", reduce);
    else if (strcmp(c->name, "scatter_reduce") == 0 && !uc_aten_bool(c, "include_self", true))
        uc_aten_fail(c, "include_self=False isn't supported");
    else
        scatter(c, x, index, src, reduction);
}

/* index_add, index_copy, index_fill: rows of an axis. */
void uc_aten_index_rows(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int dim = uc_aten_axis(c, x, "dim", 0);
    const int rank = uc_t_rank(c->b, x);
    if (c->ev->failed || rank < 1) return;
    const uncork_dtype t = uc_t_dtype(c->b, x);
    uc_ref index = uc_t_cast(c->b, uc_aten_in(c, "index"), UNCORK_INT64);
    const bool fill = strcmp(c->name, "index_fill") == 0;
    uc_ref src = uc_aten_operand(c, uc_aten_arg(c, fill ? "value" : "source"), t);
    const uc_ref turned = uc_t_transpose(c->b, x, 0, dim);
    if (fill) {
        const uc_ref one = uc_t_slice(c->b, uc_g1(c->g, "Shape", turned), 0, 1, INT64_MAX, 1);
        const uc_ref both[] = {uc_g1(c->g, "Shape", index), one};
        src = uc_g2(c->g, "Expand", src, uc_g_concat(c->g, both, 2, 0));
    } else {
        src = uc_t_transpose(c->b, src, 0, dim);
    }
    if (uc_aten_has(c, "alpha"))
        src = uc_g2(c->g, "Mul", src, uc_aten_operand(c, uc_aten_arg(c, "alpha"), t));
    const uc_ref in[] = {turned, uc_g_unsqueeze(c->g, index, -1), src};
    uc_node *n = uc_graph_node(c->g, "ScatterND", in, 3, 1);
    if (strcmp(c->name, "index_add") == 0) uc_node_str(c->g, n, "reduction", "add");
    uc_aten_out(c, uc_t_transpose(c->b, uc_node_out(n, 0), 0, dim));
}

void uc_aten_masked_scatter(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_ref mask = uc_g2(c->g, "Expand", uc_aten_in(c, "mask"), uc_g1(c->g, "Shape", x));
    const uc_ref where = nonzero(c, mask);
    const uc_ref line = uc_g_reshape(c->g, uc_aten_in(c, "source"), (const int64_t[]){-1}, 1);
    const uc_ref count = uc_g_slice(c->g, uc_g1(c->g, "Shape", where), 0, 0, 1);
    const uc_ref used =
        uc_g3(c->g, "Slice", line, uc_graph_i64s(c->g, (const int64_t[]){0}, 1), count);
    uc_aten_out(c, uc_g3(c->g, "ScatterND", x, where, used));
}

/* x with a part replaced: written into a copy of it. */
void uc_aten_part_scatter(uc_aten_call *c)
{
    uc_pv copy = uc_py_tensor(c->ev, self(c));
    const bool one = strcmp(c->name, "select_scatter") == 0;
    uc_pv items[] = {copy, uc_aten_arg(c, "dim"), uc_aten_arg(c, one ? "index" : "start"),
                     one ? uc_pv_none() : uc_aten_arg(c, "end"),
                     one ? uc_pv_none() : uc_aten_arg(c, "step")};
    const uc_pv part = uc_aten_again(c, one ? "select" : "slice", items, one ? 3 : 5);
    uc_pv put[] = {part, uc_aten_arg(c, "src")};
    if (!c->ev->failed) uc_aten_again(c, "copy_", put, 2);
    c->result = copy;
}

void uc_aten_embedding(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_embedding(c->b, uc_aten_in(c, "weight"), uc_aten_in(c, "indices")));
}

void uc_aten_embedding_bag(uc_aten_call *c)
{
    static const char *const modes[] = {"sum", "mean", "max"};
    const int64_t mode = uc_aten_int(c, "mode", 0);
    const uc_ref y = uc_t_embedding_bag(
        c->b, uc_aten_in(c, "weight"), uc_aten_in(c, "indices"), uc_aten_in(c, "offsets"),
        modes[mode >= 0 && mode < 3 ? mode : 0], uc_aten_in(c, "per_sample_weights"),
        uc_aten_bool(c, "include_last_offset", false), uc_aten_int(c, "padding_idx", -1));
    const uc_ref out[] = {y, y, y, y};
    uc_aten_outs(c, out, 4);
}

/* Where each value would stand among sorted boundaries of one row. */
void uc_aten_bucketize(uc_aten_call *c)
{
    const bool search = strcmp(c->name, "searchsorted") == 0;
    const uc_ref edges = uc_aten_in(c, search ? "sorted_sequence" : "boundaries");
    const uc_pv v = uc_aten_arg(c, "self");
    const uc_ref x = uc_aten_operand(c, v, UNCORK_DTYPE_NONE);
    const bool right =
        uc_aten_bool(c, "right", false) || strcmp(uc_aten_text(c, "side", ""), "right") == 0;
    if (uc_t_rank(c->b, edges) != 1) {
        uc_aten_fail(c, "boundaries of more than one row");
        return;
    }
    const uncork_dtype t = uc_t_dtype(c->b, edges);
    const uc_ref wide =
        uc_g_unsqueeze(c->g, uc_t_dtype(c->b, x) == t ? x : uc_t_cast(c->b, x, t), -1);
    const uc_ref below = uc_g2(c->g, right ? "LessOrEqual" : "Less", edges, wide);
    const int64_t last = -1;
    const uc_ref n = uc_t_sum(c->b, uc_g_cast(c->g, below, UNCORK_INT64), &last, 1, false);
    uc_aten_out(c, uc_aten_bool(c, "out_int32", false) ? uc_g_cast(c->g, n, UNCORK_INT32) : n);
}

void uc_aten_tril(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const uc_ref in[] = {x, uc_graph_i64(c->g, uc_aten_int(c, "diagonal", 0))};
    uc_node *n = uc_graph_node(c->g, "Trilu", in, 2, 1);
    uc_node_int(c->g, n, "upper", strcmp(c->name, "triu") == 0);
    uc_aten_out(c, uc_node_out(n, 0));
}

/* A matrix whose diagonal is x's last axis; of a known length. */
void uc_aten_diag_embed(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int64_t n = uc_t_dim(c->b, x, -1);
    const int64_t off = uc_aten_int(c, "offset", 0);
    const int64_t size = n + (off < 0 ? -off : off);
    if (n < 0 || size > 4096) {
        uc_aten_fail(c, "a diagonal of unknown length");
        return;
    }
    uc_tensor *mask = uc_tensor_new(c->g->arena, UNCORK_BOOL, 2, (const int64_t[]){size, size});
    for (int64_t i = 0; mask && i < n; i++)
        ((bool *)mask->data)[(off < 0 ? i - off : i) * size + (off < 0 ? i : i + off)] = true;
    if (!mask) return;
    const int64_t before[] = {off > 0 ? off : 0, 0};
    uc_ref row = uc_t_pad(c->b, x, before, 2, "constant", 0);
    if (off < 0) row = uc_t_pad(c->b, x, (const int64_t[]){0, -off}, 2, "constant", 0);
    row = uc_g_unsqueeze(c->g, row, -2);
    uc_aten_out(c, uc_g_where(c->g, uc_graph_const(c->g, mask), row, uc_t_scalar(c->b, x, 0)));
}
