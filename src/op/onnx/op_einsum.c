/* Einsum: sums of products by the letters of an equation.
 *
 * Source: ONNX operator Einsum, opset 28; numpy.einsum for what letters, "..." and a missing "->" mean.
 * inputs  one number type, each of the rank its term has;  y  the same type.
 * Inputs are joined from left to right: letters that nothing else needs are summed at once, a pair
 * becomes a stack of matrix products.
 * Numerics: products see kernel/gemm.h, sums of one input in float64; short floats run in float32,
 * integers wrap. */
#include "kernel/copy.h"
#include "kernel/gemm.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>

enum { LETTERS = 52, LABELS = LETTERS + UNCORK_MAX_RANK, MOST_INPUTS = 32 };

/* Letters of one term, "..." already spelled out as labels from LETTERS on (the last is the last
 * dimension). */
typedef struct term {
    int rank;
    int label[UNCORK_MAX_RANK];
} term;

typedef struct equation {
    int count;
    term in[MOST_INPUTS], out;
    int64_t size[LABELS]; /* 0: not seen, -1: unknown */
    bool seen[LABELS];
} equation;

/* ---- reading ------------------------------------------------------------------------------------- */

static int label_of(char c)
{
    if (c >= 'a' && c <= 'z') return c - 'a';
    return c >= 'A' && c <= 'Z' ? 26 + c - 'A' : -1;
}

/* A term of `rank` dimensions; with rank -1 (the output) "..." stands for `dots` dimensions. */
static uncork_status read_term(uc_call *call, uc_str text, int rank, int dots, term *t)
{
    int letters = 0;
    for (size_t i = 0; i < text.size; i++) {
        letters += label_of(text.data[i]) >= 0;
    }
    if (rank >= 0) dots = rank - letters;
    t->rank = 0;
    bool seen = false;
    for (size_t i = 0; i < text.size; i++) {
        int label = label_of(text.data[i]);
        if (text.data[i] == ' ') continue;
        bool is_dots = i + 2 < text.size && memcmp(text.data + i, "...", 3) == 0 && !seen;
        if (label < 0 && !is_dots) {
            return uc_call_fail(call, UNCORK_MALFORMED, "a term of the equation is '%.*s'",
                                (int)text.size, text.data);
        }
        int n = is_dots ? dots : 1;
        if (n < 0 || t->rank + n > UNCORK_MAX_RANK) break;
        for (int k = 0; k < n; k++) {
            t->label[t->rank++] = is_dots ? LABELS - n + k : label;
        }
        if (is_dots) {
            seen = true;
            i += 2;
        }
    }
    if (rank < 0 || t->rank == rank) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "an input of %d dimensions is called '%.*s'", rank,
                        (int)text.size, text.data);
}

static uncork_status note_sizes(uc_call *call, equation *e, const term *t, const uc_tensor *x)
{
    for (int d = 0; d < t->rank; d++) {
        int64_t *size = &e->size[t->label[d]], n = x->shape[d];
        bool first = !e->seen[t->label[d]];
        e->seen[t->label[d]] = true;
        if (first || *size == 1) {
            *size = n;
        } else if (*size < 0) {
            if (n > 1) *size = n;
        } else if (n >= 0 && n != 1 && n != *size) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "one letter stands for %" PRId64 " and %" PRId64, *size, n);
        }
    }
    return UNCORK_OK;
}

/* Without "->": "..." and every letter that appears once, in alphabetic order (capitals first). */
static void implied_output(equation *e, int dots)
{
    int times[LETTERS] = {0};
    for (int i = 0; i < e->count; i++) {
        for (int d = 0; d < e->in[i].rank; d++) {
            if (e->in[i].label[d] < LETTERS) times[e->in[i].label[d]]++;
        }
    }
    e->out.rank = 0;
    for (int k = 0; k < dots; k++) {
        e->out.label[e->out.rank++] = LABELS - dots + k;
    }
    for (int k = 0; k < LETTERS && e->out.rank < UNCORK_MAX_RANK; k++) {
        int label = (k + 26) % LETTERS;
        if (times[label] == 1) e->out.label[e->out.rank++] = label;
    }
}

