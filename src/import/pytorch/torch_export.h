/* torch.export's programs: a graph of aten calls in JSON, weights beside it.
 * Source: torch 2.15, torch/_export/serde/schema.py (8.20), torch/export/pt2_archive. */
#ifndef UC_IMPORT_PYTORCH_TORCH_EXPORT_H
#define UC_IMPORT_PYTORCH_TORCH_EXPORT_H

#include "import/pytorch/torch.h"

typedef struct uc_export {
    const uc_json *program;    /* ExportedProgram */
    const uc_json *graph;      /* graph_module.graph */
    const uc_json *signature;  /* graph_module.signature */
    const uc_t_state *weights; /* parameters and buffers by their names in the module */
    const uc_t_state *constants;
} uc_export;

/* The element type of a ScalarType number of the schema, which isn't ATen's; NONE when unknown. */
uncork_dtype uc_export_dtype(int64_t code);
/* Declares inputs, emits, names outputs. */
void uc_export_emit(const uc_t_file *f, const char *entry, uc_t_build *b);

#endif
