/* model_config of every Keras as a tree of layers: classes, names, variables, wrapped layers. */
#include "base/text.h"
#include "import/keras/keras.h"

#include <inttypes.h>
#include <stdlib.h>

/* Models within models: real ones stay below 5. */
enum { MAX_DEPTH = 40 };

/* ---- settings -------------------------------------------------------------------------------- */

/* Names that Keras 2 gave to settings of Keras 1 (keras 2.0 legacy/interfaces.py), and 3 to those of
 * 2. */
static const char *const renamed[][2] = {
    {"filters", "nb_filter"},
    {"kernel_size", "filter_length"},
    {"strides", "subsample"},
    {"strides", "subsample_length"},
    {"strides", "stride"},
    {"padding", "border_mode"},
    {"data_format", "dim_ordering"},
    {"use_bias", "bias"},
    {"units", "output_dim"},
    {"pool_size", "pool_length"},
    {"size", "length"},
    {"rate", "p"},
    {"recurrent_activation", "inner_activation"},
    {"negative_slope", "alpha"},
    {"dilation_rate", "atrous_rate"},
    {"groups", "num_groups"},
    {"batch_shape", "batch_input_shape"},
};

const uc_json *uc_k_get(const uc_k_layer *layer, const char *key)
{
    const uc_json *value = uc_json_get(layer->config, key);
    for (size_t i = 0; !value && i < sizeof renamed / sizeof renamed[0]; i++) {
        if (strcmp(renamed[i][0], key) == 0) value = uc_json_get(layer->config, renamed[i][1]);
    }
    return value && value->kind == UC_JSON_NULL ? NULL : value;
}

int64_t uc_k_int(const uc_k_layer *layer, const char *key, int64_t otherwise)
{
    const uc_json *v = uc_k_get(layer, key);
    int64_t one;
    if (v && v->kind == UC_JSON_FLOAT) {
        return v->number > -1e15 && v->number < 1e15 ? (int64_t)v->number : otherwise;
    }
    if (v && uc_json_count(v) && uc_k_ints(v, &one, 1)) return one;
    return uc_json_i64(v, otherwise);
}

double uc_k_number(const uc_k_layer *layer, const char *key, double otherwise)
{
    const uc_json *v = uc_k_get(layer, key);
    /* Keras 3 writes NumPy numbers as objects {"class_name": "__numpy__", "config": {"value": ...}} */
    if (v && v->kind == UC_JSON_OBJECT) v = uc_json_path(v, "config.value");
    return uc_json_f64(v, otherwise);
}

bool uc_k_bool(const uc_k_layer *layer, const char *key, bool otherwise)
{
    return uc_json_bool(uc_k_get(layer, key), otherwise);
}

uc_str uc_k_text(const uc_k_layer *layer, const char *key, const char *otherwise)
{
    return uc_json_str(uc_k_get(layer, key), otherwise);
}

static bool entry(const uc_json *json, size_t i, int64_t *out)
{
    if (json->kind == UC_JSON_NUMBERS) {
        *out = uc_dtype_load_i64(json->numbers->data, (int64_t)i, json->numbers->dtype);
        return true;
    }
    const uc_json *item = uc_json_at(json, i);
    *out = -1;
    if (item && item->kind == UC_JSON_INT)
        *out = item->integer;
    else if (item && item->kind == UC_JSON_FLOAT && item->number > -1e15 && item->number < 1e15)
        *out = (int64_t)item->number;
    return item &&
           (item->kind == UC_JSON_INT || item->kind == UC_JSON_FLOAT || item->kind == UC_JSON_NULL);
}

bool uc_k_ints(const uc_json *json, int64_t *out, size_t n)
{
    if (!json) return false;
    if (json->kind == UC_JSON_INT) {
        for (size_t i = 0; i < n; i++) {
            out[i] = json->integer;
        }
        return true;
    }
    const size_t count = uc_json_count(json);
    if (count != n && count != 1) return false;
    for (size_t i = 0; i < n; i++) {
        if (!entry(json, count == 1 ? 0 : i, &out[i])) return false;
    }
    return true;
}