static uncork_status read_equation(uc_call *call, equation *e)
{
    uc_str text = uc_call_str(call, "equation", ""), left = text, right = {0};
    bool explicit = false;
    int dots = 0;
    memset(e, 0, sizeof *e);
    for (size_t i = 0; i + 1 < text.size && !explicit; i++) {
        if (text.data[i] != '-' || text.data[i + 1] != '>') continue;
        explicit = true;
        left.size = i;
        right = (uc_str){.data = text.data + i + 2, .size = text.size - i - 2};
    }
    if (call->in_count > MOST_INPUTS) return uc_call_fail(call, UNCORK_LIMIT, "too many inputs");
    size_t at = 0;
    for (e->count = 0; e->count < (int)call->in_count; e->count++) {
        const uc_tensor *x = uc_call_arg(call, (size_t)e->count);
        size_t end = at;
        while (end < left.size && left.data[end] != ',') {
            end++;
        }
        bool last = e->count == (int)call->in_count - 1;
        if (at > left.size || last != (end >= left.size)) {
            return uc_call_fail(call, UNCORK_MALFORMED, "'%.*s' isn't for %zu inputs",
                                (int)text.size, text.data, call->in_count);
        }
        term *t = &e->in[e->count];
        UC_TRY(read_term(call, (uc_str){.data = left.data + at, .size = end - at}, x->rank, 0, t));
        UC_TRY(note_sizes(call, e, t, x));
        int own = 0;
        for (int d = 0; d < t->rank; d++) {
            own += t->label[d] >= LETTERS;
        }
        dots = own > dots ? own : dots;
        at = end + 1;
    }
    if (explicit) {
        UC_TRY(read_term(call, right, -1, dots, &e->out));
    } else {
        implied_output(e, dots);
    }
    bool used[LABELS] = {false};
    for (int d = 0; d < e->out.rank; d++) {
        bool known = e->seen[e->out.label[d]] && !used[e->out.label[d]];
        used[e->out.label[d]] = true;
        if (known) continue;
        return uc_call_fail(call, UNCORK_MALFORMED, "the output of '%.*s'", (int)text.size,
                            text.data);
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    equation e;
    int64_t shape[UNCORK_MAX_RANK];
    for (size_t i = 0; i < call->in_count; i++) {
        if (!uc_call_in(call, i))
            return uc_call_fail(call, UNCORK_MALFORMED, "an input is missing");
        UC_TRY(uc_call_expect(call, i, UC_TYPES_NUMERIC));
        UC_TRY(uc_call_same_dtype(call, 0, i));
    }
    for (size_t i = 0; i < call->in_count; i++) {
        if (uc_call_arg(call, i)->rank >= 0) continue;
        return uc_call_shape(call, 0, uc_call_dtype(call, 0), -1, NULL);
    }
    UC_TRY(read_equation(call, &e));
    for (int d = 0; d < e.out.rank; d++) {
        shape[d] = e.size[e.out.label[d]];
    }
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), e.out.rank, shape);
}

static uint64_t macs(const uc_call *call)
{
    uint64_t n = 1;
    for (size_t i = 0; i < call->in_count; i++) { /* an upper bound would need the equation */
        const uc_tensor *x = uc_call_arg(call, i);
        if (!uc_dims_known(x->shape, x->rank)) return 0;
        uint64_t count = (uint64_t)uc_tensor_count(x);
        n = count > n ? count : n;
    }
    return n;
}

/* ---- running --------------------------------------------------------------------------------------- */

/* An operand: labels of size above 1 with strides; labels of size 1 need no place. */
typedef struct operand {
    term t;
    int64_t stride[UNCORK_MAX_RANK];
    const void *data;
} operand;

typedef struct work {
    uc_call *call;
    const equation *e;
    uncork_dtype dtype; /* float32, float64 or int64 */
    size_t size;
} work;

