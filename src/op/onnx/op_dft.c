/* DFT and STFT: Fourier transforms of whole signals and of their frames.
 *
 * Source: ONNX operators DFT 20, STFT 17; onnx/reference/ops/op_dft.py, op_stft.py.
 * DFT   x  floats [..., n, ..., 1 or 2] (2: real and imaginary part); dft_length scalar (cuts or pads
 *       with zeros); axis scalar, default -2;  y  [..., n, ..., 2]; onesided: n / 2 + 1 of them; inverse
 *       and onesided: real [..., n, ..., 1] from the first half
 * STFT  signal  [batch, n, 1 or 2]; frame_step scalar; window [length] optional; frame_length scalar
 *       optional;  y  [batch, frames, length / 2 + 1 (onesided) or length, 2]
 * Numerics: float64 inside (kernel/fft.h), rounded once. */
#include "base/thread.h"
#include "kernel/fft.h"
#include "op/shape.h"

#include <inttypes.h>

/* One line of a transform: from where, to where, all in elements of the last axis's pairs. */
typedef struct lines {
    const uc_tensor *x;
    uc_tensor *y;
    const double *window;            /* [taken] or NULL */
    int64_t x_parts, y_parts;        /* 1: real, 2: complex */
    int64_t taken;                   /* samples read; the rest up to fft.n is zero */
    int64_t made;                    /* samples written */
    int64_t x_step, y_step;          /* between samples of a line */
    int64_t inner, x_inner, y_inner; /* lines beside each other, and their distance */
    int64_t x_outer, y_outer;        /* from one block of `inner` lines to the next */
    bool inverse, from_half;
    uc_fft fft;
    double *room; /* a thread: [fft.n, 2] and the work space */
    size_t room_size;
} lines;

/* The second half of a spectrum whose signal is real. */
static void mirror(double *x, int64_t n, int64_t known)
{
    x[1] = 0;
    if (n % 2 == 0 && n / 2 < known) x[n + 1] = 0;
    for (int64_t k = n / 2 + 1; k < n; k++) {
        x[2 * k] = x[2 * (n - k)];
        x[2 * k + 1] = -x[2 * (n - k) + 1];
    }
}

static void read_line(const lines *l, int64_t at, double *x)
{
    memset(x, 0, (size_t)l->fft.n * 2 * sizeof *x);
    for (int64_t i = 0; i < l->taken; i++) {
        double w = l->window ? l->window[i] : 1;
        for (int64_t part = 0; part < l->x_parts; part++) {
            int64_t e = (at + i * l->x_step) * l->x_parts + part;
            x[2 * i + part] = w * uc_dtype_load_f64(l->x->data, e, l->x->dtype);
        }
    }
    if (l->from_half) mirror(x, l->fft.n, l->taken);
}

static void run_lines(void *context, int64_t begin, int64_t end, int thread)
{
    const lines *l = context;
    double *x = l->room + (size_t)thread * l->room_size, *work = x + 2 * l->fft.n;
    size_t size = uc_dtype_size(l->y->dtype);
    for (int64_t line = begin; line < end; line++) {
        int64_t block = line / l->inner, beside = line % l->inner;
        int64_t to = block * l->y_outer + beside * l->y_inner;
        read_line(l, block * l->x_outer + beside * l->x_inner, x);
        uc_fft_run(&l->fft, l->inverse, x, work);
        for (int64_t i = 0; i < l->made; i++) {
            int64_t e = (to + i * l->y_step) * l->y_parts;
            uc_dtype_convert((char *)l->y->data + (size_t)e * size, l->y->dtype, x + 2 * i,
                             UNCORK_FLOAT64, l->y_parts);
        }
    }
}

static uncork_status transform(uc_call *call, lines *l, int64_t n, int64_t count)
{
    size_t threads = (size_t)uc_pool_threads(call->pool);
    double *table = uc_call_scratch(call, uc_fft_table(n), sizeof *table);
    l->room_size = (size_t)(2 * n) + uc_fft_work(n);
    l->room = uc_call_scratch(call, threads * l->room_size, sizeof(double));
    if (!table || !l->room) return call->error->status;
    uc_fft_init(&l->fft, n, table);
    uc_parallel(call->pool, count, 16384 / n + 1, run_lines, l);
    return UNCORK_OK;
}