size_t uc_k_list(const uc_json *json, int64_t *out, size_t most)
{
    const size_t count = json ? uc_json_count(json) : 0;
    if (json && json->kind == UC_JSON_INT && most) {
        out[0] = json->integer;
        return 1;
    }
    for (size_t i = 0; i < count && i < most; i++) {
        if (!entry(json, i, &out[i])) return i;
    }
    return count < most ? count : most;
}

uc_str uc_k_object_name(const uc_json *json)
{
    if (!json) return (uc_str){"", 0};
    if (json->kind == UC_JSON_STRING) {
        const uc_str s = json->string;
        const char *package = s.size ? memchr(s.data, '>', s.size) : NULL; /* "Custom>swish" */
        return package ? (uc_str){package + 1, s.size - (size_t)(package + 1 - s.data)} : s;
    }
    const uc_json *config = uc_json_get(json, "config");
    const uc_str class_name = uc_json_str(uc_json_get(json, "class_name"), "");
    if (uc_str_is(class_name, "function") && config && config->kind == UC_JSON_STRING) {
        return config->string;
    }
    return class_name;
}

uc_k_layer *uc_k_child_of(const uc_k_layer *layer, const char *attribute)
{
    for (size_t i = 0; i < layer->child_count; i++) {
        if (strcmp(layer->children[i].attribute, attribute) == 0) return layer->children[i].layer;
    }
    return NULL;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const uc_k_row rows[] = {
#define LAYER(class_name, slots, path, emit, flags) {class_name, slots, path, uc_k_##emit, flags},
#include "import/keras/keras_layer_table.def"
#undef LAYER
};

const uc_k_row *uc_k_row_find(uc_str class_name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (uc_str_is(class_name, rows[i].class_name)) return &rows[i];
    }
    return NULL;
}

/* ---- layers ---------------------------------------------------------------------------------- */

typedef struct reading {
    uc_k_file *file;
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
} reading;

static uncork_status read_layer(reading *r, const uc_json *record, int depth, uc_k_layer **result);

static const char *condition_of(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '?' || text[i] == '!' || text[i] == '^' || text[i] == '-' || text[i] == '+')
            return text + i;
    }
    return NULL;
}

static bool holds(const uc_k_layer *l, char condition, const char *key)
{
    if (condition == '?') return uc_k_bool(l, key, true);
    if (condition == '+')
        return uc_k_bool(l, key, false) || uc_str_is(uc_k_text(l, key, ""), "concat");
    if (condition == '-') return !uc_k_bool(l, key, true);
    return (uc_k_get(l, key) != NULL) == (condition == '!');
}

/* STFTSpectrogram has no kernel for a part that its mode leaves out, LayerNormalization of roots of mean squares
 * no offset. */
static bool left_out(const uc_k_layer *l, const char *slot)
{
    const uc_str mode = uc_k_text(l, "mode", "");
    if (strcmp(slot, "real_kernel") == 0) return uc_str_is(mode, "imag");
    if (strcmp(slot, "imag_kernel") == 0) return uc_str_is(mode, "real");
    return strcmp(slot, "beta") == 0 && uc_k_bool(l, "rms_scaling", false);
}

/* The variables of a row's description. */
static uncork_status read_slots(reading *r, uc_k_layer *l, const char *text)
{
    const char *old = strchr(text, '|');
    size_t size = old ? (size_t)(old - text) : strlen(text);
    if (old && l->major == 1) {
        text = old + 1;
        size = strlen(text);
    }
    const char *end = text + size;
    while (text < end && l->slot_count < UC_K_SLOTS) {
        size_t n = 0;
        while (text + n < end && text[n] != ' ') {
            n++;
        }
        const bool frozen = *text == '~';
        const char *condition = condition_of(text, n);
        const size_t name = (condition ? (size_t)(condition - text) : n) - frozen;
        const char *copy = uc_arena_copy(r->arena, text + frozen, name);
        const char *key =
            condition ? uc_arena_copy(r->arena, condition + 1, n - (size_t)(condition + 1 - text))
                      : "";
        if (!copy || !key) return uc_arena_status(r->arena, r->error);
        if ((!condition || holds(l, *condition, key)) && !left_out(l, copy)) {
            l->slots[l->slot_count++] = (uc_k_slot){.name = copy, .frozen = frozen};
        }
        text += n + (text + n < end);
    }
    return UNCORK_OK;
}

