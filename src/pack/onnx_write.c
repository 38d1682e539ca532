/* Graph to ModelProto: names for every value, nodes, bodies, opsets. Source: onnx/onnx.proto. */
#include "pack/onnx_write_internal.h"

#include <inttypes.h>
#include <stdio.h>

const char *uc_onnx_fresh(uc_onnx_writing *x, const char *wanted, const char *prefix)
{
    const char *name = wanted && *wanted ? wanted : NULL;
    while (!name || uc_table_find(x->names, uc_str_of(name))) {
        name = uc_arena_printf(x->arena, "%s%zu", prefix, x->made++);
        if (!name) return NULL;
    }
    return uc_table_put(x->names, uc_str_of(name), x->names) ? name : NULL;
}

/* ---- names -------------------------------------------------------------------------------- */

static uncork_status write_graph(uc_onnx_writing *x, const uc_graph *g, const char **names,
                                 size_t taken, uc_writer *out);

/* Whether an output is called so: one that is a constant or wanted twice gets its name last. */
static bool is_wanted_name(const uc_graph *g, const char *name)
{
    for (size_t i = 0; name && i < g->output_count; i++) {
        if (g->output_names[i] && strcmp(g->output_names[i], name) == 0) return true;
    }
    return false;
}

/* Inputs first, then outputs that a node makes: those two are what people call. */
static uncork_status name_values(uc_onnx_writing *x, const uc_graph *g, const char **names)
{
    for (size_t i = 0; i < g->input_count; i++) {
        const uc_ref v = g->inputs[i];
        if (!names[v] && !(names[v] = uc_onnx_fresh(x, g->values[v].name, "input")))
            return uc_arena_status(x->arena, x->error);
    }
    for (size_t i = 0; i < g->output_count; i++) {
        const uc_ref v = g->outputs[i];
        if (names[v] || g->values[v].producer < 0) continue;
        if (!(names[v] = uc_onnx_fresh(x, g->output_names[i], "output")))
            return uc_arena_status(x->arena, x->error);
    }
    for (size_t v = 1; v < g->value_count; v++) {
        const char *prefix = g->values[v].constant ? "c" : "v";
        if (!names[v] && is_wanted_name(g, g->values[v].name)) {
            if (!(names[v] = uc_onnx_fresh(x, NULL, prefix)))
                return uc_arena_status(x->arena, x->error);
        }
        if (!names[v] && !(names[v] = uc_onnx_fresh(x, g->values[v].name, prefix)))
            return uc_arena_status(x->arena, x->error);
    }
    return UNCORK_OK;
}

/* ---- nodes -------------------------------------------------------------------------------- */

static size_t captures_of(const uc_node *node)
{
    for (size_t i = 0; node->op->control && i < node->attr_count; i++) {
        if (strcmp(node->attrs[i].name, "captures") == 0 && node->attrs[i].i > 0)
            return (size_t)node->attrs[i].i;
    }
    return 0;
}

/* The body's last inputs are what it takes from around: they keep the names they have there. */
static uncork_status put_body(uc_onnx_writing *x, const uc_node *node, const uc_attr *a,
                              const char *const *outer, uc_writer *w)
{
    const uc_graph *body = a->graph;
    const size_t captures = captures_of(node);
    uc_writer attr, message;
    if (captures > body->input_count || captures > node->in_count)
        return uc_fail(x->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "a body takes too few captures");
    const char **names = UC_NEW(x->arena, const char *, body->value_count);
    if (!names) return uc_arena_status(x->arena, x->error);
    const size_t formal = body->input_count - captures;
    for (size_t i = 0; i < captures; i++)
        names[body->inputs[formal + i]] = outer[node->in[node->in_count - captures + i]];
    uc_writer_init(&attr, SIZE_MAX / 2);
    uc_writer_init(&message, SIZE_MAX / 2);
    const uncork_status status = write_graph(x, body, names, formal, &message);
    uc_pb_put_text(&attr, 1, a->name);
    uc_pb_put_message(&attr, 6, &message);
    uc_pb_put_int(&attr, 20, 5);
    uc_pb_put_message(w, 5, &attr);
    return status;
}

