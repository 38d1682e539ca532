/* ParseExample: serialized tf.Examples to dense, sparse and ragged tensors. The three ops of TensorFlow come
 * here in one form (import/tensorflow/tf_op_example.c).
 *
 * Source: tensorflow/core/util/example_proto_fast_parsing.cc; core/example/{example,feature}.proto.
 * serialized  string [N], or one string (single)
 * defaults    one a dense key: empty where the key must be there
 * attributes  sparse_keys, sparse_types, dense_keys, dense_types, dense_shapes (rank, then dimensions, of
 *             each; a first one of -1 has as many as come), ragged_keys, ragged_types, ragged_splits
 * outputs     sparse indices..., values..., shapes..., dense..., ragged values..., splits... */
#include "container/protobuf.h"
#include "op/ext/tf_call.h"

#include <inttypes.h>

typedef struct keys {
    const uc_str *names;
    const int64_t *types, *more; /* more: shapes, or types of splits */
    size_t count, more_count;
} keys;

static uncork_status read_keys(uc_call *call, const char *names, const char *types,
                               const char *more, keys *k)
{
    const uc_attr *a = uc_call_attr(call, names);
    size_t n = 0;
    k->count = a && a->kind == UC_ATTR_STRINGS ? a->count : 0;
    k->names = k->count ? a->strings : NULL;
    k->types = uc_call_ints(call, types, &n);
    k->more = uc_call_ints(call, more, &k->more_count);
    return n >= k->count ? UNCORK_OK
                         : uc_call_fail(call, UNCORK_MALFORMED, "%s has %zu entries, not %zu",
                                        types, n, k->count);
}

typedef struct spec {
    keys sparse, dense, ragged;
    bool single;
} spec;

static uncork_status read_spec(uc_call *call, spec *s)
{
    UC_TRY(read_keys(call, "sparse_keys", "sparse_types", "sparse_types", &s->sparse));
    UC_TRY(read_keys(call, "dense_keys", "dense_types", "dense_shapes", &s->dense));
    UC_TRY(read_keys(call, "ragged_keys", "ragged_types", "ragged_splits", &s->ragged));
    s->single = uc_call_int(call, "single", 0) != 0 || uc_call_arg(call, 0)->rank == 0;
    const size_t outs = 3 * s->sparse.count + s->dense.count + 2 * s->ragged.count;
    if (call->in_count != 1 + s->dense.count || call->out_count > outs ||
        s->ragged.more_count < s->ragged.count)
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu inputs, %zu outputs", call->in_count,
                            call->out_count);
    return UNCORK_OK;
}

/* Shape of dense key i in one example; false: there is none. */
static bool dense_shape(const spec *s, size_t i, int *rank, const int64_t **dims)
{
    size_t at = 0;
    for (size_t k = 0; at < s->dense.more_count; k++) {
        const int64_t r = s->dense.more[at++];
        if (r < 0 || r >= UNCORK_MAX_RANK || (size_t)r > s->dense.more_count - at) return false;
        *rank = (int)r;
        *dims = s->dense.more + at;
        if (k == i) return true;
        at += (size_t)r;
    }
    return false;
}

static uncork_status infer(uc_call *call)
{
    spec s;
    UC_TRY(read_spec(call, &s));
    const size_t n = s.sparse.count, base = 3 * n, after = base + s.dense.count;
    const int width = s.single ? 1 : 2;
    const uc_tensor *x = uc_call_arg(call, 0);
    for (size_t i = 0; i < n; i++) {
        const int64_t rows[] = {UC_DIM_UNKNOWN, width}, wide[] = {width};
        UC_TRY(uc_call_shape(call, i, UNCORK_INT64, 2, rows));
        UC_TRY(uc_tf_infer_open(call, n + i, (uncork_dtype)s.sparse.types[i], 1));
        UC_TRY(uc_call_shape(call, 2 * n + i, UNCORK_INT64, 1, wide));
    }
    for (size_t i = 0; i < s.dense.count; i++) {
        int64_t shape[UNCORK_MAX_RANK];
        const int64_t *dims;
        int rank = 0, lead = s.single ? 0 : 1;
        if (!dense_shape(&s, i, &rank, &dims))
            return uc_call_fail(call, UNCORK_MALFORMED, "dense key %zu has no shape", i);
        shape[0] = x->rank == 1 ? x->shape[0] : UC_DIM_UNKNOWN;
        for (int d = 0; d < rank; d++) {
            shape[lead + d] = dims[d] < 0 ? UC_DIM_UNKNOWN : dims[d];
        }
        UC_TRY(uc_call_shape(call, base + i, (uncork_dtype)s.dense.types[i], rank + lead, shape));
    }
    for (size_t i = 0; i < s.ragged.count; i++) {
        UC_TRY(uc_tf_infer_open(call, after + i, (uncork_dtype)s.ragged.types[i], 1));
        UC_TRY(
            uc_tf_infer_open(call, after + s.ragged.count + i, (uncork_dtype)s.ragged.more[i], 1));
    }
    return UNCORK_OK;
}

