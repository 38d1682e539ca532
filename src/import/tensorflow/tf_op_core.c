/* Ops that hand values on: placeholders, constants, identities. */
#include "import/tensorflow/tf_emit.h"

/* What isn't fed by the entry's inputs has no value. */
void uc_tf_op_placeholder(uc_tf_call *c) { uc_tf_fail(c, "this input isn't one of the entry's"); }

/* The entry didn't feed it: the default is taken. */
void uc_tf_op_placeholder_default(uc_tf_call *c) { uc_tf_out_value(c, 0, *uc_tf_value_in(c, 0)); }

void uc_tf_op_constant(uc_tf_call *c)
{
    const uc_tensor *t = uc_tf_tensor(c, "value");
    if (t) uc_tf_out(c, 0, uc_graph_const(c->graph, t));
}

/* A variable of TensorFlow 1 is read where its identity stands. */
void uc_tf_op_identity(uc_tf_call *c)
{
    const uc_tf_value *v = uc_tf_value_in(c, 0);
    if (v->kind == UC_TF_VARIABLE && ((uc_tf_variable *)v->payload)->is_ref)
        uc_tf_out(c, 0, uc_tf_in(c, 0));
    else
        uc_tf_out_value(c, 0, *v);
}

void uc_tf_op_identity_n(uc_tf_call *c)
{
    for (size_t i = 0; i < uc_tf_in_count(c); i++) {
        uc_tf_out_value(c, i, *uc_tf_value_in(c, i));
    }
}

void uc_tf_op_nothing(uc_tf_call *c)
{
    uc_tf_out_value(c, 0, (uc_tf_value){.kind = UC_TF_NOTHING});
}
