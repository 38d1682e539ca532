/* uncork.Elementwise: a chain of elementwise operators over float32 in one pass over memory.
 *
 * Made by passes only. Inputs broadcast to the output; each is a register, and so is each step:
 *   ops   the operators' names: ["Mul", "Add", "Relu"]
 *   args  three registers a step, -1 where an operator takes fewer: [0,1,-1, 2,3,-1, 4,-1,-1]
 * The last step is the output. Parameters (Clip's bounds, an alpha) are inputs of one element.
 * Numerics: the same bits as the operators one by one. */
#include "kernel/chain.h"
#include "kernel/elementwise.h"
#include "op/shape.h"

enum { TILE = 1024, MOST_INPUTS = 12, MOST_STEPS = 24, MOST_ROWS = MOST_INPUTS + MOST_STEPS };

typedef struct program {
    int inputs, count, slots;
    uc_chain_step steps[MOST_STEPS];
    int slot[MOST_STEPS]; /* which tile of the scratch a step writes; -1: the output */
} program;

/* ---- the program -------------------------------------------------------------------------- */

typedef enum kind { CODE, UNARY, BINARY, SCALED, TWICE } kind;

static const struct {
    const char *name;
    kind kind;
    int value, args;
} table[] = {
    {"Add", CODE, UC_CHAIN_ADD, 2},
    {"Sub", CODE, UC_CHAIN_SUB, 2},
    {"Mul", CODE, UC_CHAIN_MUL, 2},
    {"Div", CODE, UC_CHAIN_DIV, 2},
    {"Relu", CODE, UC_CHAIN_RELU, 1},
    {"Clip", CODE, UC_CHAIN_CLIP, 3},
    {"Neg", CODE, UC_CHAIN_NEG, 1},
    {"Abs", CODE, UC_CHAIN_ABS, 1},
    {"Sqrt", CODE, UC_CHAIN_SQRT, 1},
    {"Min", BINARY, UC_MIN, 2},
    {"Max", BINARY, UC_MAX, 2},
    {"Pow", BINARY, UC_POW, 2},
    {"Reciprocal", UNARY, UC_RECIPROCAL, 1},
    {"Exp", UNARY, UC_EXP, 1},
    {"Log", UNARY, UC_LOG, 1},
    {"Tanh", UNARY, UC_TANH, 1},
    {"Sigmoid", UNARY, UC_SIGMOID, 1},
    {"Softplus", UNARY, UC_SOFTPLUS, 1},
    {"Softsign", UNARY, UC_SOFTSIGN, 1},
    {"Erf", UNARY, UC_ERF, 1},
    {"Floor", UNARY, UC_FLOOR, 1},
    {"Ceil", UNARY, UC_CEIL, 1},
    {"Round", UNARY, UC_ROUND, 1},
    {"Sign", UNARY, UC_SIGN, 1},
    {"Sin", UNARY, UC_SIN, 1},
    {"Cos", UNARY, UC_COS, 1},
    {"HardSwish", UNARY, UC_HARDSWISH, 1},
    {"Mish", UNARY, UC_MISH, 1},
    {"Gelu", UNARY, UC_GELU, 1},
    {"GeluTanh", UNARY, UC_GELU_TANH, 1},
    {"LeakyRelu", SCALED, UC_LEAKY_RELU, 2},
    {"PRelu", SCALED, UC_LEAKY_RELU, 2},
    {"Elu", SCALED, UC_ELU, 2},
    {"Swish", SCALED, UC_SWISH, 2},
    {"HardSigmoid", TWICE, UC_HARD_SIGMOID, 3},
};

static bool find_step(uc_str name, uc_chain_step *s)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (!uc_str_is(name, table[i].name)) continue;
        const int v = table[i].value;
        *s = (uc_chain_step){.code = UC_CHAIN_LOOP, .args = table[i].args};
        switch (table[i].kind) {
        case CODE: s->code = (uc_chain_code)v; break;
        case UNARY: s->loop = uc_loop_unary((uc_unary)v, UNCORK_FLOAT32); break;
        case BINARY: s->loop = uc_loop_binary((uc_binary)v, UNCORK_FLOAT32); break;
        case SCALED: s->loop = uc_loop_scaled((uc_scaled)v, UNCORK_FLOAT32); break;
        case TWICE: s->loop = uc_loop_scaled_twice((uc_scaled_twice)v, UNCORK_FLOAT32); break;
        }
        return true;
    }
    return false;
}

static uncork_status read_step(uc_call *call, program *p, int i, uc_str name, const int64_t *args)
{
    uc_chain_step *s = &p->steps[i];
    if (!find_step(name, s)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "'%.*s' can't be a step",
                            name.size < 40 ? (int)name.size : 40, name.data);
    }
    for (int k = 0; k < s->args; k++) {
        if (args[k] < 0 || args[k] >= p->inputs + i) {
            return uc_call_fail(call, UNCORK_MALFORMED, "step %d reads register %lld of %d", i,
                                (long long)args[k], p->inputs + i);
        }
        s->from[k] = (int)args[k];
    }
    return UNCORK_OK;
}

