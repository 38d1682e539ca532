/* A finished graph written as an ONNX file. */
#ifndef UC_PACK_ONNX_WRITE_H
#define UC_PACK_ONNX_WRITE_H

#include "graph/graph.h"

typedef struct uc_onnx_write {
    /* Constants from 256 bytes on go here, each at a multiple of 64, and the model names this file as
     * external data; NULL: everything lies in the model. */
    uc_writer *weights;
    const char *weights_name;
    /* The oldest opset that gives the same result, for other runtimes; else the newest, which nodes of
     * the domain uncork may stand among. */
    bool standard;
    /* Free dimensions become those of what is fed, as they do in the source: the graph says so. */
    bool as_fed;
} uc_onnx_write;

/* Appends a ModelProto to `out`. The same graph gives the same bytes. UNSUPPORTED names the node and
 * operator that ONNX can't say. */
uncork_status uc_onnx_write_model(const uc_graph *graph, const uc_onnx_write *how, uc_writer *out,
                                  uncork_error *error);

/* Lowest opset of ai.onnx (domain "") or ai.onnx.ml at which this node means what it means now; 0: the
 * operator isn't in the table. `plain`: its tensors are of types that every opset has. */
int64_t uc_onnx_oldest(const char *domain, const char *op, bool plain);

#endif
