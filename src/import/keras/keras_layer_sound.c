/* Spectrograms. Source: keras/src/layers/preprocessing/stft_spectrogram.py, mel_spectrogram.py,
 * keras/src/backend/tensorflow/math.py (stft) (3.15). */
#include "import/keras/keras.h"

#include <inttypes.h>
#include <math.h>

#define PI 3.14159265358979323846

/* ---- STFTSpectrogram: convolutions by kernels that are its weights ---------------------------- */

/* x [N * channels, 1, samples] to [N * channels, bins, windows]. */
static uc_ref by_kernel(uc_k_call *c, uc_ref x, const char *slot, const uc_window *w)
{
    static const int64_t perm[] = {2, 1, 0};
    const uc_tensor *kernel = uc_k_tensor(c, slot);
    if (!kernel || kernel->rank != 3 || kernel->shape[0] != w->size[0])
        return c->graph->status ? 0 : uc_k_fail(c, "its kernel isn't of its frame_length");
    const uc_ref in[] = {x, uc_k_const(c, uc_k_permuted(c, kernel, perm))};
    uc_node *n = uc_graph_node(c->graph, "Conv", in, 2, 1);
    uc_window_put(c->graph, n, w, true);
    return uc_node_out(n, 0);
}

/* What the mode makes of both parts. */
static uc_ref combine(uc_k_call *c, uc_str mode, uc_ref re, uc_ref im)
{
    uc_graph *g = c->graph;
    if (uc_str_is(mode, "real")) return re;
    if (uc_str_is(mode, "imag")) return im;
    if (uc_str_is(mode, "angle")) return uc_g2(g, "uncork.TfAtan2", im, re);
    if (uc_str_is(mode, "stft")) {
        const uc_ref parts[] = {re, im};
        return uc_g_concat(g, parts, 2, 1);
    }
    const uc_ref power = uc_g2(g, "Add", uc_g2(g, "Mul", re, re), uc_g2(g, "Mul", im, im));
    if (uc_str_is(mode, "psd")) { /* all but the first and last bin count twice */
        const int64_t pads[] = {0, 1, 0, 0, 1, 0};
        const uc_ref in[] = {uc_g_slice(g, power, 1, 1, -1), uc_graph_i64s(g, pads, 6)};
        return uc_g2(g, "Add", power, uc_node_out(uc_graph_node(g, "Pad", in, 2, 1), 0));
    }
    const uc_ref least = uc_k_scalar(c, 1e-7),
                 size = uc_g1(g, "Sqrt", uc_g2(g, "Max", power, least));
    return uc_str_is(mode, "magnitude") ? size : uc_g1(g, "Log", uc_g2(g, "Max", size, least));
}

void uc_k_stft_spectrogram(uc_k_call *c)
{
    static const int64_t turn[] = {0, 2, 1};
    uc_graph *g = c->graph;
    const bool last = !uc_k_channels_first(c->layer);
    const uc_str mode = uc_k_text(c->layer, "mode", "log");
    const int64_t length = uc_k_int(c->layer, "frame_length", 256);
    uc_ref x = uc_k_plain(c, c->in[0]);
    if (uc_k_rank(c, x) != 3) {
        uc_k_fail(c, "its input has %d dimensions, 3 are read", uc_k_rank(c, x));
        return;
    }
    if (last) x = uc_k_transpose(g, x, turn, 3);
    const int64_t channels = uc_k_dim(c, x, 1), single[] = {-1, 1, uc_k_dim(c, x, 2)};
    uc_window w = {.rank = 1,
                   .size = {length},
                   .strides = {uc_k_int(c->layer, "frame_step", length / 2)},
                   .dilations = {1}};
    if (channels < 1 || single[2] < 1) {
        uc_k_fail(c, "it needs a known number of samples and channels");
        return;
    }
    x = uc_g_reshape(g, x, single, 3);
    if (!uc_k_window_pads(c, &w, uc_k_text(c->layer, "padding", "valid"), x)) return;
    const uc_ref re = uc_str_is(mode, "imag") ? 0 : by_kernel(c, x, "real_kernel", &w),
                 im = uc_str_is(mode, "real") ? 0 : by_kernel(c, x, "imag_kernel", &w);
    if (g->status) return;
    uc_ref y = combine(c, mode, re, im);
    const int64_t bins = uc_k_dim(c, y, 1), windows = uc_k_dim(c, y, 2);
    if (bins < 1 || windows < 1) {
        uc_k_fail(c, "its number of windows isn't known");
        return;
    }
    const int64_t apart[] = {-1, channels, bins, windows},
                  joined[] = {-1, channels * bins, windows};
    const int64_t to_last[] = {0, 3, 2, 1}, to_first[] = {0, 1, 3, 2};
    if (uc_k_bool(c->layer, "expand_dims", false)) {
        uc_k_set(c, uc_k_transpose(g, uc_g_reshape(g, y, apart, 4), last ? to_last : to_first, 4));
        return;
    }
    y = uc_g_reshape(g, y, joined, 3);
    uc_k_set(c, last ? uc_k_transpose(g, y, turn, 3) : y);
}