/* A tile of the scratch is free again after the last step that reads it. */
static void choose_slots(program *p)
{
    int last[MOST_ROWS], busy[MOST_STEPS];
    for (int i = 0; i < p->count; i++) {
        last[p->inputs + i] = i;
        for (int k = 0; k < p->steps[i].args; k++) {
            last[p->steps[i].from[k]] = i;
        }
    }
    for (int i = 0; i < MOST_STEPS; i++) {
        busy[i] = -1;
    }
    for (int i = 0; i + 1 < p->count; i++) {
        int slot = 0;
        while (busy[slot] >= i) {
            slot++;
        }
        busy[slot] = last[p->inputs + i];
        p->slot[i] = slot;
        if (slot >= p->slots) p->slots = slot + 1;
    }
    p->slot[p->count - 1] = -1;
}

static uncork_status read_program(uc_call *call, program *p)
{
    size_t count = 0;
    const uc_attr *ops = uc_call_attr(call, "ops");
    const int64_t *args = uc_call_ints(call, "args", &count);
    *p = (program){.inputs = (int)call->in_count};
    if (!ops || ops->kind != UC_ATTR_STRINGS || ops->count < 1 || ops->count > MOST_STEPS) {
        return uc_call_fail(call, UNCORK_MALFORMED, "ops are missing, or more than %d", MOST_STEPS);
    }
    if (call->in_count > MOST_INPUTS || count != ops->count * UC_CHAIN_ARGS) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu inputs and %zu args for %zu steps",
                            call->in_count, count, ops->count);
    }
    p->count = (int)ops->count;
    for (int i = 0; i < p->count; i++) {
        UC_TRY(read_step(call, p, i, ops->strings[i], args + i * UC_CHAIN_ARGS));
    }
    choose_slots(p);
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    program p;
    UC_TRY(read_program(call, &p));
    for (size_t i = 0; i < call->in_count; i++) {
        uncork_dtype dtype = uc_call_dtype(call, i);
        if (dtype == UNCORK_FLOAT32 || dtype == UNCORK_DTYPE_NONE) continue;
        return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, not float32", i,
                            uc_dtype_name(dtype));
    }
    UC_TRY(uc_broadcast_inputs(call, 0, call->in_count, &rank, shape));
    return uc_call_shape(call, 0, UNCORK_FLOAT32, rank, shape);
}

static uncork_status prepare(uc_call *call)
{
    program *p = UC_NEW(call->arena, program, 1);
    if (!p) return uc_fail_memory(call->error);
    UC_TRY(read_program(call, p));
    call->prepared = p;
    return UNCORK_OK;
}

/* ---- tiles -------------------------------------------------------------------------------- */

/* The output as outer x rows x inner; a tile is some rows of one outer index. */
typedef struct job {
    const program *p;
    uc_chain_fn chain;
    uc_walk walk;           /* array 0: the output, then the inputs that aren't numbers */
    int array[MOST_INPUTS]; /* of the walk; 0: a single number */
    const float *number[MOST_INPUTS];
    bool flat; /* rows of one element: pieces of the last dimension */
    int64_t outer, rows, inner, tile_rows, tiles; /* tiles of one outer index */
    float *scratch; /* of a thread: slots, then a tile for each input */
    size_t scratch_floats;
} job;

/* What lies in the tile of an input that had to be spread out. */
typedef struct spread_tile {
    const char *from;
    int64_t rows;
} spread_tile;

static void choose_tiles(job *j)
{
    uc_walk *w = &j->walk;
    uc_walk_fold(w);
    if (w->rank == 0) { /* a single number */
        w->shape[w->rank++] = 1;
        for (int k = 0; k < UC_WALK_ARRAYS; k++) {
            w->step[0][k] = 0;
        }
    }
    int last = w->rank - 1;
    j->outer = 1;
    j->flat = last == 0 || w->shape[last] >= TILE / 2;
    if (j->flat) {
        j->rows = w->shape[last];
        j->inner = 1;
        j->tile_rows = TILE;
    } else {
        j->rows = w->shape[last - 1];
        j->inner = w->shape[last];
        j->tile_rows = TILE / j->inner;
    }
    for (int d = 0; d < (j->flat ? last : last - 1); d++) {
        j->outer *= w->shape[d];
    }
    j->tiles = (j->rows + j->tile_rows - 1) / j->tile_rows;
}