static uncork_status check_length(uc_call *call, int64_t n)
{
    if (n >= 1 && n <= UC_FFT_MAX) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "a transform of length %" PRId64 ", expected 1 to 2^26",
                        n);
}

/* ---- DFT ---------------------------------------------------------------------------------- */

typedef struct dft {
    int axis;
    bool inverse, onesided;
    int64_t n; /* length, -1: not known yet */
    int64_t made, parts;
} dft;

static uncork_status read_dft(uc_call *call, dft *d)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t axis = -2;
    d->inverse = uc_call_int(call, "inverse", 0) != 0;
    d->onesided = uc_call_int(call, "onesided", 0) != 0;
    if (uc_call_known(call, 2)) UC_TRY(uc_call_one_int(call, 2, &axis));
    UC_TRY(uc_axis(call, axis, x->rank, &d->axis));
    if (x->rank < 2 || d->axis == x->rank - 1) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "axis %" PRId64 " of %d is no signal's: the last one holds real and "
                            "imaginary parts",
                            axis, x->rank);
    }
    int64_t parts = x->shape[x->rank - 1];
    if (parts >= 0 && parts != 1 && parts != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "the last dimension is %" PRId64 ", expected 1 or 2", parts);
    }
    int64_t size = x->shape[d->axis];
    d->n = d->inverse && d->onesided && size >= 0 ? 2 * (size - 1) : size;
    if (uc_call_in(call, 1)) {
        d->n = UC_DIM_UNKNOWN;
        if (uc_call_known(call, 1)) {
            UC_TRY(uc_call_one_int(call, 1, &d->n));
            UC_TRY(check_length(call, d->n));
        }
    }
    d->made = d->onesided && !d->inverse && d->n >= 0 ? d->n / 2 + 1 : d->n;
    if (d->onesided && d->n < 0) d->made = UC_DIM_UNKNOWN;
    d->parts = d->onesided && d->inverse ? 1 : 2;
    return UNCORK_OK;
}

static uncork_status infer_dft(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    dft d;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_INDEX));
    bool axis_known = !uc_call_in(call, 2) || uc_call_known(call, 2);
    if (x->rank < 0 || !axis_known) {
        for (int i = 0; i < x->rank; i++) {
            shape[i] = UC_DIM_UNKNOWN;
        }
        return uc_call_shape(call, 0, x->dtype, x->rank, shape);
    }
    UC_TRY(read_dft(call, &d));
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[d.axis] = d.made;
    shape[x->rank - 1] = d.parts;
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

static uncork_status run_dft(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK], outer = 1, inner = 1;
    dft d;
    lines l = {.x = x};
    UC_TRY(read_dft(call, &d));
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[d.axis] = d.made;
    shape[x->rank - 1] = d.parts;
    UC_TRY(check_length(call, d.n));
    UC_TRY(uc_call_output(call, 0, x->dtype, x->rank, shape, &l.y));
    for (int i = 0; i < x->rank - 1; i++) {
        if (i < d.axis) outer *= x->shape[i];
        if (i > d.axis) inner *= x->shape[i];
    }
    int64_t size = x->shape[d.axis];
    int64_t used = d.inverse && d.onesided ? d.n / 2 + 1 : d.n;
    if (outer * inner == 0) return UNCORK_OK;
    l.x_parts = x->shape[x->rank - 1];
    l.y_parts = d.parts;
    l.taken = size < used ? size : used;
    l.made = d.made;
    l.x_step = l.y_step = l.inner = inner;
    l.x_inner = l.y_inner = 1;
    l.x_outer = size * inner;
    l.y_outer = d.made * inner;
    l.inverse = d.inverse;
    l.from_half = d.inverse && d.onesided;
    return transform(call, &l, d.n, outer * inner);
}

const uc_op uc_op_dft = {
    .name = "DFT", .in = {1, 3}, .out = {1, 1}, .infer = infer_dft, .run = run_dft};

/* ---- STFT --------------------------------------------------------------------------------- */

enum { SIGNAL, STEP, WINDOW, LENGTH };

