/* What the files of the pickle reader share: the stack machine and its helpers. */
#ifndef UC_CONTAINER_PICKLE_MACHINE_H
#define UC_CONTAINER_PICKLE_MACHINE_H

#include "base/table.h"
#include "container/pickle.h"

typedef struct uc_pickle_machine uc_pickle_machine;

/* A global that builds data. Both functions return OK without doing anything for arguments they
 * don't know: the value then stays an opaque OBJECT. */
typedef struct uc_pickle_builder {
    const char *modules; /* "builtins|__builtin__" */
    const char *name;
    /* The result of a call with these arguments, or *out untouched. */
    uncork_status (*call)(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out);
    /* BUILD: turns `object` into data in place; object->state is set already. */
    uncork_status (*build)(uc_pickle_machine *m, uc_pickle *object);
} uc_pickle_builder;

/* memo[index] = value. Small indices live in an array that grows with the number of PUTs, so that
 * one PUT of a huge index allocates nothing; others live in a hash table. */
typedef struct uc_pickle_memo {
    uc_pickle **dense;
    size_t dense_count, dense_capacity;
    struct {
        uint64_t index;
        uc_pickle *value;
    } * slots;
    size_t slot_count, slot_capacity;
    size_t used; /* distinct indices: what MEMOIZE numbers by */
} uc_pickle_memo;

/* The part of a machine that a nested pickle has of its own. */
typedef struct uc_pickle_frame {
    uc_pickle **stack;
    size_t height, stack_capacity;
    size_t *marks; /* stack heights */
    size_t mark_count, mark_capacity;
    uc_pickle_memo memo;
    uc_pickle *root; /* set by STOP */
} uc_pickle_frame;

struct uc_pickle_machine {
    const uint8_t *at, *begin, *end;
    uint64_t op_offset;  /* of the opcode being done */
    const char *op_name; /* "BINUNICODE" */
    uc_pickle_frame frame;
    int depth; /* pickles inside this pickle */

    uc_arena *arena;   /* values */
    uc_arena *scratch; /* stack, memo: gone when reading ends */
    uc_budget *budget;
    uncork_error *error;
    const uc_pickle_side *side;

    uc_pickle *slab; /* nodes not yet given out */
    size_t slab_left, slab_size;
    uc_pickle *none, *booleans[2], *empty_tuple, *small[256];

    uc_table *symbol_table; /* "module\nname" -> SYMBOL */
    uc_pickle **symbols;
    size_t symbol_count, symbol_capacity;

    uc_pickle **persistents;
    size_t persistent_count, persistent_capacity;

    uint64_t free_steps;
    uc_pickle *dropped;
    int protocol;
    bool is_joblib, python2;
    int numpy_major;
};

/* Fails at the opcode being done. */
#define UC_PICKLE_FAIL(m, ...) uc_fail((m)->error, UNCORK_MALFORMED, (m)->op_offset, __VA_ARGS__)

/* ---- pickle.c: the machine ------------------------------------------------------------------ */

/* A zeroed node at the current opcode; NULL when the arena is out. */
uc_pickle *uc_pickle_node(uc_pickle_machine *m, uc_pickle_kind kind);
/* The arena's failure as a status. */
uncork_status uc_pickle_out_of_memory(uc_pickle_machine *m);
/* Charges steps that a short file could ask for again and again over what the memo shares; as many
 * as the stream has bytes are free, for each of its bytes may be gone over once. */
uncork_status uc_pickle_charge(uc_pickle_machine *m, uint64_t steps);
/* The file ends before `need` bytes that the current opcode wants. */
uncork_status uc_pickle_cut(uc_pickle_machine *m, uint64_t need);
/* Runs opcodes up to STOP with a stack and a memo of their own. */
uncork_status uc_pickle_run(uc_pickle_machine *m, uc_pickle **root);

/* A pickle at the current place, or over other bytes, becomes `node`. */
uncork_status uc_pickle_run_here(uc_pickle_machine *m, uc_pickle *node);
uncork_status uc_pickle_run_over(uc_pickle_machine *m, uc_bytes bytes, uc_pickle *node);

uncork_status uc_pickle_push(uc_pickle_machine *m, uc_pickle *value);
uncork_status uc_pickle_pop(uc_pickle_machine *m, uc_pickle **value);
/* The top, or NULL (and a failure) when the stack is empty down to the last mark. */
uc_pickle *uc_pickle_top(uc_pickle_machine *m);
/* Everything above the last mark, which is popped: *count values at *items, valid until the next push. */
uncork_status uc_pickle_pop_mark(uc_pickle_machine *m, uc_pickle ***items, size_t *count);
/* Adds values to a list's (or set's, tuple's) items. */
uncork_status uc_pickle_extend(uc_pickle_machine *m, uc_pickle *list, uc_pickle **items,
                               size_t count);
/* Adds key, value, key, value...; `count` is that of pairs. */
uncork_status uc_pickle_add_pairs(uc_pickle_machine *m, uc_pickle *dict, uc_pickle **items,
                                  size_t count);

