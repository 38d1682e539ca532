/* See text_python.h. */
#include "op/ext/text_python.h"

#include "base/text.h"

#include <utf8proc.h>

bool uc_text_append(uc_arena *arena, uc_text_buffer *to, uc_str text)
{
    size_t need;
    if (!uc_add_size(to->size, text.size, &need)) return false;
    if (need > to->capacity || !to->data) {
        char *grown = uc_arena_grow(arena, to->data, &to->capacity, need + 1, 1);
        if (!grown) return false;
        to->data = grown;
    }
    if (text.size) memcpy(to->data + to->size, text.data, text.size);
    to->size = need;
    return true;
}

static bool put(uc_arena *arena, uc_text_buffer *to, uint32_t character)
{
    char bytes[4];
    return uc_text_append(arena, to, (uc_str){bytes, uc_utf8_put(character, bytes)});
}

static bool is_ascii(uc_str text)
{
    unsigned char any = 0;
    for (size_t i = 0; i < text.size; i++)
        any |= (unsigned char)text.data[i];
    return any < 0x80;
}

/* ---- kinds of characters ------------------------------------------------------------------- */

static utf8proc_category_t category_of(uint32_t c)
{
    return c <= 0x10ffff ? utf8proc_category((utf8proc_int32_t)c) : UTF8PROC_CATEGORY_CN;
}

bool uc_text_is_word(uint32_t c)
{
    if (c < 0x80) {
        uint32_t letter = c | 0x20;
        return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_';
    }
    utf8proc_category_t k = category_of(c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
           (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

/* Category Zs, or bidirectional type WS, B or S. */
bool uc_text_is_space(uint32_t c)
{
    if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
    return c == 0x85 || c == 0x2028 || c == 0x2029 || category_of(c) == UTF8PROC_CATEGORY_ZS;
}

/* ---- str.lower() --------------------------------------------------------------------------- */

/* DerivedCoreProperties.txt: Cased. */
static bool is_cased(uint32_t c)
{
    utf8proc_category_t k = category_of(c);
    return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT ||
           utf8proc_islower((utf8proc_int32_t)c) || utf8proc_isupper((utf8proc_int32_t)c);
}

/* DerivedCoreProperties.txt: Case_Ignorable = Mn, Me, Cf, Lm, Sk and Word_Break MidLetter,
 * MidNumLet or Single_Quote. */
static bool is_case_ignorable(uint32_t c)
{
    static const uint16_t others[] = {0x27,   0x2e,   0x3a,   0xb7,   0x387,  0x55f,
                                      0x5f4,  0x2018, 0x2019, 0x2024, 0x2027, 0xfe13,
                                      0xfe52, 0xfe55, 0xff07, 0xff0e, 0xff1a};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (c == others[i]) return true;
    }
    utf8proc_category_t k = category_of(c);
    return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF ||
           k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_SK;
}

/* The character in front of text[at]; moves at to it. */
static uint32_t previous(uc_str text, size_t *at)
{
    size_t begin = *at - 1, from;
    while (begin > 0 && ((unsigned char)text.data[begin] & 0xc0) == 0x80)
        begin--;
    *at = from = begin;
    return uc_utf8_next(text, &from);
}

/* SpecialCasing.txt, Final_Sigma: a cased letter before, none after; ignorable ones don't count. */
static bool is_final_sigma(uc_str text, size_t begin, size_t end)
{
    uint32_t c = 0;
    bool before = false;
    for (size_t at = begin; at > 0 && !before;) {
        c = previous(text, &at);
        if (is_case_ignorable(c)) continue;
        if (!is_cased(c)) break;
        before = true;
    }
    if (!before) return false;
    for (size_t at = end; at < text.size;) {
        c = uc_utf8_next(text, &at);
        if (!is_case_ignorable(c)) return !is_cased(c);
    }
    return true;
}

bool uc_text_lower(uc_arena *arena, uc_str text, bool python2, uc_text_buffer *to)
{
    to->size = 0;
    if (!uc_text_append(arena, to, text)) return false;
    if (is_ascii(text)) {
        for (size_t i = 0; i < text.size; i++) {
            if (to->data[i] >= 'A' && to->data[i] <= 'Z') to->data[i] = (char)(to->data[i] + 32);
        }
        return true;
    }
    to->size = 0;
    for (size_t at = 0; at < text.size;) {
        size_t begin = at;
        uint32_t c = uc_utf8_next(text, &at);
        bool fine;
        if (python2) {
            fine = put(arena, to, c == 0x130 ? 'i' : (uint32_t)utf8proc_tolower((int32_t)c));
        } else if (c == 0x130) { /* the one letter whose lower case is two */
            fine = put(arena, to, 'i') && put(arena, to, 0x307);
        } else if (c == 0x3a3) {
            fine = put(arena, to, is_final_sigma(text, begin, at) ? 0x3c2 : 0x3c3);
        } else {
            fine = put(arena, to, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
        }
        if (!fine) return false;
    }
    return true;
}

/* ---- accents ------------------------------------------------------------------------------- */

/* NFKD in characters; *count of them. NULL when memory is out. */
static const utf8proc_int32_t *decomposed(uc_arena *arena, uc_str text, size_t *count)
{
    const utf8proc_option_t options =
        (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
    const utf8proc_uint8_t *from = (const utf8proc_uint8_t *)text.data;
    utf8proc_ssize_t size = (utf8proc_ssize_t)text.size;
    utf8proc_ssize_t need = utf8proc_decompose(from, size, NULL, 0, options);
    *count = need > 0 ? (size_t)need : 0;
    utf8proc_int32_t *out = UC_NEW(arena, utf8proc_int32_t, *count + 1);
    if (need < 0 || !out) return NULL;
    if (utf8proc_decompose(from, size, out, need + 1, options) != need) return NULL;
    return out;
}

static bool is_same(const utf8proc_int32_t *characters, size_t count, uc_str text)
{
    size_t at = 0, i = 0;
    while (at < text.size && i < count) {
        if (uc_utf8_next(text, &at) != (uint32_t)characters[i++]) return false;
    }
    return at == text.size && i == count;
}

bool uc_text_strip_accents(uc_arena *arena, uc_str text, uc_accents how, uc_text_buffer *to)
{
    to->size = 0;
    if (how == UC_ACCENTS_KEEP || is_ascii(text)) return uc_text_append(arena, to, text);
    size_t count = 0;
    const utf8proc_int32_t *characters = decomposed(arena, text, &count);
    if (!characters) return false;
    if (how == UC_ACCENTS_UNICODE_OLD && is_same(characters, count, text)) {
        return uc_text_append(arena, to, text);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t c = (uint32_t)characters[i];
        bool keep = how == UC_ACCENTS_ASCII
                        ? c < 0x80
                        : utf8proc_get_property(characters[i])->combining_class == 0;
        if (keep && !put(arena, to, c)) return false;
    }
    return true;
}
