/* What is written around a model into its artifact. */
#include "pack/cork_contract.h"

#include "contract/contract.h"
#include "model/recipe.h"

#include <math.h>

typedef struct around {
    const uc_cork_contract *said;
    const uc_facts *facts;
    const uncork_model *model;
    uc_arena *arena;
    uc_contract *contract; /* NULL: it takes no pictures */
    uc_labels labels;
    bool preset; /* `said->preprocess` is a preset's name */
    uncork_error *error;
} around;

/* ---- facts ---- */

static bool is_kept(const char *key)
{
    static const char *const keys[] = {
        "task",        "n_features",          "feature_names", "input_kind",       "seen_min",
        "seen_max",    "seen_from",           "scaler",        "classes",          "architecture",
        "labels_from", "architecture_preset", "graph",         "architecture_from"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(key, keys[i]) == 0) return true;
    }
    return strncmp(key, "metadata.", 9) == 0;
}

static void put_tensor(uc_json_writer *json, const uc_tensor *t)
{
    uc_json_begin_array(json);
    for (int64_t i = 0; i < uc_tensor_count(t); i++) {
        if (t->dtype == UNCORK_STRING) {
            uc_json_put_str(json, uc_tensor_string(t, i));
        } else if (uc_dtype_is_float(t->dtype)) {
            uc_json_put_f64(json, uc_dtype_load_f64(t->data, i, t->dtype));
        } else {
            uc_json_put_i64(json, uc_dtype_load_i64(t->data, i, t->dtype));
        }
    }
    uc_json_end_array(json);
}

static void put_text(uc_json_writer *json, const char *key, const char *text)
{
    uc_json_key(json, key);
    uc_json_put_text(json, text);
}

static void put_facts(const around *a, uc_json_writer *json)
{
    uc_json_key(json, "facts");
    uc_json_begin_object(json);
    for (size_t i = 0; i < a->facts->count; i++) {
        const uc_fact *fact = &a->facts->items[i];
        if (!is_kept(fact->key)) continue;
        if (a->preset && strncmp(fact->key, "architecture_", 13) == 0) continue;
        if (a->said->labels.count && strcmp(fact->key, "labels_from") == 0) continue;
        uc_json_key(json, fact->key);
        if (fact->text) {
            uc_json_put_text(json, fact->text);
        } else if (fact->tensor) {
            put_tensor(json, fact->tensor);
        } else {
            uc_json_put_f64(json, fact->number);
        }
    }
    if (a->preset) {
        put_text(json, "architecture_preset", a->said->preprocess);
        put_text(json, "architecture_from", "--preprocess");
    }
    uc_json_end_object(json);
}

/* ---- inputs, outputs ---- */

