/* What TensorFlow and PyTorch have beside ONNX: conversions, gathers by batch, boxes, lists, pools. */
#include "pack/expand.h"

uncork_dtype uc_expand_result(const uc_expansion *e, size_t i)
{
    return e->from->values[e->node->out[i]].dtype;
}

static bool is_complex(uncork_dtype d) { return d == UNCORK_COMPLEX64 || d == UNCORK_COMPLEX128; }

/* Conditions that hold: a runtime without them computes on. */
bool uc_expand_assert(uc_expansion *e)
{
    uc_tensor *t = uc_tensor_new(e->graph->arena, UNCORK_BOOL, 0, NULL);
    if (!t) return false;
    *(uint8_t *)t->data = 1;
    e->out[0] = uc_graph_const(e->graph, t);
    return true;
}

/* The same numbers; what is out of the range of the target is the runtime's to say. */
bool uc_expand_cast(uc_expansion *e)
{
    const uncork_dtype to = uc_expand_result(e, 0);
    if (is_complex(to) || is_complex(uc_expand_dtype(e, 0)) || uc_expand_int(e, "Truncate", 0))
        return false;
    e->out[0] = uc_g_cast(e->graph, e->in[0], to);
    return true;
}

bool uc_expand_erfc(uc_expansion *e)
{
    const uncork_dtype dtype = uc_expand_dtype(e, 0);
    if (dtype != UNCORK_FLOAT32 && dtype != UNCORK_FLOAT64) return false;
    const uc_ref erf = uc_g1(e->graph, "Erf", e->in[0]);
    e->out[0] = uc_g2(e->graph, "Sub", uc_expand_scalar(e, dtype, 1), erf);
    return true;
}

bool uc_expand_batch_gather(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const int64_t batch = uc_expand_int(e, "batch_dims", 0), axis = uc_expand_int(e, "axis", 0);
    if (batch == 0) {
        e->out[0] = uc_g_gather(g, e->in[0], e->in[1], axis);
        return true;
    }
    if (axis != batch || e->from->values[e->node->in[1]].rank < 0) return false;
    const int rank = e->from->values[e->node->in[1]].rank;
    const uc_ref in[] = {e->in[0],
                         uc_g_unsqueeze(g, uc_g_cast(g, e->in[1], UNCORK_INT64), (int64_t)rank)};
    uc_node *n = uc_graph_node(g, "GatherND", in, 2, 1);
    uc_node_int(g, n, "batch_dims", batch);
    e->out[0] = uc_node_out(n, 0);
    return true;
}

/* Lower (row - column <= low) and upper (column - row <= high) diagonals; a negative number: all. */
bool uc_expand_band(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_tensor *low = uc_expand_known(e, 1), *high = uc_expand_known(e, 2);
    if (!low || !high) return false;
    const int64_t l = uc_dtype_load_i64(low->data, 0, low->dtype),
                  h = uc_dtype_load_i64(high->data, 0, high->dtype);
    uc_ref x = e->in[0];
    for (int upper = 0; upper < 2; upper++) {
        if ((upper ? l : h) < 0) continue;
        const uc_ref in[] = {x, uc_graph_i64(g, upper ? -l : h)};
        uc_node *n = uc_graph_node(g, "Trilu", in, 2, 1);
        uc_node_int(g, n, "upper", upper);
        x = uc_node_out(n, 0);
    }
    e->out[0] = x == e->in[0] ? uc_g1(g, "Identity", x) : x;
    return true;
}

/* Quotients rounded down and what is left of them, which has the divisor's sign. */
bool uc_expand_floor(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const bool rest = strstr(e->node->op->name, "Mod") != NULL;
    const uc_ref a = e->in[0], b = e->in[1];
    if (is_complex(uc_expand_dtype(e, 0))) return false;
    if (!uc_dtype_is_float(uc_expand_dtype(e, 0))) {
        const uc_ref mod = uc_g2(g, "Mod", a, b);
        e->out[0] = rest ? mod : uc_g2(g, "Div", uc_g2(g, "Sub", a, mod), b);
        return true;
    }
    const uc_ref floor = uc_g1(g, "Floor", uc_g2(g, "Div", a, b));
    e->out[0] = rest ? uc_g2(g, "Sub", a, uc_g2(g, "Mul", floor, b)) : floor;
    return true;
}

