/* Attributes of a node: the node's own, a call's where a function leaves them open ("$T"), else the
 * registered op's default. */
#include "base/text.h"
#include "import/tensorflow/tf_scope.h"

/* AttrValue {1 list, 2 s, 3 i, 4 f, 5 b, 6 type, 7 shape, 8 tensor, 9 placeholder, 10 func}. */
enum { A_LIST = 1, A_S, A_I, A_F, A_B, A_TYPE, A_SHAPE, A_TENSOR, A_PLACEHOLDER, A_FUNC };
/* Of a list that is counted: outputs of one node. */
enum { MOST_TYPES = 1 << 16 };

static bool field_of(uc_bytes value, uint64_t offset, uint32_t number, uc_pb_field *found)
{
    uncork_error ignored;
    uc_pb_field f;
    bool has = false;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(value.data, value.size, offset, &ignored);
    while (uc_pb_next(&r, &f)) {
        if (f.number != number) continue;
        *found = f;
        has = true;
    }
    return has;
}

static const uc_tf_attr *own(const uc_tf_attr *attrs, size_t count, uc_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_str_equal(attrs[i].name, name)) return &attrs[i];
    }
    return NULL;
}

uc_str uc_tf_attr_func(uc_bytes value)
{
    uc_pb_field f, name;
    if (!field_of(value, 0, A_FUNC, &f) || f.wire != UC_PB_BYTES ||
        !field_of(f.bytes, f.offset, 1, &name) || name.wire != UC_PB_BYTES) {
        return (uc_str){"", 0};
    }
    return (uc_str){(const char *)name.bytes.data, name.bytes.size};
}

/* The attribute of a map's entry {1 key, 2 value} in NameAttrList {1 name, 2 attr}. */
static bool in_func(uc_bytes func, uint64_t offset, uc_str name, uc_bytes *value, uint64_t *at)
{
    uncork_error ignored;
    uc_pb_field f, key, v;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(func.data, func.size, offset, &ignored);
    while (uc_pb_next(&r, &f)) {
        if (f.number != 2 || f.wire != UC_PB_BYTES || !field_of(f.bytes, f.offset, 1, &key) ||
            key.wire != UC_PB_BYTES ||
            !uc_str_equal(name, (uc_str){(const char *)key.bytes.data, key.bytes.size}) ||
            !field_of(f.bytes, f.offset, 2, &v) || v.wire != UC_PB_BYTES) {
            continue;
        }
        *value = v.bytes;
        *at = v.offset;
        return true;
    }
    return false;
}

/* What the call that made the scope says for `name`: its own attribute, or one beside the function's name. */
static bool of_call(const uc_tf_scope *scope, uc_str name, uc_bytes *value, uint64_t *offset)
{
    const uc_tf_node *call = scope->call;
    const uc_tf_attr *a = own(call->attrs, call->attr_count, name);
    if (!call->def && a) {
        *value = a->value;
        *offset = a->offset;
        return true;
    }
    for (size_t i = 0; i < call->attr_count; i++) {
        uc_pb_field f;
        if (field_of(call->attrs[i].value, call->attrs[i].offset, A_FUNC, &f) &&
            f.wire == UC_PB_BYTES && in_func(f.bytes, f.offset, name, value, offset)) {
            return true;
        }
    }
    return false;
}

bool uc_tf_attr_find(const uc_tf_scope *scope, const uc_tf_node *node, const char *name,
                     uc_bytes *value, uint64_t *offset)
{
    const uc_tf_attr *a = own(node->attrs, node->attr_count, uc_str_of(name));
    uc_pb_field f;
    if (!a) return false;
    *value = a->value;
    *offset = a->offset;
    while (field_of(*value, *offset, A_PLACEHOLDER, &f) && f.wire == UC_PB_BYTES) {
        const uc_str open = {(const char *)f.bytes.data, f.bytes.size};
        if (!scope || !scope->call || !of_call(scope, open, value, offset)) return false;
        scope = scope->call_scope;
    }
    return true;
}

static bool attr(uc_tf_call *c, const char *name, uint32_t number, uc_pb_field *f)
{
    uc_bytes value;
    uint64_t offset;
    return uc_tf_attr_find(c->scope, c->node, name, &value, &offset) &&
           field_of(value, offset, number, f);
}

static uc_str otherwise(const uc_tf_call *c, const char *name)
{
    uc_str text = {"", 0};
    if (c->node->def) (void)uc_tf_def_default(c->node->def, name, &text);
    return text;
}

bool uc_tf_has(const uc_tf_call *c, const char *name)
{
    uc_bytes value;
    uint64_t offset;
    return uc_tf_attr_find(c->scope, c->node, name, &value, &offset);
}

