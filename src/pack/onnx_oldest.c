/* The lowest opset of an operator: older runtimes take the model then. */
#include "pack/onnx_write.h"

static const struct {
    const char *domain, *op;
    int8_t version, plain;
} rows[] = {
#define OLDEST(domain, op, version, plain) {domain, op, version, plain},
#include "pack/onnx_oldest.def"
#undef OLDEST
};

int64_t uc_onnx_oldest(const char *domain, const char *op, bool plain)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].op, op) == 0 && strcmp(rows[i].domain, domain) == 0)
            return plain ? rows[i].plain : rows[i].version;
    }
    return 0;
}
