/* Tensors, types and attributes as ONNX messages. Source: onnx/onnx.proto (IR version 14). */
#include "pack/onnx_write_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* Smaller constants stay in the model: shapes and scalars are read by whoever looks at it. */
#define EXTERNAL_FROM 256
#define ALIGNMENT     64

/* IR versions that brought element types: onnx/docs/Versioning.md, onnx.proto. */
static int64_t ir_of(uncork_dtype dtype)
{
    switch ((int)dtype) {
    case UNCORK_FLOAT8E4M3FN:
    case UNCORK_FLOAT8E4M3FNUZ:
    case UNCORK_FLOAT8E5M2:
    case UNCORK_FLOAT8E5M2FNUZ: return 9;
    case UNCORK_UINT4:
    case UNCORK_INT4: return 10;
    case UNCORK_FLOAT4E2M1: return 11;
    case UNCORK_FLOAT8E8M0: return 12;
    case UNCORK_UINT2:
    case UNCORK_INT2: return 13;
    case UNCORK_FLOAT6E2M3:
    case UNCORK_FLOAT6E3M2: return 14;
    default: return 8;
    }
}

static void put_pair(uc_writer *w, uint32_t field, const char *key, const char *value)
{
    uc_writer pair;
    uc_writer_init(&pair, 4096);
    uc_pb_put_text(&pair, 1, key);
    uc_pb_put_text(&pair, 2, value);
    uc_pb_put_message(w, field, &pair);
}

static void put_external(uc_onnx_writing *x, uc_writer *tensor, const void *data, size_t bytes)
{
    static const uint8_t zeros[ALIGNMENT];
    uc_writer *weights = x->how->weights;
    char number[32];
    uc_writer_put(weights, zeros, (ALIGNMENT - weights->size % ALIGNMENT) % ALIGNMENT);
    put_pair(tensor, 13, "location", x->how->weights_name);
    snprintf(number, sizeof number, "%zu", weights->size);
    put_pair(tensor, 13, "offset", number);
    snprintf(number, sizeof number, "%zu", bytes);
    put_pair(tensor, 13, "length", number);
    uc_pb_put_int(tensor, 14, 1);
    uc_writer_put(weights, data, bytes);
}

uncork_status uc_onnx_write_tensor(uc_onnx_writing *x, uint32_t field, const char *name,
                                   const uc_tensor *t, uc_writer *out)
{
    size_t bytes = 0;
    uc_writer head;
    uc_onnx_raise(&x->ir, ir_of(t->dtype));
    const uc_tensor *dense = uc_tensor_dense(x->arena, t);
    if (!dense) return uc_arena_status(x->arena, x->error);
    uc_writer_init(&head, UC_ONNX_MOST_BYTES);
    for (int d = 0; d < t->rank; d++)
        uc_pb_put_int(&head, 1, t->shape[d]);
    uc_pb_put_int(&head, 2, t->dtype);
    if (name) uc_pb_put_text(&head, 8, name);
    if (t->dtype == UNCORK_STRING) {
        for (int64_t i = 0; i < uc_tensor_count(dense); i++) {
            const uc_str s = uc_tensor_string(dense, i);
            uc_pb_put_bytes(&head, 6, s.data, s.size);
        }
    } else if (!uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes)) {
        uc_writer_done(&head);
        return uc_fail(x->error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "a constant is too large to be written");
    } else if (x->how->weights && bytes >= EXTERNAL_FROM) {
        put_external(x, &head, dense->data, bytes);
    } else {
        /* The bytes go straight to `out`: large ones aren't copied from buffer to buffer. */
        uc_pb_put_tag(&head, 9, 2);
        uc_pb_put_varint(&head, bytes);
        uc_pb_put_tag(out, field, 2);
        uc_pb_put_varint(out, head.size + bytes);
        uc_writer_put(out, head.data, head.size);
        uc_writer_put(out, dense->data, bytes);
        if (head.status && !out->status) out->status = head.status;
        uc_writer_done(&head);
        return UNCORK_OK;
    }
    uc_pb_put_message(out, field, &head);
    return UNCORK_OK;
}

