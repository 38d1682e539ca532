/* ModelProto and what hangs below it, from bytes to records. Field numbers: onnx/onnx.proto.
 * Numbers and texts: the last one wins; lists and messages of one field add up, as protobuf merges. */
#include "base/limits.h"
#include "import/onnx/onnx_proto.h"

typedef struct read {
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
    uc_onnx_model *model;
    int graphs; /* bodies inside each other here */
} read;

/* A list whose room couldn't be made. */
static void out_of_memory(read *c, uc_reader *r)
{
    uc_arena_status(c->arena, c->error);
    uc_fail_memory(c->error);
    r->failed = true;
}

static uc_str read_str(uc_reader *r, const uc_pb_field *f, const char *what)
{
    return uc_pb_str(r, f, what);
}

static int64_t read_int(uc_reader *r, const uc_pb_field *f, const char *what)
{
    return uc_pb_is(r, f, UC_PB_VARINT, what) ? (int64_t)f->value : 0;
}

static void push_str(read *c, uc_reader *r, const uc_pb_field *f, uc_onnx_strs *list,
                     const char *what)
{
    const uc_str s = read_str(r, f, what);
    uc_str *item = UC_ONNX_PUSH(c->arena, list);
    if (!item) {
        out_of_memory(c, r);
        return;
    }
    *item = s;
}

/* StringStringEntryProto */
static void push_pair(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_pairs *list,
                      const char *what)
{
    uc_reader in = uc_pb_message(r, f, depth, what);
    uc_onnx_pair *pair = UC_ONNX_PUSH(c->arena, list);
    if (!pair) {
        out_of_memory(c, r);
        return;
    }
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        if (g.number == 1) pair->key = read_str(&in, &g, what);
        if (g.number == 2) pair->value = read_str(&in, &g, what);
    }
    r->failed = r->failed || in.failed;
}

/* ---- tensors ------------------------------------------------------------------------------ */

static void read_tensor(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_tensor *t)
{
    uc_reader in = uc_pb_message(r, f, depth, "a tensor");
    uc_pb_field g;
    t->message = f->bytes;
    t->offset = f->offset;
    while (uc_pb_next(&in, &g)) {
        switch (g.number) {
        case 1:
            uc_pb_i64s(&in, &g, c->arena, &t->dims, &t->dim_count, &t->dim_capacity,
                       "a tensor's dims");
            break;
        case 2: t->data_type = read_int(&in, &g, "a tensor's data_type"); break;
        case 3: t->is_segment = true; break;
        case 4:
        case 5:
        case 6:
        case 7:
        case 10:
        case 11: t->typed |= 1u << g.number; break;
        case 8: t->name = read_str(&in, &g, "a tensor's name"); break;
        case 9:
            if (uc_pb_is(&in, &g, UC_PB_BYTES, "raw_data")) t->raw = g.bytes;
            t->has_raw = true;
            break;
        case 13: push_pair(c, &in, &g, depth + 1, &t->external, "external_data"); break;
        case 14: t->is_external = read_int(&in, &g, "data_location") == 1; break;
        default: break;
        }
    }
    if (t->is_external) c->model->has_external = true;
    r->failed = r->failed || in.failed;
}

static void read_sparse(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_sparse *s)
{
    uc_reader in = uc_pb_message(r, f, depth, "a sparse tensor");
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        if (g.number == 1) read_tensor(c, &in, &g, depth + 1, &s->values);
        if (g.number == 2) read_tensor(c, &in, &g, depth + 1, &s->indices);
        if (g.number == 3) {
            uc_pb_i64s(&in, &g, c->arena, &s->dims, &s->dim_count, &s->dim_capacity,
                       "a sparse tensor's dims");
        }
    }
    r->failed = r->failed || in.failed;
}

/* ---- types -------------------------------------------------------------------------------- */

