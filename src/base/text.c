/* Text: UTF-8, what a terminal may see, white space. Numbers: text_number.c. */
#include "base/text.h"

/* Length of the well-formed sequence at p (at most `left` bytes), 0 when it is broken.
 * Source: Unicode 15, table 3-7. */
static size_t sequence_length(const uint8_t *p, size_t left, bool surrogates)
{
    const uint8_t lead = p[0];
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const size_t n = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (left < n) return 0;
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED && !surrogates) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xBF) return 0;
    }
    return n;
}

bool uc_utf8_valid(uc_str s, bool surrogates)
{
    const uint8_t *p = (const uint8_t *)s.data;
    size_t at = 0;
    while (at < s.size) {
        uint64_t eight;
        if (s.size - at >= 8) {
            memcpy(&eight, p + at, 8);
            if (!(eight & 0x8080808080808080u)) {
                at += 8;
                continue;
            }
        }
        const size_t n = sequence_length(p + at, s.size - at, surrogates);
        if (n == 0) return false;
        at += n;
    }
    return true;
}

uint32_t uc_utf8_next(uc_str s, size_t *at)
{
    const uint8_t *p = (const uint8_t *)s.data + *at;
    const size_t n = sequence_length(p, s.size - *at, true);
    *at += n ? n : 1;
    if (n == 0) return 0xFFFD;
    if (n == 1) return p[0];
    uint32_t c = p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (p[i] & 0x3Fu);
    }
    return c;
}

size_t uc_utf8_put(uint32_t character, char out[4])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    const size_t n = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    out[0] = (char)((0xF00u >> n) | character);
    return n;
}

/* Controls (C0, DEL, C1), line and paragraph separators, marks that reorder text (Unicode 15,
 * Bidi_Control), lone surrogates: what must not reach a terminal. */
static bool is_risky(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || (c >= 0x200E && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           (c >= 0xD800 && c <= 0xDFFF);
}

void uc_text_escape(uc_writer *w, uc_str s)
{
    size_t at = 0;
    while (at < s.size) {
        const size_t from = at;
        const uint32_t c = uc_utf8_next(s, &at);
        const bool broken = c == 0xFFFD && at - from == 1;
        if (broken) {
            uc_writer_printf(w, "\\x%02x", (unsigned)(uint8_t)s.data[from]);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            uc_writer_text(w, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        } else if (is_risky(c)) {
            uc_writer_printf(w, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        } else {
            uc_writer_put(w, s.data + from, at - from);
        }
    }
}

bool uc_text_ends(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && memcmp(s + n - m, end, m) == 0;
}

uc_str uc_text_trim(uc_str s)
{
    while (s.size > 0 && (s.data[0] == ' ' || (s.data[0] >= '\t' && s.data[0] <= '\r'))) {
        s.data++;
        s.size--;
    }
    while (s.size > 0 && (s.data[s.size - 1] == ' ' ||
                          (s.data[s.size - 1] >= '\t' && s.data[s.size - 1] <= '\r'))) {
        s.size--;
    }
    return s;
}
