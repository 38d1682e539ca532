/* From a graph's input to its first convolution: casts, transposes and constants on the way. */
#include "contract/evidence.h"

#include <math.h>

#define STEPS_MAX 16

typedef struct walk {
    const uc_graph *g;
    uc_ref at;
    bool last;           /* a transpose from channels last was met */
    double scale, shift; /* input * scale + shift, means over the channels */
    bool scaled, lost;   /* lost: an operator whose effect on values isn't followed */
    uc_writer *ops;
} walk;

/* The only node that reads the value's elements; NULL where there are several or none. */
static const uc_node *reader(const walk *w, size_t *input)
{
    const uc_node *found = NULL;
    for (size_t i = 0; i < w->g->node_count; i++) {
        const uc_node *n = &w->g->nodes[i];
        for (size_t k = 0; k < n->in_count; k++) {
            if (n->in[k] != w->at || n->op->shapely) continue;
            if (found && found != n) return NULL;
            found = n;
            *input = k;
        }
    }
    return found;
}

static bool is(const uc_node *n, const char *name)
{
    return (!n->op->domain || !n->op->domain[0]) && strcmp(n->op->name, name) == 0;
}

/* Mean of a constant of at most 16 values: one, or one a channel. */
static bool constant_mean(const walk *w, uc_ref ref, double *mean)
{
    const uc_tensor *t = ref > 0 ? w->g->values[ref].constant : NULL;
    if (!t || t->dtype == UNCORK_STRING || !uc_dtype_size(t->dtype) || !uc_tensor_is_dense(t))
        return false;
    int64_t n = uc_tensor_count(t);
    if (n < 1 || n > 16) return false;
    *mean = 0;
    for (int64_t i = 0; i < n; i++) {
        *mean += uc_dtype_load_f64(t->data, i, t->dtype) / (double)n;
    }
    return isfinite(*mean);
}

static void note_op(walk *w, const uc_node *n)
{
    uc_writer_printf(w->ops, "%s%s", w->ops->size ? ", " : "", n->op->name);
    w->scaled = true;
}

/* Add, Sub, Mul, Div with a constant. */
static bool follow_arithmetic(walk *w, const uc_node *n, size_t input)
{
    bool add = is(n, "Add"), subtract = is(n, "Sub"), multiply = is(n, "Mul"),
         divide = is(n, "Div");
    double k;
    if (!(add || subtract || multiply || divide) || n->in_count != 2) return false;
    if (!constant_mean(w, n->in[1 - input], &k)) return false;
    if (divide && (input == 1 || !(fabs(k) > 0))) return false;
    if (subtract && input == 1) { /* k - x */
        w->scale = -w->scale;
        w->shift = k - w->shift;
    } else if (multiply || divide) {
        w->scale = divide ? w->scale / k : w->scale * k;
        w->shift = divide ? w->shift / k : w->shift * k;
    } else {
        w->shift += subtract ? -k : k;
    }
    note_op(w, n);
    return true;
}

/* BatchNormalization: scale, bias, mean and variance of each channel. */
static bool follow_batch_norm(walk *w, const uc_node *n)
{
    double scale, bias, mean, variance;
    if (!is(n, "BatchNormalization") || n->in_count != 5 || !constant_mean(w, n->in[1], &scale) ||
        !constant_mean(w, n->in[2], &bias) || !constant_mean(w, n->in[3], &mean) ||
        !constant_mean(w, n->in[4], &variance) || !(variance > 0)) {
        return false;
    }
    w->scale *= scale / sqrt(variance);
    w->shift = (w->shift - mean) * scale / sqrt(variance) + bias;
    note_op(w, n);
    return true;
}

static bool follow_transpose(walk *w, const uc_node *n)
{
    size_t count;
    if (!is(n, "Transpose")) return false;
    const int64_t *perm = uc_attr_ints(uc_attr_find(n->attrs, n->attr_count, "perm"), &count);
    if (perm && count == 4 && perm[0] == 0 && perm[1] == 3 && perm[2] == 1 && perm[3] == 2)
        w->last = !w->last;
    return true;
}

static bool follow(walk *w, const uc_node *n, size_t input)
{
    static const char *const plain[] = {"Cast",    "Identity",       "Pad",
                                        "Dropout", "QuantizeLinear", "DequantizeLinear",
                                        "BitCast", "BitwiseXor",     "QQuantize"};
    bool through =
        follow_arithmetic(w, n, input) || follow_batch_norm(w, n) || follow_transpose(w, n);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        through = through || (is(n, plain[i]) && input == 0);
    }
    if (!through || n->out_count < 1) return false;
    w->at = n->out[0];
    return true;
}

/* 0.02: the deviation of pixels is some 60 of 0 to 255 and 0.25 of 0 to 1, so a graph that divides by more
 * than 50 was made for the former. */
static uc_scaling what_scaling(const walk *w)
{
    if (!w->scaled) return UC_SCALING_NONE;
    double a = fabs(w->scale);
    if (a > 0 && a <= 0.02) return UC_SCALING_BYTES;
    if (a >= 1.5 && a <= 20) return UC_SCALING_UNIT;
    /* A mean taken off without a scale (Caffe's models): of bytes when it is large. */
    if (a > 0.9 && a < 1.1 && fabs(w->shift) > 16) return UC_SCALING_BYTES;
    return UC_SCALING_OTHER;
}

uc_evidence uc_graph_evidence(const uc_graph *graph, size_t i, uc_arena *arena)
{
    uc_evidence e = {.channels = -1};
    if (i >= graph->input_count) return e;
    uc_writer ops;
    uc_writer_init(&ops, 4096);
    walk w = {.g = graph, .at = graph->inputs[i], .scale = 1, .ops = &ops};
    for (int step = 0; step < STEPS_MAX; step++) {
        size_t input = 0;
        const uc_node *n = reader(&w, &input);
        if (!n) break;
        const bool last = is(n, "QConv");
        if ((is(n, "Conv") || is(n, "ConvInteger") || is(n, "QLinearConv") || last) && input == 0) {
            size_t weight = is(n, "QLinearConv") ? 3 : 1;
            const uc_graph_value *v = n->in_count > weight ? &graph->values[n->in[weight]] : NULL;
            int64_t group = uc_attr_int(uc_attr_find(n->attrs, n->attr_count, "group"), 1);
            e.told = true;
            e.first = !w.last && !last;
            if (v && v->rank == 4 && v->shape[1] > 0 && group > 0 && group <= 16)
                e.channels = v->shape[1] * group;
            break;
        }
        if (!follow(&w, n, input)) break;
    }
    e.scaling = what_scaling(&w);
    e.what = uc_arena_str(arena, uc_writer_string(&ops));
    uc_writer_done(&ops);
    return e;
}
