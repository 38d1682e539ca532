/* The importer "xgboost": xgboost's own files. The default is Booster.predict; a file written by
 * XGBClassifier.save_model has that class's predict and predict_proba as methods. */
#include "import/boosting/boosting_file.h"

static int xgb_probe(uc_bytes head, const uc_bundle *bundle)
{
    (void)bundle;
    return uc_xgb_probe(head);
}

static uncork_status xgb_open(uc_import *file, uncork_error *error)
{
    uc_xgb *model;
    UC_TRY(uc_xgb_read(file->bytes, file->arena, file->budget, &model, error));
    file->state = model;
    file->entries = UC_NEW(file->arena, const char *, 2);
    if (file->entries) {
        file->entries[file->entry_count++] = "predict";
    }
    if (file->entries && uc_xgb_info(model)->saved_by_class) {
        file->entries[file->entry_count++] = "predict_proba";
    }
    uc_boost_facts(&file->facts, "xgboost", uc_xgb_info(model));
    return uc_arena_status(file->arena, error);
}

/* A method of XGBClassifier, for a file its save_model wrote. */
static uncork_status import_class(const uc_xgb *model, const char *entry, uc_ref x, uc_graph *g)
{
    const uc_boost_info *info = uc_xgb_info(model);
    uc_boost_run run = {.rounds = info->best_iteration + 1, .in_place = true};
    uc_ref margin = uc_xgb_margin(g, model, x, &run);
    if (strcmp(entry, "predict_proba") == 0) {
        uc_graph_output(g, entry, uc_xgb_proba(g, model, margin));
        return g->status;
    }
    int64_t classes = info->columns > 1 ? info->columns : 2;
    bool several = info->columns > 1 && info->classes <= 2;
    uc_ref index = uc_xgb_class(g, model, margin, several);
    if (uc_str_is(info->objective, "multi:softmax")) {
        index = uc_g_cast(g, index, UNCORK_INT32);
    } else if (info->labels && !several && uc_tensor_count(info->labels) == classes) {
        index = uc_g_gather(g, uc_graph_const(g, info->labels), index, 0);
    }
    uc_graph_output(g, entry, index);
    return g->status;
}

static uncork_status xgb_import(const uc_import *file, const char *entry,
                                const uc_import_options *options, uc_graph *graph,
                                uc_findings *findings, uncork_error *error)
{
    const uc_xgb *model = file->state;
    const uc_boost_info *info = uc_xgb_info(model);
    (void)findings;
    bool is_method = entry && info->saved_by_class &&
                     (strcmp(entry, "predict") == 0 || strcmp(entry, "predict_proba") == 0);
    if (!is_method) {
        UC_TRY(uc_boost_check_entry(entry, error));
    }
    uc_ref x = uc_boost_input(graph, info, options, UNCORK_FLOAT32);
    if (is_method) {
        return import_class(model, entry, x, graph);
    }
    uc_ref y = uc_xgb_transform(graph, model, uc_xgb_margin(graph, model, x, NULL));
    uc_graph_output(graph, "predict", y);
    return graph->status;
}

static void xgb_inspect(const uc_import *file, uc_json_writer *json)
{
    uc_boost_inspect(uc_xgb_info(file->state), json);
}

const uc_importer uc_importer_xgboost = {
    .name = "xgboost",
    .probe = xgb_probe,
    .open = xgb_open,
    .import = xgb_import,
    .inspect = xgb_inspect,
};
