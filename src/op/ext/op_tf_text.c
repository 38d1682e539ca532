/* Strings one by one: StringLower, StringUpper, StringStrip, StringLength, Substr, StringJoin, ReduceJoin,
 * UnsortedSegmentJoin, StringToNumber, AsString, StaticRegexReplace, EncodeBase64, DecodeBase64.
 *
 * Source: tensorflow/core/kernels/{string_lower,string_upper,string_strip,string_length,substr,string_join,
 * reduce_join,unsorted_segment_join,string_to_number,as_string,regex_replace,base64}_op.cc. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/text.h"
#include "op/ext/text_python.h"
#include "op/ext/text_re2.h"
#include "op/ext/tf_call.h"

#include <inttypes.h>
#include <pcre2.h>
#include <stdio.h>
#include <utf8proc.h>

static uncork_status infer(uc_call *call)
{
    if (uc_call_dtype(call, 0) && uc_call_dtype(call, 0) != UNCORK_STRING)
        return uc_call_fail(call, UNCORK_INPUT, "input 0 is %s, not text",
                            uc_dtype_name(uc_call_dtype(call, 0)));
    return uc_tf_infer_shape_of(call, UNCORK_STRING);
}

/* f gives one string of another; false when memory is out. */
typedef bool (*change)(uc_call *call, uc_str s, uc_text_buffer *to);

static uncork_status map(uc_call *call, change f)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tf_texts out = {.call = call};
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        uc_text_buffer to = {0};
        if (!f(call, uc_tensor_string(x, i), &to)) return uc_arena_status(call->arena, call->error);
        uc_tf_texts_borrow(&out, (uc_str){to.data, to.size});
    }
    return uc_tf_texts_give(&out, 0, x->rank, x->shape);
}

/* ---- case ------------------------------------------------------------------------------------ */

static bool is_unicode(const uc_call *call) { return uc_call_str(call, "encoding", "").size != 0; }

static bool ascii_case(uc_call *call, uc_str s, uc_text_buffer *to, char first, char by)
{
    if (!uc_text_append(call->arena, to, s)) return false;
    for (size_t i = 0; i < to->size; i++) {
        if (to->data[i] >= first && to->data[i] < first + 26)
            to->data[i] = (char)(to->data[i] + by);
    }
    return true;
}

static bool lower(uc_call *call, uc_str s, uc_text_buffer *to)
{
    return is_unicode(call) ? uc_text_lower(call->arena, s, false, to)
                            : ascii_case(call, s, to, 'A', 32);
}

