/* TensorList ops over the forms of tf_list.c.
 *
 * Facts: TensorFlow 2.21, core/kernels/list_kernels.{h,cc}, core/ops/list_ops.cc. */
#include "import/tensorflow/tf_list_ops.h"

#include "import/tensorflow/tf_loop.h"

/* ---- shared with TensorArray ----------------------------------------------------------------- */

uc_tf_list *uc_tf_list_new(uc_tf_call *c, const char *dtype, uc_tf_list_form form, uc_ref ref)
{
    uc_graph *g = c->graph;
    uc_tf_list *list = UC_NEW(g->arena, uc_tf_list, 1);
    if (!list) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    *list = (uc_tf_list){.form = form, .ref = ref, .rank = -1, .dtype = uc_tf_type(c, dtype)};
    if (!list->dtype) uc_tf_fail(c, "a list of what aren't tensors isn't done");
    return list;
}

bool uc_tf_list_set_dims(uc_tf_call *c, uc_tf_list *list, const int64_t *dims, int rank)
{
    if (!list) return false;
    list->rank = rank;
    list->dims = UC_NEW(c->graph->arena, int64_t, rank > 0 ? (size_t)rank : 0);
    if (!list->dims) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    for (int d = 0; d < rank; d++) {
        list->dims[d] = dims[d] < 0 ? -1 : dims[d];
    }
    return true;
}

uc_ref uc_tf_list_number(uc_tf_call *c, size_t i)
{
    const uc_ref n = uc_tf_scalar_of(c->build, uc_tf_value_in(c, i));
    if (uc_tf_dtype_of(c, n) == UNCORK_INT64) return n;
    return uc_g_cast(c->graph, n, UNCORK_INT64);
}

void uc_tf_list_out(uc_tf_call *c, size_t i, uc_tf_list *list)
{
    if (list && !c->graph->status) uc_tf_out_value(c, i, uc_tf_list_value(list));
}

static bool is_carried_counter(const uc_tf_list *list, uc_ref at)
{
    const uc_tf_loop *l = list->loop;
    for (size_t k = 0; k < l->count; k++) {
        if (l->formal[k] == at && !l->fixed[k]) return true;
    }
    return false;
}

uc_tf_list *uc_tf_list_write(uc_tf_call *c, const uc_tf_list *list, uc_ref at, uc_ref item)
{
    uc_graph *g = c->graph;
    uc_tf_list *written;
    if (g->status) return NULL;
    if (list->form == UC_TF_LIST_CARRIED && list->loop->region.inner == c->build &&
        is_carried_counter(list, at)) {
        written = uc_tf_list_like(g, list, UC_TF_LIST_WRITTEN, 0);
        if (!written) return NULL;
        written->loop = list->loop;
        written->at = at;
        written->item = item;
        return written;
    }
    const uc_ref in[] = {uc_tf_list_items(c->build, list), at, item};
    uc_node *n = uc_graph_node(g, "uncork.ListSet", in, 3, 1);
    uc_node_int(g, n, "grow", list->grows);
    return uc_tf_list_like(g, list, UC_TF_LIST_ITEMS, uc_node_out(n, 0));
}

uc_ref uc_tf_list_read(uc_tf_call *c, const uc_tf_list *list, uc_ref at, uc_ref shape)
{
    uc_graph *g = c->graph;
    const uc_tf_list *l = list ? uc_tf_list_settle(c->build, list) : NULL;
    if (!l || g->status) return 0;
    if (l->form == UC_TF_LIST_STACK) return uc_g_gather(g, l->ref, at, 0);
    const uc_ref in[] = {uc_tf_list_items(c->build, l), at, shape ? shape : uc_tf_list_shape(g, l)};
    return uc_node_out(uc_graph_node(g, "uncork.ListGet", in, in[2] ? 3 : 2, 1), 0);
}

static const uc_node *maker(const uc_graph *g, uc_ref ref)
{
    const int32_t producer = ref ? g->values[ref].producer : -1;
    return producer < 0 ? NULL : &g->nodes[producer];
}

