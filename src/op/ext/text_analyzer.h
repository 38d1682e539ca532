/* From a document to its terms, as scikit-learn's text vectorizers cut it.
 * Source: sklearn/feature_extraction/text.py, _VectorizerMixin. */
#ifndef UC_OP_EXT_TEXT_ANALYZER_H
#define UC_OP_EXT_TEXT_ANALYZER_H

#include "base/table.h"
#include "op/ext/text_pattern.h"
#include "op/ext/text_python.h"
#include "op/op.h"

typedef struct uc_text_analyzer {
    enum { UC_TEXT_WORD, UC_TEXT_CHAR, UC_TEXT_CHAR_WB } kind;
    int64_t min_n, max_n;
    bool lowercase, python2;
    uc_accents accents;
    const uc_table *stop_words; /* NULL: none */
    size_t run_length; /* tokens are runs of at least so many word characters; 0: pattern */
    const uc_text_pattern *pattern;
} uc_text_analyzer;

/* A piece of text by its place in a buffer that may move. */
typedef struct uc_text_span {
    size_t begin, end;
} uc_text_span;

/* What analysing needs again and again, in a run's arena. */
typedef struct uc_text_work {
    uc_arena *arena;
    uc_text_buffer buffers[2], gram;
    uc_text_span *spans;
    size_t span_count, span_capacity;
    uc_text_search search;
    uint64_t gram_bytes, gram_limit; /* of the document's n-grams */
    uncork_status stopped;           /* why they ended early; the call's error tells */
} uc_text_work;

typedef struct uc_text_sink {
    void (*take)(struct uc_text_sink *sink, uc_str term);
} uc_text_sink;

/* Reads the attributes of a call into the model's arena:
 *   analyzer "word" (default), "char", "char_wb"; ngram_min, ngram_max (1); lowercase (0); python2 (0)
 *   strip_accents "", "ascii", "unicode", "unicode-old"; stop_words strings
 *   token_pattern a Python regular expression; missing: (?u)\b\w\w+\b
 * A pattern that can't be used fails UNSUPPORTED. */
uncork_status uc_text_analyzer_read(uc_call *call, uc_text_analyzer *out);

/* Hands every term of the document to the sink. Fails INPUT for a document that is no UTF-8, LIMIT
 * when the pattern takes too many steps; `row` for the message. */
uncork_status uc_text_analyze(uc_call *call, const uc_text_analyzer *analyzer, uc_text_work *work,
                              uc_str document, int64_t row, uc_text_sink *sink);

#endif
