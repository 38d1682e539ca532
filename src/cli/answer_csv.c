/* What CSV answers share: cells, and the failures that come before the header can. */
#include "cli/answer.h"

void cli_csv_cell(uc_writer *out, uc_str s)
{
    bool quote = s.size && (memchr(s.data, ',', s.size) || memchr(s.data, '"', s.size) ||
                            memchr(s.data, '\n', s.size) || memchr(s.data, '\r', s.size));
    if (!quote) {
        uc_writer_put(out, s.data, s.size);
        return;
    }
    uc_writer_text(out, "\"");
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] == '"') uc_writer_text(out, "\"");
        uc_writer_put(out, s.data + i, 1);
    }
    uc_writer_text(out, "\"");
}

size_t cli_csv_headings(const cli_answers *a, const uc_reading *reading, const char *const *names)
{
    size_t count = 0;
    uc_writer cell;
    uc_writer_init(&cell, (size_t)1 << 20);
    for (; names[count]; count++) {
        cell.size = 0;
        uc_writer_printf(&cell, "%s%s%s", a->shown > 1 ? reading->name : "",
                         a->shown > 1 ? "_" : "", names[count]);
        uc_writer_text(a->out, ",");
        cli_csv_cell(a->out, (uc_str){uc_writer_string(&cell), cell.size});
    }
    uc_writer_done(&cell);
    return count;
}

static void csv_failure(cli_answers *a, const char *input, const char *what)
{
    cli_csv_cell(a->out, uc_str_of(input));
    for (size_t i = 0; i < a->csv_columns; i++) {
        uc_writer_text(a->out, ",");
    }
    uc_writer_text(a->out, ",");
    cli_csv_cell(a->out, uc_str_of(what));
    uc_writer_text(a->out, "\n");
}

void cli_csv_failures(cli_answers *a)
{
    for (size_t i = 0; i < a->failure_count; i++) {
        csv_failure(a, a->failures[i].input, a->failures[i].what);
    }
    a->failure_count = 0;
}

/* The header's columns aren't known before the first answer. */
static void hold_failure(cli_answers *a, const char *input, const char *what)
{
    cli_failure *grown = uc_arena_grow(a->arena, a->failures, &a->failure_capacity,
                                       a->failure_count + 1, sizeof *a->failures);
    if (!grown) return;
    a->failures = grown;
    a->failures[a->failure_count++] =
        (cli_failure){uc_arena_str(a->arena, input), uc_arena_str(a->arena, what)};
}

void cli_answer_end(cli_answers *answers)
{
    if (!answers->options->csv || answers->header_written || !answers->failure_count) return;
    uc_writer_text(answers->out, "input,error\n");
    cli_csv_failures(answers);
}

void cli_answer_error(cli_answers *answers, const char *input, const uncork_error *error)
{
    if (answers->options->csv && answers->header_written) {
        csv_failure(answers, input, error->what);
    } else if (answers->options->csv) {
        hold_failure(answers, input, error->what);
    }
    if (!answers->options->json) return;
    uc_json_writer json = {.out = answers->out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "input");
    uc_json_put_text(&json, input);
    uc_json_key(&json, "error");
    uc_json_put_text(&json, error->what);
    uc_json_end_object(&json);
    uc_writer_text(answers->out, "\n");
}
