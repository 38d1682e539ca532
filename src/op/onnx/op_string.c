/* Texts: StringConcat, StringSplit, StringNormalizer.
 *
 * Source: ONNX operators StringConcat 20, StringSplit 20, StringNormalizer 10; ONNX Runtime,
 * core/providers/cpu/nn/string_normalizer.cc: case of one character at a time (towlower, towupper),
 * whole elements are compared with the stop words. The locale attribute changes nothing here: Unicode's
 * own case mapping is used. */
#include "base/table.h"
#include "base/text.h"
#include "op/ext/text_python.h"
#include "op/shape.h"

#include <inttypes.h>
#include <utf8proc.h>

/* ---- StringConcat: a followed by b, broadcast ----------------------------------------------- */

static uncork_status expect_text(uc_call *call, size_t i)
{
    uncork_dtype dtype = uc_call_dtype(call, i);
    if (dtype == UNCORK_STRING || dtype == UNCORK_DTYPE_NONE) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "input %zu is %s, expected string", i,
                        uc_dtype_name(dtype));
}

static uncork_status infer_concat(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(expect_text(call, 0));
    UC_TRY(expect_text(call, 1));
    UC_TRY(uc_broadcast_inputs(call, 0, 2, &rank, shape));
    return uc_call_shape(call, 0, UNCORK_STRING, rank, shape);
}

/* Where element i of a broadcast shape is found in t. */
static int64_t source_of(const uc_tensor *t, int rank, const int64_t *shape, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int d = rank - 1; d >= 0; d--) {
        int64_t index = i % shape[d];
        int own = d - (rank - t->rank);
        i /= shape[d];
        if (own < 0) break;
        if (t->shape[own] != 1) at += index * stride;
        stride *= t->shape[own];
    }
    return at;
}

static uncork_status run_concat(uc_call *call)
{
    const uc_tensor *in[2] = {uc_call_arg(call, 0), uc_call_arg(call, 1)};
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    size_t count = 0;
    UC_TRY(uc_broadcast_inputs(call, 0, 2, &rank, shape));
    if (!uc_shape_count(shape, rank, &count)) {
        return uc_call_fail(call, UNCORK_LIMIT, "too many strings");
    }
    uc_str *items = uc_call_scratch(call, count, sizeof *items);
    if (!items) return call->error->status;
    for (size_t i = 0; i < count; i++) {
        uc_text_buffer text = {0};
        for (int k = 0; k < 2; k++) {
            int64_t at = source_of(in[k], rank, shape, (int64_t)i);
            if (!uc_text_append(call->arena, &text, uc_tensor_string(in[k], at))) {
                return uc_arena_status(call->arena, call->error);
            }
        }
        items[i] = (uc_str){text.data, text.size};
    }
    return uc_call_strings(call, 0, items, rank, shape);
}

const uc_op uc_op_string_concat = {
    .name = "StringConcat", .in = {2, 2}, .out = {1, 1}, .infer = infer_concat, .run = run_concat};

/* ---- StringSplit ---------------------------------------------------------------------------- */

static uncork_status infer_split(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK + 1];
    UC_TRY(expect_text(call, 0));
    if (call->out_count > 1) UC_TRY(uc_call_shape_like(call, 1, 0, UNCORK_INT64));
    if (x->rank < 0) return uc_call_shape(call, 0, UNCORK_STRING, -1, NULL);
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[x->rank] = UC_DIM_UNKNOWN;
    return uc_call_shape(call, 0, UNCORK_STRING, x->rank + 1, shape);
}

/* Cuts one text as Python's str.split does. */
typedef struct cutter {
    uc_str text, delimiter; /* empty: runs of white space */
    int64_t left;           /* cuts that may still be made; negative: any number */
    size_t at;
    bool done;
} cutter;

static void skip_space(cutter *c)
{
    while (c->at < c->text.size) {
        size_t next = c->at;
        if (!uc_text_is_space(uc_utf8_next(c->text, &next))) return;
        c->at = next;
    }
}

static bool next_word(cutter *c, uc_str *part)
{
    skip_space(c);
    if (c->at >= c->text.size) return false;
    size_t begin = c->at, end = c->at;
    if (c->left == 0) end = c->text.size;
    while (end < c->text.size) {
        size_t next = end;
        if (uc_text_is_space(uc_utf8_next(c->text, &next))) break;
        end = next;
    }
    c->left--;
    c->at = end;
    *part = (uc_str){c->text.data + begin, end - begin};
    return true;
}

static bool next_part(cutter *c, uc_str *part)
{
    if (c->delimiter.size == 0) return next_word(c, part);
    if (c->done) return false;
    size_t begin = c->at, size = c->delimiter.size, end = begin;
    bool found = false;
    for (; c->left != 0 && !found && end + size <= c->text.size; end += !found) {
        found = memcmp(c->text.data + end, c->delimiter.data, size) == 0;
    }
    if (!found) end = c->text.size;
    c->done = !found;
    c->left--;
    c->at = end + size;
    *part = (uc_str){c->text.data + begin, end - begin};
    return true;
}

static cutter cutter_of(const uc_call *call, int64_t i)
{
    return (cutter){.text = uc_tensor_string(uc_call_arg(call, 0), i),
                    .delimiter = uc_call_str(call, "delimiter", ""),
                    .left = uc_call_int(call, "maxsplit", -1)};
}

