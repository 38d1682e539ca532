/* uncork inspect: the object of uncork_file_json, as it is or laid out for people. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/text.h"
#include "contract/python.h"
#include "model/recipe.h"
#include "model/summary.h"

static void put_value(uc_writer *out, const uc_json *v, int depth);

/* Whole numbers without ".0", as they stand in the file. */
static void put_number(uc_writer *out, double v)
{
    char text[32];
    uc_writer_put(out, text, uc_f64_plain_text(v, text));
}

static void put_scalar(uc_writer *out, const uc_json *v)
{
    switch (v->kind) {
    case UC_JSON_NULL: uc_writer_text(out, "none"); break;
    case UC_JSON_BOOL: uc_writer_text(out, v->boolean ? "yes" : "no"); break;
    case UC_JSON_INT:
    case UC_JSON_FLOAT: put_number(out, v->number); break;
    case UC_JSON_STRING: uc_text_escape(out, v->string); break;
    case UC_JSON_ARRAY:
    case UC_JSON_NUMBERS:
    case UC_JSON_OBJECT: break;
    }
}

static bool is_plain(const uc_json *v)
{
    return v->kind != UC_JSON_ARRAY && v->kind != UC_JSON_NUMBERS && v->kind != UC_JSON_OBJECT;
}

static void put_numbers(uc_writer *out, const uc_json *v)
{
    size_t n = uc_json_count(v), shown = n > 20 ? 20 : n;
    for (size_t i = 0; i < shown; i++) {
        double d = uc_dtype_load_f64(v->numbers->data, (int64_t)i, v->numbers->dtype);
        if (i) uc_writer_text(out, ", ");
        put_number(out, d);
    }
    if (shown < n) uc_writer_printf(out, ", ... (%zu in all; --json has them)", n);
    uc_writer_text(out, "\n");
}

static void put_array(uc_writer *out, const uc_json *v, int depth)
{
    bool plain = true;
    size_t shown = v->count > 200 ? 200 : v->count;
    for (size_t i = 0; i < v->count; i++) {
        plain = plain && is_plain(v->items[i]);
    }
    if (plain && shown > 20) shown = 20;
    for (size_t i = 0; i < shown; i++) {
        if (plain) {
            if (i) uc_writer_text(out, ", ");
            put_scalar(out, v->items[i]);
        } else {
            uc_writer_printf(out, "\n%*s- ", depth * 2, "");
            put_value(out, v->items[i], depth + 1);
        }
    }
    if (shown < v->count) uc_writer_printf(out, ", ... (%zu in all; --json has them)", v->count);
    if (plain) uc_writer_text(out, "\n");
}

static void put_object(uc_writer *out, const uc_json *v, int depth)
{
    for (size_t i = 0; i < v->count; i++) {
        uc_writer_printf(out, "%s%*s", i || depth == 0 ? "" : "\n", depth * 2, "");
        uc_text_escape(out, v->keys[i]);
        uc_writer_text(out, ": ");
        put_value(out, v->items[i], depth + 1);
    }
    if (v->count == 0) uc_writer_text(out, "\n");
}

static void put_value(uc_writer *out, const uc_json *v, int depth)
{
    if (v->kind == UC_JSON_OBJECT) {
        put_object(out, v, depth);
    } else if (v->kind == UC_JSON_ARRAY) {
        put_array(out, v, depth);
    } else if (v->kind == UC_JSON_NUMBERS) {
        put_numbers(out, v);
    } else {
        put_scalar(out, v);
        uc_writer_text(out, "\n");
    }
}

/* The members of the whole; the importer's own list of layers is in --json, people get put_layers' table. */
static void put_members(const uc_json *json, uc_writer *out)
{
    for (size_t i = 0; i < json->count; i++) {
        if (uc_str_is(json->keys[i], "layers")) continue;
        uc_text_escape(out, json->keys[i]);
        uc_writer_text(out, ": ");
        put_value(out, json->items[i], 1);
    }
}

/* One more key: what --precision fast would change. */
static int put_fast(const cli_options *options, const uncork_file *file, uc_arena *arena,
                    uc_writer *out)
{
    uncork_model *model = NULL;
    int status = cli_prepare(options, file, NULL, arena, &model);
    if (status) return status;
    const cli_fast fast = cli_fast_of(model);
    uncork_model_free(model);
    if (options->json) {
        uc_writer_printf(out, ", \"fast\": {\"bfloat16_operators\": %zu, \"operators\": %zu}}\n",
                         fast.shorter, fast.nodes);
    } else {
        uc_writer_printf(out, "fast: bfloat16 in %zu of %zu operators\n", fast.shorter, fast.nodes);
    }
    return EXIT_OK;
}

