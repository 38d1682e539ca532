/* What a file, folder or archive holds of TensorFlow's. */
#include "import/tensorflow/tf_file.h"

#include "base/text.h"

/* ---- lone files ------------------------------------------------------------------------------ */

static uc_bytes take_field(uc_reader *r, uint8_t tag)
{
    if (uc_reader_u8(r, "tag") != tag) r->failed = true;
    const uint64_t size = uc_pb_varint(r, "size");
    return uc_reader_ok(r) ? uc_reader_take(r, size, "field") : (uc_bytes){NULL, 0};
}

static bool knows(uc_bytes op)
{
    const uc_str name = {(const char *)op.data, op.size};
    return op.size && (uc_tf_def_find(name) || uc_tf_row_find(name));
}

/* The tag and the length of a message that may be longer than what is seen of it. */
static bool enter_field(uc_reader *r, uint8_t tag)
{
    if (uc_reader_u8(r, "tag") != tag) r->failed = true;
    (void)uc_pb_varint(r, "size");
    return uc_reader_ok(r);
}

/* A GraphDef begins with a node: its name, then an op that TensorFlow knows. */
static bool is_graph(uc_bytes head)
{
    uncork_error ignored;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(head.data, head.size, 0, &ignored);
    if (!enter_field(&r, 0x0a)) return false;
    (void)take_field(&r, 0x0a);
    return knows(take_field(&r, 0x12));
}

/* SavedModel {1 saved_model_schema_version = 1, 2 meta_graphs{1 meta_info_def}}; ONNX of version 1 begins
 * alike, but with a producer's name. */
static bool is_saved_model(uc_bytes head)
{
    uncork_error ignored;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(head.data, head.size, 0, &ignored);
    if (uc_reader_u8(&r, "tag") != 0x08 || uc_reader_u8(&r, "version") != 1) return false;
    return enter_field(&r, 0x12) && enter_field(&r, 0x0a);
}

/* MetaGraphDef {1 meta_info_def{2 stripped_op_list{1 op{1 name}}}}. */
static bool is_meta_graph(uc_bytes head)
{
    uncork_error ignored;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(head.data, head.size, 0, &ignored);
    return enter_field(&r, 0x0a) && enter_field(&r, 0x12) && enter_field(&r, 0x0a) &&
           knows(take_field(&r, 0x0a));
}

static bool has_data_suffix(const char *name)
{
    const char *at = strstr(name, ".data-");
    return at && strstr(at, "-of-");
}

static uc_tf_found of_file(uc_bytes head, const char *name)
{
    uc_tf_found f = {UC_TF_IS_NOTHING, SIZE_MAX};
    if (is_saved_model(head))
        f.kind = UC_TF_IS_SAVED_MODEL;
    else if (is_graph(head))
        f.kind = UC_TF_IS_GRAPH;
    else if (is_meta_graph(head) ||
             (uc_text_ends(name, ".meta") && head.size && head.data[0] == 0x0a))
        f.kind = UC_TF_IS_META_GRAPH;
    else if (uc_text_ends(name, ".index") || has_data_suffix(name))
        f.kind = UC_TF_IS_CHECKPOINT;
    if (f.kind) return f;
    switch (uc_tf_text_of(head)) {
    case UC_TF_TEXT_GRAPH: f.kind = UC_TF_IS_GRAPH_TEXT; break;
    case UC_TF_TEXT_SAVED_MODEL: f.kind = UC_TF_IS_SAVED_MODEL_TEXT; break;
    case UC_TF_TEXT_META_GRAPH: f.kind = UC_TF_IS_META_GRAPH_TEXT; break;
    case UC_TF_NO_TEXT: break;
    }
    return f;
}

/* ---- folders and archives -------------------------------------------------------------------- */

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* The number of the folder that the file is in ("1/saved_model.pb" of TensorFlow Serving); -1: it has none. */
static int64_t version_of(const char *name)
{
    const char *end = strrchr(name, '/'), *at = end;
    int64_t v = 0, unit = 1;
    while (at && at > name && at[-1] >= '0' && at[-1] <= '9' && unit < INT64_MAX / 100) {
        at--;
        v += unit * (*at - '0');
        unit *= 10;
    }
    return at && at < end && (at == name || at[-1] == '/') ? v : -1;
}

static size_t depth_of(const char *name)
{
    size_t n = 0;
    for (; *name; name++) {
        n += *name == '/';
    }
    return n;
}

/* The last number in a name: the step of a checkpoint. */
static int64_t step_of(const char *name)
{
    int64_t step = -1, v = -1;
    for (; *name; name++) {
        const bool digit = *name >= '0' && *name <= '9';
        v = !digit ? -1 : v < 0 ? *name - '0' : v < INT64_MAX / 100 ? v * 10 + (*name - '0') : v;
        if (digit) step = v;
    }
    return step;
}

/* Which of two of a kind: the one less deep, then of the higher version or step. */
static bool is_better(const char *a, const char *b)
{
    const size_t x = depth_of(a), y = depth_of(b);
    if (x != y) return x < y;
    if (version_of(a) != version_of(b)) return version_of(a) > version_of(b);
    return step_of(base_of(a)) > step_of(base_of(b));
}

static uc_tf_kind_of_file kind_by_name(const char *name)
{
    const char *base = base_of(name);
    if (strcmp(base, "saved_model.pb") == 0) return UC_TF_IS_SAVED_MODEL;
    if (strcmp(base, "saved_model.pbtxt") == 0) return UC_TF_IS_SAVED_MODEL_TEXT;
    if (uc_text_ends(base, ".meta")) return UC_TF_IS_META_GRAPH;
    if (strcmp(base, "frozen_inference_graph.pb") == 0 || strcmp(base, "frozen_graph.pb") == 0 ||
        strcmp(base, "frozen_model.pb") == 0)
        return UC_TF_IS_GRAPH;
    if (uc_text_ends(base, ".index") && strcmp(base, "variables.index") != 0)
        return UC_TF_IS_CHECKPOINT;
    return UC_TF_IS_NOTHING;
}

static int rank_of(uc_tf_kind_of_file kind)
{
    static const uc_tf_kind_of_file order[] = {UC_TF_IS_SAVED_MODEL, UC_TF_IS_SAVED_MODEL_TEXT,
                                               UC_TF_IS_GRAPH, UC_TF_IS_META_GRAPH,
                                               UC_TF_IS_CHECKPOINT};
    int i = 0;
    while (i < 5 && order[i] != kind) {
        i++;
    }
    return i;
}

static uc_tf_found of_members(const uc_bundle *bundle)
{
    uc_tf_found best = {UC_TF_IS_NOTHING, SIZE_MAX};
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        const uc_tf_kind_of_file kind = kind_by_name(name);
        if (!kind) continue;
        const int a = rank_of(kind), b = rank_of(best.kind);
        if (!best.kind || a < b || (a == b && is_better(name, uc_bundle_name(bundle, best.index))))
            best = (uc_tf_found){kind, i};
    }
    return best;
}

uc_tf_found uc_tf_find(uc_bytes head, const uc_bundle *bundle)
{
    if (bundle && uc_bundle_kind_of(bundle) != UC_BUNDLE_FILE) return of_members(bundle);
    const char *name = bundle ? uc_bundle_name(bundle, 0) : NULL;
    return of_file(head, name ? name : "");
}
