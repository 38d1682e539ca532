/* What a terminal gets: how wide it is, whether it shows block characters, and a line with a bar. Where
 * standard output is no terminal none of this is used: a pipe gets plain, stable text. */
#define _DEFAULT_SOURCE /* ioctl */
#include "base/text.h"
#include "cli/answer.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *v = getenv(names[i]);
        if (v && *v) return strstr(v, "UTF-8") || strstr(v, "utf8") || strstr(v, "UTF8");
    }
    return false;
}

void cli_screen_of(cli_answers *a)
{
    struct winsize size;
    a->screen = isatty(STDOUT_FILENO) == 1;
    a->columns = 80;
    if (a->screen && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        a->columns = size.ws_col;
}

/* Columns of one character: wide for East Asian scripts and pictographs, none for combining marks. The
 * ranges that labels have; UAX #11 has the rest. */
static size_t character_width(uint32_t c)
{
    if (c < 0x20 || (c >= 0x300 && c < 0x370) || c == 0x200D || (c >= 0xFE00 && c < 0xFE10))
        return 0;
    bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) ||
                (c >= 0xAC00 && c < 0xD7A4) || (c >= 0xF900 && c < 0xFB00) ||
                (c >= 0xFE30 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF61) ||
                (c >= 0x1F300 && c < 0x1FB00) || (c >= 0x20000 && c < 0x3FFFE);
    return wide ? 2 : 1;
}

size_t cli_text_width(uc_str s)
{
    size_t width = 0;
    for (size_t at = 0; at < s.size;) {
        width += character_width(uc_utf8_next(s, &at));
    }
    return width;
}

/* The name, filled or cut to `width` columns: labels begin with what tells them apart. */
void cli_put_name(uc_writer *out, uc_str name, size_t width)
{
    size_t used = cli_text_width(name);
    if (used > width) {
        size_t at = 0, cut = 0;
        used = 0;
        while (at < name.size) {
            size_t next = used + character_width(uc_utf8_next(name, &at));
            if (next + 1 > width) break;
            used = next;
            cut = at;
        }
        uc_text_escape(out, (uc_str){name.data, cut});
        uc_writer_text(out, has_utf8() ? "…" : "~");
        used++;
    } else {
        uc_text_escape(out, name);
    }
    if (used < width) uc_writer_printf(out, "%*s", (int)(width - used), "");
}

/* Eighths of a cell, so that a narrow bar still tells 30 % from 33 %. */
static void put_bar(uc_writer *out, double share, size_t cells)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double length = share * (double)cells;
    size_t full = (size_t)length;
    if (full > cells) full = cells;
    bool blocks = has_utf8();
    for (size_t i = 0; i < full; i++) {
        uc_writer_text(out, blocks ? "█" : "#");
    }
    if (blocks && full < cells) uc_writer_text(out, eighths[(size_t)((length - (double)full) * 8)]);
}

void cli_screen_line(const cli_answers *a, size_t i)
{
    if (i) uc_writer_text(a->out, "\n");
    uc_writer_text(a->out, a->shown > 1 ? "    " : "  ");
}

void cli_screen_bar(const cli_answers *a, uc_str name, size_t name_width, double share, bool raw)
{
    size_t columns = (size_t)a->columns, limit = columns / 2;
    if (a->one_line) columns = columns > a->name_width ? columns - a->name_width : 0;
    if (name_width > limit) name_width = limit;
    if (name_width < 8) name_width = 8;
    cli_put_name(a->out, name, name_width);
    if (raw) {
        uc_writer_printf(a->out, " %10.4f", share);
        return;
    }
    uc_writer_printf(a->out, " %6.2f %%", share * 100);
    size_t used = name_width + 14 + (a->shown > 1 ? 2 : 0);
    if (columns < used + 4 || !(share >= 0 && share <= 1)) return;
    size_t cells = columns - used > 30 ? 30 : columns - used;
    uc_writer_text(a->out, "  ");
    put_bar(a->out, share, cells);
}
