/* Text as code points: UnicodeDecode, UnicodeDecodeWithOffsets, UnicodeEncode, UnicodeTranscode.
 *
 * Source: tensorflow/core/kernels/unicode_ops.cc over ICU: malformed UTF-8 is one error for each maximal part
 * of a character (Unicode 15, section 3.9, table 3-8). */
#include "base/text.h"
#include "op/ext/tf_call.h"

#include <inttypes.h>

/* ---- encodings --------------------------------------------------------------------------------- */

typedef enum encoding { UTF_8, UTF_16_BE, UTF_32_BE, LATIN_1, ASCII } encoding;

static uncork_status read_encoding(uc_call *call, const char *attr, int most, encoding *e)
{
    static const char *const names[] = {"UTF-8", "UTF-16-BE", "UTF-32-BE", "ISO-8859-1",
                                        "US-ASCII"};
    for (int i = 0; i <= most; i++) {
        if (!uc_tf_attr_is(call, attr, names[i])) continue;
        *e = (encoding)i;
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "%s isn't one of UTF-8, UTF-16-BE, UTF-32-BE%s",
                        attr, most > UTF_32_BE ? ", ISO-8859-1, US-ASCII" : "");
}

/* One character of malformed or sound UTF-8; *at moves past it or its maximal sound part. */
static uint32_t next_utf8(uc_str s, size_t *at, bool *bad)
{
    const uint8_t *b = (const uint8_t *)s.data;
    const uint8_t first = b[(*at)++];
    const int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    uint32_t c = more == 0 ? first : first & (0x3Fu >> more);
    *bad = more > 0 && (first < 0xC2 || first > 0xF4);
    for (int k = 0; k < more && !*bad; k++) {
        const uint8_t next = *at < s.size ? b[*at] : 0;
        uint8_t least = 0x80, most = 0xBF;
        if (k == 0 && first == 0xE0) least = 0xA0;
        if (k == 0 && first == 0xED) most = 0x9F;
        if (k == 0 && first == 0xF0) least = 0x90;
        if (k == 0 && first == 0xF4) most = 0x8F;
        *bad = next < least || next > most;
        if (*bad) break;
        c = c << 6 | (next & 0x3Fu);
        ++*at;
    }
    return *bad ? 0xFFFD : c;
}

/* `size` bytes as a number, first byte first; the rest of the text when there are fewer. */
static uint32_t next_bytes(uc_str s, size_t *at, size_t size, bool *bad)
{
    uint32_t c = 0;
    *bad = s.size - *at < size;
    for (size_t k = 0; k < size && *at < s.size; k++) {
        c = c << 8 | (uint8_t)s.data[(*at)++];
    }
    return c;
}

static bool is_surrogate(uint32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

static uint32_t next_utf16(uc_str s, size_t *at, bool *bad)
{
    bool lone = false;
    const uint32_t c = next_bytes(s, at, 2, bad);
    if (*bad || !is_surrogate(c)) return c;
    size_t ahead = *at;
    const uint32_t low = next_bytes(s, &ahead, 2, &lone);
    *bad = c >= 0xDC00 || lone || low < 0xDC00 || low > 0xDFFF;
    if (*bad) return 0xFFFD;
    *at = ahead;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

static uint32_t next_of(encoding e, uc_str s, size_t *at, bool *bad)
{
    uint32_t c;
    *bad = false;
    switch (e) {
    case UTF_8: return next_utf8(s, at, bad);
    case UTF_16_BE: return next_utf16(s, at, bad);
    case UTF_32_BE:
        c = next_bytes(s, at, 4, bad);
        *bad = *bad || c > 0x10FFFF || is_surrogate(c);
        return c;
    case LATIN_1:
    case ASCII: break;
    }
    c = (uint8_t)s.data[(*at)++];
    *bad = e == ASCII && c > 0x7F;
    return c;
}

/* Bytes of a character; returns how many. */
static size_t put_of(encoding e, uint32_t c, char out[4])
{
    if (e == UTF_8) return uc_utf8_put(c, out);
    uint32_t bits = c;
    size_t size = 4;
    if (e == UTF_16_BE && c < 0x10000) size = 2;
    if (e == UTF_16_BE && c >= 0x10000)
        bits = (0xD800 + ((c - 0x10000) >> 10)) << 16 | (0xDC00 + ((c - 0x10000) & 0x3FF));
    for (size_t k = 0; k < size; k++) {
        out[k] = (char)(uint8_t)(bits >> (8 * (size - 1 - k)));
    }
    return size;
}

/* ---- errors ------------------------------------------------------------------------------------ */

typedef struct rules {
    bool strict, ignore, control; /* control: characters below 32 are errors too */
    uint32_t replacement;
} rules;

static uncork_status read_rules(uc_call *call, rules *r)
{
    const int64_t c = uc_call_int(call, "replacement_char", 0xFFFD);
    r->strict = uc_tf_attr_is(call, "errors", "strict");
    r->ignore = uc_tf_attr_is(call, "errors", "ignore");
    r->control = uc_call_int(call, "replace_control_characters", 0) != 0;
    r->replacement = (uint32_t)c;
    if (c < 0 || c > 0x10FFFF || is_surrogate(r->replacement))
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "replacement_char is %" PRId64, c);
    return UNCORK_OK;
}

/* What stands for a character; *drop: nothing does. */
static uncork_status settle(uc_call *call, const rules *r, uint32_t *c, bool bad, bool *drop)
{
    bad = bad || (r->control && *c <= 0x1F);
    *drop = bad && r->ignore;
    if (bad && r->strict) return uc_call_fail(call, UNCORK_INPUT, "a text is malformed");
    if (bad) *c = r->replacement;
    return UNCORK_OK;
}

/* ---- text to code points ----------------------------------------------------------------------- */

static uncork_status infer_decode(uc_call *call)
{
    UC_TRY(uc_tf_infer_open(call, 0, uc_tf_type_of(call, "Tsplits", UNCORK_INT64), 1));
    UC_TRY(uc_tf_infer_open(call, 1, UNCORK_INT32, 1));
    return call->out_count > 2 ? uc_tf_infer_open(call, 2, UNCORK_INT64, 1) : UNCORK_OK;
}

static uncork_status run_decode(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tf_numbers ends = {.call = call}, values = {.call = call}, starts = {.call = call};
    encoding e = UTF_8;
    rules r;
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    UC_TRY(read_encoding(call, "input_encoding", ASCII, &e));
    UC_TRY(read_rules(call, &r));
    uc_tf_numbers_add(&ends, 0);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const uc_str s = uc_tensor_string(x, i);
        for (size_t at = 0; at < s.size;) {
            const size_t start = at;
            bool bad, drop;
            uint32_t c = next_of(e, s, &at, &bad);
            UC_TRY(settle(call, &r, &c, bad, &drop));
            if (drop) continue;
            uc_tf_numbers_add(&values, c);
            uc_tf_numbers_add(&starts, (int64_t)start);
        }
        uc_tf_numbers_add(&ends, (int64_t)values.count);
    }
    const int64_t rows = uc_tensor_count(x) + 1, many = (int64_t)values.count;
    UC_TRY(uc_tf_numbers_give(&ends, 0, uc_tf_type_of(call, "Tsplits", UNCORK_INT64), 1, &rows));
    UC_TRY(uc_tf_numbers_give(&values, 1, UNCORK_INT32, 1, &many));
    return uc_tf_numbers_give(&starts, 2, UNCORK_INT64, 1, &many);
}
UC_TF_ROW(tf_unicode_decode, "TfUnicodeDecode", 1, 1, 2, infer_decode, run_decode)
UC_TF_ROW(tf_unicode_decode_with_offsets, "TfUnicodeDecodeWithOffsets", 1, 1, 3, infer_decode,
          run_decode)

