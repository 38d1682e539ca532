/* SavedModels: the meta graph that serves, its signatures, its assets and checkpoint.
 *
 * Source: tensorflow/core/protobuf/{saved_model,meta_graph,saver}.proto of TensorFlow 2.21. */
#include "import/tensorflow/tf_file.h"

#include <stdlib.h>

typedef struct opening {
    uc_import *import;
    uc_tf_file *f;
    const char *member; /* of the bundle: ".../saved_model.pb" */
    uncork_error *error;
} opening;

static const char *text_of(opening *o, uc_str s)
{
    return uc_arena_copy(o->import->arena, s.data, s.size);
}

static uncork_status broken(opening *o, uint64_t offset, const char *what)
{
    UC_TRY(uc_arena_status(o->import->arena, o->error));
    return uc_fail(o->error, UNCORK_MALFORMED, offset, "%s", what);
}

/* ---- which meta graph ------------------------------------------------------------------------ */

/* MetaInfoDef {4 tags, 5 tensorflow_version}. */
static bool read_info(opening *o, uc_reader *r, const uc_pb_field *field, int *score,
                      const char **tags, const char **version)
{
    uc_pb_field f;
    uc_arena *arena = o->import->arena;
    uc_reader in = uc_pb_message(r, field, 2, "a meta graph's description");
    bool serve = false;
    size_t count = 0;
    while (uc_pb_next(&in, &f)) {
        if (f.number == 5) *version = text_of(o, uc_pb_str(&in, &f, "a version"));
        if (f.number != 4) continue;
        const uc_str tag = uc_pb_str(&in, &f, "a tag");
        serve = serve || uc_str_is(tag, "serve");
        count++;
        *tags = uc_arena_printf(arena, "%s%s%.*s", *tags ? *tags : "", *tags ? ", " : "",
                                tag.size < 60 ? (int)tag.size : 60, tag.data);
    }
    /* {serve}, then no tags (TF Hub), then any that serves, then any. */
    *score = serve && count == 1 ? 4 : count == 0 ? 3 : serve ? 2 : 1;
    return uc_reader_ok(&in);
}

/* SavedModel {1 saved_model_schema_version, 2 meta_graphs}; MetaGraphDef {1 meta_info_def}. */
static uncork_status choose(opening *o, uc_bytes bytes, uc_pb_field *chosen)
{
    uc_pb_field f, m;
    int best = 0;
    size_t count = 0;
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, o->error);
    while (uc_pb_next(&r, &f)) {
        if (f.number != 2) continue;
        uc_reader in = uc_pb_message(&r, &f, 1, "a meta graph");
        const char *tags = NULL, *version = NULL;
        int score = 3;
        while (uc_pb_next(&in, &m)) {
            if (m.number == 1 && !read_info(o, &in, &m, &score, &tags, &version))
                return broken(o, m.offset, "a meta graph's description is broken");
        }
        if (!uc_reader_ok(&in)) return broken(o, f.offset, "a meta graph is broken");
        count++;
        if (score <= best) continue;
        best = score;
        *chosen = f;
        o->f->tags = tags;
        o->f->version = version;
    }
    if (!uc_reader_ok(&r) || !count) return broken(o, 0, "the SavedModel holds no meta graph");
    if (count > 1) {
        uc_note(&o->import->findings, UC_NOTE_CHOSEN, "meta-graph",
                "of %zu meta graphs the one tagged {%s} is taken", count,
                o->f->tags ? o->f->tags : "");
    }
    return UNCORK_OK;
}

/* ---- signatures ------------------------------------------------------------------------------ */

static bool add_port(opening *o, uc_tf_port **ports, size_t *count, size_t *capacity,
                     uc_tf_port port)
{
    uc_tf_port *items =
        uc_arena_grow(o->import->arena, *ports, capacity, *count + 1, sizeof *items);
    if (!items || !port.name) return false;
    *ports = items;
    items[(*count)++] = port;
    return true;
}