/* 0, 1, 2, ... to the end of what it indexes. */
static bool in_order(uc_tf_call *c, size_t i)
{
    uc_graph *g = c->graph;
    int64_t known[256], start, step;
    const size_t n = uc_tf_known(c, i, known, 256);
    if (n != SIZE_MAX && n <= 256) {
        for (size_t k = 0; k < n; k++) {
            if (known[k] != (int64_t)k) return false;
        }
        return true;
    }
    uc_ref ref = uc_tf_in(c, i);
    const uc_node *node = g->status ? NULL : maker(g, ref);
    if (node && strcmp(node->op->name, "Cast") == 0) node = maker(g, node->in[0]);
    return node && strcmp(node->op->name, "Range") == 0 && node->in_count == 3 &&
           uc_tf_known_ref(c->build, node->in[0], &start) && start == 0 &&
           uc_tf_known_ref(c->build, node->in[2], &step) && step == 1;
}

uc_ref uc_tf_list_gather(uc_tf_call *c, const uc_tf_list *list, size_t indices, uc_ref shape)
{
    uc_graph *g = c->graph;
    const uc_tf_list *l = list ? uc_tf_list_settle(c->build, list) : NULL;
    if (!l || g->status) return 0;
    int64_t known[256];
    const size_t n = uc_tf_known(c, indices, known, 256);
    const bool range = n == SIZE_MAX && in_order(c, indices); /* over the list's size */
    if (l->form == UC_TF_LIST_STACK) {
        return range ? l->ref : uc_g_gather(g, l->ref, uc_tf_in(c, indices), 0);
    }
    uc_tf_list picked = *l;
    if (!range) {
        picked.form = UC_TF_LIST_ITEMS;
        picked.ref =
            uc_g2(g, "uncork.ListPick", uc_tf_list_items(c->build, l), uc_tf_in(c, indices));
    }
    return uc_tf_list_stack(c->build, &picked, shape);
}

static uc_ref split(uc_graph *g, uc_ref stack, uc_ref lengths)
{
    const uc_ref in[] = {stack, lengths};
    uc_node *n = uc_graph_node(g, "SplitToSequence", in, lengths ? 2 : 1, 1);
    uc_node_int(g, n, "axis", 0);
    if (!lengths) uc_node_int(g, n, "keepdims", 0);
    return uc_node_out(n, 0);
}

uc_tf_list *uc_tf_list_scatter(uc_tf_call *c, const uc_tf_list *list, size_t indices, uc_ref tensor)
{
    uc_graph *g = c->graph;
    const uc_tf_list *l = list ? uc_tf_list_settle(c->build, list) : NULL;
    if (!l || g->status) return NULL;
    if (l->form == UC_TF_LIST_EMPTY && in_order(c, indices)) {
        int64_t size;
        const int64_t rows = uc_tf_dim(c, tensor, 0);
        /* Ranges go over the list's size, which is that of what is unstacked. */
        if (l->grows || !uc_tf_known_ref(c->build, l->ref, &size) || rows < 0 || rows == size) {
            return uc_tf_list_like(g, l, UC_TF_LIST_STACK, tensor);
        }
    }
    const uc_ref in[] = {uc_tf_list_items(c->build, l), uc_tf_in(c, indices), split(g, tensor, 0)};
    uc_node *n = uc_graph_node(g, "uncork.ListPlace", in, 3, 1);
    uc_node_int(g, n, "grow", l->grows);
    return uc_tf_list_like(g, l, UC_TF_LIST_ITEMS, uc_node_out(n, 0));
}

uc_tf_list *uc_tf_list_split(uc_tf_call *c, const uc_tf_list *list, uc_ref tensor, uc_ref lengths)
{
    return uc_tf_list_like(c->graph, list, UC_TF_LIST_ITEMS, split(c->graph, tensor, lengths));
}

void uc_tf_list_concat(uc_tf_call *c, const uc_tf_list *list)
{
    uc_graph *g = c->graph;
    const uc_ref items = list ? uc_tf_list_items(c->build, list) : 0;
    if (!items) return;
    uc_node *n = uc_graph_node(g, "ConcatFromSequence", &items, 1, 1);
    uc_node_int(g, n, "axis", 0);
    uc_tf_out(c, 0, uc_node_out(n, 0));
    uc_tf_out(c, 1, uc_g1(g, "uncork.ListLengths", items));
}

