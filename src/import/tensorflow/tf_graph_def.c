/* GraphDef and FunctionDef to records. Nodes of the main graph are read at once, functions are only found by
 * their names: a body is read when something calls it.
 *
 * Source: tensorflow/core/framework/{graph,node_def,function,op_def,attr_value}.proto of TensorFlow 2.21. */
#include "import/tensorflow/tf_file.h"

#include <inttypes.h>

#define GRAPH_NODES ((size_t)1 << 24)

/* ---- nodes ----------------------------------------------------------------------------------- */

typedef struct counts {
    size_t inputs, attrs;
} counts;

static counts count_fields(uc_bytes bytes, uint64_t offset)
{
    uncork_error ignored;
    counts n = {0, 0};
    uc_pb_field f;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(bytes.data, bytes.size, offset, &ignored);
    while (uc_pb_next(&r, &f)) {
        n.inputs += f.number == 3;
        n.attrs += f.number == 5;
    }
    return n;
}

/* {1 key, 2 value} of a map. */
static void read_pair(uc_reader *r, const uc_pb_field *field, uc_str *key, uc_bytes *value,
                      uint64_t *offset)
{
    uc_pb_field f;
    uc_reader in = uc_pb_message(r, field, 1, "a map's entry");
    *key = (uc_str){"", 0};
    *value = (uc_bytes){NULL, 0};
    *offset = 0;
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) *key = uc_pb_str(&in, &f, "a map's key");
        if (f.number == 2 && uc_pb_is(&in, &f, UC_PB_BYTES, "a map's value")) {
            *value = f.bytes;
            *offset = f.offset;
        }
    }
    if (!uc_reader_ok(&in)) r->failed = true;
}

/* Data inputs go to the front, control inputs ("^name") behind them, both in their order. */
static void sort_inputs(uc_tf_node *n, uc_str *controls, size_t count)
{
    size_t data = 0, control = 0;
    for (size_t i = 0; i < count; i++) {
        const uc_str s = n->inputs[i];
        if (s.size && s.data[0] == '^')
            controls[control++] = (uc_str){s.data + 1, s.size - 1};
        else
            n->inputs[data++] = s;
    }
    memcpy(n->inputs + data, controls, control * sizeof *controls);
    n->input_count = data;
    n->control_count = control;
}

static bool read_node(uc_reader *r, const uc_pb_field *field, uc_arena *arena, uc_tf_node *n)
{
    uc_reader in = uc_pb_message(r, field, 1, "a node");
    const counts count = count_fields(field->bytes, field->offset);
    uc_pb_field f;
    size_t at = 0;
    n->name = n->op = (uc_str){"", 0};
    n->inputs = UC_NEW(arena, uc_str, 2 * count.inputs);
    n->attrs = UC_NEW(arena, uc_tf_attr, count.attrs);
    if (!n->inputs || !n->attrs) return false;
    while (uc_pb_next(&in, &f)) {
        switch (f.number) {
        case 1: n->name = uc_pb_str(&in, &f, "a node's name"); break;
        case 2: n->op = uc_pb_str(&in, &f, "a node's op"); break;
        case 3:
            if (at < count.inputs) n->inputs[at++] = uc_pb_str(&in, &f, "a node's input");
            break;
        case 5: {
            uc_tf_attr *a = &n->attrs[n->attr_count];
            if (n->attr_count >= count.attrs) break;
            read_pair(&in, &f, &a->name, &a->value, &a->offset);
            n->attr_count++;
            break;
        }
        default: break;
        }
    }
    sort_inputs(n, n->inputs + count.inputs, at);
    n->def = uc_tf_def_find(n->op);
    n->row = uc_tf_row_find(n->op);
    if (!uc_reader_ok(&in)) r->failed = true;
    return uc_reader_ok(&in);
}

/* Every field `number` of a GraphDef (1) or FunctionDef (3) is a node. */
static bool read_nodes(uc_bytes bytes, uint64_t offset, uint32_t number, uc_arena *arena,
                       uc_tf_body *body, uncork_error *error)
{
    uc_pb_field f;
    size_t count = 0;
    uc_reader r = uc_reader_over(bytes.data, bytes.size, offset, error);
    while (uc_pb_next(&r, &f)) {
        count += f.number == number;
    }
    if (!uc_reader_ok(&r)) return false;
    if (count > GRAPH_NODES) {
        uc_fail(error, UNCORK_LIMIT, offset, "the graph has %zu nodes", count);
        return false;
    }
    body->nodes = UC_NEW(arena, uc_tf_node, count);
    body->by_name = uc_table_new(arena);
    if (!body->nodes || !body->by_name) return false;
    r = uc_reader_over(bytes.data, bytes.size, offset, error);
    while (uc_pb_next(&r, &f)) {
        if (f.number != number) continue;
        uc_tf_node *n = &body->nodes[body->node_count];
        if (!read_node(&r, &f, arena, n)) return false;
        if (uc_table_find(body->by_name, n->name)) {
            uc_fail(error, UNCORK_MALFORMED, f.offset, "two nodes are called '%.*s'",
                    n->name.size < 80 ? (int)n->name.size : 80, n->name.data);
            return false;
        }
        if (!uc_table_put(body->by_name, n->name, n)) return false;
        body->node_count++;
    }
    return uc_reader_ok(&r);
}

