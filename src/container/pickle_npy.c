/* A .npy file as a pickle's value: the side files of joblib before 0.10. Unlike a .npy fed to a model
 * it may hold records and objects. Source: numpy/lib/format.py (header, descr_to_dtype). */

#include "base/text.h"
#include "container/pickle_numpy.h"

#define LITERAL_DEPTH 8

/* ---- Python literals ------------------------------------------------------------------------ */

typedef struct literal {
    uc_pickle_machine *m;
    uc_str text;
    size_t at;
    int depth;
} literal;

static void skip_space(literal *l)
{
    while (l->at < l->text.size && memchr(" \t\n\r", l->text.data[l->at], 4)) {
        l->at++;
    }
}

static bool take_char(literal *l, char c)
{
    skip_space(l);
    const bool is_there = l->at < l->text.size && l->text.data[l->at] == c;
    l->at += is_there;
    return is_there;
}

static uncork_status broken(literal *l)
{
    return UC_PICKLE_FAIL(l->m, "a .npy header is broken at its character %zu", l->at);
}

static uncork_status read_literal(literal *l, uc_pickle **out);

/* Items up to `close`; a dict's are keys and values. */
static uncork_status read_items(literal *l, uc_pickle *to, char close)
{
    while (!take_char(l, close)) {
        uc_pickle *pair[2] = {NULL, NULL};
        UC_TRY(read_literal(l, &pair[0]));
        if (to->kind == UC_PICKLE_DICT) {
            if (!take_char(l, ':')) {
                return broken(l);
            }
            UC_TRY(read_literal(l, &pair[1]));
            UC_TRY(uc_pickle_add_pairs(l->m, to, pair, 1));
        } else {
            UC_TRY(uc_pickle_extend(l->m, to, pair, 1));
        }
        if (!take_char(l, ',')) {
            return take_char(l, close) ? UNCORK_OK : broken(l);
        }
    }
    return UNCORK_OK;
}

static uncork_status read_word(literal *l, uc_pickle **out)
{
    const size_t begin = l->at;
    while (l->at < l->text.size && !memchr(" ,:()[]{}'\"\n", l->text.data[l->at], 11)) {
        l->at++;
    }
    uc_str word = {l->text.data + begin, l->at - begin};
    int64_t value;
    const bool yes = uc_str_is(word, "True");
    if (yes || uc_str_is(word, "False")) {
        *out = uc_pickle_node(l->m, UC_PICKLE_BOOL);
        if (*out) {
            (*out)->boolean = yes;
        }
        return *out ? UNCORK_OK : uc_pickle_out_of_memory(l->m);
    }
    if (word.size && word.data[word.size - 1] == 'L') { /* Python 2's long */
        word.size--;
    }
    if (!uc_text_i64(word, &value)) {
        return broken(l);
    }
    *out = uc_pickle_int(l->m, value);
    return *out ? UNCORK_OK : uc_pickle_out_of_memory(l->m);
}

static uncork_status read_text(literal *l, char quote, uc_pickle **out)
{
    const size_t begin = l->at;
    while (l->at < l->text.size && l->text.data[l->at] != quote) {
        if (l->text.data[l->at++] == '\\') { /* no field of a model's array needs one */
            return broken(l);
        }
    }
    *out = uc_pickle_node(l->m, UC_PICKLE_TEXT);
    if (!*out) {
        return uc_pickle_out_of_memory(l->m);
    }
    (*out)->text = (uc_str){l->text.data + begin, l->at - begin};
    return take_char(l, quote) ? UNCORK_OK : broken(l);
}

static uncork_status read_literal(literal *l, uc_pickle **out)
{
    static const struct {
        char open, close;
        uc_pickle_kind kind;
    } brackets[] = {
        {'{', '}', UC_PICKLE_DICT}, {'[', ']', UC_PICKLE_LIST}, {'(', ')', UC_PICKLE_TUPLE}};
    for (size_t i = 0; i < 3; i++) {
        if (take_char(l, brackets[i].open)) {
            *out = uc_pickle_node(l->m, brackets[i].kind);
            if (!*out) {
                return uc_pickle_out_of_memory(l->m);
            }
            if (l->depth >= LITERAL_DEPTH) {
                return broken(l);
            }
            l->depth++;
            UC_TRY(read_items(l, *out, brackets[i].close));
            l->depth--;
            return UNCORK_OK;
        }
    }
    (void)(take_char(l, 'u') || take_char(l, 'b'));
    if (take_char(l, '\'')) {
        return read_text(l, '\'', out);
    }
    if (take_char(l, '"')) {
        return read_text(l, '"', out);
    }
    return read_word(l, out);
}

/* ---- descr -> dtype ------------------------------------------------------------------------- */

static uncork_status dtype_of_descr(uc_pickle_machine *m, const uc_pickle *descr,
                                    uc_pickle_dtype *dtype);

