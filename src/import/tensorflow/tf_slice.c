/* Slices of partitioned variables, and the keys of their pieces. */
#include "import/tensorflow/tf_checkpoint.h"

#include "base/text.h"

bool uc_tf_slice_read(uc_bytes bytes, uint64_t offset, uc_tf_slice *slice, uncork_error *error)
{
    uc_pb_field f, e;
    uc_reader r = uc_reader_over(bytes.data, bytes.size, offset, error);
    *slice = (uc_tf_slice){.rank = 0};
    while (uc_pb_next(&r, &f)) {
        if (f.number != 1) continue;
        if (slice->rank == UNCORK_MAX_RANK) return false;
        uc_reader in = uc_pb_message(&r, &f, 1, "an extent");
        slice->start[slice->rank] = 0;
        slice->length[slice->rank] = -1;
        while (uc_pb_next(&in, &e)) {
            if (e.number == 1) slice->start[slice->rank] = (int64_t)e.value;
            if (e.number == 2) slice->length[slice->rank] = (int64_t)e.value;
        }
        if (!uc_reader_ok(&in)) return false;
        slice->rank++;
    }
    return uc_reader_ok(&r);
}

/* The text up to `end` (or the end of all), taken off the front. */
static uc_str take_until(uc_str *text, char end)
{
    const char *at = text->size ? memchr(text->data, end, text->size) : NULL;
    const size_t size = at ? (size_t)(at - text->data) : text->size;
    const uc_str part = {text->data, size};
    text->data += at ? size + 1 : size;
    text->size -= at ? size + 1 : size;
    return part;
}

bool uc_tf_slice_parse(uc_str text, uc_tf_slice *slice, int64_t *shape)
{
    int rank = 0;
    *slice = (uc_tf_slice){.rank = 0};
    while (text.size && memchr(text.data, ' ', text.size)) {
        const uc_str dim = take_until(&text, ' ');
        if (rank == UNCORK_MAX_RANK || !uc_text_i64(dim, &shape[rank]) || shape[rank] < 0)
            return false;
        rank++;
    }
    for (; text.size && slice->rank < rank; slice->rank++) {
        uc_str extent = take_until(&text, ':');
        int64_t *start = &slice->start[slice->rank], *length = &slice->length[slice->rank];
        *start = 0;
        *length = -1;
        if (uc_str_is(extent, "-")) continue;
        const uc_str first = take_until(&extent, ',');
        if (!uc_text_i64(first, start) || !uc_text_i64(extent, length)) return false;
        if (*start < 0 || *length < 0 || *length > shape[slice->rank] - *start) return false;
        /* All of a dimension is written so in keys. */
    }
    return text.size == 0 && slice->rank == rank;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* Source: tensorflow/core/lib/strings/ordered_code.cc, WriteNumIncreasing: how many bytes, then the bytes
 * from the highest. */
static size_t put_number(uint8_t *to, uint64_t v)
{
    size_t n = 0;
    for (uint64_t rest = v; rest; rest >>= 8) {
        n++;
    }
    to[0] = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        to[1 + i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    }
    return n + 1;
}

/* WriteSignedNumIncreasing: 7 n - 1 bits in n bytes, the sign and the length in the first bits. */
static size_t put_signed(uint8_t *to, int64_t v)
{
    static const uint8_t header[11][2] = {{0, 0},    {0x80, 0},    {0xc0, 0},   {0xe0, 0},
                                          {0xf0, 0}, {0xf8, 0},    {0xfc, 0},   {0xfe, 0},
                                          {0xff, 0}, {0xff, 0x80}, {0xff, 0xc0}};
    const uint64_t x = v < 0 ? ~(uint64_t)v : (uint64_t)v;
    size_t n = 1;
    while (n < 10 && 7 * n - 1 < 64 && x >> (7 * n - 1)) {
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t shift = 8 * (n - 1 - i);
        to[i] = shift < 64 ? (uint8_t)((uint64_t)v >> shift) : (uint8_t)(v < 0 ? 0xff : 0);
    }
    to[0] ^= header[n][0];
    if (n > 1) to[1] ^= header[n][1];
    return n;
}

/* checkpoint::EncodeTensorNameSlice: 0, the name, the rank, start and length of each dimension. */
bool uc_tf_slice_key(uc_str name, const uc_tf_slice *slice, uc_arena *arena, uc_str *key)
{
    uint8_t *to = uc_arena_alloc(arena, 2 * name.size + 32 + 22 * (size_t)slice->rank, 1);
    size_t at = 0;
    if (!to) return false;
    at += put_number(to + at, 0);
    for (size_t i = 0; i < name.size; i++) { /* WriteString: 0 and 255 are escaped */
        const uint8_t byte = (uint8_t)name.data[i];
        to[at++] = byte;
        if (byte == 0) to[at++] = 0xff;
        if (byte == 0xff) to[at++] = 0;
    }
    to[at++] = 0;
    to[at++] = 1;
    at += put_number(to + at, (uint64_t)slice->rank);
    for (int d = 0; d < slice->rank; d++) {
        at += put_signed(to + at, slice->start[d]);
        at += put_signed(to + at, slice->length[d]);
    }
    *key = (uc_str){(const char *)to, at};
    return true;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

bool uc_tf_slice_cut(const uc_tensor *whole, const uc_tf_slice *slice, uc_tensor *part)
{
    int64_t first = 0;
    const size_t size = uc_dtype_size(whole->dtype);
    if (whole->rank != slice->rank || !size) return false;
    *part = *whole;
    for (int d = 0; d < slice->rank; d++) {
        const int64_t start = slice->start[d];
        const int64_t length = slice->length[d] < 0 ? whole->shape[d] - start : slice->length[d];
        if (start < 0 || start > whole->shape[d] || length < 0 || length > whole->shape[d] - start)
            return false;
        part->shape[d] = length;
        first += start * whole->stride[d];
    }
    if (whole->data && uc_tensor_count(part) > 0)
        part->data = (uint8_t *)whole->data + (size_t)first * size;
    return true;
}

bool uc_tf_slice_put(uc_tensor *whole, const uc_tensor *piece, const uc_tf_slice *slice)
{
    uc_tensor part;
    int64_t at[UNCORK_MAX_RANK] = {0};
    const size_t size = uc_dtype_size(whole->dtype);
    if (!uc_tf_slice_cut(whole, slice, &part) || piece->rank != part.rank) return false;
    for (int d = 0; d < part.rank; d++) {
        if (piece->shape[d] != part.shape[d]) return false;
    }
    const int64_t count = uc_tensor_count(piece);
    const int last = part.rank - 1;
    const int64_t run = part.rank ? part.shape[last] : 1;
    for (int64_t done = 0; run && done < count; done += run) {
        int64_t place = 0;
        for (int d = 0; d < last; d++) {
            place += at[d] * part.stride[d];
        }
        memcpy((uint8_t *)part.data + (size_t)place * size,
               (const uint8_t *)piece->data + (size_t)done * size, (size_t)run * size);
        for (int d = last - 1; d >= 0 && ++at[d] == part.shape[d]; d--) {
            at[d] = 0;
        }
    }
    return true;
}