static int64_t default_int(const uc_tf_call *c, const char *name)
{
    int64_t v = 0;
    const uc_str text = otherwise(c, name);
    return text.size && uc_text_i64(text, &v) ? v : 0;
}

int64_t uc_tf_int(uc_tf_call *c, const char *name)
{
    uc_pb_field f;
    if (attr(c, name, A_I, &f)) return (int64_t)f.value;
    /* proto3 leaves out what is zero: an attribute that is there and holds no field. */
    return uc_tf_has(c, name) ? 0 : default_int(c, name);
}

double uc_tf_float(uc_tf_call *c, const char *name)
{
    uc_pb_field f;
    double v = 0;
    if (attr(c, name, A_F, &f)) return (double)uc_pb_float(f.value);
    if (uc_tf_has(c, name)) return 0;
    const uc_str text = otherwise(c, name);
    return text.size && uc_text_f64(text, &v) ? v : 0;
}

bool uc_tf_bool(uc_tf_call *c, const char *name)
{
    uc_pb_field f;
    if (attr(c, name, A_B, &f)) return f.value != 0;
    return !uc_tf_has(c, name) && default_int(c, name) != 0;
}

uc_str uc_tf_str(uc_tf_call *c, const char *name)
{
    uc_pb_field f;
    if (attr(c, name, A_S, &f) && f.wire == UC_PB_BYTES)
        return (uc_str){(const char *)f.bytes.data, f.bytes.size};
    return uc_tf_has(c, name) ? (uc_str){"", 0} : otherwise(c, name);
}

bool uc_tf_str_is(uc_tf_call *c, const char *name, const char *text)
{
    return uc_str_is(uc_tf_str(c, name), text);
}

int64_t uc_tf_type_number(uc_tf_call *c, const char *name)
{
    uc_pb_field f;
    if (attr(c, name, A_TYPE, &f)) return (int64_t)f.value;
    return uc_tf_has(c, name) ? 0 : default_int(c, name);
}

uncork_dtype uc_tf_type(uc_tf_call *c, const char *name)
{
    return uc_tf_dtype(uc_tf_type_number(c, name));
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* The numbers of field `number` of the list, packed or not: as bits. `out` may be NULL: only counted. */
static size_t list_numbers(uc_tf_call *c, const char *name, uint32_t number, uint64_t *out,
                           size_t most)
{
    uncork_error ignored;
    uc_pb_field list, f;
    size_t n = 0;
    if (!attr(c, name, A_LIST, &list) || list.wire != UC_PB_BYTES) return 0;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(list.bytes.data, list.bytes.size, list.offset, &ignored);
    while (uc_pb_next(&r, &f)) {
        if (f.number != number) continue;
        if (f.wire != UC_PB_BYTES) {
            if (out && n < most) out[n] = f.value;
            n += n < most;
            continue;
        }
        uc_reader in = uc_reader_over(f.bytes.data, f.bytes.size, f.offset, &ignored);
        while (n < most && uc_reader_left(&in) > 0) {
            const uint64_t v =
                number == A_F ? uc_reader_u32le(&in, "a number") : uc_pb_varint(&in, "a number");
            if (!uc_reader_ok(&in)) break;
            if (out) out[n] = v;
            n++;
        }
    }
    return n;
}

static size_t default_list(const uc_tf_call *c, const char *name, int64_t *out, size_t most)
{
    uc_str text = otherwise(c, name);
    size_t n = 0;
    while (text.size && n < most) {
        const char *comma = memchr(text.data, ',', text.size);
        const size_t size = comma ? (size_t)(comma - text.data) : text.size;
        if (!uc_text_i64((uc_str){text.data, size}, &out[n])) break;
        n++;
        text.data += comma ? size + 1 : size;
        text.size -= comma ? size + 1 : size;
    }
    return n;
}

static size_t integers(uc_tf_call *c, const char *name, uint32_t number, int64_t *out, size_t most)
{
    if (!uc_tf_has(c, name)) return default_list(c, name, out, most);
    return list_numbers(c, name, number, (uint64_t *)out, most);
}

size_t uc_tf_ints(uc_tf_call *c, const char *name, int64_t *out, size_t most)
{
    return integers(c, name, A_I, out, most);
}

size_t uc_tf_types(uc_tf_call *c, const char *name, int64_t *out, size_t most)
{
    return integers(c, name, A_TYPE, out, most);
}

size_t uc_tf_floats(uc_tf_call *c, const char *name, double *out, size_t most)
{
    enum { MOST = 4096 };
    uint64_t bits[64];
    size_t n = list_numbers(c, name, A_F, bits, most < 64 ? most : 64);
    for (size_t i = 0; i < n; i++) {
        out[i] = (double)uc_pb_float(bits[i]);
    }
    if (n < 64 || most <= 64) return n;
    uint64_t *all = UC_NEW(c->graph->arena, uint64_t, most < MOST ? most : MOST);
    n = all ? list_numbers(c, name, A_F, all, most < MOST ? most : MOST) : 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = (double)uc_pb_float(all[i]);
    }
    return n;
}