/* ---- one feature ----------------------------------------------------------------------------- */

/* Values of one key over all examples; ends[i]: how many there are up to example i. */
typedef struct column {
    uncork_dtype type;
    uc_tf_texts texts;
    uc_tf_numbers ints; /* or the bits of floats */
    int64_t *ends;
} column;

static size_t count_of(const column *c)
{
    return c->type == UNCORK_STRING ? c->texts.count : c->ints.count;
}

static bool read_list(uc_reader *r, uint32_t kind, column *c)
{
    uc_pb_field f;
    const uint32_t want = c->type == UNCORK_STRING ? 1 : c->type == UNCORK_FLOAT32 ? 2 : 3;
    if (kind != want) return false;
    while (uc_pb_next(r, &f)) {
        if (f.number != 1) continue;
        if (want == 1) {
            if (f.wire != UC_PB_BYTES) return false;
            uc_tf_texts_borrow(&c->texts, (uc_str){(const char *)f.bytes.data, f.bytes.size});
        } else if (f.wire != UC_PB_BYTES) {
            uc_tf_numbers_add(&c->ints, (int64_t)f.value);
        } else {
            uc_reader in = uc_reader_over(f.bytes.data, f.bytes.size, f.offset, r->error);
            while (uc_reader_left(&in) && uc_reader_ok(&in)) {
                uc_tf_numbers_add(&c->ints, want == 2 ? (int64_t)uc_reader_u32le(&in, "a number")
                                                      : (int64_t)uc_pb_varint(&in, "a number"));
            }
            if (!uc_reader_ok(&in)) return false;
        }
    }
    return uc_reader_ok(r);
}

/* Example {1 features {1 feature map {1 key, 2 value {1 bytes, 2 float, 3 int64 list}}}}: the last entry of a
 * key counts. */
static bool find_feature(uc_bytes example, uc_str key, uc_bytes *found, uncork_error *error)
{
    uc_reader r = uc_reader_over(example.data, example.size, 0, error);
    uc_pb_field f, entry, part;
    while (uc_pb_next(&r, &f)) {
        if (f.number != 1 || f.wire != UC_PB_BYTES) continue;
        uc_reader features = uc_reader_over(f.bytes.data, f.bytes.size, f.offset, error);
        while (uc_pb_next(&features, &entry)) {
            if (entry.number != 1 || entry.wire != UC_PB_BYTES) continue;
            uc_reader in = uc_reader_over(entry.bytes.data, entry.bytes.size, entry.offset, error);
            uc_str name = {"", 0};
            uc_bytes value = {0};
            while (uc_pb_next(&in, &part)) {
                if (part.wire != UC_PB_BYTES) continue;
                if (part.number == 1)
                    name = (uc_str){(const char *)part.bytes.data, part.bytes.size};
                if (part.number == 2) value = part.bytes;
            }
            if (!uc_reader_ok(&in)) return false;
            if (uc_str_equal(name, key)) *found = value;
        }
        if (!uc_reader_ok(&features)) return false;
    }
    return uc_reader_ok(&r);
}