/* The parts of a sparse tensor: {1 values, 2 indices, 3 dense_shape}, names of tensors. */
static bool add_sparse(opening *o, uc_reader *r, const uc_pb_field *field, const uc_tf_port *whole,
                       uc_tf_port **ports, size_t *count, size_t *capacity)
{
    static const char *const parts[] = {"values", "indices", "dense_shape"};
    uc_pb_field f;
    uc_reader in = uc_pb_message(r, field, 4, "a sparse tensor");
    while (uc_pb_next(&in, &f)) {
        if (f.number < 1 || f.number > 3) continue;
        uc_tf_port p = {.tensor = uc_pb_str(&in, &f, "a tensor's name"), .rank = -1};
        p.type = f.number == 1 ? whole->type : 9;
        p.name = uc_arena_printf(o->import->arena, "%s_%s", whole->name, parts[f.number - 1]);
        if (!add_port(o, ports, count, capacity, p)) return false;
    }
    return uc_reader_ok(&in);
}

/* TensorInfo {1 name, 2 dtype, 3 tensor_shape, 4 coo_sparse, 5 composite_tensor{2 components}}. */
static bool read_info_tensor(opening *o, uc_reader *r, const uc_pb_field *field, const char *name,
                             uc_tf_port **ports, size_t *count, size_t *capacity, int depth)
{
    uc_pb_field f, k;
    uc_tf_port p = {.name = name, .tensor = {"", 0}, .rank = -1};
    uc_reader in = uc_pb_message(r, field, 4 + depth, "a tensor's description");
    bool ok = true, parts = false;
    size_t n = 0;
    while (ok && uc_pb_next(&in, &f)) {
        int64_t *dims = NULL;
        if (f.number == 1) p.tensor = uc_pb_str(&in, &f, "a tensor's name");
        if (f.number == 2) p.type = (int64_t)f.value;
        if (f.number == 3) {
            ok = f.wire == UC_PB_BYTES &&
                 uc_tf_shape_read(f.bytes, f.offset, o->import->arena, &p.rank, &dims, o->error);
            p.dims = dims;
        }
    }
    uc_reader again = uc_reader_over(field->bytes.data, field->bytes.size, field->offset, o->error);
    while (ok && uc_reader_ok(&in) && uc_pb_next(&again, &f)) {
        if (f.number == 4) ok = add_sparse(o, &again, &f, &p, ports, count, capacity);
        parts = parts || f.number == 4 || f.number == 5;
        if (f.number != 5 || depth > 4) continue;
        uc_reader c = uc_pb_message(&again, &f, 5 + depth, "a composite tensor");
        while (ok && uc_pb_next(&c, &k)) {
            if (k.number != 2) continue;
            const char *part = uc_arena_printf(o->import->arena, "%s_%zu", name, n++);
            ok = part && read_info_tensor(o, &c, &k, part, ports, count, capacity, depth + 1);
        }
        ok = ok && uc_reader_ok(&c);
    }
    if (ok && !parts) ok = add_port(o, ports, count, capacity, p);
    return ok && uc_reader_ok(&in) && uc_reader_ok(&again);
}

/* An entry of a map<string, TensorInfo>. */
static bool read_port(opening *o, uc_reader *r, const uc_pb_field *field, uc_tf_port **ports,
                      size_t *count, size_t *capacity)
{
    uc_pb_field f, value = {.number = 0};
    uc_str key = {"", 0};
    uc_reader in = uc_pb_message(r, field, 3, "a signature's tensor");
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) key = uc_pb_str(&in, &f, "a tensor's key");
        if (f.number == 2) value = f;
    }
    if (!uc_reader_ok(&in)) return false;
    if (!value.number) return true;
    const char *name = text_of(o, key);
    return name && read_info_tensor(o, &in, &value, name, ports, count, capacity, 0);
}

