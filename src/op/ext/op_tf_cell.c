/* Cells and windows: LSTMBlockCell, BlockLSTM, BlockLSTMV2, GRUBlockCell, MaxPoolWithArgmax,
 * ExtractImagePatches, Dilation2D.
 *
 * Source: tensorflow/core/kernels/rnn/{lstm_ops,gru_ops}.cc, maxpooling_op.cc, extract_image_patches_op.cc,
 * dilation_ops.cc. Sums run in float64 and are rounded once. */
#include "op/ext/tf_call.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

static double sigmoid(double v) { return 1 / (1 + exp(-v)); }

/* ---- LSTM ------------------------------------------------------------------------------------ */

typedef struct lstm {
    const float *w, *b, *peep[3]; /* [inputs + cells, 4 cells], of i, f, o */
    int64_t batch, inputs, cells;
    int gates[4]; /* where i, ci, f, o stand */
    float forget, clip;
} lstm;

/* outs: i, cs, f, o, ci, co, h of one step, each [batch, cells] or NULL. */
static void step(const lstm *l, const float *x, const float *cs, const float *h, float *const *outs,
                 double *z)
{
    const int64_t n = l->cells, wide = 4 * n;
    for (int64_t r = 0; r < l->batch; r++) {
        for (int64_t k = 0; k < wide; k++) {
            z[k] = (double)l->b[k];
        }
        for (int64_t j = 0; j < l->inputs + n; j++) {
            const double v =
                (double)(j < l->inputs ? x[r * l->inputs + j] : h[r * n + j - l->inputs]);
            for (int64_t k = 0; k < wide; k++) {
                z[k] += v * (double)l->w[j * wide + k];
            }
        }
        for (int64_t k = 0; k < n; k++) {
            const double old = (double)cs[r * n + k];
            const double i =
                sigmoid(z[l->gates[0] * n + k] + (l->peep[0] ? old * (double)l->peep[0][k] : 0));
            const double ci = tanh(z[l->gates[1] * n + k]);
            const double f = sigmoid(z[l->gates[2] * n + k] + (double)l->forget +
                                     (l->peep[1] ? old * (double)l->peep[1][k] : 0));
            double c = ci * i + old * f;
            if (l->clip > 0) c = fmax(fmin(c, (double)l->clip), -(double)l->clip);
            const double o =
                sigmoid(z[l->gates[3] * n + k] + (l->peep[2] ? c * (double)l->peep[2][k] : 0));
            const double co = tanh(c), all[] = {i, c, f, o, ci, co, co * o};
            for (int g = 0; g < 7; g++) {
                if (outs[g]) outs[g][r * n + k] = (float)all[g];
            }
        }
    }
}

/* x, cs, h, w, wci, wcf, wco, b from input `at` on. */
static uncork_status read_lstm(uc_call *call, size_t at, bool second, lstm *l)
{
    const uc_tensor *t[8];
    for (size_t i = 0; i < 8; i++) {
        UC_TRY(uc_tf_want(call, at + i, UNCORK_FLOAT32, -1));
        t[i] = uc_call_arg(call, at + i);
    }
    const int time = t[0]->rank - 2;
    if (time < 0 || time > 1 || t[1]->rank != 2)
        return uc_call_fail(call, UNCORK_INPUT, "its inputs have other ranks");
    *l = (lstm){.w = t[3]->data,
                .b = t[7]->data,
                .batch = t[0]->shape[time],
                .inputs = t[0]->shape[time + 1],
                .cells = t[1]->shape[1],
                .forget = second ? 0 : (float)uc_call_float(call, "forget_bias", 1),
                .clip = (float)uc_call_float(call, "cell_clip", second ? 0 : 3)};
    const int first[] = {0, 1, 2, 3}, later[] = {0, 2, 1, 3};
    memcpy(l->gates, second ? later : first, sizeof first);
    bool fits = t[1]->shape[0] == l->batch && uc_tensor_count(t[2]) == l->batch * l->cells &&
                uc_tensor_count(t[7]) == 4 * l->cells && t[3]->rank == 2 &&
                t[3]->shape[0] == l->inputs + l->cells && t[3]->shape[1] == 4 * l->cells;
    for (size_t i = 0; i < 3 && uc_call_int(call, "use_peephole", 0); i++) {
        l->peep[i] = t[4 + i]->data;
        fits = fits && uc_tensor_count(t[4 + i]) == l->cells;
    }
    return fits ? UNCORK_OK : uc_call_fail(call, UNCORK_INPUT, "its weights don't fit");
}