/* ---- boxes -------------------------------------------------------------------------------- */

/* One picture, one class: the third column of what ONNX's operator gives. */
bool uc_expand_nms(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const size_t count = e->node->in_count;
    const char last = e->node->op->name[strlen(e->node->op->name) - 1];
    const uc_tensor *sigma = count > 5 ? uc_expand_known(e, 5) : NULL;
    if (uc_expand_int(e, "pad_to_max_output_size", 0) ||
        (count > 5 && (!sigma || uc_dtype_load_f64(sigma->data, 0, sigma->dtype) != 0))) {
        return false; /* padded, or scores that fall with what overlaps */
    }
    const uc_ref iou = count > 3 ? uc_g_cast(g, e->in[3], UNCORK_FLOAT32)
                                 : uc_graph_f32(g, (float)uc_expand_float(e, "iou_threshold", 0.5));
    const uc_ref in[] = {
        uc_g_unsqueeze(g, uc_g_cast(g, e->in[0], UNCORK_FLOAT32), 0),
        uc_g_unsqueeze(g, uc_g_unsqueeze(g, uc_g_cast(g, e->in[1], UNCORK_FLOAT32), 0), 0),
        uc_g_cast(g, e->in[2], UNCORK_INT64), iou,
        count > 4 ? uc_g_cast(g, e->in[4], UNCORK_FLOAT32) : 0};
    uc_node *n = uc_graph_node(g, "NonMaxSuppression", in, count > 4 ? 5 : 4, 1);
    const uc_ref chosen = uc_g_slice(g, uc_node_out(n, 0), 1, 2, 3);
    e->out[0] = uc_g_cast(g, uc_g_squeeze(g, chosen, 1), UNCORK_INT32);
    if (last == '5') e->out[1] = uc_g_gather(g, e->in[1], e->out[0], 0);
    if (last >= '4') {
        const uc_ref shape = uc_g1(g, "Shape", e->out[0]);
        e->out[last == '5' ? 2 : 1] = uc_g_cast(g, uc_g_squeeze(g, shape, 0), UNCORK_INT32);
    }
    return true;
}

/* ---- lists -------------------------------------------------------------------------------- */

/* Items that aren't written are zeros; a free dimension is 1 until its item is written. */
bool uc_expand_list_reserve(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_attr *shape = uc_expand_attr(e, "shape");
    const int64_t dtype = uc_expand_int(e, "dtype", UNCORK_FLOAT32), one = 1;
    if (uc_expand_int(e, "unranked", 0) || dtype == UNCORK_STRING || !shape ||
        is_complex((uncork_dtype)dtype) || shape->count > UNCORK_MAX_RANK - 1) {
        return false;
    }
    int64_t item[UNCORK_MAX_RANK];
    for (size_t d = 0; d < shape->count; d++)
        item[d] = shape->ints[d] < 0 ? 1 : shape->ints[d];
    const uc_ref count = uc_g_reshape(g, uc_g_cast(g, e->in[0], UNCORK_INT64), &one, 1);
    const uc_ref parts[] = {count, uc_graph_i64s(g, item, (int64_t)shape->count)};
    const uc_ref all = shape->count ? uc_g_concat(g, parts, 2, 0) : count;
    uc_tensor *zero = uc_tensor_new(g->arena, (uncork_dtype)dtype, 1, &one);
    if (!zero) return false;
    uc_node *fill = uc_graph_node(g, "ConstantOfShape", &all, 1, 1);
    uc_node_tensor(g, fill, "value", zero);
    const uc_ref in[] = {uc_node_out(fill, 0)};
    uc_node *split = uc_graph_node(g, "SplitToSequence", in, 1, 1);
    uc_node_int(g, split, "axis", 0);
    uc_node_int(g, split, "keepdims", 0);
    e->out[0] = uc_node_out(split, 0);
    return true;
}

