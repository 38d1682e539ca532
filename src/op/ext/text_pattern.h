/* A regular expression as Python's re module reads it, run by PCRE2 under limits: token_pattern of
 * text vectorizers. What the two read differently is rewritten; what can't be is refused. */
#ifndef UC_OP_EXT_TEXT_PATTERN_H
#define UC_OP_EXT_TEXT_PATTERN_H

#include "base/arena.h"

typedef struct uc_text_pattern uc_text_pattern;

/* Lives in the arena. NULL with *why set (in the arena) when Python's re or PCRE2 takes it amiss, or
 * when it has more than one group; NULL without when the arena is out. */
const uc_text_pattern *uc_text_pattern_new(uc_arena *arena, uc_str pattern, const char **why);

/* Where one search over a text stands. */
typedef struct uc_text_search {
    const uc_text_pattern *pattern;
    uc_str text;
    size_t at;
    bool after_empty;
    void *match; /* pcre2_match_data */
} uc_text_search;

/* Begins a search; false when the arena is out. `text` must be UTF-8. The same storage may begin
 * again and again. */
bool uc_text_search_begin(uc_arena *arena, uc_text_search *search, const uc_text_pattern *pattern,
                          uc_str text);
/* The next item of re.findall: the match, or its group where the pattern has one. 1: found, 0: no
 * more, -1: it takes more steps than are allowed. */
int uc_text_search_next(uc_text_search *search, uc_str *found);

#endif
