/* Checkpoints of one file: SavedTensorSlices in a table. Key "" says what tensors there are; every other
 * value is a piece of one, as typed lists without a type or a shape of their own. */
#include "import/tensorflow/tf_checkpoint.h"

#include "import/tensorflow/tf_file.h"
#include "op/shape.h"

typedef struct piece {
    uc_tf_slice slice;
    uc_bytes data; /* a TensorProto */
    uint64_t offset;
    struct piece *next;
} piece;

typedef struct v1_tensor {
    int64_t type;
    int rank;
    int64_t *shape;
    piece *pieces;
} v1_tensor;

static bool fail(uncork_error *error, uint64_t offset, const char *what)
{
    uc_fail(error, UNCORK_MALFORMED, offset, "%s", what);
    return false;
}

/* SavedSliceMeta {1 name, 2 shape, 3 type, 4 slice}. */
static bool read_meta_tensor(uc_tf_checkpoint *c, uc_reader *r, const uc_pb_field *field,
                             uc_arena *arena, uncork_error *error)
{
    uc_pb_field f;
    uc_str name = {"", 0};
    v1_tensor *t = UC_NEW(arena, v1_tensor, 1);
    uc_reader in = uc_pb_message(r, field, 2, "a tensor's description");
    if (!t) return false;
    t->shape = UC_NEW(arena, int64_t, 1);
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) name = uc_pb_str(&in, &f, "a tensor's name");
        if (f.number == 3) t->type = (int64_t)f.value;
        if (f.number == 2 &&
            (f.wire != UC_PB_BYTES ||
             !uc_tf_shape_read(f.bytes, f.offset, arena, &t->rank, &t->shape, error)))
            return fail(error, f.offset, "a tensor's shape is broken");
    }
    if (!uc_reader_ok(&in)) return false;
    if (t->rank < 0 || !uc_shape_is_sane(uc_tf_dtype(t->type), t->rank, t->shape))
        return fail(error, field->offset, "a tensor's shape is broken");
    return uc_table_put(c->v1, name, t);
}

/* SavedSlice {1 name, 2 slice, 3 data}. */
static bool read_piece(uc_tf_checkpoint *c, uc_reader *r, const uc_pb_field *field, uc_arena *arena,
                       uncork_error *error)
{
    uc_pb_field f;
    uc_str name = {"", 0};
    piece *p = UC_NEW(arena, piece, 1);
    uc_reader in = uc_pb_message(r, field, 1, "a piece of a tensor");
    if (!p) return false;
    while (uc_pb_next(&in, &f)) {
        if (f.number == 1) name = uc_pb_str(&in, &f, "a tensor's name");
        if (f.number == 2 &&
            (f.wire != UC_PB_BYTES || !uc_tf_slice_read(f.bytes, f.offset, &p->slice, error)))
            return fail(error, f.offset, "a slice is broken");
        if (f.number == 3 && uc_pb_is(&in, &f, UC_PB_BYTES, "a tensor")) {
            p->data = f.bytes;
            p->offset = f.offset;
        }
    }
    if (!uc_reader_ok(&in)) return false;
    v1_tensor *t = uc_table_find(c->v1, name);
    if (!t) return fail(error, field->offset, "a piece belongs to no tensor");
    p->next = t->pieces;
    t->pieces = p;
    return true;
}

/* SavedTensorSlices {1 meta{1 tensor}, 2 data}. */
static bool read_value(uc_tf_checkpoint *c, const uc_sstable_entry *e, uc_arena *arena,
                       uncork_error *error)
{
    uc_pb_field f, m;
    uc_reader r = uc_reader_over(e->value.data, e->value.size, e->offset, error);
    while (uc_pb_next(&r, &f)) {
        if (f.number == 2 && !read_piece(c, &r, &f, arena, error)) return false;
        if (f.number != 1) continue;
        uc_reader in = uc_pb_message(&r, &f, 1, "the checkpoint's description");
        while (uc_pb_next(&in, &m)) {
            if (m.number == 1 && !read_meta_tensor(c, &in, &m, arena, error)) return false;
        }
        if (!uc_reader_ok(&in)) return false;
    }
    return uc_reader_ok(&r);
}

uncork_status uc_tf_v1_open(uc_tf_checkpoint *c, uc_arena *arena, uncork_error *error)
{
    c->v1 = uc_table_new(arena);
    bool ok = c->v1 != NULL;
    for (size_t i = 0; ok && i < c->table.count; i++) { /* "" is the first key */
        ok = read_value(c, &c->table.entries[i], arena, error);
    }
    if (ok) return UNCORK_OK;
    UC_TRY(uc_arena_status(arena, error));
    return uc_fail(error, UNCORK_MALFORMED, 0, "the checkpoint is broken");
}

uncork_status uc_tf_v1_tensor(const uc_tf_checkpoint *c, uc_str name, uc_arena *arena,
                              const uc_tensor **tensor, uncork_error *error)
{
    const v1_tensor *t = uc_table_find(c->v1, name);
    if (!t) return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the checkpoint doesn't hold it");
    const uncork_dtype dtype = uc_tf_dtype(t->type);
    uc_tensor *whole = NULL;
    for (const piece *p = t->pieces; p; p = p->next) {
        uc_tf_slice slice = p->slice;
        int64_t shape[UNCORK_MAX_RANK];
        const uc_tensor *part;
        if (slice.rank != t->rank)
            return uc_fail(error, UNCORK_MALFORMED, p->offset, "one of its pieces doesn't fit");
        for (int d = 0; d < t->rank; d++) {
            shape[d] = slice.length[d] < 0 ? t->shape[d] : slice.length[d];
        }
        UC_TRY(
            uc_tf_tensor_typed(p->data, p->offset, t->type, t->rank, shape, arena, &part, error));
        if (t->pieces->next == NULL && uc_tensor_count(part) >= 0 && dtype == UNCORK_STRING) {
            *tensor = part;
            return UNCORK_OK;
        }
        if (!whole) whole = uc_tensor_new(arena, dtype, t->rank, t->shape);
        if (!whole) return uc_arena_status(arena, error);
        if (!uc_tf_slice_put(whole, part, &slice))
            return uc_fail(error, UNCORK_MALFORMED, p->offset, "one of its pieces doesn't fit");
    }
    if (!whole)
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the checkpoint has no data of it");
    *tensor = whole;
    return UNCORK_OK;
}
