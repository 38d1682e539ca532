/* What people see when something is off: one line, what, where in the file, what to do. */
#include "cli/cli.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

void cli_print_error(const uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, 4096);
    uc_writer_text(&w, "uncork: ");
    if (error->where[0]) {
        uc_text_escape(&w, uc_str_of(error->where));
        uc_writer_text(&w, ": ");
    }
    uc_text_escape(&w, uc_str_of(error->what));
    if (error->offset != UC_NO_OFFSET)
        uc_writer_printf(&w, " (at byte %" PRIu64 ")", error->offset);
    if (error->fix[0]) {
        uc_writer_text(&w, "; ");
        uc_text_escape(&w, uc_str_of(error->fix));
    }
    fprintf(stderr, "%s\n", uc_writer_string(&w));
    uc_writer_done(&w);
}

int cli_model_exit(const uncork_error *error)
{
    switch (error->status) {
    case UNCORK_OK: return EXIT_OK;
    case UNCORK_USAGE: return EXIT_USAGE;
    case UNCORK_IO: return EXIT_FILE;
    case UNCORK_INPUT: return EXIT_INPUT;
    case UNCORK_CANCELLED: return EXIT_INTERRUPTED;
    case UNCORK_MALFORMED:
    case UNCORK_UNSUPPORTED:
    case UNCORK_LIMIT:
    case UNCORK_NO_MEMORY:
    case UNCORK_DEADLINE: break;
    }
    return EXIT_MODEL;
}

int cli_fail_model(const uncork_error *error)
{
    cli_print_error(error);
    return cli_model_exit(error);
}

int cli_usage(const char *format, ...)
{
    va_list args;
    char text[2048]; /* a longer argument is cut */
    uc_writer w;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uc_writer_init(&w, sizeof text);
    uc_writer_text(&w, "uncork: ");
    uc_text_escape(&w, uc_str_of(text));
    fprintf(stderr, "%s\n", uc_writer_string(&w));
    uc_writer_done(&w);
    return EXIT_USAGE;
}

void cli_note(const cli_options *options, const char *format, ...)
{
    if (options->quiet) return;
    va_list args;
    va_start(args, format);
    fputs("note: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void cli_print_findings(const cli_options *options, const uc_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        uc_writer w;
        uc_writer_init(&w, 4096);
        uc_text_escape(&w, uc_str_of(findings->items[i].text));
        cli_note(options, "%s", uc_writer_string(&w));
        uc_writer_done(&w);
    }
}

bool cli_flush(uc_writer *out)
{
    bool ok = out->status == UNCORK_OK && fwrite(out->data, 1, out->size, stdout) == out->size &&
              fflush(stdout) == 0;
    if (!ok && out->status == UNCORK_OK && errno != EPIPE)
        fprintf(stderr, "uncork: standard output: %s\n", strerror(errno));
    out->size = 0;
    return ok;
}
