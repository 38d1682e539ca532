/* Preprocessing steps over an array in memory, by the product's own code. */
#ifndef UC_TESTS_STEPS_H
#define UC_TESTS_STEPS_H

#include "contract/contract_internal.h"

/* `spec` may be a preset's name: of that only what comes behind decoding and resizing. `pixels` becomes
 * the result, channels last. */
static inline uncork_status steps_over(uc_pixels *pixels, const char *spec, uc_arena *arena,
                                       uncork_error *error)
{
    uc_contract *contract;
    uc_state s = {.arena = arena, .error = error, .is_array = true, .pixels = *pixels};
    size_t from = 0;
    UC_TRY(uc_contract_read(spec, "steps", arena, &contract, error));
    while (uc_contract_is_preset(spec) && from < contract->count &&
           contract->steps[from].row->kind == UC_KIND_PICTURE) {
        from++;
    }
    UC_TRY(uc_steps_run(&s, contract->steps + from, contract->count - from, UNCORK_DTYPE_NONE));
    UC_TRY(uc_state_last(&s));
    *pixels = s.pixels;
    return UNCORK_OK;
}

#endif