static void read_dims(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_type *t)
{
    uc_reader in = uc_pb_message(r, f, depth, "a shape");
    uc_pb_field g, h;
    t->has_shape = true;
    while (uc_pb_next(&in, &g)) {
        if (g.number != 1) continue;
        uc_reader dim = uc_pb_message(&in, &g, depth + 1, "a dimension");
        uc_onnx_dim *d = UC_ONNX_PUSH(c->arena, &t->dims);
        if (!d) {
            out_of_memory(c, r);
            return;
        }
        *d = (uc_onnx_dim){.value = -1};
        while (uc_pb_next(&dim, &h)) {
            if (h.number == 1) d->value = read_int(&dim, &h, "dim_value");
            if (h.number == 2) d->param = read_str(&dim, &h, "dim_param");
        }
        in.failed = in.failed || dim.failed;
    }
    r->failed = r->failed || in.failed;
}

static void read_type(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_type *t);

static void read_inside(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_type *t)
{
    if (!t->inside) t->inside = UC_NEW(c->arena, uc_onnx_type, 1);
    if (!t->inside) {
        out_of_memory(c, r);
        return;
    }
    read_type(c, r, f, depth, t->inside);
}

/* TypeProto.Tensor, .Sequence, .Map, .Optional: their fields don't clash. */
static void read_type_value(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_type *t)
{
    uc_reader in = uc_pb_message(r, f, depth, "a type");
    uc_pb_field g;
    const bool tensor = t->kind == UC_ONNX_TENSOR_TYPE || t->kind == UC_ONNX_SPARSE_TYPE;
    while (t->kind != UC_ONNX_OPAQUE_TYPE && uc_pb_next(&in, &g)) {
        if (g.number == 1 && (tensor || t->kind == UC_ONNX_MAP_TYPE)) {
            t->elem = read_int(&in, &g, "an element type");
        } else if (g.number == 1 || (g.number == 2 && !tensor)) {
            read_inside(c, &in, &g, depth + 1, t);
        } else if (g.number == 2) {
            read_dims(c, &in, &g, depth + 1, t);
        }
    }
    r->failed = r->failed || in.failed;
}

static void read_type(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_type *t)
{
    uc_reader in = uc_pb_message(r, f, depth, "a type");
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        switch (g.number) {
        case 1: t->kind = UC_ONNX_TENSOR_TYPE; break;
        case 4: t->kind = UC_ONNX_SEQUENCE_TYPE; break;
        case 5: t->kind = UC_ONNX_MAP_TYPE; break;
        case 7: t->kind = UC_ONNX_OPAQUE_TYPE; break;
        case 8: t->kind = UC_ONNX_SPARSE_TYPE; break;
        case 9: t->kind = UC_ONNX_OPTIONAL_TYPE; break;
        default: continue; /* denotation */
        }
        read_type_value(c, &in, &g, depth + 1, t);
    }
    r->failed = r->failed || in.failed;
}

static void push_value(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_values *list)
{
    uc_reader in = uc_pb_message(r, f, depth, "an input or output");
    uc_onnx_value *v = UC_ONNX_PUSH(c->arena, list);
    if (!v) {
        out_of_memory(c, r);
        return;
    }
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        if (g.number == 1) v->name = read_str(&in, &g, "a value's name");
        if (g.number == 2) read_type(c, &in, &g, depth + 1, &v->type);
        if (g.number == 3) v->doc = read_str(&in, &g, "a doc_string");
    }
    r->failed = r->failed || in.failed;
}

/* ---- attributes and nodes ----------------------------------------------------------------- */

static void read_graph(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_graph *g);

/* A record below an attribute, made when its field comes. */
#define MAKE(c, r, member, type)                               \
    do {                                                       \
        if (!(member)) (member) = UC_NEW((c)->arena, type, 1); \
        if (!(member)) {                                       \
            out_of_memory((c), (r));                           \
            return;                                            \
        }                                                      \
    } while (0)