static uncork_status infer_lstm(uc_call *call)
{
    const bool block = strstr(call->op->name, "Block") == call->op->name + 2;
    const uc_tensor *x = uc_call_arg(call, block ? 1 : 0), *cs = uc_call_arg(call, block ? 2 : 1);
    const int64_t n = cs->rank == 2 ? cs->shape[1] : UC_DIM_UNKNOWN;
    const int64_t shape[] = {block && x->rank == 3 ? x->shape[0] : UC_DIM_UNKNOWN,
                             x->rank >= 2 ? x->shape[x->rank - 2] : UC_DIM_UNKNOWN, n};
    for (size_t i = 0; i < call->out_count; i++) {
        UC_TRY(uc_call_shape(call, i, UNCORK_FLOAT32, block ? 3 : 2, block ? shape : shape + 1));
    }
    return UNCORK_OK;
}

static uncork_status run_lstm(uc_call *call)
{
    const bool block = strstr(call->op->name, "Block") == call->op->name + 2,
               second = strstr(call->op->name, "V2") != NULL;
    const size_t at = block ? 1 : 0;
    lstm l = {0};
    int64_t steps = 1, most = 1;
    uc_tensor *y[7];
    float *outs[7];
    UC_TRY(read_lstm(call, at, second, &l));
    const uc_tensor *x = uc_call_arg(call, at);
    if (block) {
        UC_TRY(uc_tf_want(call, at, UNCORK_FLOAT32, 3));
        UC_TRY(uc_tf_one_int(call, 0, &most));
        steps = x->shape[0];
        if (most > steps) most = steps;
    }
    const int64_t each = l.batch * l.cells, shape[] = {steps, l.batch, l.cells};
    double *z = uc_call_scratch(call, 4 * (size_t)l.cells + 1, sizeof *z);
    if (!z) return uc_fail_memory(call->error);
    for (size_t i = 0; i < 7; i++) {
        UC_TRY(uc_call_output(call, i, UNCORK_FLOAT32, block ? 3 : 2, block ? shape : shape + 1,
                              &y[i]));
        memset(y[i]->data, 0, (size_t)(steps * each) * sizeof(float));
    }
    const float *cs = uc_call_arg(call, at + 1)->data, *h = uc_call_arg(call, at + 2)->data;
    for (int64_t t = 0; t < most; t++) {
        for (int i = 0; i < 7; i++) {
            outs[i] = (float *)y[i]->data + t * each;
        }
        step(&l, (const float *)x->data + t * l.batch * l.inputs, cs, h, outs, z);
        cs = outs[1];
        h = outs[6];
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_block_lstm, "TfBlockLSTM", 9, 9, 7, infer_lstm, run_lstm)
UC_TF_ROW(tf_block_lstm_v2, "TfBlockLSTMV2", 9, 9, 7, infer_lstm, run_lstm)
UC_TF_ROW(tf_lstm_block_cell, "TfLSTMBlockCell", 8, 8, 7, infer_lstm, run_lstm)

/* ---- GRU: x, h, w_ru, w_c, b_ru, b_c to r, u, c, h --------------------------------------------- */

static uncork_status infer_gru(uc_call *call)
{
    for (size_t i = 0; i < call->out_count; i++) {
        UC_TRY(uc_call_shape_like(call, i, 1, UNCORK_FLOAT32));
    }
    return UNCORK_OK;
}

static uncork_status run_gru(uc_call *call)
{
    const float *v[6];
    uc_tensor *y[4];
    for (size_t i = 0; i < 6; i++) {
        UC_TRY(uc_tf_want(call, i, UNCORK_FLOAT32, i < 4 ? 2 : 1));
        v[i] = uc_call_arg(call, i)->data;
    }
    const uc_tensor *x = uc_call_arg(call, 0), *h = uc_call_arg(call, 1);
    const int64_t batch = x->shape[0], inputs = x->shape[1], n = h->shape[1];
    if (h->shape[0] != batch || uc_tensor_count(uc_call_arg(call, 2)) != (inputs + n) * 2 * n ||
        uc_tensor_count(uc_call_arg(call, 3)) != (inputs + n) * n ||
        uc_tensor_count(uc_call_arg(call, 4)) != 2 * n ||
        uc_tensor_count(uc_call_arg(call, 5)) != n)
        return uc_call_fail(call, UNCORK_INPUT, "its weights don't fit");
    for (size_t i = 0; i < 4; i++) {
        UC_TRY(uc_call_output(call, i, UNCORK_FLOAT32, 2, h->shape, &y[i]));
    }
    for (int64_t i = 0; i < batch * 2 * n; i++) {
        const int64_t r = i / (2 * n), k = i % (2 * n);
        double sum = (double)v[4][k];
        for (int64_t j = 0; j < inputs + n; j++) {
            sum += (double)(j < inputs ? v[0][r * inputs + j] : v[1][r * n + j - inputs]) *
                   (double)v[2][j * 2 * n + k];
        }
        ((float *)y[k < n ? 0 : 1]->data)[r * n + k % n] = (float)sigmoid(sum);
    }
    for (int64_t i = 0; i < batch * n; i++) {
        const int64_t r = i / n, k = i % n;
        double sum = (double)v[5][k];
        for (int64_t j = 0; j < inputs + n; j++) {
            const double in = j < inputs ? (double)v[0][r * inputs + j]
                                         : (double)v[1][r * n + j - inputs] *
                                               (double)((float *)y[0]->data)[r * n + j - inputs];
            sum += in * (double)v[3][j * n + k];
        }
        const double c = tanh(sum), u = (double)((float *)y[1]->data)[i];
        ((float *)y[2]->data)[i] = (float)c;
        ((float *)y[3]->data)[i] = (float)(u * (double)v[1][i] + (1 - u) * c);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_gru_block_cell, "TfGRUBlockCell", 6, 6, 4, infer_gru, run_gru)

/* ---- windows over [N, H, W, C] ----------------------------------------------------------------- */

typedef struct window {
    int64_t size[2], stride[2], rate[2], before[2], out[2];
} window;

static uncork_status read_window(uc_call *call, const char *size, const char *rate,
                                 const int64_t *own, window *w)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    size_t n = 0, m = 0, k = 0;
    const int64_t *s = own ? own : uc_call_ints(call, size, &n),
                  *st = uc_call_ints(call, "strides", &m),
                  *r = rate ? uc_call_ints(call, rate, &k) : NULL;
    if ((!own && n != 4) || m != 4 || (rate && k != 4))
        return uc_call_fail(call, UNCORK_MALFORMED, "its window isn't four numbers");
    for (int d = 0; d < 2; d++) {
        const int64_t in = x->shape[d + 1];
        w->size[d] = s[d + 1];
        w->stride[d] = st[d + 1];
        w->rate[d] = r ? r[d + 1] : 1;
        if (w->size[d] < 1 || w->stride[d] < 1 || w->rate[d] < 1 || w->size[d] > INT32_MAX ||
            w->stride[d] > INT32_MAX || w->rate[d] > INT32_MAX)
            return uc_call_fail(call, UNCORK_MALFORMED, "a window of %" PRId64, w->size[d]);
        const int64_t reach = (w->size[d] - 1) * w->rate[d] + 1;
        w->before[d] = 0;
        w->out[d] = UC_DIM_UNKNOWN;
        if (in < 0) continue;
        if (uc_tf_attr_is(call, "padding", "SAME")) {
            w->out[d] = (in + w->stride[d] - 1) / w->stride[d];
            const int64_t total = (w->out[d] - 1) * w->stride[d] + reach - in;
            w->before[d] = total > 0 ? total / 2 : 0;
        } else {
            w->out[d] = in < reach ? 0 : (in - reach) / w->stride[d] + 1;
        }
    }
    return UNCORK_OK;
}

static uncork_status check_picture(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    return x->rank == 4 ? UNCORK_OK
                        : uc_call_fail(call, UNCORK_INPUT, "%d dimensions, not 4", x->rank);
}

static uncork_status infer_pool(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    window w;
    UC_TRY(check_picture(call));
    UC_TRY(read_window(call, "ksize", NULL, NULL, &w));
    const int64_t shape[] = {x->shape[0], w.out[0], w.out[1], x->shape[3]};
    UC_TRY(uc_call_shape(call, 0, x->dtype, 4, shape));
    return uc_call_shape(call, 1, uc_tf_type_of(call, "Targmax", UNCORK_INT64), 4, shape);
}

static uncork_status run_pool(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    window w;
    uc_tensor *y = NULL, *at = NULL;
    UC_TRY(read_window(call, "ksize", NULL, NULL, &w));
    const int64_t h = x->shape[1], v = x->shape[2], c = x->shape[3],
                  shape[] = {x->shape[0], w.out[0], w.out[1], c};
    const bool flat = uc_call_int(call, "include_batch_in_index", 0) != 0;
    UC_TRY(uc_call_output(call, 0, x->dtype, 4, shape, &y));
    UC_TRY(uc_call_output(call, 1, uc_tf_type_of(call, "Targmax", UNCORK_INT64), 4, shape, &at));
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        const int64_t k = i % c, column = i / c % w.out[1], row = i / c / w.out[1] % w.out[0],
                      b = i / c / w.out[1] / w.out[0];
        int64_t best = -1;
        double high = 0;
        for (int64_t p = 0; p < w.size[0] * w.size[1]; p++) {
            const int64_t r = row * w.stride[0] - w.before[0] + p / w.size[1],
                          q = column * w.stride[1] - w.before[1] + p % w.size[1];
            if (r < 0 || r >= h || q < 0 || q >= v) continue;
            const int64_t place = ((b * h + r) * v + q) * c + k;
            const double own = uc_tf_at(x, place);
            if (best >= 0 && !(own > high)) continue;
            best = place;
            high = own;
        }
        uc_tf_put(y->data, i, y->dtype, high);
        uc_tf_put_int(at->data, i, at->dtype, flat ? best : best - b * h * v * c);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_max_pool_argmax, "TfMaxPoolWithArgmax", 1, 1, 2, infer_pool, run_pool)

static uncork_status infer_patches(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    window w;
    UC_TRY(check_picture(call));
    UC_TRY(read_window(call, "ksizes", "rates", NULL, &w));
    const int64_t c = x->shape[3],
                  shape[] = {x->shape[0], w.out[0], w.out[1],
                             c < 0 || c > INT32_MAX || w.size[0] > 65535 || w.size[1] > 65535
                                 ? UC_DIM_UNKNOWN
                                 : c * w.size[0] * w.size[1]};
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

static uncork_status run_patches(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    window w;
    UC_TRY(read_window(call, "ksizes", "rates", NULL, &w));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t h = x->shape[1], v = x->shape[2], c = x->shape[3],
                  deep = w.size[0] * w.size[1] * c;
    const size_t size = uc_dtype_size(x->dtype);
    for (int64_t i = 0; c && i < uc_tensor_count(y) / c; i++) {
        const int64_t p = i % (deep / c), cell = i / (deep / c), column = cell % w.out[1],
                      row = cell / w.out[1] % w.out[0], b = cell / w.out[1] / w.out[0];
        const int64_t r = row * w.stride[0] - w.before[0] + p / w.size[1] * w.rate[0],
                      q = column * w.stride[1] - w.before[1] + p % w.size[1] * w.rate[1];
        char *to = (char *)y->data + (size_t)(i * c) * size;
        if (r < 0 || r >= h || q < 0 || q >= v)
            memset(to, 0, (size_t)c * size);
        else
            memcpy(to, (const char *)x->data + (size_t)(((b * h + r) * v + q) * c) * size,
                   (size_t)c * size);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_image_patches, "TfExtractImagePatches", 1, 1, 1, infer_patches, run_patches)

static uncork_status dilation_window(uc_call *call, window *w)
{
    const uc_tensor *f = uc_call_arg(call, 1);
    if (f->rank != 3)
        return uc_call_fail(call, UNCORK_INPUT, "its filter has %d dimensions", f->rank);
    const int64_t own[] = {1, f->shape[0], f->shape[1], 1};
    return read_window(call, NULL, "rates", own, w);
}

static uncork_status infer_dilation(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    window w;
    UC_TRY(check_picture(call));
    UC_TRY(dilation_window(call, &w));
    const int64_t shape[] = {x->shape[0], w.out[0], w.out[1], x->shape[3]};
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

static uncork_status run_dilation(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *f = uc_call_arg(call, 1);
    window w;
    UC_TRY(dilation_window(call, &w));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t h = x->shape[1], v = x->shape[2], c = x->shape[3];
    if (f->shape[2] != c) return uc_call_fail(call, UNCORK_INPUT, "its filter doesn't fit");
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        const int64_t k = i % c, column = i / c % w.out[1], row = i / c / w.out[1] % w.out[0],
                      b = i / c / w.out[1] / w.out[0];
        double high = -DBL_MAX;
        for (int64_t p = 0; p < w.size[0] * w.size[1]; p++) {
            const int64_t r = row * w.stride[0] - w.before[0] + p / w.size[1] * w.rate[0],
                          q = column * w.stride[1] - w.before[1] + p % w.size[1] * w.rate[1];
            if (r < 0 || r >= h || q < 0 || q >= v) continue;
            high = fmax(high, uc_tf_at(x, ((b * h + r) * v + q) * c + k) + uc_tf_at(f, p * c + k));
        }
        uc_tf_put(y->data, i, y->dtype, high);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_dilation_2d, "TfDilation2D", 2, 2, 1, infer_dilation, run_dilation)
