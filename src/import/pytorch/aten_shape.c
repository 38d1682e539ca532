/* Views: other shapes of the same elements. What torch gives as a view is one here as well, so that
 * writing into it is seen through the others. */
#include "import/pytorch/aten.h"

static uc_ref self(uc_aten_call *c)
{
    const uc_pv v = c->args[0];
    return v.kind == UC_PV_TENSOR ? uc_py_ref(c->ev, v.tensor)
                                  : uc_aten_operand(c, v, UNCORK_DTYPE_NONE);
}

static uc_pt *view(uc_aten_call *c, uc_pt_view kind, uc_ref ref)
{
    const uc_pv v = c->args[0];
    if (c->ev->failed) return NULL;
    if (v.kind != UC_PV_TENSOR) {
        uc_aten_out(c, ref);
        return c->result.kind == UC_PV_TENSOR ? c->result.tensor : NULL;
    }
    c->result = uc_py_view(c->ev, v.tensor, kind, ref);
    return c->result.kind == UC_PV_TENSOR ? c->result.tensor : NULL;
}

static bool is_scattered(uc_aten_call *c)
{
    return c->args[0].kind == UC_PV_TENSOR && c->args[0].tensor->scattered;
}

void uc_aten_alias(uc_aten_call *c) { view(c, UC_PT_ALIAS, self(c)); }

/* A copy where the elements don't lie in order, else the same tensor. */
void uc_aten_contiguous(uc_aten_call *c)
{
    if (!is_scattered(c)) {
        c->result = c->args[0];
        return;
    }
    uc_aten_clone(c);
}

void uc_aten_clone(uc_aten_call *c)
{
    uc_aten_out(c, self(c));
    if (c->result.kind == UC_PV_TENSOR && c->args[0].kind == UC_PV_TENSOR)
        c->result.tensor->quant = c->args[0].tensor->quant;
}

static void shaped(uc_aten_call *c, uc_ref ref)
{
    if (!is_scattered(c)) {
        view(c, UC_PT_RESHAPE, ref);
        return;
    }
    uc_aten_out(c, ref);
    if (c->result.kind == UC_PV_TENSOR && c->args[0].kind == UC_PV_TENSOR)
        c->result.tensor->quant = c->args[0].tensor->quant;
}

void uc_aten_view(uc_aten_call *c)
{
    int64_t shape[UC_PY_RANK];
    const uc_ref x = self(c);
    if (uc_aten_arg(c, "dtype").kind != UC_PV_UNSET) {
        uc_node *n = uc_graph_node(c->g, "BitCast", &x, 1, 1);
        uc_node_int(c->g, n, "to", (int64_t)uc_aten_dtype(c, "dtype", UNCORK_FLOAT32));
        uc_aten_out(c, uc_node_out(n, 0));
        return;
    }
    if (uc_aten_arg(c, "other").kind == UC_PV_TENSOR) {
        const uc_ref like = uc_aten_in(c, "other");
        shaped(c, uc_g2(c->g, "Reshape", x, uc_g1(c->g, "Shape", like)));
        return;
    }
    const char *name = uc_aten_arg(c, "shape").kind != UC_PV_UNSET ? "shape" : "size";
    if (uc_aten_sizes_known(c, name)) {
        const int n = uc_aten_ints(c, name, shape, UC_PY_RANK, 0);
        shaped(c, uc_t_reshape(c->b, x, shape, n));
    } else {
        shaped(c, uc_g2(c->g, "Reshape", x, uc_aten_sizes(c, name)));
    }
}

void uc_aten_flatten(uc_aten_call *c)
{
    const int64_t start = uc_aten_int(c, "start_dim", 0), end = uc_aten_int(c, "end_dim", -1);
    shaped(c, uc_t_flatten(c->b, self(c), start, end));
}

void uc_aten_unflatten(uc_aten_call *c)
{
    int64_t sizes[UC_PY_RANK];
    const int n = uc_aten_ints(c, "sizes", sizes, UC_PY_RANK, 0);
    shaped(c, uc_t_unflatten(c->b, self(c), uc_aten_int(c, "dim", 0), sizes, (size_t)n));
}

