/* What each output of a graph ends in. From the output backwards through operators that only move,
 * retype or bound numbers, to the first that gives them their meaning: a softmax (also one spelled out
 * as Exp, ReduceSum, Div, as early TensorFlow exports have it), a sigmoid, an argmax, a classifier of
 * ai.onnx.ml, or a plain product, whose numbers can be anything: logits, values, features. */
#include "contract/post.h"

#include <math.h>

/* Far beyond any real tail of reshapes and casts. */
#define MAX_STEPS 64

static const uc_node *producer(const uc_graph *g, uc_ref v)
{
    int32_t n = g->values[v].producer;
    return n < 0 ? NULL : &g->nodes[n];
}

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, list[i]) == 0) return true;
    }
    return false;
}
#define IS_ONE_OF(name, list) is_one_of((name), (list), sizeof(list) / sizeof(list)[0])

/* Operators whose result is the same numbers in another place, shape or type. */
static bool only_moves(const char *op)
{
    static const char *const movers[] = {"Identity",       "Reshape",
                                         "Squeeze",        "Unsqueeze",
                                         "Flatten",        "Cast",
                                         "Transpose",      "Dropout",
                                         "CastLike",       "DequantizeLinear",
                                         "ZipMap",         "SequenceAt",
                                         "QuantizeLinear", "Slice",
                                         "Normalizer",     "Split",
                                         "Gather",         "ArrayFeatureExtractor",
                                         "BitwiseXor",     "BitCast",
                                         "QQuantize",      "QPool"};
    return IS_ONE_OF(op, movers);
}

/* The largest of its input's numbers. */
static bool are_best(const uc_node *n, uc_ref v)
{
    return strcmp(n->op->name, "TopK") == 0 && n->out[0] == v;
}

/* The first constant number of an input; NaN when there is none. */
static double constant(const uc_graph *g, const uc_node *n, size_t i)
{
    if (i >= n->in_count || !n->in[i]) return (double)NAN;
    const uc_tensor *t = g->values[n->in[i]].constant;
    if (!t || uc_tensor_count(t) < 1 || t->dtype == UNCORK_STRING) return (double)NAN;
    return uc_dtype_load_f64(t->data, 0, t->dtype);
}

static uc_ref strip(const uc_graph *g, uc_ref v, const char *const *ops, size_t count)
{
    for (int i = 0; i < MAX_STEPS; i++) {
        const uc_node *n = producer(g, v);
        if (!n || !n->in_count || !is_one_of(n->op->name, ops, count)) return v;
        v = n->in[0];
    }
    return v;
}

static bool is_op(const uc_node *n, const char *name)
{
    return n && strcmp(n->op->name, name) == 0;
}

/* Div: a softmax, a sigmoid or a normalisation spelled out. */
static uc_post_end end_of_division(const uc_graph *g, const uc_node *n)
{
    static const char *const loose[] = {"Identity", "Expand", "Clip", "Max", "Unsqueeze",
                                        "Reshape",  "Cast",   "Add",  "Sqrt"};
    if (n->in_count != 2) return UC_END_OTHER;
    const uc_node *above = producer(g, n->in[0]), *below = producer(g, n->in[1]);
    if (is_op(above, "Exp") && is_op(below, "ReduceSum") && below->in[0] == n->in[0])
        return UC_END_SOFTMAX;
    if (constant(g, n, 0) == 1.0 && is_op(below, "Add")) { /* 1 / (1 + exp(-x)) */
        for (size_t i = 0; i < 2; i++) {
            if (is_op(producer(g, below->in[i]), "Exp")) return UC_END_SIGMOID;
        }
    }
    const uc_node *length = producer(g, strip(g, n->in[1], loose, sizeof loose / sizeof loose[0]));
    if (is_op(length, "ReduceL2")) return UC_END_UNIT_NORM;
    if (is_op(length, "ReduceSumSquare")) return UC_END_UNIT_NORM;
    if (is_op(length, "ReduceSum") && length->in_count) {
        const uc_node *square = producer(g, length->in[0]);
        if (is_op(square, "Pow") || (is_op(square, "Mul") && square->in[0] == square->in[1]))
            return UC_END_UNIT_NORM;
    }
    return UC_END_OTHER;
}

