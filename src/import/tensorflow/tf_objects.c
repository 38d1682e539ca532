/* The object graph of a SavedModel without signatures (TF Hub, tf.Module): the functions of its root, each with
 * what it captures, are its entries. Of a function's traces the one for inference counts.
 *
 * Source: tensorflow/core/protobuf/{saved_object_graph,struct}.proto of TensorFlow 2.21. */
#include "base/writer.h"
#include "import/tensorflow/tf_file.h"

enum { MOST_PORTS = 64, MOST_DEPTH = 24, MOST_PATH = 64 };

typedef struct objects {
    uc_arena *arena;
    uc_tf_file *f;
    uc_pb_field *nodes; /* SavedObjects */
    size_t count, capacity;
    int32_t *from; /* by object: who holds it; -1: nobody */
    uc_str *via;   /* by which name */
    uc_bytes graph;
    uint64_t offset;
    uncork_error ignored; /* a broken object graph is one without entries */
} objects;

static uc_reader over(objects *o, const uc_pb_field *f)
{
    return uc_reader_over(f->bytes.data, f->bytes.size, f->offset, &o->ignored);
}

static bool field_of(objects *o, const uc_pb_field *message, uint32_t number, uc_pb_field *field)
{
    uc_pb_field f;
    bool found = false;
    uc_reader r = over(o, message);
    while (uc_pb_next(&r, &f)) {
        if (f.number != number) continue;
        *field = f;
        found = true;
    }
    return found && uc_reader_ok(&r);
}

static uc_str text_of(const uc_pb_field *f)
{
    return (uc_str){(const char *)f->bytes.data, f->wire == UC_PB_BYTES ? f->bytes.size : 0};
}

/* ---- what a function takes --------------------------------------------------------------------- */

/* Breadth first from the root: by which name each object is reached, as the checkpoint's keys say it. */
static bool find_paths(objects *o)
{
    uint32_t *list = UC_NEW(o->arena, uint32_t, o->count + 1);
    uc_pb_field f, id, name;
    size_t begin = 0, end = 0;
    o->from = UC_NEW(o->arena, int32_t, o->count);
    o->via = UC_NEW(o->arena, uc_str, o->count);
    if (!list || !o->from || !o->via) return false;
    for (size_t i = 0; i < o->count; i++) {
        o->from[i] = i ? -1 : 0;
    }
    list[end++] = 0;
    while (begin < end) {
        const uint32_t at = list[begin++];
        uc_reader r = over(o, &o->nodes[at]);
        while (uc_pb_next(&r, &f)) {
            if (f.number != 1 || !field_of(o, &f, 2, &name) || !field_of(o, &f, 1, &id)) continue;
            if (id.value >= o->count || o->from[id.value] >= 0) continue;
            o->from[id.value] = (int32_t)at;
            o->via[id.value] = text_of(&name);
            list[end++] = (uint32_t)id.value;
        }
    }
    return true;
}

static void put_step(uc_writer *w, uc_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        uc_writer_text(w, c == '/' ? ".S" : c == '.' ? ".." : "");
        if (c != '/' && c != '.') uc_writer_put(w, &c, 1);
    }
    uc_writer_text(w, "/");
}

/* The key of a variable's value in the checkpoint; empty: it isn't reached. */
static uc_str key_of(objects *o, int64_t id)
{
    int64_t path[MOST_PATH];
    size_t count = 0;
    for (int64_t at = id; at > 0; at = o->from[at]) {
        if (o->from[at] < 0 || count == MOST_PATH) return (uc_str){"", 0};
        path[count++] = at;
    }
    uc_writer w;
    uc_writer_init(&w, 1 << 16);
    while (count) {
        put_step(&w, o->via[path[--count]]);
    }
    uc_writer_text(&w, ".ATTRIBUTES/VARIABLE_VALUE");
    const size_t size = w.status ? 0 : w.size;
    const char *text = uc_arena_copy(o->arena, uc_writer_string(&w), size);
    uc_writer_done(&w);
    return (uc_str){text ? text : "", text ? size : 0};
}

/* Table number `at` of the main graph: they stand in the order of the objects. */
static uc_str nth_table(objects *o, int64_t id)
{
    const uc_tf_body *main = o->f->graph.main;
    uc_pb_field f;
    size_t at = 0;
    for (int64_t i = 0; i < id; i++) {
        at += field_of(o, &o->nodes[i], 10, &f);
    }
    for (size_t i = 0; main && i < main->node_count; i++) {
        const uc_str op = main->nodes[i].op;
        const bool table = uc_str_is(op, "HashTableV2") || uc_str_is(op, "MutableHashTableV2");
        if (table && at-- == 0) return main->nodes[i].name;
    }
    return (uc_str){"", 0};
}

