/* The zoo: architectures that a state dict's keys and shapes tell apart. They are read against the
 * descriptions of zoo_table.def; the one that accounts for every key with the shape it expects is it. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_H

#include "base/json.h"
#include "import/pytorch/torch_build.h"

#define UC_ZOO_NAMES   1024 /* keys listed of a kind */
#define UC_ZOO_CLOSEST 5

/* How a state dict reads as one architecture. */
typedef struct uc_zoo_report {
    const char *family; /* "resnet" */
    const char *arch;   /* "resnet50"; the family's name where it has none of its own */
    const char *source; /* "torchvision", "timm", "transformers", ... */
    const char *preset; /* preprocessing: "torchvision:resnet50"; NULL: none known */
    const char *task;   /* "classification", "segmentation", "detection", ... */
    const char *prefix; /* in front of every key: "backbone." */
    int64_t image[2];   /* rows and columns it takes; 0: any */
    const char **missing, **unexpected, **misshaped; /* the first UC_ZOO_NAMES of each */
    size_t missing_count, unexpected_count, misshaped_count;
    const char *question; /* what has to be known besides keys and shapes; or NULL */
    int row;              /* of the table */
} uc_zoo_report;

typedef struct uc_zoo_model {
    const char *name;   /* "resnet18": the library's own name of it */
    const char *source; /* as above */
    const char *preset;
    const char *task;
    const char *want; /* the architecture that was asked for, or NULL */
    const uc_json *config;
    const char *file;
    const char
        *proposal; /* of an unknown one that looks like layers in order: the text for --arch */
    const char *assumed;                   /* what the proposal takes for granted */
    uc_zoo_report closest[UC_ZOO_CLOSEST]; /* the best first */
    size_t closest_count;
} uc_zoo_model;

/* The architecture of these tensors.
 *
 * config  what stands beside them (config.json, hyper parameters), or NULL.
 * file    the path, whose names are evidence of last resort; or NULL.
 * want    --arch: only this one is asked for; NULL: any.
 * arena   for what the model points at.
 * Returns false when there is none; *why then says in a line what is nearest and what differs, or is
 * NULL. */
bool uc_zoo_find(const uc_t_state *state, const uc_json *config, const char *file, const char *want,
                 uc_arena *arena, uc_zoo_model *model, const char **why);
/* Declares the graph's inputs, emits the network from b->state, and names its outputs. */
void uc_zoo_emit(const uc_zoo_model *model, uc_t_build *b);

#endif
