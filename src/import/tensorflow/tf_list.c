/* Forms of a list of tensors: as long as nothing but its size is known it is a number, unstacked tensors
 * stay tensors, and only what is neither becomes a sequence (uncork.List*). */
#include "import/tensorflow/tf_list.h"

#include "import/tensorflow/tf_loop.h"
#include "import/tensorflow/tf_scope.h"

uc_tf_list *uc_tf_list_like(uc_graph *g, const uc_tf_list *like, uc_tf_list_form form, uc_ref ref)
{
    uc_tf_list *list = UC_NEW(g->arena, uc_tf_list, 1);
    if (!list) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    *list = *like;
    list->form = form;
    list->ref = ref;
    list->loop = NULL;
    return list;
}

uc_tf_value uc_tf_list_value(uc_tf_list *list)
{
    return (uc_tf_value){.kind = list ? UC_TF_LIST : UC_TF_NOTHING, .payload = list};
}

/* ---- sequences ------------------------------------------------------------------------------- */

static uc_ref reserve(uc_graph *g, const uc_tf_list *list)
{
    uc_node *n = uc_graph_node(g, "uncork.ListReserve", &list->ref, 1, 1);
    uc_node_int(g, n, "dtype", list->dtype);
    uc_node_ints(g, n, "shape", list->dims, list->rank > 0 ? (size_t)list->rank : 0);
    uc_node_int(g, n, "unranked", list->rank < 0);
    return uc_node_out(n, 0);
}

static uc_ref split(uc_graph *g, uc_ref stack)
{
    uc_node *n = uc_graph_node(g, "SplitToSequence", &stack, 1, 1);
    uc_node_int(g, n, "axis", 0);
    uc_node_int(g, n, "keepdims", 0);
    return uc_node_out(n, 0);
}

uc_ref uc_tf_list_items(uc_tf_build *b, const uc_tf_list *list)
{
    const uc_tf_list *l = list ? uc_tf_list_settle(b, list) : NULL;
    if (!l || b->graph->status) return 0;
    if (l->form == UC_TF_LIST_EMPTY) return reserve(b->graph, l);
    return l->form == UC_TF_LIST_STACK ? split(b->graph, l->ref) : l->ref;
}

const uc_tf_list *uc_tf_list_settle(uc_tf_build *b, const uc_tf_list *list)
{
    uc_graph *g = b->graph;
    if (list->form != UC_TF_LIST_CARRIED && list->form != UC_TF_LIST_WRITTEN) return list;
    if (list->loop->region.inner != b) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "a loop's list outside of the loop");
        return NULL;
    }
    uc_ref items = uc_tf_loop_items(list->loop, list->variable);
    if (list->form == UC_TF_LIST_WRITTEN) {
        const uc_ref in[] = {items, list->at, list->item};
        uc_node *n = uc_graph_node(g, "uncork.ListSet", in, 3, 1);
        uc_node_int(g, n, "grow", list->grows);
        items = uc_node_out(n, 0);
    }
    return uc_tf_list_like(g, list, UC_TF_LIST_ITEMS, items);
}

uc_tf_value uc_tf_list_take(uc_tf_region *r, const uc_tf_value *v)
{
    const uc_tf_list *list = uc_tf_list_settle(r->outer, v->payload);
    uc_graph *g = r->inner->graph;
    if (!list) return (uc_tf_value){.kind = UC_TF_NOTHING};
    return uc_tf_list_value(
        uc_tf_list_like(g, list, list->form, uc_tf_region_take_ref(r, list->ref)));
}

/* ---- reading --------------------------------------------------------------------------------- */

uc_ref uc_tf_list_shape(uc_graph *g, const uc_tf_list *list)
{
    return list->rank < 0 ? 0 : uc_graph_i64s(g, list->dims, list->rank);
}

uc_ref uc_tf_list_stack(uc_tf_build *b, const uc_tf_list *list, uc_ref shape)
{
    uc_graph *g = b->graph;
    const uc_tf_list *l = uc_tf_list_settle(b, list);
    if (!l || g->status) return 0;
    if (l->form == UC_TF_LIST_STACK) return l->ref;
    const uc_ref in[] = {uc_tf_list_items(b, l), shape ? shape : uc_tf_list_shape(g, l)};
    return uc_node_out(uc_graph_node(g, "uncork.ListStack", in, in[1] ? 2 : 1, 1), 0);
}

uc_ref uc_tf_list_length(uc_tf_build *b, const uc_tf_list *list)
{
    const int64_t scalar[1] = {0};
    uc_graph *g = b->graph;
    const uc_tf_list *l = uc_tf_list_settle(b, list);
    if (!l || g->status) return 0;
    if (l->form == UC_TF_LIST_EMPTY) return l->ref;
    if (l->form == UC_TF_LIST_ITEMS) return uc_g1(g, "SequenceLength", l->ref);
    return uc_g_reshape(g, uc_g_slice(g, uc_g1(g, "Shape", l->ref), 0, 0, 1), scalar, 0);
}

bool uc_tf_list_of_one_shape(const uc_tf_call *c)
{
    static const char *const joins[] = {"TensorListConcat", "TensorListConcatV2",
                                        "TensorArrayConcatV2", "TensorArrayConcatV3"};
    const uc_tf_body *body = c->scope->body;
    for (size_t i = 0; i < body->node_count; i++) {
        for (size_t k = 0; k < sizeof joins / sizeof joins[0]; k++) {
            if (uc_str_is(body->nodes[i].op, joins[k])) return false;
        }
    }
    return true;
}