/* SignatureDef {4 defaults}: an entry of a map<string, TensorProto>. */
static bool read_default(uc_reader *r, const uc_pb_field *field, uc_tf_entry *e)
{
    uc_pb_field f, value = {.number = 0};
    uc_str key = {"", 0};
    uc_reader in = uc_pb_message(r, field, 3, "an input's default");
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) key = uc_pb_str(&in, &f, "an input's key");
        if (f.number == 2 && f.wire == UC_PB_BYTES) value = f;
    }
    for (size_t i = 0; value.number && i < e->input_count; i++) {
        if (!uc_str_is(key, e->inputs[i].name)) continue;
        e->inputs[i].fallback = value.bytes;
        e->inputs[i].fallback_at = value.offset;
    }
    return uc_reader_ok(&in);
}

static int by_port_name(const void *a, const void *b)
{
    return strcmp(((const uc_tf_port *)a)->name, ((const uc_tf_port *)b)->name);
}

/* SignatureDef {1 inputs, 2 outputs, 3 method_name}, the entry's {1 key, 2 value}. */
static bool read_signature(opening *o, uc_reader *r, const uc_pb_field *field, uc_tf_entry *e)
{
    uc_pb_field f, s;
    size_t in_capacity = 0, out_capacity = 0;
    uc_reader in = uc_pb_message(r, field, 2, "a signature");
    *e = (uc_tf_entry){.name = ""};
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) e->name = text_of(o, uc_pb_str(&in, &f, "a signature's key"));
        if (f.number != 2) continue;
        uc_reader sig = uc_pb_message(&in, &f, 3, "a signature");
        while (uc_pb_next(&sig, &s)) {
            if (s.number == 1 && !read_port(o, &sig, &s, &e->inputs, &e->input_count, &in_capacity))
                return false;
            if (s.number == 2 &&
                !read_port(o, &sig, &s, &e->outputs, &e->output_count, &out_capacity))
                return false;
            if (s.number == 4 && !read_default(&sig, &s, e)) return false;
            if (s.number == 3) e->method = text_of(o, uc_pb_str(&sig, &s, "a method's name"));
        }
        if (!uc_reader_ok(&sig)) return false;
    }
    if (!uc_reader_ok(&in) || !e->name) return false;
    if (e->input_count) qsort(e->inputs, e->input_count, sizeof *e->inputs, by_port_name);
    if (e->output_count) qsort(e->outputs, e->output_count, sizeof *e->outputs, by_port_name);
    return true;
}

/* serving_default first, then what else usually is the one, then by name. */
static int rank_of(const uc_tf_entry *e)
{
    static const char *const first[] = {"serving_default", "serve", "predict", "default"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(e->name, first[i]) == 0) return i;
    }
    return 4;
}

static int by_entry(const void *a, const void *b)
{
    const int x = rank_of(a), y = rank_of(b);
    return x != y ? x - y : strcmp(((const uc_tf_entry *)a)->name, ((const uc_tf_entry *)b)->name);
}

static bool add_init_op(opening *o, uc_str name)
{
    size_t capacity = o->f->init_count;
    uc_str *ops = uc_arena_grow(o->import->arena, o->f->init_ops, &capacity, o->f->init_count + 1,
                                sizeof *ops);
    if (!ops) return false;
    o->f->init_ops = ops;
    ops[o->f->init_count++] = name;
    return true;
}

static bool add_signature(opening *o, uc_reader *r, const uc_pb_field *field, size_t *capacity)
{
    uc_tf_entry e;
    uc_tf_file *f = o->f;
    if (!read_signature(o, r, field, &e)) return false;
    if (strcmp(e.name, "__saved_model_init_op") == 0 ||
        strcmp(e.name, "__saved_model_train_op") == 0) {
        return e.name[14] != 'i' || !e.output_count || add_init_op(o, e.outputs[0].tensor);
    }
    if (!e.output_count) return true;
    uc_tf_entry *entries =
        uc_arena_grow(o->import->arena, f->entries, capacity, f->entry_count + 1, sizeof *entries);
    if (!entries) return false;
    f->entries = entries;
    entries[f->entry_count++] = e;
    return true;
}

/* ---- assets, savers, collections ------------------------------------------------------------- */

