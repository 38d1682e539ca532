/* Fourier transforms over the last axes: FFT, IFFT, RFFT, IRFFT, of one to three axes; AudioSpectrogram.
 *
 * Source: tensorflow/core/kernels/{fft_ops,spectrogram,spectrogram_op}.cc. Transforms run in float64.
 * x  complex (RFFT: float); RFFT and IRFFT take the length of each axis as input 1: x is cut or padded with
 * zeros to it. */
#include "kernel/fft.h"
#include "op/ext/tf_call.h"

#include <inttypes.h>
#include <math.h>

typedef struct plan {
    int axes;
    bool inverse, real_in, real_out;
    int64_t in[3], full[3], out[3]; /* lengths: given, transformed, given back */
} plan;

static uncork_dtype part_of(uncork_dtype d)
{
    return d == UNCORK_COMPLEX64 ? UNCORK_FLOAT32 : d == UNCORK_COMPLEX128 ? UNCORK_FLOAT64 : d;
}

static void read_name(const uc_call *call, plan *p)
{
    const char *n = call->op->name + 2;
    p->inverse = n[0] == 'I';
    p->real_in = n[0] == 'R';
    p->real_out = p->inverse && n[1] == 'R';
    p->axes = strstr(n, "3D") ? 3 : strstr(n, "2D") ? 2 : 1;
}

static uncork_status read_plan(uc_call *call, plan *p)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t given[UNCORK_MAX_RANK];
    size_t n = 0;
    read_name(call, p);
    if (x->rank < p->axes) return uc_call_fail(call, UNCORK_INPUT, "%d dimensions", x->rank);
    const bool lengths = call->in_count > 1;
    if (lengths) UC_TRY(uc_call_small_ints(call, 1, given, &n));
    if (lengths && n != (size_t)p->axes)
        return uc_call_fail(call, UNCORK_INPUT, "%zu lengths of %d axes", n, p->axes);
    for (int a = 0; a < p->axes; a++) {
        const bool last = a == p->axes - 1;
        p->in[a] = x->shape[x->rank - p->axes + a];
        p->full[a] = lengths ? given[a] : p->in[a];
        p->out[a] = p->real_in && last ? p->full[a] / 2 + 1 : p->full[a];
        if (p->full[a] > UC_FFT_MAX || (lengths && p->full[a] < 0))
            return uc_call_fail(call, UNCORK_LIMIT, "a length of %" PRId64, p->full[a]);
        const int64_t need = p->real_out && last ? p->full[a] / 2 + 1 : p->full[a];
        if (p->in[a] >= 0 && p->in[a] < need)
            return uc_call_fail(call, UNCORK_INPUT,
                                "axis %d is %" PRId64 ", at least %" PRId64 " are needed", a,
                                p->in[a], need);
    }
    return UNCORK_OK;
}

static uncork_dtype output_type(const uc_call *call, const plan *p)
{
    const uncork_dtype d = uc_call_dtype(call, 0);
    if (p->real_out) return part_of(d);
    return p->real_in ? (d == UNCORK_FLOAT64 ? UNCORK_COMPLEX128 : UNCORK_COMPLEX64) : d;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    plan p;
    int64_t shape[UNCORK_MAX_RANK];
    read_name(call, &p);
    const bool complex_in = x->dtype == UNCORK_COMPLEX64 || x->dtype == UNCORK_COMPLEX128;
    const bool real_in = x->dtype == UNCORK_FLOAT32 || x->dtype == UNCORK_FLOAT64;
    if (x->dtype && !(p.real_in ? real_in : complex_in))
        return uc_call_fail(call, UNCORK_INPUT, "not defined for %s", uc_dtype_name(x->dtype));
    if (x->rank < 0) return uc_tf_infer_open(call, 0, output_type(call, &p), -1);
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    if (call->in_count > 1 && !uc_call_known(call, 1)) {
        for (int a = 0; a < p.axes && a < x->rank; a++) {
            shape[x->rank - 1 - a] = UC_DIM_UNKNOWN;
        }
        return uc_call_shape(call, 0, output_type(call, &p), x->rank, shape);
    }
    UC_TRY(read_plan(call, &p));
    for (int a = 0; a < p.axes; a++) {
        shape[x->rank - p.axes + a] = p.full[a] < 0 ? UC_DIM_UNKNOWN : p.out[a];
    }
    return uc_call_shape(call, 0, output_type(call, &p), x->rank, shape);
}