static bool upper(uc_call *call, uc_str s, uc_text_buffer *to)
{
    if (!is_unicode(call)) return ascii_case(call, s, to, 'a', -32);
    for (size_t at = 0; at < s.size;) {
        char text[4];
        const uint32_t c = uc_utf8_next(s, &at);
        const bool sharp = c == 0xDF; /* the one common letter that becomes two */
        const size_t n =
            sharp ? 2 : uc_utf8_put((uint32_t)utf8proc_toupper((utf8proc_int32_t)c), text);
        if (!uc_text_append(call->arena, to, sharp ? (uc_str){"SS", 2} : (uc_str){text, n}))
            return false;
    }
    return true;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static bool strip(uc_call *call, uc_str s, uc_text_buffer *to)
{
    while (s.size && is_space(s.data[0])) {
        s = (uc_str){s.data + 1, s.size - 1};
    }
    while (s.size && is_space(s.data[s.size - 1])) {
        s.size--;
    }
    return uc_text_append(call->arena, to, s);
}

static uncork_status run_lower(uc_call *call) { return map(call, lower); }
static uncork_status run_upper(uc_call *call) { return map(call, upper); }
static uncork_status run_strip(uc_call *call) { return map(call, strip); }
UC_TF_ROW(tf_string_lower, "TfStringLower", 1, 1, 1, infer, run_lower)
UC_TF_ROW(tf_string_strip, "TfStringStrip", 1, 1, 1, infer, run_strip)
UC_TF_ROW(tf_string_upper, "TfStringUpper", 1, 1, 1, infer, run_upper)

/* ---- lengths and parts ----------------------------------------------------------------------- */

/* Where character n begins; a broken byte goes with what is before it, as there. */
static size_t character(uc_str s, int64_t n)
{
    size_t at = 0;
    while (at < s.size && n > 0) {
        at++;
        while (at < s.size && ((unsigned char)s.data[at] & 0xC0) == 0x80) {
            at++;
        }
        n--;
    }
    return at;
}

static int64_t length_of(const uc_call *call, uc_str s)
{
    int64_t n = 0;
    if (!uc_tf_attr_is(call, "unit", "UTF8_CHAR")) return (int64_t)s.size;
    for (size_t i = 0; i < s.size; i++) {
        n += ((unsigned char)s.data[i] & 0xC0) != 0x80;
    }
    return n;
}

static uncork_status infer_length(uc_call *call)
{
    return uc_tf_infer_shape_of(call, UNCORK_INT32);
}

static uncork_status run_length(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        ((int32_t *)y->data)[i] = (int32_t)length_of(call, uc_tensor_string(x, i));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_string_length, "TfStringLength", 1, 1, 1, infer_length, run_length)

static uncork_status infer_broadcast(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(uc_broadcast_inputs(call, 0, call->in_count, &rank, shape));
    return uc_call_shape(call, 0, UNCORK_STRING, rank, shape);
}

static uncork_status run_substr(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *pos = uc_call_arg(call, 1),
                    *len = uc_call_arg(call, 2);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_tf_texts out = {.call = call};
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    UC_TRY(uc_broadcast_inputs(call, 0, 3, &rank, shape));
    const bool letters = uc_tf_attr_is(call, "unit", "UTF8_CHAR");
    for (int64_t i = 0; i < uc_tf_product(shape, 0, rank); i++) {
        const uc_str s = uc_tensor_string(x, uc_tf_source(x, rank, shape, i));
        int64_t p = uc_tf_int_at(pos, uc_tf_source(pos, rank, shape, i)),
                n = uc_tf_int_at(len, uc_tf_source(len, rank, shape, i));
        const int64_t size = length_of(call, s);
        if (p < 0) p += size;
        if (p < 0 || p > size)
            return uc_call_fail(call, UNCORK_INPUT,
                                "pos %" PRId64 " out of range for string of length %" PRId64, p,
                                size);
        n = n < 0 ? 0 : n > size - p ? size - p : n;
        const size_t from = letters ? character(s, p) : (size_t)p,
                     to = letters ? character(s, p + n) : (size_t)(p + n);
        uc_tf_texts_borrow(&out, (uc_str){s.data + from, to - from});
    }
    return uc_tf_texts_give(&out, 0, rank, shape);
}
UC_TF_ROW(tf_substr, "TfSubstr", 3, 3, 1, infer_broadcast, run_substr)

/* ---- joins ----------------------------------------------------------------------------------- */

static uncork_status run_join(uc_call *call)
{
    const uc_str separator = uc_call_str(call, "separator", "");
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_tf_texts out = {.call = call};
    UC_TRY(uc_broadcast_inputs(call, 0, call->in_count, &rank, shape));
    for (int64_t i = 0; i < uc_tf_product(shape, 0, rank); i++) {
        uc_text_buffer text = {0};
        bool good = true;
        for (size_t k = 0; good && k < call->in_count; k++) {
            const uc_tensor *x = uc_call_arg(call, k);
            UC_TRY(uc_tf_want(call, k, UNCORK_STRING, -1));
            if (k) good = uc_text_append(call->arena, &text, separator);
            good = good && uc_text_append(call->arena, &text,
                                          uc_tensor_string(x, uc_tf_source(x, rank, shape, i)));
        }
        if (!good) return uc_arena_status(call->arena, call->error);
        uc_tf_texts_borrow(&out, (uc_str){text.data, text.size});
    }
    return uc_tf_texts_give(&out, 0, rank, shape);
}
UC_TF_ROW(tf_string_join, "TfStringJoin", 1, -1, 1, infer_broadcast, run_join)

static uncork_status infer_reduce_join(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    return uc_tf_infer_open(call, 0, UNCORK_STRING,
                            uc_call_int(call, "keep_dims", 0) ? x->rank : -1);
}

/* The axes are walked in the order given, the first one fastest. */
static uncork_status run_reduce_join(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uc_str separator = uc_call_str(call, "separator", "");
    int64_t given[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK],
        kept[UNCORK_MAX_RANK];
    int axes[UNCORK_MAX_RANK], rank = 0, left = 0;
    bool gone[UNCORK_MAX_RANK] = {false};
    size_t n = 0;
    uc_tf_texts out = {.call = call};
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    UC_TRY(uc_call_small_ints(call, 1, given, &n));
    int64_t joined = 1, s = 1;
    for (size_t i = 0; i < n; i++) {
        UC_TRY(uc_axis(call, given[i], x->rank, &axes[i]));
        if (gone[axes[i]])
            return uc_call_fail(call, UNCORK_INPUT, "Duplicate reduction dimension %d", axes[i]);
        gone[axes[i]] = true;
        joined *= x->shape[axes[i]];
    }
    for (int d = x->rank - 1; d >= 0; d--) {
        stride[d] = s;
        s *= x->shape[d];
    }
    for (int d = 0; d < x->rank; d++) {
        if (!gone[d]) kept[left++] = d;
        if (!gone[d] || uc_call_int(call, "keep_dims", 0))
            shape[rank++] = gone[d] ? 1 : x->shape[d];
    }
    for (int64_t i = 0; i < uc_tf_product(shape, 0, rank); i++) {
        uc_text_buffer text = {0};
        int64_t base = 0, rest = i;
        for (int k = left - 1; k >= 0; k--) {
            base += rest % x->shape[kept[k]] * stride[kept[k]];
            rest /= x->shape[kept[k]];
        }
        bool good = true;
        for (int64_t j = 0; good && j < joined; j++) {
            int64_t at = base, index = j;
            for (size_t k = 0; k < n; k++) {
                at += index % x->shape[axes[k]] * stride[axes[k]];
                index /= x->shape[axes[k]];
            }
            if (j) good = uc_text_append(call->arena, &text, separator);
            good = good && uc_text_append(call->arena, &text, uc_tensor_string(x, at));
        }
        if (!good) return uc_arena_status(call->arena, call->error);
        uc_tf_texts_borrow(&out, (uc_str){text.data, text.size});
    }
    return uc_tf_texts_give(&out, 0, rank, shape);
}
UC_TF_ROW(tf_reduce_join, "TfReduceJoin", 2, 2, 1, infer_reduce_join, run_reduce_join)

/* ---- numbers --------------------------------------------------------------------------------- */

static uncork_status infer_number(uc_call *call)
{
    return uc_tf_infer_shape_of(call, uc_tf_type_of(call, "out_type", UNCORK_FLOAT32));
}

static uncork_status run_number(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const uc_str s = uc_text_trim(uc_tensor_string(x, i));
        double d = 0;
        int64_t v = 0;
        const bool real = uc_dtype_is_float(y->dtype);
        if (!(real ? uc_text_f64(s, &d) : uc_text_i64(s, &v)))
            return uc_call_fail(call, UNCORK_INPUT,
                                "StringToNumberOp could not correctly convert string: %.*s",
                                s.size < 60 ? (int)s.size : 60, s.data);
        if (real)
            uc_tf_put(y->data, i, y->dtype, d);
        else
            uc_tf_put_int(y->data, i, y->dtype, v);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_string_to_number, "TfStringToNumber", 1, 1, 1, infer_number, run_number)

/* printf's directive: flags and width of whole numbers, precision of floats. */
typedef struct directive {
    char fill;
    int width, precision;
    char kind; /* f, e, g, d */
} directive;

static int print_real(char *to, size_t size, const directive *d, double v)
{
    const int p = d->precision < 0 ? 6 : d->precision;
    const bool zero = d->fill == '0', left = d->fill == '-', plus = d->fill == '+',
               space = d->fill == ' ';
    switch (d->kind) {
    case 'e':
        return snprintf(to, size, zero ? "%0*.*e" : left ? "%-*.*e" : "%*.*e", d->width, p, v);
    case 'g':
        return snprintf(to, size, zero ? "%0*.*g" : left ? "%-*.*g" : "%*.*g", d->width, p, v);
    default:
        return snprintf(to, size,
                        zero    ? "%0*.*f"
                        : left  ? "%-*.*f"
                        : plus  ? "%+*.*f"
                        : space ? "% *.*f"
                                : "%*.*f",
                        d->width, p, v);
    }
}

static int print_whole(char *to, size_t size, const directive *d, int64_t v, bool wide)
{
    if (wide)
        return snprintf(to, size,
                        d->fill == '0'   ? "%0*" PRIu64
                        : d->fill == '-' ? "%-*" PRIu64
                                         : "%*" PRIu64,
                        d->width, (uint64_t)v);
    return snprintf(to, size,
                    d->fill == '0'   ? "%0*" PRId64
                    : d->fill == '-' ? "%-*" PRId64
                    : d->fill == '+' ? "%+*" PRId64
                    : d->fill == ' ' ? "% *" PRId64
                                     : "%*" PRId64,
                    d->width, v);
}

static uncork_status infer_as_string(uc_call *call)
{
    return uc_tf_infer_shape_of(call, UNCORK_STRING);
}

static uncork_status run_as_string(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uc_str fill = uc_call_str(call, "fill", "");
    const int64_t width = uc_call_int(call, "width", -1),
                  precision = uc_call_int(call, "precision", -1);
    uc_tf_texts out = {.call = call};
    if (width > 200 || precision > 60)
        return uc_call_fail(call, UNCORK_LIMIT, "a width of %" PRId64, width);
    const directive d = {fill.size ? fill.data[0] : '\0', width < 0 ? 0 : (int)width,
                         (int)precision,
                         uc_call_int(call, "scientific", 0) ? 'e'
                         : uc_call_int(call, "shortest", 0) ? 'g'
                                                            : 'f'};
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        char text[1024];
        int n = 0;
        if (x->dtype == UNCORK_STRING) {
            uc_tf_texts_borrow(&out, uc_tensor_string(x, i));
            continue;
        }
        if (x->dtype == UNCORK_COMPLEX64 || x->dtype == UNCORK_COMPLEX128) {
            const uncork_dtype part =
                x->dtype == UNCORK_COMPLEX64 ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
            n = snprintf(text, 2, "(");
            n += print_real(text + n, 500, &d, uc_dtype_load_f64(x->data, 2 * i, part));
            n += snprintf(text + n, 2, ",");
            n += print_real(text + n, 500, &d, uc_dtype_load_f64(x->data, 2 * i + 1, part));
            n += snprintf(text + n, 2, ")");
        } else if (x->dtype == UNCORK_BOOL) {
            n = snprintf(text, sizeof text, "%s", ((const uint8_t *)x->data)[i] ? "true" : "false");
        } else if (uc_dtype_is_float(x->dtype)) {
            n = print_real(text, sizeof text, &d, uc_tf_at(x, i));
        } else {
            n = print_whole(text, sizeof text, &d, uc_tf_int_at(x, i), x->dtype == UNCORK_UINT64);
        }
        uc_tf_texts_add(&out, text, (size_t)n);
    }
    return uc_tf_texts_give(&out, 0, x->rank, x->shape);
}
UC_TF_ROW(tf_as_string, "TfAsString", 1, 1, 1, infer_as_string, run_as_string)