static void permuted(uc_aten_call *c, uc_ref ref, const int64_t *perm, int rank)
{
    uc_pt *t = view(c, UC_PT_PERMUTE, ref);
    if (!t) return;
    memcpy(t->perm, perm, (size_t)rank * sizeof *perm);
    t->perm_rank = rank;
    bool moved = false;
    for (int i = 0; i < rank; i++)
        moved = moved || perm[i] != i;
    if (moved) t->scattered = true;
}

void uc_aten_permute(uc_aten_call *c)
{
    int64_t perm[UC_PY_RANK];
    const int n = uc_aten_ints(c, "dims", perm, UC_PY_RANK, 0);
    for (int i = 0; i < n; i++) {
        if (perm[i] < 0) perm[i] += n;
        if (perm[i] < 0 || perm[i] >= n) {
            uc_aten_fail(c, "dims name no axis");
            return;
        }
    }
    permuted(c, uc_t_permute(c->b, self(c), perm, n), perm, n);
}

/* transpose, swapaxes, t, T, mT, movedim. */
void uc_aten_transpose(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int rank = uc_t_rank(c->b, x);
    int64_t perm[UC_PY_RANK];
    int64_t a = -2, b = -1;
    if (rank < 0) {
        uc_aten_fail(c, "the number of axes isn't known");
        return;
    }
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    if (strcmp(c->with, "dims") == 0) {
        a = uc_aten_int(c, "dim0", uc_aten_int(c, "axis0", 0));
        b = uc_aten_int(c, "dim1", uc_aten_int(c, "axis1", 1));
    } else if (strcmp(c->with, "all") == 0) {
        for (int i = 0; i < rank; i++)
            perm[i] = rank - 1 - i;
    }
    if (strcmp(c->with, "all") != 0 && rank >= 2) {
        if (a < 0) a += rank;
        if (b < 0) b += rank;
        if (a < 0 || b < 0 || a >= rank || b >= rank) {
            uc_aten_fail(c, "an axis of %d that isn't there", rank);
            return;
        }
        perm[a] = b;
        perm[b] = a;
    }
    permuted(c, uc_t_permute(c->b, x, perm, rank), perm, rank);
}

void uc_aten_movedim(uc_aten_call *c)
{
    int64_t from[UC_PY_RANK], to[UC_PY_RANK], perm[UC_PY_RANK];
    const uc_ref x = self(c);
    const int rank = uc_t_rank(c->b, x);
    const int n = uc_aten_ints(c, "source", from, UC_PY_RANK, 0);
    bool taken[UC_PY_RANK] = {false};
    if (rank < 0 || uc_aten_ints(c, "destination", to, UC_PY_RANK, 0) != n) {
        uc_aten_fail(c, "its axes aren't known");
        return;
    }
    for (int i = 0; i < rank; i++)
        perm[i] = -1;
    for (int i = 0; i < n; i++) {
        if (from[i] < 0) from[i] += rank;
        if (to[i] < 0) to[i] += rank;
        if (from[i] < 0 || to[i] < 0 || from[i] >= rank || to[i] >= rank || taken[from[i]]) {
            uc_aten_fail(c, "an axis that isn't there");
            return;
        }
        perm[to[i]] = from[i];
        taken[from[i]] = true;
    }
    int next = 0;
    for (int i = 0; i < rank; i++) {
        if (perm[i] >= 0) continue;
        while (next < rank && taken[next])
            next++;
        perm[i] = next++;
    }
    permuted(c, uc_t_permute(c->b, x, perm, rank), perm, rank);
}

void uc_aten_squeeze(uc_aten_call *c)
{
    uc_ref x = self(c);
    int64_t dims[UC_PY_RANK];
    const int rank = uc_t_rank(c->b, x);
    int n = uc_aten_ints(c, "dim", dims, UC_PY_RANK, 0);
    const bool all = uc_aten_arg(c, "dim").kind == UC_PV_UNSET;
    if (rank < 0 && all) {
        shaped(c, uc_g1(c->g, "Squeeze", x));
        return;
    }
    int64_t drop[UC_PY_RANK];
    int count = 0;
    for (int i = 0; all && i < rank; i++)
        dims[n++] = i;
    for (int i = 0; i < n; i++) {
        const int64_t d = dims[i] < 0 && rank >= 0 ? dims[i] + rank : dims[i];
        if (rank == 0) continue;
        if (rank >= 0 && (d < 0 || d >= rank)) {
            uc_aten_fail(c, "axis %lld of %d", (long long)dims[i], rank);
            return;
        }
        const int64_t size = uc_t_dim(c->b, x, (int)dims[i]);
        if (size < 0 && !all) {
            uc_aten_fail(c, "whether axis %lld has length 1 isn't known", (long long)dims[i]);
            return;
        }
        if (size == 1) drop[count++] = d;
    }
    shaped(c, count ? uc_g2(c->g, "Squeeze", x, uc_graph_i64s(c->g, drop, count)) : x);
}

