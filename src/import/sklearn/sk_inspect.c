/* The members that inspect prints of a pickle: the model's steps and parameters, the globals the
 * stream names, and an outline of its values where they aren't a model. */
#include "import/sklearn/sk_file.h"

#include <stdio.h>

enum {
    OUTLINE_DEPTH = 4,
    OUTLINE_VALUES = 400,
    SHOWN_PARAMETERS = 40,
    SHOWN_SYMBOLS = 200,
    SHOWN_STEPS = 300
};

static void put_class(uc_json_writer *json, uc_str module, uc_str name)
{
    char text[200];
    int n = snprintf(text, sizeof text, "%.*s%s%.*s", module.size < 100 ? (int)module.size : 100,
                     module.data ? module.data : "", module.size ? "." : "",
                     name.size < 90 ? (int)name.size : 90, name.data ? name.data : "");
    uc_json_put_str(json, (uc_str){text, n > 0 ? strnlen(text, (size_t)n) : 0});
}

static bool put_scalar(uc_json_writer *json, const uc_pickle *v)
{
    switch ((int)v->kind) {
    case UC_PICKLE_NONE: uc_json_put_null(json); return true;
    case UC_PICKLE_BOOL: uc_json_put_bool(json, v->boolean); return true;
    case UC_PICKLE_INT: uc_json_put_i64(json, v->integer); return true;
    case UC_PICKLE_FLOAT: uc_json_put_f64(json, v->number); return true;
    case UC_PICKLE_TEXT:
        uc_json_put_str(json, (uc_str){v->text.data, v->text.size < 200 ? v->text.size : 200});
        return true;
    default: return false;
    }
}

/* ---- an outline of any value --------------------------------------------------------------- */

static void outline(uc_json_writer *json, const uc_pickle *v, int depth, int *left);

static void outline_object(uc_json_writer *json, const uc_pickle *v, int depth, int *left)
{
    uc_json_begin_object(json);
    uc_json_key(json, v->kind == UC_PICKLE_SYMBOL ? "symbol" : v->is_call ? "call" : "class");
    put_class(json, v->module, v->text);
    if (v->args && v->args->count) {
        uc_json_key(json, "arguments");
        outline(json, v->args, depth + 1, left);
    }
    if (v->state) {
        uc_json_key(json, "state");
        outline(json, v->state, depth + 1, left);
    }
    uc_json_end_object(json);
}

static void outline_array(uc_json_writer *json, const uc_pickle *v)
{
    char shape[128], text[200];
    const uc_tensor *t = v->tensor;
    if (!t) {
        uc_json_put_text(json, "records");
        return;
    }
    const char *type = uc_dtype_name(v->kind == UC_PICKLE_OBJECTS ? UNCORK_DTYPE_NONE : t->dtype);
    (void)snprintf(text, sizeof text, "%s %s", v->kind == UC_PICKLE_OBJECTS ? "objects" : type,
                   uc_shape_text(t->shape, t->rank, shape, sizeof shape));
    uc_json_put_text(json, text);
}

static void outline(uc_json_writer *json, const uc_pickle *v, int depth, int *left)
{
    if (!v || --*left < 0 || depth > OUTLINE_DEPTH) {
        uc_json_put_text(json, "...");
    } else if (put_scalar(json, v)) {
        return;
    } else if (v->kind == UC_PICKLE_OBJECT || v->kind == UC_PICKLE_SYMBOL) {
        outline_object(json, v, depth, left);
    } else if (v->kind == UC_PICKLE_ARRAY || v->kind == UC_PICKLE_RECORDS ||
               v->kind == UC_PICKLE_OBJECTS) {
        outline_array(json, v);
    } else if (v->kind == UC_PICKLE_DICT) {
        uc_json_begin_array(json);
        for (size_t i = 0; i<v->count && * left> 0; i++) {
            uc_json_begin_array(json);
            outline(json, v->items[2 * i], depth + 1, left);
            outline(json, v->items[2 * i + 1], depth + 1, left);
            uc_json_end_array(json);
        }
        uc_json_end_array(json);
    } else if (sk_item_count(v)) {
        uc_json_begin_array(json);
        for (size_t i = 0; i<v->count && * left> 0; i++)
            outline(json, v->items[i], depth + 1, left);
        uc_json_end_array(json);
    } else {
        uc_json_put_text(json, v->kind == UC_PICKLE_BYTES ? "bytes" : "other");
    }
}

/* ---- the model ----------------------------------------------------------------------------- */