/* ---- patterns -------------------------------------------------------------------------------- */

static uncork_status prepare_replace(uc_call *call)
{
    uc_re2 *r = UC_NEW(call->arena, uc_re2, 1);
    if (!r) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_re2_new(call, uc_call_str(call, "pattern", ""), false, r));
    call->prepared = r;
    return UNCORK_OK;
}

/* \0 to \9 are groups, \\ is one. */
static bool rewrite(uc_call *call, uc_str s, uc_str to, const PCRE2_SIZE *at, uint32_t groups,
                    uc_text_buffer *out)
{
    for (size_t i = 0; i < to.size; i++) {
        const bool escape = to.data[i] == '\\' && i + 1 < to.size;
        const char c = escape ? to.data[++i] : to.data[i];
        uc_str part = {to.data + i, 1};
        if (escape && c >= '0' && c <= '9') {
            const uint32_t g = (uint32_t)(c - '0');
            const bool there = g < groups && at[2 * g] != PCRE2_UNSET;
            part =
                there ? (uc_str){s.data + at[2 * g], at[2 * g + 1] - at[2 * g]} : (uc_str){"", 0};
        }
        if (!uc_text_append(call->arena, out, part)) return false;
    }
    return true;
}

/* RE2::GlobalReplace: no empty match right behind a match. 0: memory is out; -1: too many steps. */
static int replace(uc_call *call, const uc_re2 *r, pcre2_match_data *match, uc_str s, uc_str to,
                   bool all, uc_text_buffer *out)
{
    size_t at = 0, last = SIZE_MAX;
    while (at <= s.size) {
        const int code = pcre2_match(r->code, (PCRE2_SPTR)(s.size ? s.data : ""), s.size, at, 0,
                                     match, r->limits);
        if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT ||
            code == PCRE2_ERROR_HEAPLIMIT || code == PCRE2_ERROR_NOMEMORY)
            return -1;
        if (code < 0) break;
        const PCRE2_SIZE *v = pcre2_get_ovector_pointer(match);
        if (v[1] < v[0] || v[0] < at) break;
        if (!uc_text_append(call->arena, out, (uc_str){s.data + at, v[0] - at})) return 0;
        at = v[0];
        if (v[0] == last && v[1] == v[0]) {
            if (at >= s.size) return 1;
            const size_t end = at + character((uc_str){s.data + at, s.size - at}, 1);
            if (!uc_text_append(call->arena, out, (uc_str){s.data + at, end - at})) return 0;
            at = end;
            continue;
        }
        if (!rewrite(call, s, to, v, pcre2_get_ovector_count(match), out)) return 0;
        at = last = v[1];
        if (!all) break;
    }
    return at >= s.size || uc_text_append(call->arena, out, (uc_str){s.data + at, s.size - at});
}

