/* The zoo: architectures that a state dict's keys and shapes tell apart. A family is a file with a
 * function that recognises (and reads hyper-parameters from shapes) and one that emits. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_H

#include "base/json.h"
#include "import/pytorch/torch_build.h"

typedef struct uc_zoo_model uc_zoo_model;
struct uc_zoo_model {
    const char *name;   /* "resnet18": the library's own name of it */
    const char *source; /* "torchvision", "timm", "transformers", ... */
    const char *preset; /* preprocessing: "torchvision:resnet18"; NULL: none known */
    const char *task;   /* "classification", "segmentation", "detection", ...; NULL: not said */
    const void *family; /* the zoo's own: who emits, with which parameters */
    const void *parameters;
};

/* The architecture of these tensors.
 *
 * config  what stands beside them (config.json, hyper parameters), or NULL.
 * want    --arch: only this one is asked for; NULL: any.
 * arena   for what the model points at.
 * Returns false when there is none; *why then says in a line what is nearest and what differs, or is NULL. */
bool uc_zoo_find(const uc_t_state *state, const uc_json *config, const char *want, uc_arena *arena,
                 uc_zoo_model *model, const char **why);
/* Declares the graph's inputs, emits the network from b->state, and names its outputs. */
void uc_zoo_emit(const uc_zoo_model *model, uc_t_build *b);

#endif