/* The same steps as Python, where each has a short form there. */
static void put_python(const uc_recipe *recipe, bool as_json, uc_writer *out)
{
    const char *step = "";
    uc_writer code;
    uc_writer_init(&code, (size_t)1 << 20);
    const bool all = uc_contract_python(recipe->contract, &recipe->want, &code, &step);
    if (as_json) {
        uc_json_writer json = {.out = out};
        uc_writer_text(out, ", \"preprocessing_python\": ");
        if (all) {
            uc_json_put_text(&json, uc_writer_string(&code));
        } else {
            uc_json_put_null(&json);
        }
    } else if (all) {
        uc_writer_printf(out, "preprocessing in Python:\n%s", uc_writer_string(&code));
    } else {
        uc_writer_printf(out, "preprocessing in Python: the step %s has no short form there\n",
                         step);
    }
    uc_writer_done(&code);
}

/* One more key: the steps in front of the model as predict takes them, where they come from and what else
 * they could be. Nothing for a model without pictures. */
static void put_recipe(const cli_options *options, const uncork_file *file, uc_arena *arena,
                       uc_writer *out)
{
    uc_recipe recipe;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (uc_recipe_of(file, arena, &recipe, &error)) return;
    if (options->preprocess &&
        uc_contract_parse(options->preprocess, arena, &recipe.contract, &error))
        return;
    uc_json_writer json = {.out = out};
    if (options->json) {
        out->size--; /* the brace that closes the object */
        uc_writer_text(out, ", \"preprocessing\": ");
        uc_contract_json(recipe.contract, &json);
        uc_writer_text(out, ", \"preprocessing_notes\": ");
        json.comma = false;
        uc_json_begin_array(&json);
        for (size_t i = 0; i < recipe.notes.count; i++) {
            uc_json_put_text(&json, recipe.notes.items[i].text);
        }
        uc_json_end_array(&json);
        put_python(&recipe, true, out);
        uc_writer_text(out, "}");
        return;
    }
    uc_writer_text(out, "preprocessing: ");
    uc_contract_text(recipe.contract, out);
    uc_writer_text(out, "\n");
    for (size_t i = 0; i < recipe.notes.count; i++) {
        if (strcmp(recipe.notes.items[i].code, "preprocess") == 0) continue;
        uc_writer_text(out, "  - ");
        uc_text_escape(out, uc_str_of(recipe.notes.items[i].text));
        uc_writer_text(out, "\n");
    }
    put_python(&recipe, false, out);
}

/* ---- layers ---- */

/* "layer conv1 (Conv2D)" is shown as "conv1 (Conv2D)", "node 'n9'" as "'n9' (Relu)". */
static void put_layer_name(const uc_summary_layer *l, uc_writer *out)
{
    const char *name = l->name;
    if (strncmp(name, "layer ", 6) == 0) name += 6;
    if (strncmp(name, "node ", 5) == 0) name += 5;
    uc_text_escape(out, uc_str_of(name));
    if (!strchr(name, '(') && strcmp(name, l->op) != 0) uc_writer_printf(out, " (%s)", l->op);
}

static const char *thousands(uint64_t n, char text[32])
{
    char digits[24];
    const int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *at = text;
    for (int i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0) *at++ = ',';
        *at++ = digits[i];
    }
    *at = 0;
    return text;
}

static void put_layer_lines(const uc_summary *s, uc_writer *out)
{
    char shape[256], parameters[32], macs[32];
    static const char *const titles =
        "  layer                                        gives                          parameters    multiply-adds        bytes\n";
    uc_writer_printf(out, "layers: %zu, %s parameters in %s bytes", s->count,
                     thousands(s->parameters, parameters), thousands(s->weight_bytes, macs));
    if (s->macs) uc_writer_printf(out, ", %s multiply-adds", thousands(s->macs, macs));
    uc_writer_printf(out, ", %s bytes between layers of one input", thousands(s->peak_bytes, macs));
    uc_writer_text(out, "\n");
    uc_writer_text(out, titles);
    for (size_t i = 0; i < s->count; i++) {
        const uc_summary_layer *l = &s->layers[i];
        const size_t begin = out->size;
        uc_writer_text(out, "  ");
        put_layer_name(l, out);
        while (out->size - begin < 44) {
            uc_writer_text(out, " ");
        }
        uc_writer_printf(out, " %-28s %12s",
                         l->rank < 0 ? "-" : uc_shape_text(l->shape, l->rank, shape, sizeof shape),
                         l->parameters ? thousands(l->parameters, parameters) : "");
        if (l->macs || l->out_bytes)
            uc_writer_printf(out, " %16s", l->macs ? thousands(l->macs, macs) : "");
        if (l->out_bytes) uc_writer_printf(out, " %12s", thousands(l->out_bytes, macs));
        uc_writer_text(out, "\n");
    }
}