void uc_aten_unsqueeze(uc_aten_call *c)
{
    shaped(c, uc_t_unsqueeze(c->b, self(c), uc_aten_int(c, "dim", 0)));
}

/* ---- parts ----------------------------------------------------------------------------------- */

void uc_aten_select(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const uc_pv index = uc_aten_arg(c, "index");
    const int dim = uc_aten_axis(c, x, "dim", 0);
    if (c->ev->failed) return;
    if (!uc_pv_is(index, UC_PV_INT)) {
        uc_aten_out(c, uc_g_gather(c->g, x, uc_py_ref_of(c->ev, index, UNCORK_INT64), dim));
        return;
    }
    const int64_t n = uc_t_dim(c->b, x, dim);
    if (n >= 0 && (index.i < -n || index.i >= n)) {
        uc_aten_fail(c, "index %lld of an axis of %lld", (long long)index.i, (long long)n);
        return;
    }
    uc_pt *t = view(c, UC_PT_SELECT, uc_t_select(c->b, x, dim, index.i));
    if (!t) return;
    t->dim = dim;
    t->start = index.i;
    if (dim > 0) t->scattered = true;
}

static uc_ref bound(uc_aten_call *c, const char *name, int64_t otherwise)
{
    const uc_ref r = uc_aten_has(c, name) ? uc_py_ref_of(c->ev, uc_aten_arg(c, name), UNCORK_INT64)
                                          : uc_graph_i64(c->g, otherwise);
    return uc_g_reshape(c->g, r, (const int64_t[]){1}, 1);
}

static bool known_bound(uc_aten_call *c, const char *name)
{
    return !uc_aten_has(c, name) || uc_pv_is(uc_aten_arg(c, name), UC_PV_INT);
}

void uc_aten_slice(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int dim = uc_aten_axis(c, x, "dim", 0);
    const int64_t step = uc_aten_int(c, "step", 1);
    if (c->ev->failed) return;
    if (!known_bound(c, "start") || !known_bound(c, "end")) {
        const int64_t axis = dim;
        const uc_ref in[] = {x, bound(c, "start", 0), bound(c, "end", INT64_MAX),
                             uc_graph_i64s(c->g, &axis, 1), uc_graph_i64s(c->g, &step, 1)};
        const uc_ref y = uc_node_out(uc_graph_node(c->g, "Slice", in, 5, 1), 0);
        uc_pv *ends = UC_NEW(c->ev->arena, uc_pv, 2);
        if (step != 1 || dim < 0 || !ends) {
            uc_aten_out(c, y);
            return;
        }
        ends[0] = uc_aten_has(c, "start") ? uc_aten_arg(c, "start") : uc_pv_none();
        ends[1] = uc_aten_has(c, "end") ? uc_aten_arg(c, "end") : uc_pv_none();
        uc_pt *t = view(c, UC_PT_SPAN, y);
        if (!t) return;
        t->dim = dim;
        t->span = ends;
        t->scattered = true;
        return;
    }
    int64_t start = uc_aten_int(c, "start", 0), end = uc_aten_int(c, "end", INT64_MAX);
    const int64_t n = uc_t_dim(c->b, x, dim);
    if (n >= 0) { /* in range, as the view needs it */
        if (start < 0) start = start + n < 0 ? 0 : start + n;
        if (start > n) start = n;
        if (end < 0) end = end + n < 0 ? 0 : end + n;
        if (end > n) end = n;
        if (end < start) end = start;
    }
    const uc_ref y =
        start == 0 && end == n && step == 1 ? x : uc_t_slice(c->b, x, dim, start, end, step);
    uc_pt *t = view(c, UC_PT_SLICE, y);
    if (!t) return;
    t->dim = dim;
    t->start = start;
    t->end = end;
    t->step = step;
    if (y != x && (dim > 0 || step != 1)) t->scattered = true;
}