/* ---- running: one block of the last axes at a time, [full..., 2] --------------------------------- */

typedef struct block {
    double *z; /* [full..., 2] */
    int64_t size[3], count;
} block;

static void load(const plan *p, const uc_tensor *x, int64_t base, const block *b)
{
    const uncork_dtype part = part_of(x->dtype);
    const int64_t last = p->full[p->axes - 1];
    for (int64_t i = 0; i < b->count; i++) {
        int64_t at[3] = {0}, left = i, place = 0;
        bool mirrored = false;
        for (int a = p->axes - 1; a >= 0; a--) {
            at[a] = left % p->full[a];
            left /= p->full[a];
        }
        if (p->real_out && at[p->axes - 1] > last / 2) { /* the half that isn't given */
            mirrored = true;
            for (int a = 0; a < p->axes; a++) {
                at[a] = at[a] ? p->full[a] - at[a] : 0;
            }
        }
        for (int a = 0; a < p->axes; a++) {
            place = place * p->in[a] + at[a];
        }
        place += base;
        b->z[2 * i] = uc_dtype_load_f64(x->data, p->real_in ? place : 2 * place, part);
        const double im = p->real_in ? 0 : uc_dtype_load_f64(x->data, 2 * place + 1, part);
        b->z[2 * i + 1] = mirrored ? -im : im;
    }
}

static uncork_status transform(uc_call *call, const plan *p, const block *b, int axis)
{
    const int64_t n = p->full[axis];
    int64_t inner = 1;
    for (int a = axis + 1; a < p->axes; a++) {
        inner *= p->full[a];
    }
    uc_fft fft;
    double *table = uc_call_scratch(call, uc_fft_table(n), sizeof *table),
           *work = uc_call_scratch(call, uc_fft_work(n) + 1, sizeof *work);
    double *line = uc_call_scratch(call, 2 * (size_t)n, sizeof *line);
    if (!table || !work || !line) return uc_fail_memory(call->error);
    uc_fft_init(&fft, n, table);
    for (int64_t i = 0; i < b->count / n; i++) {
        const int64_t base = i / inner * n * inner + i % inner;
        for (int64_t k = 0; k < n; k++) {
            memcpy(line + 2 * k, b->z + 2 * (base + k * inner), 2 * sizeof *line);
        }
        uc_fft_run(&fft, p->inverse, line, work);
        for (int64_t k = 0; k < n; k++) {
            memcpy(b->z + 2 * (base + k * inner), line + 2 * k, 2 * sizeof *line);
        }
    }
    return UNCORK_OK;
}

static void store(const plan *p, const block *b, uc_tensor *y, int64_t base, int64_t each)
{
    const uncork_dtype part = part_of(y->dtype);
    for (int64_t i = 0; i < each; i++) {
        int64_t at = 0, scale = 1, left = i;
        for (int a = p->axes - 1; a >= 0; a--) {
            at += left % p->out[a] * scale;
            left /= p->out[a];
            scale *= p->full[a];
        }
        uc_tf_put(y->data, p->real_out ? base + i : 2 * (base + i), part, b->z[2 * at]);
        if (!p->real_out) uc_tf_put(y->data, 2 * (base + i) + 1, part, b->z[2 * at + 1]);
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    plan p;
    int64_t shape[UNCORK_MAX_RANK], each = 1, given = 1;
    uc_tensor *y = NULL;
    block b = {.count = 1};
    UC_TRY(read_plan(call, &p));
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    for (int a = 0; a < p.axes; a++) {
        shape[x->rank - p.axes + a] = p.out[a];
        each *= p.out[a];
        given *= p.in[a];
        if (__builtin_mul_overflow(b.count, p.full[a], &b.count) || b.count > UC_FFT_MAX)
            return uc_call_fail(call, UNCORK_LIMIT, "too many numbers");
    }
    UC_TRY(uc_call_output(call, 0, output_type(call, &p), x->rank, shape, &y));
    if (!b.count || !each) return UNCORK_OK;
    b.z = uc_call_scratch(call, 2 * (size_t)b.count, sizeof *b.z);
    if (!b.z) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tf_product(x->shape, 0, x->rank - p.axes); i++) {
        load(&p, x, i * given, &b);
        for (int a = 0; a < p.axes; a++) {
            UC_TRY(transform(call, &p, &b, a));
        }
        store(&p, &b, y, i * each, each);
    }
    return UNCORK_OK;
}

