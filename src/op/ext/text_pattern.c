/* See text_pattern.h. Source of the grammar: Python's Lib/re/_parser.py; pcre2pattern(3). */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "op/ext/text_pattern.h"

#include "op/ext/text_python.h"

#include <pcre2.h>

enum {
    MATCH_STEPS = 10000000, /* of backtracking a search: seconds, not minutes */
    MATCH_DEPTH = 10000,    /* nested backtracking points */
    HEAP_KIB = 65536,       /* PCRE2's own memory for a match */
    PATTERN_BYTES = 65536,
};

struct uc_text_pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    bool has_group;
};

/* ---- from Python to PCRE2 ------------------------------------------------------------------- */

typedef struct translation {
    uc_arena *arena;
    uc_str from;
    size_t at;
    uc_text_buffer to;
    bool ascii; /* (?a) */
    const char *why;
} translation;

static bool emit(translation *t, const char *text)
{
    return uc_text_append(t->arena, &t->to, uc_str_of(text));
}

static bool emit_at(translation *t, size_t count)
{
    uc_str part = {t->from.data + t->at, count};
    t->at += count;
    return uc_text_append(t->arena, &t->to, part);
}

static bool refuse(translation *t, const char *why)
{
    t->why = why;
    return false;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_hex(char c)
{
    char l = (char)(c | 0x20);
    return is_digit(c) || (l >= 'a' && l <= 'f');
}
static bool is_letter(char c)
{
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'z';
}

/* \xhh, \uhhhh, \Uhhhhhhhh -> \x{...} */
static bool code_point(translation *t, size_t digits)
{
    size_t begin = t->at + 2;
    for (size_t i = 0; i < digits; i++) {
        if (begin + i >= t->from.size || !is_hex(t->from.data[begin + i])) {
            return refuse(t, "has an incomplete escape");
        }
    }
    t->at = begin;
    return emit(t, "\\x{") && emit_at(t, digits) && emit(t, "}");
}

/* \s has the four information separators in Python: they are added. */
static bool escape(translation *t, bool in_class)
{
    if (t->at + 1 >= t->from.size) return refuse(t, "ends in a backslash");
    char c = t->from.data[t->at + 1];
    switch (c) {
    case 'x': return code_point(t, 2);
    case 'u': return code_point(t, 4);
    case 'U': return code_point(t, 8);
    case 'v': t->at += 2; return emit(t, "\\x0b");
    case 'a': t->at += 2; return emit(t, "\\x07");
    case 's':
        t->at += 2;
        return emit(t, t->ascii ? "\\s" : in_class ? "\\s\\x1c-\\x1f" : "[\\s\\x1c-\\x1f]");
    case 'S':
        if (t->ascii) return emit_at(t, 2);
        if (in_class) return refuse(t, "has \\S inside brackets, which isn't supported");
        t->at += 2;
        return emit(t, "[^\\s\\x1c-\\x1f]");
    case 'Z':
        if (in_class) return refuse(t, "has \\Z inside brackets");
        t->at += 2;
        return emit(t, "\\z");
    case 'b':
        if (!in_class) return emit_at(t, 2);
        t->at += 2;
        return emit(t, "\\x08");
    case 'w':
    case 'W':
    case 'd':
    case 'D':
    case 'n':
    case 'r':
    case 't':
    case 'f': return emit_at(t, 2);
    case 'A':
    case 'B':
        if (in_class) return refuse(t, "has an anchor inside brackets");
        return emit_at(t, 2);
    default: break;
    }
    if (is_letter(c)) return refuse(t, "has an escape that Python doesn't know");
    return emit_at(t, 2); /* punctuation, digits, the first byte of a character */
}

/* [...]: a bracket inside is itself in Python, in PCRE2 it may open [:alpha:]. */
static bool bracket(translation *t)
{
    if (!emit_at(t, 1)) return false;
    if (t->at < t->from.size && t->from.data[t->at] == '^' && !emit_at(t, 1)) return false;
    bool first = true;
    for (; t->at < t->from.size; first = false) {
        char c = t->from.data[t->at];
        if (c == ']' && !first) return emit_at(t, 1);
        bool fine;
        if (c == '\\') {
            fine = escape(t, true);
        } else if (c == '[' || c == ']') {
            fine = emit(t, "\\") && emit_at(t, 1);
        } else {
            fine = emit_at(t, 1);
        }
        if (!fine) return false;
    }
    return refuse(t, "has brackets that don't close");
}

/* (?flags) and (?flags: of Python: i, m, s, x as they are, u goes, a turns Unicode off for all. */
static bool flags(translation *t)
{
    char kept[16] = "(?";
    size_t n = 2, i = t->at + 2;
    for (; i < t->from.size && (is_letter(t->from.data[i]) || t->from.data[i] == '-'); i++) {
        char c = t->from.data[i];
        if (c == 'a') t->ascii = true;
        if (c == 'L') return refuse(t, "depends on the locale");
        if (c == 'u' || c == 'a') continue;
        if (n + 2 >= sizeof kept || !strchr("imsx-", c)) return refuse(t, "has unknown flags");
        kept[n++] = c;
    }
    if (i >= t->from.size || (t->from.data[i] != ')' && t->from.data[i] != ':')) {
        return refuse(t, "has a group that isn't understood");
    }
    t->at = i + 1;
    if (t->from.data[i] == ')' && n == 2) return true;
    kept[n] = t->from.data[i];
    return emit(t, kept);
}

static bool group(translation *t)
{
    uc_str rest = {t->from.data + t->at, t->from.size - t->at};
    if (rest.size >= 2 && rest.data[1] == '*') {
        return refuse(t, "has nothing to repeat"); /* PCRE2 reads (*VERB) there */
    }
    if (rest.size < 3 || rest.data[1] != '?') return emit_at(t, 1);
    char c = rest.data[2];
    if (is_letter(c) && c != 'P') return flags(t);
    if (c == '-') return flags(t);
    if (c == 'P') {
        bool known = rest.size > 3 && (rest.data[3] == '<' || rest.data[3] == '=');
        return known ? emit_at(t, 4) : refuse(t, "has a group that isn't understood");
    }
    if (c == '<') {
        bool behind = rest.size > 3 && (rest.data[3] == '=' || rest.data[3] == '!');
        return behind ? emit_at(t, 4) : refuse(t, "has a group that isn't understood");
    }
    if (strchr(":=!#>(", c)) return emit_at(t, c == '(' ? 2 : 3);
    return refuse(t, "has a group that isn't understood");
}

/* {,n} and {,} begin at 0; PCRE2 before 10.43 takes them as text. */
static bool brace(translation *t)
{
    size_t i = t->at + 1;
    if (i < t->from.size && t->from.data[i] == ',') {
        size_t digits = i + 1;
        while (digits < t->from.size && is_digit(t->from.data[digits]))
            digits++;
        if (digits < t->from.size && t->from.data[digits] == '}') {
            t->at++;
            return emit(t, "{0");
        }
    }
    return emit_at(t, 1);
}

static bool translate(translation *t)
{
    while (t->at < t->from.size) {
        bool fine;
        switch (t->from.data[t->at]) {
        case '\\': fine = escape(t, false); break;
        case '[': fine = bracket(t); break;
        case '(': fine = group(t); break;
        case '{': fine = brace(t); break;
        default: fine = emit_at(t, 1); break;
        }
        if (!fine) return false;
    }
    return emit(t, "");
}

/* ---- compiling ----------------------------------------------------------------------------- */

static void release_code(void *code) { pcre2_code_free(code); }
static void release_limits(void *limits) { pcre2_match_context_free(limits); }
static void release_match(void *match) { pcre2_match_data_free(match); }

static bool keep(uc_arena *arena, uc_text_pattern *p)
{
    p->limits = pcre2_match_context_create(NULL);
    if (!p->limits) return false;
    pcre2_set_match_limit(p->limits, MATCH_STEPS);
    pcre2_set_depth_limit(p->limits, MATCH_DEPTH);
    pcre2_set_heap_limit(p->limits, HEAP_KIB);
    if (uc_arena_defer(arena, release_limits, p->limits)) return true;
    pcre2_match_context_free(p->limits);
    return false;
}

const uc_text_pattern *uc_text_pattern_new(uc_arena *arena, uc_str pattern, const char **why)
{
    translation t = {.arena = arena, .from = pattern};
    *why = pattern.size > PATTERN_BYTES ? "is longer than 65536 bytes" : NULL;
    uc_text_pattern *p = UC_NEW(arena, uc_text_pattern, 1);
    if (*why || !p) return NULL;
    if (!translate(&t)) {
        *why = t.why;
        return NULL;
    }
    int code = 0;
    PCRE2_SIZE at = 0;
    uint32_t groups = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) return NULL;
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    p->code = pcre2_compile((PCRE2_SPTR)t.to.data, t.to.size, PCRE2_UTF | (t.ascii ? 0 : PCRE2_UCP),
                            &code, &at, context);
    pcre2_compile_context_free(context);
    if (!p->code) {
        PCRE2_UCHAR message[128] = "";
        (void)pcre2_get_error_message(code, message, sizeof message);
        *why = uc_arena_printf(arena, "isn't understood: %s", (const char *)message);
        return NULL;
    }
    if (!uc_arena_defer(arena, release_code, p->code)) {
        pcre2_code_free(p->code);
        return NULL;
    }
    (void)pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups > 1) {
        *why = "has more than one group";
        return NULL;
    }
    p->has_group = groups == 1;
    return keep(arena, p) ? p : NULL;
}