static inline size_t uc_pickle_left(const uc_pickle_machine *m) { return (size_t)(m->end - m->at); }

/* The next n bytes at *bytes. */
static inline uncork_status uc_pickle_take(uc_pickle_machine *m, uint64_t n, const uint8_t **bytes)
{
    *bytes = m->at;
    if (n > uc_pickle_left(m)) {
        return uc_pickle_cut(m, n);
    }
    m->at += n;
    return UNCORK_OK;
}

/* ---- pickle_memo.c -------------------------------------------------------------------------- */

/* False: no memory. */
bool uc_pickle_memo_put(uc_pickle_memo *memo, uc_arena *arena, uint64_t index, uc_pickle *value);
/* NULL when absent. */
uc_pickle *uc_pickle_memo_find(const uc_pickle_memo *memo, uint64_t index);

/* ---- pickle_ops.c, pickle_scalar.c, pickle_object.c: opcodes -------------------------------- */

typedef uncork_status (*uc_pickle_op_fn)(uc_pickle_machine *m, int arg);

typedef struct uc_pickle_op {
    const char *name;
    uc_pickle_op_fn run;
    int arg;
    int protocol; /* the first that has it */
} uc_pickle_op;

extern const uc_pickle_op uc_pickle_ops[256];

uncork_status uc_pickle_op_int(uc_pickle_machine *m, int width);      /* i32, u16, u8 */
uncork_status uc_pickle_op_int_line(uc_pickle_machine *m, int arg);   /* INT, LONG */
uncork_status uc_pickle_op_long(uc_pickle_machine *m, int width);     /* LONG1, LONG4 */
uncork_status uc_pickle_op_float_line(uc_pickle_machine *m, int arg); /* FLOAT */
uncork_status uc_pickle_op_float(uc_pickle_machine *m, int arg);      /* BINFLOAT */
uncork_status uc_pickle_op_text(uc_pickle_machine *m, int width);     /* BINUNICODE... */
uncork_status uc_pickle_op_bytes(uc_pickle_machine *m, int width);    /* BINBYTES..., BYTEARRAY8 */
uncork_status uc_pickle_op_string(uc_pickle_machine *m, int width);   /* BINSTRING... */
uncork_status uc_pickle_op_string_line(uc_pickle_machine *m, int arg);
uncork_status uc_pickle_op_text_line(uc_pickle_machine *m, int arg); /* UNICODE */

uncork_status uc_pickle_op_global(uc_pickle_machine *m, int arg);
uncork_status uc_pickle_op_stack_global(uc_pickle_machine *m, int arg);
uncork_status uc_pickle_op_inst(uc_pickle_machine *m, int arg);
uncork_status uc_pickle_op_obj(uc_pickle_machine *m, int arg);
uncork_status uc_pickle_op_newobj(uc_pickle_machine *m, int with_kwargs);
uncork_status uc_pickle_op_reduce(uc_pickle_machine *m, int arg);
uncork_status uc_pickle_op_build(uc_pickle_machine *m, int arg);
uncork_status uc_pickle_op_persistent(uc_pickle_machine *m, int is_line);
uncork_status uc_pickle_op_extension(uc_pickle_machine *m, int width);

/* The bytes up to '\n', which is skipped. */
uncork_status uc_pickle_line(uc_pickle_machine *m, uc_str *line);
/* An integer node: INT, or LONG for more than 8 bytes; little-endian two's complement. */
uncork_status uc_pickle_integer(uc_pickle_machine *m, const uint8_t *bytes, size_t size,
                                uc_pickle **out);
uc_pickle *uc_pickle_int(uc_pickle_machine *m, int64_t value);

/* ---- pickle_build.c ------------------------------------------------------------------------- */

/* The builder of a global, NULL when it stays a symbol. */
const uc_pickle_builder *uc_pickle_builder_find(uc_str module, uc_str name);
const uc_pickle_builder *uc_pickle_builder_at(int64_t id);
int64_t uc_pickle_builder_id(const uc_pickle_builder *builder); /* 0 for NULL */

/* The builders' functions that live in pickle_numpy.c and pickle_joblib.c. */
uncork_status uc_pickle_call_dtype(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out);
uncork_status uc_pickle_build_dtype(uc_pickle_machine *m, uc_pickle *object);
uncork_status uc_pickle_call_scalar(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out);
uncork_status uc_pickle_call_frombuffer(uc_pickle_machine *m, const uc_pickle *args,
                                        uc_pickle **out);
uncork_status uc_pickle_build_ndarray(uc_pickle_machine *m, uc_pickle *object);
uncork_status uc_pickle_build_wrapper(uc_pickle_machine *m, uc_pickle *object);
uncork_status uc_pickle_build_side_wrapper(uc_pickle_machine *m, uc_pickle *object);
uncork_status uc_pickle_build_zipped_wrapper(uc_pickle_machine *m, uc_pickle *object);

#endif
