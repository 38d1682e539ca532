/* Constants that aren't plain numbers: texts, and tensors that leave zeros out.
 * Source: tensorflow/lite/string_util.h, tensorflow/lite/kernels/internal/utils/sparsity_format_converter.cc */
#include "import/tflite/tflite.h"

#include <inttypes.h>

/* ---- texts --------------------------------------------------------------------------------------- */

static uint32_t u32_at(uc_bytes b, size_t i)
{
    uint32_t v;
    memcpy(&v, b.data + 4 * i, sizeof v);
    return v;
}

/* How many, where each begins, where the last ends, all from the first byte on. */
const uc_tensor *uc_tfl_texts(uc_arena *arena, const uc_tfl_tensor *t)
{
    const uc_bytes b = t->data;
    size_t count;
    if (!uc_shape_count(t->shape, t->rank, &count) || b.size < 8) return NULL;
    if (u32_at(b, 0) != count || count > (b.size - 8) / 4) return NULL;
    uc_str *items = UC_NEW(arena, uc_str, count + 1);
    for (size_t i = 0; items && i < count; i++) {
        const uint32_t from = u32_at(b, 1 + i), to = u32_at(b, 2 + i);
        if (from > to || to > b.size) return NULL;
        items[i] = (uc_str){(const char *)b.data + from, to - from};
    }
    return items ? uc_tensor_strings(arena, items, t->rank, t->shape) : NULL;
}

/* ---- tensors without their zeros -------------------------------------------------------------------- */

enum { MOST_LEVELS = 2 * UNCORK_MAX_RANK };

typedef struct level {
    bool sparse;
    int64_t size;
    uc_fb_vector segments, indices;
    int place; /* in the order of the dimensions, blocks behind them */
} level;

typedef struct sparse {
    level levels[MOST_LEVELS];
    int count, rank;
    const uc_tfl_tensor *t;
    int64_t block_of[MOST_LEVELS]; /* the dimension that a block divides */
    int64_t at[MOST_LEVELS];
    size_t size, read; /* bytes of an element; elements read */
    uint8_t *to;
    bool ok;
} sparse;

static uc_fb_vector index_vector(uc_fb_table d, unsigned type)
{
    static const unsigned sizes[] = {0, 4, 2, 1};
    const int64_t kind = uc_fb_int(d, type, 1, 0);
    const uc_fb_table v = uc_fb_child(d, type + 1);
    return uc_fb_vec(v, 0, kind >= 1 && kind <= 3 ? sizes[kind] : 4);
}

static bool read_levels(sparse *s, uc_fb_table table)
{
    const uc_fb_vector order = uc_fb_vec(table, 0, 4), blocks = uc_fb_vec(table, 1, 4);
    const uc_fb_vector dims = uc_fb_vec(table, 2, 4);
    s->count = (int)order.count;
    if (order.count != dims.count || order.count > MOST_LEVELS ||
        order.count != (size_t)s->rank + blocks.count) {
        return false;
    }
    for (size_t i = 0; i < blocks.count; i++) {
        s->block_of[i] = uc_fb_vec_int(blocks, i);
        if (s->block_of[i] < 0 || s->block_of[i] >= s->rank) return false;
    }
    for (int i = 0; i < s->count; i++) {
        const uc_fb_table d = uc_fb_vec_table(dims, (size_t)i);
        level *l = &s->levels[i];
        l->place = (int)uc_fb_vec_int(order, (size_t)i);
        if (l->place < 0 || l->place >= s->count || (i < s->rank) != (l->place < s->rank))
            return false;
        l->sparse = uc_fb_int(d, 0, 1, 0) == 1;
        l->size = uc_fb_int(d, 1, 4, 0);
        if (l->size < 0) return false;
        if (!l->sparse) continue;
        l->segments = index_vector(d, 2);
        l->indices = index_vector(d, 4);
    }
    return true;
}

static void place_element(sparse *s)
{
    int64_t at[UNCORK_MAX_RANK], flat = 0;
    for (int i = 0; i < s->rank; i++) {
        at[s->levels[i].place] = s->at[i];
    }
    for (int i = s->rank; i < s->count; i++) {
        const int64_t d = s->block_of[s->levels[i].place - s->rank];
        if (__builtin_mul_overflow(at[d], s->levels[i].size, &at[d])) s->ok = false;
        at[d] += s->at[i];
    }
    for (int d = 0; d < s->rank && s->ok; d++) {
        s->ok = at[d] >= 0 && at[d] < s->t->shape[d];
        flat = flat * s->t->shape[d] + at[d];
    }
    if (!s->ok || s->read >= s->t->data.size / s->size) {
        s->ok = false;
        return;
    }
    memcpy(s->to + (size_t)flat * s->size, s->t->data.data + s->read * s->size, s->size);
    s->read++;
}

static void fill(sparse *s, int depth, int64_t before)
{
    if (depth == s->count) {
        place_element(s);
        return;
    }
    const level *l = &s->levels[depth];
    int64_t from = 0, to = l->size;
    if (l->sparse) {
        s->ok = before >= 0 && (uint64_t)before + 1 < l->segments.count;
        if (!s->ok) return;
        from = uc_fb_vec_int(l->segments, (size_t)before);
        to = uc_fb_vec_int(l->segments, (size_t)before + 1);
        s->ok = from >= 0 && to >= from && (uint64_t)to <= l->indices.count;
    }
    for (int64_t i = from; i < to && s->ok; i++) {
        s->at[depth] = l->sparse ? uc_fb_vec_int(l->indices, (size_t)i) : i;
        fill(s, depth + 1, l->sparse ? i : before * l->size + i);
    }
}

const uc_tensor *uc_tfl_dense(uc_arena *arena, uc_fb fb, const uc_tfl_tensor *t)
{
    sparse *s = UC_NEW(arena, sparse, 1);
    uc_fb_table table = t->sparsity;
    table.fb = &fb;
    uc_tensor *y = uc_tensor_new(arena, t->dtype, t->rank, t->shape);
    if (!s || !y || !uc_dtype_size(t->dtype)) return NULL;
    *s = (sparse){.rank = t->rank, .t = t, .size = uc_dtype_size(t->dtype), .ok = true};
    s->to = y->data;
    if (!read_levels(s, table) || !uc_fb_ok(&fb)) return NULL;
    fill(s, 0, 0);
    return s->ok && uc_fb_ok(&fb) ? y : NULL;
}
