/* Inputs by the names that callers give: TensorFlow's own sessions take any tensor by its name. */
#include "import/tensorflow/tf_file.h"

static uc_str without_zero(uc_str s)
{
    if (s.size > 2 && s.data[s.size - 2] == ':' && s.data[s.size - 1] == '0') s.size -= 2;
    return s;
}

static const uc_tf_node *node_of(const uc_tf_body *body, uc_str name)
{
    const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;
    if (colon) name.size = (size_t)(colon - name.data);
    return uc_tf_body_find(body, name);
}

/* The input that `name` means by its key, else by its tensor; NULL: none. */
static uc_tf_port *port_of(uc_tf_entry *e, uc_str name)
{
    for (size_t i = 0; i < e->input_count; i++) {
        if (uc_str_is(name, e->inputs[i].name)) return &e->inputs[i];
    }
    for (size_t i = 0; i < e->input_count; i++) {
        if (uc_str_equal(without_zero(e->inputs[i].tensor), without_zero(name)) ||
            uc_str_is(without_zero(name), e->inputs[i].name))
            return &e->inputs[i];
    }
    return NULL;
}

/* Keeps the inputs that the outputs reach, when what is fed ends the way. */
static bool keep_needed(const uc_tf_body *body, uc_tf_entry *e, uc_arena *arena)
{
    uint8_t *seen = UC_NEW(arena, uint8_t, body->node_count),
            *fed = UC_NEW(arena, uint8_t, body->node_count);
    uint32_t *list = UC_NEW(arena, uint32_t, body->node_count);
    size_t count = 0, kept = 0;
    if (!seen || !fed || !list) return false;
    for (size_t i = 0; i < e->input_count; i++) {
        const uc_tf_node *n = node_of(body, e->inputs[i].tensor);
        if (n) fed[n - body->nodes] = 1;
    }
    for (size_t i = 0; i < e->output_count; i++) {
        const uc_tf_node *n = node_of(body, e->outputs[i].tensor);
        if (!n || seen[n - body->nodes]) continue;
        seen[n - body->nodes] = 1;
        list[count++] = (uint32_t)(n - body->nodes);
    }
    while (count) {
        const uc_tf_node *n = &body->nodes[list[--count]];
        for (size_t i = 0; i < n->input_count && !fed[n - body->nodes]; i++) {
            const uc_tf_node *source = node_of(body, n->inputs[i]);
            if (!source || seen[source - body->nodes]) continue;
            seen[source - body->nodes] = 1;
            list[count++] = (uint32_t)(source - body->nodes);
        }
    }
    for (size_t i = 0; i < e->input_count; i++) {
        const uc_tf_node *n = node_of(body, e->inputs[i].tensor);
        if (n && seen[n - body->nodes]) e->inputs[kept++] = e->inputs[i];
    }
    e->input_count = kept;
    return true;
}

const uc_tf_entry *uc_tf_entry_as_fed(const uc_tf_graph *graph, const uc_tf_entry *entry,
                                      const uc_import_options *options, uc_arena *arena)
{
    bool renamed = false, added = false;
    if (!options || !options->fed_count) return entry;
    uc_tf_entry *e = UC_NEW(arena, uc_tf_entry, 1);
    if (!e) return NULL;
    *e = *entry;
    e->inputs = UC_NEW(arena, uc_tf_port, entry->input_count + options->fed_count);
    if (!e->inputs) return NULL;
    if (entry->input_count)
        memcpy(e->inputs, entry->inputs, entry->input_count * sizeof *e->inputs);
    for (size_t i = 0; i < options->fed_count; i++) {
        const uncork_fed *fed = &options->fed[i];
        if (!fed->name || !*fed->name) continue;
        uc_tf_port *port = port_of(e, uc_str_of(fed->name));
        const char *name = uc_arena_str(arena, fed->name);
        if (!name) return NULL;
        if (port) {
            renamed = renamed || strcmp(port->name, name) != 0;
            port->name = name;
            continue;
        }
        if (!node_of(graph->main, uc_str_of(name))) continue; /* said by who binds the inputs */
        e->inputs[e->input_count++] = (uc_tf_port){.name = name,
                                                   .tensor = uc_str_of(name),
                                                   .type = uc_tf_type_number_of(fed->dtype),
                                                   .rank = -1};
        added = true;
    }
    if (added && !keep_needed(graph->main, e, arena)) return NULL;
    return renamed || added ? e : entry;
}