/* ('name', '<f8'[, shape]), name maybe ('title', 'name'). */
static uncork_status add_field(uc_pickle_machine *m, const uc_pickle *field, uc_pickle_dtype *to)
{
    const uc_pickle *name = uc_pickle_item(field, 0), *descr = uc_pickle_item(field, 1);
    if (name && name->kind == UC_PICKLE_TUPLE) {
        name = uc_pickle_item(name, 1);
    }
    uc_pickle_dtype *made = UC_NEW(m->arena, uc_pickle_dtype, 2);
    if (!made) {
        return uc_pickle_out_of_memory(m);
    }
    if (!name || name->kind != UC_PICKLE_TEXT || !descr) {
        return UC_PICKLE_FAIL(m, "a .npy header's field is no (name, type)");
    }
    UC_TRY(dtype_of_descr(m, descr, &made[0]));
    const uc_pickle_dtype *type = &made[0];
    if (field->count > 2) {
        made[1].kind = 'V';
        made[1].base = type;
        made[1].has_objects = type->has_objects;
        UC_TRY(uc_pickle_shape(m, field->items[2], &made[1].rank, made[1].shape));
        UC_TRY(uc_pickle_array_bytes(m, type, made[1].rank, made[1].shape, &made[1].item_size));
        type = &made[1];
    }
    if (name->text.size) { /* ('', '|V7') is padding */
        to->names[to->field_count] = name->text;
        to->offsets[to->field_count] = to->item_size;
        to->fields[to->field_count++] = type;
        to->has_objects |= type->has_objects;
    }
    return uc_add_size(to->item_size, type->item_size, &to->item_size)
               ? UNCORK_OK
               : UC_PICKLE_FAIL(m, "a .npy header's record is too large");
}

static uncork_status dtype_of_descr(uc_pickle_machine *m, const uc_pickle *descr,
                                    uc_pickle_dtype *dtype)
{
    if (descr->kind == UC_PICKLE_TEXT && uc_pickle_parse_dtype(descr->text, dtype)) {
        return UNCORK_OK;
    }
    if (descr->kind != UC_PICKLE_LIST) {
        return UC_PICKLE_FAIL(m, "a .npy header's type isn't known");
    }
    memset(dtype, 0, sizeof *dtype);
    dtype->kind = 'V';
    dtype->names = UC_NEW(m->arena, uc_str, descr->count);
    dtype->offsets = UC_NEW(m->arena, size_t, descr->count);
    dtype->fields = UC_NEW(m->arena, const uc_pickle_dtype *, descr->count);
    if (!dtype->names || !dtype->offsets || !dtype->fields) {
        return uc_pickle_out_of_memory(m);
    }
    for (size_t i = 0; i < descr->count; i++) {
        UC_TRY(add_field(m, descr->items[i], dtype));
    }
    return UNCORK_OK;
}

/* ---- the file ------------------------------------------------------------------------------- */

/* Splits magic, version, header and data. */
static uncork_status split_npy(uc_pickle_machine *m, uc_bytes file, uc_str *header, uc_bytes *data)
{
    const bool is_npy = file.size > 12 && !memcmp(file.data, "\x93NUMPY", 6);
    const int major = is_npy ? file.data[6] : 0;
    if (major < 1 || major > 3) {
        return UC_PICKLE_FAIL(m, "a side file of %zu bytes is no .npy of version 1 to 3",
                              file.size);
    }
    const size_t begin = major == 1 ? 10 : 12;
    const size_t size = major == 1 ? uc_load_u16le(file.data + 8) : uc_load_u32le(file.data + 8);
    if (size > file.size - begin) {
        return UC_PICKLE_FAIL(m, "a .npy header needs %zu bytes, %zu remain", size,
                              file.size - begin);
    }
    *header = (uc_str){(const char *)file.data + begin, size};
    *data = (uc_bytes){file.data + begin + size, file.size - begin - size};
    return UNCORK_OK;
}

uncork_status uc_pickle_read_npy(uc_pickle_machine *m, uc_bytes file, uc_pickle *node)
{
    uc_str header;
    uc_bytes data;
    uc_pickle *root = NULL;
    UC_TRY(split_npy(m, file, &header, &data));
    literal l = {.m = m, .text = header};
    UC_TRY(read_literal(&l, &root));
    const uc_pickle *descr = uc_pickle_get(root, "descr");
    const uc_pickle *fortran = uc_pickle_get(root, "fortran_order");
    uc_pickle_dtype *dtype = UC_NEW(m->arena, uc_pickle_dtype, 1);
    if (!dtype) {
        return uc_pickle_out_of_memory(m);
    }
    if (!descr || !fortran || fortran->kind != UC_PICKLE_BOOL) {
        return UC_PICKLE_FAIL(m, "a .npy header without descr or fortran_order");
    }
    UC_TRY(dtype_of_descr(m, descr, dtype));
    if (dtype->has_objects) {
        return uc_pickle_run_over(m, data, node);
    }
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    size_t bytes;
    UC_TRY(uc_pickle_shape(m, uc_pickle_get(root, "shape"), &rank, shape));
    UC_TRY(uc_pickle_array_bytes(m, dtype, rank, shape, &bytes));
    if (bytes > data.size) {
        return UC_PICKLE_FAIL(m, "a .npy side file needs %zu bytes of data, it has %zu", bytes,
                              data.size);
    }
    return uc_pickle_set_array(m, node, dtype, rank, shape, (uc_bytes){data.data, bytes},
                               fortran->boolean);
}
