/* Source: scipy/sparse/_csr.py, _csc.py, _coo.py, _bsr.py, _dia.py, _lil.py, _dok.py. */
#include "container/sparse.h"

/* One entry: everything becomes a list of these, which is then sorted by row. */
typedef struct triples {
    int64_t count;
    int64_t *rows, *columns;
    double *values;
} triples;

typedef struct reading {
    const uc_pickle *value;
    uc_arena *arena;
    uncork_error *error;
    int64_t rows, columns;
} reading;

bool uc_sparse_is(const uc_pickle *value)
{
    static const char package[] = "scipy.sparse";
    return value && value->kind == UC_PICKLE_OBJECT && value->module.size >= sizeof package - 1 &&
           !memcmp(value->module.data, package, sizeof package - 1);
}

static uncork_status broken(const reading *r, const char *what)
{
    return uc_fail(r->error, UNCORK_MALFORMED, r->value->offset, "a sparse %.*s: %s",
                   (int)r->value->text.size, r->value->text.data, what);
}

static uncork_status no_memory(const reading *r)
{
    const uncork_status status = uc_arena_status(r->arena, r->error);
    return status != UNCORK_OK ? status : uc_fail_memory(r->error);
}

/* An attribute as a flat tensor of this type; NULL when it isn't there. */
static const uc_tensor *part(const reading *r, const char *name, uncork_dtype dtype)
{
    const uc_pickle *value = uc_pickle_attr(r->value, name);
    const uc_tensor *t = value ? uc_pickle_tensor(value, r->arena, r->error) : NULL;
    return t && t->dtype != UNCORK_STRING ? uc_tensor_cast(r->arena, t, dtype) : NULL;
}

static bool new_triples(const reading *r, triples *t, int64_t count)
{
    t->count = count;
    t->rows = UC_NEW(r->arena, int64_t, (size_t)count);
    t->columns = UC_NEW(r->arena, int64_t, (size_t)count);
    t->values = UC_NEW(r->arena, double, (size_t)count);
    return t->rows && t->columns && t->values;
}

static uncork_status read_shape(reading *r)
{
    const uc_pickle *shape = uc_pickle_attr(r->value, "_shape");
    if (!shape) {
        shape = uc_pickle_attr(r->value, "shape");
    }
    if (!shape || shape->kind != UC_PICKLE_TUPLE || shape->count < 1 || shape->count > 2) {
        return broken(r, "no shape (rows, columns)");
    }
    r->rows = 1; /* a one-dimensional array is one row */
    if (!uc_pickle_i64(uc_pickle_item(shape, shape->count - 1), &r->columns) ||
        (shape->count == 2 && !uc_pickle_i64(shape->items[0], &r->rows)) || r->rows < 0 ||
        r->columns < 0 || r->rows > INT64_MAX / 16) {
        return broken(r, "no shape (rows, columns)");
    }
    return UNCORK_OK;
}

/* ---- csr, csc, bsr -------------------------------------------------------------------------- */

/* data, indices, indptr: `major` runs of blocks, each block `height` by `width`. */
typedef struct compressed {
    const int64_t *indices, *indptr;
    const double *data;
    int64_t major, count;
} compressed;

static uncork_status read_compressed(const reading *r, int64_t major, int64_t minor,
                                     int64_t block_size, compressed *c)
{
    const uc_tensor *indptr = part(r, "indptr", UNCORK_INT64);
    const uc_tensor *indices = part(r, "indices", UNCORK_INT64);
    const uc_tensor *data = part(r, "data", UNCORK_FLOAT64);
    if (!indptr || !indices || !data) {
        return broken(r, "data, indices or indptr is missing or holds no numbers");
    }
    c->count = uc_tensor_count(indices);
    c->major = major;
    c->indices = (const int64_t *)indices->data;
    c->indptr = (const int64_t *)indptr->data;
    c->data = uc_tensor_doubles(data);
    if (uc_tensor_count(indptr) != major + 1 || c->indptr[0] != 0 || c->indptr[major] > c->count) {
        return broken(r, "indptr doesn't fit the shape and the number of indices");
    }
    for (int64_t i = 0; i < major; i++) {
        if (c->indptr[i] > c->indptr[i + 1]) {
            return broken(r, "indptr falls");
        }
    }
    c->count = c->indptr[major]; /* SciPy allows slack after it */
    if (uc_tensor_count(data) / block_size < c->count) {
        return broken(r, "fewer data than indices");
    }
    for (int64_t i = 0; i < c->count; i++) {
        if (c->indices[i] < 0 || c->indices[i] >= minor) {
            return broken(r, "an index beyond the shape");
        }
    }
    return UNCORK_OK;
}

