/* The importer "xgboost": xgboost's own files. Booster.predict is the one entry. */
#include "import/boosting/boosting_file.h"

static int xgb_probe(uc_bytes head, const uc_bundle *bundle)
{
    (void)bundle;
    return uc_xgb_probe(head);
}

static uncork_status xgb_open(uc_import *file, uncork_error *error)
{
    static const char *const entries[] = {"predict"};
    uc_xgb *model;
    UC_TRY(uc_xgb_read(file->bytes, file->arena, file->budget, &model, error));
    file->state = model;
    file->entries = UC_NEW(file->arena, const char *, 1);
    if (file->entries) {
        file->entries[file->entry_count++] = entries[0];
    }
    uc_boost_facts(&file->facts, "xgboost", uc_xgb_info(model));
    return uc_arena_status(file->arena, error);
}

static uncork_status xgb_import(const uc_import *file, const char *entry,
                                const uc_import_options *options, uc_graph *graph,
                                uc_findings *findings, uncork_error *error)
{
    const uc_xgb *model = file->state;
    const uc_boost_info *info = uc_xgb_info(model);
    (void)findings;
    UC_TRY(uc_boost_check_entry(entry, error));
    uc_ref x = uc_boost_input(graph, info, options, UNCORK_FLOAT32);
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
