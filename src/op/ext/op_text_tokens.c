/* TextTokens: texts cut into tokens as Keras' TextVectorization cuts them, a row a text, filled up with
 * empty texts.
 *
 * Source: keras/src/layers/preprocessing/text_vectorization.py (3.15) over tensorflow 2.21: strings.lower
 * (ASCII only), regex_replace of its punctuation, strings.split at white space, unicode_split, ngrams.
 * x  string [texts] or [texts, 1]
 * y  string [texts, length]
 * lower, strip  1: small letters; no punctuation
 * split         0: the whole text is a token, 1: at white space, 2: each character
 * ngrams        widths of runs of tokens, joined by spaces; none: the tokens themselves
 * length        tokens a row; 0: as many as the longest has */
#include "base/text.h"
#include "op/ext/text_python.h"
#include "op/shape.h"

#include <inttypes.h>

/* Tokens of a text and of all rows: a text of this machine's memory has fewer. */
#define TOKENS_MAX ((size_t)1 << 24)

typedef struct tokens {
    uc_str *items;
    size_t count, capacity;
} tokens;

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int64_t length = uc_call_int(call, "length", 0);
    const uncork_dtype dtype = uc_call_dtype(call, 0);
    if (dtype != UNCORK_STRING && dtype != UNCORK_DTYPE_NONE)
        return uc_call_fail(call, UNCORK_MALFORMED, "takes texts");
    if (length < 0 || length > (int64_t)TOKENS_MAX)
        return uc_call_fail(call, UNCORK_MALFORMED, "length %" PRId64 " is wrong", length);
    if (x->rank > 2 || x->rank == 0)
        return uc_call_fail(call, UNCORK_MALFORMED, "takes one text a row");
    const int64_t shape[] = {x->rank < 0 ? UC_DIM_UNKNOWN : x->shape[0],
                             length ? length : UC_DIM_UNKNOWN};
    return uc_call_shape(call, 0, UNCORK_STRING, 2, shape);
}

static bool is_punctuation(char ch)
{
    return (ch >= '!' && ch <= '/') || (ch >= ':' && ch <= '@') || (ch >= '[' && ch <= '`') ||
           (ch >= '{' && ch <= '~');
}

static bool is_space(char ch) { return ch == ' ' || (ch >= '\t' && ch <= '\r'); }

static bool standardize(uc_call *call, uc_str *text, bool lower, bool strip)
{
    char *to = uc_arena_alloc_raw(call->arena, text->size + 1);
    size_t n = 0;
    if (!to) return false;
    for (size_t i = 0; i < text->size; i++) {
        const char ch = text->data[i];
        if (strip && is_punctuation(ch)) continue;
        to[n++] = lower && ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
    }
    *text = (uc_str){to, n};
    return true;
}

static bool add(uc_call *call, tokens *t, uc_str token)
{
    uc_str *items = uc_arena_grow(call->arena, t->items, &t->capacity, t->count + 1, sizeof *items);
    if (!items || t->count >= TOKENS_MAX) return false;
    t->items = items;
    items[t->count++] = token;
    return true;
}

static bool cut(uc_call *call, uc_str text, int64_t split, tokens *t)
{
    size_t at = 0;
    if (split == 0) return add(call, t, text);
    while (at < text.size) {
        const size_t begin = at;
        if (split == 2) {
            (void)uc_utf8_next(text, &at);
        } else if (is_space(text.data[at])) {
            at++;
            continue;
        } else {
            while (at < text.size && !is_space(text.data[at]))
                at++;
        }
        if (!add(call, t, (uc_str){text.data + begin, at - begin})) return false;
    }
    return true;
}

/* All runs of one width, then those of the next. */
static bool join(uc_call *call, const tokens *t, const int64_t *widths, size_t count, tokens *out)
{
    for (size_t k = 0; k < count; k++) {
        const size_t width = (size_t)widths[k];
        for (size_t i = 0; i + width <= t->count; i++) {
            uc_text_buffer text = {0};
            for (size_t j = 0; j < width; j++) {
                if ((j && !uc_text_append(call->arena, &text, uc_str_of(" "))) ||
                    !uc_text_append(call->arena, &text, t->items[i + j]))
                    return false;
            }
            if (!add(call, out, (uc_str){text.data, text.size})) return false;
        }
    }
    return true;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int64_t rows = x->shape[0];
    size_t width = (size_t)uc_call_int(call, "length", 0), cells, widths_count;
    const bool lower = uc_call_int(call, "lower", 0) != 0,
               strip = uc_call_int(call, "strip", 0) != 0, fixed = width != 0;
    const int64_t *widths = uc_call_ints(call, "ngrams", &widths_count);
    if (x->rank == 2 && x->shape[1] != 1)
        return uc_call_fail(call, UNCORK_INPUT, "takes one text a row, not %" PRId64, x->shape[1]);
    for (size_t k = 0; k < widths_count; k++) {
        if (widths[k] < 1 || widths[k] > 64)
            return uc_call_fail(call, UNCORK_MALFORMED, "ngrams of %" PRId64, widths[k]);
    }
    tokens *all = UC_NEW(call->arena, tokens, (size_t)rows);
    if (!all) return uc_arena_status(call->arena, call->error);
    for (int64_t r = 0; r < rows; r++) {
        uc_str text = uc_tensor_string(x, r);
        tokens plain = {0};
        bool good = standardize(call, &text, lower, strip) &&
                    cut(call, text, uc_call_int(call, "split", 1), &plain);
        if (good && widths_count) good = join(call, &plain, widths, widths_count, &all[r]);
        if (!widths_count) all[r] = plain;
        if (!good) return uc_call_fail(call, UNCORK_LIMIT, "a text of too many tokens");
        if (!fixed && all[r].count > width) width = all[r].count;
    }
    const int64_t shape[] = {rows, (int64_t)width};
    if (!uc_shape_count(shape, 2, &cells) || cells > TOKENS_MAX)
        return uc_call_fail(call, UNCORK_LIMIT, "texts of too many tokens");
    uc_str *items = UC_NEW(call->arena, uc_str, cells);
    if (!items) return uc_arena_status(call->arena, call->error);
    for (size_t i = 0; i < cells; i++) {
        const tokens *t = &all[i / width];
        items[i] = i % width < t->count ? t->items[i % width] : (uc_str){"", 0};
    }
    return uc_call_strings(call, 0, items, 2, shape);
}

const uc_op uc_op_text_tokens = {.domain = "uncork",
                                 .name = "TextTokens",
                                 .in = {1, 1},
                                 .out = {1, 1},
                                 .infer = infer,
                                 .run = run};