void uc_aten_narrow(uc_aten_call *c)
{
    const uc_pv start = uc_aten_arg(c, "start"), length = uc_aten_arg(c, "length");
    uc_pv items[] = {c->args[0], uc_aten_arg(c, "dim"), start,
                     uc_py_binary(c->ev, UC_PY_ADD, start, length)};
    if (uc_pv_is(start, UC_PV_INT) && start.i < 0 && uc_pv_is(items[3], UC_PV_INT) &&
        items[3].i == 0)
        items[3] = uc_pv_none();
    c->result = uc_aten_again(c, "slice", items, 4);
}

static uc_pv part(uc_aten_call *c, int64_t dim, int64_t start, int64_t end)
{
    uc_pv items[] = {c->args[0], uc_pv_int(dim), uc_pv_int(start), uc_pv_int(end)};
    return uc_aten_again(c, "slice", items, 4);
}

/* Pieces of `sizes`, in the list's order. */
static void pieces(uc_aten_call *c, int64_t dim, const int64_t *sizes, size_t count)
{
    uc_pv *items = UC_NEW(c->ev->arena, uc_pv, count + 1);
    int64_t at = 0;
    for (size_t i = 0; items && i < count && !c->ev->failed; i++) {
        items[i] = part(c, dim, at, at + sizes[i]);
        at += sizes[i];
    }
    if (items) uc_aten_list(c, items, count);
}

static void even_pieces(uc_aten_call *c, int64_t dim, int64_t n, int64_t each)
{
    const int64_t count = each > 0 ? (n + each - 1) / each : 0;
    if (n < 0 || each <= 0 || count > 100000) {
        uc_aten_fail(c, n < 0 ? "the axis' length isn't known" : "parts of no length");
        return;
    }
    int64_t *sizes = UC_NEW(c->ev->arena, int64_t, (size_t)count + 1);
    for (int64_t i = 0; sizes && i < count; i++)
        sizes[i] = i + 1 < count ? each : n - each * i;
    if (sizes) pieces(c, dim, sizes, n == 0 ? 1 : (size_t)count);
}

/* Parts whose lengths only the input's size decides. */
static void symbolic_pieces(uc_aten_call *c, int64_t dim, const uc_py_list *sizes)
{
    uc_pv *items = UC_NEW(c->ev->arena, uc_pv, sizes->count + 1);
    uc_pv at = uc_pv_int(0);
    for (size_t i = 0; items && i < sizes->count && !c->ev->failed; i++) {
        const uc_pv end = uc_py_binary(c->ev, UC_PY_ADD, at, sizes->items[i]);
        uc_pv slice[] = {c->args[0], uc_pv_int(dim), at, end, uc_pv_int(1)};
        items[i] = uc_aten_again(c, "slice", slice, 5);
        at = end;
    }
    if (items) uc_aten_list(c, items, sizes->count);
}

void uc_aten_split(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int dim = uc_aten_axis(c, x, "dim", 0);
    const char *names[] = {"split_size", "split_sizes"};
    for (int i = 0; i < 2; i++) {
        const uc_pv v = uc_aten_arg(c, names[i]);
        if (v.kind == UC_PV_UNSET) continue;
        if (!uc_pv_is_list(v)) {
            even_pieces(c, dim, uc_t_dim(c->b, x, dim), uc_aten_int(c, names[i], 1));
            return;
        }
        if (!uc_aten_sizes_known(c, names[i])) {
            symbolic_pieces(c, dim, v.list);
            return;
        }
        int64_t *sizes = UC_NEW(c->ev->arena, int64_t, v.list->count + 1);
        const int n = sizes && v.list->count < 100000
                          ? uc_aten_ints(c, names[i], sizes, (int)v.list->count, 0)
                          : 0;
        if (!c->ev->failed) pieces(c, dim, sizes, (size_t)n);
        return;
    }
}

