/* Small changes: names, defaults and spellings of attributes, an operator with a new name.
 *
 * Source: onnx/docs/Changelog.md; the version of each is in onnx_upgrade_table.def. */
#include "import/onnx/onnx_upgrade_steps.h"

#include <math.h>

/* Cast 1 names its type: "FLOAT". TensorProto.DataType's names, whose numbers are uncork_dtype's. */
void uc_onnx_upgrade_cast(uc_onnx_draft *d)
{
    static const char *const names[] = {
        "UNDEFINED", "FLOAT", "UINT8",   "INT8",   "UINT16", "INT16",  "INT32",     "INT64",
        "STRING",    "BOOL",  "FLOAT16", "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128"};
    const uc_attr *to = uc_draft_attr(d, "to");
    if (!to || to->kind != UC_ATTR_STRING) return;
    for (size_t i = 1; i < sizeof names / sizeof *names; i++) {
        if (uc_str_is(to->s, names[i])) {
            uc_draft_put_int(d, "to", (int64_t)i);
            return;
        }
    }
    uc_draft_fail(d, UNCORK_MALFORMED, "there is no type '%.*s' to cast to",
                  (int)(to->s.size < 40 ? to->s.size : 40), to->s.data);
}

/* Concat 4 has no default any more; it was 1. */
void uc_onnx_upgrade_concat(uc_onnx_draft *d)
{
    uc_draft_put_int(d, "axis", uc_draft_int(d, "axis", 1));
}

/* Selu 6: more digits. */
void uc_onnx_upgrade_selu(uc_onnx_draft *d)
{
    uc_draft_put_float(d, "alpha", uc_draft_float(d, "alpha", (double)1.6732F));
    uc_draft_put_float(d, "gamma", uc_draft_float(d, "gamma", (double)1.0507F));
}

/* Scatter 11 is ScatterElements. */
void uc_onnx_upgrade_scatter(uc_onnx_draft *d)
{
    d->op = "ScatterElements";
    d->version = 11;
}

/* LpPool and GlobalLpPool 2: p is an integer. */
void uc_onnx_upgrade_lp_pool(uc_onnx_draft *d)
{
    const uc_attr *p = uc_draft_attr(d, "p");
    if (!p || p->kind != UC_ATTR_FLOAT) return;
    if (!(p->f >= 1 && p->f < 1e9) || floor(p->f) != p->f) {
        uc_draft_fail(d, UNCORK_UNSUPPORTED, "a norm of p = %g isn't done", p->f);
        return;
    }
    uc_draft_put_int(d, "p", (int64_t)p->f);
}

/* GRU 3, LSTM and RNN 7: output_sequence is gone (outputs that nobody names aren't made), and the
 * default direction of GRU 1 was misspelled. */
void uc_onnx_upgrade_recurrent(uc_onnx_draft *d)
{
    uc_draft_drop(d, "output_sequence");
    if (uc_str_is(uc_draft_str(d, "direction", "forward"), "foward")) {
        uc_draft_put_str(d, "direction", "forward");
    }
}
