/* Tensors as values: which graph they are of, what they are views of. Writing in place makes a new value;
 * a view's write goes through to its base, and other views see it when they are next read. */
#include "import/pytorch/script_eval.h"

/* ---- graphs within graphs -------------------------------------------------------------------- */

bool uc_py_level_open(uc_py_eval *ev, uc_py_level *level, uc_graph *graph)
{
    *level = (uc_py_level){.outer = ev->level,
                           .depth = ev->level ? ev->level->depth + 1 : 0,
                           .id = ++ev->level_count,
                           .graph = graph};
    if (level->depth > 40) {
        uc_py_fail_as(ev, UNCORK_LIMIT, "conditions and loops nest too deep");
        return false;
    }
    if (!uc_t_build_open(&level->build, graph, ev->findings, ev->state)) return false;
    ev->level = level;
    return true;
}

void uc_py_level_close(uc_py_eval *ev, uc_py_level *level)
{
    uc_t_build_close(&level->build);
    ev->level = level->outer;
}

/* A small value that is known outside is a constant inside. */
static uc_ref known_inside(uc_py_level *level, const uc_value *v)
{
    const uc_tensor *t = &v->tensor;
    if (!uc_value_is_known(v) || !t->data || uc_tensor_count(t) > 64 ||
        uc_dtype_size(t->dtype) == 0)
        return 0;
    uc_tensor *copy = uc_tensor_new(level->graph->arena, t->dtype, t->rank, t->shape);
    if (!copy) return 0;
    const uc_tensor *dense = uc_tensor_dense(level->graph->arena, t);
    if (!dense) return 0;
    memcpy(copy->data, dense->data, (size_t)uc_tensor_count(t) * uc_dtype_size(t->dtype));
    return uc_graph_const(level->graph, copy);
}

uc_ref uc_py_capture(uc_py_eval *ev, uc_py_level *level, uc_ref ref, int from)
{
    if (ref == 0 || level->id == from) return ref;
    if (!level->outer) {
        uc_py_fail(ev, "a value of another branch is used");
        return 0;
    }
    const uc_ref outside = uc_py_capture(ev, level->outer, ref, from);
    if (ev->failed) return 0;
    for (size_t i = 0; i < level->capture_count; i++) {
        if (level->outside[i] == outside) return level->inside[i];
    }
    const uc_value *v = uc_look_at(&level->outer->build.look, outside);
    uc_ref inside = known_inside(level, v);
    if (inside) return inside;
    uc_graph *g = level->graph;
    inside = uc_graph_input(g, uc_arena_printf(g->arena, "captured_%zu", level->capture_count),
                            v->tensor.dtype, v->tensor.rank, v->tensor.shape);
    if (v->kind == UC_SEQUENCE) uc_graph_input_kind(g, inside, UC_SEQUENCE, UC_TENSOR);
    uc_ref *grown = uc_arena_grow(ev->arena, level->outside, &level->capture_capacity,
                                  level->capture_count + 1, sizeof *grown);
    uc_ref *inner = uc_arena_grow(ev->arena, level->inside, &level->inside_capacity,
                                  level->capture_count + 1, sizeof *inner);
    if (!grown || !inner) {
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
        return 0;
    }
    level->outside = grown;
    level->inside = inner;
    grown[level->capture_count] = outside;
    inner[level->capture_count++] = inside;
    return inside;
}

/* ---- making ---------------------------------------------------------------------------------- */

static uc_pt *new_tensor(uc_py_eval *ev)
{
    uc_pt *t = UC_NEW(ev->arena, uc_pt, 1);
    if (!t) uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    if (t) t->born = ev->epoch;
    return t;
}

uc_pv uc_py_tensor(uc_py_eval *ev, uc_ref ref)
{
    if (ev->level->graph->status && !ev->failed) {
        uc_where(ev->error, "%s:%u", ev->path, ev->line);
        ev->failed = true;
    }
    uc_pt *t = ev->failed ? NULL : new_tensor(ev);
    if (!t) return uc_pv_none();
    t->ref = ref;
    t->level = ev->level->id;
    return uc_pv_tensor(t);
}

uc_pv uc_py_constant(uc_py_eval *ev, const uc_tensor *tensor)
{
    uc_pt *t = new_tensor(ev);
    if (!t) return uc_pv_none();
    t->constant = tensor;
    return uc_pv_tensor(t);
}

uc_pv uc_py_view(uc_py_eval *ev, uc_pt *base, uc_pt_view view, uc_ref ref)
{
    const uc_pv v = uc_py_tensor(ev, ref);
    if (v.kind != UC_PV_TENSOR) return v;
    v.tensor->base = base;
    v.tensor->view = view;
    v.tensor->seen = base->writes;
    v.tensor->quant = base->quant;
    v.tensor->scattered = base->scattered;
    return v;
}

