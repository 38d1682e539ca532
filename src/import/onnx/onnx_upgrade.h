/* Older operators become those of the canonical opset: a draft (a node on its way into the graph) is
 * rewritten by steps, one version at a time, before it is added.
 *
 * A row of onnx_upgrade_table.def, UPGRADE(domain, op, version, step), says: a draft of `op` that is
 * older than `version` becomes one of `version` by `step`. Rows of one operator stand in the order of
 * their versions; versions that only added types or attributes with a default need none. The table is
 * looked at again after each step, so a step may rename the draft (Upsample 9 -> Resize 10) and even
 * its domain (then it sets `version` too). A row for an operator that the canonical opset lacks also
 * tells that it is known.
 *
 * A step edits the draft in place; nodes that go before it are added to draft->graph and their values
 * set as inputs. Nodes behind it: copy the draft (uc_draft_copy), set version and inputs, add the copy
 * (uc_draft_add runs its remaining steps), build on its outputs, then uc_draft_give the results.
 *
 *     static void softmax_13(uc_onnx_draft *d)      // flattens at axis, before 13
 *     {
 *         uc_ref x = uc_draft_in(d, 0), shape = uc_g1(d->graph, "Shape", x);
 *         ...
 *         uc_onnx_draft inner = uc_draft_copy(d);
 *         inner.version = 13;
 *         uc_draft_set_in(&inner, 0, flat);
 *         uc_draft_put_int(&inner, "axis", -1);
 *         uc_draft_add(&inner);
 *         uc_draft_give(d, 0, uc_g2(d->graph, "Reshape", uc_draft_out(&inner, 0), shape));
 *     }
 *
 * Failures stick to the graph (uc_draft_fail names the node); steps check nothing in between. */
#ifndef UC_IMPORT_ONNX_UPGRADE_H
#define UC_IMPORT_ONNX_UPGRADE_H

#include "graph/graph.h"

struct uc_onnx_build;

typedef struct uc_onnx_draft {
    uc_graph *graph;
    struct uc_onnx_build *build;
    const char *domain; /* "" is ai.onnx */
    const char *op;
    int64_t version; /* opset of its domain that it follows */
    uc_ref *in;      /* 0: left out */
    size_t in_count;
    size_t out_count;
    const bool *wanted; /* [out_count]: the file names this output */
    uc_ref *out;        /* [out_count]: once added or given */
    uc_attr *attrs;
    size_t attr_count;
    bool done; /* its outputs are given: nothing is left to add */
} uc_onnx_draft;

typedef void (*uc_onnx_step)(uc_onnx_draft *draft);

/* ---- inputs and outputs ---- */
/* Input i, 0 when it is left out. */
uc_ref uc_draft_in(const uc_onnx_draft *d, size_t i);
/* Sets input i; those between the last one and i are left out. */
void uc_draft_set_in(uc_onnx_draft *d, size_t i, uc_ref value);
/* Takes input i out of the list; those behind move up. */
void uc_draft_drop_in(uc_onnx_draft *d, size_t i);
bool uc_draft_wants(const uc_onnx_draft *d, size_t i);
/* Output i of an added draft. */
uc_ref uc_draft_out(const uc_onnx_draft *d, size_t i);
/* Keeps the first `count` outputs. */
void uc_draft_keep_out(uc_onnx_draft *d, size_t count);

/* Type and rank of an input as far as known: NONE and -1 when not. The dimensions go into `shape`
 * (UNCORK_MAX_RANK entries, -1 or a symbol where unknown), which may be NULL. Runs inference up to
 * here, so it costs nothing to who doesn't ask. */
uncork_dtype uc_draft_dtype(uc_onnx_draft *d, size_t i);
int uc_draft_shape(uc_onnx_draft *d, size_t i, int64_t *shape);
/* The elements of an input that is known already; NULL when not. */
const uc_tensor *uc_draft_known(uc_onnx_draft *d, size_t i);

/* ---- attributes ---- */
const uc_attr *uc_draft_attr(const uc_onnx_draft *d, const char *name);
int64_t uc_draft_int(const uc_onnx_draft *d, const char *name, int64_t otherwise);
double uc_draft_float(const uc_onnx_draft *d, const char *name, double otherwise);
uc_str uc_draft_str(const uc_onnx_draft *d, const char *name, const char *otherwise);
const int64_t *uc_draft_ints(const uc_onnx_draft *d, const char *name, size_t *count);
/* Adds or replaces; arrays are copied. */
void uc_draft_put_int(uc_onnx_draft *d, const char *name, int64_t v);
void uc_draft_put_float(uc_onnx_draft *d, const char *name, double v);
void uc_draft_put_str(uc_onnx_draft *d, const char *name, const char *v);
void uc_draft_put_ints(uc_onnx_draft *d, const char *name, const int64_t *v, size_t count);
void uc_draft_drop(uc_onnx_draft *d, const char *name);
void uc_draft_rename(uc_onnx_draft *d, const char *name, const char *to);
/* The attribute, when there, becomes constant input i and goes: ints as int64 of rank 1, an int as
 * int64 of rank 0, a float or floats as `dtype` (FLOAT32 if that is no float). */
void uc_draft_to_input(uc_onnx_draft *d, const char *name, size_t i, uncork_dtype dtype);

/* ---- whole nodes ---- */
/* Same operator, version, inputs, attributes and wanted outputs; not done. */
uc_onnx_draft uc_draft_copy(const uc_onnx_draft *d);
/* A new draft with no attribute in the same graph: for a step that builds from several operators. */
uc_onnx_draft uc_draft_new(const uc_onnx_draft *like, const char *op, int64_t version,
                           const uc_ref *in, size_t in_count, size_t out_count);
/* Runs its steps and adds the node. */
void uc_draft_add(uc_onnx_draft *d);
/* Output i of a draft is this value; the draft is done. All wanted outputs must be given. */
void uc_draft_give(uc_onnx_draft *d, size_t i, uc_ref value);
void uc_draft_fail(uc_onnx_draft *d, uncork_status status, const char *format, ...) UC_PRINTF(3, 4);

/* The newest opset of a domain that is known; 0: the domain isn't. */
int64_t uc_onnx_newest(const char *domain);
/* Whether the operator exists, as itself or by an upgrade. */
bool uc_onnx_knows(const char *domain, const char *op);

#endif
