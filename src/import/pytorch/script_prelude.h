/* torch.nn in Python's own words: modules as classes over torch's operators, compiled in from
 * prelude/ by the build. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_PRELUDE_H
#define UC_IMPORT_PYTORCH_SCRIPT_PRELUDE_H

#include <stddef.h>

typedef struct uc_py_prelude {
    const char *module; /* "torch.nn" */
    const unsigned char *text;
    size_t size;
} uc_py_prelude;

const uc_py_prelude *uc_py_preludes(size_t *count);

#endif