/* ---- MelSpectrogram -------------------------------------------------------------------------- */

/* In float32, as TensorFlow does. */
static double mel_of(double hertz)
{
    return (double)(1127.0F * logf(1.0F + (float)hertz / 700.0F));
}

/* [bins, mels]: triangles that are straight in mels. The first bin counts for nothing. */
static uc_ref mel_matrix(uc_k_call *c, int64_t bins, int64_t mels)
{
    const double rate = uc_k_number(c->layer, "sampling_rate", 16000);
    const double low = mel_of(uc_k_number(c->layer, "min_freq", 20)),
                 high = mel_of(uc_k_number(c->layer, "max_freq", floor(rate / 2)));
    const double step = (high - low) / (double)(mels + 1);
    const int64_t shape[] = {bins, mels};
    size_t count;
    double *w = uc_shape_count(shape, 2, &count) && count < (size_t)1 << 26
                    ? UC_NEW(c->graph->arena, double, count)
                    : NULL;
    if (!w) return uc_k_fail(c, "%" PRId64 " bins and %" PRId64 " mels", bins, mels);
    for (int64_t i = 0; i < bins; i++) {
        const double at = mel_of(rate / 2 * (double)i / (double)(bins - 1));
        for (int64_t k = 0; k < mels; k++) {
            const double from = low + step * (double)k, up = (at - from) / step,
                         down = (from + 2 * step - at) / step;
            w[i * mels + k] = i ? fmax(0, fmin(up, down)) : 0;
        }
    }
    return uc_k_constant(c, w, 2, shape);
}

/* The window, in the middle of as many zeros as the transform is long. */
static uc_ref window_of(uc_k_call *c, int64_t length, int64_t whole)
{
    const uc_json *given = uc_k_get(c->layer, "window");
    const bool none = uc_json_get(c->layer->config, "window") && !given;
    const uc_str name = uc_json_str(given, "hann");
    const double a = uc_str_is(name, "hamming") ? 0.54 : 0.5;
    double *w = UC_NEW(c->graph->arena, double, (size_t)whole);
    if (!w || (given && given->kind != UC_JSON_STRING) ||
        !(uc_str_is(name, "hann") || uc_str_is(name, "hamming")))
        return uc_k_fail(c, "its window is neither hann nor hamming");
    for (int64_t i = 0; i < length; i++) {
        w[(whole - length) / 2 + i] =
            none ? 1 : a - (1 - a) * cos(2 * PI * (double)i / (double)length);
    }
    return uc_k_constant(c, w, 1, &whole);
}