void uc_aten_chunk(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int dim = uc_aten_axis(c, x, "dim", 0);
    const int64_t n = uc_t_dim(c->b, x, dim), chunks = uc_aten_int(c, "chunks", 1);
    if (c->ev->failed) return;
    if (chunks <= 0)
        uc_aten_fail(c, "no chunks");
    else
        even_pieces(c, dim, n,
                    n < 0                           ? 1
                    : (n + chunks - 1) / chunks > 0 ? (n + chunks - 1) / chunks
                                                    : 1);
}

/* tensor_split: by number, the first ones longer; or at given places. */
void uc_aten_tensor_split(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int dim = uc_aten_axis(c, x, "dim", strcmp(c->with, "1") == 0 ? 1 : 0);
    const int64_t n = uc_t_dim(c->b, x, dim);
    int64_t at[64], sizes[65];
    if (n < 0 || c->ev->failed) {
        uc_aten_fail(c, "the axis' length isn't known");
        return;
    }
    if (uc_aten_has(c, "sections")) {
        const int64_t k = uc_aten_int(c, "sections", 1);
        if (k < 1 || k > 64) {
            uc_aten_fail(c, "%lld sections", (long long)k);
            return;
        }
        for (int64_t i = 0; i < k; i++)
            sizes[i] = n / k + (i < n % k);
        pieces(c, dim, sizes, (size_t)k);
        return;
    }
    const int count = uc_aten_ints(c, "indices", at, 64, 0);
    int64_t last = 0;
    for (int i = 0; i <= count; i++) {
        int64_t end = i < count ? at[i] : n;
        if (end < 0) end += n;
        if (end > n) end = n;
        if (end < last) end = last;
        sizes[i] = end - last;
        last = end;
    }
    if (!c->ev->failed) pieces(c, dim, sizes, (size_t)count + 1);
}

void uc_aten_unbind(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int dim = uc_aten_axis(c, x, "dim", 0);
    const int64_t n = uc_t_dim(c->b, x, dim);
    if (c->ev->failed) return;
    if (n < 0 || n > 100000) {
        if (n < 0 && dim >= 0) { /* a list that the graph holds */
            const uc_ref in[] = {x};
            uc_node *node = uc_graph_node(c->g, "SplitToSequence", in, 1, 1);
            uc_node_int(c->g, node, "axis", dim);
            uc_node_int(c->g, node, "keepdims", 0);
            const uc_pv t = uc_py_tensor(c->ev, uc_node_out(node, 0));
            if (t.kind == UC_PV_TENSOR)
                c->result = (uc_pv){.kind = UC_PV_SEQUENCE, .tensor = t.tensor};
            return;
        }
        uc_aten_fail(c, "the axis' length isn't known");
        return;
    }
    uc_pv *items = UC_NEW(c->ev->arena, uc_pv, (size_t)n + 1);
    for (int64_t i = 0; items && i < n && !c->ev->failed; i++) {
        uc_pv args[] = {c->args[0], uc_pv_int(dim), uc_pv_int(i)};
        items[i] = uc_aten_again(c, "select", args, 3);
    }
    if (items) uc_aten_list(c, items, (size_t)n);
}

/* ---- repeated -------------------------------------------------------------------------------- */

void uc_aten_expand(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_ref y = 0;
    int64_t shape[UC_PY_RANK];
    if (uc_aten_arg(c, "other").kind == UC_PV_TENSOR) {
        y = uc_g2(c->g, "Expand", x, uc_g1(c->g, "Shape", uc_aten_in(c, "other")));
    } else if (uc_aten_sizes_known(c, "size")) {
        const int n = uc_aten_ints(c, "size", shape, UC_PY_RANK, 0);
        y = uc_t_expand(c->b, x, shape, n);
    } else {
        /* -1 keeps an axis, which 1 does in ONNX. */
        const uc_ref sizes = uc_aten_sizes(c, "size");
        y = uc_g2(c->g, "Expand", x, uc_g2(c->g, "Max", sizes, uc_graph_i64(c->g, 1)));
    }
    uc_pt *t = view(c, UC_PT_EXPAND, y);
    if (t) t->scattered = true;
}