const uc_tf_node *uc_tf_body_find(const uc_tf_body *body, uc_str name)
{
    return uc_table_find(body->by_name, name);
}

/* ---- functions ------------------------------------------------------------------------------- */

/* OpDef.ArgDef {1 name, 3 type, 4 type_attr, 5 number_attr, 6 type_list_attr}. */
static void read_arg(uc_reader *r, const uc_pb_field *field, uc_tf_arg *arg)
{
    uc_pb_field f;
    uc_reader in = uc_pb_message(r, field, 2, "an argument");
    *arg = (uc_tf_arg){.name = {"", 0}, .type_attr = {"", 0}};
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) arg->name = uc_pb_str(&in, &f, "an argument's name");
        if (f.number == 3) arg->type = (int64_t)f.value;
        if (f.number == 4) arg->type_attr = uc_pb_str(&in, &f, "an argument's type");
        if ((f.number == 5 || f.number == 6) && f.bytes.size) {
            uc_reader_fail(&in, "a function takes a list of tensors as one argument");
        }
    }
    if (!uc_reader_ok(&in)) r->failed = true;
}

static size_t count_number(uc_bytes bytes, uint32_t number)
{
    uncork_error ignored;
    uc_pb_field f;
    size_t n = 0;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, &ignored);
    while (uc_pb_next(&r, &f)) {
        n += f.number == number;
    }
    return n;
}

/* OpDef {1 name, 2 input_arg, 3 output_arg, 4 attr}. */
static bool read_signature(uc_reader *r, const uc_pb_field *field, uc_arena *arena, uc_tf_body *b)
{
    uc_pb_field f;
    uc_reader in = uc_pb_message(r, field, 1, "a function's signature");
    const size_t args = count_number(field->bytes, 2), rets = count_number(field->bytes, 3);
    b->args = UC_NEW(arena, uc_tf_arg, args);
    b->rets = UC_NEW(arena, uc_tf_ret, rets);
    b->arg_count = b->ret_count = 0;
    if (!b->args || !b->rets) return false;
    while (uc_pb_next(&in, &f)) {
        if (f.number == 2 && b->arg_count < args) read_arg(&in, &f, &b->args[b->arg_count++]);
        if (f.number == 3 && b->ret_count < rets) {
            uc_tf_arg out;
            read_arg(&in, &f, &out);
            b->rets[b->ret_count++] = (uc_tf_ret){.name = out.name, .from = {"", 0}};
        }
    }
    if (!uc_reader_ok(&in)) r->failed = true;
    return uc_reader_ok(&in);
}

static void read_ret(uc_reader *r, const uc_pb_field *field, uc_tf_body *b)
{
    uc_str key;
    uc_bytes value;
    uint64_t offset;
    read_pair(r, field, &key, &value, &offset);
    for (size_t i = 0; i < b->ret_count; i++) {
        if (uc_str_equal(b->rets[i].name, key)) {
            b->rets[i].from = (uc_str){(const char *)value.data, value.size};
            return;
        }
    }
}

static bool read_control_ret(uc_reader *r, const uc_pb_field *field, uc_arena *arena, uc_tf_body *b)
{
    uc_str key;
    uc_bytes value;
    uint64_t offset;
    read_pair(r, field, &key, &value, &offset);
    size_t capacity = b->control_ret_count;
    uc_str *rets =
        uc_arena_grow(arena, b->control_rets, &capacity, b->control_ret_count + 1, sizeof *rets);
    if (!rets) return false;
    b->control_rets = rets;
    rets[b->control_ret_count++] = (uc_str){(const char *)value.data, value.size};
    return true;
}

uncork_status uc_tf_body_read(const uc_tf_function *function, uc_arena *arena, uc_tf_body **body,
                              uncork_error *error)
{
    uc_pb_field f;
    uc_tf_body *b = UC_NEW(arena, uc_tf_body, 1);
    *body = b;
    if (!b) return uc_arena_status(arena, error);
    b->name = function->name;
    bool ok = true;
    uc_reader r =
        uc_reader_over(function->bytes.data, function->bytes.size, function->offset, error);
    while (ok && uc_pb_next(&r, &f)) {
        if (f.number == 1) ok = read_signature(&r, &f, arena, b);
    }
    r = uc_reader_over(function->bytes.data, function->bytes.size, function->offset, error);
    while (ok && uc_pb_next(&r, &f)) {
        if (f.number == 4) read_ret(&r, &f, b);
        if (f.number == 6) ok = read_control_ret(&r, &f, arena, b);
    }
    ok =
        ok && uc_reader_ok(&r) && read_nodes(function->bytes, function->offset, 3, arena, b, error);
    if (ok) return UNCORK_OK;
    UC_TRY(uc_arena_status(arena, error));
    uc_fail(error, UNCORK_MALFORMED, function->offset, "a function is broken");
    return uc_where(error, "function '%.*s'",
                    function->name.size < 120 ? (int)function->name.size : 120,
                    function->name.data);
}

