/* Reading marshal: one recursive walk, bounded in depth; a reference is to an object that is whole. */
#include "container/marshal.h"

#include "base/reader.h"
#include "base/text.h"

#define DEPTH_MAX 64
#define FLAG_REF  0x80

typedef struct walk {
    uc_reader in;
    uc_py_layout layout;
    uc_arena *arena;
    uc_py **refs;
    size_t ref_count, ref_capacity;
    int depth;
} walk;

static uc_py *read_object(walk *w);

static uc_py *broken(walk *w, const char *what)
{
    (void)uc_reader_fail(&w->in, "marshalled Python: %s", what);
    return NULL;
}

static uc_py *new_object(walk *w, uc_py_kind kind)
{
    uc_py *o = UC_NEW(w->arena, uc_py, 1);
    if (!o) return broken(w, "no memory");
    o->kind = kind;
    return o;
}

/* The place of an object that others may refer to. */
static bool reserve(walk *w, size_t *place)
{
    uc_py **refs =
        uc_arena_grow(w->arena, w->refs, &w->ref_capacity, w->ref_count + 1, sizeof *refs);
    if (!refs) return false;
    w->refs = refs;
    *place = w->ref_count++;
    refs[*place] = NULL;
    return true;
}

static uc_py *read_int(walk *w, int64_t v)
{
    uc_py *o = new_object(w, UC_PY_INT);
    if (!o) return NULL;
    o->integer = v;
    o->number = (double)v;
    return o;
}

/* Digits of 15 bits. */
static uc_py *read_long(walk *w)
{
    const int32_t n = (int32_t)uc_reader_u32le(&w->in, "an integer");
    const int64_t digits = n < 0 ? -(int64_t)n : n;
    uint64_t v = 0;
    if (digits > 4) {
        uc_reader_skip(&w->in, (uint64_t)digits * 2, "an integer");
        return uc_reader_ok(&w->in) ? new_object(w, UC_PY_OTHER) : NULL;
    }
    for (int64_t i = 0; i < digits; i++) {
        v |= (uint64_t)(uc_reader_u16le(&w->in, "an integer") & 0x7fff) << (15 * i);
    }
    return read_int(w, n < 0 ? -(int64_t)v : (int64_t)v);
}

static uc_py *read_text(walk *w, uc_py_kind kind, uint64_t size)
{
    uc_py *o = new_object(w, kind);
    const uc_bytes b = uc_reader_take(&w->in, size, "a text");
    if (o) o->text = (uc_str){(const char *)b.data, b.size};
    return o;
}

static uc_py *read_list(walk *w, uc_py *list, uint64_t count)
{
    if (!list) return NULL;
    if (count > uc_reader_left(&w->in)) return broken(w, "a tuple longer than the rest");
    list->items = UC_NEW(w->arena, uc_py *, (size_t)count);
    if (!list->items) return broken(w, "no memory");
    for (; list->count < count; list->count++) {
        list->items[list->count] = read_object(w);
        if (!list->items[list->count]) return NULL;
    }
    return list;
}

static uc_py *read_dict(walk *w)
{
    for (;;) {
        const bool ends = uc_reader_left(&w->in) && *w->in.at == '0';
        if (ends) {
            uc_reader_skip(&w->in, 1, "a dict");
            return new_object(w, UC_PY_OTHER);
        }
        if (!read_object(w) || !read_object(w)) return NULL;
    }
}

static bool is_list_of_texts(const uc_py *o)
{
    if (!o || o->kind != UC_PY_LIST) return false;
    for (size_t i = 0; i < o->count; i++) {
        if (o->items[i]->kind != UC_PY_TEXT) return false;
    }
    return true;
}

static uc_py *read_code(walk *w, uc_py *o)
{
    uc_py_code *code = UC_NEW(w->arena, uc_py_code, 1);
    const bool newest = w->layout == UC_PY_LAYOUT_311;
    if (!o || !code) return broken(w, "no memory");
    code->argument_count = uc_reader_u32le(&w->in, "code");
    if (w->layout != UC_PY_LAYOUT_30) (void)uc_reader_u32le(&w->in, "code");
    (void)uc_reader_u32le(&w->in, "code");              /* keywords only */
    if (!newest) (void)uc_reader_u32le(&w->in, "code"); /* locals */
    (void)uc_reader_u32le(&w->in, "code");              /* stack */
    code->flags = uc_reader_u32le(&w->in, "code");
    const uc_py *bytes = read_object(w), *constants = bytes ? read_object(w) : NULL,
                *names = constants ? read_object(w) : NULL, *locals = names ? read_object(w) : NULL,
                *free = locals ? read_object(w) : NULL;
    if (!newest && free && !read_object(w)) return NULL; /* cells */
    const uc_py *file = free ? read_object(w) : NULL, *name = file ? read_object(w) : NULL;
    if (!name || (newest && !read_object(w))) return NULL;
    (void)uc_reader_u32le(&w->in, "code"); /* line */
    if (!read_object(w) || (newest && !read_object(w))) return NULL;
    if (bytes->kind != UC_PY_BYTES || constants->kind != UC_PY_LIST || !is_list_of_texts(names) ||
        !is_list_of_texts(locals) || name->kind != UC_PY_TEXT ||
        (!newest && !is_list_of_texts(free))) {
        return broken(w, "code of another layout");
    }
    code->code = bytes->text;
    code->constants = constants;
    code->names = names;
    code->locals = locals;
    code->free = newest ? NULL : free;
    code->name = name->text;
    o->code = code;
    return o;
}

