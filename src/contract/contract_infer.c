/* From facts to a contract, in the documented order (docs/preprocessing.md, "What predict assumes"). */
#include "contract/contract_internal.h"

const char *uc_contract_from(const uc_contract *contract) { return contract->from; }

uncork_status uc_contract_infer(const uc_facts *facts, const uc_graph *graph, size_t input,
                                const uc_contract_want *want, uc_arena *arena,
                                uc_findings *findings, uc_contract **contract, uncork_error *error)
{
    const bool said = uc_fact_find(facts, "preprocess") != NULL;
    return want->rank == 1 && !said
               ? uc_infer_rows(facts, want, arena, findings, contract, error)
               : uc_infer_network(facts, graph, input, want, arena, findings, contract, error);
}