static uncork_status run_replace(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uc_re2 *r = call->prepared;
    const uc_str to = uc_call_str(call, "rewrite", "");
    uc_tf_texts out = {.call = call};
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(r->code, NULL);
    if (!match) return uc_fail_memory(call->error);
    int code = 1;
    for (int64_t i = 0; code > 0 && i < uc_tensor_count(x); i++) {
        uc_text_buffer text = {0};
        code = replace(call, r, match, uc_tensor_string(x, i), to,
                       uc_call_int(call, "replace_global", 1) != 0, &text);
        uc_tf_texts_borrow(&out, (uc_str){text.data, text.size});
    }
    pcre2_match_data_free(match);
    if (code < 0) return uc_call_fail(call, UNCORK_LIMIT, "a text takes too many steps to match");
    if (code == 0) return uc_arena_status(call->arena, call->error);
    return uc_tf_texts_give(&out, 0, x->rank, x->shape);
}

const uc_op uc_op_tf_regex_replace = {.domain = "uncork",
                                      .name = "TfStaticRegexReplace",
                                      .in = {1, 1},
                                      .out = {1, 1},
                                      .infer = infer,
                                      .prepare = prepare_replace,
                                      .run = run_replace};

/* ---- base64 for the web ---------------------------------------------------------------------- */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool encode(uc_call *call, uc_str s, uc_text_buffer *to)
{
    const bool pad = uc_call_int(call, "pad", 0) != 0;
    for (size_t i = 0; i < s.size; i += 3) {
        const size_t n = s.size - i < 3 ? s.size - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++) {
            v = v << 8 | (k < n ? (unsigned char)s.data[i + k] : 0U);
        }
        char four[4];
        for (size_t k = 0; k < 4; k++) {
            four[k] = k <= n ? letters[v >> (18 - 6 * k) & 63] : '=';
        }
        if (!uc_text_append(call->arena, to, (uc_str){four, pad ? 4 : n + 1})) return false;
    }
    return true;
}