static void put_layer_objects(const uc_summary *s, uc_writer *out)
{
    uc_json_writer json = {.out = out};
    out->size--; /* the brace that closes the object */
    uc_writer_text(out, ", \"layer_table\": ");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < s->count; i++) {
        const uc_summary_layer *l = &s->layers[i];
        uc_json_begin_object(&json);
        uc_json_key(&json, "name");
        uc_json_put_text(&json, l->name);
        uc_json_key(&json, "operator");
        uc_json_put_text(&json, l->op);
        uc_json_key(&json, "operators");
        uc_json_put_i64(&json, (int64_t)l->nodes);
        if (l->rank >= 0) {
            uc_json_key(&json, "dtype");
            uc_json_put_text(&json, uc_dtype_name(l->dtype));
            uc_json_key(&json, "shape");
            uc_json_begin_array(&json);
            for (int d = 0; d < l->rank; d++) {
                if (l->shape[d] < 0) uc_json_put_null(&json);
                if (l->shape[d] >= 0) uc_json_put_i64(&json, l->shape[d]);
            }
            uc_json_end_array(&json);
        }
        uc_json_key(&json, "parameters");
        uc_json_put_i64(&json, (int64_t)l->parameters);
        uc_json_key(&json, "multiply_adds");
        uc_json_put_i64(&json, (int64_t)l->macs);
        uc_json_key(&json, "bytes");
        uc_json_put_i64(&json, (int64_t)l->out_bytes);
        uc_json_end_object(&json);
    }
    uc_json_end_array(&json);
    uc_writer_printf(
        out,
        ", \"layer_totals\": {\"parameters\": %llu, \"weight_bytes\": %llu, \"multiply_adds\": %llu, \"peak_bytes\": %llu}",
        (unsigned long long)s->parameters, (unsigned long long)s->weight_bytes,
        (unsigned long long)s->macs, (unsigned long long)s->peak_bytes);
    uc_writer_text(out, "}");
}

/* One more key: the layers of a network. Nothing for classic models and for what can't be imported. */
static void put_layers(const cli_options *options, const uncork_file *file, uc_arena *arena,
                       uc_writer *out)
{
    uc_summary summary;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (uc_fact_find(&uc_file_import(file)->facts, "task")) return;
    if (uc_summary_of(file, options->signature, &options->limits, arena, &summary, &error)) return;
    if (options->json) {
        put_layer_objects(&summary, out);
    } else {
        put_layer_lines(&summary, out);
    }
}

int cmd_inspect(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count != 1)
        return cli_usage("inspect takes one model: uncork inspect MODEL");
    uncork_open_options open = {.size = sizeof open, .limits = options->limits};
    uncork_file *file;
    uncork_error error = {.size = sizeof error};
    if (uncork_open(options->arguments[0], &open, &file, &error)) return cli_fail_model(&error);
    const char *text = uncork_file_json(file);
    uc_writer out;
    uc_writer_init(&out, (size_t)128 << 20);
    if (options->json) {
        uc_writer_put(&out, text, strlen(text));
        put_recipe(options, file, arena, &out);
        put_layers(options, file, arena, &out);
        if (options->fast) {
            out.size--; /* the brace that put_fast closes */
        } else {
            uc_writer_text(&out, "\n");
        }
    } else {
        const uc_json *json =
            uc_json_read((uc_bytes){(const uint8_t *)text, strlen(text)}, 0, arena, &error);
        if (json) put_members(json, &out);
        put_recipe(options, file, arena, &out);
        put_layers(options, file, arena, &out);
    }
    int status = options->fast ? put_fast(options, file, arena, &out) : EXIT_OK;
    if (status == EXIT_OK && options->graph) status = cli_graph_picture(options, file, arena);
    if (status == EXIT_OK && !cli_flush(&out)) status = EXIT_INPUT;
    uc_writer_done(&out);
    uncork_file_close(file);
    return status;
}
