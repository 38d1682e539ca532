/* The pickle machine: runs opcodes over the bytes, makes nodes, keeps stack and marks.
 *
 * Nothing recurses over the stream: values are built bottom-up, and only a pickle inside a pickle
 * (joblib's object arrays) calls uc_pickle_run again, UC_LIMIT_PICKLE_NESTING deep. Every opcode takes a byte
 * of the input and moves values that took one, so time and memory are linear in the input except
 * where a builder goes over data that the memo shares; that is charged to the budget. */
#include "container/pickle.h"

#include <inttypes.h>

#include "base/limits.h"
#include "container/codec.h"
#include "container/pickle_machine.h"

uncork_status uc_pickle_out_of_memory(uc_pickle_machine *m)
{
    const uncork_status status = uc_arena_status(m->arena, m->error);
    if (status != UNCORK_OK) {
        return status;
    }
    const uncork_status scratch = uc_arena_status(m->scratch, m->error);
    return scratch != UNCORK_OK ? scratch : uc_fail_memory(m->error);
}

uncork_status uc_pickle_charge(uc_pickle_machine *m, uint64_t steps)
{
    const uint64_t free_steps = steps < m->free_steps ? steps : m->free_steps;
    m->free_steps -= free_steps;
    return uc_budget_nodes(m->budget, steps - free_steps, "a pickle's repeated data", m->error);
}

uncork_status uc_pickle_cut(uc_pickle_machine *m, uint64_t need)
{
    const uint64_t at = (uint64_t)(m->at - m->begin);
    uc_fail(m->error, UNCORK_MALFORMED, at, "%s needs %" PRIu64 " bytes, %zu remain", m->op_name,
            need, uc_pickle_left(m));
    return uc_fix(m->error,
                  "the file ends inside a pickle's %s at byte %" PRIu64
                  ": the download or copy was cut short",
                  m->op_name, (uint64_t)(m->end - m->begin));
}

uc_pickle *uc_pickle_node(uc_pickle_machine *m, uc_pickle_kind kind)
{
    if (!m->slab_left) {
        /* Small files stay small; big ones call the arena rarely. */
        m->slab_size = m->slab_size < 16 ? 16 : m->slab_size < 256 ? m->slab_size * 2 : 256;
        m->slab = UC_NEW(m->arena, uc_pickle, m->slab_size);
        if (!m->slab) {
            return NULL;
        }
        m->slab_left = m->slab_size;
    }
    uc_pickle *node = m->slab++;
    m->slab_left--;
    node->kind = kind;
    node->offset = m->op_offset;
    return node;
}

/* ---- the stack ------------------------------------------------------------------------------ */

static size_t stack_floor(const uc_pickle_frame *f)
{
    return f->mark_count ? f->marks[f->mark_count - 1] : 0;
}

uncork_status uc_pickle_push(uc_pickle_machine *m, uc_pickle *value)
{
    uc_pickle_frame *f = &m->frame;
    if (!value) {
        return uc_pickle_out_of_memory(m);
    }
    if (f->height == f->stack_capacity) {
        uc_pickle **stack = (uc_pickle **)uc_arena_grow(m->scratch, f->stack, &f->stack_capacity,
                                                        f->height + 1, sizeof *stack);
        if (!stack) {
            return uc_pickle_out_of_memory(m);
        }
        f->stack = stack;
    }
    f->stack[f->height++] = value;
    return UNCORK_OK;
}

uc_pickle *uc_pickle_top(uc_pickle_machine *m)
{
    const uc_pickle_frame *f = &m->frame;
    if (f->height <= stack_floor(f)) {
        UC_PICKLE_FAIL(m, "%s finds the stack empty", m->op_name);
        return NULL;
    }
    return f->stack[f->height - 1];
}

uncork_status uc_pickle_pop(uc_pickle_machine *m, uc_pickle **value)
{
    *value = uc_pickle_top(m);
    if (!*value) {
        return UNCORK_MALFORMED;
    }
    m->frame.height--;
    return UNCORK_OK;
}

uncork_status uc_pickle_pop_mark(uc_pickle_machine *m, uc_pickle ***items, size_t *count)
{
    uc_pickle_frame *f = &m->frame;
    if (!f->mark_count) {
        return UC_PICKLE_FAIL(m, "%s finds no MARK", m->op_name);
    }
    const size_t mark = f->marks[--f->mark_count];
    *items = f->stack ? f->stack + mark : NULL; /* no value was ever pushed */
    *count = f->height - mark;
    f->height = mark;
    return UNCORK_OK;
}

/* ---- containers ----------------------------------------------------------------------------- */

static uncork_status add_items(uc_pickle_machine *m, uc_pickle *to, uc_pickle **items, size_t have,
                               size_t count)
{
    if (!count) {
        return UNCORK_OK;
    }
    if (have + count > to->capacity) {
        uc_pickle **grown;
        if (have) {
            grown = (uc_pickle **)uc_arena_grow(m->arena, to->items, &to->capacity, have + count,
                                                sizeof *grown);
        } else { /* most are filled at once: no slack */
            grown = UC_NEW(m->arena, uc_pickle *, count);
            to->capacity = count;
        }
        if (!grown) {
            return uc_pickle_out_of_memory(m);
        }
        to->items = grown;
    }
    memcpy(to->items + have, items, count * sizeof *items);
    return UNCORK_OK;
}

uncork_status uc_pickle_extend(uc_pickle_machine *m, uc_pickle *list, uc_pickle **items,
                               size_t count)
{
    UC_TRY(add_items(m, list, items, list->count, count));
    list->count += count;
    return UNCORK_OK;
}

