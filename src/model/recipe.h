/* The preprocessing that a file asks for. */
#ifndef UC_MODEL_RECIPE_H
#define UC_MODEL_RECIPE_H

#include "contract/contract.h"
#include "model/model.h"

typedef struct uc_recipe {
    uc_contract *contract;
    uc_contract_want want; /* what the model takes of one picture */
    uc_findings notes;     /* where it comes from, and what else it could be */
} uc_recipe;

/* The input that takes pictures, the only one that must be given, and what it takes of one; false when
 * there is none. */
bool uc_recipe_input(const uc_graph *graph, const uc_facts *facts, size_t *input,
                     uc_contract_want *want);
/* Infers it as predict does. USAGE: the model takes no pictures; other failures are the importer's. */
uncork_status uc_recipe_of(const uncork_file *file, uc_arena *arena, uc_recipe *recipe,
                           uncork_error *error);

#endif
