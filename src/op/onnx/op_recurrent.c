/* LSTM, GRU and RNN: one layer over a sequence, in one direction or both.
 *
 * Source: ONNX operators LSTM 22, GRU 22, RNN 22.
 * x  float [seq, batch, in] (layout 1: [batch, seq, in]);  w  [dirs, gates * hidden, in]
 * r  [dirs, gates * hidden, hidden];  b  [dirs, 2 * gates * hidden], of w then of r
 * sequence_lens  int32 [batch];  initial_h, initial_c  [dirs, batch, hidden] (layout 1: batch first)
 * p  [dirs, 3 * hidden]: peepholes of LSTM, input, output, forget
 * y  [seq, dirs, batch, hidden] (layout 1: [batch, seq, dirs, hidden]), zeros beyond a row's length
 * y_h, y_c  as initial_h. Gates are in ONNX's order: LSTM input, output, forget, cell; GRU update,
 * reset, hidden.
 * Numerics: the inputs' part is one product over all steps (kernel/gemm.h), each step adds the
 * state's; clip bounds what goes into the gates' activations, as onnxruntime. */
#include "kernel/gemm.h"
#include "op/activation.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

/* Weights of one direction, packed. */
typedef struct packed {
    const void *w,
        *r; /* all gates of w; of r: all, or GRU's first two without linear_before_reset */
    const void *hidden; /* GRU then: r's last gate */
} packed;

typedef struct weights {
    packed direction[2];
} weights;

typedef struct direction {
    bool reverse;
    uc_activation activation[3];
    packed packed;
    const void *peepholes;
    void *bias;  /* [gates * hidden] of the input's part */
    void *again; /* GRU with linear_before_reset: the bias of the state's part */
} direction;

typedef struct recurrent {
    int gates;
    uncork_dtype dtype;
    size_t size;
    const uc_gemm *gemm;
    int64_t steps, batch, in, hidden;
    int directions;
    bool batch_first, input_forget, linear_before_reset, is_gru;
    double clip;
    const int32_t *lengths; /* NULL: all steps */
    uncork_pool *pool;
} recurrent;

#define T    float
#define N(x) x##_f32
#include "op/onnx/recurrent.inc"

#define T    double
#define N(x) x##_f64
#include "op/onnx/recurrent.inc"

/* ---- shapes ------------------------------------------------------------------------------------ */

static int gates_of(const uc_call *call)
{
    const char *name = call->op->name;
    return strcmp(name, "LSTM") == 0 ? 4 : (strcmp(name, "GRU") == 0 ? 3 : 1);
}

/* Fails when input i, of known rank, isn't of the given shape; -1 fits anything. */
static uncork_status expect_shape(uc_call *call, size_t i, const char *name, int rank,
                                  const int64_t *shape)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t || t->rank < 0) return UNCORK_OK;
    bool fits = t->rank == rank;
    for (int d = 0; fits && d < rank; d++) {
        fits = t->shape[d] < 0 || shape[d] < 0 || t->shape[d] == shape[d];
    }
    if (fits) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT, "%s has shape %s, not %s", name,
                        uc_shape_text(t->shape, t->rank, a, sizeof a),
                        uc_shape_text(shape, rank, b, sizeof b));
}

static int64_t dim(const uc_tensor *t, int d) { return t->rank < 0 ? UC_DIM_UNKNOWN : t->shape[d]; }