/* Types that the first version of any operator of opset 13 takes. */
static bool is_plain(const uc_graph *g, uc_ref v)
{
    switch ((int)g->values[v].dtype) {
    case UNCORK_FLOAT32:
    case UNCORK_FLOAT64:
    case UNCORK_FLOAT16:
    case UNCORK_UINT8:
    case UNCORK_INT8:
    case UNCORK_INT32:
    case UNCORK_INT64:
    case UNCORK_STRING:
    case UNCORK_BOOL: return true;
    default: return v == 0;
    }
}

/* Attributes that came later than the version a plain node is written for. */
static bool is_late(const char *attr)
{
    static const char *const late[] = {"saturate",  "round_mode", "block_size", "output_dtype",
                                       "precision", "stash_type", "allowzero"};
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        if (strcmp(late[i], attr) == 0) return true;
    }
    return false;
}

static void raise_versions(uc_onnx_writing *x, const uc_graph *g, const uc_node *node)
{
    const char *domain = node->op->domain ? node->op->domain : "";
    bool plain = x->how->standard;
    for (size_t i = 0; i < node->in_count; i++)
        plain = plain && is_plain(g, node->in[i]);
    for (size_t i = 0; i < node->out_count; i++)
        plain = plain && is_plain(g, node->out[i]);
    for (size_t i = 0; i < node->attr_count; i++)
        plain = plain && (!is_late(node->attrs[i].name) || strcmp(node->op->name, "Reshape") == 0);
    if (!*domain) uc_onnx_raise(&x->opset, uc_onnx_oldest("", node->op->name, plain));
    if (strcmp(domain, "ai.onnx.ml") == 0)
        uc_onnx_raise(&x->ml, uc_onnx_oldest(domain, node->op->name, plain));
    x->uncork = x->uncork || strcmp(domain, "uncork") == 0;
    x->microsoft = x->microsoft || strcmp(domain, "com.microsoft") == 0;
}

static uncork_status check_node(const uc_onnx_writing *x, const uc_node *node)
{
    const char *where = node->where ? node->where : "a node";
    const char *domain = node->op->domain ? node->op->domain : "";
    if (x->how->standard && strcmp(domain, "uncork") == 0) {
        return uc_fail(x->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "%s: uncork.%s can't be said in standard ONNX", where, node->op->name);
    }
    if (node->layout != UC_LAYOUT_FIRST) {
        return uc_fail(x->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "%s: %s over channels last can't be said in ONNX", where, node->op->name);
    }
    return UNCORK_OK;
}

/* Numbers that float32 doesn't hold, for uncork's own eyes, in the node's metadata: the attribute of an
 * ONNX operator is float32, a network of Keras computed with the double. */
static void put_exact(const uc_node *node, uc_writer *w)
{
    for (size_t i = 0; i < node->attr_count; i++) {
        const uc_attr *a = &node->attrs[i];
        uc_writer pair;
        char key[80], value[24];
        if (a->kind != UC_ATTR_FLOAT || (double)(float)a->f == a->f || a->f != a->f) continue;
        uc_writer_init(&pair, 4096);
        snprintf(key, sizeof key, "uncork.%.60s", a->name);
        uint64_t bits;
        memcpy(&bits, &a->f, sizeof bits);
        snprintf(value, sizeof value, "%016" PRIx64, bits);
        uc_pb_put_text(&pair, 1, key);
        uc_pb_put_text(&pair, 2, value);
        uc_pb_put_message(w, 9, &pair);
    }
}

