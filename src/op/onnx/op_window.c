/* Tables for signals: BlackmanWindow, HammingWindow, HannWindow, MelWeightMatrix.
 *
 * Source: ONNX operators of these names, opset 17; onnx/reference/ops/op_*_window.py and
 * op_mel_weight_matrix.py (ONNX's Hamming is 25/46, not 0.54).
 * size  scalar int32 or int64;  y  [size], type by attribute output_datatype
 * num_mel_bins, dft_length, sample_rate, lower and upper edge in hertz: scalars;
 * y  [dft_length / 2 + 1, num_mel_bins]
 * Numerics: float64 inside, rounded once. */
#include "op/shape.h"

#include <inttypes.h>
#include <math.h>

#define PI 3.14159265358979323846

static uncork_status output_type(uc_call *call, uncork_dtype *dtype)
{
    *dtype = (uncork_dtype)uc_call_int(call, "output_datatype", UNCORK_FLOAT32);
    bool fits = uc_dtype_size(*dtype) && (uc_dtype_is_float(*dtype) || uc_dtype_is_integer(*dtype));
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "output_datatype %d is no numeric type",
                        (int)*dtype);
}

/* ---- windows ------------------------------------------------------------------------------ */

static uncork_status infer_window(uc_call *call)
{
    uncork_dtype dtype;
    int64_t size = UC_DIM_UNKNOWN;
    UC_TRY(output_type(call, &dtype));
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_INDEX));
    if (uc_call_known(call, 0)) {
        UC_TRY(uc_call_one_int(call, 0, &size));
        if (size < 0) return uc_call_fail(call, UNCORK_INPUT, "size is %" PRId64, size);
    }
    return uc_call_shape(call, 0, dtype, 1, &size);
}

/* y[i] = a + b cos(2 pi i / n) + c cos(4 pi i / n) */
static uncork_status run_window(uc_call *call, double a, double b, double c)
{
    uncork_dtype dtype;
    int64_t size = 0;
    uc_tensor *y = NULL;
    UC_TRY(output_type(call, &dtype));
    UC_TRY(uc_call_one_int(call, 0, &size));
    if (size < 0) return uc_call_fail(call, UNCORK_INPUT, "size is %" PRId64, size);
    UC_TRY(uc_call_output(call, 0, dtype, 1, &size, &y));
    int64_t n = uc_call_int(call, "periodic", 1) ? size : size - 1;
    for (int64_t i = 0; i < size; i++) {
        double t = 2 * PI * (double)i / (double)n;
        double v = n > 0 ? a + b * cos(t) + c * cos(2 * t) : 1; /* one sample: as torch has it */
        uc_dtype_convert((char *)y->data + (size_t)i * uc_dtype_size(dtype), dtype, &v,
                         UNCORK_FLOAT64, 1);
    }
    return UNCORK_OK;
}

static uncork_status run_blackman(uc_call *call) { return run_window(call, 0.42, -0.5, 0.08); }
static uncork_status run_hamming(uc_call *call)
{
    return run_window(call, 25.0 / 46, -21.0 / 46, 0);
}
static uncork_status run_hann(uc_call *call) { return run_window(call, 0.5, -0.5, 0); }

const uc_op uc_op_blackman_window = {.name = "BlackmanWindow",
                                     .in = {1, 1},
                                     .out = {1, 1},
                                     .infer = infer_window,
                                     .run = run_blackman};
const uc_op uc_op_hamming_window = {.name = "HammingWindow",
                                    .in = {1, 1},
                                    .out = {1, 1},
                                    .infer = infer_window,
                                    .run = run_hamming};
const uc_op uc_op_hann_window = {
    .name = "HannWindow", .in = {1, 1}, .out = {1, 1}, .infer = infer_window, .run = run_hann};

/* ---- MelWeightMatrix ---------------------------------------------------------------------- */

enum { BINS, LENGTH, RATE, LOW, HIGH };