/* AssetFileDef {1 tensor_info{1 name}, 2 filename}. */
static bool add_asset(opening *o, uc_reader *r, const uc_pb_field *field, size_t *capacity)
{
    uc_pb_field f, t;
    uc_tf_asset a = {.node = {"", 0}, .name = ""};
    uc_reader in = uc_pb_message(r, field, 2, "an asset");
    while (uc_pb_next(&in, &f)) {
        if (f.number == 2) a.name = text_of(o, uc_pb_str(&in, &f, "an asset's file"));
        if (f.number != 1) continue;
        uc_reader info = uc_pb_message(&in, &f, 3, "an asset's tensor");
        while (uc_pb_next(&info, &t)) {
            if (t.number == 1) a.node = uc_pb_str(&info, &t, "an asset's tensor");
        }
        if (!uc_reader_ok(&info)) return false;
    }
    const char *colon = a.node.size ? memchr(a.node.data, ':', a.node.size) : NULL;
    if (colon) a.node.size = (size_t)(colon - a.node.data);
    uc_tf_asset *assets = uc_arena_grow(o->import->arena, o->f->assets, capacity,
                                        o->f->asset_count + 1, sizeof *assets);
    if (!uc_reader_ok(&in) || !assets || !a.name) return false;
    o->f->assets = assets;
    assets[o->f->asset_count++] = a;
    return true;
}

/* CollectionDef {1 node_list{1 value}}, the entry's {1 key, 2 value}: init ops only. */
static bool read_collection(opening *o, uc_reader *r, const uc_pb_field *field)
{
    uc_pb_field f, c, n;
    uc_str key = {"", 0};
    uc_reader in = uc_pb_message(r, field, 2, "a collection");
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) key = uc_pb_str(&in, &f, "a collection's key");
        if (f.number != 2 ||
            (!uc_str_is(key, "saved_model_main_op") && !uc_str_is(key, "legacy_init_op")))
            continue;
        uc_reader value = uc_pb_message(&in, &f, 3, "a collection");
        while (uc_pb_next(&value, &c)) {
            if (c.number != 1) continue;
            uc_reader list = uc_pb_message(&value, &c, 4, "a collection's nodes");
            while (uc_pb_next(&list, &n)) {
                if (n.number == 1 && !add_init_op(o, uc_pb_str(&list, &n, "a node's name")))
                    return false;
            }
            if (!uc_reader_ok(&list)) return false;
        }
        if (!uc_reader_ok(&value)) return false;
    }
    return uc_reader_ok(&in);
}

/* SaverDef {3 restore_op_name}. */
static bool read_saver(opening *o, uc_reader *r, const uc_pb_field *field)
{
    uc_pb_field f;
    uc_reader in = uc_pb_message(r, field, 2, "the saver");
    while (uc_pb_next(&in, &f)) {
        if (f.number == 3) o->f->restore_op = uc_pb_str(&in, &f, "the restoring op");
    }
    return uc_reader_ok(&in);
}

static uncork_status read_assets(opening *o)
{
    for (size_t i = 0; i < o->f->asset_count; i++) {
        uc_tf_asset *a = &o->f->assets[i];
        uncork_error absent;
        uc_error_init(&absent);
        const char *name = uc_arena_printf(o->import->arena, "assets/%s", a->name);
        if (!name) return uc_arena_status(o->import->arena, o->error);
        const uncork_status status =
            uc_bundle_named(o->import->bundle, o->member, name, &a->bytes, &absent);
        a->found = status == UNCORK_OK;
        if (status && status != UNCORK_IO)
            return uc_fail(o->error, status, UC_NO_OFFSET, "%s", absent.what);
    }
    return UNCORK_OK;
}

/* ---- meta graphs ----------------------------------------------------------------------------- */

/* MetaGraphDef {2 graph_def, 3 saver_def, 4 collection_def, 5 signature_def, 6 asset_file_def,
 * 7 object_graph_def}. */
