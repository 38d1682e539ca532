/* Which family a state dict is of. */
#include "import/pytorch/zoo/zoo.h"

bool uc_zoo_find(const uc_t_state *state, const uc_json *config, const char *want, uc_arena *arena,
                 uc_zoo_model *model, const char **why)
{
    (void)state, (void)config, (void)want, (void)arena;
    *model = (uc_zoo_model){0};
    *why = NULL;
    return false;
}

void uc_zoo_emit(const uc_zoo_model *model, uc_t_build *b)
{
    uc_t_fail(b, "the architecture %s isn't known", model->name ? model->name : "");
}
