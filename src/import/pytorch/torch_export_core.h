/* Operators of core ATen that aten's table hasn't under their own names. */
#ifndef UC_IMPORT_PYTORCH_TORCH_EXPORT_CORE_H
#define UC_IMPORT_PYTORCH_TORCH_EXPORT_CORE_H

#include "import/pytorch/script_eval.h"

/* UNSET, without a failure, when there is none of that name. */
uc_pv uc_export_core(uc_py_eval *ev, const char *name, const uc_py_args *args);

#endif