/* Sizes from the inputs, everything checked against everything. */
static uncork_status read_sizes(uc_call *call, recurrent *r)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1), *s = uc_call_arg(call, 2);
    uc_str way = uc_call_str(call, "direction", "forward");
    int64_t hidden = uc_call_int(call, "hidden_size", UC_DIM_UNKNOWN);
    *r = (recurrent){.gates = gates_of(call), .directions = 1};
    bool known = uc_str_is(way, "forward") || uc_str_is(way, "reverse");
    if (uc_str_is(way, "bidirectional")) r->directions = 2;
    if (!known && r->directions == 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "direction is '%.*s'", (int)way.size, way.data);
    }
    for (size_t i = 0; i < call->in_count; i++) {
        if (i == 4 || !uc_call_in(call, i)) continue;
        UC_TRY(uc_call_expect_wide(call, i));
        UC_TRY(uc_call_same_dtype(call, 0, i));
    }
    r->is_gru = r->gates == 3;
    r->batch_first = uc_call_int(call, "layout", 0) != 0;
    r->input_forget = uc_call_int(call, "input_forget", 0) != 0;
    r->linear_before_reset = uc_call_int(call, "linear_before_reset", 0) != 0;
    r->clip = uc_call_float(call, "clip", 0);
    bool ranks = (x->rank < 0 || x->rank == 3) && (w->rank < 0 || w->rank == 3) &&
                 (s->rank < 0 || s->rank == 3);
    if (!ranks) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "X, W and R have %d, %d and %d dimensions, 3 each are wanted", x->rank,
                            w->rank, s->rank);
    }
    r->steps = dim(x, r->batch_first ? 1 : 0);
    r->batch = dim(x, r->batch_first ? 0 : 1);
    r->in = dim(x, 2);
    r->hidden = dim(s, 2) >= 0 ? dim(s, 2) : hidden;
    if (hidden >= 0 && hidden != r->hidden) {
        return uc_call_fail(call, UNCORK_INPUT, "hidden_size is %" PRId64 ", R has %" PRId64,
                            hidden, r->hidden);
    }
    if (r->hidden > INT32_MAX) return uc_call_fail(call, UNCORK_LIMIT, "too many hidden units");
    int64_t n = r->hidden < 0 ? UC_DIM_UNKNOWN : r->hidden, g = n < 0 ? n : n * r->gates;
    int64_t dirs = r->directions;
    const int64_t of_w[] = {dirs, g, r->in}, of_r[] = {dirs, g, n};
    const int64_t of_b[] = {dirs, g < 0 ? g : 2 * g}, of_p[] = {dirs, n < 0 ? n : 3 * n};
    const int64_t of_h[] = {r->batch_first ? r->batch : dirs, r->batch_first ? dirs : r->batch, n};
    UC_TRY(expect_shape(call, 1, "W", 3, of_w));
    UC_TRY(expect_shape(call, 2, "R", 3, of_r));
    UC_TRY(expect_shape(call, 3, "B", 2, of_b));
    UC_TRY(expect_shape(call, 4, "sequence_lens", 1, &r->batch));
    UC_TRY(expect_shape(call, 5, "initial_h", 3, of_h));
    UC_TRY(expect_shape(call, 6, "initial_c", 3, of_h));
    return expect_shape(call, 7, "P", 2, of_p);
}

/* Which names of activation take an alpha, a beta: they are consumed in that order. */
static bool takes(uc_str name, bool beta)
{
    static const char *const both[] = {"affine", "scaledtanh", "hardsigmoid"};
    static const char *const alpha[] = {"leakyrelu", "thresholdedrelu", "elu"};
    char low[24] = {0};
    for (size_t i = 0; i < name.size && i < sizeof low - 1; i++) {
        low[i] = (char)(name.data[i] | 32);
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(low, both[i]) == 0 || (!beta && strcmp(low, alpha[i]) == 0)) return true;
    }
    return false;
}

static double number_of(const uc_attr *a, size_t *at)
{
    return a && a->kind == UC_ATTR_FLOATS && *at < a->count ? a->floats[(*at)++] : (double)NAN;
}

