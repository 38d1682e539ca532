/* Operators by their builtin code or custom name. */
#include "import/tflite/tflite.h"

static const uc_tfl_row rows[] = {
#define UC_TFL_OP(code, name, emit, op) {code, name, uc_tfl_##emit, op},
#include "import/tflite/tflite_op_table.def"
#undef UC_TFL_OP
};

static const struct {
    int code;
    const char *name;
} names[] = {
#define UC_TFL_NAME(code, name) {code, name},
#include "import/tflite/tflite_op_names.def"
#undef UC_TFL_NAME
};

const uc_tfl_row *uc_tfl_row_find(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) return &rows[i];
    }
    return NULL;
}

const char *uc_tfl_code_name(int64_t code)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) return names[i].name;
    }
    return NULL;
}
