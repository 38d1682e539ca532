/* QBinary: two quantised tensors that broadcast, element by element.
 *
 * a, b  u8 both or s16 both
 * y     their type; bool of comparisons
 * attributes: function ("add", "sub", "mul", "div", "squared_difference", "prelu": b times a below 0;
 * "less", "less_equal", "greater", "greater_equal", "equal", "not_equal"), rounding, a_scale, a_zero,
 * b_scale, b_zero, y_scale, y_zero, low, high
 * Sources: XNNPACK src/{qs8-vadd,qs8-vmul}, tensorflow/lite/kernels/{add,sub,mul,div,squared_difference,
 * activations,comparisons}.cc */
#include "base/thread.h"
#include "kernel/bytes.h"
#include "op/ext/q_number.h"
#include "op/ext/q_quotient.h"
#include "op/shape.h"

typedef enum function {
    ADD,
    SUB,
    MUL,
    DIV,
    SQUARED_DIFFERENCE,
    PRELU,
    LESS,
    LESS_EQUAL,
    GREATER,
    GREATER_EQUAL,
    EQUAL,
    NOT_EQUAL,
    FUNCTIONS
} function;

static const char *const names[FUNCTIONS] = {
    "add",        "sub",     "mul",           "div",   "squared_difference", "prelu", "less",
    "less_equal", "greater", "greater_equal", "equal", "not_equal"};

typedef struct prepared {
    function function;
    uc_q_rule rule;
    bool wide;
    uc_q_number a, b, y;
    int32_t low, high;
    int left; /* shifts of the inputs before they are scaled */
    uc_fixed fa, fb, fy;
    uc_bytes_sum sum;
    uc_bytes_product product;
} prepared;

static uncork_status read(uc_call *call, prepared *p)
{
    const uncork_dtype dtype = uc_call_arg(call, 0)->dtype;
    const uc_str name = uc_call_str(call, "function", "add");
    int f = 0;
    while (f < FUNCTIONS && !uc_str_is(name, names[f]))
        f++;
    if (f == FUNCTIONS)
        return uc_call_fail(call, UNCORK_INPUT, "no function '%.*s'", (int)name.size, name.data);
    p->function = (function)f;
    p->wide = dtype == UNCORK_INT16;
    UC_TRY(uc_q_rule_read(call, &p->rule));
    UC_TRY(uc_q_number_read(call, "a", dtype, &p->a));
    UC_TRY(uc_q_number_read(call, "b", dtype, &p->b));
    UC_TRY(uc_q_number_read(call, "y", dtype, &p->y));
    return uc_q_limits_read(call, dtype, &p->low, &p->high);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    prepared p = {.function = ADD};
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_q_expect(call, 0));
    UC_TRY(uc_q_expect(call, 1));
    if (!a->dtype || !b->dtype) return UNCORK_OK;
    if (a->dtype != b->dtype) return uc_call_fail(call, UNCORK_INPUT, "a and b differ in type");
    UC_TRY(read(call, &p));
    UC_TRY(uc_broadcast_inputs(call, 0, 2, &rank, shape));
    return uc_call_shape(call, 0, p.function >= LESS ? UNCORK_BOOL : a->dtype, rank, shape);
}

/* ---- factors ------------------------------------------------------------------------------------- */

static int exponent_of(float v)
{
    int e;
    (void)frexpf(v, &e);
    return e - 1;
}

/* XNNPACK: the larger ratio gets 21 bits. */
static void set_sum(prepared *p)
{
    const float ra = p->a.scale / p->y.scale, rb = p->b.scale / p->y.scale;
    const int shift = 20 - exponent_of(ra > rb ? ra : rb);
    if (shift < 1 || shift > 30) return; /* the importer keeps to XNNPACK's own range */
    const int32_t fa = (int32_t)lrintf(ldexpf(ra, shift));
    const int32_t fb = (int32_t)lrintf(ldexpf(rb, shift)) * (p->function == SUB ? -1 : 1);
    p->sum = (uc_bytes_sum){.bias = (1 << (shift - 1)) - fa * p->a.zero - fb * p->b.zero,
                            .a_factor = fa,
                            .b_factor = fb,
                            .shift = shift,
                            .zero = p->y.zero,
                            .low = p->low,
                            .high = p->high};
}