static uncork_status read_activations(uc_call *call, const recurrent *r, uncork_dtype dtype,
                                      direction *d)
{
    static const char *const lstm[] = {"Sigmoid", "Tanh", "Tanh"};
    const uc_attr *names = uc_call_attr(call, "activations");
    const uc_attr *alphas = uc_call_attr(call, "activation_alpha");
    const uc_attr *betas = uc_call_attr(call, "activation_beta");
    size_t each = r->gates == 1 ? 1 : (size_t)r->gates - 1, alpha = 0, beta = 0;
    bool given = names && names->kind == UC_ATTR_STRINGS && names->count > 0;
    size_t want = each * (size_t)r->directions;
    if (given && names->count != want && !(r->gates == 1 && names->count == 1)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu activations, %zu are wanted", names->count,
                            want);
    }
    for (size_t i = 0; i < want; i++) {
        uc_str name = uc_str_of(r->gates == 1 ? "Tanh" : lstm[i % each]);
        if (given) name = names->strings[i < names->count ? i : 0];
        double a = takes(name, false) ? number_of(alphas, &alpha) : (double)NAN;
        double b = takes(name, true) ? number_of(betas, &beta) : (double)NAN;
        uc_activation *to = &d[i / each].activation[i % each];
        if (name.size && uc_activation_of(name, a, b, dtype, to)) continue;
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "there is no activation '%.*s'",
                            (int)name.size, name.data);
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    recurrent r;
    direction d[2];
    UC_TRY(read_sizes(call, &r));
    if (uc_call_in(call, 4)) UC_TRY(uc_call_expect(call, 4, UC_TYPES_INDEX));
    uncork_dtype dtype = uc_call_dtype(call, 0);
    uncork_dtype wide = dtype == UNCORK_FLOAT64 ? UNCORK_FLOAT64 : UNCORK_FLOAT32;
    UC_TRY(read_activations(call, &r, wide, d));
    const int64_t y[] = {r.steps, r.directions, r.batch, r.hidden};
    const int64_t y_first[] = {r.batch, r.steps, r.directions, r.hidden};
    const int64_t h[] = {r.directions, r.batch, r.hidden};
    const int64_t h_first[] = {r.batch, r.directions, r.hidden};
    UC_TRY(uc_call_shape(call, 0, dtype, 4, r.batch_first ? y_first : y));
    UC_TRY(uc_call_shape(call, 1, dtype, 3, r.batch_first ? h_first : h));
    return uc_call_shape(call, 2, dtype, 3, r.batch_first ? h_first : h);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1), *s = uc_call_arg(call, 2);
    bool known = x->rank == 3 && w->rank == 3 && s->rank == 3 && uc_dims_known(x->shape, 3) &&
                 uc_dims_known(w->shape, 3) && uc_dims_known(s->shape, 3);
    uint64_t n = 0;
    if (!known) return 0;
    uint64_t rows = (uint64_t)x->shape[0] * (uint64_t)x->shape[1];
    uint64_t each = (uint64_t)uc_tensor_count(w) + (uint64_t)uc_tensor_count(s);
    return __builtin_mul_overflow(rows, each, &n) ? UINT64_MAX : n;
}

/* ---- weights ------------------------------------------------------------------------------------- */

/* The transpose of rows [first, first + n) of a [., k] matrix, packed. */
static const void *pack(uc_call *call, uc_arena *arena, const uc_gemm *gemm, const void *data,
                        size_t size, int64_t first, int64_t n, int64_t k)
{
    size_t count = 0, bytes = 0;
    bool fits = gemm->packed_count(k, n, &count) && uc_mul_size(count, size, &bytes);
    void *to = !fits   ? NULL
               : arena ? uc_arena_alloc_raw(arena, bytes)
                       : uc_call_scratch(call, bytes, 1);
    if (to) gemm->pack(to, (const char *)data + (size_t)(first * k) * size, 1, k, k, n);
    return to;
}

static bool pack_weights(uc_call *call, uc_arena *arena, const recurrent *r, const uc_tensor *w,
                         const uc_tensor *s, weights *to)
{
    int64_t n = r->hidden, g = r->gates * n;
    const uc_gemm *gemm = w->dtype == UNCORK_FLOAT64 ? uc_gemm_f64() : uc_gemm_f32();
    size_t size = uc_dtype_size(w->dtype);
    bool apart = r->is_gru && !r->linear_before_reset;
    for (int d = 0; d < r->directions; d++) {
        packed *p = &to->direction[d];
        p->w = pack(call, arena, gemm, w->data, size, d * g, g, r->in);
        p->r = pack(call, arena, gemm, s->data, size, d * g, apart ? 2 * n : g, n);
        if (apart) p->hidden = pack(call, arena, gemm, s->data, size, d * g + 2 * n, n, n);
        if (!p->w || !p->r || (apart && !p->hidden)) return false;
    }
    return true;
}

