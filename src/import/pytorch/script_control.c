/* Conditions and loops that the data decide. */
#include "import/pytorch/script_eval.h"

uc_py_flow uc_py_branch(uc_py_eval *ev, uc_pv condition, const uc_py_node *node)
{
    (void)condition, (void)node;
    uc_py_fail(ev, "only the data decides this condition");
    return UC_PY_FAILED;
}

uc_pv uc_py_choose(uc_py_eval *ev, uc_pv condition, const uc_py_node *yes, const uc_py_node *no)
{
    (void)condition, (void)yes, (void)no;
    return uc_py_fail(ev, "only the data decides this condition");
}

uc_py_flow uc_py_loop(uc_py_eval *ev, const uc_py_node *node, uc_pv range)
{
    (void)node, (void)range;
    uc_py_fail(ev, "only the data decides this loop's length");
    return UC_PY_FAILED;
}