void uc_aten_repeat(uc_aten_call *c)
{
    uc_ref x = self(c);
    const char *name = uc_aten_arg(c, "repeats").kind != UC_PV_UNSET ? "repeats" : "dims";
    const uc_pv v = uc_aten_arg(c, name);
    const int rank = uc_t_rank(c->b, x);
    int n = uc_pv_is_list(v) ? (int)v.list->count : 1;
    if (rank < 0 || n > UC_PY_RANK) {
        uc_aten_fail(c, "the number of axes isn't known");
        return;
    }
    uc_ref times = uc_aten_sizes(c, name);
    if (n < rank) { /* tile's numbers are of the last axes */
        const int64_t ones[UC_PY_RANK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
        const uc_ref both[] = {uc_graph_i64s(c->g, ones, rank - n), times};
        times = uc_g_concat(c->g, both, 2, 0);
        n = rank;
    }
    for (int i = rank; i < n; i++)
        x = uc_t_unsqueeze(c->b, x, 0);
    uc_aten_out(c, uc_g2(c->g, "Tile", x, times));
}

void uc_aten_repeat_interleave(uc_aten_call *c)
{
    uc_ref x = self(c);
    const uc_pv times = uc_aten_arg(c, "repeats");
    int64_t dim = uc_aten_int(c, "dim", 0);
    if (times.kind != UC_PV_INT) {
        uc_aten_fail(c, "repeats must be one number");
        return;
    }
    if (!uc_aten_has(c, "dim")) x = uc_g_reshape(c->g, x, (const int64_t[]){-1}, 1);
    const int rank = uc_t_rank(c->b, x);
    if (rank < 0) {
        uc_aten_fail(c, "the number of axes isn't known");
        return;
    }
    if (dim < 0) dim += rank;
    /* Each element's own axis is widened, then joined with it. */
    uc_ref parts[UC_PY_RANK + 1];
    uc_ref wide = uc_t_unsqueeze(c->b, x, dim + 1);
    const uc_ref n =
        uc_g_reshape(c->g, uc_py_ref_of(c->ev, times, UNCORK_INT64), (const int64_t[]){1}, 1);
    for (int i = 0; i <= rank; i++)
        parts[i] = i == dim + 1 ? n : uc_graph_i64s(c->g, (const int64_t[]){1}, 1);
    wide = uc_g2(c->g, "Expand", wide, uc_g_concat(c->g, parts, (size_t)rank + 1, 0));
    uc_ref sizes[UC_PY_RANK];
    for (int i = 0; i < rank; i++) {
        const uc_ref s = uc_g_reshape(c->g, uc_t_size(c->b, x, i), (const int64_t[]){1}, 1);
        sizes[i] = i == dim ? uc_g2(c->g, "Mul", s, n) : s;
    }
    uc_aten_out(c, uc_g2(c->g, "Reshape", wide, uc_g_concat(c->g, sizes, (size_t)rank, 0)));
}

/* ---- joined and turned ----------------------------------------------------------------------- */

static uc_ref *same_type(uc_aten_call *c, const char *name, size_t *count)
{
    uc_ref *x = uc_aten_tensors(c, name, count);
    const uc_pv list = uc_aten_arg(c, name);
    if (!x || *count == 0) return x;
    uncork_dtype t = uc_t_dtype(c->b, x[0]);
    for (size_t i = 1; i < *count; i++) {
        const uc_pv first = uc_py_tensor(c->ev, uc_t_number(c->b, t, 0));
        (void)first;
        uc_pv pair[] = {list.list->items[0], list.list->items[i]};
        const uncork_dtype p = uc_aten_promote(c, pair[0], pair[1]);
        if (p != t && uc_dtype_size(p) >= uc_dtype_size(t)) t = p;
    }
    for (size_t i = 0; i < *count; i++) {
        if (uc_t_dtype(c->b, x[i]) != t) x[i] = uc_t_cast(c->b, x[i], t);
    }
    return x;
}

void uc_aten_cat(uc_aten_call *c)
{
    size_t n = 0;
    const int64_t dim = uc_aten_int(c, "dim", 0);
    const uc_pv list = uc_aten_arg(c, "tensors");
    if (list.kind == UC_PV_SEQUENCE) {
        const uc_ref s = uc_py_ref(c->ev, list.tensor);
        uc_node *node = uc_graph_node(c->g, "ConcatFromSequence", &s, 1, 1);
        uc_node_int(c->g, node, "axis", dim);
        if (strcmp(c->with, "stack") == 0) uc_node_int(c->g, node, "new_axis", 1);
        uc_aten_out(c, uc_node_out(node, 0));
        return;
    }
    uc_ref *x = same_type(c, "tensors", &n);
    if (!x) return;
    if (strcmp(c->with, "stack") == 0) {
        uc_aten_out(c, uc_t_stack(c->b, x, n, dim));
        return;
    }
    /* Tensors of shape [0] are left out, whatever the others' rank. */
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const bool empty = uc_t_rank(c->b, x[i]) == 1 && uc_t_dim(c->b, x[i], 0) == 0;
        if (!empty || (i + 1 == n && kept == 0)) x[kept++] = x[i];
    }
    uc_aten_out(c, kept == 1 ? x[0] : uc_t_cat(c->b, x, kept, dim));
}

