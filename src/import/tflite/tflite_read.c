/* The FlatBuffer of a TensorFlow Lite file into records, every index checked.
 * Source: schema.fbs of TensorFlow 2.21 (schema version 3); numbers of members are its order. */
#include "import/tflite/tflite.h"

#include <float.h>
#include <inttypes.h>

typedef struct reading {
    uc_tfl_file *file;
    uc_bytes bytes;
    uc_arena *arena;
    uncork_error *error;
    uc_bytes *buffers;
    size_t buffer_count;
    uc_fb_vector codes;
    uc_tfl_operator *kinds; /* per operator code: row and name */
    size_t code_count;
} reading;

static uncork_dtype dtype_of(int64_t type)
{
    static const uncork_dtype types[] = {UNCORK_FLOAT32,
                                         UNCORK_FLOAT16,
                                         UNCORK_INT32,
                                         UNCORK_UINT8,
                                         UNCORK_INT64,
                                         UNCORK_STRING,
                                         UNCORK_BOOL,
                                         UNCORK_INT16,
                                         UNCORK_COMPLEX64,
                                         UNCORK_INT8,
                                         UNCORK_FLOAT64,
                                         UNCORK_COMPLEX128,
                                         UNCORK_UINT64,
                                         0,
                                         0,
                                         UNCORK_UINT32,
                                         UNCORK_UINT16,
                                         UNCORK_INT4,
                                         UNCORK_BFLOAT16,
                                         UNCORK_INT2,
                                         UNCORK_UINT4};
    return type >= 0 && (size_t)type < sizeof types / sizeof types[0] ? types[type] : 0;
}

static uncork_status malformed(reading *r, const char *what, size_t i)
{
    return uc_fail(r->error, UNCORK_MALFORMED, UC_NO_OFFSET, "%s %zu isn't there", what, i);
}

static uncork_status ok(reading *r)
{
    return uc_fb_ok(&r->file->fb) ? uc_arena_status(r->arena, r->error) : r->error->status;
}

/* ---- buffers --------------------------------------------------------------------------------- */

static uncork_status read_buffers(reading *r, uc_fb_table model)
{
    const uc_fb_vector v = uc_fb_vec(model, 4, 4);
    UC_TRY(ok(r));
    r->buffers = UC_NEW(r->arena, uc_bytes, v.count);
    if (!r->buffers) return ok(r);
    r->buffer_count = v.count;
    for (size_t i = 0; i < v.count; i++) {
        const uc_fb_table b = uc_fb_vec_table(v, i);
        const uint64_t offset = uc_fb_uint(b, 1, 8, 0), size = uc_fb_uint(b, 2, 8, 0);
        const uc_fb_vector data = uc_fb_vec(b, 0, 1);
        UC_TRY(ok(r));
        r->buffers[i] = (uc_bytes){data.data, data.count};
        if (offset <= 1) continue;
        /* Files above 2 GB keep their data behind the FlatBuffer. */
        if (offset > r->bytes.size || size > r->bytes.size - offset) {
            return uc_fail(r->error, UNCORK_MALFORMED, offset,
                           "buffer %zu (%" PRIu64 " bytes) lies outside of the file", i, size);
        }
        r->buffers[i] = (uc_bytes){r->bytes.data + offset, (size_t)size};
    }
    return UNCORK_OK;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static uncork_status read_quantization(reading *r, uc_fb_table q, uc_tfl_tensor *t, size_t index)
{
    const uc_fb_vector scale = uc_fb_vec(q, 2, 4), zero = uc_fb_vec(q, 3, 8);
    t->axis = uc_fb_int(q, 6, 4, 0);
    UC_TRY(ok(r));
    if (scale.count == 0) return UNCORK_OK;
    float *s = UC_NEW(r->arena, float, scale.count);
    int64_t *z = UC_NEW(r->arena, int64_t, scale.count);
    if (!s || !z) return ok(r);
    if (zero.count != scale.count && zero.count > 1) {
        return uc_fail(r->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "tensor %zu (%s) has %zu scales and %zu zero points", index, t->name,
                       scale.count, zero.count);
    }
    for (size_t i = 0; i < scale.count; i++) {
        s[i] = uc_fb_vec_float(scale, i);
        if (zero.count) z[i] = uc_fb_vec_int(zero, zero.count == 1 ? 0 : i);
        if (s[i] >= 0 && s[i] <= FLT_MAX && z[i] >= INT32_MIN && z[i] <= INT32_MAX) continue;
        return uc_fail(r->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "tensor %zu (%s) has the scale %g and the zero point %" PRId64, index,
                       t->name, (double)s[i], z[i]);
    }
    t->scale = s;
    t->zero = z;
    t->scales = scale.count;
    return UNCORK_OK;
}

static uncork_status read_shape(reading *r, uc_fb_table table, uc_tfl_tensor *t, size_t index)
{
    const uc_fb_vector shape = uc_fb_vec(table, 0, 4), free = uc_fb_vec(table, 7, 4);
    const bool has_rank = uc_fb_bool(table, 8, false);
    UC_TRY(ok(r));
    if (shape.count > UNCORK_MAX_RANK) {
        return uc_fail(r->error, UNCORK_LIMIT, UC_NO_OFFSET, "tensor %zu (%s) has %zu dimensions",
                       index, t->name, shape.count);
    }
    t->rank = (int)shape.count;
    t->shape = UC_NEW(r->arena, int64_t, shape.count + 1);
    if (!t->shape) return ok(r);
    for (size_t i = 0; i < shape.count; i++) {
        t->shape[i] = uc_fb_vec_int(shape, i);
        if (t->shape[i] < 0) {
            return uc_fail(r->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                           "tensor %zu (%s) has the dimension %" PRId64, index, t->name,
                           t->shape[i]);
        }
        if (free.count == shape.count && uc_fb_vec_int(free, i) < 0) t->shape[i] = -1;
    }
    (void)has_rank;
    return UNCORK_OK;
}

static uncork_status check_data(reading *r, const uc_tfl_tensor *t, size_t index)
{
    size_t bytes;
    if (!t->data.data || t->is_sparse || t->dtype == UNCORK_STRING) return UNCORK_OK;
    if (!t->dtype || !uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes) ||
        bytes != t->data.size) {
        char text[128];
        return uc_fail(r->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "tensor %zu (%s, %s %s) has %zu bytes of data", index, t->name,
                       uc_dtype_name(t->dtype), uc_shape_text(t->shape, t->rank, text, sizeof text),
                       t->data.size);
    }
    return UNCORK_OK;
}