static uncork_status run_encode(uc_call *call) { return map(call, encode); }
UC_TF_ROW(tf_encode_base64, "TfEncodeBase64", 1, 1, 1, infer, run_encode)

static uncork_status run_decode(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tf_texts out = {.call = call};
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        uc_str s = uc_tensor_string(x, i);
        uc_text_buffer to = {0};
        while (s.size && s.data[s.size - 1] == '=') {
            s.size--;
        }
        uint32_t v = 0;
        for (size_t k = 0; k < s.size; k++) {
            const char *at = s.data[k] ? strchr(letters, s.data[k]) : NULL;
            if (!at || s.size % 4 == 1)
                return uc_call_fail(call, UNCORK_INPUT, "Invalid character found in base64.");
            v = v << 6 | (uint32_t)(at - letters);
            const char byte = (char)(v >> (k % 4 == 1 ? 4 : k % 4 == 2 ? 2 : 0));
            if (k % 4 && !uc_text_append(call->arena, &to, (uc_str){&byte, 1}))
                return uc_arena_status(call->arena, call->error);
        }
        uc_tf_texts_borrow(&out, (uc_str){to.data, to.size});
    }
    return uc_tf_texts_give(&out, 0, x->rank, x->shape);
}
UC_TF_ROW(tf_decode_base64, "TfDecodeBase64", 1, 1, 1, infer, run_decode)