void uc_aten_hstack(uc_aten_call *c)
{
    size_t n = 0;
    uc_ref *x = same_type(c, "tensors", &n);
    if (!x || n == 0) return;
    const int least = strcmp(c->with, "dstack") == 0 ? 3 : strcmp(c->with, "vstack") == 0 ? 2 : 1;
    const int rank = uc_t_rank(c->b, x[0]);
    for (size_t i = 0; i < n; i++) {
        int r = uc_t_rank(c->b, x[i]);
        for (; r >= 0 && r < least; r++)
            x[i] = uc_t_unsqueeze(c->b, x[i], r == 0 || (least >= 2 && r == 1) ? 0 : r);
    }
    const int64_t dim = least == 3 ? 2 : least == 2 ? 0 : rank <= 1 ? 0 : 1;
    uc_aten_out(c, uc_t_cat(c->b, x, n, dim));
}

void uc_aten_roll(uc_aten_call *c)
{
    int64_t shifts[UC_PY_RANK], dims[UC_PY_RANK];
    const uc_ref x = self(c);
    const int n = uc_aten_ints(c, "shifts", shifts, UC_PY_RANK, 0);
    const int d = uc_aten_ints(c, "dims", dims, UC_PY_RANK, 0);
    if (c->ev->failed) return;
    if (d > 0 && d != n) {
        uc_aten_fail(c, "%d shifts of %d axes", n, d);
        return;
    }
    if (d > 0) {
        uc_aten_out(c, uc_t_roll(c->b, x, shifts, dims, (size_t)n));
        return;
    }
    const int64_t zero = 0;
    const uc_ref line = uc_g_reshape(c->g, x, (const int64_t[]){-1}, 1);
    const uc_ref y = uc_t_roll(c->b, line, shifts, &zero, 1);
    uc_aten_out(c, uc_g2(c->g, "Reshape", y, uc_g1(c->g, "Shape", x)));
}

void uc_aten_flip(uc_aten_call *c)
{
    int64_t dims[UC_PY_RANK];
    int n = uc_aten_ints(c, "dims", dims, UC_PY_RANK, 0);
    if (c->with && strcmp(c->with, "lr") == 0) dims[n++] = 1;
    if (c->with && strcmp(c->with, "ud") == 0) dims[n++] = 0;
    uc_aten_out(c, uc_t_flip(c->b, self(c), dims, (size_t)n));
}

