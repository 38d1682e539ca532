/* The opcode table, and the opcodes of the stack, the memo and the containers.
 * Source: Lib/pickletools.py of Python 3.13 (names, operands, effects). */
#include "container/pickle_machine.h"

#include <inttypes.h>

#include "base/text.h"

static uncork_status op_proto(uc_pickle_machine *m, int arg)
{
    (void)arg;
    const uint8_t *p;
    UC_TRY(uc_pickle_take(m, 1, &p));
    if (*p > 5) {
        return uc_fail(m->error, UNCORK_UNSUPPORTED, m->op_offset,
                       "pickle protocol %d, the newest known is 5", *p);
    }
    if (*p > m->protocol && m->depth == 1) { /* the file's own, not a nested array's */
        m->protocol = *p;
    }
    return UNCORK_OK;
}

/* The length is a hint for readers from a pipe; joblib writes array bytes between frames. */
static uncork_status op_frame(uc_pickle_machine *m, int arg)
{
    (void)arg;
    const uint8_t *p;
    return uc_pickle_take(m, 8, &p);
}

static uncork_status op_nothing(uc_pickle_machine *m, int arg)
{
    (void)m;
    (void)arg;
    return UNCORK_OK;
}

static uncork_status op_stop(uc_pickle_machine *m, int arg)
{
    (void)arg;
    return uc_pickle_pop(m, &m->frame.root);
}

static uncork_status op_mark(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle_frame *f = &m->frame;
    size_t *marks = (size_t *)uc_arena_grow(m->scratch, f->marks, &f->mark_capacity,
                                            f->mark_count + 1, sizeof *marks);
    if (!marks) {
        return uc_pickle_out_of_memory(m);
    }
    f->marks = marks;
    f->marks[f->mark_count++] = f->height;
    return UNCORK_OK;
}

/* A call that wasn't made and whose result nobody keeps was made for its effect. */
static void note_dropped(uc_pickle_machine *m, uc_pickle *value)
{
    if (value->kind == UC_PICKLE_OBJECT && value->is_call && !m->dropped) {
        m->dropped = value;
    }
}

static uncork_status op_pop(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle_frame *f = &m->frame;
    if (f->mark_count && f->marks[f->mark_count - 1] == f->height) {
        f->mark_count--;
        return UNCORK_OK;
    }
    uc_pickle *value;
    UC_TRY(uc_pickle_pop(m, &value));
    note_dropped(m, value);
    return UNCORK_OK;
}

static uncork_status op_pop_mark(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle **items;
    size_t count;
    UC_TRY(uc_pickle_pop_mark(m, &items, &count));
    for (size_t i = 0; i < count; i++) {
        note_dropped(m, items[i]);
    }
    return UNCORK_OK;
}

static uncork_status op_dup(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle *top = uc_pickle_top(m);
    return top ? uc_pickle_push(m, top) : UNCORK_MALFORMED;
}

static uncork_status op_none(uc_pickle_machine *m, int arg)
{
    (void)arg;
    if (!m->none) {
        m->none = uc_pickle_node(m, UC_PICKLE_NONE);
    }
    return uc_pickle_push(m, m->none);
}

static uncork_status op_bool(uc_pickle_machine *m, int value)
{
    if (!m->booleans[value]) {
        m->booleans[value] = uc_pickle_node(m, UC_PICKLE_BOOL);
        if (m->booleans[value]) {
            m->booleans[value]->boolean = value != 0;
            m->booleans[value]->integer = value;
        }
    }
    return uc_pickle_push(m, m->booleans[value]);
}

/* ---- memo ----------------------------------------------------------------------------------- */

/* An index: a decimal line for width 0, else an unsigned little-endian number. */
static uncork_status read_index(uc_pickle_machine *m, int width, uint64_t *index)
{
    const uint8_t *p;
    if (width) {
        UC_TRY(uc_pickle_take(m, (uint64_t)width, &p));
        *index = width == 1 ? p[0] : uc_load_u32le(p);
        return UNCORK_OK;
    }
    uc_str line;
    int64_t value;
    UC_TRY(uc_pickle_line(m, &line));
    if (!uc_text_i64(line, &value) || value < 0) {
        return UC_PICKLE_FAIL(m, "%s has '%.*s' for an index", m->op_name,
                              (int)(line.size < 40 ? line.size : 40), line.data);
    }
    *index = (uint64_t)value;
    return UNCORK_OK;
}