static uncork_status read_csr(reading *r, uc_sparse *out)
{
    compressed c;
    UC_TRY(read_compressed(r, r->rows, r->columns, 1, &c));
    *out = (uc_sparse){.rows = r->rows,
                       .columns = r->columns,
                       .count = c.count,
                       .indptr = c.indptr,
                       .indices = c.indices,
                       .values = c.data};
    return UNCORK_OK;
}

static uncork_status read_csc(reading *r, triples *t)
{
    compressed c;
    UC_TRY(read_compressed(r, r->columns, r->rows, 1, &c));
    if (!new_triples(r, t, c.count)) {
        return no_memory(r);
    }
    for (int64_t j = 0; j < c.major; j++) {
        for (int64_t i = c.indptr[j]; i < c.indptr[j + 1]; i++) {
            t->rows[i] = c.indices[i];
            t->columns[i] = j;
            t->values[i] = c.data[i];
        }
    }
    return UNCORK_OK;
}

/* data is [blocks, height, width] */
static uncork_status read_bsr(reading *r, triples *t)
{
    const uc_tensor *data = part(r, "data", UNCORK_FLOAT64);
    const int64_t height = data && data->rank == 3 ? data->shape[1] : 0;
    const int64_t width = data && data->rank == 3 ? data->shape[2] : 0;
    if (height < 1 || width < 1 || r->rows % height || r->columns % width) {
        return broken(r, "blocks that don't divide the shape");
    }
    compressed c;
    int64_t count;
    UC_TRY(read_compressed(r, r->rows / height, r->columns / width, height * width, &c));
    if (__builtin_mul_overflow(c.count, height * width, &count) || !new_triples(r, t, count)) {
        return no_memory(r);
    }
    int64_t at = 0;
    for (int64_t i = 0; i < c.major; i++) {
        for (int64_t b = c.indptr[i]; b < c.indptr[i + 1]; b++) {
            for (int64_t y = 0; y < height; y++) {
                for (int64_t x = 0; x < width; x++, at++) {
                    t->rows[at] = i * height + y;
                    t->columns[at] = c.indices[b] * width + x;
                    t->values[at] = c.data[at];
                }
            }
        }
    }
    return UNCORK_OK;
}

/* ---- coo, dia, lil, dok --------------------------------------------------------------------- */

/* row and col, or (SciPy >= 1.13) coords = (row, col), of one-dimensional arrays (col,). */
static uncork_status read_coo(reading *r, triples *t)
{
    const uc_pickle *coords = uc_pickle_attr(r->value, "coords");
    const uc_tensor *index[2] = {NULL, NULL}, *data = part(r, "data", UNCORK_FLOAT64);
    if (coords && coords->kind == UC_PICKLE_TUPLE && coords->count >= 1 && coords->count <= 2) {
        for (size_t i = 0; i < coords->count; i++) {
            const uc_tensor *raw = uc_pickle_tensor(coords->items[i], r->arena, r->error);
            index[2 - coords->count + i] = raw && raw->dtype != UNCORK_STRING
                                               ? uc_tensor_cast(r->arena, raw, UNCORK_INT64)
                                               : NULL;
        }
    } else {
        index[0] = part(r, "row", UNCORK_INT64);
        index[1] = part(r, "col", UNCORK_INT64);
    }
    const int64_t count = data ? uc_tensor_count(data) : 0;
    const bool has_rows = index[0] || (coords && coords->count == 1);
    if (!data || !has_rows || !index[1] || (index[0] && uc_tensor_count(index[0]) != count) ||
        uc_tensor_count(index[1]) != count) {
        return broken(r, "data and coordinates of different lengths");
    }
    if (!new_triples(r, t, count)) {
        return no_memory(r);
    }
    for (int64_t i = 0; i < count; i++) {
        t->rows[i] = index[0] ? ((const int64_t *)index[0]->data)[i] : 0;
        t->columns[i] = ((const int64_t *)index[1]->data)[i];
        t->values[i] = uc_tensor_doubles(data)[i];
    }
    return UNCORK_OK;
}