/* What object `id` is to a function: a variable by its key, a constant or table by its node. */
static uc_tf_bound bound_of(objects *o, int64_t id)
{
    uc_tf_bound b = {.key = {"", 0}, .node = {"", 0}};
    uc_pb_field kind, name;
    if (id < 0 || (uint64_t)id >= o->count) return b;
    if (field_of(o, &o->nodes[id], 9, &kind) && field_of(o, &kind, 1, &name))
        b.node = text_of(&name);
    else if (field_of(o, &o->nodes[id], 7, &kind))
        b.key = key_of(o, id);
    else if (field_of(o, &o->nodes[id], 10, &kind))
        b.node = nth_table(o, id);
    return b;
}

/* ---- structured values ------------------------------------------------------------------------- */

typedef struct leaves {
    uc_tf_port ports[MOST_PORTS];
    size_t count;
    bool trains; /* an argument is true */
} leaves;

static const char *name_of(objects *o, uc_str s) { return uc_arena_copy(o->arena, s.data, s.size); }

/* TensorSpecProto {1 name, 2 shape, 3 dtype}. */
static void add_spec(objects *o, const uc_pb_field *spec, const char *key, leaves *l)
{
    uc_pb_field f;
    if (l->count == MOST_PORTS) return;
    uc_tf_port *p = &l->ports[l->count++];
    *p = (uc_tf_port){.name = key, .rank = -1};
    uc_reader r = over(o, spec);
    while (uc_pb_next(&r, &f)) {
        int64_t *dims = NULL;
        if (f.number == 1 && !key && f.wire == UC_PB_BYTES) p->name = name_of(o, text_of(&f));
        if (f.number == 3) p->type = (int64_t)f.value;
        if (f.number != 2 || f.wire != UC_PB_BYTES) continue;
        if (uc_tf_shape_read(f.bytes, f.offset, o->arena, &p->rank, &dims, &o->ignored)) {
            p->dims = dims;
        }
    }
}

static void add_leaves(objects *o, const uc_pb_field *value, const char *key, int depth, leaves *l);

/* A map of values {1 fields{1 key, 2 value}}, in the order of the keys. */
static void add_dict(objects *o, const uc_pb_field *dict, int depth, leaves *l)
{
    uc_pb_field f, value;
    struct {
        const char *key;
        uc_pb_field value;
    } items[MOST_PORTS];
    size_t count = 0;
    uc_reader r = over(o, dict);
    while (uc_pb_next(&r, &f) && count < MOST_PORTS) {
        uc_pb_field key;
        if (f.number != 1 || !field_of(o, &f, 1, &key) || !field_of(o, &f, 2, &value)) continue;
        const char *name = name_of(o, text_of(&key));
        if (!name) return;
        size_t at = count++;
        for (; at > 0 && strcmp(items[at - 1].key, name) > 0; at--) {
            items[at] = items[at - 1];
        }
        items[at].key = name;
        items[at].value = value;
    }
    for (size_t i = 0; i < count; i++) {
        add_leaves(o, &items[i].value, items[i].key, depth, l);
    }
}

/* Values in a row: {number values}; of a named tuple pairs {1 key, 2 value}. */
static void add_list(objects *o, const uc_pb_field *list, uint32_t number, int depth, leaves *l)
{
    uc_pb_field f, value, key;
    uc_reader r = over(o, list);
    while (uc_pb_next(&r, &f)) {
        if (f.number != number) continue;
        if (number == 1)
            add_leaves(o, &f, NULL, depth, l);
        else if (field_of(o, &f, 2, &value))
            add_leaves(o, &value, field_of(o, &f, 1, &key) ? name_of(o, text_of(&key)) : NULL,
                       depth, l);
    }
}

static void add_leaves(objects *o, const uc_pb_field *value, const char *key, int depth, leaves *l)
{
    uc_pb_field f;
    if (depth > MOST_DEPTH) return;
    uc_reader r = over(o, value);
    while (uc_pb_next(&r, &f)) {
        switch (f.number) {
        case 14: l->trains = l->trains || f.value != 0; break;
        case 33:
        case 35: add_spec(o, &f, key, l); break;
        case 51:
        case 52: add_list(o, &f, 1, depth + 1, l); break;
        case 53: add_dict(o, &f, depth + 1, l); break;
        case 54: add_list(o, &f, 2, depth + 1, l); break;
        default: break;
        }
    }
}

/* ---- functions --------------------------------------------------------------------------------- */

/* SavedConcreteFunction of that name in {2 concrete_functions}. */
static bool find_concrete(objects *o, uc_str name, uc_pb_field *concrete)
{
    uc_pb_field f, key;
    uc_reader r = uc_reader_over(o->graph.data, o->graph.size, o->offset, &o->ignored);
    while (uc_pb_next(&r, &f)) {
        if (f.number != 2 || !field_of(o, &f, 1, &key)) continue;
        if (uc_str_equal(text_of(&key), name)) return field_of(o, &f, 2, concrete);
    }
    return false;
}