/* ---- types -------------------------------------------------------------------------------- */

static void put_tensor_type(uc_writer *type, const uc_graph_value *v)
{
    uc_writer tensor, shape;
    uc_writer_init(&tensor, UC_ONNX_MOST_BYTES);
    uc_pb_put_int(&tensor, 1, v->dtype);
    if (v->rank >= 0) {
        uc_writer_init(&shape, UC_ONNX_MOST_BYTES);
        for (int d = 0; d < v->rank; d++) {
            uc_writer dim;
            char symbol[32];
            uc_writer_init(&dim, 64);
            snprintf(symbol, sizeof symbol, "d%" PRId64, -1 - v->shape[d]);
            if (v->shape[d] >= 0) uc_pb_put_int(&dim, 1, v->shape[d]);
            if (v->shape[d] < UC_DIM_UNKNOWN) uc_pb_put_text(&dim, 2, symbol);
            uc_pb_put_message(&shape, 1, &dim);
        }
        uc_pb_put_message(&tensor, 2, &shape);
    }
    uc_pb_put_message(type, 1, &tensor);
}

/* Type `inside` one of its own kind: field 1 of Sequence (4) and Optional (9). */
static void wrap_type(uc_writer *type, uint32_t field, uc_writer *inside)
{
    uc_writer box;
    uc_writer_init(&box, UC_ONNX_MOST_BYTES);
    uc_pb_put_message(&box, 1, inside);
    uc_pb_put_message(type, field, &box);
}

/* False for kinds whose type the graph doesn't keep. */
static bool put_type(uc_writer *type, const uc_graph_value *v)
{
    uc_writer inside;
    if (v->kind == UC_TENSOR || v->kind == UC_NOTHING) {
        put_tensor_type(type, v);
        return true;
    }
    if (v->kind != UC_SEQUENCE && v->kind != UC_OPTIONAL) return false;
    const bool nested = v->kind == UC_OPTIONAL && v->item_kind == UC_SEQUENCE;
    if (!nested && v->item_kind != UC_TENSOR && v->item_kind != UC_NOTHING) return false;
    uc_writer_init(&inside, UC_ONNX_MOST_BYTES);
    put_tensor_type(&inside, v);
    if (nested) {
        uc_writer sequence;
        uc_writer_init(&sequence, UC_ONNX_MOST_BYTES);
        wrap_type(&sequence, 4, &inside);
        inside = sequence;
    }
    wrap_type(type, v->kind == UC_SEQUENCE ? 4 : 9, &inside);
    return true;
}

uncork_status uc_onnx_write_value(uc_onnx_writing *x, uint32_t field, const char *name,
                                  const char *own, const uc_graph_value *v, uc_writer *out)
{
    uc_writer info, type;
    uc_onnx_raise(&x->ir, ir_of(v->dtype));
    uc_writer_init(&info, UC_ONNX_MOST_BYTES);
    uc_writer_init(&type, UC_ONNX_MOST_BYTES);
    uc_pb_put_text(&info, 1, name);
    const bool fits = put_type(&type, v);
    /* A sequence of maps has no type here: readers take it from the operator that made it. */
    if (fits) {
        uc_pb_put_message(&info, 2, &type);
    } else {
        uc_writer_done(&type);
    }
    if (own) {
        uc_pb_put_tag(&info, 3, 2);
        uc_pb_put_varint(&info, strlen(UC_GRAPH_CALLED) + strlen(own));
        uc_writer_text(&info, UC_GRAPH_CALLED);
        uc_writer_text(&info, own);
    }
    uc_pb_put_message(out, field, &info);
    return UNCORK_OK;
}

