/* uncork convert: a checked graph as ONNX that other runtimes accept. */
#ifndef UC_PACK_CONVERT_H
#define UC_PACK_CONVERT_H

#include "graph/graph.h"

/* Appends the model: operators of the domain uncork spelled out, the lowest opset that says the same.
 * UNSUPPORTED names the first operator that can't be spelled out. */
uncork_status uc_convert(const uc_graph *graph, uc_writer *out, uncork_error *error);

#endif
