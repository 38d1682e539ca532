/* See text_analyzer.h. */
#include "op/ext/text_analyzer.h"

#include "base/text.h"

#include <inttypes.h>

/* ---- reading ------------------------------------------------------------------------------- */

static bool read_stop_words(uc_call *call, uc_text_analyzer *out)
{
    const uc_attr *words = uc_call_attr(call, "stop_words");
    if (!words || words->kind != UC_ATTR_STRINGS) return true;
    uc_table *table = uc_table_new(call->arena);
    for (size_t i = 0; table && i < words->count; i++) {
        if (!uc_table_put(table, words->strings[i], table)) return false;
    }
    out->stop_words = table;
    return table != NULL;
}

/* The usual patterns are runs of word characters; others go to the regular expression. */
static uncork_status read_pattern(uc_call *call, uc_text_analyzer *out)
{
    static const struct {
        const char *pattern;
        size_t run_length;
    } runs[] = {
        {"(?u)\\b\\w\\w+\\b", 2}, {"\\b\\w\\w+\\b", 2}, {"(?u)\\w{2,}", 2}, {"(?u)\\b\\w+\\b", 1},
        {"\\b\\w+\\b", 1},        {"(?u)\\w+", 1},      {"\\w+", 1},
    };
    uc_str pattern = uc_call_str(call, "token_pattern", runs[0].pattern);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        if (uc_str_is(pattern, runs[i].pattern)) {
            out->run_length = runs[i].run_length;
            return UNCORK_OK;
        }
    }
    const char *why = NULL;
    out->pattern = uc_text_pattern_new(call->arena, pattern, &why);
    if (out->pattern) return UNCORK_OK;
    if (!why) {
        uncork_status status = uc_arena_status(call->arena, call->error);
        return status == UNCORK_OK ? uc_fail_memory(call->error) : status;
    }
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "token_pattern '%.*s' %s",
                        (int)(pattern.size < 80 ? pattern.size : 80), pattern.data, why);
}

static uncork_status read_accents(uc_call *call, uc_text_analyzer *out)
{
    uc_str accents = uc_call_str(call, "strip_accents", "");
    out->accents = uc_str_is(accents, "ascii")         ? UC_ACCENTS_ASCII
                   : uc_str_is(accents, "unicode")     ? UC_ACCENTS_UNICODE
                   : uc_str_is(accents, "unicode-old") ? UC_ACCENTS_UNICODE_OLD
                                                       : UC_ACCENTS_KEEP;
    if (out->accents != UC_ACCENTS_KEEP || accents.size == 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "strip_accents is '%.*s'",
                        (int)(accents.size < 40 ? accents.size : 40), accents.data);
}

uncork_status uc_text_analyzer_read(uc_call *call, uc_text_analyzer *out)
{
    uc_str kind = uc_call_str(call, "analyzer", "word");
    *out = (uc_text_analyzer){.min_n = uc_call_int(call, "ngram_min", 1),
                              .max_n = uc_call_int(call, "ngram_max", 1),
                              .lowercase = uc_call_int(call, "lowercase", 0) != 0,
                              .python2 = uc_call_int(call, "python2", 0) != 0};
    if (out->min_n < 1 || out->max_n < out->min_n || out->max_n > 1000000) {
        return uc_call_fail(call, UNCORK_MALFORMED, "n-grams of %" PRId64 " to %" PRId64,
                            out->min_n, out->max_n);
    }
    UC_TRY(read_accents(call, out));
    if (uc_str_is(kind, "char")) {
        out->kind = UC_TEXT_CHAR;
    } else if (uc_str_is(kind, "char_wb")) {
        out->kind = UC_TEXT_CHAR_WB;
    } else if (uc_str_is(kind, "word")) {
        UC_TRY(read_pattern(call, out));
        if (!read_stop_words(call, out)) return uc_arena_status(call->arena, call->error);
    } else {
        return uc_call_fail(call, UNCORK_MALFORMED, "analyzer is '%.*s'",
                            (int)(kind.size < 40 ? kind.size : 40), kind.data);
    }
    return UNCORK_OK;
}

/* ---- pieces -------------------------------------------------------------------------------- */

static bool add_span(uc_text_work *w, size_t begin, size_t end)
{
    uc_text_span *spans = w->spans;
    if (w->span_count == w->span_capacity || !spans) {
        spans = uc_arena_grow(w->arena, spans, &w->span_capacity, w->span_count + 1, sizeof *spans);
        if (!spans) return false;
        w->spans = spans;
    }
    spans[w->span_count++] = (uc_text_span){begin, end};
    return true;
}