/* Shape from known inputs. */
static uncork_status mel_shape(uc_call *call, int64_t shape[2])
{
    int64_t length = 0;
    UC_TRY(uc_call_one_int(call, BINS, &shape[1]));
    UC_TRY(uc_call_one_int(call, LENGTH, &length));
    shape[0] = length / 2 + 1;
    if (shape[1] >= 0 && length >= 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " bins of length %" PRId64, shape[1],
                        length);
}

static uncork_status infer_mel(uc_call *call)
{
    uncork_dtype dtype;
    int64_t shape[2] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN};
    UC_TRY(output_type(call, &dtype));
    for (size_t i = BINS; i <= RATE; i++) {
        UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
    }
    UC_TRY(uc_call_expect(call, LOW, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, HIGH, UC_TYPES_FLOAT));
    if (uc_call_known(call, BINS) && uc_call_known(call, LENGTH)) UC_TRY(mel_shape(call, shape));
    return uc_call_shape(call, 0, dtype, 2, shape);
}

static uncork_status one_float(uc_call *call, size_t i, double *v)
{
    const uc_tensor *t = uc_call_arg(call, i);
    if (uc_tensor_count(t) != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "input %zu is no scalar", i);
    }
    *v = uc_dtype_load_f64(t->data, 0, t->dtype);
    return UNCORK_OK;
}

/* The three corners of a mel bin, in spectrogram bins. */
typedef struct mel {
    double low, step, length, rate;
    int64_t rows;
} mel;

static uncork_status corner(uc_call *call, const mel *m, int64_t i, int64_t *bin)
{
    double hertz = 700 * expm1(((double)i * m->step + m->low) / 2595 * log(10));
    double at = floor((m->length + 1) * hertz / m->rate);
    if (!(at >= 0 && at < (double)m->rows)) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "mel bin %" PRId64 " begins at spectrogram bin %g of %" PRId64, i, at,
                            m->rows);
    }
    *bin = (int64_t)at;
    return UNCORK_OK;
}

static uncork_status run_mel(uc_call *call)
{
    uncork_dtype dtype;
    int64_t shape[2], rate = 0, length = 0;
    double low = 0, high = 0;
    uc_tensor *y = NULL;
    UC_TRY(output_type(call, &dtype));
    UC_TRY(mel_shape(call, shape));
    UC_TRY(uc_call_one_int(call, RATE, &rate));
    UC_TRY(uc_call_one_int(call, LENGTH, &length));
    UC_TRY(one_float(call, LOW, &low));
    UC_TRY(one_float(call, HIGH, &high));
    UC_TRY(uc_call_output(call, 0, dtype, 2, shape, &y));
    double *v = uc_call_scratch(call, (size_t)(shape[0] * shape[1]), sizeof *v);
    if (!v) return call->error->status;
    memset(v, 0, (size_t)(shape[0] * shape[1]) * sizeof *v);
    double from = 2595 * log1p(low / 700) / log(10), to = 2595 * log1p(high / 700) / log(10);
    mel m = {from, (to - from) / (double)(shape[1] + 2), (double)length, (double)rate, shape[0]};
    for (int64_t i = 0; i < shape[1]; i++) {
        int64_t left = 0, center = 0, right = 0;
        UC_TRY(corner(call, &m, i, &left));
        UC_TRY(corner(call, &m, i + 1, &center));
        UC_TRY(corner(call, &m, i + 2, &right));
        if (center == left) v[center * shape[1] + i] = 1;
        for (int64_t j = left; center > left && j <= center; j++) {
            v[j * shape[1] + i] = (double)(j - left) / (double)(center - left);
        }
        for (int64_t j = center; j < right; j++) {
            v[j * shape[1] + i] = (double)(right - j) / (double)(right - center);
        }
    }
    uc_dtype_convert(y->data, dtype, v, UNCORK_FLOAT64, shape[0] * shape[1]);
    return UNCORK_OK;
}

const uc_op uc_op_mel_weight_matrix = {
    .name = "MelWeightMatrix", .in = {5, 5}, .out = {1, 1}, .infer = infer_mel, .run = run_mel};