/* data[k, j] is the element of column j on the diagonal offsets[k] = column - row. */
static uncork_status read_dia(reading *r, triples *t)
{
    const uc_tensor *data = part(r, "data", UNCORK_FLOAT64);
    const uc_tensor *offsets = part(r, "offsets", UNCORK_INT64);
    if (!data || data->rank != 2 || !offsets || uc_tensor_count(offsets) != data->shape[0]) {
        return broken(r, "data and offsets of different lengths");
    }
    if (!new_triples(r, t, uc_tensor_count(data))) {
        return no_memory(r);
    }
    t->count = 0;
    for (int64_t k = 0; k < data->shape[0]; k++) {
        const int64_t offset = ((const int64_t *)offsets->data)[k];
        for (int64_t j = 0; j < data->shape[1] && j < r->columns; j++) {
            int64_t row;
            if (__builtin_sub_overflow(j, offset, &row) || row < 0 || row >= r->rows) {
                continue;
            }
            t->rows[t->count] = row;
            t->columns[t->count] = j;
            t->values[t->count++] = uc_tensor_doubles(data)[k * data->shape[1] + j];
        }
    }
    return UNCORK_OK;
}

/* rows and data: object arrays of lists, one a row. */
static uncork_status read_lil(reading *r, triples *t)
{
    const uc_pickle *rows = uc_pickle_attr(r->value, "rows"),
                    *data = uc_pickle_attr(r->value, "data");
    if (!rows || !data || rows->kind != UC_PICKLE_OBJECTS || data->kind != UC_PICKLE_OBJECTS ||
        rows->count != data->count || rows->count != (size_t)r->rows) {
        return broken(r, "rows and data that don't fit the shape");
    }
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const uc_pickle *columns = rows->items[i], *values = data->items[i];
        if (columns->kind != UC_PICKLE_LIST || values->kind != UC_PICKLE_LIST ||
            columns->count != values->count || !uc_add_size(count, columns->count, &count)) {
            return broken(r, "a row whose columns and values differ in number");
        }
    }
    if (count > INT64_MAX / 8 || !new_triples(r, t, (int64_t)count)) {
        return no_memory(r);
    }
    int64_t at = 0;
    for (size_t i = 0; i < rows->count; i++) {
        for (size_t j = 0; j < rows->items[i]->count; j++, at++) {
            t->rows[at] = (int64_t)i;
            if (!uc_pickle_i64(rows->items[i]->items[j], &t->columns[at]) ||
                !uc_pickle_f64(data->items[i]->items[j], &t->values[at])) {
                return broken(r, "a row of something other than numbers");
            }
        }
    }
    return UNCORK_OK;
}

/* A dict {(row, column): value}: the object itself before SciPy 1.12 (Python 2 writes that as its
 * argument), its _dict since. */
static uncork_status read_dok(reading *r, triples *t)
{
    const uc_pickle *dict = uc_pickle_attr(r->value, "_dict");
    if (!dict) {
        dict = r->value->dict_items;
    }
    if (!dict) {
        dict = uc_pickle_item(r->value->args, 0);
    }
    const size_t count = dict && dict->kind == UC_PICKLE_DICT ? dict->count : 0;
    if (!new_triples(r, t, (int64_t)count)) {
        return no_memory(r);
    }
    for (size_t i = 0; i < count; i++) {
        const uc_pickle *key = dict->items[2 * i];
        if (key->kind != UC_PICKLE_TUPLE || key->count != 2 ||
            !uc_pickle_i64(key->items[0], &t->rows[i]) ||
            !uc_pickle_i64(key->items[1], &t->columns[i]) ||
            !uc_pickle_f64(dict->items[2 * i + 1], &t->values[i])) {
            return broken(r, "a key that is no (row, column), or a value that is no number");
        }
    }
    return UNCORK_OK;
}

