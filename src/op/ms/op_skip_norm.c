/* SkipLayerNormalization, SkipSimplifiedLayerNormalization, SimplifiedLayerNormalization,
 * EmbedLayerNormalization: sums, and then LayerNormalization or RMSNormalization over the last dimension.
 *
 * Source: onnxruntime/core/graph/contrib_ops/bert_defs.cc, contrib_defs.cc. Default epsilon 1e-12 but for
 * SimplifiedLayerNormalization, which is in domain ai.onnx of ONNX Runtime's optimised files.
 * input [..., n]; skip the same, or with a leading 1 or none; gamma, beta, bias [n]
 * output 3 of the skipping ones: the sum */
#include "op/inner.h"
#include "op/quant.h"
#include "op/shape.h"
#include "op/spread.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

static const uc_attr tiny_epsilon = {.name = "epsilon", .kind = UC_ATTR_FLOAT, .f = (double)1e-12f};
static const uc_attr last_axis = {.name = "axis", .kind = UC_ATTR_INT, .i = -1};

/* Normalises x into y (infer: declares y in inner->out). */
static uncork_status normalise(uc_call *call, bool simplified, const uc_tensor *x,
                               const uc_tensor *gamma, const uc_tensor *beta, uc_tensor *y)
{
    uc_inner inner;
    uc_attr attrs[UC_INNER_ATTRS];
    const uc_attr more[] = {tiny_epsilon, last_axis};
    const uc_op *op = simplified ? &uc_op_rms_normalization : &uc_op_layer_normalization;
    uc_inner_begin(&inner, call);
    uc_inner_attrs(&inner.call, attrs, more, 2);
    uc_inner_add(&inner, x);
    uc_inner_add(&inner, gamma);
    if (beta) uc_inner_add(&inner, beta);
    if (!y) return op->infer(&inner.call);
    uc_inner_into(&inner, y);
    return op->run(&inner.call);
}

/* Outputs 1 and 2, which training keeps: mean and inverse deviation of each row, [..., 1]. */
static uncork_status infer_moments(uc_call *call, const uc_tensor *x)
{
    int64_t shape[UNCORK_MAX_RANK];
    memcpy(shape, x->shape, sizeof shape);
    if (x->rank > 0) shape[x->rank - 1] = 1;
    UC_TRY(uc_call_shape(call, 1, UNCORK_FLOAT32, x->rank, shape));
    return uc_call_shape(call, 2, UNCORK_FLOAT32, x->rank, shape);
}

/* Into `means` and `inverses`, either of which may be NULL. */
static void moments(const uc_tensor *x, bool simplified, double epsilon, uc_tensor *means,
                    uc_tensor *inverses)
{
    int64_t n = x->rank > 0 ? x->shape[x->rank - 1] : 1, rows = n ? uc_tensor_count(x) / n : 0;
    for (int64_t r = 0; (means || inverses) && r < rows; r++) {
        double mean = 0, squares = 0;
        for (int64_t i = 0; i < n && !simplified; i++) {
            mean += uc_dtype_load_f64(x->data, r * n + i, x->dtype);
        }
        mean /= (double)n;
        for (int64_t i = 0; i < n; i++) {
            double d = uc_dtype_load_f64(x->data, r * n + i, x->dtype) - mean;
            squares += d * d;
        }
        if (means) ((float *)means->data)[r] = (float)mean;
        if (inverses)
            ((float *)inverses->data)[r] = (float)(1 / sqrt(squares / (double)n + epsilon));
    }
}

/* ---- skipping ----------------------------------------------------------------------------- */

static uncork_status infer_skip(uc_call *call, bool simplified)
{
    const uc_tensor *x = uc_call_arg(call, 0), *skip = uc_call_arg(call, 1);
    const uc_tensor *beta = simplified ? NULL : uc_call_in(call, 3);
    const uc_tensor *bias = uc_call_in(call, simplified ? 3 : 4);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_inner sum;
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    UC_TRY(normalise(call, simplified, x, uc_call_arg(call, 2), beta, NULL));
    uc_inner_begin(&sum, call);
    uc_inner_add(&sum, x);
    uc_inner_add(&sum, skip);
    if (bias) uc_inner_add(&sum, bias);
    UC_TRY(uc_broadcast_inputs(&sum.call, 0, sum.call.in_count, &rank, shape));
    bool same = rank < 0 || rank == x->rank;
    for (int d = 0; same && d < rank; d++) {
        same = x->shape[d] < 0 || shape[d] < 0 || shape[d] == x->shape[d];
    }
    if (!same) {
        char a[128], b[128];
        return uc_call_fail(call, UNCORK_INPUT, "skip %.80s doesn't fit input %.80s",
                            uc_shape_text(skip->shape, skip->rank, a, sizeof a),
                            uc_shape_text(x->shape, x->rank, b, sizeof b));
    }
    UC_TRY(infer_moments(call, x));
    UC_TRY(uc_call_shape_like(call, 0, 0, x->dtype));
    return uc_call_shape_like(call, 3, 0, x->dtype);
}

