/* What inspect tells of an ONNX file, and which of its operators aren't known. */
#ifndef UC_IMPORT_ONNX_INSPECT_H
#define UC_IMPORT_ONNX_INSPECT_H

#include "import/importer.h"
#include "import/onnx/onnx_proto.h"

void uc_onnx_facts(const uc_onnx_model *model, uc_facts *facts);
void uc_onnx_inspect(const uc_onnx_model *model, uc_json_writer *json);
/* Fails with the number of operators that aren't known and the first three. */
uncork_status uc_onnx_check_operators(const uc_onnx_model *model, uncork_error *error);

#endif
