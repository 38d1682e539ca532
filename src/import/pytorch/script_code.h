/* --code FILE.py:CLASS[(args)]: a state dict's network from its Python source. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_CODE_H
#define UC_IMPORT_PYTORCH_SCRIPT_CODE_H

#include "import/pytorch/torch.h"

/* What --code names. */
typedef struct uc_code_file {
    const char *folder, *name; /* of the file: "models", "net.py" */
    const char *class;         /* "Net" */
    uc_str args;               /* between the brackets; may be empty */
    uc_bytes text;
} uc_code_file;

/* Reads the file that `spec` names. USAGE for a spec of another form, IO for a file that can't be read. */
uncork_status uc_code_open(const char *spec, uc_arena *arena, uc_code_file *code,
                           uncork_error *error);
/* Makes the network with the weights of f->state and emits its forward(). */
void uc_code_emit(const uc_t_file *f, const uc_code_file *code, const char *entry, uc_t_build *b);

#endif