static uncork_status run_skip(uc_call *call, bool simplified)
{
    const uc_tensor *x = uc_call_arg(call, 0), *bias = uc_call_in(call, simplified ? 3 : 4);
    uc_tensor *y = uc_call_out(call, 0), sum = *x, *kept = uc_call_out(call, 3);
    size_t size = uc_dtype_size(x->dtype);
    uc_inner add;
    if (!y) return uc_fail_memory(call->error);
    sum.data = kept ? kept->data : uc_call_scratch(call, (size_t)uc_tensor_count(x), size);
    if (!sum.data) return uc_fail_memory(call->error);
    const uc_tensor *in[] = {x, uc_call_arg(call, 1)}, *more[] = {&sum, bias};
    uc_inner_begin(&add, call);
    uc_inner_into(&add, &sum);
    UC_TRY(uc_spread(&add.call, uc_loop_binary(UC_ADD, x->dtype), in, 2));
    if (bias) UC_TRY(uc_spread(&add.call, uc_loop_binary(UC_ADD, x->dtype), more, 2));
    const uc_tensor *beta = simplified ? NULL : uc_call_in(call, 3);
    moments(&sum, simplified, uc_call_float(call, "epsilon", tiny_epsilon.f), uc_call_out(call, 1),
            uc_call_out(call, 2));
    return normalise(call, simplified, &sum, uc_call_arg(call, 2), beta, y);
}

static uncork_status infer_layer(uc_call *call) { return infer_skip(call, false); }
static uncork_status infer_rms(uc_call *call) { return infer_skip(call, true); }
static uncork_status wide_layer(uc_call *call) { return run_skip(call, false); }
static uncork_status wide_rms(uc_call *call) { return run_skip(call, true); }
static uncork_status run_layer(uc_call *call) { return uc_widened(call, wide_layer); }
static uncork_status run_rms(uc_call *call) { return uc_widened(call, wide_rms); }

const uc_op uc_op_ms_skip_layer_normalization = {.domain = "com.microsoft",
                                                 .name = "SkipLayerNormalization",
                                                 .in = {3, 5},
                                                 .out = {1, 4},
                                                 .infer = infer_layer,
                                                 .run = run_layer};
const uc_op uc_op_ms_skip_simplified_layer_normalization = {.domain = "com.microsoft",
                                                            .name =
                                                                "SkipSimplifiedLayerNormalization",
                                                            .in = {3, 4},
                                                            .out = {1, 4},
                                                            .infer = infer_rms,
                                                            .run = run_rms};

/* ---- SimplifiedLayerNormalization: RMSNormalization by its older name ------------------------ */

/* Output 1, the inverse deviation over the last dimension, is computed where axis is the last. */
static uncork_status infer_simplified(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t axis = uc_call_int(call, "axis", -1), shape[UNCORK_MAX_RANK];
    memcpy(shape, x->shape, sizeof shape);
    if (x->rank > 0) shape[x->rank - 1] = 1;
    bool last = axis == -1 || axis == x->rank - 1;
    UC_TRY(uc_op_rms_normalization.infer(call));
    return uc_call_shape(call, 1, UNCORK_FLOAT32, last ? x->rank : -1, shape);
}

static uncork_status run_simplified(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t axis = uc_call_int(call, "axis", -1);
    bool last = axis == -1 || axis == x->rank - 1;
    if (uc_call_wants(call, 1) && !last) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "output 1 over several dimensions");
    }
    moments(x, true, uc_call_float(call, "epsilon", 1e-5), NULL, uc_call_out(call, 1));
    return uc_op_rms_normalization.run(call);
}

const uc_op uc_op_simplified_layer_normalization = {.name = "SimplifiedLayerNormalization",
                                                    .in = {2, 2},
                                                    .out = {1, 2},
                                                    .infer = infer_simplified,
                                                    .run = run_simplified};
const uc_op uc_op_ms_simplified_layer_normalization = {.domain = "com.microsoft",
                                                       .name = "SimplifiedLayerNormalization",
                                                       .in = {2, 2},
                                                       .out = {1, 2},
                                                       .infer = infer_simplified,
                                                       .run = run_simplified};

/* ---- EmbedLayerNormalization -------------------------------------------------------------- */

enum { IDS, SEGMENTS, WORD, POSITION, SEGMENT, GAMMA, BETA, MASK, POSITIONS };

