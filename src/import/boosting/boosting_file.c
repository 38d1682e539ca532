/* What the importers "xgboost" and "lightgbm" do alike with their own files. */
#include "import/boosting/boosting_file.h"

void uc_boost_facts(uc_facts *facts, const char *library, const uc_boost_info *info)
{
    uc_fact_text(facts, "format", "%s", library);
    uc_fact_text(facts, "framework", "%s", library);
    if (info->version) {
        uc_fact_text(facts, "framework_version", "%s", info->version);
    }
    uc_fact_text(facts, "task", "%s", info->is_classifier ? "classification" : "regression");
    uc_fact_text(facts, "input_kind", "matrix");
    uc_fact_number(facts, "n_features", (double)info->features);
    if (info->names) {
        uc_fact_tensor(facts, "feature_names",
                       uc_tensor_strings(facts->arena, info->names, 1, &info->features));
    }
    if (info->gives_probabilities && info->columns > 1) {
        uc_tensor *classes = uc_tensor_new(facts->arena, UNCORK_INT64, 1, &info->columns);
        for (int64_t k = 0; classes && k < info->columns; k++) {
            ((int64_t *)classes->data)[k] = k;
        }
        uc_fact_tensor(facts, "classes", classes);
    }
}

uncork_status uc_boost_check_entry(const char *entry, uncork_error *error)
{
    if (!entry || strcmp(entry, "predict") == 0) {
        return UNCORK_OK;
    }
    return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                   "there is no method '%s'; the model's own file has predict", entry);
}

uc_ref uc_boost_input(uc_graph *g, const uc_boost_info *info, const uc_import_options *options,
                      uncork_dtype dtype)
{
    uncork_dtype fed = options ? options->input_dtype : UNCORK_DTYPE_NONE;
    bool number = fed == UNCORK_BOOL || uc_dtype_is_float(fed) || uc_dtype_is_integer(fed);
    fed = number ? fed : UNCORK_FLOAT64;
    int64_t shape[2] = {-1, info->features};
    uc_ref x = uc_graph_input(g, "X", fed, 2, shape);
    if (fed == dtype || (dtype == UNCORK_FLOAT64 && fed == UNCORK_FLOAT32)) {
        return x;
    }
    return uc_g_cast(g, x, dtype);
}

void uc_boost_inspect(const uc_boost_info *info, uc_json_writer *json)
{
    uc_json_key(json, "booster");
    uc_json_put_text(json, info->booster);
    uc_json_key(json, "objective");
    uc_json_put_str(json, info->objective);
    uc_json_key(json, "trees");
    uc_json_put_i64(json, info->trees);
    uc_json_key(json, "iterations");
    uc_json_put_i64(json, info->iterations);
    if (info->best_iteration >= 0) {
        uc_json_key(json, "best_iteration");
        uc_json_put_i64(json, info->best_iteration);
    }
    uc_json_key(json, "columns");
    uc_json_put_i64(json, info->columns);
}
