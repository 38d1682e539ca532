/* A contract as the Python that does the same with the libraries that its steps follow. */
#ifndef UC_CONTRACT_PYTHON_H
#define UC_CONTRACT_PYTHON_H

#include "contract/contract.h"

/* Writes a function preprocess(path) that gives the tensor, its imports before it. `want` (may be NULL):
 * what the model takes, for its dtype. False, with the step's name in *step, when a step has no short
 * form in Python; what was written is then of no use. */
bool uc_contract_python(const uc_contract *contract, const uc_contract_want *want, uc_writer *out,
                        const char **step);

#endif