static uncork_status run_split(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK + 1], most = 0, n = uc_tensor_count(x);
    int64_t *counts = uc_call_scratch(call, (size_t)n, sizeof *counts);
    uc_str part;
    if (!counts) return call->error->status;
    for (int64_t i = 0; i < n; i++) {
        counts[i] = 0;
        for (cutter c = cutter_of(call, i); next_part(&c, &part);)
            counts[i]++;
        if (counts[i] > most) most = counts[i];
    }
    size_t total = 0;
    if (!uc_mul_size((size_t)n, (size_t)most, &total)) {
        return uc_call_fail(call, UNCORK_LIMIT, "too many parts");
    }
    uc_str *items = uc_call_scratch(call, total, sizeof *items);
    if (!items) return call->error->status;
    memset(items, 0, total * sizeof *items);
    for (int64_t i = 0; i < n; i++) {
        uc_str *to = items + i * most;
        for (cutter c = cutter_of(call, i); next_part(&c, &part);)
            *to++ = part;
    }
    if (call->out_count > 1 && call->out[1]) {
        uc_tensor *z = uc_call_out(call, 1);
        if (!z) return call->error->status;
        if (n) memcpy(z->data, counts, (size_t)n * sizeof *counts);
    }
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[x->rank] = most;
    return uc_call_strings(call, 0, items, x->rank + 1, shape);
}

const uc_op uc_op_string_split = {
    .name = "StringSplit", .in = {1, 1}, .out = {1, 2}, .infer = infer_split, .run = run_split};

/* ---- StringNormalizer ----------------------------------------------------------------------- */

typedef enum letters { KEEP, LOWER, UPPER } letters;

static uncork_status read_case(uc_call *call, letters *how)
{
    uc_str name = uc_call_str(call, "case_change_action", "NONE");
    *how = uc_str_is(name, "LOWER") ? LOWER : uc_str_is(name, "UPPER") ? UPPER : KEEP;
    if (*how != KEEP || uc_str_is(name, "NONE")) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED,
                        "case_change_action '%.*s' isn't LOWER, UPPER or NONE",
                        (int)(name.size < 40 ? name.size : 40), name.data);
}

static uncork_status infer_normalizer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[2] = {1, UC_DIM_UNKNOWN};
    letters how;
    UC_TRY(expect_text(call, 0));
    UC_TRY(read_case(call, &how));
    if (x->rank < 0) return uc_call_shape(call, 0, UNCORK_STRING, -1, NULL);
    bool fits = x->rank == 1 || (x->rank == 2 && x->shape[0] <= 1 && x->shape[0] != 0);
    if (!fits) {
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT, "texts of shape %s, expected [n] or [1, n]",
                            uc_shape_text(x->shape, x->rank, text, sizeof text));
    }
    return uc_call_shape(call, 0, UNCORK_STRING, x->rank, shape + 2 - x->rank);
}

static bool change_case(uc_arena *arena, uc_str from, letters how, uc_str *to)
{
    uc_text_buffer text = {0};
    *to = from;
    if (how == KEEP) return true;
    for (size_t at = 0; at < from.size;) {
        char bytes[4];
        int32_t c = (int32_t)uc_utf8_next(from, &at);
        uint32_t changed = (uint32_t)(how == LOWER ? utf8proc_tolower(c) : utf8proc_toupper(c));
        uc_str one = {bytes, uc_utf8_put(changed, bytes)};
        if (!uc_text_append(arena, &text, one)) return false;
    }
    *to = (uc_str){text.data, text.size};
    return true;
}

/* The stop words, in the case they are compared in. */
static uc_table *stop_words(uc_call *call, letters how)
{
    const uc_attr *words = uc_call_attr(call, "stopwords");
    uc_table *table = uc_table_new(call->arena);
    bool listed = words && words->kind == UC_ATTR_STRINGS;
    for (size_t i = 0; table && listed && i < words->count; i++) {
        uc_str word;
        if (!change_case(call->arena, words->strings[i], how, &word)) return NULL;
        if (!uc_table_put(table, word, table)) return NULL;
    }
    return table;
}

static uncork_status run_normalizer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    letters how;
    int64_t shape[2] = {1, 0}, n = uc_tensor_count(x);
    UC_TRY(read_case(call, &how));
    /* Compared as written, or both in one case. */
    bool as_written = uc_call_int(call, "is_case_sensitive", 0) != 0;
    letters compared = as_written ? KEEP : how == UPPER ? UPPER : LOWER;
    const uc_table *stops = stop_words(call, compared);
    uc_str *items = uc_call_scratch(call, (size_t)n + 1, sizeof *items);
    if (!stops || !items) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < n; i++) {
        uc_str text = uc_tensor_string(x, i), key;
        if (!change_case(call->arena, text, compared, &key)) {
            return uc_arena_status(call->arena, call->error);
        }
        if (uc_table_find(stops, key)) continue;
        if (!change_case(call->arena, text, how, &items[shape[1]++])) {
            return uc_arena_status(call->arena, call->error);
        }
    }
    if (shape[1] == 0) items[shape[1]++] = (uc_str){"", 0}; /* never empty */
    return uc_call_strings(call, 0, items, x->rank, shape + 2 - x->rank);
}

const uc_op uc_op_string_normalizer = {.name = "StringNormalizer",
                                       .in = {1, 1},
                                       .out = {1, 1},
                                       .infer = infer_normalizer,
                                       .run = run_normalizer};
