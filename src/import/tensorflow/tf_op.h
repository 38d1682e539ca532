/* One op of TensorFlow over values at hand: for importers whose files hold NodeDefs (TensorFlow Lite's "Flex"
 * operators). */
#ifndef UC_IMPORT_TENSORFLOW_TF_OP_H
#define UC_IMPORT_TENSORFLOW_TF_OP_H

#include "graph/graph.h"
#include "import/importer.h"

/* What such ops share while a graph is built. */
typedef struct uc_tf_ops uc_tf_ops;

/* A tensor, or what only such ops understand (a variable, a table, a list). */
typedef struct uc_tf_op_value {
    uc_ref ref;
    void *other;
} uc_tf_op_value;

/* NULL after a failure of the graph. */
uc_tf_ops *uc_tf_ops_open(uc_graph *g, uc_findings *findings);
void uc_tf_ops_close(uc_tf_ops *ops);
/* Emits the NodeDef, whose inputs' names don't count. `node` stays where it is as long as the graph. False
 * after a failure of the graph. */
bool uc_tf_ops_emit(uc_tf_ops *ops, uc_bytes node, const uc_tf_op_value *in, size_t in_count,
                    uc_tf_op_value *out, size_t out_count);

#endif
