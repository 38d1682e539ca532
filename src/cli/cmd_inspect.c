/* uncork inspect: the object of uncork_file_json, as it is or laid out for people. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/text.h"
#include "model/recipe.h"

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

/* One more key: what --precision fast would change. */
static int put_fast(const cli_options *options, const uncork_file *file, uc_arena *arena,
                    uc_writer *out)
{
    uncork_model *model = NULL;
    int status = cli_prepare(options, file, UNCORK_DTYPE_NONE, arena, &model);
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

/* One more key: the steps in front of the model as predict takes them, where they come from and what else
 * they could be. Nothing for a model without pictures. */
static void put_recipe(const cli_options *options, const uncork_file *file, uc_arena *arena,
                       uc_writer *out)
{
    uc_recipe recipe;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (uc_recipe_of(file, arena, &recipe, &error)) return;
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
        if (options->fast) {
            out.size--; /* the brace that put_fast closes */
        } else {
            uc_writer_text(&out, "\n");
        }
    } else {
        const uc_json *json =
            uc_json_read((uc_bytes){(const uint8_t *)text, strlen(text)}, 0, arena, &error);
        if (json) put_value(&out, json, 0);
        put_recipe(options, file, arena, &out);
    }
    int status = options->fast ? put_fast(options, file, arena, &out) : EXIT_OK;
    if (status == EXIT_OK && !cli_flush(&out)) status = EXIT_INPUT;
    uc_writer_done(&out);
    uncork_file_close(file);
    return status;
}