static uncork_status read_tensor(reading *r, uc_fb_table table, uc_tfl_tensor *t, size_t index)
{
    const uc_str name = uc_fb_str(table, 3);
    const uint64_t buffer = uc_fb_uint(table, 2, 4, 0);
    t->name = uc_arena_copy(r->arena, name.data, name.size);
    t->dtype = dtype_of(uc_fb_int(table, 1, 1, 0));
    t->is_variable = uc_fb_bool(table, 5, false);
    t->is_sparse = uc_fb_has(table, 6);
    if (t->is_sparse) t->sparsity = uc_fb_child(table, 6);
    if (!t->name) return ok(r);
    if (buffer >= r->buffer_count && buffer > 0) return malformed(r, "buffer", (size_t)buffer);
    if (buffer > 0) t->data = r->buffers[buffer];
    if (!t->data.size) t->data.data = NULL;
    if (uc_fb_uint(table, 10, 4, 0)) {
        return uc_fail(r->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "tensor %zu (%s) has its data in another file", index, t->name);
    }
    UC_TRY(read_shape(r, table, t, index));
    UC_TRY(read_quantization(r, uc_fb_child(table, 4), t, index));
    return check_data(r, t, index);
}

/* ---- operators ------------------------------------------------------------------------------- */

static const uc_tfl_row customs[] = {
    {32, "TFLite_Detection_PostProcess", uc_tfl_detection_post_process, NULL},
    {32, "Convolution2DTransposeBias", uc_tfl_conv_transpose_bias, NULL},
    {32, "MaxPoolingWithArgmax2D", uc_tfl_max_pool_argmax, NULL},
    {32, "MaxUnpooling2D", uc_tfl_max_unpooling, NULL},
};

static const uc_tfl_row select_tf = {32, "Flex", uc_tfl_select_tf, NULL};