void uc_onnx_write_maps(uint32_t field, const char *name, bool texts, uc_writer *out)
{
    uc_writer info, type, map, inside, value, scalar;
    uc_writer *const all[] = {&info, &type, &map, &inside, &value, &scalar};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        uc_writer_init(all[i], 65536);
    uc_pb_put_int(&scalar, 1, UNCORK_FLOAT32);
    uc_pb_put_bytes(&scalar, 2, "", 0); /* no dimensions */
    uc_pb_put_message(&value, 1, &scalar);
    uc_pb_put_int(&map, 1, texts ? UNCORK_STRING : UNCORK_INT64);
    uc_pb_put_message(&map, 2, &value);
    uc_pb_put_message(&inside, 5, &map);
    wrap_type(&type, 4, &inside);
    uc_pb_put_text(&info, 1, name);
    uc_pb_put_message(&info, 2, &type);
    uc_pb_put_message(out, field, &info);
}

/* ---- attributes --------------------------------------------------------------------------- */

enum { FLOAT = 1, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS };

/* A parameter of an uncork operator is float64, which ONNX's attributes aren't: a tensor called
 * "float64" stands for it. */
static uncork_status put_doubles(uc_onnx_writing *x, const uc_attr *a, uc_writer *w)
{
    const bool many = a->kind == UC_ATTR_FLOATS;
    uc_tensor *t = uc_tensor_f64(x->arena, many ? a->floats : &a->f, many ? (int64_t)a->count : 1);
    if (!t) return uc_arena_status(x->arena, x->error);
    if (!many) uc_tensor_set(t, UNCORK_FLOAT64, 0, NULL);
    const uc_onnx_write inside = {.weights = NULL};
    const uc_onnx_write *how = x->how;
    x->how = &inside;
    const uncork_status status = uc_onnx_write_tensor(x, 5, "float64", t, w);
    x->how = how;
    uc_pb_put_int(w, 20, TENSOR);
    return status;
}

static void put_list(const uc_attr *a, uc_writer *w)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->kind == UC_ATTR_INTS) uc_pb_put_int(w, 8, a->ints[i]);
        if (a->kind == UC_ATTR_FLOATS) uc_pb_put_float(w, 7, (float)a->floats[i]);
        if (a->kind == UC_ATTR_STRINGS)
            uc_pb_put_bytes(w, 9, a->strings[i].data, a->strings[i].size);
    }
    uc_pb_put_int(w, 20,
                  a->kind == UC_ATTR_INTS     ? INTS
                  : a->kind == UC_ATTR_FLOATS ? FLOATS
                                              : STRINGS);
}

uncork_status uc_onnx_write_attr(uc_onnx_writing *x, const uc_attr *a, bool exact, uc_writer *out)
{
    uc_writer w;
    uncork_status status = UNCORK_OK;
    uc_writer_init(&w, SIZE_MAX / 2);
    uc_pb_put_text(&w, 1, a->name);
    switch (a->kind) {
    case UC_ATTR_INT:
        uc_pb_put_int(&w, 3, a->i);
        uc_pb_put_int(&w, 20, INT);
        break;
    case UC_ATTR_STRING:
        uc_pb_put_bytes(&w, 4, a->s.data, a->s.size);
        uc_pb_put_int(&w, 20, STRING);
        break;
    case UC_ATTR_TENSOR:
        status = uc_onnx_write_tensor(x, 5, NULL, a->tensor, &w);
        uc_pb_put_int(&w, 20, TENSOR);
        break;
    case UC_ATTR_FLOAT:
    case UC_ATTR_FLOATS:
        if (exact) {
            status = put_doubles(x, a, &w);
        } else if (a->kind == UC_ATTR_FLOATS) {
            put_list(a, &w);
        } else {
            uc_pb_put_float(&w, 2, (float)a->f);
            uc_pb_put_int(&w, 20, FLOAT);
        }
        break;
    case UC_ATTR_INTS:
    case UC_ATTR_STRINGS: put_list(a, &w); break;
    case UC_ATTR_GRAPH: break; /* the graph's writer does these */
    }
    uc_pb_put_message(out, 5, &w);
    return status;
}