bool uc_expand_list_set(uc_expansion *e)
{
    uc_graph *g = e->graph;
    if (uc_expand_int(e, "grow", 0)) return false;
    const uc_ref at = uc_g_cast(g, e->in[1], UNCORK_INT64);
    const uc_ref in[] = {uc_g2(g, "SequenceErase", e->in[0], at), e->in[2], at};
    e->out[0] = uc_node_out(uc_graph_node(g, "SequenceInsert", in, 3, 1), 0);
    return true;
}

bool uc_expand_list_get(uc_expansion *e)
{
    e->out[0] =
        uc_g2(e->graph, "SequenceAt", e->in[0], uc_g_cast(e->graph, e->in[1], UNCORK_INT64));
    return true;
}

bool uc_expand_list_stack(uc_expansion *e)
{
    uc_node *n = uc_graph_node(e->graph, "ConcatFromSequence", &e->in[0], 1, 1);
    uc_node_int(e->graph, n, "axis", 0);
    uc_node_int(e->graph, n, "new_axis", 1);
    e->out[0] = uc_node_out(n, 0);
    return true;
}

/* ---- pools -------------------------------------------------------------------------------- */

/* [in, out]: column o averages rows from o * in / out down to (o + 1) * in / out up. */
static uc_ref averages(uc_expansion *e, int64_t in, int64_t out)
{
    const int64_t shape[2] = {in, out};
    uc_tensor *t = uc_tensor_new(e->graph->arena, UNCORK_FLOAT32, 2, shape);
    if (!t) return 0;
    for (int64_t o = 0; o < out; o++) {
        const int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;
        for (int64_t i = begin; i < end; i++)
            ((float *)t->data)[i * out + o] = 1.0F / (float)(end - begin);
    }
    return uc_graph_const(e->graph, t);
}

static uc_ref swap_last(uc_graph *g, uc_ref x, int rank)
{
    int64_t perm[UNCORK_MAX_RANK];
    for (int d = 0; d < rank; d++)
        perm[d] = d < rank - 2 ? d : 2 * rank - 3 - d;
    uc_node *n = uc_graph_node(g, "Transpose", &x, 1, 1);
    uc_node_ints(g, n, "perm", perm, (size_t)rank);
    return uc_node_out(n, 0);
}

/* Windows of one size where the sizes divide; else averages by a matrix for each side. */
bool uc_expand_adaptive_pool(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_graph_value *x = &e->from->values[e->node->in[0]];
    const uc_attr *size = uc_expand_attr(e, "output_size");
    const bool max = uc_expand_is(e, "mode", "max", false);
    int64_t kernel[UNCORK_MAX_RANK];
    bool even = true, ones = true;
    if (!size || x->rank != (int)size->count + 2 || size->count > 3 ||
        (e->node->out_count > 1 && e->node->out[1])) {
        return false;
    }
    for (size_t d = 0; d < size->count; d++) {
        const int64_t in = x->shape[d + 2], out = size->ints[d] < 0 ? in : size->ints[d];
        ones = ones && out == 1;
        kernel[d] = in > 0 && out > 0 ? in / out : 0;
        even = even && kernel[d] > 0 && in % out == 0;
    }
    if (ones) {
        e->out[0] = uc_g1(g, max ? "GlobalMaxPool" : "GlobalAveragePool", e->in[0]);
        return true;
    }
    if (even) {
        uc_node *n = uc_graph_node(g, max ? "MaxPool" : "AveragePool", &e->in[0], 1, 1);
        uc_node_ints(g, n, "kernel_shape", kernel, size->count);
        uc_node_ints(g, n, "strides", kernel, size->count);
        e->out[0] = uc_node_out(n, 0);
        return true;
    }
    if (max || size->count > 2 || x->dtype != UNCORK_FLOAT32) return false;
    uc_ref y = e->in[0];
    for (size_t d = size->count; d-- > 0;) {
        const int64_t in = x->shape[d + 2], out = size->ints[d];
        if (in <= 0) return false;
        const bool swap = d + 1 < size->count;
        if (swap) y = swap_last(g, y, x->rank);
        if (out >= 0) y = uc_g2(g, "MatMul", y, averages(e, in, out));
        if (swap) y = swap_last(g, y, x->rank);
    }
    e->out[0] = y;
    return true;
}