/* Where an array is at an outer index and a row. */
static char *place(const job *j, int array, int64_t outer, int64_t row)
{
    const uc_walk *w = &j->walk;
    int d = w->rank - (j->flat ? 1 : 2);
    char *at = w->base[array] + row * w->step[d][array];
    for (d--; d >= 0; d--) {
        at += outer % w->shape[d] * w->step[d][array];
        outer /= w->shape[d];
    }
    return at;
}

/* Repeats rows so that an input lies as the output does. */
static void spread_rows(const job *j, int array, const char *from, int64_t rows, float *to)
{
    const int last = j->walk.rank - 1;
    const int64_t row = j->walk.step[last - 1][array], one = j->walk.step[last][array];
    for (int64_t r = 0; r < rows; r++, to += j->inner) {
        const float *x = (const float *)(const void *)(from + r * row);
        for (int64_t i = 0; i < j->inner; i++) {
            to[i] = x[one ? i : 0];
        }
    }
}

/* The register of input k for one tile: its own memory where that is dense. */
static void bind(const job *j, int k, const char *from, int64_t rows, float *room,
                 spread_tile *have, float **row, int *step)
{
    const int last = j->walk.rank - 1, array = j->array[k];
    const int64_t one = j->walk.step[last][array], size = (int64_t)sizeof(float);
    *row = (float *)(void *)(uintptr_t)from;
    if (j->flat) {
        *step = one ? 1 : 0;
        return;
    }
    const int64_t next = j->walk.step[last - 1][array];
    *step = one || next ? 1 : 0;
    if (!*step || (one == size && next == size * j->inner)) return;
    *row = room;
    if (next == 0 && have->from == from && have->rows >= rows) return;
    spread_rows(j, array, from, rows, room);
    *have = (spread_tile){from, rows};
}

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const program *p = j->p;
    float *scratch = j->scratch + (size_t)thread * j->scratch_floats;
    float *rows[MOST_ROWS];
    int steps[MOST_ROWS];
    spread_tile have[MOST_INPUTS] = {{0}};
    for (int i = 0; i < p->count; i++) {
        rows[p->inputs + i] = i + 1 < p->count ? scratch + p->slot[i] * TILE : NULL;
        steps[p->inputs + i] = 1;
    }
    for (int64_t t = begin; t < end; t++) {
        const int64_t outer = t / j->tiles, first = t % j->tiles * j->tile_rows;
        const int64_t left = j->rows - first, many = left < j->tile_rows ? left : j->tile_rows;
        for (int k = 0; k < p->inputs; k++) {
            if (j->array[k]) {
                bind(j, k, place(j, j->array[k], outer, first), many,
                     scratch + (p->slots + k) * TILE, &have[k], &rows[k], &steps[k]);
            } else {
                rows[k] = (float *)(uintptr_t)j->number[k];
                steps[k] = 0;
            }
        }
        rows[p->inputs + p->count - 1] = (float *)(void *)place(j, 0, outer, first);
        j->chain(p->steps, p->count, p->inputs, rows, steps, many * j->inner);
    }
}

static uncork_status run(uc_call *call)
{
    enum { PIECE = 16384 }; /* elements a thread takes at once */
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    job j = {.p = call->prepared, .chain = uc_chain_best()};
    int arrays = 1;
    uc_walk_begin(&j.walk, y->rank, y->shape);
    uc_walk_add(&j.walk, y->data, sizeof(float), y->rank, y->shape, NULL);
    for (size_t i = 0; i < call->in_count; i++) {
        const uc_tensor *x = uc_call_arg(call, i);
        j.number[i] = x->data;
        if (uc_tensor_count(x) == 1) continue;
        if (arrays == UC_WALK_ARRAYS) {
            return uc_call_fail(call, UNCORK_UNSUPPORTED, "more than %d inputs of many elements",
                                UC_WALK_ARRAYS - 1);
        }
        uc_walk_add(&j.walk, x->data, sizeof(float), x->rank, x->shape, NULL);
        j.array[i] = arrays++;
    }
    choose_tiles(&j);
    j.scratch_floats = (size_t)(j.p->slots + j.p->inputs) * TILE;
    j.scratch = uc_call_scratch(call, j.scratch_floats * sizeof(float),
                                (size_t)uc_pool_threads(call->pool));
    if (!j.scratch) return uc_fail_memory(call->error);
    const int64_t grain = PIECE / (j.tile_rows * j.inner);
    uc_parallel(call->pool, j.outer * j.tiles, grain, body, &j);
    return UNCORK_OK;
}

const uc_op uc_op_elementwise = {.domain = "uncork",
                                 .name = "Elementwise",
                                 .in = {1, MOST_INPUTS},
                                 .out = {1, 1},
                                 .in_place = UINT32_MAX,
                                 .streams = true,
                                 .infer = infer,
                                 .prepare = prepare,
                                 .run = run};