static int place_of(const term *t, int label)
{
    for (int d = 0; d < t->rank; d++) {
        if (t->label[d] == label) return d;
    }
    return -1;
}

/* Input i: repeated letters become a diagonal, sizes of 1 vanish. */
static operand operand_of(const work *w, int i, const uc_tensor *x, const void *data)
{
    operand o = {.data = data};
    const term *t = &w->e->in[i];
    for (int d = 0; d < t->rank; d++) {
        if (x->shape[d] == 1) continue;
        int at = place_of(&o.t, t->label[d]);
        if (at < 0) {
            at = o.t.rank++;
            o.t.label[at] = t->label[d];
            o.stride[at] = 0;
        }
        o.stride[at] += x->stride[d];
    }
    return o;
}

/* Elements of `o` dense in the order of `labels`, in scratch. */
static void *ordered(const work *w, const operand *o, const term *labels, int64_t *count)
{
    int64_t shape[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK];
    *count = 1;
    for (int d = 0; d < labels->rank; d++) {
        shape[d] = w->e->size[labels->label[d]];
        stride[d] = o->stride[place_of(&o->t, labels->label[d])];
        *count *= shape[d];
    }
    void *to = uc_call_scratch(w->call, (size_t)*count, w->size);
    if (to) uc_copy_strided(to, NULL, o->data, stride, labels->rank, shape, w->size);
    return to;
}

static void set_dense(const work *w, operand *o, const term *t, const void *data)
{
    int64_t step = 1;
    o->t = *t;
    o->data = data;
    for (int d = t->rank - 1; d >= 0; d--) {
        o->stride[d] = step;
        step *= w->e->size[t->label[d]];
    }
}

/* The sum of n elements into element i of `to`. */
static void sum_row(const work *w, const char *from, int64_t n, char *to, int64_t i)
{
    double sum = 0;
    uint64_t whole = 0;
    for (int64_t k = 0; k < n; k++) {
        if (w->dtype == UNCORK_INT64) {
            whole += (uint64_t)((const int64_t *)(const void *)from)[k];
        } else {
            sum += w->dtype == UNCORK_FLOAT64 ? ((const double *)(const void *)from)[k]
                                              : (double)((const float *)(const void *)from)[k];
        }
    }
    if (w->dtype == UNCORK_INT64) {
        ((int64_t *)(void *)to)[i] = (int64_t)whole;
    } else if (w->dtype == UNCORK_FLOAT64) {
        ((double *)(void *)to)[i] = sum;
    } else {
        ((float *)(void *)to)[i] = (float)sum;
    }
}

/* Sums the labels that `needed` doesn't hold. */
static uncork_status reduce(const work *w, operand *o, const bool *needed)
{
    term kept = {0}, all;
    for (int d = 0; d < o->t.rank; d++) {
        if (needed[o->t.label[d]]) kept.label[kept.rank++] = o->t.label[d];
    }
    if (kept.rank == o->t.rank) return UNCORK_OK;
    all = kept;
    int64_t n = 1, count = 0;
    for (int d = 0; d < o->t.rank; d++) {
        if (needed[o->t.label[d]]) continue;
        all.label[all.rank++] = o->t.label[d];
        n *= w->e->size[o->t.label[d]];
    }
    const char *from = ordered(w, o, &all, &count);
    int64_t rows = 1;
    for (int d = 0; d < kept.rank; d++) {
        rows *= w->e->size[kept.label[d]];
    }
    char *to = uc_call_scratch(w->call, (size_t)rows, w->size);
    if (!from || !to) return uc_fail_memory(w->call->error);
    for (int64_t i = 0; i < rows; i++) {
        sum_row(w, from + (size_t)(i * n) * w->size, n, to, i);
    }
    set_dense(w, o, &kept, to);
    return UNCORK_OK;
}

typedef struct product {
    int64_t batch, m, k, n;
    const char *a, *b; /* [batch, m, k], [batch, k, n] */
    char *y;
} product;

