/* The `prim` operators of TorchScript that have values. */
#include "import/pytorch/aten.h"

void uc_aten_prim_same(uc_aten_call *c) { c->result = c->args[0]; }

/* An integer becomes a tensor, which later is one again. */
void uc_aten_num_to_tensor(uc_aten_call *c)
{
    const uc_pv v = c->args[0];
    const uncork_dtype t = v.kind == UC_PV_FLOAT  ? UNCORK_FLOAT32
                           : v.kind == UC_PV_BOOL ? UNCORK_BOOL
                                                  : UNCORK_INT64;
    uc_aten_out(c, uc_aten_operand(c, v, t));
}
