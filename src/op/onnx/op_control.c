/* If, Loop, Scan, SequenceMap: rows only. Their types come from graph/graph_control.c, their bodies
 * are run by plan/plan_control.c.
 *
 * Inputs: the operator's own, then what its bodies take from around them; attribute `captures` says how
 * many those are. A body's inputs are the operator's, then the same captures. */
#include "op/op.h"

const uc_op uc_op_if = {
    .name = "If", .in = {1, -1}, .out = {1, -1}, .any_kind = true, .control = UC_CONTROL_IF};

/* M and cond may be missing. */
const uc_op uc_op_loop = {
    .name = "Loop", .in = {0, -1}, .out = {1, -1}, .any_kind = true, .control = UC_CONTROL_LOOP};

const uc_op uc_op_scan = {
    .name = "Scan", .in = {1, -1}, .out = {1, -1}, .any_kind = true, .control = UC_CONTROL_SCAN};

const uc_op uc_op_sequence_map = {.name = "SequenceMap",
                                  .in = {1, -1},
                                  .out = {1, -1},
                                  .any_kind = true,
                                  .control = UC_CONTROL_MAP};