static uncork_status prepare(uc_call *call)
{
    recurrent r;
    if (!uc_call_known(call, 1) || !uc_call_known(call, 2)) return UNCORK_OK;
    const uc_tensor *w = uc_call_arg(call, 1), *s = uc_call_arg(call, 2);
    UC_TRY(read_sizes(call, &r));
    r.in = w->shape[2];
    weights *to = UC_NEW(call->arena, weights, 1);
    if (uc_is_short_float(w->dtype)) {
        w = uc_tensor_cast(call->arena, w, UNCORK_FLOAT32);
        s = uc_tensor_cast(call->arena, s, UNCORK_FLOAT32);
    }
    if (!to || !w || !s || !pack_weights(call, call->arena, &r, w, s, to)) {
        UC_TRY(uc_arena_status(call->arena, call->error));
        return uc_fail_memory(call->error);
    }
    call->prepared = to;
    return UNCORK_OK;
}

/* Biases of one direction: what can be added to the input's part at once. */
static uncork_status set_bias(uc_call *call, const recurrent *r, int index, direction *d)
{
    const uc_tensor *b = uc_call_in(call, 3);
    int64_t g = r->gates * r->hidden, apart = r->is_gru && r->linear_before_reset ? r->hidden : 0;
    if (!b) return UNCORK_OK;
    d->bias = uc_call_scratch(call, (size_t)g, r->size);
    d->again = uc_call_scratch(call, (size_t)g, r->size);
    if (!d->bias || !d->again) return uc_fail_memory(call->error);
    memset(d->again, 0, (size_t)g * r->size);
    for (int64_t i = 0; i < g; i++) {
        bool later = i >= g - apart;
        if (r->dtype == UNCORK_FLOAT64) {
            const double *from = (const double *)b->data + index * 2 * g;
            ((double *)d->bias)[i] = later ? from[i] : from[i] + from[g + i];
            if (later) ((double *)d->again)[i] = from[g + i];
        } else {
            const float *from = (const float *)b->data + index * 2 * g;
            ((float *)d->bias)[i] = later ? from[i] : from[i] + from[g + i];
            if (later) ((float *)d->again)[i] = from[g + i];
        }
    }
    if (!apart) d->again = NULL;
    return UNCORK_OK;
}

/* ---- running --------------------------------------------------------------------------------------- */

/* Memory of one direction. */
typedef struct room {
    char *input;         /* [rows of x, gates * hidden] */
    char *again;         /* [batch, gates * hidden] */
    char *h, *c, *reset; /* [batch, hidden] */
} room;

static void product(const recurrent *r, const void *a, int64_t m, int64_t k, const void *b,
                    int64_t n, const void *bias, void *to)
{
    uc_gemm_args args = {.m = m, .n = n, .k = k, .a = a, .lda = k, .packed = b, .c = to, .ldc = n};
    args.bias = bias;
    args.pool = r->pool;
    r->gemm->run(&args);
}

static int64_t length_of(const recurrent *r, int64_t b)
{
    return r->lengths ? r->lengths[b] : r->steps;
}

/* The step of row b at `step`: its time; -1 when the row has ended. */
static int64_t time_of(const recurrent *r, const direction *d, int64_t b, int64_t step)
{
    int64_t length = length_of(r, b);
    if (step >= length) return -1;
    return d->reverse ? length - 1 - step : step;
}

static char *gates_at(const recurrent *r, const room *m, int64_t b, int64_t t)
{
    int64_t row = r->batch_first ? b * r->steps + t : t * r->batch + b;
    return m->input + (size_t)(row * r->gates * r->hidden) * r->size;
}

static void step_gru(const recurrent *r, const direction *d, const room *m, int64_t step)
{
    bool wide = r->dtype == UNCORK_FLOAT64, after = r->linear_before_reset;
    int64_t n = r->hidden, row = (after ? 3 : 2) * n;
    for (int64_t b = 0; b < r->batch; b++) {
        int64_t t = time_of(r, d, b, step);
        size_t at = (size_t)(b * n) * r->size;
        if (t < 0) continue;
        (wide ? gru_gates_f64 : gru_gates_f32)(r, d, gates_at(r, m, b, t),
                                               m->again + (size_t)(b * row) * r->size, m->h + at,
                                               m->reset + at);
    }
    if (!after) product(r, m->reset, r->batch, n, d->packed.hidden, n, NULL, m->again);
    for (int64_t b = 0; b < r->batch; b++) {
        int64_t t = time_of(r, d, b, step);
        size_t at = (size_t)(b * n) * r->size;
        if (t < 0) continue;
        const char *again = m->again + (size_t)(after ? b * row + 2 * n : b * n) * r->size;
        (wide ? gru_f64 : gru_f32)(r, d, gates_at(r, m, b, t), again, m->h + at, m->reset + at);
    }
}