static const struct {
    const char *op;
    uc_post_end end;
} endings[] = {
    {"Softmax", UC_END_SOFTMAX},
    {"QLinearSoftmax", UC_END_SOFTMAX},
    {"LogSoftmax", UC_END_LOG_SOFTMAX},
    {"Sigmoid", UC_END_SIGMOID},
    {"QLinearSigmoid", UC_END_SIGMOID},
    {"HardSigmoid", UC_END_SIGMOID},
    {"Tanh", UC_END_TANH},
    {"ArgMax", UC_END_ARGMAX},
    {"LpNormalization", UC_END_UNIT_NORM},
    {"GlobalAveragePool", UC_END_POOL},
    {"QLinearGlobalAveragePool", UC_END_POOL},
    {"ReduceMean", UC_END_POOL},
    {"Gemm", UC_END_LINEAR},
    {"MatMul", UC_END_LINEAR},
    {"Conv", UC_END_LINEAR},
    {"ConvTranspose", UC_END_LINEAR},
    {"FusedMatMul", UC_END_LINEAR},
    {"QGemm", UC_END_LINEAR},
    {"QLinearMatMul", UC_END_LINEAR},
    {"QLinearConv", UC_END_LINEAR},
    {"MatMulNBits", UC_END_LINEAR},
    {"Resize", UC_END_LINEAR},
    {"DepthToSpace", UC_END_LINEAR},
    {"QSoftmax", UC_END_SOFTMAX},
    {"QReduce", UC_END_POOL},
    {"QConv", UC_END_LINEAR},
    {"QResize", UC_END_LINEAR},
    {"TfResizeBilinear", UC_END_LINEAR},
};

/* A bias or a scale behind a product keeps it a product: the input that isn't constant, -1: neither. */
static int biased_input(const uc_graph *g, const uc_node *n)
{
    static const char *const ops[] = {"Add", "Sub", "Mul"};
    if (!IS_ONE_OF(n->op->name, ops) || n->in_count != 2) return -1;
    bool first = g->values[n->in[0]].constant != NULL,
         second = g->values[n->in[1]].constant != NULL;
    return first == second ? -1 : first ? 1 : 0;
}

static uc_post_end end_of_classifier(const uc_node *n, uc_ref v)
{
    static const char *const classifiers[] = {"LinearClassifier", "SVMClassifier",
                                              "TreeEnsembleClassifier"};
    if (!IS_ONE_OF(n->op->name, classifiers)) return UC_END_OTHER;
    return n->out_count && n->out[0] == v ? UC_END_CLASS : UC_END_CLASSIFIER;
}

/* classlabels_strings or _ints of a classifier or a ZipMap. */
static const uc_tensor *class_labels(const uc_node *n, uc_arena *arena)
{
    static const char *const ints[] = {"classlabels_ints", "classlabels_int64s"};
    const uc_attr *s = uc_attr_find(n->attrs, n->attr_count, "classlabels_strings");
    if (s && s->kind == UC_ATTR_STRINGS && s->count) {
        const int64_t shape[1] = {(int64_t)s->count};
        return uc_tensor_strings(arena, s->strings, 1, shape);
    }
    for (size_t i = 0; i < 2; i++) {
        const uc_attr *a = uc_attr_find(n->attrs, n->attr_count, ints[i]);
        if (a && a->kind == UC_ATTR_INTS && a->count)
            return uc_tensor_i64(arena, a->ints, (int64_t)a->count);
    }
    return NULL;
}

static void note_clip(const uc_graph *g, const uc_node *n, uc_post_output *out)
{
    double low = constant(g, n, 1), high = constant(g, n, 2);
    if (out->end != UC_END_OTHER) return;
    if (low == 0.0 && high == 1.0) out->end = UC_END_UNIT;
    if (low == 0.0 && high == 255.0) out->end = UC_END_BYTE;
}

/* Whether a Cast makes indices of what were numbers: its input no longer says what they mean. */
static bool cuts_meaning(const uc_graph *g, const uc_node *n)
{
    if (!is_op(n, "Cast") || !n->out_count) return false;
    uncork_dtype to = g->values[n->out[0]].dtype, from = g->values[n->in[0]].dtype;
    return uc_dtype_is_integer(to) && !uc_dtype_is_integer(from);
}

/* A function of quantised numbers by its name. */
static uc_post_end end_of_quantised(const uc_node *n)
{
    if (!is_op(n, "QUnary")) return UC_END_OTHER;
    const uc_str f = uc_attr_str(uc_attr_find(n->attrs, n->attr_count, "function"), "");
    return uc_str_is(f, "logistic") ? UC_END_SIGMOID
           : uc_str_is(f, "tanh")   ? UC_END_TANH
                                    : UC_END_OTHER;
}