static uc_str piece(uc_str text, size_t begin, size_t end)
{
    return (uc_str){text.data + begin, end - begin};
}

static bool add_token(const uc_text_analyzer *a, uc_text_work *w, uc_str text, size_t begin,
                      size_t end)
{
    bool stop = a->stop_words && uc_table_find(a->stop_words, piece(text, begin, end));
    return stop || add_span(w, begin, end);
}

/* Runs of word characters of at least run_length. */
static bool token_runs(const uc_text_analyzer *a, uc_text_work *w, uc_str text)
{
    size_t begin = 0, length = 0;
    for (size_t at = 0; at < text.size;) {
        size_t from = at;
        if (uc_text_is_word(uc_utf8_next(text, &at))) {
            if (length++ == 0) begin = from;
            if (at < text.size) continue;
            from = at;
        }
        if (length >= a->run_length && !add_token(a, w, text, begin, from)) return false;
        length = 0;
    }
    return true;
}

static uncork_status token_matches(uc_call *call, const uc_text_analyzer *a, uc_text_work *w,
                                   uc_str text, int64_t row)
{
    uc_str found;
    int result;
    if (!uc_text_search_begin(w->arena, &w->search, a->pattern, text)) {
        return uc_fail_memory(call->error);
    }
    while ((result = uc_text_search_next(&w->search, &found)) > 0) {
        size_t begin = found.size ? (size_t)(found.data - text.data) : 0;
        if (!add_token(a, w, text, begin, begin + found.size)) {
            return uc_arena_status(w->arena, call->error);
        }
    }
    if (result == 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_LIMIT,
                        "document %" PRId64 " takes token_pattern more steps than are allowed",
                        row);
}

/* Each space that follows another one goes, and then they are one ' ': "\s\s+" -> " ". */
static bool squeeze_spaces(uc_text_work *w, uc_str text, uc_text_buffer *to)
{
    to->size = 0;
    for (size_t at = 0; at < text.size;) {
        size_t begin = at, last = at, spaces = 0;
        while (at < text.size) {
            last = at;
            if (!uc_text_is_space(uc_utf8_next(text, &at))) break;
            spaces++;
            last = at;
        }
        uc_str white = spaces > 1 ? uc_str_of(" ") : piece(text, begin, last);
        if (!uc_text_append(w->arena, to, white)) return false;
        if (last < at && !uc_text_append(w->arena, to, piece(text, last, at))) return false;
    }
    return uc_text_append(w->arena, to, uc_str_of(""));
}

static bool characters(uc_text_work *w, uc_str text)
{
    for (size_t at = 0; at < text.size;) {
        size_t begin = at;
        (void)uc_utf8_next(text, &at);
        if (!add_span(w, begin, at)) return false;
    }
    return true;
}

/* ---- n-grams ------------------------------------------------------------------------------- */

/* Hands a term on, unless ngram_range asks for more bytes of n-grams than anyone can wait for. */
static bool give(uc_call *call, uc_text_work *w, uc_text_sink *sink, uc_str term)
{
    enum { CHECK_EVERY = 1 << 22 };
    uint64_t before = w->gram_bytes;
    w->gram_bytes += term.size + 1;
    if (w->gram_bytes > w->gram_limit) {
        w->stopped = uc_call_fail(call, UNCORK_LIMIT,
                                  "the n-grams of a document hold more than %" PRIu64 " bytes",
                                  w->gram_limit);
    } else if (before / CHECK_EVERY != w->gram_bytes / CHECK_EVERY) {
        w->stopped = uc_budget_check(call->budget, call->error);
    }
    if (w->stopped) return false;
    sink->take(sink, term);
    return true;
}

/* Tokens i to i+n-1 with a blank in between. */
static bool word_gram(uc_call *call, uc_text_work *w, uc_str text, size_t i, size_t n,
                      uc_text_sink *sink)
{
    if (n == 1) return give(call, w, sink, piece(text, w->spans[i].begin, w->spans[i].end));
    w->gram.size = 0;
    for (size_t k = 0; k < n; k++) {
        uc_str token = piece(text, w->spans[i + k].begin, w->spans[i + k].end);
        if (k && !uc_text_append(w->arena, &w->gram, uc_str_of(" "))) return false;
        if (!uc_text_append(w->arena, &w->gram, token)) return false;
    }
    return give(call, w, sink, (uc_str){w->gram.data, w->gram.size});
}