void uc_aten_rot90(uc_aten_call *c)
{
    int64_t dims[2] = {0, 1};
    uc_ref x = self(c);
    const int64_t k = ((uc_aten_int(c, "k", 1) % 4) + 4) % 4;
    uc_aten_ints(c, "dims", dims, 2, 0);
    if (k == 1 || k == 2) x = uc_t_flip(c->b, x, &dims[1], 1);
    if (k == 3 || k == 2) x = uc_t_flip(c->b, x, &dims[0], 1);
    if (k == 1 || k == 3) x = uc_t_transpose(c->b, x, dims[0], dims[1]);
    uc_aten_out(c, x);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static uc_pv size_of(uc_aten_call *c, uc_ref x, int dim)
{
    const int64_t n = uc_t_dim(c->b, x, dim);
    if (n >= 0) return uc_pv_int(n);
    return uc_py_symbol(c->ev, UC_PV_INT, uc_t_size(c->b, x, dim));
}

void uc_aten_size(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int rank = uc_t_rank(c->b, x);
    if (uc_aten_has(c, "dim")) {
        const int dim = uc_aten_axis(c, x, "dim", 0);
        if (!c->ev->failed) c->result = size_of(c, x, dim);
        return;
    }
    if (rank < 0) {
        uc_aten_fail(c, "the number of axes isn't known");
        return;
    }
    uc_pv sizes[UC_PY_RANK];
    for (int i = 0; i < rank; i++)
        sizes[i] = size_of(c, x, i);
    uc_aten_list(c, sizes, (size_t)rank);
}

void uc_aten_dim(uc_aten_call *c)
{
    const int rank = uc_t_rank(c->b, self(c));
    if (rank < 0)
        uc_aten_fail(c, "the number of axes isn't known");
    else
        c->result = uc_pv_int(rank);
}

void uc_aten_numel(uc_aten_call *c)
{
    c->result = uc_py_symbol(c->ev, UC_PV_INT, uc_g1(c->g, "Size", self(c)));
}

void uc_aten_diagonal(uc_aten_call *c)
{
    uc_ref x = self(c);
    const int rank = uc_t_rank(c->b, x);
    const int64_t offset = uc_aten_int(c, "offset", uc_aten_int(c, "diagonal", 0));
    int64_t a = uc_aten_int(c, "dim1", 0), b = uc_aten_int(c, "dim2", 1);
    if (rank == 1 && strcmp(c->name, "diag") == 0) {
        uc_pv items[] = {c->args[0], uc_pv_int(offset)};
        c->result = uc_aten_again(c, "diag_embed", items, 2);
        return;
    }
    if (rank < 2) {
        uc_aten_fail(c, "the number of axes isn't known");
        return;
    }
    if (a < 0) a += rank;
    if (b < 0) b += rank;
    if (a < 0 || b < 0 || a >= rank || b >= rank || a == b) {
        uc_aten_fail(c, "axes that aren't there");
        return;
    }
    /* The two axes go last, as one. */
    int64_t perm[UC_PY_RANK];
    int n = 0;
    for (int i = 0; i < rank; i++) {
        if (i != a && i != b) perm[n++] = i;
    }
    perm[n++] = a;
    perm[n] = b;
    x = uc_t_permute(c->b, x, perm, rank);
    const int64_t rows = uc_t_dim(c->b, x, -2), columns = uc_t_dim(c->b, x, -1);
    int64_t count = offset >= 0 ? columns - offset : rows + offset;
    if (offset >= 0 && rows < count) count = rows;
    if (offset < 0 && columns < count) count = columns;
    int64_t *at =
        count >= 0 && count < 1000000 ? UC_NEW(c->ev->arena, int64_t, (size_t)count + 1) : NULL;
    if (rows < 0 || columns < 0 || !at) {
        uc_aten_fail(c, "the axes' lengths aren't known");
        return;
    }
    for (int64_t i = 0; i < count; i++)
        at[i] = offset >= 0 ? i * columns + i + offset : (i - offset) * columns + i;
    x = uc_t_flatten(c->b, x, -2, -1);
    uc_aten_out(c, uc_g_gather(c->g, x, uc_graph_i64s(c->g, at, count), -1));
}

void uc_aten_atleast(uc_aten_call *c)
{
    uc_ref x = self(c);
    const int want = c->with[0] - '0', rank = uc_t_rank(c->b, x);
    if (rank < 0) {
        uc_aten_fail(c, "the number of axes isn't known");
        return;
    }
    for (int r = rank; r < want; r++)
        x = uc_t_unsqueeze(c->b, x, r == 2 ? 2 : 0);
    uc_aten_out(c, x);
}

void uc_aten_broadcast_tensors(uc_aten_call *c)
{
    size_t n = 0;
    uc_ref *x = uc_aten_tensors(c, "tensors", &n);
    uc_pv out[16];
    uc_ref sum = 0;
    if (!x || n > 16) return;
    for (size_t i = 0; i < n; i++) { /* the shape of a sum of all */
        const uc_ref zero = uc_g_cast(c->g, uc_g_cast(c->g, x[i], UNCORK_BOOL), UNCORK_INT32);
        sum = sum ? uc_g2(c->g, "Add", sum, zero) : zero;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = uc_py_tensor(c->ev, uc_g2(c->g, "Expand", x[i], uc_g1(c->g, "Shape", sum)));
    uc_aten_list(c, out, n);
}
