/* Writing JSON: RFC 8259, with what could act on a terminal escaped. */
#include "base/json.h"
#include "base/text.h"

#include <math.h>

static void separate(uc_json_writer *w)
{
    if (w->comma) uc_writer_u8(w->out, ',');
    w->comma = true;
}

static void begin(uc_json_writer *w, char bracket)
{
    separate(w);
    uc_writer_u8(w->out, (uint8_t)bracket);
    w->comma = false;
    w->depth++;
}

static void end(uc_json_writer *w, char bracket)
{
    uc_writer_u8(w->out, (uint8_t)bracket);
    w->comma = true;
    w->depth--;
}

void uc_json_begin_object(uc_json_writer *w) { begin(w, '{'); }
void uc_json_end_object(uc_json_writer *w) { end(w, '}'); }
void uc_json_begin_array(uc_json_writer *w) { begin(w, '['); }
void uc_json_end_array(uc_json_writer *w) { end(w, ']'); }

/* Characters a terminal could act on are escaped too: JSON ends up in terminals. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || (c >= 0x200E && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static void put_quoted(uc_writer *out, uc_str s)
{
    uc_writer_u8(out, '"');
    size_t at = 0;
    while (at < s.size) {
        const size_t from = at;
        uint32_t c = uc_utf8_next(s, &at);
        if (c >= 0xD800 && c <= 0xDFFF) c = 0xFFFD;
        if (c == '"' || c == '\\') {
            uc_writer_u8(out, '\\');
            uc_writer_u8(out, (uint8_t)c);
        } else if (c == '\n') {
            uc_writer_text(out, "\\n");
        } else if (c == '\t') {
            uc_writer_text(out, "\\t");
        } else if (needs_escape(c)) {
            uc_writer_printf(out, "\\u%04x", (unsigned)c);
        } else if (c == 0xFFFD) {
            uc_writer_text(out, "\xEF\xBF\xBD");
        } else {
            uc_writer_put(out, s.data + from, at - from);
        }
    }
    uc_writer_u8(out, '"');
}

void uc_json_key(uc_json_writer *w, const char *key)
{
    uc_json_put_text(w, key);
    uc_writer_u8(w->out, ':');
    w->comma = false;
}

void uc_json_put_str(uc_json_writer *w, uc_str s)
{
    separate(w);
    put_quoted(w->out, s);
}

void uc_json_put_text(uc_json_writer *w, const char *text) { uc_json_put_str(w, uc_str_of(text)); }

void uc_json_put_i64(uc_json_writer *w, int64_t v)
{
    separate(w);
    uc_writer_printf(w->out, "%lld", (long long)v);
}

void uc_json_put_f64(uc_json_writer *w, double v)
{
    char text[32];
    separate(w);
    uc_writer_put(w->out, isfinite(v) ? text : "null", isfinite(v) ? uc_f64_text(v, text) : 4);
}

void uc_json_put_f32(uc_json_writer *w, float v)
{
    char text[32];
    separate(w);
    uc_writer_put(w->out, isfinite(v) ? text : "null", isfinite(v) ? uc_f32_text(v, text) : 4);
}

void uc_json_put_bool(uc_json_writer *w, bool v)
{
    separate(w);
    uc_writer_text(w->out, v ? "true" : "false");
}

void uc_json_put_null(uc_json_writer *w)
{
    separate(w);
    uc_writer_text(w->out, "null");
}
