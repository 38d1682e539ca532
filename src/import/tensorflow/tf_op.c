/* tf_op.h: the op is the only node of a body whose arguments are the values given. */
#include "import/tensorflow/tf_op.h"

#include "import/tensorflow/tf_scope.h"

struct uc_tf_ops {
    uc_tf_file file; /* without a graph or a checkpoint */
    uc_tf_session *session;
    uc_tf_build build;
};

uc_tf_ops *uc_tf_ops_open(uc_graph *g, uc_findings *findings)
{
    uc_tf_ops *ops = UC_NEW(g->arena, uc_tf_ops, 1);
    if (!ops) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    ops->file.no_checkpoint = (uncork_error){.status = UNCORK_UNSUPPORTED,
                                             .what = "the file holds no checkpoint of variables"};
    if (uc_tf_graph_read((uc_bytes){(const uint8_t *)"", 0}, 0, g->arena, &ops->file.graph,
                         g->error)) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    ops->session = uc_tf_session_open(&ops->file, g);
    if (!ops->session || !uc_tf_build_open(&ops->build, ops->session, g, findings, 0)) return NULL;
    return ops;
}

void uc_tf_ops_close(uc_tf_ops *ops)
{
    if (!ops) return;
    uc_tf_build_close(&ops->build);
    uc_tf_session_close(ops->session);
}

/* The NodeDef as the only node (field 1) of a GraphDef. */
static uc_bytes wrapped(uc_graph *g, uc_bytes node)
{
    uint8_t *to = UC_NEW(g->arena, uint8_t, node.size + 11);
    size_t at = 0, left = node.size;
    if (!to) return (uc_bytes){NULL, 0};
    to[at++] = 1 << 3 | 2;
    for (; left >= 0x80; left >>= 7)
        to[at++] = (uint8_t)(left | 0x80);
    to[at++] = (uint8_t)left;
    memcpy(to + at, node.data, node.size);
    return (uc_bytes){to, at + node.size};
}

/* A body of the node, whose inputs are the body's arguments. */
static uc_tf_body *body_of(uc_graph *g, uc_bytes bytes, size_t in_count)
{
    uc_tf_graph read = {.main = NULL};
    const uc_bytes whole = wrapped(g, bytes);
    const uncork_status status =
        whole.data ? uc_tf_graph_read(whole, 0, g->arena, &read, g->error) : UNCORK_NO_MEMORY;
    if (status || read.main->node_count != 1) {
        uc_graph_fail(g, status ? status : UNCORK_MALFORMED, "its NodeDef can't be read");
        return NULL;
    }
    uc_tf_node *node = &read.main->nodes[0];
    read.main->name = uc_str_of("an operator");
    read.main->args = UC_NEW(g->arena, uc_tf_arg, in_count);
    read.main->arg_count = in_count;
    node->inputs = UC_NEW(g->arena, uc_str, in_count);
    node->input_count = in_count;
    node->control_count = 0;
    for (size_t i = 0; read.main->args && node->inputs && i < in_count; i++) {
        const char *name = uc_arena_printf(g->arena, "input %zu", i);
        node->inputs[i] = uc_str_of(name ? name : "");
        read.main->args[i] = (uc_tf_arg){.name = node->inputs[i]};
    }
    if (!uc_arena_status(g->arena, g->error)) return read.main;
    uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return NULL;
}

bool uc_tf_ops_emit(uc_tf_ops *ops, uc_bytes bytes, const uc_tf_op_value *in, size_t in_count,
                    uc_tf_op_value *out, size_t out_count)
{
    uc_tf_build *b = &ops->build;
    uc_graph *g = b->graph;
    const uc_tf_body *body = body_of(g, bytes, in_count);
    uc_tf_scope *s = body ? uc_tf_scope_new(b, body, 0) : NULL;
    uc_tf_value *args = s ? UC_NEW(g->arena, uc_tf_value, in_count) : NULL;
    if (!args) return false;
    const uc_str op = body->nodes[0].op;
    if (!body->nodes[0].row) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "TensorFlow's op %.*s isn't supported",
                      op.size < 60 ? (int)op.size : 60, op.data);
        return false;
    }
    for (size_t i = 0; i < in_count; i++) {
        const uc_tf_value *other = in[i].other;
        args[i] = other ? *other : (uc_tf_value){.kind = UC_TF_TENSOR, .ref = in[i].ref};
    }
    s->args = args;
    for (size_t i = 0; i < out_count && !g->status; i++) {
        const uc_tf_value *v = uc_tf_demand(s, (uc_tf_edge){0, (int32_t)i});
        const bool is_ref = v->kind == UC_TF_TENSOR;
        uc_tf_value *kept = is_ref ? NULL : UC_NEW(g->arena, uc_tf_value, 1);
        if (kept) *kept = *v;
        out[i] = (uc_tf_op_value){.ref = is_ref ? uc_tf_plain(b, v) : 0, .other = kept};
    }
    return !g->status;
}