static void put_parameters(uc_json_writer *json, const sk_est *est)
{
    const uc_pickle *state = est->object->state;
    int shown = 0;
    uc_json_begin_object(json);
    for (size_t i = 0;
         state && state->kind == UC_PICKLE_DICT && i < state->count && shown < SHOWN_PARAMETERS;
         i++) {
        const uc_pickle *key = state->items[2 * i], *v = state->items[2 * i + 1];
        char name[80];
        if (!key || !v || key->kind != UC_PICKLE_TEXT || !key->text.size ||
            key->text.size >= sizeof name)
            continue;
        uc_str k = key->text;
        if (k.data[0] == '_' || k.data[k.size - 1] == '_' || v->kind > UC_PICKLE_TEXT ||
            v->kind == UC_PICKLE_LONG || v->kind == UC_PICKLE_COMPLEX) {
            continue;
        }
        if (k.size) memcpy(name, k.data, k.size);
        name[k.size] = '\0';
        uc_json_key(json, name);
        (void)put_scalar(json, v);
        shown++;
    }
    uc_json_end_object(json);
}

static void put_step(uc_json_writer *json, const sk_est *est, uc_str name)
{
    uc_json_begin_object(json);
    if (name.size) {
        uc_json_key(json, "name");
        uc_json_put_str(json, name);
    }
    uc_json_key(json, "class");
    put_class(json, est->module, est->class_name);
    uc_json_key(json, "known");
    uc_json_put_bool(json, sk_find_row(est->module, est->class_name) != NULL);
    uc_json_key(json, "parameters");
    put_parameters(json, est);
    uc_json_end_object(json);
}

/* Every estimator inside the model that a person would name: steps, unions, searches, in order. */
static void put_steps(uc_json_writer *json, const sk_est *est, uc_str name, int depth, int *left)
{
    if (--*left < 0) return;
    static const char *const lists[] = {"steps", "transformer_list", "transformers_"};
    put_step(json, est, name);
    sk_est child;
    if (depth > 8) return;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const uc_pickle *list = sk_attr(est, lists[i]);
        for (size_t k = 0; k < sk_item_count(list) && k < 100; k++) {
            const uc_pickle *pair = list->items[k], *key = uc_pickle_item(pair, 0);
            if (!sk_view(uc_pickle_item(pair, 1), est, &child)) continue;
            put_steps(json, &child, key ? key->text : (uc_str){NULL, 0}, depth + 1, left);
        }
    }
    if (sk_view(sk_attr(est, "best_estimator_"), est, &child)) {
        put_steps(json, &child, uc_str_of("best_estimator_"), depth + 1, left);
    }
}

static void put_part(uc_json_writer *json, const sk_part *part)
{
    uc_json_begin_object(json);
    uc_json_key(json, "path");
    uc_json_put_text(json, part->path);
    uc_json_key(json, "class");
    put_class(json, part->object->module, part->object->text);
    uc_json_end_object(json);
}

static void put_symbols(uc_json_writer *json, const uc_pickle_info *info)
{
    uc_json_begin_array(json);
    for (size_t i = 0; i < info->symbol_count && i < SHOWN_SYMBOLS; i++) {
        put_class(json, info->symbols[i]->module, info->symbols[i]->text);
    }
    uc_json_end_array(json);
}

void sk_inspect(const uc_import *import, uc_json_writer *json)
{
    const sk_file *file = import->state;
    sk_est est;
    bool model = sk_view(file->model.object, NULL, &est);
    uc_json_key(json, "runs");
    uc_json_put_bool(json, model && !file->refusal && sk_find_row(est.module, est.class_name));
    if (file->refusal || file->no_model) {
        uc_json_key(json, "refused");
        uc_json_put_text(json, file->refusal ? file->refusal : file->no_model);
    }
    if (model) {
        uc_json_key(json, "model_path");
        uc_json_put_text(json, file->model.path);
        uc_json_key(json, "steps");
        uc_json_begin_array(json);
        int left = SHOWN_STEPS;
        put_steps(json, &est, (uc_str){NULL, 0}, 0, &left);
        uc_json_end_array(json);
    }
    uc_json_key(json, "applied_before");
    uc_json_begin_array(json);
    for (size_t i = 0; i < file->before_count; i++)
        put_part(json, &file->before[i]);
    uc_json_end_array(json);
    uc_json_key(json, "symbols");
    put_symbols(json, &file->info);
    if (!model || file->refusal || !sk_find_row(est.module, est.class_name)) {
        int left = OUTLINE_VALUES;
        uc_json_key(json, "values");
        outline(json, file->root, 0, &left);
    }
}