static void step_plain(const recurrent *r, const direction *d, const room *m, int64_t step)
{
    bool wide = r->dtype == UNCORK_FLOAT64, lstm = r->gates == 4;
    int64_t n = r->hidden;
    for (int64_t b = 0; b < r->batch; b++) {
        int64_t t = time_of(r, d, b, step);
        size_t at = (size_t)(b * n) * r->size;
        if (t < 0) continue;
        const char *again = m->again + (size_t)(b * r->gates * n) * r->size;
        (wide ? (lstm ? lstm_f64 : rnn_f64) : (lstm ? lstm_f32 : rnn_f32))(
            r, d, gates_at(r, m, b, t), again, m->h + at, lstm ? m->c + at : NULL);
    }
}

/* Where row b of direction `index` is in y at time t, in y_h and initial_h: elements. */
static int64_t place(const recurrent *r, int index, int64_t b, int64_t t)
{
    if (r->batch_first) return ((b * r->steps + t) * r->directions + index) * r->hidden;
    return ((t * r->directions + index) * r->batch + b) * r->hidden;
}

static int64_t state_place(const recurrent *r, int index, int64_t b)
{
    return (r->batch_first ? b * r->directions + index : index * r->batch + b) * r->hidden;
}

/* A state from its initial value, zeros without one. */
static void begin_state(const recurrent *r, int index, const uc_tensor *from, char *to)
{
    size_t bytes = (size_t)r->hidden * r->size;
    for (int64_t b = 0; b < r->batch; b++) {
        char *row = to + (size_t)b * bytes;
        if (from) {
            memcpy(row, (char *)from->data + (size_t)state_place(r, index, b) * r->size, bytes);
        } else {
            memset(row, 0, bytes);
        }
    }
}

static void run_direction(uc_call *call, const recurrent *r, int index, const direction *d,
                          const room *m, uc_tensor *const *out)
{
    int64_t g = r->gates * r->hidden, rows = r->steps * r->batch, steps = 0;
    size_t bytes = (size_t)r->hidden * r->size;
    bool apart = r->is_gru && !r->linear_before_reset;
    product(r, uc_call_arg(call, 0)->data, rows, r->in, d->packed.w, g, d->bias, m->input);
    begin_state(r, index, uc_call_in(call, 5), m->h);
    if (m->c) begin_state(r, index, uc_call_in(call, 6), m->c);
    for (int64_t b = 0; b < r->batch; b++) {
        steps = length_of(r, b) > steps ? length_of(r, b) : steps;
    }
    for (int64_t step = 0; step < steps; step++) {
        product(r, m->h, r->batch, r->hidden, d->packed.r, apart ? 2 * r->hidden : g, d->again,
                m->again);
        if (r->is_gru) {
            step_gru(r, d, m, step);
        } else {
            step_plain(r, d, m, step);
        }
        for (int64_t b = 0; out[0] && b < r->batch; b++) {
            int64_t t = time_of(r, d, b, step);
            if (t < 0) continue;
            memcpy((char *)out[0]->data + (size_t)place(r, index, b, t) * r->size,
                   m->h + (size_t)b * bytes, bytes);
        }
    }
    for (int64_t b = 0; b < r->batch; b++) {
        size_t to = (size_t)state_place(r, index, b) * r->size, from = (size_t)b * bytes;
        if (out[1]) memcpy((char *)out[1]->data + to, m->h + from, bytes);
        if (out[2]) memcpy((char *)out[2]->data + to, m->c + from, bytes);
    }
}