static uc_py *read_float(walk *w, bool binary)
{
    uc_py *o = new_object(w, UC_PY_FLOAT);
    if (!o) return NULL;
    if (binary) {
        const uint64_t bits = uc_reader_u64le(&w->in, "a number");
        memcpy(&o->number, &bits, sizeof bits);
        return o;
    }
    const uc_bytes text = uc_reader_take(&w->in, uc_reader_u8(&w->in, "a number"), "a number");
    if (!uc_text_f64((uc_str){(const char *)text.data, text.size}, &o->number))
        return broken(w, "a number that is none");
    return o;
}

static uc_py *read_kind(walk *w, int kind, uc_py **early)
{
    uc_py *o;
    switch (kind) {
    case 'N': return new_object(w, UC_PY_NONE);
    case '.': return new_object(w, UC_PY_ELLIPSIS);
    case 'T':
    case 'F':
        o = read_int(w, kind == 'T');
        if (o) o->kind = UC_PY_BOOL;
        return o;
    case 'i': return read_int(w, (int32_t)uc_reader_u32le(&w->in, "an integer"));
    case 'I': return read_int(w, (int64_t)uc_reader_u64le(&w->in, "an integer"));
    case 'l': return read_long(w);
    case 'f': return read_float(w, false);
    case 'g': return read_float(w, true);
    case 'y': uc_reader_skip(&w->in, 16, "a number"); return new_object(w, UC_PY_OTHER);
    case 's': return read_text(w, UC_PY_BYTES, uc_reader_u32le(&w->in, "bytes"));
    case 'z':
    case 'Z': return read_text(w, UC_PY_TEXT, uc_reader_u8(&w->in, "a text"));
    case 't':
    case 'u':
    case 'a':
    case 'A': return read_text(w, UC_PY_TEXT, uc_reader_u32le(&w->in, "a text"));
    case ')':
        *early = new_object(w, UC_PY_LIST);
        return read_list(w, *early, uc_reader_u8(&w->in, "a tuple"));
    case '(':
    case '[':
    case '<':
    case '>':
        *early = new_object(w, UC_PY_LIST);
        return read_list(w, *early, uc_reader_u32le(&w->in, "a tuple"));
    case '{': return read_dict(w);
    case 'c': *early = new_object(w, UC_PY_CODE); return read_code(w, *early);
    default: return broken(w, "an object of a kind that isn't known");
    }
}

static uc_py *read_object(walk *w)
{
    const uint8_t byte = uc_reader_u8(&w->in, "marshalled Python");
    size_t place = SIZE_MAX;
    uc_py *early = NULL;
    if (!uc_reader_ok(&w->in)) return NULL;
    if (byte == 'r') {
        const uint32_t i = uc_reader_u32le(&w->in, "a reference");
        if (i >= w->ref_count || !w->refs[i]) return broken(w, "a reference to nothing");
        return w->refs[i];
    }
    if (w->depth >= DEPTH_MAX) return broken(w, "objects in objects, too deep");
    if ((byte & FLAG_REF) && !reserve(w, &place)) return broken(w, "no memory");
    w->depth++;
    uc_py *o = read_kind(w, byte & ~FLAG_REF, &early);
    w->depth--;
    if (!uc_reader_ok(&w->in)) return NULL;
    if (o && place != SIZE_MAX) w->refs[place] = o;
    return o;
}

const uc_py *uc_marshal_read(uc_bytes bytes, uc_py_layout layout, uc_arena *arena,
                             uncork_error *error)
{
    walk w = {
        .in = uc_reader_over(bytes.data, bytes.size, 0, error), .layout = layout, .arena = arena};
    const uc_py *o = read_object(&w);
    if (o && uc_reader_left(&w.in)) return broken(&w, "bytes behind the object");
    return o;
}