/* ---- TensorList ------------------------------------------------------------------------------ */

static const uc_tf_list *list_in(uc_tf_call *c, size_t i)
{
    const uc_tf_value *v = uc_tf_value_in(c, i);
    if (v->kind == UC_TF_LIST) return v->payload;
    if (!c->graph->status) uc_tf_fail(c, "input %zu is no list", i);
    return NULL;
}

/* The shape of an item as an input says it: into the list as far as it is known. */
static void set_shape(uc_tf_call *c, uc_tf_list *list, size_t i)
{
    int64_t dims[UNCORK_MAX_RANK];
    const size_t n = uc_tf_known(c, i, dims, UNCORK_MAX_RANK);
    const uc_ref ref = uc_tf_in(c, i);
    if (c->graph->status || !list) return;
    const int rank = uc_tf_rank(c, ref);
    if (n <= UNCORK_MAX_RANK && rank == 1) {
        (void)uc_tf_list_set_dims(c, list, dims, (int)n);
        return;
    }
    const int64_t count = rank == 1 ? uc_tf_dim(c, ref, 0) : -1;
    for (int64_t d = 0; d < count && d < UNCORK_MAX_RANK; d++) {
        dims[d] = -1;
    }
    if (count >= 0 && count <= UNCORK_MAX_RANK) {
        (void)uc_tf_list_set_dims(c, list, dims, (int)count);
    }
}

/* The same as an operand of ListGet and ListStack; 0: it says nothing. */
static uc_ref item_shape(uc_tf_call *c, size_t i)
{
    if (i >= uc_tf_in_count(c)) return 0;
    const uc_ref ref = uc_tf_in(c, i);
    return uc_tf_rank(c, ref) == 1 ? ref : 0;
}

void uc_tf_op_list_reserve(uc_tf_call *c)
{
    uc_tf_list *list =
        uc_tf_list_new(c, "element_dtype", UC_TF_LIST_EMPTY, uc_tf_list_number(c, 1));
    set_shape(c, list, 0);
    uc_tf_list_out(c, 0, list);
}

void uc_tf_op_list_empty(uc_tf_call *c)
{
    uc_tf_list *list =
        uc_tf_list_new(c, "element_dtype", UC_TF_LIST_EMPTY, uc_graph_i64(c->graph, 0));
    set_shape(c, list, 0);
    uc_tf_list_out(c, 0, list);
}

void uc_tf_op_list_from_tensor(uc_tf_call *c)
{
    uc_tf_list *list = uc_tf_list_new(c, "element_dtype", UC_TF_LIST_STACK, uc_tf_in(c, 0));
    set_shape(c, list, 1);
    uc_tf_list_out(c, 0, list);
}

void uc_tf_op_list_stack(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (list) uc_tf_out(c, 0, uc_tf_list_stack(c->build, list, item_shape(c, 1)));
}

void uc_tf_op_list_get(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (list) uc_tf_out(c, 0, uc_tf_list_read(c, list, uc_tf_in(c, 1), item_shape(c, 2)));
}

void uc_tf_op_list_set(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (!list) return;
    uc_tf_list *grown = uc_tf_list_like(c->graph, list, list->form, list->ref);
    if (!grown) return;
    grown->loop = list->loop;
    grown->grows = uc_tf_bool(c, "resize_if_index_out_of_bounds");
    uc_tf_list_out(c, 0, uc_tf_list_write(c, grown, uc_tf_in(c, 1), uc_tf_in(c, 2)));
}

void uc_tf_op_list_length(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (!list) return;
    const uc_ref n = uc_tf_list_length(c->build, list);
    uc_tf_out(c, 0, uc_g_cast(c->graph, n, UNCORK_INT32));
}

void uc_tf_op_list_push(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (!list) return;
    const uc_ref items =
        uc_g2(c->graph, "SequenceInsert", uc_tf_list_items(c->build, list), uc_tf_in(c, 1));
    uc_tf_list_out(c, 0, uc_tf_list_like(c->graph, list, UC_TF_LIST_ITEMS, items));
}

