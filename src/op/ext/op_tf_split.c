/* Strings to other numbers of strings and to numbers: StringSplit, StringSplitV2, StringNGrams, StringToHash*,
 * UnicodeDecode*, UnicodeEncode, UnicodeTranscode, DecodeRaw, DecodePaddedRaw.
 *
 * Source: tensorflow/core/kernels/{string_split,string_ngrams,string_to_hash_bucket,unicode,decode_raw,
 * decode_padded_raw}_op.cc; core/lib/hash/hash.cc; FarmHash 1.1, farmhashna::Hash64; Aumasson and Bernstein,
 * "SipHash: a fast short-input PRF" (2012). */
#include "base/text.h"
#include "op/ext/text_python.h"
#include "op/ext/tf_call.h"

#include <inttypes.h>

/* ---- splits ---------------------------------------------------------------------------------- */

static uncork_status infer_split(uc_call *call)
{
    const int64_t two[] = {2}, rows[] = {UC_DIM_UNKNOWN, 2};
    UC_TRY(uc_call_shape(call, 0, UNCORK_INT64, 2, rows));
    UC_TRY(uc_tf_infer_open(call, 1, UNCORK_STRING, 1));
    return uc_call_shape(call, 2, UNCORK_INT64, 1, two);
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Version 1: any of the delimiter's characters cuts; none: every byte is a piece. */
static void split_any(uc_tf_texts *out, uc_str s, uc_str delimiter, bool skip_empty)
{
    size_t from = 0;
    for (size_t i = 0; i < s.size && !delimiter.size; i++) {
        uc_tf_texts_borrow(out, (uc_str){s.data + i, 1});
    }
    for (size_t i = 0; s.size && delimiter.size && i <= s.size; i++) {
        if (i < s.size && !memchr(delimiter.data, s.data[i], delimiter.size)) continue;
        if (!skip_empty || i > from) uc_tf_texts_borrow(out, (uc_str){s.data + from, i - from});
        from = i + 1;
    }
}

static uc_str skip_space(uc_str s)
{
    while (s.size && is_space(s.data[0])) {
        s = (uc_str){s.data + 1, s.size - 1};
    }
    return s;
}

/* Version 2 without a separator: runs of white space. */
static void split_space(uc_tf_texts *out, uc_str s, int64_t most)
{
    s = skip_space(s);
    for (int64_t n = 1; s.size; n++) {
        size_t k = 0;
        while (k < s.size && !is_space(s.data[k])) {
            k++;
        }
        uc_tf_texts_borrow(out, (uc_str){s.data, k});
        s = skip_space((uc_str){s.data + k, s.size - k});
        if (most > 0 && n == most) {
            uc_tf_texts_borrow(out, s);
            return;
        }
    }
}

static void split_by(uc_tf_texts *out, uc_str s, uc_str by, int64_t most)
{
    size_t from = 0;
    int64_t n = 0;
    for (size_t i = 0; i + by.size <= s.size && !(most > 0 && n == most);) {
        if (memcmp(s.data + i, by.data, by.size) != 0) {
            i++;
            continue;
        }
        uc_tf_texts_borrow(out, (uc_str){s.data + from, i - from});
        from = i += by.size;
        n++;
    }
    uc_tf_texts_borrow(out, (uc_str){s.data + from, s.size - from});
}

static uncork_status run_split(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *by = uc_call_arg(call, 1);
    const bool second = strstr(call->op->name, "V2") != NULL;
    const int64_t most = uc_call_int(call, "maxsplit", -1);
    uc_tf_texts out = {.call = call};
    uc_tf_numbers at = {.call = call};
    int64_t widest = 0;
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, 1));
    UC_TRY(uc_tf_want(call, 1, UNCORK_STRING, -1));
    if (uc_tensor_count(by) != 1)
        return uc_call_fail(call, UNCORK_INPUT, "one separator is wanted");
    const uc_str separator = uc_tensor_string(by, 0);
    for (int64_t i = 0; i < x->shape[0]; i++) {
        const size_t before = out.count;
        const uc_str s = uc_tensor_string(x, i);
        if (!second)
            split_any(&out, s, separator, uc_call_int(call, "skip_empty", 1) != 0);
        else if (separator.size)
            split_by(&out, s, separator, most);
        else
            split_space(&out, s, most);
        for (size_t k = before; k < out.count; k++) {
            uc_tf_numbers_add(&at, i);
            uc_tf_numbers_add(&at, (int64_t)(k - before));
        }
        if ((int64_t)(out.count - before) > widest) widest = (int64_t)(out.count - before);
    }
    const int64_t n = (int64_t)out.count, rows[] = {n, 2}, two[] = {2};
    uc_tf_numbers shape = {.call = call};
    uc_tf_numbers_add(&shape, x->shape[0]);
    uc_tf_numbers_add(&shape, widest);
    UC_TRY(uc_tf_numbers_give(&at, 0, UNCORK_INT64, 2, rows));
    UC_TRY(uc_tf_texts_give(&out, 1, 1, &n));
    return uc_tf_numbers_give(&shape, 2, UNCORK_INT64, 1, two);
}
UC_TF_ROW(tf_string_split, "TfStringSplit", 2, 2, 3, infer_split, run_split)
UC_TF_ROW(tf_string_split_v2, "TfStringSplitV2", 2, 2, 3, infer_split, run_split)

