/* Declared types: of inputs, for the graph; of everything, as text for inspect. */
#include "import/onnx/onnx_build.h"

#include <inttypes.h>

/* The number of a named dimension: -2 and below, the same for the same name. */
static int64_t symbol(uc_onnx_build *b, uc_graph *g, uc_str name)
{
    int64_t *known = uc_table_find(b->symbols, name);
    if (known) return *known;
    known = UC_NEW(b->arena, int64_t, 1);
    if (!known || !uc_table_put(b->symbols, name, known)) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return UC_DIM_UNKNOWN;
    }
    *known = -2 - b->symbol_count++;
    return *known;
}

static bool declare_tensor(uc_onnx_build *b, uc_graph *g, const uc_onnx_value *value,
                           const uc_onnx_type *type, uc_onnx_declared *out)
{
    const int size = value->name.size < 60 ? (int)value->name.size : 60;
    if (type->elem < 0 || type->elem > UNCORK_INT2) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED,
                      "'%.*s' has the element type %" PRId64 ", which isn't known", size,
                      value->name.data, type->elem);
        return false;
    }
    out->dtype = (uncork_dtype)type->elem;
    if (!type->has_shape) return true;
    if (type->dims.count > UNCORK_MAX_RANK) {
        uc_graph_fail(g, UNCORK_LIMIT, "'%.*s' has %zu dimensions, at most %d can be", size,
                      value->name.data, type->dims.count, UNCORK_MAX_RANK);
        return false;
    }
    out->rank = (int)type->dims.count;
    for (int d = 0; d < out->rank; d++) {
        const uc_onnx_dim *dim = &type->dims.items[d];
        out->shape[d] = UC_DIM_UNKNOWN;
        if (dim->param.size) {
            out->shape[d] = symbol(b, g, dim->param);
        } else if (dim->value >= 0) {
            out->shape[d] = dim->value;
        }
    }
    return g->status == UNCORK_OK;
}

bool uc_onnx_declare(uc_onnx_build *b, uc_graph *g, const uc_onnx_value *value,
                     uc_onnx_declared *out)
{
    const uc_onnx_type *type = &value->type;
    *out = (uc_onnx_declared){.kind = UC_TENSOR, .rank = -1};
    switch (type->kind) {
    case UC_ONNX_NO_TYPE: return true;
    case UC_ONNX_TENSOR_TYPE: return declare_tensor(b, g, value, type, out);
    case UC_ONNX_SEQUENCE_TYPE: out->kind = UC_SEQUENCE; break;
    case UC_ONNX_OPTIONAL_TYPE: out->kind = UC_OPTIONAL; break;
    case UC_ONNX_MAP_TYPE: out->kind = UC_MAP; break;
    case UC_ONNX_SPARSE_TYPE:
    case UC_ONNX_OPAQUE_TYPE:
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "'%.*s' is %s",
                      value->name.size < 60 ? (int)value->name.size : 60, value->name.data,
                      type->kind == UC_ONNX_SPARSE_TYPE ? "a sparse tensor" : "of an opaque type");
        return false;
    }
    if (type->inside) {
        const uc_onnx_type_kind inside = type->inside->kind;
        out->item_kind = inside == UC_ONNX_SEQUENCE_TYPE   ? UC_SEQUENCE
                         : inside == UC_ONNX_OPTIONAL_TYPE ? UC_OPTIONAL
                         : inside == UC_ONNX_MAP_TYPE      ? UC_MAP
                                                           : UC_TENSOR;
    }
    while (type->inside && type->kind != UC_ONNX_TENSOR_TYPE)
        type = type->inside;
    return type->kind != UC_ONNX_TENSOR_TYPE || declare_tensor(b, g, value, type, out);
}

/* ---- as text ------------------------------------------------------------------------------ */

/* Names of element types as ONNX writes them. */
static const char *elem_text(int64_t elem)
{
    static const char *const names[] = {
        "undefined",      "float",    "uint8",        "int8",           "uint16",
        "int16",          "int32",    "int64",        "string",         "bool",
        "float16",        "double",   "uint32",       "uint64",         "complex64",
        "complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
        "float8e5m2fnuz", "uint4",    "int4",         "float4e2m1",     "float8e8m0",
        "uint2",          "int2"};
    return elem >= 0 && elem < (int64_t)(sizeof names / sizeof names[0]) ? names[elem] : "?";
}

static void shape_text(const uc_onnx_type *type, uc_writer *out)
{
    uc_writer_text(out, "[");
    for (size_t d = 0; d < type->dims.count; d++) {
        const uc_onnx_dim *dim = &type->dims.items[d];
        if (d) uc_writer_text(out, ",");
        if (dim->param.size) {
            uc_writer_put(out, dim->param.data, dim->param.size);
        } else if (dim->value >= 0) {
            uc_writer_printf(out, "%" PRId64, dim->value);
        } else {
            uc_writer_text(out, "?");
        }
    }
    uc_writer_text(out, "]");
}

void uc_onnx_type_text(const uc_onnx_type *type, uc_writer *out)
{
    int open = 0;
    for (; type && type->kind != UC_ONNX_TENSOR_TYPE && type->kind != UC_ONNX_SPARSE_TYPE;
         type = type->inside, open++) {
        switch ((int)type->kind) {
        case UC_ONNX_SEQUENCE_TYPE: uc_writer_text(out, "seq("); break;
        case UC_ONNX_OPTIONAL_TYPE: uc_writer_text(out, "optional("); break;
        case UC_ONNX_MAP_TYPE: uc_writer_printf(out, "map(%s,", elem_text(type->elem)); break;
        default: uc_writer_text(out, "("); break;
        }
    }
    if (!type) {
        uc_writer_text(out, "?");
    } else {
        uc_writer_text(out, type->kind == UC_ONNX_TENSOR_TYPE ? "tensor(" : "sparse_tensor(");
        uc_writer_text(out, elem_text(type->elem));
        uc_writer_text(out, ")");
        if (type->has_shape) shape_text(type, out);
    }
    for (; open > 0; open--)
        uc_writer_text(out, ")");
}