static uncork_status get_room(uc_call *call, const recurrent *r, room *m)
{
    size_t state = 0, gates = 0, input = 0;
    bool fits = uc_mul_size((size_t)(r->batch * r->hidden), r->size, &state) &&
                uc_mul_size(state, (size_t)r->gates, &gates) &&
                uc_mul_size(gates, (size_t)r->steps, &input);
    if (!fits) return uc_call_fail(call, UNCORK_LIMIT, "the sequence is too long");
    m->input = uc_call_scratch(call, input, 1);
    m->again = uc_call_scratch(call, gates, 1);
    m->h = uc_call_scratch(call, state, 1);
    m->c = r->gates == 4 ? uc_call_scratch(call, state, 1) : NULL;
    m->reset = r->is_gru ? uc_call_scratch(call, state, 1) : NULL;
    bool got = m->input && m->again && m->h && (m->c || r->gates != 4) && (m->reset || !r->is_gru);
    if (!got) return uc_fail_memory(call->error);
    if (m->reset) memset(m->reset, 0, state);
    return UNCORK_OK;
}

static uncork_status check_lengths(uc_call *call, recurrent *r)
{
    const uc_tensor *t = uc_call_in(call, 4);
    if (!t) return UNCORK_OK;
    int32_t *lengths = uc_call_scratch(call, (size_t)r->batch, sizeof *lengths);
    if (!lengths) return uc_fail_memory(call->error);
    for (int64_t b = 0; b < r->batch; b++) {
        int64_t n = uc_dtype_load_i64(t->data, b, t->dtype);
        if (n < 0 || n > r->steps || n > INT32_MAX) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "sequence_lens[%" PRId64 "] is %" PRId64
                                ", the sequence has %" PRId64 " steps",
                                b, n, r->steps);
        }
        lengths[b] = (int32_t)n;
    }
    r->lengths = lengths;
    return UNCORK_OK;
}

static uncork_status run_wide(uc_call *call)
{
    recurrent r;
    direction d[2] = {{0}};
    uc_tensor *out[3] = {NULL};
    room m = {0};
    weights now = {0};
    const weights *w = call->prepared;
    UC_TRY(read_sizes(call, &r));
    r.dtype = uc_call_dtype(call, 0);
    r.size = uc_dtype_size(r.dtype);
    r.gemm = r.dtype == UNCORK_FLOAT64 ? uc_gemm_f64() : uc_gemm_f32();
    r.pool = call->pool;
    UC_TRY(check_lengths(call, &r));
    UC_TRY(read_activations(call, &r, r.dtype, d));
    UC_TRY(get_room(call, &r, &m));
    for (size_t i = 0; i < 3; i++) {
        if (!uc_call_wants(call, i)) continue;
        out[i] = uc_call_out(call, i);
        if (!out[i]) return uc_fail_memory(call->error);
        memset(out[i]->data, 0, (size_t)uc_tensor_count(out[i]) * r.size);
    }
    if (!w) {
        bool ok = pack_weights(call, NULL, &r, uc_call_arg(call, 1), uc_call_arg(call, 2), &now);
        if (!ok) return uc_fail_memory(call->error);
        w = &now;
    }
    const uc_tensor *p = uc_call_in(call, 7);
    for (int i = 0; i < r.directions; i++) {
        d[i].reverse = i == 1 || uc_str_is(uc_call_str(call, "direction", "forward"), "reverse");
        d[i].packed = w->direction[i];
        if (p) d[i].peepholes = (char *)p->data + (size_t)(i * 3 * r.hidden) * r.size;
        UC_TRY(set_bias(call, &r, i, &d[i]));
        run_direction(call, &r, i, &d[i], &m, out);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

#define RECURRENT(SYMBOL, NAME, IN, OUT)              \
    const uc_op uc_op_##SYMBOL = {.name = NAME,       \
                                  .in = {3, IN},      \
                                  .out = {0, OUT},    \
                                  .infer = infer,     \
                                  .prepare = prepare, \
                                  .run = run,         \
                                  .macs = macs,       \
                                  .stoppable = true};

RECURRENT(lstm, "LSTM", 8, 3)
RECURRENT(gru, "GRU", 6, 2)
RECURRENT(rnn, "RNN", 6, 2)