static void read_body(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_attr *a)
{
    MAKE(c, r, a->graph, uc_onnx_graph);
    if (++c->graphs > UC_LIMIT_ONNX_BODIES) {
        uc_reader_fail(r, "more than %d graphs inside each other", UC_LIMIT_ONNX_BODIES);
    } else {
        read_graph(c, r, f, depth, a->graph);
    }
    c->graphs--;
    if (uc_reader_ok(r) && uc_onnx_find_free(a->graph, c->arena, c->error)) r->failed = true;
}

/* The members that are messages. */
static void read_attr_message(read *c, uc_reader *r, const uc_pb_field *f, int depth,
                              uc_onnx_attr *a)
{
    switch (f->number) {
    case 5:
        MAKE(c, r, a->tensor, uc_onnx_tensor);
        *a->tensor = (uc_onnx_tensor){0};
        read_tensor(c, r, f, depth, a->tensor);
        break;
    case 6: read_body(c, r, f, depth, a); break;
    case 14:
        MAKE(c, r, a->type_proto, uc_onnx_type);
        read_type(c, r, f, depth, a->type_proto);
        break;
    case 22:
        MAKE(c, r, a->sparse, uc_onnx_sparse);
        read_sparse(c, r, f, depth, a->sparse);
        break;
    default: break;
    }
}

/* Files from before `type` was written: what is there tells. */
static uc_onnx_attr_type guess_type(const uc_onnx_attr *a, uint32_t seen)
{
    static const struct {
        int field;
        uc_onnx_attr_type type;
    } fields[] = {{2, UC_ONNX_FLOAT},    {3, UC_ONNX_INT},           {4, UC_ONNX_STRING},
                  {5, UC_ONNX_TENSOR},   {6, UC_ONNX_GRAPH},         {7, UC_ONNX_FLOATS},
                  {8, UC_ONNX_INTS},     {9, UC_ONNX_STRINGS},       {14, UC_ONNX_TYPE_PROTO},
                  {10, UC_ONNX_TENSORS}, {22, UC_ONNX_SPARSE_TENSOR}};
    if (a->type != UC_ONNX_UNDEFINED) return a->type;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (seen >> fields[i].field & 1) return fields[i].type;
    }
    return UC_ONNX_UNDEFINED;
}

static void read_attr(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_attr *a)
{
    uc_reader in = uc_pb_message(r, f, depth, "an attribute");
    uint32_t seen = 0;
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        if (g.number < 32) seen |= 1u << g.number;
        switch (g.number) {
        case 1: a->name = read_str(&in, &g, "an attribute's name"); break;
        case 2:
            if (uc_pb_is(&in, &g, UC_PB_FIXED32, "a float attribute")) {
                a->f = (double)uc_pb_float(g.value);
            }
            break;
        case 3: a->i = read_int(&in, &g, "an int attribute"); break;
        case 4: a->s = read_str(&in, &g, "a string attribute"); break;
        case 7:
            uc_pb_f32s(&in, &g, c->arena, &a->floats, &a->float_count, &a->float_capacity,
                       "a floats attribute");
            break;
        case 8:
            uc_pb_i64s(&in, &g, c->arena, &a->ints, &a->int_count, &a->int_capacity,
                       "an ints attribute");
            break;
        case 9: push_str(c, &in, &g, &a->strings, "a strings attribute"); break;
        case 20:
            a->type = (uc_onnx_attr_type)(read_int(&in, &g, "an attribute's type") & 31);
            break;
        case 21: a->reference = read_str(&in, &g, "ref_attr_name"); break;
        default: read_attr_message(c, &in, &g, depth + 1, a); break;
        }
    }
    a->type = guess_type(a, seen);
    r->failed = r->failed || in.failed;
}