static uncork_status memoize(uc_pickle_machine *m, uint64_t index)
{
    uc_pickle *top = uc_pickle_top(m);
    if (!top) {
        return UNCORK_MALFORMED;
    }
    return uc_pickle_memo_put(&m->frame.memo, m->scratch, index, top) ? UNCORK_OK
                                                                      : uc_pickle_out_of_memory(m);
}

static uncork_status op_memoize(uc_pickle_machine *m, int arg)
{
    (void)arg;
    return memoize(m, m->frame.memo.used);
}

static uncork_status op_put(uc_pickle_machine *m, int width)
{
    uint64_t index = 0;
    UC_TRY(read_index(m, width, &index));
    return memoize(m, index);
}

static uncork_status op_get(uc_pickle_machine *m, int width)
{
    uint64_t index = 0;
    UC_TRY(read_index(m, width, &index));
    uc_pickle *value = uc_pickle_memo_find(&m->frame.memo, index);
    if (!value) {
        return UC_PICKLE_FAIL(m, "%s of memo entry %" PRIu64 ", which was never put", m->op_name,
                              index);
    }
    return uc_pickle_push(m, value);
}

/* ---- containers ----------------------------------------------------------------------------- */

static uncork_status op_empty(uc_pickle_machine *m, int kind)
{
    if (kind != UC_PICKLE_TUPLE) {
        return uc_pickle_push(m, uc_pickle_node(m, (uc_pickle_kind)kind));
    }
    if (!m->empty_tuple) {
        m->empty_tuple = uc_pickle_node(m, UC_PICKLE_TUPLE);
    }
    return uc_pickle_push(m, m->empty_tuple);
}

/* LIST, TUPLE, DICT, FROZENSET: what is above the mark. */
static uncork_status op_collect(uc_pickle_machine *m, int kind)
{
    uc_pickle **items;
    size_t count;
    UC_TRY(uc_pickle_pop_mark(m, &items, &count));
    uc_pickle *value = uc_pickle_node(m, (uc_pickle_kind)kind);
    if (!value) {
        return uc_pickle_out_of_memory(m);
    }
    if (kind == UC_PICKLE_DICT) {
        if (count % 2) {
            return UC_PICKLE_FAIL(m, "DICT of %zu keys and values: one is missing", count);
        }
        UC_TRY(uc_pickle_add_pairs(m, value, items, count / 2));
    } else {
        UC_TRY(uc_pickle_extend(m, value, items, count));
    }
    return uc_pickle_push(m, value);
}

static uncork_status op_tuple(uc_pickle_machine *m, int count)
{
    uc_pickle_frame *f = &m->frame;
    const size_t floor = f->mark_count ? f->marks[f->mark_count - 1] : 0;
    if (f->height - floor < (size_t)count) {
        return UC_PICKLE_FAIL(m, "%s finds %zu values on the stack", m->op_name, f->height - floor);
    }
    uc_pickle *tuple = uc_pickle_node(m, UC_PICKLE_TUPLE);
    if (!tuple) {
        return uc_pickle_out_of_memory(m);
    }
    f->height -= (size_t)count;
    UC_TRY(uc_pickle_extend(m, tuple, f->stack + f->height, (size_t)count));
    return uc_pickle_push(m, tuple);
}

/* Where appended values go: the list or set itself, or what an object's append() is given. */
static uncork_status append_target(uc_pickle_machine *m, uc_pickle *top, uc_pickle_kind kind,
                                   uc_pickle **target)
{
    if (top->kind == kind) {
        *target = top;
        return UNCORK_OK;
    }
    if (top->kind != UC_PICKLE_OBJECT) {
        return UC_PICKLE_FAIL(m, "%s to a %s", m->op_name, uc_pickle_type_name(top, m->scratch));
    }
    if (!top->list_items) {
        top->list_items = uc_pickle_node(m, UC_PICKLE_LIST);
    }
    *target = top->list_items;
    return *target ? UNCORK_OK : uc_pickle_out_of_memory(m);
}