static uncork_status read_codes(reading *r, uc_fb_table model)
{
    const uc_fb_vector v = uc_fb_vec(model, 1, 4);
    UC_TRY(ok(r));
    r->kinds = UC_NEW(r->arena, uc_tfl_operator, v.count);
    if (!r->kinds) return ok(r);
    r->code_count = v.count;
    for (size_t i = 0; i < v.count; i++) {
        const uc_fb_table t = uc_fb_vec_table(v, i);
        const int64_t old = uc_fb_int(t, 0, 1, 0), now = uc_fb_int(t, 3, 4, 0);
        const uc_str custom = uc_fb_str(t, 1);
        const int64_t code = old > now ? old : now;
        UC_TRY(ok(r));
        uc_tfl_operator *kind = &r->kinds[i];
        if (code == 32) {
            kind->name = uc_arena_copy(r->arena, custom.data, custom.size);
            for (size_t k = 0; k < sizeof customs / sizeof customs[0]; k++) {
                if (uc_str_is(custom, customs[k].name)) kind->row = &customs[k];
            }
            if (custom.size > 4 && memcmp(custom.data, "Flex", 4) == 0) kind->row = &select_tf;
            continue;
        }
        kind->row = code >= 0 && code < 1000 ? uc_tfl_row_find((int)code) : NULL;
        kind->name = kind->row ? kind->row->name : uc_tfl_code_name(code);
        if (!kind->name) kind->name = uc_arena_printf(r->arena, "builtin %" PRId64, code);
    }
    return ok(r);
}

/* Indices of tensors; -1 where `absent` allows it. */
static uncork_status read_indices(reading *r, uc_fb_vector v, size_t tensors, bool absent,
                                  const int32_t **items, size_t *count)
{
    UC_TRY(ok(r));
    int32_t *to = UC_NEW(r->arena, int32_t, v.count);
    if (!to) return ok(r);
    for (size_t i = 0; i < v.count; i++) {
        const int64_t at = uc_fb_vec_int(v, i);
        if (at < (absent ? -1 : 0) || at >= (int64_t)tensors) {
            return uc_fail(r->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                           "tensor %" PRId64 " isn't there", at);
        }
        to[i] = (int32_t)at;
    }
    *items = to;
    *count = v.count;
    return UNCORK_OK;
}

static uncork_status read_operator(reading *r, uc_fb_table t, uc_tfl_operator *op, size_t tensors)
{
    const uint64_t code = uc_fb_uint(t, 0, 4, 0);
    UC_TRY(ok(r));
    if (code >= r->code_count) return malformed(r, "operator code", (size_t)code);
    *op = r->kinds[code];
    UC_TRY(read_indices(r, uc_fb_vec(t, 1, 4), tensors, true, &op->in, &op->in_count));
    UC_TRY(read_indices(r, uc_fb_vec(t, 2, 4), tensors, false, &op->out, &op->out_count));
    op->options = uc_fb_child(t, uc_fb_has(t, 12) ? 12 : 4);
    const uc_fb_vector custom = uc_fb_vec(t, 5, 1);
    op->custom = (uc_bytes){custom.data, custom.count};
    const uint64_t offset = uc_fb_uint(t, 9, 8, 0), size = uc_fb_uint(t, 10, 8, 0);
    UC_TRY(ok(r));
    if (offset > 1) {
        if (offset > r->bytes.size || size > r->bytes.size - offset) {
            return uc_fail(r->error, UNCORK_MALFORMED, offset,
                           "options of %s lie outside of the file", op->name);
        }
        op->custom = (uc_bytes){r->bytes.data + offset, (size_t)size};
    }
    return UNCORK_OK;
}

static uncork_status read_subgraph(reading *r, uc_fb_table t, uc_tfl_subgraph *g)
{
    const uc_fb_vector tensors = uc_fb_vec(t, 0, 4), operators = uc_fb_vec(t, 3, 4);
    UC_TRY(ok(r));
    g->tensors = UC_NEW(r->arena, uc_tfl_tensor, tensors.count);
    g->operators = UC_NEW(r->arena, uc_tfl_operator, operators.count);
    if (!g->tensors || !g->operators) return ok(r);
    g->tensor_count = tensors.count;
    g->operator_count = operators.count;
    for (size_t i = 0; i < tensors.count; i++) {
        UC_TRY(read_tensor(r, uc_fb_vec_table(tensors, i), &g->tensors[i], i));
        UC_TRY(ok(r));
    }
    UC_TRY(read_indices(r, uc_fb_vec(t, 1, 4), tensors.count, false, &g->in, &g->in_count));
    UC_TRY(read_indices(r, uc_fb_vec(t, 2, 4), tensors.count, false, &g->out, &g->out_count));
    for (size_t i = 0; i < operators.count; i++) {
        UC_TRY(read_operator(r, uc_fb_vec_table(operators, i), &g->operators[i], tensors.count));
    }
    return ok(r);
}