static void push_node(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_nodes *list)
{
    uc_reader in = uc_pb_message(r, f, depth, "a node");
    if (uc_budget_nodes(c->budget, 1, "the graph", c->error)) {
        r->failed = true;
        return;
    }
    uc_onnx_node *n = UC_ONNX_PUSH(c->arena, list);
    if (!n) {
        out_of_memory(c, r);
        return;
    }
    n->offset = f->offset;
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        uc_onnx_attr *a;
        switch (g.number) {
        case 1: push_str(c, &in, &g, &n->inputs, "a node's input"); break;
        case 2: push_str(c, &in, &g, &n->outputs, "a node's output"); break;
        case 3: n->name = read_str(&in, &g, "a node's name"); break;
        case 4: n->op = read_str(&in, &g, "op_type"); break;
        case 5:
            a = UC_ONNX_PUSH(c->arena, &n->attrs);
            if (!a) {
                out_of_memory(c, &in);
            } else {
                read_attr(c, &in, &g, depth + 1, a);
            }
            break;
        case 7: n->domain = read_str(&in, &g, "a node's domain"); break;
        case 8: n->overload = read_str(&in, &g, "a node's overload"); break;
        case 9: push_pair(c, &in, &g, depth + 1, &n->metadata, "a node's metadata"); break;
        default: break;
        }
    }
    if (uc_str_is(n->domain, "ai.onnx")) n->domain = (uc_str){NULL, 0};
    r->failed = r->failed || in.failed;
}

/* ---- graphs, functions, the model --------------------------------------------------------- */

static void push_annotation(read *c, uc_reader *r, const uc_pb_field *f, int depth,
                            uc_onnx_graph *graph)
{
    uc_reader in = uc_pb_message(r, f, depth, "a quantization_annotation");
    uc_onnx_annotation *a = UC_ONNX_PUSH(c->arena, &graph->annotations);
    if (!a) {
        out_of_memory(c, r);
        return;
    }
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        if (g.number == 1) a->tensor = read_str(&in, &g, "tensor_name");
        if (g.number == 2) push_pair(c, &in, &g, depth + 1, &a->parameters, "a quantization");
    }
    r->failed = r->failed || in.failed;
}

static void push_initializer(read *c, uc_reader *r, const uc_pb_field *f, int depth,
                             uc_onnx_graph *graph)
{
    if (f->number == 5) {
        uc_onnx_tensor *t = UC_ONNX_PUSH(c->arena, &graph->initializers);
        if (!t) {
            out_of_memory(c, r);
        } else {
            read_tensor(c, r, f, depth, t);
        }
        return;
    }
    uc_onnx_sparse *s = UC_ONNX_PUSH(c->arena, &graph->sparse_initializers);
    if (!s) {
        out_of_memory(c, r);
    } else {
        read_sparse(c, r, f, depth, s);
    }
}

static void read_graph(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_graph *graph)
{
    uc_reader in = uc_pb_message(r, f, depth, "a graph");
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        switch (g.number) {
        case 1: push_node(c, &in, &g, depth + 1, &graph->nodes); break;
        case 2: graph->name = read_str(&in, &g, "a graph's name"); break;
        case 5:
        case 15: push_initializer(c, &in, &g, depth + 1, graph); break;
        case 10: graph->doc = read_str(&in, &g, "a doc_string"); break;
        case 11: push_value(c, &in, &g, depth + 1, &graph->inputs); break;
        case 12: push_value(c, &in, &g, depth + 1, &graph->outputs); break;
        case 13: push_value(c, &in, &g, depth + 1, &graph->value_info); break;
        case 14: push_annotation(c, &in, &g, depth + 1, graph); break;
        case 16: push_pair(c, &in, &g, depth + 1, &graph->metadata, "metadata_props"); break;
        default: break;
        }
    }
    r->failed = r->failed || in.failed;
}