/* The name of a FunctionDef: signature {name}. */
static uc_str function_name(uc_reader *r, const uc_pb_field *field)
{
    uc_pb_field f, g;
    uc_str name = {"", 0};
    uc_reader in = uc_pb_message(r, field, 1, "a function");
    while (uc_pb_next(&in, &f)) {
        if (f.number != 1) continue;
        uc_reader s = uc_pb_message(&in, &f, 2, "a function's signature");
        while (uc_pb_next(&s, &g)) {
            if (g.number == 1) name = uc_pb_str(&s, &g, "a function's name");
        }
        if (!uc_reader_ok(&s)) in.failed = true;
        break;
    }
    if (!uc_reader_ok(&in)) r->failed = true;
    return name;
}

static bool read_library(uc_reader *r, const uc_pb_field *field, uc_arena *arena, uc_tf_graph *g)
{
    uc_pb_field f;
    uc_reader in = uc_pb_message(r, field, 1, "the function library");
    while (uc_pb_next(&in, &f)) {
        if (f.number != 1) continue;
        uc_tf_function *one = UC_NEW(arena, uc_tf_function, 1);
        if (!one) return false;
        *one = (uc_tf_function){function_name(&in, &f), f.bytes, f.offset};
        if (!uc_reader_ok(&in) || !uc_table_put(g->functions, one->name, one)) return false;
        g->function_count++;
    }
    if (!uc_reader_ok(&in)) r->failed = true;
    return uc_reader_ok(&in);
}

const uc_tf_function *uc_tf_function_find(const uc_tf_graph *graph, uc_str name)
{
    return name.size ? uc_table_find(graph->functions, name) : NULL;
}

/* ---- GraphDef -------------------------------------------------------------------------------- */

/* {1 node, 2 library, 3 version, 4 versions{1 producer}}. */
uncork_status uc_tf_graph_read(uc_bytes bytes, uint64_t offset, uc_arena *arena, uc_tf_graph *graph,
                               uncork_error *error)
{
    uc_pb_field f, v;
    graph->bytes = bytes;
    graph->offset = offset;
    graph->functions = uc_table_new(arena);
    graph->main = UC_NEW(arena, uc_tf_body, 1);
    if (!graph->functions || !graph->main) return uc_arena_status(arena, error);
    graph->main->name = (uc_str){"", 0};
    bool ok = true;
    uc_reader r = uc_reader_over(bytes.data, bytes.size, offset, error);
    while (ok && uc_pb_next(&r, &f)) {
        if (f.number == 2) ok = read_library(&r, &f, arena, graph);
        if (f.number == 3 && !graph->producer) graph->producer = (int64_t)f.value;
        if (f.number != 4) continue;
        uc_reader in = uc_pb_message(&r, &f, 1, "the graph's versions");
        while (uc_pb_next(&in, &v)) {
            if (v.number == 1) graph->producer = (int64_t)v.value;
        }
        ok = uc_reader_ok(&in);
    }
    ok = ok && uc_reader_ok(&r) && read_nodes(bytes, offset, 1, arena, graph->main, error);
    if (ok) return UNCORK_OK;
    UC_TRY(uc_arena_status(arena, error));
    return uc_fail(error, UNCORK_MALFORMED, offset, "the graph is broken");
}

/* ---- shapes ---------------------------------------------------------------------------------- */

/* TensorShapeProto {2 dim{1 size}, 3 unknown_rank}. */
bool uc_tf_shape_read(uc_bytes bytes, uint64_t offset, uc_arena *arena, int *rank, int64_t **dims,
                      uncork_error *error)
{
    uc_pb_field f, d;
    int64_t found[UNCORK_MAX_RANK];
    uc_reader r = uc_reader_over(bytes.data, bytes.size, offset, error);
    *rank = 0;
    while (uc_pb_next(&r, &f)) {
        if (f.number == 3 && f.value) {
            *rank = -1;
            return true;
        }
        if (f.number != 2) continue;
        if (*rank == UNCORK_MAX_RANK) {
            uc_fail(error, UNCORK_LIMIT, f.offset, "a shape has more than %d dimensions",
                    UNCORK_MAX_RANK);
            return false;
        }
        uc_reader in = uc_pb_message(&r, &f, 2, "a dimension");
        found[*rank] = 0;
        while (uc_pb_next(&in, &d)) {
            if (d.number == 1) found[*rank] = (int64_t)d.value;
        }
        if (!uc_reader_ok(&in)) return false;
        if (found[*rank] < 0) found[*rank] = -1;
        (*rank)++;
    }
    *dims = UC_NEW(arena, int64_t, (size_t)*rank);
    if (!*dims) return false;
    memcpy(*dims, found, (size_t)*rank * sizeof *found);
    return uc_reader_ok(&r);
}