static void set_product(prepared *p)
{
    const float product = p->a.scale * p->b.scale;
    p->product = (uc_bytes_product){.a_zero = p->a.zero,
                                    .b_zero = p->b.zero,
                                    .zero = p->y.zero,
                                    .low = p->low,
                                    .high = p->high,
                                    .scale = product / p->y.scale};
}

static void set_fixed(prepared *p)
{
    const double a = (double)p->a.scale, b = (double)p->b.scale, y = (double)p->y.scale;
    const double most = 2 * (a > b ? a : b);
    const float product = p->a.scale * p->b.scale;
    switch ((int)p->function) {
    case ADD:
    case SUB:
        p->left = p->wide ? 15 : 20;
        p->fa = uc_fixed_of(a / most);
        p->fb = uc_fixed_of(b / most);
        p->fy = uc_fixed_of(most / ((double)(1 << p->left) * y));
        break;
    case SQUARED_DIFFERENCE:
        p->left = 7;
        p->fa = uc_fixed_of(a / most);
        p->fb = uc_fixed_of(b / most);
        p->fy = uc_fixed_of(most * most / ((double)(1 << 14) * y));
        break;
    case MUL: p->fy = uc_fixed_of((double)(product / p->y.scale)); break;
    case DIV: p->fy = uc_fixed_of((double)(p->a.scale / (p->b.scale * p->y.scale))); break;
    case PRELU:
        p->fa = uc_fixed_of((double)(p->a.scale / p->y.scale));
        p->fy = uc_fixed_of((double)(product / p->y.scale));
        break;
    default:
        p->left = 8;
        p->fa = uc_fixed_of(a);
        p->fb = uc_fixed_of(b);
    }
}

static uncork_status prepare(uc_call *call)
{
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(read(call, p));
    set_fixed(p);
    if (p->rule == UC_Q_XNNPACK && (p->function == ADD || p->function == SUB)) set_sum(p);
    if (p->rule == UC_Q_XNNPACK && p->function == MUL) set_product(p);
    call->prepared = p;
    return UNCORK_OK;
}

/* ---- one element --------------------------------------------------------------------------------- */

static int32_t scaled(int32_t v, int left, uc_fixed f)
{
    return uc_fixed_twice(uc_fixed_left(v, left), f);
}

static int32_t number_at(const prepared *p, int32_t a, int32_t b)
{
    switch ((int)p->function) {
    case ADD: return uc_fixed_twice(scaled(a, p->left, p->fa) + scaled(b, p->left, p->fb), p->fy);
    case SUB: return uc_fixed_twice(scaled(a, p->left, p->fa) - scaled(b, p->left, p->fb), p->fy);
    case SQUARED_DIFFERENCE: {
        const int32_t d = scaled(a, p->left, p->fa) - scaled(b, p->left, p->fb);
        return uc_fixed_twice((int32_t)((uint32_t)d * (uint32_t)d), p->fy);
    }
    case MUL: return uc_fixed_twice(a * b, p->fy);
    case DIV: return uc_q_quotient(a, b, p->fy);
    case PRELU: return a >= 0 ? uc_fixed_twice(a, p->fa) : uc_fixed_twice(a * b, p->fy);
    default: return 0;
    }
}

static bool truth_at(const prepared *p, int32_t a, int32_t b)
{
    const int32_t x = scaled(a, p->left, p->fa), y = scaled(b, p->left, p->fb);
    switch ((int)p->function) {
    case LESS: return x < y;
    case LESS_EQUAL: return x <= y;
    case GREATER: return x > y;
    case GREATER_EQUAL: return x >= y;
    case EQUAL: return x == y;
    default: return x != y;
    }
}

/* ---- walking --------------------------------------------------------------------------------------- */

typedef struct job {
    const prepared *p;
    const uc_tensor *a, *b;
    uc_tensor *y;
    int64_t a_step[UNCORK_MAX_RANK], b_step[UNCORK_MAX_RANK];
    int64_t n; /* elements of a row */
    int outer; /* dimensions around it */
} job;

static void steps_of(const uc_tensor *t, const uc_tensor *y, int64_t *step)
{
    int64_t by = 1;
    for (int d = y->rank - 1; d >= 0; d--) {
        const int own = d - (y->rank - t->rank);
        const int64_t size = own < 0 ? 1 : t->shape[own];
        step[d] = size == 1 ? 0 : by;
        by *= size;
    }
}