#define FFT(SYMBOL, NAME, INPUTS) UC_TF_ROW(SYMBOL, NAME, INPUTS, INPUTS, 1, infer, run)
FFT(tf_fft, "TfFFT", 1)
FFT(tf_fft_2d, "TfFFT2D", 1)
FFT(tf_fft_3d, "TfFFT3D", 1)
FFT(tf_ifft, "TfIFFT", 1)
FFT(tf_ifft_2d, "TfIFFT2D", 1)
FFT(tf_ifft_3d, "TfIFFT3D", 1)
FFT(tf_irfft, "TfIRFFT", 2)
FFT(tf_irfft_2d, "TfIRFFT2D", 2)
FFT(tf_irfft_3d, "TfIRFFT3D", 2)
FFT(tf_rfft, "TfRFFT", 2)
FFT(tf_rfft_2d, "TfRFFT2D", 2)
FFT(tf_rfft_3d, "TfRFFT3D", 2)

/* ---- AudioSpectrogram: [samples, channels] to [channels, windows, bins] --------------------------- */

static uncork_status spectrogram_shape(uc_call *call, int64_t *shape, int64_t *length)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int64_t window = uc_call_int(call, "window_size", 0),
                  stride = uc_call_int(call, "stride", 0);
    if (window < 2 || stride < 1 || window > 1 << 20 || x->rank != 2)
        return uc_call_fail(call, UNCORK_MALFORMED, "a window of %" PRId64 ", stride %" PRId64,
                            window, stride);
    *length = 1;
    while (*length < window) {
        *length *= 2;
    }
    shape[0] = x->shape[1];
    shape[1] = x->shape[0] < 0        ? UC_DIM_UNKNOWN
               : x->shape[0] < window ? 0
                                      : (x->shape[0] - window) / stride + 1;
    shape[2] = *length / 2 + 1;
    return UNCORK_OK;
}

static uncork_status infer_spectrogram(uc_call *call)
{
    int64_t shape[3], length;
    UC_TRY(spectrogram_shape(call, shape, &length));
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 3, shape);
}

static uncork_status run_spectrogram(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int64_t window = uc_call_int(call, "window_size", 0),
                  stride = uc_call_int(call, "stride", 0);
    const bool squared = uc_call_int(call, "magnitude_squared", 0) != 0;
    int64_t shape[3], length;
    uc_tensor *y = NULL;
    uc_fft fft;
    UC_TRY(spectrogram_shape(call, shape, &length));
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT32, 3, shape, &y));
    double *table = uc_call_scratch(call, uc_fft_table(length), sizeof *table),
           *work = uc_call_scratch(call, uc_fft_work(length) + 1, sizeof *work);
    double *line = uc_call_scratch(call, 2 * (size_t)length, sizeof *line);
    if (!table || !work || !line) return uc_fail_memory(call->error);
    uc_fft_init(&fft, length, table);
    for (int64_t i = 0; i < shape[0] * shape[1]; i++) {
        const int64_t channel = i / shape[1], begin = i % shape[1] * stride;
        for (int64_t k = 0; k < length; k++) {
            const double hann =
                0.5 - 0.5 * cos(2 * 3.14159265358979323846 * (double)k / (double)window);
            line[2 * k] = k < window ? uc_tf_at(x, (begin + k) * shape[0] + channel) * hann : 0;
            line[2 * k + 1] = 0;
        }
        uc_fft_run(&fft, 0, line, work);
        for (int64_t k = 0; k < shape[2]; k++) {
            const double power = line[2 * k] * line[2 * k] + line[2 * k + 1] * line[2 * k + 1];
            ((float *)y->data)[i * shape[2] + k] = (float)(squared ? power : sqrt(power));
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_spectrogram, "TfAudioSpectrogram", 1, 1, 1, infer_spectrogram, run_spectrogram)