static void push_opset(read *c, uc_reader *r, const uc_pb_field *f, int depth, uc_onnx_opsets *list)
{
    uc_reader in = uc_pb_message(r, f, depth, "opset_import");
    uc_onnx_opset *o = UC_ONNX_PUSH(c->arena, list);
    if (!o) {
        out_of_memory(c, r);
        return;
    }
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        if (g.number == 1) o->domain = read_str(&in, &g, "an opset's domain");
        if (g.number == 2) o->version = read_int(&in, &g, "an opset's version");
    }
    if (uc_str_is(o->domain, "ai.onnx")) o->domain = (uc_str){NULL, 0};
    r->failed = r->failed || in.failed;
}

static void push_function(read *c, uc_reader *r, const uc_pb_field *f, int depth)
{
    uc_reader in = uc_pb_message(r, f, depth, "a function");
    uc_onnx_function *fn = UC_ONNX_PUSH(c->arena, &c->model->functions);
    if (!fn) {
        out_of_memory(c, r);
        return;
    }
    uc_pb_field g;
    while (uc_pb_next(&in, &g)) {
        uc_onnx_attr *a;
        switch (g.number) {
        case 1: fn->name = read_str(&in, &g, "a function's name"); break;
        case 4: push_str(c, &in, &g, &fn->inputs, "a function's input"); break;
        case 5: push_str(c, &in, &g, &fn->outputs, "a function's output"); break;
        case 6: push_str(c, &in, &g, &fn->attributes, "a function's attribute"); break;
        case 7: push_node(c, &in, &g, depth + 1, &fn->nodes); break;
        case 8: fn->doc = read_str(&in, &g, "a doc_string"); break;
        case 9: push_opset(c, &in, &g, depth + 1, &fn->opsets); break;
        case 10: fn->domain = read_str(&in, &g, "a function's domain"); break;
        case 11:
            a = UC_ONNX_PUSH(c->arena, &fn->defaults);
            if (!a) {
                out_of_memory(c, &in);
            } else {
                read_attr(c, &in, &g, depth + 1, a);
            }
            break;
        case 13: fn->overload = read_str(&in, &g, "a function's overload"); break;
        default: break;
        }
    }
    if (uc_str_is(fn->domain, "ai.onnx")) fn->domain = (uc_str){NULL, 0};
    r->failed = r->failed || in.failed;
}

static void read_model(read *c, uc_reader *r)
{
    uc_onnx_model *m = c->model;
    uc_pb_field f;
    while (uc_pb_next(r, &f)) {
        switch (f.number) {
        case 1: m->ir_version = read_int(r, &f, "ir_version"); break;
        case 2: m->producer = read_str(r, &f, "producer_name"); break;
        case 3: m->producer_version = read_str(r, &f, "producer_version"); break;
        case 4: m->domain = read_str(r, &f, "the model's domain"); break;
        case 5: m->model_version = read_int(r, &f, "model_version"); break;
        case 6: m->doc = read_str(r, &f, "a doc_string"); break;
        case 7:
            MAKE(c, r, m->graph, uc_onnx_graph);
            read_graph(c, r, &f, 1, m->graph);
            break;
        case 8: push_opset(c, r, &f, 1, &m->opsets); break;
        case 14: push_pair(c, r, &f, 1, &m->metadata, "metadata_props"); break;
        case 20: m->training_infos++; break;
        case 25: push_function(c, r, &f, 1); break;
        default: break;
        }
    }
}

uncork_status uc_onnx_read(uc_bytes bytes, uc_arena *arena, uc_budget *budget,
                           uc_onnx_model **model, uncork_error *error)
{
    read c = {.arena = arena, .budget = budget, .error = error};
    *model = c.model = UC_NEW(arena, uc_onnx_model, 1);
    if (!c.model) return uc_arena_status(arena, error);
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    read_model(&c, &r);
    if (uc_reader_ok(&r)) return uc_arena_status(arena, error);
    uc_fix(error, "the file is damaged or cut short: download or export it again");
    return error->status != UNCORK_OK ? error->status : UNCORK_MALFORMED;
}