/* [..., samples] to [..., windows, bins] of magnitudes. */
static uc_ref spectrum(uc_k_call *c, uc_ref x, int64_t length, int64_t whole)
{
    uc_graph *g = c->graph;
    const int rank = uc_k_rank(c, x);
    const int64_t n = uc_k_dim(c, x, -1), step = uc_k_int(c->layer, "sequence_stride", 512);
    int64_t pads[2 * UNCORK_MAX_RANK] = {0};
    if (rank < 1 || rank > 3 || n < 1 || step < 1 || n <= whole / 2)
        return uc_k_fail(c, "it needs a known number of samples, more than half its fft_length");
    pads[rank - 1] = pads[2 * rank - 1] = whole / 2;
    const uc_ref in[] = {x, uc_graph_i64s(g, pads, 2 * rank)};
    uc_node *node = uc_graph_node(g, "Pad", in, 2, 1);
    uc_node_str(g, node, "mode", "reflect");
    const int64_t count = (n + whole / 2 * 2 - whole) / step + 1, shape[] = {count, whole};
    if (count < 1 || count > ((int64_t)1 << 24) / whole)
        return uc_k_fail(c, "%" PRId64 " windows", count);
    int64_t *at = UC_NEW(g->arena, int64_t, (size_t)(count * whole));
    for (int64_t i = 0; at && i < count * whole; i++) {
        at[i] = i / whole * step + i % whole;
    }
    if (!at) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for windows");
    const uc_ref places = uc_g_reshape(g, uc_graph_i64s(g, at, count * whole), shape, 2);
    uc_ref y = uc_g_gather(g, uc_node_out(node, 0), places, rank - 1);
    y = uc_g2(g, "Mul", y, window_of(c, length, whole));
    y = uc_g2(g, "uncork.TfRFFT", y, uc_g_cast(g, uc_graph_i64s(g, &whole, 1), UNCORK_INT32));
    return uc_g1(g, "uncork.TfComplexAbs", y);
}

void uc_k_mel_spectrogram(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const int64_t whole = uc_k_int(c->layer, "fft_length", 2048),
                  length = uc_k_int(c->layer, "sequence_length", whole),
                  mels = uc_k_int(c->layer, "num_mel_bins", 128);
    int64_t perm[] = {0, 1, 2, 3};
    uc_ref x = uc_k_plain(c, c->in[0]);
    if (whole < 2 || length < 1 || length > whole || whole > (1 << 20) || mels < 1 ||
        mels > 65536) {
        uc_k_fail(c, "a transform of %" PRId64 " over %" PRId64 " samples", whole, length);
        return;
    }
    x = spectrum(c, x, length, whole);
    if (g->status) return;
    const double power = uc_k_number(c->layer, "mag_exp", 2);
    x = uc_g2(g, "Pow", x, uc_k_scalar(c, power));
    x = uc_g2(g, "MatMul", x, mel_matrix(c, whole / 2 + 1, mels));
    if (uc_k_bool(c->layer, "power_to_db", true)) {
        const double least = uc_k_number(c->layer, "min_power", 1e-10),
                     reference = fabs(uc_k_number(c->layer, "ref_power", 1));
        x = uc_g1(g, "Log", uc_g2(g, "Max", x, uc_k_scalar(c, least)));
        x = uc_g2(g, "Mul", x, uc_k_scalar(c, 10 / log(10)));
        x = uc_g2(g, "Sub", x, uc_k_scalar(c, 10 * log10(fmax(reference, least))));
        uc_node *most = uc_graph_node(g, "ReduceMax", &x, 1, 1);
        uc_node_int(g, most, "keepdims", 0);
        const uc_ref top = uc_k_scalar(c, uc_k_number(c->layer, "top_db", 80));
        x = uc_g2(g, "Max", x, uc_g2(g, "Sub", uc_node_out(most, 0), top));
    }
    const int rank = uc_k_rank(c, x);
    if (rank < 2 || rank > 4) {
        uc_k_fail(c, "its input has %d dimensions", rank - 1);
        return;
    }
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    uc_k_set(c, uc_k_transpose(g, x, perm, (size_t)rank));
}