static void general_row(const job *j, int64_t a, int64_t b, int64_t y)
{
    const prepared *p = j->p;
    const int last = j->outer; /* the rows' dimension */
    const int64_t as = j->y->rank ? j->a_step[last] : 0, bs = j->y->rank ? j->b_step[last] : 0;
    for (int64_t i = 0; i < j->n; i++) {
        const int32_t va = uc_q_load(j->a->data, a + i * as, p->wide) - p->a.zero;
        const int32_t vb = uc_q_load(j->b->data, b + i * bs, p->wide) - p->b.zero;
        if (p->function >= LESS) {
            ((bool *)j->y->data)[y + i] = truth_at(p, va, vb);
            continue;
        }
        const int32_t v = (int32_t)((uint32_t)number_at(p, va, vb) + (uint32_t)p->y.zero);
        uc_q_store(j->y->data, y + i, j->y->dtype, uc_fixed_clamp(v, p->low, p->high));
    }
}

static void fast_row(const job *j, int64_t a, int64_t b, int64_t y)
{
    const prepared *p = j->p;
    const uc_bytes_fns *fns = uc_bytes_row();
    const int64_t as = j->y->rank ? j->a_step[j->outer] : 0,
                  bs = j->y->rank ? j->b_step[j->outer] : 0;
    const uint8_t *one = (const uint8_t *)j->a->data + a, *two = (const uint8_t *)j->b->data + b;
    uint8_t *to = (uint8_t *)j->y->data + y;
    const bool turned = as == 0 && bs != 0;
    if (p->function == MUL) {
        uc_bytes_product q = p->product;
        if (turned) {
            q.a_zero = p->product.b_zero;
            q.b_zero = p->product.a_zero;
        }
        fns->product(&q, turned ? two : one, turned ? one : two, turned ? as : bs, to, j->n);
        return;
    }
    uc_bytes_sum s = p->sum;
    if (turned) {
        s.a_factor = p->sum.b_factor;
        s.b_factor = p->sum.a_factor;
    }
    fns->sum(&s, turned ? two : one, turned ? one : two, turned ? as : bs, to, j->n);
}

static void rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const prepared *p = j->p;
    const bool fast =
        p->rule == UC_Q_XNNPACK && !p->wide &&
        (((p->function == ADD || p->function == SUB) && p->sum.shift) || p->function == MUL);
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        int64_t rest = row, a = 0, b = 0;
        for (int d = j->outer - 1; d >= 0; d--) {
            const int64_t at = rest % j->y->shape[d];
            rest /= j->y->shape[d];
            a += at * j->a_step[d];
            b += at * j->b_step[d];
        }
        if (fast)
            fast_row(j, a, b, row * j->n);
        else
            general_row(j, a, b, row * j->n);
    }
}

/* Pieces of a tensor that neither input repeats: rows of their own. */
static void spans(void *context, int64_t begin, int64_t end, int thread)
{
    job j = *(const job *)context;
    const int64_t piece = 1 << 14, all = uc_tensor_count(j.y);
    const prepared *p = j.p;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        j.n = all - i * piece < piece ? all - i * piece : piece;
        const bool fast =
            p->rule == UC_Q_XNNPACK && !p->wide &&
            (((p->function == ADD || p->function == SUB) && p->sum.shift) || p->function == MUL);
        if (fast)
            fast_row(&j, i * piece, i * piece, i * piece);
        else
            general_row(&j, i * piece, i * piece, i * piece);
    }
}

static uncork_status run(uc_call *call)
{
    job j = {.p = call->prepared,
             .a = uc_call_arg(call, 0),
             .b = uc_call_arg(call, 1),
             .y = uc_call_out(call, 0)};
    if (!j.y) return call->error->status;
    const int64_t count = uc_tensor_count(j.y);
    if (count == 0) return UNCORK_OK;
    steps_of(j.a, j.y, j.a_step);
    steps_of(j.b, j.y, j.b_step);
    j.outer = j.y->rank ? j.y->rank - 1 : 0;
    if (uc_tensor_count(j.a) == count && uc_tensor_count(j.b) == count && j.y->rank) {
        j.a_step[j.outer] = j.b_step[j.outer] = 1;
        uc_parallel(call->pool, (count + (1 << 14) - 1) >> 14, 2, spans, &j);
        return UNCORK_OK;
    }
    j.n = j.y->rank ? j.y->shape[j.outer] : 1;
    uc_parallel(call->pool, count / j.n, 1 + 32768 / j.n, rows, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_binary = {
    .domain = "uncork",
    .name = "QBinary",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
