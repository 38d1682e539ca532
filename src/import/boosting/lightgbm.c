/* The importer "lightgbm": lightgbm's own files. Booster.predict is the one entry. */
#include "import/boosting/boosting_file.h"

static int lgb_probe(uc_bytes head, const uc_bundle *bundle)
{
    (void)bundle;
    return uc_lgb_probe(head);
}

static uncork_status lgb_open(uc_import *file, uncork_error *error)
{
    static const char *const entries[] = {"predict"};
    uc_lgb *model;
    UC_TRY(uc_lgb_read(file->bytes, file->arena, file->budget, &model, error));
    file->state = model;
    file->entries = UC_NEW(file->arena, const char *, 1);
    if (file->entries) {
        file->entries[file->entry_count++] = entries[0];
    }
    uc_boost_facts(&file->facts, "lightgbm", uc_lgb_info(model));
    return uc_arena_status(file->arena, error);
}

static uncork_status lgb_import(const uc_import *file, const char *entry,
                                const uc_import_options *options, uc_graph *graph,
                                uc_findings *findings, uncork_error *error)
{
    const uc_lgb *model = file->state;
    const uc_boost_info *info = uc_lgb_info(model);
    (void)findings;
    UC_TRY(uc_boost_check_entry(entry, error));
    uc_ref x = uc_boost_input(graph, info, options, UNCORK_FLOAT64);
    uc_ref y = uc_lgb_transform(graph, model, uc_lgb_raw(graph, model, x, NULL));
    uc_graph_output(graph, "predict", y);
    return graph->status;
}

static void lgb_inspect(const uc_import *file, uc_json_writer *json)
{
    uc_boost_inspect(uc_lgb_info(file->state), json);
}

const uc_importer uc_importer_lightgbm = {
    .name = "lightgbm",
    .probe = lgb_probe,
    .open = lgb_open,
    .import = lgb_import,
    .inspect = lgb_inspect,
};
