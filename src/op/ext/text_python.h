/* Python's str over UTF-8: what text vectorizers do to a document before they cut it into terms.
 * Source: CPython, Objects/unicodeobject.c and Objects/unicodectype.c; characters by utf8proc. */
#ifndef UC_OP_EXT_TEXT_PYTHON_H
#define UC_OP_EXT_TEXT_PYTHON_H

#include "base/arena.h"

/* Text that grows; its memory is the arena's and is used again. */
typedef struct uc_text_buffer {
    char *data;
    size_t size, capacity;
} uc_text_buffer;

/* Appends; false when the arena is out. */
bool uc_text_append(uc_arena *arena, uc_text_buffer *to, uc_str text);

/* \w of the re module for str: str.isalnum() or '_'. */
bool uc_text_is_word(uint32_t character);
/* str.isspace(), \s */
bool uc_text_is_space(uint32_t character);
/* str.lower() into `to` (emptied first): the whole of Unicode, final sigma and dotted I; python2: one
 * character for each, as Python 2 did. */
bool uc_text_lower(uc_arena *arena, uc_str text, bool python2, uc_text_buffer *to);

typedef enum uc_accents {
    UC_ACCENTS_KEEP,
    UC_ACCENTS_ASCII,       /* NFKD, what isn't ASCII goes */
    UC_ACCENTS_UNICODE,     /* NFKD, combining marks go; ASCII text stays as it is */
    UC_ACCENTS_UNICODE_OLD, /* until scikit-learn 0.21: decomposed text keeps its marks */
} uc_accents;

/* strip_accents_ascii, strip_accents_unicode of sklearn/feature_extraction/text.py. */
bool uc_text_strip_accents(uc_arena *arena, uc_str text, uc_accents how, uc_text_buffer *to);

#endif