/* Byte fields of the list. */
static size_t list_bytes(uc_tf_call *c, const char *name, uint32_t number, uc_pb_field *out,
                         size_t most)
{
    uncork_error ignored;
    uc_pb_field list, f;
    size_t n = 0;
    if (!attr(c, name, A_LIST, &list) || list.wire != UC_PB_BYTES) return 0;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(list.bytes.data, list.bytes.size, list.offset, &ignored);
    while (n < most && uc_pb_next(&r, &f)) {
        if (f.number == number && f.wire == UC_PB_BYTES) out[n++] = f;
    }
    return n;
}

size_t uc_tf_strs(uc_tf_call *c, const char *name, uc_str *out, size_t most)
{
    uc_pb_field *fields = UC_NEW(c->graph->arena, uc_pb_field, most);
    const size_t n = fields ? list_bytes(c, name, A_S, fields, most) : 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = (uc_str){(const char *)fields[i].bytes.data, fields[i].bytes.size};
    }
    return n;
}

/* NameAttrLists: their names. */
size_t uc_tf_funcs(uc_tf_call *c, const char *name, uc_str *out, size_t most)
{
    uc_pb_field *fields = UC_NEW(c->graph->arena, uc_pb_field, most), f;
    const size_t n = fields ? list_bytes(c, name, 9, fields, most) : 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = (uc_str){"", 0};
        if (field_of(fields[i].bytes, fields[i].offset, 1, &f) && f.wire == UC_PB_BYTES)
            out[i] = (uc_str){(const char *)f.bytes.data, f.bytes.size};
    }
    return n;
}

/* ---- shapes, tensors, functions -------------------------------------------------------------- */

int uc_tf_shape(uc_tf_call *c, const char *name, int64_t *dims)
{
    uncork_error ignored;
    uc_pb_field f;
    int rank = -1;
    int64_t *found;
    if (!attr(c, name, A_SHAPE, &f) || f.wire != UC_PB_BYTES) return -1;
    uc_error_init(&ignored);
    if (!uc_tf_shape_read(f.bytes, f.offset, c->graph->arena, &rank, &found, &ignored)) return -1;
    for (int d = 0; d < rank; d++) {
        dims[d] = found[d];
    }
    return rank;
}

size_t uc_tf_shapes(uc_tf_call *c, const char *name, int64_t *out, size_t most)
{
    uncork_error ignored;
    uc_pb_field *fields = UC_NEW(c->graph->arena, uc_pb_field, most);
    const size_t count = fields ? list_bytes(c, name, A_SHAPE, fields, most) : 0;
    size_t n = 0;
    uc_error_init(&ignored);
    for (size_t i = 0; i < count && n < most; i++) {
        int rank = -1;
        int64_t *dims = NULL;
        if (!uc_tf_shape_read(fields[i].bytes, fields[i].offset, c->graph->arena, &rank, &dims,
                              &ignored)) {
            break;
        }
        out[n++] = rank;
        for (int d = 0; d < rank && n < most; d++) {
            out[n++] = dims[d];
        }
    }
    return n;
}

const uc_tensor *uc_tf_tensor(uc_tf_call *c, const char *name)
{
    uc_pb_field f;
    const uc_tensor *t = NULL;
    if (c->graph->status) return NULL;
    if (!attr(c, name, A_TENSOR, &f) || f.wire != UC_PB_BYTES) {
        uc_tf_fail(c, "attribute '%s' is missing", name);
        return NULL;
    }
    const uncork_status status =
        uc_tf_tensor_make(f.bytes, f.offset, c->graph->arena, &t, c->graph->error);
    if (status) uc_graph_fail(c->graph, status, "a constant is broken");
    return t;
}

uc_str uc_tf_func(uc_tf_call *c, const char *name)
{
    uc_bytes value;
    uint64_t offset;
    if (!uc_tf_attr_find(c->scope, c->node, name, &value, &offset)) return (uc_str){"", 0};
    return uc_tf_attr_func(value);
}

int64_t uc_tf_node_type(const uc_tf_node *node, const char *name)
{
    uc_bytes value;
    uint64_t offset;
    uc_pb_field f;
    if (!uc_tf_attr_find(NULL, node, name, &value, &offset)) return 0;
    return field_of(value, offset, A_TYPE, &f) ? (int64_t)f.value : 0;
}

