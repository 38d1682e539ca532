/* Ops that the engine has under their own name, uncork.Tf..., with TensorFlow's inputs, attributes and outputs:
 * nothing is translated but the attributes' kinds. */
#include "import/tensorflow/tf_ops.h"

enum { MOST = 4096, NAME = 64 };

/* ---- attributes ------------------------------------------------------------------------------ */

static void put_list(uc_tf_call *c, uc_node *n, const char *name, const char *kind)
{
    uc_graph *g = c->graph;
    int64_t *ints = UC_NEW(g->arena, int64_t, MOST);
    double *floats = UC_NEW(g->arena, double, MOST);
    uc_str *strings = UC_NEW(g->arena, uc_str, MOST);
    if (!ints || !floats || !strings) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    if (strncmp(kind, "float", 5) == 0) {
        uc_node_floats(g, n, name, floats, uc_tf_floats(c, name, floats, MOST));
    } else if (strncmp(kind, "string", 6) == 0) {
        uc_node_strs(g, n, name, strings, uc_tf_strs(c, name, strings, MOST));
    } else if (strncmp(kind, "type", 4) == 0) {
        const size_t count = uc_tf_types(c, name, ints, MOST);
        for (size_t i = 0; i < count; i++) {
            ints[i] = uc_tf_dtype(ints[i]);
        }
        uc_node_ints(g, n, name, ints, count);
    } else if (strncmp(kind, "shape", 5) == 0) {
        uc_node_ints(g, n, name, ints, uc_tf_shapes(c, name, ints, MOST));
    } else if (strncmp(kind, "int", 3) == 0) {
        uc_node_ints(g, n, name, ints, uc_tf_ints(c, name, ints, MOST));
    }
}

static void put(uc_tf_call *c, uc_node *n, const char *name, const char *kind)
{
    uc_graph *g = c->graph;
    const char *end = kind + strcspn(kind, "=|");
    int64_t dims[UNCORK_MAX_RANK];
    if (end > kind + 2 && end[-1] == ']') {
        put_list(c, n, name, kind);
    } else if (strncmp(kind, "int", 3) == 0) {
        uc_node_int(g, n, name, uc_tf_int(c, name));
    } else if (strncmp(kind, "bool", 4) == 0) {
        uc_node_int(g, n, name, uc_tf_bool(c, name));
    } else if (strncmp(kind, "float", 5) == 0) {
        uc_node_float(g, n, name, uc_tf_float(c, name));
    } else if (strncmp(kind, "type", 4) == 0) {
        uc_node_int(g, n, name, uc_tf_type(c, name));
    } else if (strncmp(kind, "string", 6) == 0) {
        const uc_str s = uc_tf_str(c, name);
        const char *copy = uc_arena_copy(g->arena, s.data, s.size);
        uc_node_str(g, n, name, copy ? copy : "");
    } else if (strncmp(kind, "shape", 5) == 0) {
        const int rank = uc_tf_shape(c, name, dims);
        if (rank >= 0) uc_node_ints(g, n, name, dims, (size_t)rank);
    }
}

static void put_all(uc_tf_call *c, uc_node *n)
{
    const char *at = uc_tf_def_attrs(c->node->def);
    while (*at && !c->graph->status) {
        const char *end = at + strcspn(at, "|"), *colon = strchr(at, ':');
        char name[NAME];
        if (colon && colon < end && colon - at < NAME) {
            memcpy(name, at, (size_t)(colon - at));
            name[colon - at] = '\0';
            put(c, n, name, colon + 1);
        }
        at = *end ? end + 1 : end;
    }
}

/* ---- outputs --------------------------------------------------------------------------------- */

/* "sum:T", "values:N*T", "values:*types". */
static size_t length_of(uc_tf_call *c, const char *type, const char *end)
{
    char name[NAME];
    int64_t types[UNCORK_MAX_RANK * 16];
    const char *star = memchr(type, '*', (size_t)(end - type));
    if (!star) return 1;
    const char *from = star == type ? star + 1 : type, *to = star == type ? end : star;
    if (to - from >= NAME) return 0;
    memcpy(name, from, (size_t)(to - from));
    name[to - from] = '\0';
    if (star == type) return uc_tf_types(c, name, types, sizeof types / sizeof types[0]);
    const int64_t n = uc_tf_int(c, name);
    return n > 0 && n < 65536 ? (size_t)n : 0;
}

size_t uc_tf_out_count(uc_tf_call *c)
{
    const char *at = uc_tf_def_outputs(c->node->def);
    size_t n = 0;
    while (*at) {
        const char *end = at + strcspn(at, "|"), *colon = strchr(at, ':');
        if (colon && colon < end) n += length_of(c, colon + 1, end);
        at = *end ? end + 1 : end;
    }
    return n;
}

/* ---- the emitters ---------------------------------------------------------------------------- */

uc_node *uc_tf_direct_node(uc_tf_call *c, const char *op, const uc_ref *in, size_t in_count,
                           size_t out_count)
{
    if (!op) {
        const uc_str name = c->node->op;
        op = uc_arena_printf(c->graph->arena, "uncork.Tf%.*s", (int)name.size, name.data);
    }
    uc_node *n = uc_graph_node(c->graph, op ? op : "", in, in_count, out_count);
    put_all(c, n);
    return n;
}

void uc_tf_op_direct(uc_tf_call *c)
{
    const size_t count = uc_tf_in_count(c), outs = uc_tf_out_count(c);
    uc_ref *in = UC_NEW(c->graph->arena, uc_ref, count + 1);
    if (!in) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        in[i] = uc_tf_in(c, i);
    }
    if (c->graph->status) return;
    const uc_node *n = uc_tf_direct_node(c, c->node->row->onnx, in, count, outs);
    for (size_t i = 0; i < outs; i++) {
        uc_tf_out(c, i, uc_node_out(n, i));
    }
}

/* Element by element: any layout. */
void uc_tf_op_direct_each(uc_tf_call *c)
{
    if (!uc_tf_is_first(c, 0) || uc_tf_in_count(c) != 1) {
        uc_tf_op_direct(c);
        return;
    }
    const uc_ref x = uc_tf_first(c, 0);
    uc_tf_out_first(c, 0, uc_node_out(uc_tf_direct_node(c, c->node->row->onnx, &x, 1, 1), 0));
}
