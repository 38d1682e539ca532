/* FlatBuffers read with every offset checked. See flatbuffer.h. */
#include "container/flatbuffer.h"

static bool fail(uc_fb *fb, size_t at, const char *what)
{
    if (!fb->failed) uc_fail(fb->error, UNCORK_MALFORMED, fb->base + at, "%s", what);
    fb->failed = true;
    return false;
}

static bool inside(const uc_fb *fb, size_t at, size_t size)
{
    return at <= fb->bytes.size && size <= fb->bytes.size - at;
}

static void reached(uc_fb *fb, size_t end)
{
    if (end > fb->end) fb->end = end;
}

bool uc_fb_probe(uc_bytes bytes, const char *identifier)
{
    return bytes.size >= 8 && memcmp(bytes.data + 4, identifier, 4) == 0;
}

/* Where the offset at `at` points: forwards, and inside. */
static bool follow(uc_fb *fb, size_t at, size_t *to)
{
    if (fb->failed || !inside(fb, at, 4))
        return fail(fb, at, "a flatbuffer's offset lies outside of the file");
    const uint32_t offset = uc_load_u32le(fb->bytes.data + at);
    if (offset < 4 || offset > INT32_MAX || !inside(fb, at, (size_t)offset + 4))
        return fail(fb, at, "a flatbuffer's offset points outside of the file");
    *to = at + offset;
    reached(fb, *to);
    return true;
}

static bool check_vtable(uc_fb_table *t)
{
    uc_fb *fb = t->fb;
    const uint8_t *v = fb->bytes.data + t->vtable;
    t->vtable_size = uc_load_u16le(v);
    t->size = uc_load_u16le(v + 2);
    if (t->vtable_size < 4 || t->vtable_size % 2 || !inside(fb, t->vtable, t->vtable_size))
        return fail(fb, t->vtable, "a flatbuffer's table of members is cut off or odd");
    if (t->size < 4 || !inside(fb, t->at, t->size))
        return fail(fb, t->at, "a flatbuffer's table is cut off");
    for (size_t i = 4; i < t->vtable_size; i += 2) {
        const uint16_t member = uc_load_u16le(v + i);
        if (member && (member < 4 || member >= t->size))
            return fail(fb, t->vtable + i, "a flatbuffer's member lies outside of its table");
    }
    reached(fb, t->at + t->size);
    reached(fb, t->vtable + t->vtable_size);
    return true;
}

static uc_fb_table table_at(uc_fb *fb, size_t at, unsigned depth)
{
    const uc_fb_table none = {.fb = NULL};
    uc_fb_table t = {.fb = fb, .at = at, .depth = (uint16_t)depth};
    if (fb->failed) return none;
    if (depth > UC_FB_DEPTH) {
        fail(fb, at, "flatbuffer tables are nested too deep");
        return none;
    }
    if (fb->tables == 0) {
        fail(fb, at, "a flatbuffer has more tables than its bytes can hold");
        return none;
    }
    fb->tables--;
    if (!inside(fb, at, 4)) {
        fail(fb, at, "a flatbuffer's table is cut off");
        return none;
    }
    const int64_t back = (int32_t)uc_load_u32le(fb->bytes.data + at);
    const int64_t vtable = (int64_t)at - back;
    if (vtable < 0 || !inside(fb, (size_t)vtable, 4)) {
        fail(fb, at, "a flatbuffer's table of members lies outside of the file");
        return none;
    }
    t.vtable = (size_t)vtable;
    return check_vtable(&t) ? t : none;
}

bool uc_fb_open(uc_fb *fb, uc_bytes bytes, uint64_t base, uncork_error *error, uc_fb_table *root)
{
    size_t at = 0;
    /* A table takes 8 bytes at least: what points at it and what points at its members. Tables may be
     * shared, but no writer does so often; the bound keeps a small file from reading as a large one. */
    *fb = (uc_fb){.bytes = bytes, .base = base, .error = error, .tables = bytes.size / 8 + 1};
    *root = (uc_fb_table){.fb = NULL};
    if (follow(fb, 0, &at)) *root = table_at(fb, at, 0);
    return !fb->failed;
}

/* Where member `member` of `bytes` bytes lies; 0: absent. */
static size_t place(uc_fb_table t, unsigned member, unsigned bytes)
{
    const size_t entry = 4 + 2 * (size_t)member;
    if (!t.fb || t.fb->failed || entry + 2 > t.vtable_size) return 0;
    const uint16_t offset = uc_load_u16le(t.fb->bytes.data + t.vtable + entry);
    if (offset == 0) return 0;
    if ((size_t)offset + bytes > t.size) {
        fail(t.fb, t.at + offset, "a flatbuffer's member reaches beyond its table");
        return 0;
    }
    return t.at + offset;
}

