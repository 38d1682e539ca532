/* One input's answer, whatever its kind: decoded first, so that nothing of a failed one is printed, then
 * written as text, JSON or CSV. */
#include "cli/answer.h"

#include "base/text.h"

static const cli_answer_kind *const kinds[] = {
#define ANSWER(symbol) &cli_answer_##symbol,
#include "cli/answer_kinds.def"
#undef ANSWER
};

const cli_answer_kind *cli_answer_kind_of(const uc_reading *reading)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i]->kind == reading->kind) return kinds[i];
    }
    return NULL;
}

static void write_name(const cli_answers *a, const char *input)
{
    uc_text_escape(a->out, uc_str_of(input));
}

static void write_text(const cli_answers *a, const cli_input *input, void *const *made)
{
    write_name(a, input->name);
    uc_writer_text(a->out, ":");
    bool first = true;
    for (int i = 0; i < a->count; i++) {
        const uc_reading *r = &a->readings[i];
        const cli_answer_kind *kind = cli_answer_kind_of(r);
        if (!kind) continue;
        uc_writer_text(a->out, first ? " " : "  ");
        if (a->shown > 1 || kind->named) {
            uc_text_escape(a->out, uc_str_of(r->name));
            uc_writer_text(a->out, "=");
        }
        kind->text(a, r, made[i]);
        first = false;
    }
    uc_writer_text(a->out, "\n");
}

/* On a terminal: the input's name, then what was found, indented. */
static void write_screen(const cli_answers *a, const cli_input *input, void *const *made)
{
    write_name(a, input->name);
    bool lines = !a->one_line;
    if (!lines) {
        size_t used = cli_text_width(uc_str_of(input->name));
        uc_writer_printf(a->out, "%*s", (int)(used < a->name_width ? a->name_width - used : 0), "");
    }
    for (int i = 0; i < a->count; i++) {
        const uc_reading *r = &a->readings[i];
        const cli_answer_kind *kind = cli_answer_kind_of(r);
        if (!kind) continue;
        uc_writer_text(a->out, lines ? "\n" : "  ");
        if (a->shown > 1 || (kind->named && !kind->screen)) {
            uc_writer_text(a->out, lines ? "  " : "");
            uc_text_escape(a->out, uc_str_of(r->name));
            uc_writer_text(a->out, lines && kind->screen ? "\n" : " ");
        } else if (lines && !kind->screen) {
            uc_writer_text(a->out, "  ");
        }
        (kind->screen ? kind->screen : kind->text)(a, r, made[i]);
    }
    uc_writer_text(a->out, "\n");
}

/* One reading: its keys in the object itself; several: an object each under "outputs". */
static void write_json(const cli_answers *a, const cli_input *input, void *const *made)
{
    uc_json_writer json = {.out = a->out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "input");
    uc_json_put_text(&json, input->name);
    if (a->shown > 1) {
        uc_json_key(&json, "outputs");
        uc_json_begin_object(&json);
    }
    for (int i = 0; i < a->count; i++) {
        const uc_reading *r = &a->readings[i];
        const cli_answer_kind *kind = cli_answer_kind_of(r);
        if (!kind) continue;
        if (a->shown > 1) {
            uc_json_key(&json, r->name);
            uc_json_begin_object(&json);
        }
        uc_json_key(&json, "task");
        uc_json_put_text(&json, uc_post_kind_name(r->kind));
        if (a->shown == 1) {
            uc_json_key(&json, "output");
            uc_json_put_text(&json, r->name);
        }
        kind->json(a, r, made[i], &json);
        if (a->shown > 1) uc_json_end_object(&json);
    }
    if (a->shown > 1) uc_json_end_object(&json);
    uc_json_end_object(&json);
    uc_writer_text(a->out, "\n");
}

static void write_csv(cli_answers *a, const cli_input *input, void *const *made)
{
    if (!a->header_written) {
        uc_writer_text(a->out, "input");
        for (int i = 0; i < a->count; i++) {
            const cli_answer_kind *kind = cli_answer_kind_of(&a->readings[i]);
            if (kind) a->csv_columns += kind->csv_head(a, &a->readings[i], made[i]);
        }
        uc_writer_text(a->out, ",error\n");
        a->header_written = true;
        cli_csv_failures(a);
    }
    cli_csv_cell(a->out, uc_str_of(input->name));
    for (int i = 0; i < a->count; i++) {
        const cli_answer_kind *kind = cli_answer_kind_of(&a->readings[i]);
        if (kind) kind->csv(a, &a->readings[i], made[i]);
    }
    uc_writer_text(a->out, ",\n");
}

static uncork_status answer(cli_answers *a, const cli_input *input, uc_arena *arena,
                            uncork_error *error)
{
    void **made = UC_NEW(arena, void *, (size_t)a->count);
    if (!made) return uc_arena_status(arena, error);
    for (int i = 0; i < a->count; i++) {
        const cli_answer_kind *kind = cli_answer_kind_of(&a->readings[i]);
        if (kind) UC_TRY(kind->make(a, &a->readings[i], input, arena, &made[i], error));
    }
    if (a->answered) UC_TRY(a->answered(a->answered_context, a, input, made, arena, error));
    if (a->silent) return UNCORK_OK;
    if (a->options->json) {
        write_json(a, input, made);
    } else if (a->options->csv) {
        write_csv(a, input, made);
    } else if (a->screen) {
        write_screen(a, input, made);
    } else {
        write_text(a, input, made);
    }
    return UNCORK_OK;
}

/* A classic classifier on a terminal: as write_screen lays classes out. */
static void screen_table(const cli_answers *a, const cli_input *input, const cli_table *table)
{
    size_t top = a->options->top && (size_t)a->options->top < table->count ? (size_t)a->options->top
                                                                           : table->count;
    size_t width = 0;
    char own[32];
    if (a->one_line) top = 1;
    for (size_t i = 0; i < top; i++) {
        size_t n = cli_text_width(cli_table_class(a, table->items[i].index, own));
        if (n > width) width = n;
    }
    write_name(a, input->name);
    if (a->one_line) {
        size_t used = cli_text_width(uc_str_of(input->name));
        uc_writer_printf(a->out, "%*s  ", (int)(used < a->name_width ? a->name_width - used : 0),
                         "");
        width = 24;
    }
    for (size_t i = 0; i < top; i++) {
        if (!a->one_line) uc_writer_text(a->out, "\n  ");
        cli_screen_bar(a, cli_table_class(a, table->items[i].index, own), width,
                       table->items[i].score, !table->probabilities);
    }
    uc_writer_text(a->out, "\n");
}

static uncork_status answer_classic(cli_answers *a, const cli_input *input, uc_arena *arena,
                                    uncork_error *error)
{
    if (a->answered) UC_TRY(a->answered(a->answered_context, a, input, NULL, arena, error));
    if (a->screen && !a->silent) {
        cli_table table;
        UC_TRY(cli_table_of(a, input, arena, &table, error));
        if (table.count) {
            screen_table(a, input, &table);
            return UNCORK_OK;
        }
    }
    if (!a->silent) cli_answer_table(a, input->name, input->outputs, input->row);
    return UNCORK_OK;
}

uncork_status cli_answer(cli_answers *answers, const cli_input *input, uncork_error *error)
{
    uc_arena *arena = uc_arena_new(answers->budget);
    if (!arena) return uc_fail_memory(error);
    const uncork_status status = answers->readings ? answer(answers, input, arena, error)
                                                   : answer_classic(answers, input, arena, error);
    uc_arena_free(arena);
    return status;
}
