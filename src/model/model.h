/* The handles of uncork.h from inside: what the command needs beyond the public interface. */
#ifndef UC_MODEL_MODEL_H
#define UC_MODEL_MODEL_H

#include "import/importer.h"
#include "uncork.h"

/* The opened file's facts, findings and entries; lives as long as the file. */
const uc_import *uc_file_import(const uncork_file *file);
/* Findings of preparing this entry. */
const uc_findings *uc_model_findings(const uncork_model *model);
const uncork_file *uc_model_file(const uncork_model *model);
const uc_graph *uc_model_graph(const uncork_model *model);
/* The tensor inside a value, and a value over a tensor that outlives it. */
const uc_tensor *uc_value_tensor(const uncork_value *value);
uncork_status uc_value_over(const uc_tensor *tensor, uncork_value **value);

#endif