static void multiply_ints(const product *p)
{
    for (int64_t i = 0; i < p->batch * p->m * p->n; i++) {
        int64_t batch = i / (p->m * p->n), row = i / p->n % p->m, column = i % p->n;
        const int64_t *a = (const int64_t *)(const void *)p->a + (batch * p->m + row) * p->k;
        const int64_t *b = (const int64_t *)(const void *)p->b + batch * p->k * p->n + column;
        uint64_t sum = 0;
        for (int64_t k = 0; k < p->k; k++) {
            sum += (uint64_t)a[k] * (uint64_t)b[k * p->n];
        }
        ((int64_t *)(void *)p->y)[i] = (int64_t)sum;
    }
}

static uncork_status multiply(const work *w, const product *p)
{
    uint64_t n = 0, m = (uint64_t)(p->batch * p->m);
    bool over = __builtin_mul_overflow(m, (uint64_t)p->n, &n) ||
                __builtin_mul_overflow(n, (uint64_t)(p->k ? p->k : 1), &n);
    UC_TRY(uc_budget_macs(w->call->budget, over ? UINT64_MAX : n, "Einsum", w->call->error));
    if (w->dtype == UNCORK_INT64) {
        multiply_ints(p);
        return UNCORK_OK;
    }
    const uc_gemm *gemm = w->dtype == UNCORK_FLOAT64 ? uc_gemm_f64() : uc_gemm_f32();
    size_t count = 0;
    if (!gemm->packed_count(p->k, p->n, &count)) {
        return uc_call_fail(w->call, UNCORK_LIMIT, "too large a product");
    }
    void *packed = uc_call_scratch(w->call, count, w->size);
    if (!packed) return uc_fail_memory(w->call->error);
    for (int64_t i = 0; i < p->batch; i++) {
        uc_gemm_args args = {.m = p->m, .n = p->n, .k = p->k, .lda = p->k, .ldc = p->n};
        gemm->pack(packed, p->b + (size_t)(i * p->k * p->n) * w->size, p->n, 1, p->k, p->n);
        args.a = p->a + (size_t)(i * p->m * p->k) * w->size;
        args.packed = packed;
        args.c = p->y + (size_t)(i * p->m * p->n) * w->size;
        args.pool = w->call->pool;
        gemm->run(&args);
    }
    return UNCORK_OK;
}

static void append(const work *w, term *t, int label, int64_t *size)
{
    t->label[t->rank++] = label;
    *size *= w->e->size[label];
}

/* a joined with b: letters of both are matched, those in `needed` stay. */
static uncork_status join(const work *w, operand *a, const operand *b, const bool *needed)
{
    term ta = {0}, tb = {0}, ty = {0}, middle = {0};
    product p = {1, 1, 1, 1, NULL, NULL, NULL};
    int64_t count = 0, ignored = 1;
    if (a->t.rank + b->t.rank > UNCORK_MAX_RANK) {
        return uc_call_fail(w->call, UNCORK_LIMIT, "more than %d letters at once", UNCORK_MAX_RANK);
    }
    for (int d = 0; d < a->t.rank; d++) { /* batch */
        int label = a->t.label[d];
        if (place_of(&b->t, label) < 0) continue;
        if (!needed[label]) {
            append(w, &middle, label, &p.k);
            continue;
        }
        append(w, &ta, label, &p.batch);
        append(w, &tb, label, &ignored);
        append(w, &ty, label, &ignored);
    }
    for (int d = 0; d < a->t.rank; d++) {
        if (place_of(&b->t, a->t.label[d]) >= 0) continue;
        append(w, &ta, a->t.label[d], &p.m);
        append(w, &ty, a->t.label[d], &ignored);
    }
    for (int d = 0; d < middle.rank; d++) {
        append(w, &ta, middle.label[d], &ignored);
        append(w, &tb, middle.label[d], &ignored);
    }
    for (int d = 0; d < b->t.rank; d++) {
        if (place_of(&a->t, b->t.label[d]) >= 0) continue;
        append(w, &tb, b->t.label[d], &p.n);
        append(w, &ty, b->t.label[d], &ignored);
    }
    p.a = ordered(w, a, &ta, &count);
    p.b = ordered(w, b, &tb, &count);
    size_t elements = 0, row = 0;
    bool fits = uc_mul_size((size_t)(p.batch * p.m), (size_t)p.n, &elements) &&
                uc_mul_size(elements, w->size, &row);
    if (!fits) return uc_call_fail(w->call, UNCORK_LIMIT, "too large a product");
    p.y = uc_call_scratch(w->call, elements, w->size);
    if (!p.a || !p.b || !p.y) return uc_fail_memory(w->call->error);
    UC_TRY(multiply(w, &p));
    set_dense(w, a, &ty, p.y);
    return UNCORK_OK;
}

