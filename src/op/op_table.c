/* The list of operators and the look-up by domain and name. */
#include "op/op.h"

static const uc_op *const ops[] = {
#define OP(symbol) &uc_op_##symbol,
#include "op/op_table.def"
#undef OP
    NULL, /* the list may be empty */
};

size_t uc_op_count(void) { return sizeof ops / sizeof ops[0] - 1; }

const uc_op *uc_op_at(size_t i) { return i < uc_op_count() ? ops[i] : NULL; }

const uc_op *uc_op_find(const char *domain, const char *name)
{
    const char *wanted = domain ? domain : "";
    for (size_t i = 0; i < uc_op_count(); i++) {
        const char *own = ops[i]->domain ? ops[i]->domain : "";
        if (ops[i]->name[0] == name[0] && strcmp(ops[i]->name, name) == 0 &&
            strcmp(own, wanted) == 0) {
            return ops[i];
        }
    }
    return NULL;
}
