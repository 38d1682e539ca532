/* The rows of ops, and which of them is of a name. */
#include "import/tensorflow/tf_control.h"
#include "import/tensorflow/tf_emit.h"
#include "import/tensorflow/tf_ops.h"

/* clang-format off */
#define TF_OP(op, emit, onnx) {op, uc_tf_op_##emit, onnx, NULL},
#define TF_NO(op, why) {op, NULL, NULL, why},
/* clang-format on */
static const uc_tf_row core[] = {
#include "import/tensorflow/tf_op_core.def"
};
static const uc_tf_row ops[] = {
#include "import/tensorflow/tf_op_table.def"
};
static const uc_tf_row control[] = {
#include "import/tensorflow/tf_op_control.def"
};
#undef TF_OP
#undef TF_NO

static int compare(uc_str a, const char *b)
{
    const size_t n = strlen(b);
    const int order = memcmp(a.data, b, a.size < n ? a.size : n);
    return order ? order : a.size < n ? -1 : a.size > n;
}

static const uc_tf_row *find(const uc_tf_row *rows, size_t count, uc_str op)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(op, rows[middle].op);
        if (order == 0) return &rows[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const uc_tf_row *uc_tf_row_find(uc_str op)
{
    if (!op.size) return NULL;
    const uc_tf_row *row = find(core, sizeof core / sizeof core[0], op);
    if (!row) row = find(ops, sizeof ops / sizeof ops[0], op);
    return row ? row : find(control, sizeof control / sizeof control[0], op);
}

const uc_tf_row *uc_tf_row_at(size_t i)
{
    const size_t a = sizeof core / sizeof core[0], b = sizeof ops / sizeof ops[0];
    const size_t c = sizeof control / sizeof control[0];
    if (i < a) return &core[i];
    if (i < a + b) return &ops[i - a];
    return i < a + b + c ? &control[i - a - b] : NULL;
}