/* Frame length and step where they are known, else -1. */
static uncork_status read_frames(uc_call *call, int64_t *length, int64_t *step)
{
    const uc_tensor *x = uc_call_arg(call, SIGNAL), *window = uc_call_in(call, WINDOW);
    *length = *step = UC_DIM_UNKNOWN;
    if (uc_call_known(call, STEP)) {
        UC_TRY(uc_call_one_int(call, STEP, step));
        if (*step < 1) return uc_call_fail(call, UNCORK_INPUT, "frame_step is %" PRId64, *step);
    }
    if (window && window->rank >= 0 && window->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "the window has %d dimensions, expected 1",
                            window->rank);
    }
    if (uc_call_in(call, LENGTH)) {
        if (!uc_call_known(call, LENGTH)) return UNCORK_OK;
        UC_TRY(uc_call_one_int(call, LENGTH, length));
    } else {
        *length = window ? (window->rank == 1 ? window->shape[0] : UC_DIM_UNKNOWN) : x->shape[1];
    }
    if (*length < 0 && !uc_call_known(call, LENGTH)) return UNCORK_OK;
    UC_TRY(check_length(call, *length));
    if (window && window->rank == 1 && window->shape[0] >= 0 && window->shape[0] != *length) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "a window of %" PRId64 " for frames of %" PRId64, window->shape[0],
                            *length);
    }
    return UNCORK_OK;
}

static uncork_status stft_shape(uc_call *call, int64_t shape[4], int64_t *length, int64_t *step)
{
    const uc_tensor *x = uc_call_arg(call, SIGNAL);
    UC_TRY(read_frames(call, length, step));
    for (int d = 0; d < 3; d++) {
        shape[d] = UC_DIM_UNKNOWN;
    }
    shape[0] = x->shape[0];
    shape[3] = 2;
    if (*length < 0) return UNCORK_OK;
    shape[2] = uc_call_int(call, "onesided", 1) ? *length / 2 + 1 : *length;
    if (*step < 0 || x->shape[1] < 0) return UNCORK_OK;
    if (x->shape[1] < *length) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "a signal of %" PRId64 " samples for frames of %" PRId64, x->shape[1],
                            *length);
    }
    shape[1] = 1 + (x->shape[1] - *length) / *step;
    return UNCORK_OK;
}

static uncork_status infer_stft(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, SIGNAL);
    int64_t shape[4], length, step;
    UC_TRY(uc_call_expect(call, SIGNAL, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, STEP, UC_TYPES_INDEX));
    UC_TRY(uc_call_expect(call, LENGTH, UC_TYPES_INDEX));
    UC_TRY(uc_call_same_dtype(call, SIGNAL, WINDOW));
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    bool paired = x->rank == 3 && (x->shape[2] < 0 || x->shape[2] == 1 || x->shape[2] == 2);
    if (!paired) {
        char text[128];
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "a signal of shape %s, expected [batch, samples, 1 or 2]",
                            uc_shape_text(x->shape, x->rank, text, sizeof text));
    }
    UC_TRY(stft_shape(call, shape, &length, &step));
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

static uncork_status run_stft(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, SIGNAL), *window = uc_call_in(call, WINDOW);
    int64_t shape[4], length, step;
    lines l = {.x = x};
    UC_TRY(stft_shape(call, shape, &length, &step));
    UC_TRY(uc_call_output(call, 0, x->dtype, 4, shape, &l.y));
    if (shape[0] == 0) return UNCORK_OK;
    if (window) {
        double *w = uc_call_scratch(call, (size_t)length, sizeof *w);
        if (!w) return call->error->status;
        uc_dtype_convert(w, UNCORK_FLOAT64, window->data, window->dtype, length);
        l.window = w;
    }
    l.x_parts = x->shape[2];
    l.y_parts = 2;
    l.taken = length;
    l.made = shape[2];
    l.x_step = l.y_step = 1;
    l.inner = shape[1];
    l.x_inner = step;
    l.y_inner = shape[2];
    l.x_outer = x->shape[1];
    l.y_outer = shape[1] * shape[2];
    return transform(call, &l, length, shape[0] * shape[1]);
}

const uc_op uc_op_stft = {
    .name = "STFT", .in = {2, 4}, .out = {1, 1}, .infer = infer_stft, .run = run_stft};