static uncork_status dict_target(uc_pickle_machine *m, uc_pickle *top, uc_pickle **target)
{
    if (top->kind == UC_PICKLE_DICT) {
        *target = top;
        return UNCORK_OK;
    }
    if (top->kind != UC_PICKLE_OBJECT) {
        return UC_PICKLE_FAIL(m, "%s on a %s", m->op_name, uc_pickle_type_name(top, m->scratch));
    }
    if (!top->dict_items) {
        top->dict_items = uc_pickle_node(m, UC_PICKLE_DICT);
    }
    *target = top->dict_items;
    return *target ? UNCORK_OK : uc_pickle_out_of_memory(m);
}

static uncork_status op_append(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle *value, *target;
    UC_TRY(uc_pickle_pop(m, &value));
    uc_pickle *top = uc_pickle_top(m);
    if (!top) {
        return UNCORK_MALFORMED;
    }
    UC_TRY(append_target(m, top, UC_PICKLE_LIST, &target));
    return uc_pickle_extend(m, target, &value, 1);
}

/* APPENDS (kind LIST) and ADDITEMS (kind SET). */
static uncork_status op_appends(uc_pickle_machine *m, int kind)
{
    uc_pickle **items, *target;
    size_t count;
    UC_TRY(uc_pickle_pop_mark(m, &items, &count));
    uc_pickle *top = uc_pickle_top(m);
    if (!top) {
        return UNCORK_MALFORMED;
    }
    UC_TRY(append_target(m, top, (uc_pickle_kind)kind, &target));
    return uc_pickle_extend(m, target, items, count);
}

static uncork_status op_setitem(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle *pair[2], *target;
    UC_TRY(uc_pickle_pop(m, &pair[1]));
    UC_TRY(uc_pickle_pop(m, &pair[0]));
    uc_pickle *top = uc_pickle_top(m);
    if (!top) {
        return UNCORK_MALFORMED;
    }
    UC_TRY(dict_target(m, top, &target));
    return uc_pickle_add_pairs(m, target, pair, 1);
}

static uncork_status op_setitems(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle **items, *target;
    size_t count;
    UC_TRY(uc_pickle_pop_mark(m, &items, &count));
    uc_pickle *top = uc_pickle_top(m);
    if (!top) {
        return UNCORK_MALFORMED;
    }
    if (count % 2) {
        return UC_PICKLE_FAIL(m, "SETITEMS of %zu keys and values: one is missing", count);
    }
    UC_TRY(dict_target(m, top, &target));
    return uc_pickle_add_pairs(m, target, items, count / 2);
}

static uncork_status op_next_buffer(uc_pickle_machine *m, int arg)
{
    (void)arg;
    return UC_PICKLE_FAIL(m, "NEXT_BUFFER: the pickle's buffers were kept outside of the file");
}