/* ---- n-grams --------------------------------------------------------------------------------- */

static uncork_status infer_ngrams(uc_call *call)
{
    UC_TRY(uc_tf_infer_open(call, 0, UNCORK_STRING, 1));
    return uc_call_shape_like(call, 1, 1, uc_call_dtype(call, 1));
}

typedef struct grams {
    const uc_tensor *x;
    uc_str left, right, separator;
    int64_t begin, count, pad;
} grams;

static bool one_gram(uc_call *call, const grams *g, int64_t from, int64_t width, uc_tf_texts *out)
{
    uc_text_buffer text = {0};
    for (int64_t k = from; k < from + width; k++) {
        const uc_str s = k < 0           ? g->left
                         : k >= g->count ? g->right
                                         : uc_tensor_string(g->x, g->begin + k);
        if (k > from && !uc_text_append(call->arena, &text, g->separator)) return false;
        if (!uc_text_append(call->arena, &text, s)) return false;
    }
    uc_tf_texts_borrow(out, (uc_str){text.data, text.size});
    return true;
}

static uncork_status run_ngrams(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *splits = uc_call_arg(call, 1);
    size_t widths = 0;
    const int64_t *width = uc_call_ints(call, "ngram_widths", &widths);
    const int64_t pad = uc_call_int(call, "pad_width", 0);
    uc_tf_texts out = {.call = call};
    uc_tf_numbers ends = {.call = call};
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, 1));
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    uc_tf_numbers_add(&ends, 0);
    for (int64_t i = 0; i + 1 < splits->shape[0]; i++) {
        const int64_t begin = uc_tf_int_at(splits, i), end = uc_tf_int_at(splits, i + 1);
        if (begin < 0 || end < begin || end > x->shape[0])
            return uc_call_fail(call, UNCORK_INPUT, "its splits don't fit");
        const size_t before = out.count;
        for (size_t w = 0; w < widths; w++) {
            if (width[w] < 1 || width[w] > 4096)
                return uc_call_fail(call, UNCORK_INPUT, "n-grams of %" PRId64, width[w]);
            const int64_t padded = pad < 0 || pad > width[w] - 1 ? width[w] - 1 : pad;
            const grams g = {x,
                             uc_call_str(call, "left_pad", ""),
                             uc_call_str(call, "right_pad", ""),
                             uc_call_str(call, "separator", ""),
                             begin,
                             end - begin,
                             padded};
            for (int64_t k = -padded; k + width[w] <= g.count + padded; k++) {
                if (!one_gram(call, &g, k, width[w], &out))
                    return uc_arena_status(call->arena, call->error);
            }
        }
        if (uc_call_int(call, "preserve_short_sequences", 0) && out.count == before &&
            end > begin) {
            const grams g = {x,     {"", 0},     {"", 0}, uc_call_str(call, "separator", ""),
                             begin, end - begin, 0};
            if (!one_gram(call, &g, 0, g.count, &out))
                return uc_arena_status(call->arena, call->error);
        }
        uc_tf_numbers_add(&ends, (int64_t)out.count);
    }
    const int64_t n = (int64_t)out.count, m = (int64_t)ends.count;
    UC_TRY(uc_tf_texts_give(&out, 0, 1, &n));
    return uc_tf_numbers_give(&ends, 1, splits->dtype, 1, &m);
}
UC_TF_ROW(tf_string_ngrams, "TfStringNGrams", 2, 2, 2, infer_ngrams, run_ngrams)

