/* RegexFullMatch: whether the whole of each text matches a pattern.
 *
 * Source: ONNX operator RegexFullMatch, opset 20; the syntax is RE2's
 * (github.com/google/re2/wiki/Syntax), run by PCRE2 with bounds on its work. What RE2 lacks
 * (back references, looking around, atomic groups) is refused; \s has no vertical tab, as in RE2.
 * x  strings, any shape;  y  bool, the same shape */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "op/ext/text_python.h"
#include "op/ext/text_re2.h"
#include "op/shape.h"

#include <inttypes.h>
#include <pcre2.h>

enum {
    MATCH_STEPS = 10000000, /* of backtracking: seconds, not minutes */
    MATCH_DEPTH = 10000,
    HEAP_KIB = 65536,
    PATTERN_BYTES = 65536,
};

typedef struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
} regex;

static uncork_status infer(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, 0);
    if (dtype != UNCORK_STRING && dtype != UNCORK_DTYPE_NONE) {
        return uc_call_fail(call, UNCORK_MALFORMED, "input 0 is %s, expected string",
                            uc_dtype_name(dtype));
    }
    return uc_call_shape_like(call, 0, 0, UNCORK_BOOL);
}

/* What stands after "(?" in RE2: flags, ':', 'P<name>', '<name>'. */
static bool group_is_known(const char *s, size_t size)
{
    if (size == 0) return false;
    if (s[0] == 'P') return size > 1 && s[1] == '<';
    if (s[0] == '<') return size > 1 && s[1] != '=' && s[1] != '!';
    size_t i = 0;
    while (i < size && strchr("imsU-", s[i]) && s[i])
        i++;
    return i < size && (s[i] == ':' || s[i] == ')');
}

/* RE2 to PCRE2; NULL and *why for what RE2 doesn't have. */
static bool translate(uc_arena *arena, uc_str from, uc_text_buffer *to, const char **why)
{
    bool in_class = false;
    for (size_t i = 0; i < from.size; i++) {
        uc_str part = {from.data + i, 1};
        size_t left = from.size - i - 1;
        if (part.data[0] == '\\' && left > 0) {
            char c = part.data[1];
            part.size = 2;
            i++;
            if (c >= '1' && c <= '9') *why = "has a back reference";
            if (strchr("kgGKRXNhHvuZ", c) && c != 'v') *why = "has an escape that RE2 lacks";
            if (c == 's') part = uc_str_of(in_class ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]");
            if (c == 'S' && !in_class) part = uc_str_of("[^\\t\\n\\f\\r ]");
            if (c == 'v') part = uc_str_of("\\x0b");
        } else if (in_class) {
            in_class = part.data[0] != ']';
        } else if (part.data[0] == '[') {
            in_class = true;
            while (part.size <= left && part.size < 3 && strchr("^]", part.data[part.size]) &&
                   part.data[part.size]) {
                part.size++; /* "[]", "[^]": the bracket is a member */
                if (part.data[part.size - 1] == ']') break;
            }
            i += part.size - 1;
        } else if (part.data[0] == '(' && left > 0 && part.data[1] == '?') {
            if (!group_is_known(part.data + 2, left - 1)) *why = "has a group that RE2 lacks";
        } else if (part.data[0] == '+' && i > 0 && strchr("*+?}", from.data[i - 1]) &&
                   from.data[i - 1] && (i < 2 || from.data[i - 2] != '\\')) {
            *why = "has a possessive repetition";
        }
        if (*why || !uc_text_append(arena, to, part)) return false;
    }
    return true;
}

static void release_code(void *code) { pcre2_code_free(code); }
static void release_limits(void *limits) { pcre2_match_context_free(limits); }

static uncork_status compile(uc_call *call, regex *r, uc_str pattern, bool whole)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    r->code =
        pcre2_compile((PCRE2_SPTR)(pattern.size ? pattern.data : ""), pattern.size,
                      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
                          PCRE2_NO_AUTO_POSSESS | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0),
                      &code, &at, NULL);
    if (!r->code) {
        PCRE2_UCHAR message[128] = "";
        (void)pcre2_get_error_message(code, message, sizeof message);
        return uc_call_fail(call, UNCORK_MALFORMED, "the pattern isn't understood at %zu: %s", at,
                            (const char *)message);
    }
    if (!uc_arena_defer(call->arena, release_code, r->code)) {
        pcre2_code_free(r->code);
        return uc_arena_status(call->arena, call->error);
    }
    r->limits = pcre2_match_context_create(NULL);
    if (!r->limits) return uc_fail_memory(call->error);
    if (!uc_arena_defer(call->arena, release_limits, r->limits)) {
        pcre2_match_context_free(r->limits);
        return uc_arena_status(call->arena, call->error);
    }
    pcre2_set_match_limit(r->limits, MATCH_STEPS);
    pcre2_set_depth_limit(r->limits, MATCH_DEPTH);
    pcre2_set_heap_limit(r->limits, HEAP_KIB);
    return UNCORK_OK;
}

uncork_status uc_re2_new(uc_call *call, uc_str pattern, bool whole, uc_re2 *compiled)
{
    uc_text_buffer text = {0};
    const char *why = pattern.size > PATTERN_BYTES ? "is longer than 65536 bytes" : NULL;
    regex *r = UC_NEW(call->arena, regex, 1);
    if (!r) return uc_arena_status(call->arena, call->error);
    if (why || !translate(call->arena, pattern, &text, &why)) {
        if (!why) return uc_arena_status(call->arena, call->error);
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "the pattern %s", why);
    }
    UC_TRY(compile(call, r, (uc_str){text.data, text.size}, whole));
    *compiled = (uc_re2){r->code, r->limits};
    return UNCORK_OK;
}

static uncork_status prepare(uc_call *call)
{
    uc_re2 *r = UC_NEW(call->arena, uc_re2, 1);
    if (!r) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_re2_new(call, uc_call_str(call, "pattern", ""), true, r));
    call->prepared = r;
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uc_re2 *r = call->prepared;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(r->code, NULL);
    if (!match) return uc_fail_memory(call->error);
    int code = 0;
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        uc_str text = uc_tensor_string(x, i);
        code = pcre2_match(r->code, (PCRE2_SPTR)(text.size ? text.data : ""), text.size, 0, 0,
                           match, r->limits);
        /* Broken UTF-8 matches nothing. */
        bool bounded = code != PCRE2_ERROR_MATCHLIMIT && code != PCRE2_ERROR_DEPTHLIMIT &&
                       code != PCRE2_ERROR_HEAPLIMIT && code != PCRE2_ERROR_NOMEMORY;
        if (!bounded) {
            pcre2_match_data_free(match);
            return uc_call_fail(call, UNCORK_LIMIT,
                                "text %" PRId64 " takes too many steps to match", i);
        }
        ((uint8_t *)y->data)[i] = code >= 0;
    }
    pcre2_match_data_free(match);
    return UNCORK_OK;
}

const uc_op uc_op_regex_full_match = {.name = "RegexFullMatch",
                                      .in = {1, 1},
                                      .out = {1, 1},
                                      .infer = infer,
                                      .prepare = prepare,
                                      .run = run};