uncork_status uc_pickle_add_pairs(uc_pickle_machine *m, uc_pickle *dict, uc_pickle **items,
                                  size_t count)
{
    UC_TRY(add_items(m, dict, items, 2 * dict->count, 2 * count));
    dict->count += count;
    return UNCORK_OK;
}

/* ---- running -------------------------------------------------------------------------------- */

static uncork_status step(uc_pickle_machine *m)
{
    m->op_offset = (uint64_t)(m->at - m->begin);
    if (m->at == m->end) {
        UC_PICKLE_FAIL(m, m->at == m->begin ? "the file is empty" : "the pickle ends without STOP");
        return uc_fix(m->error,
                      "the file ends inside a pickle at byte %" PRIu64
                      ": the download or copy was cut short",
                      m->op_offset);
    }
    const uc_pickle_op *op = &uc_pickle_ops[*m->at];
    if (!op->run) {
        return UC_PICKLE_FAIL(m, "0x%02X is no pickle opcode", *m->at);
    }
    m->at++;
    m->op_name = op->name;
    if (op->protocol > m->protocol && m->depth == 1) {
        m->protocol = op->protocol; /* protocols 0 and 1 don't say theirs */
    }
    return op->run(m, op->arg);
}

uncork_status uc_pickle_run(uc_pickle_machine *m, uc_pickle **root)
{
    if (m->depth >= UC_LIMIT_PICKLE_NESTING) {
        return uc_fail(m->error, UNCORK_LIMIT, m->op_offset, "pickles nested %d deep", m->depth);
    }
    const uc_pickle_frame outer = m->frame;
    memset(&m->frame, 0, sizeof m->frame);
    m->depth++;
    uint64_t steps = 0;
    while (!m->frame.root) {
        UC_TRY(step(m));
        if (!(++steps & 0xFFF) && m->budget) {
            UC_TRY(uc_budget_check(m->budget, m->error));
        }
    }
    *root = m->frame.root;
    m->frame = outer;
    m->depth--;
    return UNCORK_OK;
}

uncork_status uc_pickle_run_here(uc_pickle_machine *m, uc_pickle *node)
{
    uc_pickle *root = NULL;
    const uint64_t offset = node->offset;
    UC_TRY(uc_pickle_run(m, &root));
    *node = *root;
    node->offset = offset;
    return UNCORK_OK;
}

uncork_status uc_pickle_run_over(uc_pickle_machine *m, uc_bytes bytes, uc_pickle *node)
{
    const uint8_t *const at = m->at, *const begin = m->begin, *const end = m->end;
    m->at = m->begin = bytes.data;
    m->end = bytes.size ? bytes.data + bytes.size : bytes.data;
    UC_TRY(uc_pickle_run_here(m, node));
    m->at = at;
    m->begin = begin;
    m->end = end;
    return UNCORK_OK;
}

static void fill_info(const uc_pickle_machine *m, uc_pickle_info *info)
{
    info->protocol = m->protocol;
    info->is_joblib = m->is_joblib;
    info->python2 = m->python2;
    info->numpy_major = m->numpy_major;
    info->stream_bytes = (uint64_t)(m->end - m->begin);
    info->end_offset = (uint64_t)(m->at - m->begin);
    info->symbols = m->symbols;
    info->symbol_count = m->symbol_count;
    info->persistents = m->persistents;
    info->persistent_count = m->persistent_count;
    info->dropped = m->dropped;
}

/* Unpacks what joblib (or a person with gzip) compressed, codec inside codec up to the limit. */
static uncork_status unpack(uc_bytes *bytes, uc_arena *arena, uc_budget *budget,
                            const char **compression, uncork_error *error)
{
    for (int depth = 0;; depth++) {
        const uc_codec codec = uc_codec_of(*bytes);
        if (codec == UC_CODEC_NONE) {
            return UNCORK_OK;
        }
        if (depth == UC_LIMIT_NESTING) {
            return uc_fail(error, UNCORK_LIMIT, 0, "compressed more than %d times", depth);
        }
        size_t used; /* joblib reads up to STOP and never looks at what follows */
        UC_TRY(uc_codec_unpack(codec, *bytes, 0, arena, budget, bytes, &used, error));
        if (!*compression) {
            *compression = uc_codec_name(codec);
        }
    }
}

uncork_status uc_pickle_read(uc_bytes bytes, const uc_pickle_side *side, uc_arena *arena,
                             uc_budget *budget, uc_pickle **root, uc_pickle_info *info,
                             uncork_error *error)
{
    *root = NULL;
    if (info) {
        memset(info, 0, sizeof *info);
    }
    const char *compression = NULL;
    UC_TRY(unpack(&bytes, arena, budget, &compression, error));
    uc_pickle_machine m = {
        .at = bytes.data,
        .begin = bytes.data,
        .end = bytes.size ? bytes.data + bytes.size : bytes.data,
        .op_name = "PROTO",
        .arena = arena,
        .scratch = uc_arena_new(budget),
        .budget = budget,
        .error = error,
        .side = side,
        .symbol_table = uc_table_new(arena),
        .free_steps = bytes.size,
    };
    uncork_status status = UNCORK_OK;
    if (!m.scratch || !m.symbol_table) {
        status = uc_fail_memory(error);
    } else {
        status = uc_pickle_run(&m, root);
    }
    if (info) {
        fill_info(&m, info);
        info->compression = compression;
    }
    uc_arena_free(m.scratch);
    return status;
}