static uncork_status read_column(uc_call *call, uc_str key, uncork_dtype type, column *c)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int64_t n = uc_tensor_count(x);
    *c = (column){.type = type, .texts = {.call = call}, .ints = {.call = call}};
    c->ends = uc_call_scratch(call, (size_t)n + 1, sizeof *c->ends);
    if (!c->ends) return uc_fail_memory(call->error);
    if (type != UNCORK_STRING && type != UNCORK_FLOAT32 && type != UNCORK_INT64)
        return uc_call_fail(call, UNCORK_MALFORMED, "a feature of %s", uc_dtype_name(type));
    c->ends[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        const uc_str s = uc_tensor_string(x, i);
        uncork_error ignored;
        uc_bytes value = {0};
        uc_pb_field f;
        uc_error_init(&ignored);
        if (!find_feature((uc_bytes){.data = (const uint8_t *)s.data, .size = s.size}, key, &value,
                          &ignored))
            return uc_call_fail(call, UNCORK_INPUT, "Could not parse example input %" PRId64, i);
        uc_reader r = uc_reader_over(value.data, value.size, 0, &ignored);
        while (uc_pb_next(&r, &f)) {
            uc_reader in = uc_reader_over(f.bytes.data, f.bytes.size, f.offset, &ignored);
            if (f.wire == UC_PB_BYTES && !read_list(&in, f.number, c))
                return uc_call_fail(call, UNCORK_INPUT,
                                    "example %" PRId64 ", key '%.*s': Data types don't match", i,
                                    key.size < 60 ? (int)key.size : 60, key.data);
        }
        c->ends[i + 1] = (int64_t)count_of(c);
    }
    return c->texts.failed || c->ints.failed ? uc_arena_status(call->arena, call->error)
                                             : UNCORK_OK;
}

static void put_value(uc_tensor *y, int64_t at, const column *c, int64_t from)
{
    if (c->type == UNCORK_FLOAT32)
        ((float *)y->data)[at] = uc_pb_float((uint64_t)c->ints.items[from]);
    else
        ((int64_t *)y->data)[at] = c->ints.items[from];
}

static uncork_status give_values(uc_call *call, size_t out, const column *c)
{
    const int64_t n = (int64_t)count_of(c);
    uc_tensor *y = NULL;
    if (c->type == UNCORK_STRING)
        return uc_call_wants(call, out) ? uc_call_strings(call, out, c->texts.items, 1, &n)
                                        : UNCORK_OK;
    if (!uc_call_wants(call, out)) return UNCORK_OK;
    UC_TRY(uc_call_output(call, out, c->type, 1, &n, &y));
    for (int64_t i = 0; i < n; i++) {
        put_value(y, i, c, i);
    }
    return UNCORK_OK;
}

/* ---- the three kinds ------------------------------------------------------------------------- */

static uncork_status run_sparse(uc_call *call, const spec *s, size_t i)
{
    column c;
    uc_tf_numbers at = {.call = call}, shape = {.call = call};
    int64_t widest = 0;
    const int64_t n = uc_tensor_count(uc_call_arg(call, 0));
    UC_TRY(read_column(call, s->sparse.names[i], (uncork_dtype)s->sparse.types[i], &c));
    for (int64_t e = 0; e < n; e++) {
        for (int64_t k = c.ends[e]; k < c.ends[e + 1]; k++) {
            if (!s->single) uc_tf_numbers_add(&at, e);
            uc_tf_numbers_add(&at, k - c.ends[e]);
        }
        if (c.ends[e + 1] - c.ends[e] > widest) widest = c.ends[e + 1] - c.ends[e];
    }
    if (!s->single) uc_tf_numbers_add(&shape, n);
    uc_tf_numbers_add(&shape, widest);
    const int64_t rows[] = {(int64_t)count_of(&c), s->single ? 1 : 2};
    UC_TRY(uc_tf_numbers_give(&at, i, UNCORK_INT64, 2, rows));
    UC_TRY(give_values(call, s->sparse.count + i, &c));
    return uc_tf_numbers_give(&shape, 2 * s->sparse.count + i, UNCORK_INT64, 1, rows + 1);
}

