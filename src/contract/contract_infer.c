/* From facts to a contract, in the documented order (docs/preprocessing.md, "What predict assumes"). */
#include "contract/contract_internal.h"

uncork_status uc_contract_infer(const uc_facts *facts, const uc_contract_want *want,
                                uc_arena *arena, uc_findings *findings, uc_contract **contract,
                                uncork_error *error)
{
    if (want->rank == 1) return uc_infer_rows(facts, want, arena, findings, contract, error);
    char shape[128];
    uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
            "the model takes %s of a picture and doesn't say how a picture becomes that",
            uc_shape_text(want->shape, want->rank, shape, sizeof shape));
    return uc_fix(error, "say it with --preprocess, as in 'rgb | resize=224x224,bilinear,pillow "
                         "| scale=1/255 | nchw'");
}