const uc_pickle_op uc_pickle_ops[256] = {
    [0x80] = {"PROTO", op_proto, 0, 2},
    [0x95] = {"FRAME", op_frame, 0, 4},
    ['.'] = {"STOP", op_stop, 0, 0},
    ['('] = {"MARK", op_mark, 0, 0},
    ['0'] = {"POP", op_pop, 0, 0},
    ['1'] = {"POP_MARK", op_pop_mark, 0, 1},
    ['2'] = {"DUP", op_dup, 0, 0},
    ['N'] = {"NONE", op_none, 0, 0},
    [0x88] = {"NEWTRUE", op_bool, 1, 2},
    [0x89] = {"NEWFALSE", op_bool, 0, 2},
    ['I'] = {"INT", uc_pickle_op_int_line, 0, 0},
    ['L'] = {"LONG", uc_pickle_op_int_line, 0, 0},
    ['J'] = {"BININT", uc_pickle_op_int, 4, 1},
    ['K'] = {"BININT1", uc_pickle_op_int, 1, 1},
    ['M'] = {"BININT2", uc_pickle_op_int, 2, 1},
    [0x8A] = {"LONG1", uc_pickle_op_long, 1, 2},
    [0x8B] = {"LONG4", uc_pickle_op_long, 4, 2},
    ['F'] = {"FLOAT", uc_pickle_op_float_line, 0, 0},
    ['G'] = {"BINFLOAT", uc_pickle_op_float, 0, 1},
    ['S'] = {"STRING", uc_pickle_op_string_line, 0, 0},
    ['T'] = {"BINSTRING", uc_pickle_op_string, 4, 1},
    ['U'] = {"SHORT_BINSTRING", uc_pickle_op_string, 1, 1},
    ['V'] = {"UNICODE", uc_pickle_op_text_line, 0, 0},
    ['X'] = {"BINUNICODE", uc_pickle_op_text, 4, 1},
    [0x8C] = {"SHORT_BINUNICODE", uc_pickle_op_text, 1, 4},
    [0x8D] = {"BINUNICODE8", uc_pickle_op_text, 8, 4},
    ['B'] = {"BINBYTES", uc_pickle_op_bytes, 4, 3},
    ['C'] = {"SHORT_BINBYTES", uc_pickle_op_bytes, 1, 3},
    [0x8E] = {"BINBYTES8", uc_pickle_op_bytes, 8, 4},
    [0x96] = {"BYTEARRAY8", uc_pickle_op_bytes, 8, 5},
    [0x97] = {"NEXT_BUFFER", op_next_buffer, 0, 5},
    [0x98] = {"READONLY_BUFFER", op_nothing, 0, 5},
    [']'] = {"EMPTY_LIST", op_empty, UC_PICKLE_LIST, 1},
    ['}'] = {"EMPTY_DICT", op_empty, UC_PICKLE_DICT, 1},
    [')'] = {"EMPTY_TUPLE", op_empty, UC_PICKLE_TUPLE, 1},
    [0x8F] = {"EMPTY_SET", op_empty, UC_PICKLE_SET, 4},
    ['l'] = {"LIST", op_collect, UC_PICKLE_LIST, 0},
    ['d'] = {"DICT", op_collect, UC_PICKLE_DICT, 0},
    ['t'] = {"TUPLE", op_collect, UC_PICKLE_TUPLE, 0},
    [0x91] = {"FROZENSET", op_collect, UC_PICKLE_SET, 4},
    [0x85] = {"TUPLE1", op_tuple, 1, 2},
    [0x86] = {"TUPLE2", op_tuple, 2, 2},
    [0x87] = {"TUPLE3", op_tuple, 3, 2},
    ['a'] = {"APPEND", op_append, 0, 0},
    ['e'] = {"APPENDS", op_appends, UC_PICKLE_LIST, 1},
    ['s'] = {"SETITEM", op_setitem, 0, 0},
    ['u'] = {"SETITEMS", op_setitems, 0, 1},
    [0x90] = {"ADDITEMS", op_appends, UC_PICKLE_SET, 4},
    ['p'] = {"PUT", op_put, 0, 0},
    ['q'] = {"BINPUT", op_put, 1, 1},
    ['r'] = {"LONG_BINPUT", op_put, 4, 1},
    [0x94] = {"MEMOIZE", op_memoize, 0, 4},
    ['g'] = {"GET", op_get, 0, 0},
    ['h'] = {"BINGET", op_get, 1, 1},
    ['j'] = {"LONG_BINGET", op_get, 4, 1},
    ['c'] = {"GLOBAL", uc_pickle_op_global, 0, 0},
    [0x93] = {"STACK_GLOBAL", uc_pickle_op_stack_global, 0, 4},
    ['i'] = {"INST", uc_pickle_op_inst, 0, 0},
    ['o'] = {"OBJ", uc_pickle_op_obj, 0, 1},
    [0x81] = {"NEWOBJ", uc_pickle_op_newobj, 0, 2},
    [0x92] = {"NEWOBJ_EX", uc_pickle_op_newobj, 1, 4},
    ['R'] = {"REDUCE", uc_pickle_op_reduce, 0, 0},
    ['b'] = {"BUILD", uc_pickle_op_build, 0, 0},
    ['P'] = {"PERSID", uc_pickle_op_persistent, 1, 0},
    ['Q'] = {"BINPERSID", uc_pickle_op_persistent, 0, 1},
    [0x82] = {"EXT1", uc_pickle_op_extension, 1, 2},
    [0x83] = {"EXT2", uc_pickle_op_extension, 2, 2},
    [0x84] = {"EXT4", uc_pickle_op_extension, 4, 2},
};