void uc_tf_op_list_pop(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_tf_list *list = list_in(c, 0);
    const uc_ref items = list ? uc_tf_list_items(c->build, list) : 0;
    if (!items) return;
    const uc_ref last = uc_g2(g, "Sub", uc_g1(g, "SequenceLength", items), uc_graph_i64(g, 1));
    uc_tf_list *whole = uc_tf_list_like(g, list, UC_TF_LIST_ITEMS, items);
    uc_tf_list_out(
        c, 0,
        uc_tf_list_like(g, list, UC_TF_LIST_ITEMS, uc_g2(g, "uncork.ListResize", items, last)));
    uc_tf_out(c, 1, uc_tf_list_read(c, whole, last, item_shape(c, 1)));
}

void uc_tf_op_list_resize(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_tf_list *list = list_in(c, 0);
    if (!list) return;
    const uc_ref n = uc_tf_list_number(c, 1);
    if (list->form == UC_TF_LIST_EMPTY) {
        uc_tf_list_out(c, 0, uc_tf_list_like(g, list, UC_TF_LIST_EMPTY, n));
        return;
    }
    const uc_ref items = uc_g2(g, "uncork.ListResize", uc_tf_list_items(c->build, list), n);
    uc_tf_list_out(c, 0, uc_tf_list_like(g, list, UC_TF_LIST_ITEMS, items));
}

void uc_tf_op_list_gather(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (list) uc_tf_out(c, 0, uc_tf_list_gather(c, list, 1, item_shape(c, 2)));
}

/* TensorListScatter, TensorListScatterV2: tensor, indices, element_shape, num_elements. */
void uc_tf_op_list_scatter(uc_tf_call *c)
{
    int64_t size = -1;
    uc_graph *g = c->graph;
    const bool sized = uc_tf_in_count(c) > 3 && !(uc_tf_known_one(c, 3, &size) && size < 0);
    uc_tf_list *list = uc_tf_list_new(c, "element_dtype", UC_TF_LIST_EMPTY,
                                      sized ? uc_tf_list_number(c, 3) : uc_graph_i64(g, 0));
    set_shape(c, list, 2);
    if (!list) return;
    list->grows = !sized;
    uc_tf_list_out(c, 0, uc_tf_list_scatter(c, list, 1, uc_tf_in(c, 0)));
}

void uc_tf_op_list_scatter_into(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (list) uc_tf_list_out(c, 0, uc_tf_list_scatter(c, list, 2, uc_tf_in(c, 1)));
}

void uc_tf_op_list_concat(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    if (list) uc_tf_list_concat(c, list);
}

void uc_tf_op_list_split(uc_tf_call *c)
{
    uc_tf_list *list = uc_tf_list_new(c, "element_dtype", UC_TF_LIST_ITEMS, 0);
    set_shape(c, list, 1);
    if (list) uc_tf_list_out(c, 0, uc_tf_list_split(c, list, uc_tf_in(c, 0), uc_tf_in(c, 2)));
}

void uc_tf_op_list_concat_lists(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_tf_list *a = list_in(c, 0), *b = list_in(c, 1);
    if (!a || !b) return;
    const uc_ref x = uc_tf_list_items(c->build, a), y = uc_tf_list_items(c->build, b);
    const uc_ref n = uc_g1(g, "SequenceLength", x);
    const uc_ref all = uc_g2(g, "Add", n, uc_g1(g, "SequenceLength", y));
    const uc_ref places = uc_g3(g, "Range", n, all, uc_graph_i64(g, 1));
    const uc_ref joined =
        uc_g3(g, "uncork.ListPlace", uc_g2(g, "uncork.ListResize", x, all), places, y);
    uc_tf_list_out(c, 0, uc_tf_list_like(g, a, UC_TF_LIST_ITEMS, joined));
}

void uc_tf_op_list_element_shape(uc_tf_call *c)
{
    const uc_tf_list *list = list_in(c, 0);
    uc_graph *g = c->graph;
    if (!list) return;
    const uc_ref shape = list->rank < 0 ? uc_graph_i64(g, -1) : uc_tf_list_shape(g, list);
    uc_tf_out(c, 0, uc_g_cast(g, shape, uc_tf_type(c, "shape_type")));
}
