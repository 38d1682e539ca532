/* An operator that is another one between two small steps runs it through a call of its own: same
 * attributes, pool and scratch, other values. */
#ifndef UC_OP_INNER_H
#define UC_OP_INNER_H

#include "op/op.h"

#define UC_INNER_VALUES 8

typedef struct uc_inner {
    uc_call call;
    uc_value in[UC_INNER_VALUES], out;
    const uc_value *inputs[UC_INNER_VALUES];
    uc_value *outputs[1];
} uc_inner;

/* No inputs, and one output without type. The struct must not move afterwards. */
static inline void uc_inner_begin(uc_inner *i, const uc_call *call)
{
    memset(i->in, 0, sizeof i->in);
    memset(i->inputs, 0, sizeof i->inputs);
    memset(&i->out, 0, sizeof i->out);
    i->call = *call;
    i->out.kind = UC_TENSOR;
    i->out.tensor.rank = -1;
    i->outputs[0] = &i->out;
    i->call.in = i->inputs;
    i->call.in_count = 0;
    i->call.out = i->outputs;
    i->call.out_count = 1;
    i->call.prepared = NULL;
}

/* The next input; NULL: missing. At most UC_INNER_VALUES. */
static inline void uc_inner_add(uc_inner *i, const uc_tensor *t)
{
    size_t k = i->call.in_count++;
    if (!t) return;
    i->in[k].kind = UC_TENSOR;
    i->in[k].tensor = *t;
    i->inputs[k] = &i->in[k];
}

/* The call's attributes and `count` more into room[UC_INNER_ATTRS]; one that is there already stays. */
#define UC_INNER_ATTRS 24
static inline void uc_inner_attrs(uc_call *call, uc_attr *room, const uc_attr *more, size_t count)
{
    size_t n = call->attr_count < UC_INNER_ATTRS / 2 ? call->attr_count : UC_INNER_ATTRS / 2;
    for (size_t i = 0; i < n; i++) {
        room[i] = call->attrs[i];
    }
    for (size_t i = 0; i < count && n < UC_INNER_ATTRS; i++) {
        if (!uc_call_attr(call, more[i].name)) room[n++] = more[i];
    }
    call->attrs = room;
    call->attr_count = n;
}

/* Where run writes: a dense tensor with data. */
static inline void uc_inner_into(uc_inner *i, const uc_tensor *t) { i->out.tensor = *t; }

#endif
