/* Older operators of ai.onnx.ml.
 *
 * Source: onnx/docs/Changelog-ml.md, LabelEncoder-1 and -2. */
#include "import/onnx/onnx_upgrade_steps.h"

/* LabelEncoder 2: one list that reads either way becomes keys and values, which way by the type of
 * the input. */
void uc_onnx_upgrade_label_encoder(uc_onnx_draft *d)
{
    const uc_attr *classes = uc_draft_attr(d, "classes_strings");
    if (!classes || classes->kind != UC_ATTR_STRINGS) {
        uc_draft_fail(d, UNCORK_MALFORMED, "attribute classes_strings is missing");
        return;
    }
    const size_t count = classes->count;
    const uncork_dtype dtype = uc_draft_dtype(d, 0);
    int64_t *index = UC_NEW(d->graph->arena, int64_t, count);
    if (!index) return; /* the arena remembers */
    for (size_t i = 0; i < count; i++) {
        index[i] = (int64_t)i;
    }
    const bool from_text = dtype == UNCORK_STRING;
    uc_draft_rename(d, "classes_strings", from_text ? "keys_strings" : "values_strings");
    uc_draft_put_ints(d, from_text ? "values_int64s" : "keys_int64s", index, count);
}