/* ---- signatures, metadata -------------------------------------------------------------------- */

static const char **read_names(reading *r, uc_fb_vector maps, const int32_t *tensors, size_t count)
{
    const char **names = UC_NEW(r->arena, const char *, count + 1);
    for (size_t i = 0; names && i < maps.count; i++) {
        const uc_fb_table m = uc_fb_vec_table(maps, i);
        const uc_str name = uc_fb_str(m, 0);
        const uint64_t tensor = uc_fb_uint(m, 1, 4, 0);
        for (size_t k = 0; k < count; k++) {
            if (names[k] || (uint64_t)tensors[k] != tensor) continue;
            names[k] = uc_arena_copy(r->arena, name.data, name.size);
            break;
        }
    }
    return names;
}

static uncork_status read_signatures(reading *r, uc_fb_table model)
{
    uc_tfl_file *f = r->file;
    const uc_fb_vector v = uc_fb_vec(model, 7, 4);
    UC_TRY(ok(r));
    f->signatures = UC_NEW(r->arena, uc_tfl_signature, v.count);
    if (!f->signatures) return ok(r);
    for (size_t i = 0; i < v.count; i++) {
        const uc_fb_table t = uc_fb_vec_table(v, i);
        uc_tfl_signature *s = &f->signatures[i];
        const uc_str key = uc_fb_str(t, 2);
        s->key = uc_arena_copy(r->arena, key.data, key.size);
        s->subgraph = (size_t)uc_fb_uint(t, 4, 4, 0);
        const uc_fb_vector in = uc_fb_vec(t, 0, 4), out = uc_fb_vec(t, 1, 4);
        UC_TRY(ok(r));
        if (s->subgraph >= f->subgraph_count) return malformed(r, "subgraph", s->subgraph);
        const uc_tfl_subgraph *g = &f->subgraphs[s->subgraph];
        s->in = read_names(r, in, g->in, g->in_count);
        s->out = read_names(r, out, g->out, g->out_count);
        UC_TRY(ok(r));
    }
    f->signature_count = v.count;
    return UNCORK_OK;
}

static uncork_status read_metadata(reading *r, uc_fb_table model)
{
    uc_tfl_file *f = r->file;
    const uc_fb_vector v = uc_fb_vec(model, 6, 4);
    UC_TRY(ok(r));
    f->metadata = UC_NEW(r->arena, uc_tfl_metadata, v.count);
    for (size_t i = 0; f->metadata && i < v.count; i++) {
        const uc_fb_table t = uc_fb_vec_table(v, i);
        const uint64_t buffer = uc_fb_uint(t, 1, 4, 0);
        f->metadata[i].name = uc_fb_str(t, 0);
        if (buffer < r->buffer_count) f->metadata[i].data = r->buffers[buffer];
    }
    f->metadata_count = v.count;
    return ok(r);
}

uncork_status uc_tfl_read(uc_bytes bytes, uc_arena *arena, uc_tfl_file *file, uncork_error *error)
{
    reading r = {.file = file, .bytes = bytes, .arena = arena, .error = error};
    uc_fb_table model;
    if (!uc_fb_open(&file->fb, bytes, 0, error, &model)) return error->status;
    const uint64_t version = uc_fb_uint(model, 0, 4, 0);
    if (uc_fb_ok(&file->fb) && version != 3) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "a TensorFlow Lite file of schema version %" PRIu64 "; 3 is read", version);
    }
    const uc_str description = uc_fb_str(model, 3);
    file->description = uc_arena_copy(arena, description.data, description.size);
    UC_TRY(read_buffers(&r, model));
    UC_TRY(read_codes(&r, model));
    const uc_fb_vector subgraphs = uc_fb_vec(model, 2, 4);
    UC_TRY(ok(&r));
    if (subgraphs.count == 0) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the file holds no graph");
    }
    file->subgraphs = UC_NEW(arena, uc_tfl_subgraph, subgraphs.count);
    if (!file->subgraphs) return ok(&r);
    file->subgraph_count = subgraphs.count;
    for (size_t i = 0; i < subgraphs.count; i++) {
        UC_TRY(read_subgraph(&r, uc_fb_vec_table(subgraphs, i), &file->subgraphs[i]));
    }
    UC_TRY(read_signatures(&r, model));
    return read_metadata(&r, model);
}