static void put_ends(uc_json_writer *json, const uncork_model *model, bool outputs)
{
    const int count = outputs ? uncork_model_output_count(model) : uncork_model_input_count(model);
    const uc_graph *g = uc_model_graph(model);
    uc_json_key(json, outputs ? "outputs" : "inputs");
    uc_json_begin_array(json);
    for (int i = 0; i < count; i++) {
        const uc_graph_value *v = &g->values[outputs ? g->outputs[i] : g->inputs[i]];
        const char *name =
            outputs ? uncork_model_output_name(model, i) : uncork_model_input_name(model, i);
        uc_json_begin_object(json);
        put_text(json, "name", name ? name : "");
        put_text(json, "type", uc_dtype_name(v->dtype));
        uc_json_key(json, "shape");
        uc_json_begin_array(json);
        for (int d = 0; d < v->rank; d++) {
            if (v->shape[d] >= 0) uc_json_put_i64(json, v->shape[d]);
            if (v->shape[d] < 0) uc_json_put_null(json);
        }
        uc_json_end_array(json);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

/* ---- in front ---- */

/* Steps that were said must fit. Otherwise those that predict would take today are kept, so that a later
 * uncork takes the same; rows of a table are no pictures unless somebody says so. */
static uncork_status find_contract(around *a)
{
    const uc_graph *g = uc_model_graph(a->model);
    uc_contract_want want;
    size_t input;
    const bool pictures = uc_recipe_input(g, a->facts, &input, &want);
    if (a->said->preprocess) {
        UC_TRY(uc_contract_parse(a->said->preprocess, a->arena, &a->contract, a->error));
        if (!pictures)
            return uc_fail(a->error, UNCORK_USAGE, UC_NO_OFFSET,
                           "the model takes no pictures: leave --preprocess out");
        return uc_contract_check(a->contract, &want, a->error);
    }
    uncork_error unused = {.size = sizeof unused};
    uc_error_init(&unused);
    if (!pictures || (want.rank == 1 && !uc_fact_find(a->facts, "preprocess"))) return UNCORK_OK;
    if (uc_contract_infer(a->facts, g, input, &want, a->arena, a->said->notes, &a->contract,
                          &unused)) {
        a->contract = NULL;
    }
    return uc_arena_status(a->arena, a->error);
}

static void put_preprocess(const around *a, uc_json_writer *json)
{
    if (!a->contract) return;
    const char *from = uc_contract_from(a->contract);
    if (a->said->preprocess) from = a->preset ? a->said->preprocess : "said when it was packed";
    uc_json_key(json, "preprocess");
    uc_contract_json(a->contract, json);
    if (from) put_text(json, "preprocess_from", from);
}

/* ---- behind ---- */

static void put_answers(const uc_cork_contract *said, uc_json_writer *json)
{
    if (!said->task && !said->activation && isnan(said->threshold) && isnan(said->nms) &&
        !said->max_boxes) {
        return;
    }
    uc_json_key(json, "answers");
    uc_json_begin_object(json);
    if (said->task) put_text(json, "task", said->task);
    if (said->activation) put_text(json, "activation", said->activation);
    if (!isnan(said->threshold)) {
        uc_json_key(json, "threshold");
        uc_json_put_f64(json, said->threshold);
    }
    if (!isnan(said->nms)) {
        uc_json_key(json, "nms");
        uc_json_put_f64(json, said->nms);
    }
    if (said->max_boxes) {
        uc_json_key(json, "max_boxes");
        uc_json_put_i64(json, said->max_boxes);
    }
    uc_json_end_object(json);
}

static void take_strings(around *a, const uc_tensor *t)
{
    const size_t count = (size_t)uc_tensor_count(t);
    a->labels.items = UC_NEW(a->arena, uc_str, count);
    a->labels.count = a->labels.items ? count : 0;
    for (size_t i = 0; i < a->labels.count; i++) {
        a->labels.items[i] = uc_tensor_string(t, (int64_t)i);
    }
}

static void find_labels(around *a)
{
    a->labels = a->said->labels;
    const uc_fact *fact = uc_fact_find(a->facts, "labels");
    if (!a->labels.count && fact && fact->tensor && fact->tensor->dtype == UNCORK_STRING)
        take_strings(a, fact->tensor);
}

/* The names exactly; labels.txt has them for other tools. */
static void put_labels(const around *a, uc_json_writer *json)
{
    if (!a->labels.count) return;
    uc_json_key(json, "labels");
    uc_json_begin_array(json);
    for (size_t i = 0; i < a->labels.count; i++) {
        uc_json_put_str(json, a->labels.items[i]);
    }
    uc_json_end_array(json);
}

static void put_label_lines(around *a, uc_writer *out)
{
    const uc_fact *classes = uc_fact_find(a->facts, "classes");
    if (!a->labels.count && classes && classes->tensor && classes->tensor->dtype == UNCORK_STRING)
        take_strings(a, classes->tensor);
    for (size_t i = 0; i < a->labels.count; i++) {
        const uc_str s = a->labels.items[i];
        for (size_t k = 0; k < s.size; k++) {
            uc_writer_u8(out, s.data[k] == '\n' || s.data[k] == '\r' ? ' ' : (uint8_t)s.data[k]);
        }
        uc_writer_u8(out, '\n');
    }
}

uncork_status uc_cork_contract_put(const uc_cork_contract *said, const uncork_file *file,
                                   const uncork_model *model, const char *entry, uc_arena *arena,
                                   uc_writer *contract, uc_writer *labels, uncork_error *error)
{
    around a = {.said = said,
                .facts = &uc_file_import(file)->facts,
                .model = model,
                .arena = arena,
                .preset = said->preprocess && uc_contract_is_preset(said->preprocess),
                .error = error};
    uc_json_writer json = {.out = contract};
    UC_TRY(find_contract(&a));
    find_labels(&a);
    uc_json_begin_object(&json);
    put_text(&json, "method", entry ? entry : "");
    put_ends(&json, model, false);
    put_ends(&json, model, true);
    put_preprocess(&a, &json);
    put_answers(said, &json);
    put_facts(&a, &json);
    put_labels(&a, &json);
    uc_json_end_object(&json);
    uc_writer_u8(contract, '\n');
    put_label_lines(&a, labels);
    return uc_arena_status(arena, error);
}