/* The scale that a quantised operator gives its output; bytes turned signed behind it are 128 lower. */
static void note_scale(const uc_node *n, bool turned, uc_post_output *out)
{
    const uc_attr *scale = uc_attr_find(n->attrs, n->attr_count, "y_scale");
    const uc_attr *zero = uc_attr_find(n->attrs, n->attr_count, "y_zero");
    if (!scale || out->scale != 0) return;
    if (!zero) zero = uc_attr_find(n->attrs, n->attr_count, "zero");
    out->scale = uc_attr_float(scale, 0);
    out->zero = (double)uc_attr_int(zero, 0) - (turned ? 128 : 0);
}

static void trace(const uc_graph *g, uc_ref v, uc_arena *arena, uc_post_output *out)
{
    bool scaled = false, real = false; /* real: the output isn't the quantised one */
    bool turned = false;               /* unsigned bytes became signed ones on the way */
    for (int i = 0; i < MAX_STEPS; i++) {
        const uc_node *n = producer(g, v);
        if (!n || !n->in_count) return;
        const char *op = n->op->name;
        if (!out->classes) out->classes = class_labels(n, arena);
        uc_post_end end = end_of_classifier(n, v);
        real = real || strcmp(op, "DequantizeLinear") == 0;
        turned = turned || strcmp(op, "BitCast") == 0;
        if (!real) note_scale(n, turned, out);
        if (strcmp(op, "QuantizeLinear") == 0 && out->scale == 0 && !real) {
            double zero = constant(g, n, 2);
            out->scale = constant(g, n, 1);
            out->zero = isnan(zero) ? 0 : zero;
            if (!(out->scale > 0)) out->scale = 0;
        }
        for (size_t k = 0; !end && k < sizeof endings / sizeof endings[0]; k++) {
            if (strcmp(op, endings[k].op) == 0) end = endings[k].end;
        }
        if (!end) end = end_of_quantised(n);
        if (!end && strcmp(op, "Div") == 0) end = end_of_division(g, n);
        if (!end && strcmp(op, "Exp") == 0 && is_op(producer(g, n->in[0]), "LogSoftmax"))
            end = UC_END_SOFTMAX;
        if (!end && strcmp(op, "Log") == 0 && is_op(producer(g, n->in[0]), "Softmax"))
            end = UC_END_LOG_SOFTMAX;
        if (end && scaled) return;
        if (end) {
            /* a clip behind a product bounds a picture; behind a softmax it only guards a logarithm */
            if (out->end == UC_END_OTHER || end != UC_END_LINEAR) out->end = end;
            return;
        }
        int next = biased_input(g, n);
        if (next >= 0) {
            /* a multiple of a probability isn't one any more */
            if (out->end == UC_END_OTHER) out->end = UC_END_LINEAR;
            scaled = true;
        } else if (strcmp(op, "Clip") == 0) {
            note_clip(g, n, out);
        } else if ((!only_moves(op) && !are_best(n, v)) || cuts_meaning(g, n)) {
            return;
        }
        v = n->in[next > 0 ? 1 : 0];
    }
}

static bool is_named(const uc_post_output *out, const char *word)
{
    return out->name && strstr(out->name, word);
}

/* A classifier spelled out in operators that don't show it: two outputs, named as skl2onnx and uncork's
 * convert name them, of a class a row and a score a class. */
static void pair_by_name(uc_post_output *outputs, size_t count)
{
    for (size_t i = 0; count == 2 && i < 2; i++) {
        uc_post_output *label = &outputs[i], *scores = &outputs[1 - i];
        const bool classes = label->dtype == UNCORK_STRING || uc_dtype_is_integer(label->dtype);
        if (!classes || label->rank > 1 || !is_named(label, "label")) continue;
        if (!uc_dtype_is_float(scores->dtype) || scores->rank != 2 || !is_named(scores, "probab"))
            continue;
        label->end = UC_END_CLASS;
        scores->end = UC_END_CLASSIFIER;
    }
}

uc_post_output *uc_post_describe(const uc_graph *graph, uc_arena *arena)
{
    uc_post_output *outputs = UC_NEW(arena, uc_post_output, graph->output_count);
    for (size_t i = 0; outputs && i < graph->output_count; i++) {
        uc_post_output *out = &outputs[i];
        const uc_graph_value *value = &graph->values[graph->outputs[i]];
        out->name = uc_graph_output_name(graph, (int)i);
        out->dtype = value->dtype;
        out->rank = value->rank;
        for (int d = 0; d < value->rank; d++) {
            out->shape[d] = value->shape[d] < 0 ? -1 : value->shape[d];
        }
        trace(graph, graph->outputs[i], arena, out);
    }
    if (outputs) pair_by_name(outputs, graph->output_count);
    return outputs;
}
