/* The graph with uncork's operators spelled out, written for other runtimes. */
#include "pack/convert.h"

#include "pack/expand.h"
#include "pack/onnx_write.h"
#include "pass/pass.h"

/* Every pass but the one that folds constants: an operator over constants need not be spelled out. */
static const char *other_passes(uc_arena *arena)
{
    static const uc_pass *const passes[] = {
#define PASS(symbol) &uc_pass_##symbol,
#include "pass/pass_table.def"
#undef PASS
    };
    const char *list = "";
    for (size_t i = 0; list && i < sizeof passes / sizeof passes[0]; i++) {
        if (strcmp(passes[i]->name, uc_pass_fold_constants.name) == 0) continue;
        list = uc_arena_printf(arena, "%s%s%s", list, *list ? "," : "", passes[i]->name);
    }
    return list;
}

static bool has_own(const uc_graph *g)
{
    for (size_t n = 0; n < g->node_count; n++) {
        const uc_node *node = &g->nodes[n];
        if (node->op->domain && strcmp(node->op->domain, "uncork") == 0) return true;
        for (size_t i = 0; i < node->attr_count; i++) {
            if (node->attrs[i].kind == UC_ATTR_GRAPH && has_own(node->attrs[i].graph)) return true;
        }
    }
    return false;
}

static uncork_status spell_out(const uc_graph *graph, uc_arena *arena, uncork_error *error,
                               uc_graph **plain)
{
    const char *others = other_passes(arena);
    uc_graph *folded = NULL;
    if (!others) return uc_arena_status(arena, error);
    UC_TRY(uc_pass_run_all(graph, others, false, error, &folded));
    return uc_expand_graph(folded, arena, error, plain);
}

uncork_status uc_convert(const uc_graph *graph, uc_writer *out, uncork_error *error)
{
    const uc_onnx_write how = {.standard = true};
    uc_arena *arena = uc_arena_new(graph->budget);
    if (!arena) return uc_fail_memory(error);
    uc_graph *plain = NULL;
    const bool own = has_own(graph);
    uncork_status status = own ? spell_out(graph, arena, error, &plain) : UNCORK_OK;
    if (status == UNCORK_OK) status = uc_onnx_write_model(own ? plain : graph, &how, out, error);
    uc_arena_free(arena);
    return status;
}