uc_pv uc_py_symbol(uc_py_eval *ev, uc_pv_kind kind, uc_ref ref)
{
    uc_t_build *b = uc_py_build(ev);
    const uc_value *v = uc_look_at(&b->look, ref);
    if (uc_value_is_known(v) && v->tensor.data && uc_tensor_count(&v->tensor) == 1) {
        const uncork_dtype t = v->tensor.dtype;
        if (kind == UC_PV_FLOAT) return uc_pv_float(uc_dtype_load_f64(v->tensor.data, 0, t));
        const int64_t i = uc_dtype_load_i64(v->tensor.data, 0, t);
        return kind == UC_PV_BOOL ? uc_pv_bool(i != 0) : uc_pv_int(i);
    }
    const uncork_dtype want = kind == UC_PV_FLOAT  ? UNCORK_FLOAT64
                              : kind == UC_PV_BOOL ? UNCORK_BOOL
                                                   : UNCORK_INT64;
    if (v->tensor.rank != 0) ref = uc_t_reshape(b, ref, NULL, 0);
    if (uc_t_dtype(b, ref) != want) ref = uc_g_cast(b->graph, ref, want);
    const uc_pv t = uc_py_tensor(ev, ref);
    if (t.kind != UC_PV_TENSOR) return t;
    return (uc_pv){.kind = (uint8_t)kind, .symbolic = true, .tensor = t.tensor};
}

/* ---- reading --------------------------------------------------------------------------------- */

static uc_ref span_part(uc_py_eval *ev, uc_ref base, int64_t axis, uc_ref begin, uc_ref end)
{
    uc_graph *g = ev->level->graph;
    const int64_t one[] = {1};
    const uc_ref in[] = {base, uc_g_reshape(g, begin, one, 1), uc_g_reshape(g, end, one, 1),
                         uc_graph_i64s(g, &axis, 1)};
    return uc_node_out(uc_graph_node(g, "Slice", in, 4, 1), 0);
}

/* An end of a span, counted from the front and within the axis. */
static uc_ref span_end(uc_py_eval *ev, const uc_pt *t, int which, uc_ref length)
{
    uc_graph *g = ev->level->graph;
    if (t->span[which].kind == UC_PV_NONE) return which ? length : uc_graph_i64(g, 0);
    const uc_ref zero = uc_graph_i64(g, 0), at = uc_py_ref_of(ev, t->span[which], UNCORK_INT64);
    const uc_ref front = uc_g_where(g, uc_g2(g, "Less", at, zero), uc_g2(g, "Add", at, length), at);
    return uc_g2(g, "Min", uc_g2(g, "Max", front, zero), length);
}

static uc_ref view_again(uc_py_eval *ev, uc_pt *t, uc_ref base)
{
    uc_t_build *b = uc_py_build(ev);
    switch ((int)t->view) {
    case UC_PT_SELECT: return uc_t_select(b, base, t->dim, t->start);
    case UC_PT_SLICE: return uc_t_slice(b, base, t->dim, t->start, t->end, t->step);
    case UC_PT_SPAN: {
        const uc_ref length = uc_t_size(b, base, t->dim);
        return span_part(ev, base, t->dim, span_end(ev, t, 0, length), span_end(ev, t, 1, length));
    }
    case UC_PT_PERMUTE: return uc_t_permute(b, base, t->perm, t->perm_rank);
    case UC_PT_RESHAPE: {
        const uc_ref shape =
            uc_g1(b->graph, "Shape", uc_py_capture(ev, ev->level, t->ref, t->level));
        return uc_g2(b->graph, "Reshape", base, shape);
    }
    case UC_PT_EXPAND: {
        const uc_ref shape =
            uc_g1(b->graph, "Shape", uc_py_capture(ev, ev->level, t->ref, t->level));
        return uc_g2(b->graph, "Expand", base, shape);
    }
    default: return base;
    }
}

uc_ref uc_py_ref(uc_py_eval *ev, uc_pt *t)
{
    if (ev->failed || !t) return 0;
    if (t->base && t->base->writes != t->seen) {
        const uc_ref base = uc_py_ref(ev, t->base);
        const uc_ref again = view_again(ev, t, base);
        uc_py_touch_tensor(ev, t);
        t->ref = again;
        t->level = ev->level->id;
        t->seen = t->base->writes;
    }
    if (t->constant) {
        if (t->ref && t->level == ev->level->id) return t->ref;
        const uc_ref made = uc_t_const(uc_py_build(ev), t->constant);
        if (!ev->level->outer) {
            t->ref = made;
            t->level = ev->level->id;
        }
        return made;
    }
    return uc_py_capture(ev, ev->level, t->ref, t->level);
}