static uncork_status read_meta_graph(opening *o, const uc_pb_field *field)
{
    uc_pb_field f;
    size_t signatures = 0, assets = 0;
    bool ok = true, graph = false;
    uc_pb_field objects = {.number = 0};
    uc_reader r = uc_reader_over(field->bytes.data, field->bytes.size, field->offset, o->error);
    while (ok && uc_pb_next(&r, &f)) {
        switch (f.number) {
        case 2:
            if (f.wire != UC_PB_BYTES) return broken(o, f.offset, "the graph is broken");
            UC_TRY(uc_tf_graph_read(f.bytes, f.offset, o->import->arena, &o->f->graph, o->error));
            graph = true;
            break;
        case 3: ok = read_saver(o, &r, &f); break;
        case 4: ok = read_collection(o, &r, &f); break;
        case 5: ok = add_signature(o, &r, &f, &signatures); break;
        case 6: ok = add_asset(o, &r, &f, &assets); break;
        case 7: objects = f; break;
        default: break;
        }
    }
    if (!ok || !uc_reader_ok(&r)) return broken(o, field->offset, "the meta graph is broken");
    if (!graph) return broken(o, field->offset, "the meta graph holds no graph");
    if (!o->f->entry_count && objects.wire == UC_PB_BYTES && objects.number) {
        uc_tf_objects_read(objects.bytes, objects.offset, o->import->arena, o->f);
    }
    if (o->f->entry_count) qsort(o->f->entries, o->f->entry_count, sizeof *o->f->entries, by_entry);
    return UNCORK_OK;
}

/* A checkpoint that isn't there or is broken is a failure only of what reads it. */
static uncork_status open_checkpoint(opening *o, const char *prefix)
{
    uc_tf_file *f = o->f;
    uc_error_init(&f->no_checkpoint);
    const uncork_status status = uc_tf_checkpoint_open(
        o->import->bundle, o->member, prefix, o->import->arena, &f->checkpoint, &f->no_checkpoint);
    if (status == UNCORK_IO) {
        uc_error_init(&f->no_checkpoint);
        uc_fail(&f->no_checkpoint, UNCORK_MALFORMED, UC_NO_OFFSET,
                "the model's variables aren't there: %s.index is missing", prefix);
        uc_fix(&f->no_checkpoint, "give the whole folder, with its variables");
    }
    return uc_arena_status(o->import->arena, o->error);
}

uncork_status uc_tf_saved_model_read(uc_import *file, const char *member, uc_bytes bytes,
                                     uc_tf_file *f, uncork_error *error)
{
    opening o = {file, f, member, error};
    uc_pb_field chosen = {.number = 0};
    UC_TRY(choose(&o, bytes, &chosen));
    UC_TRY(read_meta_graph(&o, &chosen));
    UC_TRY(read_assets(&o));
    return open_checkpoint(&o, "variables/variables");
}

uncork_status uc_tf_meta_graph_read(uc_import *file, const char *member, const char *prefix,
                                    uc_bytes bytes, uc_tf_file *f, uncork_error *error)
{
    opening o = {file, f, member, error};
    uc_pb_field whole = {.number = 2, .wire = UC_PB_BYTES, .bytes = bytes}, m;
    int score;
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    while (uc_pb_next(&r, &m)) {
        if (m.number == 1 && !read_info(&o, &r, &m, &score, &f->tags, &f->version))
            return broken(&o, m.offset, "the meta graph's description is broken");
    }
    if (!uc_reader_ok(&r)) return broken(&o, 0, "the meta graph is broken");
    UC_TRY(read_meta_graph(&o, &whole));
    if (!f->entry_count) { /* no signatures: as a frozen graph's */
        f->entries = UC_NEW(file->arena, uc_tf_entry, 1);
        if (!f->entries) return uc_arena_status(file->arena, error);
        UC_TRY(uc_tf_frozen_entry(&f->graph, file->arena, &f->entries[0], error));
        f->entry_count = 1;
    }
    return open_checkpoint(&o, prefix);
}
