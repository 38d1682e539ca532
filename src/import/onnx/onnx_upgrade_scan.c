/* Scan 8 works on batches: the scan of one sample becomes the body of a scan over axis 0.
 *
 * Source: onnx/docs/Changelog.md, Scan-8 and Scan-9. */
#include "import/onnx/onnx_upgrade_steps.h"

/* Scan 9 over what the graph `sample` is fed: states, one sample's sequences, captures. */
static void add_sample_scan(uc_onnx_draft *d, uc_graph *sample, uc_graph *body, size_t captures)
{
    uc_ref *in = UC_NEW(sample->arena, uc_ref, d->in_count);
    size_t count = 0;
    const int64_t *directions = uc_draft_ints(d, "directions", &count);
    if (!in) return;
    for (size_t i = 0; i < d->in_count; i++) {
        in[i] = uc_graph_input(sample, "x", UNCORK_DTYPE_NONE, -1, NULL);
    }
    uc_node *scan = uc_graph_node(sample, "Scan", in, d->in_count, d->out_count);
    uc_node_graph(sample, scan, "body", body);
    uc_node_int(sample, scan, "num_scan_inputs", uc_draft_int(d, "num_scan_inputs", 0));
    uc_node_int(sample, scan, "captures", (int64_t)captures);
    if (directions) uc_node_ints(sample, scan, "scan_input_directions", directions, count);
    for (size_t i = 0; i < d->out_count; i++) {
        uc_graph_output(sample, "y", uc_node_out(scan, i));
    }
}

/* 9: the batch and sequence_lens (input 0) are gone. */
void uc_onnx_upgrade_scan(uc_onnx_draft *d)
{
    const int64_t captures = uc_draft_int(d, "captures", 0);
    if (uc_draft_in(d, 0)) {
        uc_draft_fail(d, UNCORK_UNSUPPORTED,
                      "sequences of different lengths (sequence_lens) aren't done");
        return;
    }
    if (d->in_count > 0) uc_draft_drop_in(d, 0);
    if (captures < 0 || (uint64_t)captures > d->in_count) {
        uc_draft_fail(d, UNCORK_MALFORMED, "more captures than inputs");
        return;
    }
    uc_graph *sample = uc_graph_new(d->graph->arena, d->graph->budget, d->graph->error);
    for (size_t i = 0; sample && i < d->attr_count; i++) {
        uc_attr *a = &d->attrs[i];
        if (a->kind != UC_ATTR_GRAPH || strcmp(a->name, "body") != 0) continue;
        sample->where = d->graph->where;
        add_sample_scan(d, sample, a->graph, (size_t)captures);
        if (sample->status != UNCORK_OK && d->graph->status == UNCORK_OK) {
            d->graph->status = sample->status;
        }
        a->graph = sample;
    }
    if (!sample) uc_draft_fail(d, UNCORK_NO_MEMORY, "memory is out");
    uc_draft_drop(d, "directions");
    uc_draft_put_int(d, "num_scan_inputs", (int64_t)d->in_count - captures);
}