static uncork_status put_node(uc_onnx_writing *x, const uc_graph *g, const uc_node *node,
                              const char *const *names, uc_writer *out)
{
    const size_t captures = captures_of(node);
    uc_writer w;
    UC_TRY(check_node(x, node));
    raise_versions(x, g, node);
    uc_writer_init(&w, SIZE_MAX / 2);
    for (size_t i = 0; i + captures < node->in_count; i++)
        uc_pb_put_text(&w, 1, node->in[i] ? names[node->in[i]] : "");
    for (size_t i = 0; i < node->out_count; i++)
        uc_pb_put_text(&w, 2, node->out[i] ? names[node->out[i]] : "");
    const char *domain = node->op->domain ? node->op->domain : "";
    uc_pb_put_text(&w, 4, node->op->name);
    uncork_status status = UNCORK_OK;
    for (size_t i = 0; i < node->attr_count && status == UNCORK_OK; i++) {
        const uc_attr *a = &node->attrs[i];
        if (node->op->control && strcmp(a->name, "captures") == 0) continue;
        status = a->kind == UC_ATTR_GRAPH
                     ? put_body(x, node, a, names, &w)
                     : uc_onnx_write_attr(x, a, strcmp(domain, "uncork") == 0, &w);
    }
    if (*domain) uc_pb_put_text(&w, 7, domain);
    if (!x->how->standard && strcmp(domain, "uncork") != 0) put_exact(node, &w);
    uc_pb_put_message(out, 1, &w);
    return status;
}

/* ---- graphs ------------------------------------------------------------------------------- */

static void put_identity(uc_onnx_writing *x, const char *from, const char *to, uc_writer *out)
{
    uc_writer w;
    uc_writer_init(&w, 65536);
    uc_pb_put_text(&w, 1, from);
    uc_pb_put_text(&w, 2, to);
    uc_pb_put_text(&w, 4, "Identity");
    uc_pb_put_message(out, 1, &w);
    uc_onnx_raise(&x->opset, uc_onnx_oldest("", "Identity", x->how->standard));
}

/* An output that no node makes under that name (an input, a constant, one wanted twice) is a copy. */
static uncork_status name_outputs(uc_onnx_writing *x, const uc_graph *g, const char *const *names,
                                  size_t taken, const char **outputs, uc_writer *out)
{
    bool *made = UC_NEW(x->arena, bool, g->value_count);
    if (!made) return uc_arena_status(x->arena, x->error);
    (void)taken;
    for (size_t i = 0; i < g->output_count; i++) {
        const uc_ref v = g->outputs[i];
        outputs[i] = names[v];
        if (g->values[v].producer >= 0 && !made[v]) {
            made[v] = true;
            continue;
        }
        outputs[i] = uc_onnx_fresh(x, g->output_names[i], "output");
        if (!outputs[i]) return uc_arena_status(x->arena, x->error);
        put_identity(x, names[v], outputs[i], out);
    }
    return UNCORK_OK;
}

static uncork_status put_constants(uc_onnx_writing *x, const uc_graph *g, const char *const *names,
                                   uc_writer *out)
{
    bool *used = UC_NEW(x->arena, bool, g->value_count);
    if (!used) return uc_arena_status(x->arena, x->error);
    for (size_t n = 0; n < g->node_count; n++) {
        for (size_t i = 0; i < g->nodes[n].in_count; i++)
            used[g->nodes[n].in[i]] = true;
    }
    for (size_t i = 0; i < g->output_count; i++)
        used[g->outputs[i]] = true;
    for (size_t v = 1; v < g->value_count; v++) {
        if (used[v] && g->values[v].constant)
            UC_TRY(uc_onnx_write_tensor(x, 5, names[v], g->values[v].constant, out));
    }
    for (size_t i = 0; i < g->input_count; i++) {
        const uc_graph_value *v = &g->values[g->inputs[i]];
        if (v->fallback) UC_TRY(uc_onnx_write_tensor(x, 5, names[g->inputs[i]], v->fallback, out));
    }
    return UNCORK_OK;
}

/* A ZipMap gives a sequence of maps, whose keys' type the graph doesn't keep. */
static uncork_status write_output(uc_onnx_writing *x, const uc_graph *g, size_t i, const char *name,
                                  uc_writer *out)
{
    const uc_ref v = g->outputs[i];
    const char *own = g->output_names[i];
    const bool renamed = own && strcmp(own, name) != 0;
    const int64_t producer = g->values[v].producer;
    const uc_node *node = producer >= 0 ? &g->nodes[producer] : NULL;
    if (!node || strcmp(node->op->name, "ZipMap") != 0)
        return uc_onnx_write_value(x, 12, name, renamed ? own : NULL, &g->values[v], out);
    bool texts = false;
    for (size_t k = 0; k < node->attr_count; k++)
        texts = texts || strcmp(node->attrs[k].name, "classlabels_strings") == 0;
    uc_onnx_write_maps(12, name, texts, out);
    return UNCORK_OK;
}

