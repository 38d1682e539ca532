/* uncork.FusedConv: Conv, an addition and an activation in one pass over the output.
 *
 * y = activation(Conv(x, w, b) + r). Made by passes only.
 * x, w, b  as ONNX Conv 22, with its attributes;  r  as y, optional
 * activation, alpha, beta  see op/activation.h; "" is none. */
#include "op/conv.h"
#include "op/widen.h"

#include <inttypes.h>

static uncork_status check_residual(uc_call *call, int rank, const int64_t *shape)
{
    const uc_tensor *r = uc_call_in(call, 3);
    if (!r || r->rank < 0 || rank < 0) return UNCORK_OK;
    bool same = r->rank == rank;
    for (int d = 0; same && d < rank; d++) {
        same = r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d];
    }
    if (same) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT, "%s is added to an output of shape %s",
                        uc_shape_text(r->shape, r->rank, a, sizeof a),
                        uc_shape_text(shape, rank, b, sizeof b));
}

static uncork_status geometry(uc_call *call, uc_conv *c, int *rank, int64_t *shape)
{
    UC_TRY(uc_conv_geometry(call, 2, c, rank, shape));
    if (uc_call_in(call, 3)) UC_TRY(uc_call_same_dtype(call, 0, 3));
    UC_TRY(check_residual(call, *rank, shape));
    uncork_dtype dtype = uc_is_short_float(c->dtype) ? UNCORK_FLOAT32 : c->dtype;
    return uc_activation_read(call, dtype, &c->activation);
}

static uncork_status infer(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_conv c = {0};
    int rank = 0;
    UC_TRY(geometry(call, &c, &rank, shape));
    return uc_call_shape(call, 0, c.dtype, rank, shape);
}

static uncork_status run_wide(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_conv c = {0};
    int rank = 0;
    UC_TRY(geometry(call, &c, &rank, shape));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const uc_tensor *b = uc_call_in(call, 2), *r = uc_call_in(call, 3);
    c.x = uc_call_arg(call, 0)->data;
    c.weight = uc_call_arg(call, 1)->data;
    c.bias = b ? b->data : NULL;
    c.residual = r ? r->data : NULL;
    c.y = y->data;
    return uc_conv_run(call, &c);
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_fused_conv = {.domain = "uncork",
                                .name = "FusedConv",
                                .in = {2, 4},
                                .out = {1, 1},
                                .infer = infer,
                                .run = run,
                                .macs = uc_conv_macs,
                                .stoppable = true};