/* {2 bound_inputs}, packed or not. */
static bool read_bound(objects *o, const uc_pb_field *concrete, uc_tf_entry *e)
{
    uc_pb_field f;
    size_t capacity = 0;
    uc_reader r = over(o, concrete);
    while (uc_pb_next(&r, &f)) {
        if (f.number != 2) continue;
        uc_reader in = uc_reader_over(f.bytes.data, f.wire == UC_PB_BYTES ? f.bytes.size : 0,
                                      f.offset, &o->ignored);
        bool once = f.wire != UC_PB_BYTES;
        while (once || uc_reader_left(&in) > 0) {
            const uint64_t id = once ? f.value : uc_pb_varint(&in, "an object");
            once = false;
            if (!uc_reader_ok(&in)) return false;
            const uc_tf_bound one = bound_of(o, (int64_t)id);
            uc_tf_bound *bound =
                uc_arena_grow(o->arena, e->bound, &capacity, e->bound_count + 1, sizeof *bound);
            if (!bound || (!one.key.size && !one.node.size)) return false;
            e->bound = bound;
            bound[e->bound_count++] = one;
        }
    }
    return uc_reader_ok(&r);
}

/* "unknown" is what TensorFlow calls a tensor without a name. */
static uc_tf_port *ports_of(objects *o, const leaves *l, const char *otherwise)
{
    uc_tf_port *ports = UC_NEW(o->arena, uc_tf_port, l->count);
    for (size_t i = 0; ports && i < l->count; i++) {
        ports[i] = l->ports[i];
        const bool named = ports[i].name && ports[i].name[0];
        if (named && strcmp(ports[i].name, "unknown") != 0) continue;
        ports[i].name = uc_arena_printf(o->arena, "%s_%zu", otherwise, i);
        if (!ports[i].name) return NULL;
    }
    return ports;
}

/* {3 canonicalized_input_signature, 4 output_signature}; false: it is of training, or can't be called. */
static bool read_concrete(objects *o, uc_str function, uc_tf_entry *e)
{
    uc_pb_field concrete, in, out;
    leaves *given = UC_NEW(o->arena, leaves, 1), *made = UC_NEW(o->arena, leaves, 1);
    if (!given || !made || !find_concrete(o, function, &concrete)) return false;
    if (!field_of(o, &concrete, 3, &in) || !field_of(o, &concrete, 4, &out)) return false;
    add_leaves(o, &in, NULL, 0, given);
    add_leaves(o, &out, NULL, 0, made);
    if (given->trains || made->count == 0 || given->count == 0) return false;
    *e = (uc_tf_entry){.name = "", .function = function};
    e->inputs = ports_of(o, given, "input");
    e->outputs = ports_of(o, made, "output");
    e->input_count = given->count;
    e->output_count = made->count;
    return e->inputs && e->outputs && read_bound(o, &concrete, e);
}

/* SavedFunction {1 concrete_functions}, SavedBareConcreteFunction {1 concrete_function_name}. */
static bool read_function(objects *o, const uc_pb_field *object, uc_tf_entry *e)
{
    uc_pb_field kind, f;
    if (!field_of(o, object, 6, &kind) && !field_of(o, object, 8, &kind)) return false;
    uc_reader r = over(o, &kind);
    while (uc_pb_next(&r, &f)) {
        if (f.number == 1 && f.wire == UC_PB_BYTES && read_concrete(o, text_of(&f), e)) return true;
    }
    return false;
}

/* ---- the root's functions ---------------------------------------------------------------------- */

static bool add_entry(objects *o, uc_tf_entry e, uc_str name, size_t *capacity)
{
    uc_tf_file *f = o->f;
    uc_tf_entry *entries =
        uc_arena_grow(o->arena, f->entries, capacity, f->entry_count + 1, sizeof *entries);
    e.name = name_of(o, name);
    if (!entries || !e.name) return false;
    f->entries = entries;
    entries[f->entry_count++] = e;
    if (strcmp(e.name, "__call__") == 0 && f->entry_count > 1) { /* what the module is for */
        entries[f->entry_count - 1] = entries[0];
        entries[0] = e;
    }
    return true;
}

void uc_tf_objects_read(uc_bytes graph, uint64_t offset, uc_arena *arena, uc_tf_file *file)
{
    objects o = {.arena = arena, .f = file, .graph = graph, .offset = offset};
    uc_pb_field f, id, name;
    size_t capacity = file->entry_count;
    uc_error_init(&o.ignored);
    uc_reader r = uc_reader_over(graph.data, graph.size, offset, &o.ignored);
    while (uc_pb_next(&r, &f)) {
        if (f.number != 1 || f.wire != UC_PB_BYTES) continue;
        uc_pb_field *nodes = uc_arena_grow(arena, o.nodes, &o.capacity, o.count + 1, sizeof *nodes);
        if (!nodes) return;
        o.nodes = nodes;
        nodes[o.count++] = f;
    }
    if (!uc_reader_ok(&r) || !o.count || !find_paths(&o)) return;
    uc_reader root = over(&o, &o.nodes[0]);
    while (uc_pb_next(&root, &f)) {
        uc_tf_entry e;
        if (f.number != 1 || !field_of(&o, &f, 2, &name)) continue;
        const uint64_t at = field_of(&o, &f, 1, &id) ? id.value : 0;
        if (at >= o.count || !read_function(&o, &o.nodes[at], &e)) continue;
        if (!add_entry(&o, e, text_of(&name), &capacity)) return;
    }
}