/* ---- categories --------------------------------------------------------------------------- */

/* Rows of the table's column c: a cell is compared with each; the last equal one counts, 0: none. */
static uc_ref place_in_column(uc_expansion *e, uc_ref x, int64_t c, const uc_tensor *all,
                              int64_t begin, int64_t end)
{
    uc_graph *g = e->graph;
    const int64_t shape[2] = {1, end - begin};
    const uc_ref cell = uc_g_slice(g, x, 1, c, c + 1);
    uc_tensor *places = uc_tensor_new(g->arena, UNCORK_INT64, 2, shape), *own = NULL;
    if (all->dtype == UNCORK_STRING) {
        uc_str *items = UC_NEW(g->arena, uc_str, (size_t)(end - begin) + 1);
        for (int64_t i = begin; items && i < end; i++)
            items[i - begin] = uc_tensor_string(all, i);
        own = items ? uc_tensor_strings(g->arena, items, 2, shape) : NULL;
    } else {
        const size_t width = uc_dtype_size(all->dtype);
        own = uc_tensor_new(g->arena, all->dtype, 2, shape);
        if (own)
            memcpy(own->data, (const char *)all->data + (size_t)begin * width,
                   (size_t)(end - begin) * width);
    }
    if (!places || !own) return 0;
    for (int64_t i = 0; i < end - begin; i++)
        ((int64_t *)places->data)[i] = i + 1;
    const uc_ref table = uc_graph_const(g, own);
    uc_ref equal = uc_g2(g, "Equal", cell, table);
    if (uc_dtype_is_float(all->dtype)) {
        const uc_ref nan = uc_g2(g, "And", uc_g1(g, "IsNaN", cell), uc_g1(g, "IsNaN", table));
        equal = uc_g2(g, "Or", equal, nan);
    }
    const uc_ref marked =
        uc_g2(g, "Mul", uc_g_cast(g, equal, UNCORK_INT64), uc_graph_const(g, places));
    return uc_g_reduce(g, "ReduceMax", marked, 1, true);
}

bool uc_expand_categories(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_graph_value *x = &e->from->values[e->node->in[0]];
    const uc_tensor *all = uc_expand_known(e, 1), *starts = uc_expand_known(e, 2);
    if (!all || !starts || (e->node->in_count > 3 && e->node->in[3]) || x->rank < 1) return false;
    const int64_t columns = uc_tensor_count(starts) - 1, *start = starts->data;
    const int64_t offset = uc_expand_int(e, "offset", 0), flat = -1;
    uc_ref *parts = UC_NEW(g->arena, uc_ref, (size_t)columns + 1);
    const uc_ref table = x->rank == 1 ? uc_g_unsqueeze(g, e->in[0], 1) : e->in[0];
    for (int64_t c = 0; parts && c < columns; c++) {
        if (start[c + 1] <= start[c]) return false;
        const uc_ref place = place_in_column(e, table, c, all, start[c], start[c + 1]);
        parts[c] = uc_g2(g, "Add", place, uc_graph_i64(g, offset + start[c] + c));
    }
    if (!parts || columns < 1) return false;
    e->out[0] = columns == 1 ? parts[0] : uc_g_concat(g, parts, (size_t)columns, 1);
    if (x->rank == 1) e->out[0] = uc_g_reshape(g, e->out[0], &flat, 1);
    return true;
}
