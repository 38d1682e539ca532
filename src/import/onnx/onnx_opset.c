/* Versions: of the file format and of the sets of operators. Newer ones than are known are refused by
 * number, since what they changed can't be known. */
#include "import/onnx/onnx_build.h"

#include <inttypes.h>

/* onnx 1.23. */
enum { OLDEST_IR = 3, NEWEST_IR = 14 };

static const struct {
    const char *domain;
    int64_t version;
} newest[] = {
    {"", 28},
    {"ai.onnx.ml", 5},
    {"ai.onnx.preview", 1},
    {"ai.onnx.preview.training", 1},
    {"ai.onnx.training", 1},
    {"com.microsoft", 1},
    {"uncork", 1}, /* what `uncork pack` writes */
};

int64_t uc_onnx_newest(const char *domain)
{
    for (size_t i = 0; i < sizeof newest / sizeof newest[0]; i++) {
        if (strcmp(newest[i].domain, domain) == 0) return newest[i].version;
    }
    return 0;
}

static int64_t version_of(const uc_onnx_opsets *opsets, uc_str domain)
{
    for (size_t i = 0; i < opsets->count; i++) {
        if (uc_str_equal(opsets->items[i].domain, domain)) return opsets->items[i].version;
    }
    return 0;
}

int64_t uc_onnx_version(uc_onnx_build *b, const uc_onnx_scope *scope, uc_str domain)
{
    int64_t version = version_of(scope->env->opsets, domain);
    /* A function written for the model's opsets may name none of its own. */
    if (!version) version = version_of(&b->model->opsets, domain);
    if (version) return version;
    if (domain.size == 0) {
        uc_graph_fail(scope->graph, UNCORK_MALFORMED, "the model imports no opset of ai.onnx");
        return 0;
    }
    const char *name = uc_onnx_text(b->arena, domain);
    version = name ? uc_onnx_newest(name) : 0;
    if (version) {
        uc_note(b->findings, UC_NOTE_ASSUMED, "opset-assumed",
                "the model imports no opset of %s: version %" PRId64 " is taken", name, version);
        return version;
    }
    uc_graph_fail(scope->graph, UNCORK_UNSUPPORTED, "operators of the domain '%s' aren't known",
                  name ? name : "");
    return 0;
}

static uncork_status check_opsets(const uc_onnx_opsets *opsets, const char *whose,
                                  uncork_error *error)
{
    for (size_t i = 0; i < opsets->count; i++) {
        const uc_onnx_opset *o = &opsets->items[i];
        for (size_t k = 0; k < sizeof newest / sizeof newest[0]; k++) {
            if (!uc_str_is(o->domain, newest[k].domain)) continue;
            const char *name = k ? newest[k].domain : "ai.onnx";
            if (o->version < 1) {
                return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                               "%s imports opset %" PRId64 " of %s", whose, o->version, name);
            }
            if (o->version > newest[k].version) {
                uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                        "%s imports opset %" PRId64 " of %s, the newest known is %" PRId64, whose,
                        o->version, name, newest[k].version);
                return uc_fix(error, "export it with opset_version=%" PRId64 " or older",
                              newest[k].version);
            }
        }
    }
    return UNCORK_OK;
}

uncork_status uc_onnx_check_versions(const uc_onnx_model *model, uncork_error *error)
{
    if (model->ir_version < OLDEST_IR || model->ir_version > NEWEST_IR) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "the ONNX IR version is %" PRId64 ", known are %d to %d", model->ir_version,
                       OLDEST_IR, NEWEST_IR);
    }
    UC_TRY(check_opsets(&model->opsets, "the model", error));
    for (size_t i = 0; i < model->functions.count; i++)
        UC_TRY(check_opsets(&model->functions.items[i].opsets, "a function", error));
    return UNCORK_OK;
}

const char *uc_onnx_text(uc_arena *arena, uc_str s)
{
    char *copy = uc_arena_copy(arena, s.data, s.size);
    for (size_t i = 0; copy && i < s.size; i++) {
        const unsigned char c = (unsigned char)copy[i];
        if (c < 0x20 || c == 0x7f) copy[i] = '_';
    }
    return copy;
}
