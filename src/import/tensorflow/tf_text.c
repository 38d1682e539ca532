/* The fields of TensorFlow's messages, for graphs and SavedModels as text.
 * Source: the .proto files of TensorFlow 2.21, tensorflow/core/{framework,protobuf}. */
#include "import/tensorflow/tf_file.h"

#include "container/protobuf_text.h"

#define INT(name, number)                    \
    {                                        \
        name, number, UC_PBT_INT, NULL, NULL \
    }
#define TEXT(name, number)                     \
    {                                          \
        name, number, UC_PBT_BYTES, NULL, NULL \
    }
#define FLOAT(name, number)                    \
    {                                          \
        name, number, UC_PBT_FLOAT, NULL, NULL \
    }
#define DOUBLE(name, number)                    \
    {                                           \
        name, number, UC_PBT_DOUBLE, NULL, NULL \
    }
#define TYPE(name, number)                     \
    {                                          \
        name, number, UC_PBT_ENUM, NULL, types \
    }
#define INSIDE(name, number, table)               \
    {                                             \
        name, number, UC_PBT_MESSAGE, table, NULL \
    }
#define END                             \
    {                                   \
        NULL, 0, UC_PBT_INT, NULL, NULL \
    }

#define WITH_REF(name, value) \
    {"DT_" name, value}, { "DT_" name "_REF", (value) + 100 }
static const uc_pbt_name types[] = {{"DT_INVALID", 0},
                                    WITH_REF("FLOAT", 1),
                                    WITH_REF("DOUBLE", 2),
                                    WITH_REF("INT32", 3),
                                    WITH_REF("UINT8", 4),
                                    WITH_REF("INT16", 5),
                                    WITH_REF("INT8", 6),
                                    WITH_REF("STRING", 7),
                                    WITH_REF("COMPLEX64", 8),
                                    WITH_REF("INT64", 9),
                                    WITH_REF("BOOL", 10),
                                    WITH_REF("QINT8", 11),
                                    WITH_REF("QUINT8", 12),
                                    WITH_REF("QINT32", 13),
                                    WITH_REF("BFLOAT16", 14),
                                    WITH_REF("QINT16", 15),
                                    WITH_REF("QUINT16", 16),
                                    WITH_REF("UINT16", 17),
                                    WITH_REF("COMPLEX128", 18),
                                    WITH_REF("HALF", 19),
                                    WITH_REF("RESOURCE", 20),
                                    WITH_REF("VARIANT", 21),
                                    WITH_REF("UINT32", 22),
                                    WITH_REF("UINT64", 23),
                                    {"DT_FLOAT8_E5M2", 24},
                                    {"DT_FLOAT8_E4M3FN", 25},
                                    {"DT_FLOAT8_E4M3FNUZ", 26},
                                    {"DT_FLOAT8_E5M2FNUZ", 28},
                                    {"DT_INT4", 29},
                                    {"DT_UINT4", 30},
                                    {"DT_INT2", 31},
                                    {"DT_UINT2", 32},
                                    {NULL, 0}};

static const uc_pbt_field dim[] = {INT("size", 1), TEXT("name", 2), END};
static const uc_pbt_field shape[] = {INSIDE("dim", 2, dim), INT("unknown_rank", 3), END};
static const uc_pbt_field tensor[] = {TYPE("dtype", 1),
                                      INSIDE("tensor_shape", 2, shape),
                                      INT("version_number", 3),
                                      TEXT("tensor_content", 4),
                                      FLOAT("float_val", 5),
                                      DOUBLE("double_val", 6),
                                      INT("int_val", 7),
                                      TEXT("string_val", 8),
                                      FLOAT("scomplex_val", 9),
                                      INT("int64_val", 10),
                                      INT("bool_val", 11),
                                      DOUBLE("dcomplex_val", 12),
                                      INT("half_val", 13),
                                      INT("uint32_val", 16),
                                      INT("uint64_val", 17),
                                      TEXT("float8_val", 18),
                                      END};
static const uc_pbt_field attr_value[11];
static const uc_pbt_field attr_entry[] = {TEXT("key", 1), INSIDE("value", 2, attr_value), END};
static const uc_pbt_field func[] = {TEXT("name", 1), INSIDE("attr", 2, attr_entry), END};
static const uc_pbt_field list[] = {TEXT("s", 2),
                                    INT("i", 3),
                                    FLOAT("f", 4),
                                    INT("b", 5),
                                    TYPE("type", 6),
                                    INSIDE("shape", 7, shape),
                                    INSIDE("tensor", 8, tensor),
                                    INSIDE("func", 9, func),
                                    END};
static const uc_pbt_field attr_value[] = {INSIDE("list", 1, list),
                                          TEXT("s", 2),
                                          INT("i", 3),
                                          FLOAT("f", 4),
                                          INT("b", 5),
                                          TYPE("type", 6),
                                          INSIDE("shape", 7, shape),
                                          INSIDE("tensor", 8, tensor),
                                          TEXT("placeholder", 9),
                                          INSIDE("func", 10, func),
                                          END};