/* ---- hashes ---------------------------------------------------------------------------------- */

#define K0 0xc3a5c85c97cb3127U
#define K1 0xb492b66fbe98f273U
#define K2 0x9ae16a3b2f90404fU

static uint64_t load64(const char *s)
{
    uint64_t v;
    memcpy(&v, s, 8);
    return v;
}
static uint64_t load32(const char *s)
{
    uint32_t v;
    memcpy(&v, s, 4);
    return v;
}
static uint64_t turn(uint64_t v, int by) { return v >> by | v << (64 - by); }
static uint64_t mix(uint64_t v) { return v ^ v >> 47; }
static uint64_t hash_16(uint64_t u, uint64_t v, uint64_t mul)
{
    const uint64_t a = mix((u ^ v) * mul);
    return mix((v ^ a) * mul) * mul;
}

static uint64_t farm_short(const char *s, size_t n)
{
    const uint64_t mul = K2 + n * 2;
    if (n >= 8) {
        const uint64_t a = load64(s) + K2, b = load64(s + n - 8);
        return hash_16(turn(b, 37) * mul + a, (turn(a, 25) + b) * mul, mul);
    }
    if (n >= 4) return hash_16(n + (load32(s) << 3), load32(s + n - 4), mul);
    if (n == 0) return K2;
    const uint32_t y = (uint32_t)(unsigned char)s[0] + ((uint32_t)(unsigned char)s[n >> 1] << 8);
    const uint32_t z = (uint32_t)n + ((uint32_t)(unsigned char)s[n - 1] << 2);
    return mix(y * K2 ^ z * K0) * K2;
}

static uint64_t farm_middle(const char *s, size_t n)
{
    const uint64_t mul = K2 + n * 2, a = load64(s) * (n <= 32 ? K1 : K2), b = load64(s + 8);
    const uint64_t c = load64(s + n - 8) * mul, d = load64(s + n - 16) * K2;
    const uint64_t y = turn(a + b, 43) + turn(c, 30) + d;
    if (n <= 32) return hash_16(y, a + turn(b + K2, 18) + c, mul);
    const uint64_t z = hash_16(y, a + turn(b + K2, 18) + c, mul), e = load64(s + 16) * mul,
                   f = load64(s + 24);
    const uint64_t g = (y + load64(s + n - 32)) * mul, h = (z + load64(s + n - 24)) * mul;
    return hash_16(turn(e + f, 43) + turn(g, 30) + h, e + turn(f + a, 18) + g, mul);
}

typedef struct pair {
    uint64_t first, second;
} pair;

static pair weak(const char *s, uint64_t a, uint64_t b)
{
    const uint64_t z = load64(s + 24);
    a += load64(s);
    b = turn(b + a + z, 21);
    const uint64_t c = a;
    a += load64(s + 8);
    a += load64(s + 16);
    b += turn(a, 44);
    return (pair){a + z, b + c};
}

static uint64_t farm(const char *s, size_t n)
{
    if (n <= 16) return farm_short(s, n);
    if (n <= 64) return farm_middle(s, n);
    uint64_t x = 81, y = 81 * K1 + 113, z = mix(y * K2 + 113) * K2, t;
    pair v = {0, 0}, w = {0, 0};
    const char *end = s + (n - 1) / 64 * 64, *last = end + ((n - 1) & 63) - 63;
    x = x * K2 + load64(s);
    do {
        x = turn(x + y + v.first + load64(s + 8), 37) * K1;
        y = turn(y + v.second + load64(s + 48), 42) * K1;
        x ^= w.second;
        y += v.first + load64(s + 40);
        z = turn(z + w.first, 33) * K1;
        v = weak(s, v.second * K1, x + w.first);
        w = weak(s + 32, z + w.second, y + load64(s + 16));
        t = z;
        z = x;
        x = t;
        s += 64;
    } while (s != end);
    const uint64_t mul = K1 + ((z & 0xff) << 1);
    s = last;
    w.first += (n - 1) & 63;
    v.first += w.first;
    w.first += v.first;
    x = turn(x + y + v.first + load64(s + 8), 37) * mul;
    y = turn(y + v.second + load64(s + 48), 42) * mul;
    x ^= w.second * 9;
    y += v.first * 9 + load64(s + 40);
    z = turn(z + w.first, 33) * mul;
    v = weak(s, v.second * mul, x + w.first);
    w = weak(s + 32, z + w.second, y + load64(s + 16));
    return hash_16(hash_16(v.first, w.first, mul) + mix(y) * K0 + x,
                   hash_16(v.second, w.second, mul) + z, mul);
}