/* ---- into rows ------------------------------------------------------------------------------ */

/* Counting sort by row; stable. */
static uncork_status sort_rows(const reading *r, const triples *t, uc_sparse *out)
{
    int64_t *indptr = UC_NEW(r->arena, int64_t, (size_t)r->rows + 2);
    int64_t *indices = UC_NEW(r->arena, int64_t, (size_t)t->count);
    double *values = UC_NEW(r->arena, double, (size_t)t->count);
    if (!indptr || !indices || !values) {
        return no_memory(r);
    }
    for (int64_t i = 0; i < t->count; i++) {
        if (t->rows[i] < 0 || t->rows[i] >= r->rows || t->columns[i] < 0 ||
            t->columns[i] >= r->columns) {
            return broken(r, "an index beyond the shape");
        }
        indptr[t->rows[i] + 2]++;
    }
    for (int64_t i = 2; i <= r->rows + 1; i++) {
        indptr[i] += indptr[i - 1]; /* indptr[i + 1]: where row i begins */
    }
    for (int64_t i = 0; i < t->count; i++) {
        const int64_t at = indptr[t->rows[i] + 1]++;
        indices[at] = t->columns[i];
        values[at] = t->values[i];
    }
    *out = (uc_sparse){.rows = r->rows,
                       .columns = r->columns,
                       .count = t->count,
                       .indptr = indptr,
                       .indices = indices,
                       .values = values};
    return UNCORK_OK;
}

uncork_status uc_sparse_read(const uc_pickle *value, uc_arena *arena, uc_sparse *sparse,
                             uncork_error *error)
{
    static const struct {
        const char *name; /* csr_matrix, csr_array */
        uncork_status (*read)(reading *r, triples *t);
    } formats[] = {{"csc_", read_csc}, {"coo_", read_coo}, {"bsr_", read_bsr},
                   {"dia_", read_dia}, {"lil_", read_lil}, {"dok_", read_dok}};
    reading r = {.value = value, .arena = arena, .error = error};
    if (!uc_sparse_is(value)) {
        return uc_fail(error, UNCORK_MALFORMED, value ? value->offset : UC_NO_OFFSET,
                       "a %s is no sparse matrix", uc_pickle_type_name(value, arena));
    }
    UC_TRY(read_shape(&r));
    const uc_str name = value->text;
    if (name.size > 4 && !memcmp(name.data, "csr_", 4)) {
        return read_csr(&r, sparse);
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (name.size > 4 && !memcmp(name.data, formats[i].name, 4)) {
            triples t = {0};
            UC_TRY(formats[i].read(&r, &t));
            return sort_rows(&r, &t, sparse);
        }
    }
    return uc_fail(error, UNCORK_UNSUPPORTED, value->offset, "a sparse format not known: %s",
                   uc_pickle_type_name(value, arena));
}

const uc_tensor *uc_sparse_dense(const uc_pickle *value, uc_arena *arena, uncork_error *error)
{
    uc_sparse s;
    if (uc_sparse_read(value, arena, &s, error) != UNCORK_OK) {
        return NULL;
    }
    const int64_t shape[2] = {s.rows, s.columns};
    uc_tensor *t = uc_tensor_new(arena, UNCORK_FLOAT64, 2, shape);
    if (!t) {
        uc_arena_status(arena, error);
        return NULL;
    }
    double *to = (double *)t->data;
    for (int64_t i = 0; i < s.rows; i++) {
        for (int64_t j = s.indptr[i]; j < s.indptr[i + 1]; j++) {
            to[i * s.columns + s.indices[j]] += s.values[j];
        }
    }
    return t;
}