static uncork_status run_dense(uc_call *call, const spec *s, size_t i)
{
    column c;
    const uc_tensor *otherwise = uc_call_arg(call, 1 + i);
    const int64_t n = uc_tensor_count(uc_call_arg(call, 0)), *dims;
    const size_t out = 3 * s->sparse.count + i;
    int rank = 0;
    int64_t shape[UNCORK_MAX_RANK];
    uc_tensor *y = NULL;
    if (!uc_call_wants(call, out)) return UNCORK_OK;
    UC_TRY(read_column(call, s->dense.names[i], (uncork_dtype)s->dense.types[i], &c));
    if (!dense_shape(s, i, &rank, &dims))
        return uc_call_fail(call, UNCORK_MALFORMED, "dense key %zu has no shape", i);
    const bool open = rank > 0 && dims[0] < 0;
    const int lead = s->single ? 0 : 1;
    shape[0] = n;
    memcpy(shape + lead, dims, (size_t)rank * sizeof *shape);
    const int64_t row = uc_tf_product(dims, open ? 1 : 0, rank);
    for (int64_t e = 0; open && e < n; e++) {
        const int64_t have = c.ends[e + 1] - c.ends[e];
        if (e == 0 || have / (row ? row : 1) > shape[lead]) shape[lead] = row ? have / row : 0;
    }
    if (row < 0 || !uc_shape_is_sane(UNCORK_INT64, rank + lead, shape))
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "dense key %zu has a shape of too many elements", i);
    const int64_t each = uc_tf_product(shape, lead, rank + lead),
                  defaults = uc_tensor_count(otherwise);
    uc_tf_texts texts = {.call = call};
    if (c.type != UNCORK_STRING) UC_TRY(uc_call_output(call, out, c.type, rank + lead, shape, &y));
    for (int64_t e = 0; e < n; e++) {
        const int64_t have = c.ends[e + 1] - c.ends[e];
        if (!open && have != each &&
            (have || defaults < 1 || (defaults != 1 && defaults != each) ||
             otherwise->dtype != c.type)) {
            const uc_str k = s->dense.names[i];
            return uc_call_fail(call, UNCORK_INPUT,
                                "example %" PRId64 ", key '%.*s': %" PRId64 " values, not %" PRId64,
                                e, k.size < 60 ? (int)k.size : 60, k.data, have, each);
        }
        for (int64_t j = 0; j < each; j++) {
            const bool own = j < have, given = !own && defaults > 0 && otherwise->dtype == c.type;
            const int64_t from = defaults == 1 ? 0 : j;
            if (c.type == UNCORK_STRING)
                uc_tf_texts_borrow(&texts, own     ? c.texts.items[c.ends[e] + j]
                                           : given ? uc_tensor_string(otherwise, from)
                                                   : (uc_str){"", 0});
            else if (own)
                put_value(y, e * each + j, &c, c.ends[e] + j);
            else
                memcpy((char *)y->data + (size_t)(e * each + j) * uc_dtype_size(c.type),
                       given ? (const char *)otherwise->data + (size_t)from * uc_dtype_size(c.type)
                             : "\0\0\0\0\0\0\0",
                       uc_dtype_size(c.type));
        }
    }
    return c.type == UNCORK_STRING ? uc_tf_texts_give(&texts, out, rank + lead, shape) : UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    spec s;
    UC_TRY(read_spec(call, &s));
    UC_TRY(uc_tf_want(call, 0, UNCORK_STRING, s.single ? -1 : 1));
    const int64_t n = uc_tensor_count(uc_call_arg(call, 0)), m = n + 1;
    if (s.single && n != 1) return uc_call_fail(call, UNCORK_INPUT, "one string is wanted");
    for (size_t i = 0; i < s.sparse.count; i++) {
        UC_TRY(run_sparse(call, &s, i));
    }
    for (size_t i = 0; i < s.dense.count; i++) {
        UC_TRY(run_dense(call, &s, i));
    }
    for (size_t i = 0; i < s.ragged.count; i++) {
        const size_t out = 3 * s.sparse.count + s.dense.count + i;
        column c;
        UC_TRY(read_column(call, s.ragged.names[i], (uncork_dtype)s.ragged.types[i], &c));
        UC_TRY(give_values(call, out, &c));
        uc_tf_numbers ends = {.call = call};
        for (int64_t e = 0; e <= n; e++) {
            uc_tf_numbers_add(&ends, c.ends[e]);
        }
        UC_TRY(
            uc_tf_numbers_give(&ends, out + s.ragged.count, (uncork_dtype)s.ragged.more[i], 1, &m));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_parse_example, "TfParseExample", 1, -1, -1, infer, run)