uc_ref uc_py_ref_of(uc_py_eval *ev, uc_pv v, uncork_dtype dtype)
{
    uc_graph *g = ev->level->graph;
    if (ev->failed) return 0;
    if (v.kind == UC_PV_TENSOR || v.kind == UC_PV_SEQUENCE || v.symbolic) {
        const uc_ref r = uc_py_ref(ev, v.tensor);
        if (dtype == UNCORK_DTYPE_NONE || v.kind == UC_PV_SEQUENCE) return r;
        return uc_t_dtype(uc_py_build(ev), r) == dtype ? r : uc_g_cast(g, r, dtype);
    }
    if (v.kind == UC_PV_BOOL) {
        if (dtype == UNCORK_DTYPE_NONE) dtype = UNCORK_BOOL;
        return uc_t_number(uc_py_build(ev), dtype, v.b);
    }
    if (v.kind == UC_PV_INT) {
        if (dtype == UNCORK_DTYPE_NONE || dtype == UNCORK_INT64) return uc_graph_i64(g, v.i);
        return uc_t_number(uc_py_build(ev), dtype, (double)v.i);
    }
    if (v.kind == UC_PV_FLOAT) {
        if (dtype == UNCORK_DTYPE_NONE) dtype = UNCORK_FLOAT32;
        return uc_t_number(uc_py_build(ev), dtype, v.f);
    }
    uc_py_fail(ev, "a tensor is needed, not %s", uc_pv_type_name(v));
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* base with `value` at one place, or a range with a step, of axis dim. */
static uc_ref put_range(uc_py_eval *ev, const uc_pt *t, uc_ref base, uc_ref value)
{
    uc_t_build *b = uc_py_build(ev);
    const bool one = t->view == UC_PT_SELECT;
    int64_t start = t->start, end = one ? t->start + 1 : t->end;
    const int64_t n = uc_t_dim(b, base, (int)t->dim);
    if (start < 0 || end < 0 || (!one && t->step != 1 && n < 0)) {
        if (n < 0) {
            uc_py_fail(ev, "a place counted from the end of an axis of unknown length is written");
            return 0;
        }
        if (start < 0) start += n;
        if (end < 0) end += n;
        if (one) end = start + 1;
    }
    if (n >= 0 && end > n) end = n;
    if (start < 0 || (n >= 0 && start > n)) {
        uc_py_fail(ev, "a place outside of the tensor is written");
        return 0;
    }
    if (one) value = uc_t_unsqueeze(b, value, t->dim);
    uc_ref parts[3];
    size_t count = 0;
    if (one || t->step == 1) {
        if (start > 0) parts[count++] = uc_t_slice(b, base, t->dim, 0, start, 1);
        parts[count++] = value;
        if (n < 0 ? end != INT64_MAX : end < n)
            parts[count++] = uc_t_slice(b, base, t->dim, end, INT64_MAX, 1);
        return count == 1 ? value : uc_t_cat(b, parts, count, t->dim);
    }
    /* Every step-th: the axis goes first, and rows are scattered. */
    const int rank = uc_t_rank(b, base);
    int64_t rows = 0;
    int64_t *at = UC_NEW(ev->arena, int64_t, (size_t)n + 1);
    for (int64_t i = start; at && i < end; i += t->step)
        at[rows++] = i;
    if (!at || rank < 0) return 0;
    const uc_ref index = uc_g_unsqueeze(b->graph, uc_graph_i64s(b->graph, at, rows), 1);
    const uc_ref turned = uc_t_transpose(b, base, 0, t->dim);
    const uc_ref put =
        uc_g3(b->graph, "ScatterND", turned, index, uc_t_transpose(b, value, 0, t->dim));
    return uc_t_transpose(b, put, 0, t->dim);
}

static uc_ref put_span(uc_py_eval *ev, const uc_pt *t, uc_ref base, uc_ref value)
{
    uc_t_build *b = uc_py_build(ev);
    const uc_ref length = uc_t_size(b, base, t->dim);
    const uc_ref begin = span_end(ev, t, 0, length);
    const uc_ref end = uc_g2(b->graph, "Max", span_end(ev, t, 1, length), begin);
    const uc_ref parts[] = {span_part(ev, base, t->dim, uc_graph_i64(b->graph, 0), begin), value,
                            span_part(ev, base, t->dim, end, length)};
    return uc_t_cat(b, parts, 3, t->dim);
}

static uc_ref into_base(uc_py_eval *ev, const uc_pt *t, uc_ref base, uc_ref value)
{
    uc_t_build *b = uc_py_build(ev);
    switch ((int)t->view) {
    case UC_PT_ALIAS: return value;
    case UC_PT_SELECT:
    case UC_PT_SLICE: return put_range(ev, t, base, value);
    case UC_PT_SPAN: return put_span(ev, t, base, value);
    case UC_PT_PERMUTE: {
        int64_t back[UC_PY_RANK] = {0};
        for (int i = 0; i < t->perm_rank; i++)
            back[t->perm[i]] = i;
        return uc_t_permute(b, value, back, t->perm_rank);
    }
    case UC_PT_RESHAPE: return uc_g2(b->graph, "Reshape", value, uc_g1(b->graph, "Shape", base));
    default: uc_py_fail(ev, "a tensor that is expanded over its own elements is written"); return 0;
    }
}

void uc_py_write(uc_py_eval *ev, uc_pt *t, uc_ref value)
{
    if (ev->failed) return;
    if (t->base) {
        const uc_ref whole = into_base(ev, t, uc_py_ref(ev, t->base), value);
        if (ev->failed) return;
        uc_py_write(ev, t->base, whole);
    }
    uc_py_touch_tensor(ev, t);
    t->ref = value;
    t->level = ev->level->id;
    t->constant = NULL;
    t->writes++;
    if (t->base) t->seen = t->base->writes;
}