/* ---- searching ----------------------------------------------------------------------------- */

bool uc_text_search_begin(uc_arena *arena, uc_text_search *search, const uc_text_pattern *pattern,
                          uc_str text)
{
    if (!search->match || search->pattern != pattern) {
        search->match = pcre2_match_data_create_from_pattern(pattern->code, NULL);
        if (!search->match) return false;
        if (!uc_arena_defer(arena, release_match, search->match)) {
            pcre2_match_data_free(search->match);
            search->match = NULL;
            return false;
        }
    }
    search->pattern = pattern;
    search->text = text.data ? text : uc_str_of("");
    search->at = 0;
    search->after_empty = false;
    return true;
}

/* After an empty match the next one may begin there but not be empty again (Python 3.7). */
int uc_text_search_next(uc_text_search *search, uc_str *found)
{
    const uc_text_pattern *p = search->pattern;
    uint32_t options = PCRE2_NO_UTF_CHECK | (search->after_empty ? PCRE2_NOTEMPTY_ATSTART : 0);
    int count = pcre2_match(p->code, (PCRE2_SPTR)search->text.data, search->text.size, search->at,
                            options, search->match, p->limits);
    if (count == PCRE2_ERROR_NOMATCH) return 0;
    if (count < 0) return -1;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(search->match);
    if (ends[1] < ends[0] || ends[1] < search->at) return -1; /* \K is refused: can't be */
    search->after_empty = ends[0] == ends[1];
    search->at = ends[1];
    size_t which = p->has_group ? 2 : 0;
    *found = uc_str_of("");
    if (which && (count < 2 || ends[2] == PCRE2_UNSET)) return 1;
    *found = (uc_str){search->text.data + ends[which], ends[which + 1] - ends[which]};
    return 1;
}
