/* The graph with uncork's operators spelled out, written for other runtimes. */
#include "pack/convert.h"

#include "pack/onnx_write.h"

uncork_status uc_convert(const uc_graph *graph, uc_writer *out, uncork_error *error)
{
    const uc_onnx_write how = {.standard = true};
    return uc_onnx_write_model(graph, &how, out, error);
}
