/* What the importers "xgboost" and "lightgbm" do alike with their own files. */
#ifndef UC_IMPORT_BOOSTING_BOOSTING_FILE_H
#define UC_IMPORT_BOOSTING_BOOSTING_FILE_H

#include "import/boosting/boosting.h"
#include "import/importer.h"

void uc_boost_facts(uc_facts *facts, const char *library, const uc_boost_info *info);
/* NULL and "predict" are the one entry; others fail USAGE. */
uncork_status uc_boost_check_entry(const char *entry, uncork_error *error);
/* The input X [rows, features] in the caller's type; cast to `dtype` where that is FLOAT32, else kept
 * when it is a float type and cast to FLOAT64 when it isn't. */
uc_ref uc_boost_input(uc_graph *g, const uc_boost_info *info, const uc_import_options *options,
                      uncork_dtype dtype);
void uc_boost_inspect(const uc_boost_info *info, uc_json_writer *json);

#endif