/* GraphProto; the first `taken` inputs are its own, the others come from around it. */
static uncork_status write_graph(uc_onnx_writing *x, const uc_graph *g, const char **names,
                                 size_t taken, uc_writer *out)
{
    UC_TRY(name_values(x, g, names));
    const char **outputs = UC_NEW(x->arena, const char *, g->output_count);
    if (!outputs) return uc_arena_status(x->arena, x->error);
    for (size_t n = 0; n < g->node_count; n++)
        UC_TRY(put_node(x, g, &g->nodes[n], names, out));
    UC_TRY(name_outputs(x, g, names, taken, outputs, out));
    uc_pb_put_text(out, 2, "uncork");
    if (x->how->as_fed) uc_pb_put_text(out, 10, UC_GRAPH_AS_FED);
    UC_TRY(put_constants(x, g, names, out));
    for (size_t i = 0; i < taken; i++) {
        const uc_ref v = g->inputs[i];
        UC_TRY(uc_onnx_write_value(x, 11, names[v], NULL, &g->values[v], out));
    }
    for (size_t i = 0; i < g->output_count; i++)
        UC_TRY(write_output(x, g, i, outputs[i], out));
    return UNCORK_OK;
}

static void put_opset(uc_writer *out, const char *domain, int64_t version)
{
    uc_writer w;
    uc_writer_init(&w, 256);
    uc_pb_put_text(&w, 1, domain);
    uc_pb_put_int(&w, 2, version);
    uc_pb_put_message(out, 8, &w);
}

/* Opsets from 21 on came with IR 10, from 23 on with IR 11 and later: onnx/helper.py's table. */
static int64_t ir_for(int64_t opset)
{
    return opset >= 26 ? 13 : opset >= 24 ? 12 : opset >= 23 ? 11 : opset >= 21 ? 10 : 8;
}

uncork_status uc_onnx_write_model(const uc_graph *graph, const uc_onnx_write *how, uc_writer *out,
                                  uncork_error *error)
{
    uc_onnx_writing x = {.how = how, .error = error, .opset = how->standard ? 13 : 28};
    uc_writer message;
    x.arena = uc_arena_new(graph->budget);
    x.names = x.arena ? uc_table_new(x.arena) : NULL;
    const char **names = x.names ? UC_NEW(x.arena, const char *, graph->value_count) : NULL;
    uc_writer_init(&message, SIZE_MAX / 2);
    uncork_status status =
        names ? write_graph(&x, graph, names, graph->input_count, &message) : uc_fail_memory(error);
    uc_arena_free(x.arena);
    if (how->standard) uc_onnx_raise(&x.ir, ir_for(x.opset));
    uc_pb_put_int(out, 1, how->standard ? x.ir : 14);
    uc_pb_put_text(out, 2, "uncork");
    uc_pb_put_text(out, 3, uncork_version());
    uc_pb_put_message(out, 7, &message);
    put_opset(out, "", x.opset);
    if (x.ml) put_opset(out, "ai.onnx.ml", how->standard ? x.ml : 5);
    if (x.microsoft) put_opset(out, "com.microsoft", 1);
    if (x.uncork) put_opset(out, "uncork", 1);
    if (status == UNCORK_OK && out->status != UNCORK_OK)
        status = uc_fail(error, out->status, UC_NO_OFFSET, "the ONNX model is too large to write");
    if (status == UNCORK_OK && out->size > UC_ONNX_MOST_BYTES) {
        status = uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                         "the ONNX model is %zu bytes, a protobuf message is at most %zu",
                         out->size, UC_ONNX_MOST_BYTES);
    }
    return status;
}