/* Letters that the output or an input from `from` on holds. */
static void need(const work *w, int from, bool *needed)
{
    memset(needed, 0, LABELS * sizeof *needed);
    for (int d = 0; d < w->e->out.rank; d++) {
        needed[w->e->out.label[d]] = true;
    }
    for (int i = from; i < w->e->count; i++) {
        for (int d = 0; d < w->e->in[i].rank; d++) {
            needed[w->e->in[i].label[d]] = true;
        }
    }
}

/* The result in the output's order; letters of size 1, and those an operand lacks, repeat. */
static uncork_status finish(const work *w, const operand *o, uc_tensor *y)
{
    int64_t stride[UNCORK_MAX_RANK], n = uc_tensor_count(y);
    for (int d = 0; d < w->e->out.rank; d++) {
        int at = place_of(&o->t, w->e->out.label[d]);
        stride[d] = at < 0 ? 0 : o->stride[at];
    }
    char *to = y->data;
    if (w->dtype != y->dtype) to = uc_call_scratch(w->call, (size_t)n, w->size);
    if (!to) return uc_fail_memory(w->call->error);
    uc_copy_strided(to, NULL, o->data, stride, y->rank, y->shape, w->size);
    if (w->dtype == y->dtype) return UNCORK_OK;
    size_t size = uc_dtype_size(y->dtype);
    for (int64_t i = 0; i < n; i++) { /* the low bytes: wraps */
        memcpy((char *)y->data + (size_t)i * size, to + (size_t)i * w->size, size);
    }
    return UNCORK_OK;
}

static uncork_status run_wide(uc_call *call)
{
    equation e;
    operand total = {0};
    bool needed[LABELS];
    uncork_dtype dtype = uc_call_dtype(call, 0);
    UC_TRY(read_equation(call, &e));
    work w = {.call = call, .e = &e, .dtype = dtype};
    if (uc_dtype_is_integer(dtype)) w.dtype = UNCORK_INT64;
    w.size = uc_dtype_size(w.dtype);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int i = 0; i < e.count; i++) {
        const uc_tensor *x = uc_call_arg(call, (size_t)i);
        void *data = x->data;
        if (w.dtype != dtype) {
            data = uc_call_scratch(call, (size_t)uc_tensor_count(x), w.size);
            if (!data) return uc_fail_memory(call->error);
            uc_dtype_convert(data, w.dtype, x->data, dtype, uc_tensor_count(x));
        }
        operand o = operand_of(&w, i, x, data);
        need(&w, i + 1, needed);
        bool alone[LABELS];
        memcpy(alone, needed, sizeof alone);
        for (int d = 0; i > 0 && d < total.t.rank; d++) {
            alone[total.t.label[d]] = true;
        }
        UC_TRY(reduce(&w, &o, alone));
        if (i == 0) {
            total = o;
            continue;
        }
        for (int d = 0; d < o.t.rank; d++) {
            needed[o.t.label[d]] = true;
        }
        UC_TRY(reduce(&w, &total, needed));
        need(&w, i + 1, needed);
        UC_TRY(join(&w, &total, &o, needed));
    }
    return finish(&w, &total, y);
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_einsum = {
    .name = "Einsum", .in = {1, -1}, .out = {1, 1}, .infer = infer, .run = run, .macs = macs};