static uncork_status add_child(reading *r, uc_k_layer *l, const char *attribute, uc_k_layer *child)
{
    l->children = uc_arena_grow(r->arena, l->children, &l->child_capacity, l->child_count + 1,
                                sizeof *l->children);
    if (!l->children) return uc_arena_status(r->arena, r->error);
    l->children[l->child_count++] = (uc_k_child){attribute, child};
    return UNCORK_OK;
}

static uncork_status add_config_child(reading *r, uc_k_layer *l, const char *attribute,
                                      const uc_json *record, int depth)
{
    uc_k_layer *child;
    if (!record || record->kind != UC_JSON_OBJECT) return UNCORK_OK;
    UC_TRY(read_layer(r, record, depth + 1, &child));
    child->frozen |= l->frozen;
    return add_child(r, l, attribute, child);
}

/* A sublayer that no config describes: the projections of attention. */
static uncork_status add_made_child(reading *r, uc_k_layer *l, const char *attribute)
{
    uc_k_layer *child = UC_NEW(r->arena, uc_k_layer, 1);
    if (!child) return uc_arena_status(r->arena, r->error);
    *child = (uc_k_layer){.class_name = "EinsumDense",
                          .name = attribute,
                          .record = l->record,
                          .config = l->config,
                          .frozen = l->frozen,
                          .major = l->major};
    UC_TRY(read_slots(r, child, "kernel bias?use_bias"));
    return add_child(r, l, attribute, child);
}

/* StackedRNNCells keeps its cells in a list, whose members are named by class. */
static uncork_status add_cells(reading *r, uc_k_layer *l, const char *key, int depth)
{
    const uc_json *cells = uc_json_get(l->config, key);
    for (size_t i = 0; i < uc_json_count(cells); i++) {
        UC_TRY(add_config_child(r, l, key, uc_json_at(cells, i), depth));
    }
    return UNCORK_OK;
}

static uncork_status add_children(reading *r, uc_k_layer *l, int depth)
{
    const char *c = l->class_name;
    if (strcmp(c, "Bidirectional") == 0) {
        const uc_json *layer = uc_json_get(l->config, "layer");
        const uc_json *back = uc_json_get(l->config, "backward_layer");
        UC_TRY(add_config_child(r, l, "forward_layer", layer, depth));
        return add_config_child(r, l, "backward_layer",
                                back && back->kind == UC_JSON_OBJECT ? back : layer, depth);
    }
    if (strcmp(c, "StackedRNNCells") == 0) return add_cells(r, l, "cells", depth);
    if (strcmp(c, "MultiHeadAttention") == 0 || strcmp(c, "GroupQueryAttention") == 0 ||
        strcmp(c, "GroupedQueryAttention") == 0) {
        UC_TRY(add_made_child(r, l, "query_dense"));
        UC_TRY(add_made_child(r, l, "key_dense"));
        if (uc_k_bool(l, "use_gate", false)) UC_TRY(add_made_child(r, l, "gate_dense"));
        UC_TRY(add_made_child(r, l, "value_dense"));
        return add_made_child(r, l, "output_dense");
    }
    if (strcmp(c, "Pipeline") == 0) return add_cells(r, l, "layers", depth);
    UC_TRY(add_config_child(r, l, "layer", uc_json_get(l->config, "layer"), depth));
    return add_config_child(r, l, "cell", uc_json_get(l->config, "cell"), depth);
}

/* ---- models ---------------------------------------------------------------------------------- */

static uncork_status read_model(reading *r, uc_k_layer *l, const uc_json *layers, int depth)
{
    uc_k_model *m = l->model = UC_NEW(r->arena, uc_k_model, 1);
    if (!m) return uc_arena_status(r->arena, r->error);
    m->by_name = uc_table_new(r->arena);
    if (!m->by_name) return uc_arena_status(r->arena, r->error);
    m->sequential = strcmp(l->class_name, "Sequential") == 0;
    for (size_t i = 0; i < uc_json_count(layers); i++) {
        uc_k_layer *child;
        UC_TRY(read_layer(r, uc_json_at(layers, i), depth + 1, &child));
        child->frozen |= l->frozen;
        m->layers =
            uc_arena_grow(r->arena, m->layers, &m->capacity, m->count + 1, sizeof *m->layers);
        if (!m->layers || !uc_table_put(m->by_name, uc_str_of(child->name), child)) {
            return uc_arena_status(r->arena, r->error);
        }
        m->layers[m->count++] = child;
    }
    return UNCORK_OK;
}