static const uc_pbt_field node[] = {TEXT("name", 1),
                                    TEXT("op", 2),
                                    TEXT("input", 3),
                                    TEXT("device", 4),
                                    INSIDE("attr", 5, attr_entry),
                                    END};
static const uc_pbt_field arg[] = {TEXT("name", 1),
                                   TYPE("type", 3),
                                   TEXT("type_attr", 4),
                                   TEXT("number_attr", 5),
                                   TEXT("type_list_attr", 6),
                                   INT("is_ref", 16),
                                   END};
static const uc_pbt_field signature_op[] = {TEXT("name", 1), INSIDE("input_arg", 2, arg),
                                            INSIDE("output_arg", 3, arg), END};
static const uc_pbt_field text_entry[] = {TEXT("key", 1), TEXT("value", 2), END};
static const uc_pbt_field function[] = {
    INSIDE("signature", 1, signature_op), INSIDE("node_def", 3, node),
    INSIDE("ret", 4, text_entry),         INSIDE("attr", 5, attr_entry),
    INSIDE("control_ret", 6, text_entry), END};
static const uc_pbt_field library[] = {INSIDE("function", 1, function), END};
static const uc_pbt_field versions[] = {INT("producer", 1), INT("min_consumer", 2), END};
static const uc_pbt_field graph[] = {INSIDE("node", 1, node), INSIDE("library", 2, library),
                                     INT("version", 3), INSIDE("versions", 4, versions), END};
static const uc_pbt_field info[] = {TEXT("meta_graph_version", 1), TEXT("tags", 4),
                                    TEXT("tensorflow_version", 5), INT("stripped_default_attrs", 7),
                                    END};
static const uc_pbt_field saver[] = {TEXT("filename_tensor_name", 1), TEXT("save_tensor_name", 2),
                                     TEXT("restore_op_name", 3), END};
static const uc_pbt_field values[] = {TEXT("value", 1), END};
static const uc_pbt_field collection[] = {INSIDE("node_list", 1, values),
                                          INSIDE("bytes_list", 2, values), END};
static const uc_pbt_field collection_entry[] = {TEXT("key", 1), INSIDE("value", 2, collection),
                                                END};
static const uc_pbt_field sparse[] = {TEXT("values_tensor_name", 1), TEXT("indices_tensor_name", 2),
                                      TEXT("dense_shape_tensor_name", 3), END};
static const uc_pbt_field tensor_info[6];
static const uc_pbt_field composite[] = {INSIDE("components", 2, tensor_info), END};
static const uc_pbt_field tensor_info[] = {TEXT("name", 1),
                                           TYPE("dtype", 2),
                                           INSIDE("tensor_shape", 3, shape),
                                           INSIDE("coo_sparse", 4, sparse),
                                           INSIDE("composite_tensor", 5, composite),
                                           END};
static const uc_pbt_field info_entry[] = {TEXT("key", 1), INSIDE("value", 2, tensor_info), END};
static const uc_pbt_field default_entry[] = {TEXT("key", 1), INSIDE("value", 2, tensor), END};
static const uc_pbt_field signature[] = {INSIDE("inputs", 1, info_entry),
                                         INSIDE("outputs", 2, info_entry), TEXT("method_name", 3),
                                         INSIDE("defaults", 4, default_entry), END};
static const uc_pbt_field signature_entry[] = {TEXT("key", 1), INSIDE("value", 2, signature), END};
static const uc_pbt_field asset[] = {INSIDE("tensor_info", 1, tensor_info), TEXT("filename", 2),
                                     END};
static const uc_pbt_field meta_graph[] = {INSIDE("meta_info_def", 1, info),
                                          INSIDE("graph_def", 2, graph),
                                          INSIDE("saver_def", 3, saver),
                                          INSIDE("collection_def", 4, collection_entry),
                                          INSIDE("signature_def", 5, signature_entry),
                                          INSIDE("asset_file_def", 6, asset),
                                          END};
static const uc_pbt_field saved_model[] = {INT("saved_model_schema_version", 1),
                                           INSIDE("meta_graphs", 2, meta_graph), END};

static const uc_pbt_field *const roots[] = {NULL, graph, saved_model, meta_graph};

static bool has(const uc_pbt_field *fields, uc_str name)
{
    for (; fields && fields->name; fields++) {
        if (uc_str_is(name, fields->name)) return true;
    }
    return false;
}

uc_tf_text uc_tf_text_of(uc_bytes head)
{
    const uc_str first = uc_pb_text_first(head);
    if (!first.size || uc_str_is(first, "version")) return UC_TF_NO_TEXT; /* YAML's too */
    for (uc_tf_text t = UC_TF_TEXT_GRAPH; t <= UC_TF_TEXT_META_GRAPH; t++) {
        if (has(roots[t], first)) return t;
    }
    return UC_TF_NO_TEXT;
}

uncork_status uc_tf_text_read(uc_bytes text, uc_tf_text what, uc_arena *arena, uc_bytes *wire,
                              uncork_error *error)
{
    return uc_pb_text_read(text, roots[what], arena, wire, error);
}