bool uc_tf_node_tensor(const uc_tf_node *node, uc_bytes *bytes, uint64_t *offset)
{
    uc_bytes value;
    uint64_t at;
    uc_pb_field f;
    if (!uc_str_is(node->op, "Const") || !uc_tf_attr_find(NULL, node, "value", &value, &at) ||
        !field_of(value, at, A_TENSOR, &f) || f.wire != UC_PB_BYTES)
        return false;
    *bytes = f.bytes;
    *offset = f.offset;
    return true;
}

bool uc_tf_node_shape(const uc_tf_node *node, const char *name, uc_arena *arena, int *rank,
                      int64_t **dims, uncork_error *error)
{
    uc_bytes value;
    uint64_t offset;
    uc_pb_field f;
    *rank = -1;
    *dims = NULL;
    if (!uc_tf_attr_find(NULL, node, name, &value, &offset) ||
        !field_of(value, offset, A_SHAPE, &f) || f.wire != UC_PB_BYTES) {
        return true;
    }
    return uc_tf_shape_read(f.bytes, f.offset, arena, rank, dims, error);
}

size_t uc_tf_node_functions(const uc_tf_node *node, uc_str *out, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < node->attr_count && n < most; i++) {
        const uc_tf_attr *a = &node->attrs[i];
        uncork_error ignored;
        uc_pb_field list, f, name;
        const uc_str one = uc_tf_attr_func(a->value);
        if (one.size) out[n++] = one;
        if (!field_of(a->value, a->offset, A_LIST, &list) || list.wire != UC_PB_BYTES) continue;
        uc_error_init(&ignored);
        uc_reader r = uc_reader_over(list.bytes.data, list.bytes.size, list.offset, &ignored);
        while (n < most && uc_pb_next(&r, &f)) {
            if (f.number != 9 || f.wire != UC_PB_BYTES || !field_of(f.bytes, f.offset, 1, &name) ||
                name.wire != UC_PB_BYTES)
                continue;
            out[n++] = (uc_str){(const char *)name.bytes.data, name.bytes.size};
        }
    }
    return n;
}

/* ---- named outputs --------------------------------------------------------------------------- */

/* How many tensors output "name:type" of a registered op stands for. */
static int64_t output_length(uc_tf_call *c, uc_str type)
{
    if (type.size && type.data[0] == '&') type = (uc_str){type.data + 1, type.size - 1};
    const char *star = type.size ? memchr(type.data, '*', type.size) : NULL;
    if (!star) return 1;
    char name[64];
    const bool number = star != type.data;
    const uc_str attr_name = number ? (uc_str){type.data, (size_t)(star - type.data)}
                                    : (uc_str){star + 1, type.size - 1};
    if (attr_name.size >= sizeof name) return -1;
    memcpy(name, attr_name.data, attr_name.size);
    name[attr_name.size] = '\0';
    if (number) return uc_tf_int(c, name);
    int64_t types[1024]; /* of a default; a node's own are only counted */
    if (!uc_tf_has(c, name)) return (int64_t)uc_tf_types(c, name, types, 1024);
    return (int64_t)list_numbers(c, name, A_TYPE, NULL, MOST_TYPES);
}

static int32_t place_of_function(uc_tf_scope *scope, uc_str function, uc_str name, int64_t index)
{
    const uc_tf_body *body = uc_tf_session_body(scope->build, function);
    for (size_t i = 0; body && i < body->ret_count; i++) {
        if (uc_str_equal(body->rets[i].name, name)) return index ? -1 : (int32_t)i;
    }
    return -1;
}

int32_t uc_tf_output_place(uc_tf_scope *scope, const uc_tf_node *node, uc_str name, int64_t index)
{
    uc_tf_call c = {
        .build = scope->build, .graph = scope->build->graph, .scope = scope, .node = node};
    int64_t place = 0;
    if (!node->def) {
        const uc_str function = uc_tf_called(scope->build->session, node);
        return function.size ? place_of_function(scope, function, name, index) : -1;
    }
    const char *at = uc_tf_def_outputs(node->def);
    while (*at) {
        const char *end = strchr(at, '|'), *colon = strchr(at, ':');
        if (!end) end = at + strlen(at);
        if (!colon || colon > end) return -1;
        const int64_t length = output_length(&c, (uc_str){colon + 1, (size_t)(end - colon - 1)});
        if (length < 0 || length > (1 << 16)) return -1;
        if (uc_str_equal(name, (uc_str){at, (size_t)(colon - at)}))
            return index < length ? (int32_t)(place + index) : -1;
        place += length;
        at = *end ? end + 1 : end;
    }
    return -1;
}