/* ---- code points to text ----------------------------------------------------------------------- */

static uncork_status infer_encode(uc_call *call)
{
    return uc_tf_infer_open(call, 0, UNCORK_STRING, 1);
}

/* A character that a text may hold: no surrogate, none of the 66 that are no characters. */
static bool is_character(int64_t c)
{
    if (c < 0 || c > 0x10FFFF || is_surrogate((uint32_t)c)) return false;
    return !(c >= 0xFDD0 && c <= 0xFDEF) && (c & 0xFFFE) != 0xFFFE;
}

static uncork_status run_encode(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *splits = uc_call_arg(call, 1);
    uc_tf_texts out = {.call = call};
    encoding e = UTF_8;
    rules r;
    UC_TRY(uc_tf_want(call, 0, UNCORK_INT32, 1));
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    UC_TRY(read_encoding(call, "output_encoding", UTF_32_BE, &e));
    UC_TRY(read_rules(call, &r));
    char *text = uc_call_scratch(call, (size_t)x->shape[0] + 1, 4);
    if (!text) return uc_fail_memory(call->error);
    if (splits->shape[0] < 1) return uc_call_fail(call, UNCORK_INPUT, "there are no splits");
    const int64_t rows = splits->shape[0] - 1;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t from = uc_tf_int_at(splits, i), to = uc_tf_int_at(splits, i + 1);
        size_t size = 0;
        if (from < 0 || to < from || to > x->shape[0])
            return uc_call_fail(call, UNCORK_INPUT, "the splits don't fit the values");
        for (int64_t k = from; k < to; k++) {
            const int64_t value = uc_tf_int_at(x, k);
            uint32_t c = (uint32_t)value;
            bool drop;
            UC_TRY(settle(call, &r, &c, !is_character(value), &drop));
            if (!drop) size += put_of(e, c, text + size);
        }
        uc_tf_texts_add(&out, text, size);
    }
    return uc_tf_texts_give(&out, 0, 1, &rows);
}
UC_TF_ROW(tf_unicode_encode, "TfUnicodeEncode", 2, 2, 1, infer_encode, run_encode)

/* ---- text to text ------------------------------------------------------------------------------ */

static uncork_status infer_transcode(uc_call *call)
{
    return uc_tf_infer_shape_of(call, UNCORK_STRING);
}

static uncork_status run_transcode(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tf_texts out = {.call = call};
    encoding from = UTF_8, to = UTF_8;
    rules r;
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    UC_TRY(read_encoding(call, "input_encoding", ASCII, &from));
    UC_TRY(read_encoding(call, "output_encoding", UTF_32_BE, &to));
    UC_TRY(read_rules(call, &r));
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const uc_str s = uc_tensor_string(x, i);
        char *text = uc_arena_alloc(call->arena, s.size + 1, 4);
        size_t size = 0;
        if (!text) return uc_arena_status(call->arena, call->error);
        for (size_t at = 0; at < s.size;) {
            bool bad, drop;
            uint32_t c = next_of(from, s, &at, &bad);
            UC_TRY(settle(call, &r, &c, bad, &drop));
            if (!drop) size += put_of(to, c, text + size);
        }
        uc_tf_texts_borrow(&out, (uc_str){text, size});
    }
    return uc_tf_texts_give(&out, 0, x->rank, x->shape);
}
UC_TF_ROW(tf_unicode_transcode, "TfUnicodeTranscode", 1, 1, 1, infer_transcode, run_transcode)