bool uc_fb_has(uc_fb_table table, unsigned member) { return place(table, member, 1) != 0; }

static uint64_t load(const uint8_t *p, unsigned bytes)
{
    switch (bytes) {
    case 1: return p[0];
    case 2: return uc_load_u16le(p);
    case 4: return uc_load_u32le(p);
    default: return uc_load_u64le(p);
    }
}

static int64_t load_signed(const uint8_t *p, unsigned bytes)
{
    const uint64_t v = load(p, bytes);
    switch (bytes) {
    case 1: return (int8_t)v;
    case 2: return (int16_t)v;
    case 4: return (int32_t)v;
    default: return (int64_t)v;
    }
}

static float as_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

int64_t uc_fb_int(uc_fb_table table, unsigned member, unsigned bytes, int64_t otherwise)
{
    const size_t at = place(table, member, bytes);
    return at ? load_signed(table.fb->bytes.data + at, bytes) : otherwise;
}

uint64_t uc_fb_uint(uc_fb_table table, unsigned member, unsigned bytes, uint64_t otherwise)
{
    const size_t at = place(table, member, bytes);
    return at ? load(table.fb->bytes.data + at, bytes) : otherwise;
}

float uc_fb_float(uc_fb_table table, unsigned member, float otherwise)
{
    const size_t at = place(table, member, 4);
    return at ? as_float(uc_load_u32le(table.fb->bytes.data + at)) : otherwise;
}

bool uc_fb_bool(uc_fb_table table, unsigned member, bool otherwise)
{
    return uc_fb_uint(table, member, 1, otherwise) != 0;
}

/* Text at `at`: its length, then bytes; the zero behind them isn't needed. */
static uc_str text_at(uc_fb *fb, size_t at)
{
    const uc_str none = {"", 0};
    if (!inside(fb, at, 4)) {
        fail(fb, at, "a flatbuffer's text is cut off");
        return none;
    }
    const size_t size = uc_load_u32le(fb->bytes.data + at);
    if (!inside(fb, at + 4, size)) {
        fail(fb, at, "a flatbuffer's text is cut off");
        return none;
    }
    reached(fb, at + 4 + size);
    return (uc_str){(const char *)fb->bytes.data + at + 4, size};
}

uc_str uc_fb_str(uc_fb_table table, unsigned member)
{
    size_t to;
    const size_t at = place(table, member, 4);
    if (!at || !follow(table.fb, at, &to)) return (uc_str){"", 0};
    return text_at(table.fb, to);
}

uc_fb_table uc_fb_child(uc_fb_table table, unsigned member)
{
    size_t to;
    const size_t at = place(table, member, 4);
    if (!at || !follow(table.fb, at, &to)) return (uc_fb_table){.fb = NULL};
    return table_at(table.fb, to, table.depth + 1u);
}

uc_fb_vector uc_fb_vec(uc_fb_table table, unsigned member, unsigned item)
{
    const uc_fb_vector none = {.fb = table.fb};
    size_t to, bytes;
    const size_t at = place(table, member, 4);
    if (!at || !follow(table.fb, at, &to)) return none;
    uc_fb *fb = table.fb;
    const size_t count = uc_load_u32le(fb->bytes.data + to); /* follow checked its 4 bytes */
    if (!uc_mul_size(count, item, &bytes) || !inside(fb, to + 4, bytes)) {
        fail(fb, to, "a flatbuffer's list is cut off");
        return none;
    }
    reached(fb, to + 4 + bytes);
    return (uc_fb_vector){.fb = fb,
                          .data = fb->bytes.data + to + 4,
                          .at = to + 4,
                          .count = count,
                          .item = (uint16_t)item,
                          .depth = table.depth};
}

int64_t uc_fb_vec_int(uc_fb_vector v, size_t i) { return load_signed(v.data + i * v.item, v.item); }

float uc_fb_vec_float(uc_fb_vector v, size_t i)
{
    return as_float(uc_load_u32le(v.data + i * v.item));
}

uc_fb_table uc_fb_vec_table(uc_fb_vector v, size_t i)
{
    size_t to;
    if (!follow(v.fb, v.at + i * 4, &to)) return (uc_fb_table){.fb = NULL};
    return table_at(v.fb, to, v.depth + 1u);
}