static uncork_status infer_embed(uc_call *call)
{
    const uc_tensor *ids = uc_call_arg(call, IDS);
    int64_t shape[3] = {-1, -1, -1};
    for (size_t i = WORD; i <= BETA; i++) {
        if (i != SEGMENT) UC_TRY(uc_quant_need(call, i));
        const uc_tensor *t = uc_call_in(call, i);
        int rank = i < GAMMA ? 2 : 1;
        if (!t) continue;
        UC_TRY(uc_call_expect_wide(call, i));
        UC_TRY(uc_call_same_dtype(call, WORD, i));
        bool fits = t->rank < 0 || t->rank == rank;
        if (fits && t->rank > 0 && t->shape[rank - 1] >= 0) {
            fits = shape[2] < 0 || shape[2] == t->shape[rank - 1];
            shape[2] = t->shape[rank - 1];
        }
        if (!fits) return uc_call_fail(call, UNCORK_INPUT, "input %zu has another width", i);
    }
    for (size_t i = IDS; i <= POSITIONS; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        if ((i > SEGMENTS && i < MASK) || !t) continue;
        UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
        bool fits = t->rank < 0 || ids->rank < 0 || t->rank == 2;
        for (int d = 0; fits && d < 2 && t->rank == 2 && ids->rank == 2; d++) {
            bool known = t->shape[d] >= 0 && ids->shape[d] >= 0;
            fits = !known || t->shape[d] == ids->shape[d] ||
                   (i == POSITIONS && d == 0 && t->shape[0] == 1);
        }
        if (!fits) return uc_call_fail(call, UNCORK_INPUT, "input %zu isn't shaped as the ids", i);
    }
    if (ids->rank == 2) {
        shape[0] = ids->shape[0];
        shape[1] = ids->shape[1];
    }
    UC_TRY(uc_call_shape(call, 0, uc_call_dtype(call, WORD), 3, shape));
    UC_TRY(uc_call_shape(call, 1, UNCORK_INT32, 1, shape));
    return uc_call_shape(call, 2, uc_call_dtype(call, WORD), 3, shape);
}

/* Adds row `index` of a table to `to`; fails for one that isn't there. */
static uncork_status add_row(uc_call *call, const uc_tensor *table, int64_t index, float *to)
{
    if (index < 0 || index >= table->shape[0]) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "id %" PRId64 " is outside a table of %" PRId64 " rows", index,
                            table->shape[0]);
    }
    const float *row = (const float *)table->data + index * table->shape[1];
    for (int64_t i = 0; i < table->shape[1]; i++) {
        to[i] += row[i];
    }
    return UNCORK_OK;
}

static uncork_status wide_embed(uc_call *call)
{
    const uc_tensor *ids = uc_call_arg(call, IDS), *segments = uc_call_in(call, SEGMENTS);
    const uc_tensor *segment = uc_call_in(call, SEGMENT), *mask = uc_call_in(call, MASK);
    const uc_tensor *positions = uc_call_in(call, POSITIONS), *word = uc_call_arg(call, WORD);
    uc_tensor *y = uc_call_out(call, 0), *index = uc_call_out(call, 1),
              *kept = uc_call_out(call, 2);
    if (!y) return uc_fail_memory(call->error);
    if (word->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "tables of %s", uc_dtype_name(word->dtype));
    }
    uc_tensor sum = *y;
    int64_t count = uc_tensor_count(ids), length = ids->shape[1], width = word->shape[1];
    sum.data = kept ? kept->data : uc_call_scratch(call, (size_t)(count * width), sizeof(float));
    if (!sum.data) return uc_fail_memory(call->error);
    memset(sum.data, 0, (size_t)(count * width) * sizeof(float));
    for (int64_t i = 0; i < count; i++) {
        float *to = (float *)sum.data + i * width;
        int64_t at = i % length;
        if (positions) {
            int64_t from = positions->shape[0] == 1 ? at : i;
            at = uc_dtype_load_i64(positions->data, from, positions->dtype);
        }
        UC_TRY(add_row(call, word, uc_dtype_load_i64(ids->data, i, ids->dtype), to));
        UC_TRY(add_row(call, uc_call_arg(call, POSITION), at, to));
        if (!segments || !segment) continue;
        UC_TRY(add_row(call, segment, uc_dtype_load_i64(segments->data, i, segments->dtype), to));
    }
    for (int64_t b = 0; index && b < ids->shape[0]; b++) {
        int32_t ones = 0;
        for (int64_t s = 0; mask && s < length; s++) {
            ones += uc_dtype_load_i64(mask->data, b * length + s, mask->dtype) == 1;
        }
        ((int32_t *)index->data)[b] = ones;
    }
    return normalise(call, false, &sum, uc_call_arg(call, GAMMA), uc_call_arg(call, BETA), y);
}

static uncork_status run_embed(uc_call *call) { return uc_widened(call, wide_embed); }

const uc_op uc_op_ms_embed_layer_normalization = {.domain = "com.microsoft",
                                                  .name = "EmbedLayerNormalization",
                                                  .in = {1, 9},
                                                  .out = {1, 3},
                                                  .infer = infer_embed,
                                                  .run = run_embed};
