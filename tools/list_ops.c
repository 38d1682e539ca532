/* The operator table as text, a line a row: domain, name, inputs, outputs ("1-3", "1-" for any number).
 * tools/gen_ops_table.py makes docs/ops.md of it. */
#include "op/op.h"

#include <stdio.h>

static void put_range(int min, int max)
{
    (void)printf("\t%d", min);
    if (max < 0) (void)printf("-");
    if (max > min) (void)printf("-%d", max);
}

int main(void)
{
    for (size_t i = 0; i < uc_op_count(); i++) {
        const uc_op *op = uc_op_at(i);
        (void)printf("%s\t%s", op->domain ? op->domain : "", op->name);
        put_range(op->in.min, op->in.max);
        put_range(op->out.min, op->out.max);
        (void)printf("\n");
    }
    return 0;
}