static bool grams(uc_call *call, const uc_text_analyzer *a, uc_text_work *w, uc_str text,
                  uc_text_sink *sink)
{
    size_t count = w->span_count;
    for (size_t n = (size_t)a->min_n; n <= (size_t)a->max_n && n <= count; n++) {
        for (size_t i = 0; i + n <= count; i++) {
            if (a->kind == UC_TEXT_WORD) {
                if (!word_gram(call, w, text, i, n, sink)) return false;
            } else {
                uc_str gram = piece(text, w->spans[i].begin, w->spans[i + n - 1].end);
                if (!give(call, w, sink, gram)) return false;
            }
        }
    }
    return true;
}

/* One padded word: all n-grams of each length; a word shorter than n counts once, and no longer n
 * is tried then. */
static bool word_bounded(uc_call *call, const uc_text_analyzer *a, uc_text_work *w, uc_str text,
                         uc_text_sink *sink)
{
    size_t length = w->span_count;
    for (size_t n = (size_t)a->min_n; n <= (size_t)a->max_n; n++) {
        size_t last = n < length ? length - n : 0;
        for (size_t i = 0; i <= last; i++) {
            size_t end = i + n < length ? i + n : length;
            uc_str gram = piece(text, w->spans[i].begin, w->spans[end - 1].end);
            if (!give(call, w, sink, gram)) return false;
        }
        if (last == 0) break;
    }
    return true;
}

/* char_wb: words by str.split(), a blank on either side. */
static bool bounded_grams(uc_call *call, const uc_text_analyzer *a, uc_text_work *w, uc_str text,
                          uc_text_sink *sink)
{
    for (size_t at = 0; at < text.size;) {
        size_t begin = at, end;
        if (uc_text_is_space(uc_utf8_next(text, &at))) continue;
        for (end = at; at < text.size; end = at) {
            if (uc_text_is_space(uc_utf8_next(text, &at))) break;
        }
        w->gram.size = 0;
        w->span_count = 0;
        if (!uc_text_append(w->arena, &w->gram, uc_str_of(" ")) ||
            !uc_text_append(w->arena, &w->gram, piece(text, begin, end)) ||
            !uc_text_append(w->arena, &w->gram, uc_str_of(" "))) {
            return false;
        }
        uc_str word = {w->gram.data, w->gram.size};
        if (!characters(w, word)) return false;
        if (!word_bounded(call, a, w, word, sink)) return false;
    }
    return true;
}

/* ---- documents ----------------------------------------------------------------------------- */

static uc_str view(const uc_text_buffer *b) { return (uc_str){b->data, b->size}; }

/* Lower case first, then accents. */
static bool preprocessed(const uc_text_analyzer *a, uc_text_work *w, uc_str *text)
{
    if (a->lowercase) {
        if (!uc_text_lower(w->arena, *text, a->python2, &w->buffers[0])) return false;
        *text = view(&w->buffers[0]);
    }
    if (a->accents != UC_ACCENTS_KEEP) {
        if (!uc_text_strip_accents(w->arena, *text, a->accents, &w->buffers[1])) return false;
        *text = view(&w->buffers[1]);
    }
    return true;
}

uncork_status uc_text_analyze(uc_call *call, const uc_text_analyzer *a, uc_text_work *w,
                              uc_str document, int64_t row, uc_text_sink *sink)
{
    uc_str text = document;
    if (!uc_utf8_valid(document, false)) {
        return uc_call_fail(call, UNCORK_INPUT, "document %" PRId64 " is no UTF-8 text", row);
    }
    enum { GRAMS_MIN = 1 << 28, GRAMS_PER_BYTE = 128 }; /* ngram_range (1, 14) takes 119 a byte */
    w->span_count = 0;
    w->gram_bytes = 0;
    w->gram_limit = GRAMS_MIN + GRAMS_PER_BYTE * (uint64_t)document.size;
    w->stopped = UNCORK_OK;
    bool fine = preprocessed(a, w, &text);
    if (fine && a->kind == UC_TEXT_WORD) {
        if (a->run_length) {
            fine = token_runs(a, w, text);
        } else {
            UC_TRY(token_matches(call, a, w, text, row));
        }
        fine = fine && grams(call, a, w, text, sink);
    } else if (fine) {
        uc_text_buffer *to = &w->buffers[text.data == w->buffers[0].data];
        fine = squeeze_spaces(w, text, to);
        text = view(to);
        fine =
            fine && (a->kind == UC_TEXT_CHAR ? characters(w, text) && grams(call, a, w, text, sink)
                                             : bounded_grams(call, a, w, text, sink));
    }
    if (fine || w->stopped) return w->stopped;
    uncork_status status = uc_arena_status(w->arena, call->error);
    return status == UNCORK_OK ? uc_fail_memory(call->error) : status;
}
