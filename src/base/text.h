/* Text: UTF-8, escaping, numbers without locale. */
#ifndef UC_BASE_TEXT_H
#define UC_BASE_TEXT_H

#include "base/arena.h"
#include "base/writer.h"

/* Whether the bytes are UTF-8; surrogates pass when asked (Python's surrogatepass). */
bool uc_utf8_valid(uc_str s, bool surrogates);
/* Decodes the character at s.data[*at] and moves on; U+FFFD for a broken byte. */
uint32_t uc_utf8_next(uc_str s, size_t *at);
/* Encodes one character, surrogates included; 1 to 4 bytes. */
size_t uc_utf8_put(uint32_t character, char out[4]);
/* Writes `s` with control characters, bidi marks and broken UTF-8 escaped, for a terminal. */
void uc_text_escape(uc_writer *w, uc_str s);
/* The whole of `s` as a number, as Python's float()/int() read it (inf, nan, underscores not);
 * false when it isn't one. Locale-free. */
bool uc_text_f64(uc_str s, double *value);
bool uc_text_i64(uc_str s, int64_t *value);
/* w * 10^exponent to the nearest double, where 128 bits hold what decides it: |exponent| <= 27. False
 * beyond. The fast path of parsers that count digits themselves (19 at most). */
bool uc_decimal_f64(uint64_t w, int64_t exponent, double *value);
/* The shortest decimal that reads back as the same double (float): "0.1", "1e-05", "nan". */
size_t uc_f64_text(double value, char out[32]);
size_t uc_f32_text(float value, char out[32]);
/* The same with whole numbers as people write them: 255 rather than 255.0. */
size_t uc_f64_plain_text(double value, char out[32]);
/* Whether `s` ends with `end`, byte for byte. */
bool uc_text_ends(const char *s, const char *end);
/* Trims ASCII white space. */
uc_str uc_text_trim(uc_str s);

#endif