/* Hash64 of hash.cc, seed 0xDECAFCAFFE. */
static uint64_t old_hash(const char *s, size_t n)
{
    const uint64_t m = 0xc6a4a7935bd1e995U;
    uint64_t h = 0xDECAFCAFFEU ^ n * m;
    for (; n >= 8; s += 8, n -= 8) {
        uint64_t k = load64(s) * m;
        k = (k ^ k >> 47) * m;
        h = (h ^ k) * m;
    }
    for (size_t i = n; i-- > 0;) {
        h ^= (uint64_t)(unsigned char)s[i] << (8 * i);
    }
    if (n) h *= m;
    h = (h ^ h >> 47) * m;
    return h ^ h >> 47;
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 51) ^ v[0];
    v[3] = turn(v[3], 48) ^ v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 47) ^ v[2];
    v[3] = turn(v[3], 43) ^ v[0];
    v[2] = turn(v[2], 32);
}

/* SipHash-2-4. */
static uint64_t sip(const uint64_t key[2], const char *s, size_t n)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU,
                     key[0] ^ 0x6c7967656e657261U, key[1] ^ 0x7465646279746573U};
    uint64_t last = (uint64_t)n << 56;
    const size_t whole = n / 8 * 8;
    for (size_t i = 0; i <= whole; i += 8) {
        uint64_t m = last;
        if (i < whole) m = load64(s + i);
        for (size_t k = whole; i == whole && k < n; k++) {
            m |= (uint64_t)(unsigned char)s[k] << (8 * (k - whole));
        }
        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uncork_status infer_hash(uc_call *call) { return uc_tf_infer_shape_of(call, UNCORK_INT64); }

static uncork_status run_hash(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int64_t buckets = uc_call_int(call, "num_buckets", 1);
    const char kind = strstr(call->op->name, "Fast")     ? 'f'
                      : strstr(call->op->name, "Strong") ? 's'
                                                         : 'o';
    size_t keys = 0;
    const int64_t *key = uc_call_ints(call, "key", &keys);
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    if (buckets < 1 || (kind == 's' && keys != 2))
        return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " buckets, %zu keys", buckets, keys);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const uc_str s = uc_tensor_string(x, i);
        const uint64_t own[] = {kind == 's' ? (uint64_t)key[0] : 0,
                                kind == 's' ? (uint64_t)key[1] : 0};
        const uint64_t h = kind == 'f'   ? farm(s.data, s.size)
                           : kind == 's' ? sip(own, s.data, s.size)
                                         : old_hash(s.data, s.size);
        ((int64_t *)y->data)[i] = (int64_t)(h % (uint64_t)buckets);
    }
    return UNCORK_OK;
}
/* The fingerprints of one row's strings and whole numbers joined, in so many buckets: what tf.sparse.cross_hashed
 * makes of dense columns of one feature. Source: core/kernels/sparse_cross_op.cc (HashCrosser),
 * core/platform/fingerprint.h (FingerprintCat64). */
static uint64_t join_prints(uint64_t a, uint64_t b)
{
    const uint64_t m = 0xc6a4a7935bd1e995U;
    uint64_t h = a ^ m;
    h ^= mix(b * m) * m;
    h *= m;
    return mix(mix(h) * m);
}