static const uc_json *layers_of(const uc_json *config)
{
    if (config && config->kind == UC_JSON_ARRAY) return config; /* Sequential before 2.2.3 */
    return uc_json_get(config, "layers");
}

static bool is_model(const char *class_name)
{
    return strcmp(class_name, "Sequential") == 0 || strcmp(class_name, "Functional") == 0 ||
           strcmp(class_name, "Model") == 0;
}

static uc_str name_of(const uc_k_layer *l)
{
    const uc_str name = uc_json_str(uc_json_get(l->record, "name"), "");
    return name.size ? name : uc_json_str(uc_json_get(l->config, "name"), l->class_name);
}

/* "keras.src.ops.numpy": an operator of a functional graph rather than a layer of the same name. An .h5
 * file of Keras 3 leaves the module out, but every layer's config says whether it is trainable. */
static bool is_operator(const uc_json *record, const char *class_name, int major)
{
    static const char begin[] = "keras.src.ops";
    const uc_str module = uc_json_str(uc_json_get(record, "module"), "");
    if (!module.size && major >= 3 && uc_k_is_operator(class_name) &&
        !uc_json_path(record, "config.trainable"))
        return true;
    return module.size >= sizeof begin - 1 && memcmp(module.data, begin, sizeof begin - 1) == 0;
}

static uncork_status read_layer(reading *r, const uc_json *record, int depth, uc_k_layer **result)
{
    if (r->budget) UC_TRY(uc_budget_nodes(r->budget, 1, "layers", r->error));
    if (depth > MAX_DEPTH) {
        return uc_fail(r->error, UNCORK_LIMIT, UC_NO_OFFSET, "models nest deeper than %d",
                       MAX_DEPTH);
    }
    uc_str class_name = uc_json_str(uc_json_get(record, "class_name"), "");
    const char *package = class_name.size ? memchr(class_name.data, '>', class_name.size) : NULL;
    if (package) { /* "Addons>GroupNormalization" */
        const size_t n = (size_t)(package + 1 - class_name.data);
        class_name = (uc_str){package + 1, class_name.size - n};
    }
    if (!class_name.size) {
        return uc_fail(r->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "a layer's configuration has no class_name");
    }
    uc_k_layer *l = *result = UC_NEW(r->arena, uc_k_layer, 1);
    if (!l) return uc_arena_status(r->arena, r->error);
    l->record = record;
    l->config = uc_json_get(record, "config");
    l->class_name = uc_arena_copy(r->arena, class_name.data, class_name.size);
    if (!l->class_name) return uc_arena_status(r->arena, r->error);
    const uc_str name = name_of(l);
    l->name = uc_arena_copy(r->arena, name.data, name.size);
    if (!l->name) return uc_arena_status(r->arena, r->error);
    l->major = r->file->major;
    l->frozen = !uc_json_bool(uc_json_get(l->config, "trainable"), true);
    l->is_operator = is_operator(record, l->class_name, l->major);
    const uc_json *layers = layers_of(l->config);
    if (is_model(l->class_name) ||
        (layers && layers->kind == UC_JSON_ARRAY && uc_json_get(l->config, "output_layers"))) {
        return read_model(r, l, layers, depth);
    }
    l->row = l->is_operator ? NULL : uc_k_row_find(class_name);
    l->is_operator |= !l->row && l->major >= 3 && uc_k_is_operator(l->class_name);
    if (l->row) UC_TRY(read_slots(r, l, l->row->slots));
    return add_children(r, l, depth);
}

uncork_status uc_k_read_config(uc_k_file *file, const uc_json *root, uc_budget *budget,
                               uncork_error *error)
{
    reading r = {file, file->arena, budget, error};
    UC_TRY(read_layer(&r, root, 0, &file->root));
    if (!file->root->model) {
        uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "the model is of the class '%s', whose code isn't in the file",
                file->root->class_name);
        return uc_fix(error, "save it as a SavedModel or ONNX, which hold what it computes");
    }
    return UNCORK_OK;
}