static uncork_status run_cross(uc_call *call)
{
    const int64_t buckets = uc_call_int(call, "num_buckets", 0);
    const uc_tensor *first = uc_call_arg(call, 0);
    const int64_t n = uc_tensor_count(first);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (buckets < 1) return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " buckets", buckets);
    for (size_t k = 0; k < call->in_count; k++) {
        const uc_tensor *x = uc_call_arg(call, k);
        if (uc_tensor_count(x) != n || (x->dtype != UNCORK_STRING && x->dtype != UNCORK_INT64))
            return uc_call_fail(call, UNCORK_INPUT,
                                "input %zu isn't of strings or int64 as the first", k);
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t h = (uint64_t)uc_call_int(call, "hash_key", 956888297470);
        for (size_t k = 0; k < call->in_count; k++) {
            const uc_tensor *x = uc_call_arg(call, k);
            const uc_str s = x->dtype == UNCORK_STRING ? uc_tensor_string(x, i) : (uc_str){"", 0};
            h = join_prints(h, x->dtype == UNCORK_STRING ? farm(s.data, s.size)
                                                         : (uint64_t)((const int64_t *)x->data)[i]);
        }
        ((int64_t *)y->data)[i] = (int64_t)(h % (uint64_t)buckets);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_cross_hashed, "TfCrossHashed", 1, -1, 1, infer_hash, run_cross)
UC_TF_ROW(tf_hash_bucket, "TfStringToHashBucket", 1, 1, 1, infer_hash, run_hash)
UC_TF_ROW(tf_hash_bucket_fast, "TfStringToHashBucketFast", 1, 1, 1, infer_hash, run_hash)
UC_TF_ROW(tf_hash_bucket_strong, "TfStringToHashBucketStrong", 1, 1, 1, infer_hash, run_hash)

/* ---- raw bytes ------------------------------------------------------------------------------- */

static uncork_status infer_raw(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK + 1];
    const uncork_dtype to = uc_tf_type_of(call, "out_type", UNCORK_UINT8);
    if (!uc_dtype_size(to))
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "to %s", uc_dtype_name(to));
    if (x->rank < 0) return uc_tf_infer_open(call, 0, to, -1);
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[x->rank] = UC_DIM_UNKNOWN;
    return uc_call_shape(call, 0, to, x->rank + 1, shape);
}

static uncork_status run_raw(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uncork_dtype to = uc_tf_type_of(call, "out_type", UNCORK_UINT8);
    const size_t size = uc_dtype_size(to);
    int64_t shape[UNCORK_MAX_RANK + 1], length = 0;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, -1));
    const int64_t n = uc_tensor_count(x);
    const bool padded = call->in_count > 1;
    if (padded)
        UC_TRY(uc_tf_one_int(call, 1, &length));
    else if (n)
        length = (int64_t)uc_tensor_string(x, 0).size;
    if (length < 0 || length % (int64_t)size)
        return uc_call_fail(call, UNCORK_INPUT, "strings of %" PRId64 " bytes to numbers of %zu",
                            length, size);
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[x->rank] = length / (int64_t)size;
    UC_TRY(uc_call_output(call, 0, to, x->rank + 1, shape, &y));
    char *out = y->data;
    for (int64_t i = 0; i < n; i++, out += length) {
        const uc_str s = uc_tensor_string(x, i);
        if (!padded && (int64_t)s.size != length)
            return uc_call_fail(
                call, UNCORK_INPUT,
                "DecodeRaw requires input strings to all be the same size, but element %" PRId64
                " has size %zu != %" PRId64,
                i, s.size, length);
        const size_t have = s.size < (size_t)length ? s.size : (size_t)length;
        if (have) memcpy(out, s.data, have);
        if ((size_t)length > have) memset(out + have, 0, (size_t)length - have);
        for (int64_t k = 0; to == UNCORK_BOOL && k < length; k++) {
            out[k] = out[k] != 0;
        }
        for (int64_t k = 0; !uc_call_int(call, "little_endian", 1) && size > 1 && k < length;
             k += (int64_t)size) {
            for (size_t b = 0; b < size / 2; b++) {
                const char t = out[(size_t)k + b];
                out[(size_t)k + b] = out[(size_t)k + size - 1 - b];
                out[(size_t)k + size - 1 - b] = t;
            }
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_decode_raw, "TfDecodeRaw", 1, 1, 1, infer_raw, run_raw)
UC_TF_ROW(tf_decode_padded_raw, "TfDecodePaddedRaw", 2, 2, 1, infer_raw, run_raw)
