/* The structs behind the handles; only model/ sees them. */
#ifndef UC_MODEL_MODEL_INTERNAL_H
#define UC_MODEL_MODEL_INTERNAL_H

#include "model/cork.h"
#include "model/model.h"
#include "plan/plan.h"

/* `value` comes first: uncork_value_item hands out a uc_value as the value it begins. */
struct uncork_value {
    uc_value value;
    uc_arena *arena; /* its own; NULL: an output, owned by its session */
};

struct uncork_file {
    _Atomic int owners; /* the handle and every model made from it */
    uc_arena *arena;
    uc_budget budget;
    uc_import import;
    const char *json;
    struct uc_packs packs; /* of an artifact; find is NULL otherwise */
};

struct uncork_model {
    uc_arena *own; /* holds this struct */
    const uncork_file *file;
    uc_arena *arena;
    uc_budget budget;
    uc_graph *graph;
    const uc_graph *final_graph; /* after the passes */
    uc_program *program;
    uc_findings findings;
    uc_layer *layers; /* of uc_prepare_layers */
    size_t layer_count;
};

struct uncork_session {
    const uncork_model *model;
    uc_runner *runner;
    uc_arena *arena;
    uncork_value *outputs;
    const uc_value **inputs;
};

/* The file keeps living until as many releases as retains. */
void uc_file_retain(const uncork_file *file);
void uc_file_release(const uncork_file *file);
/* Whether two nodes came from the same place of the file. */
static inline bool uc_same_layer(const uc_node *a, const uc_node *b)
{
    return a->where && b->where && strcmp(a->where, b->where) == 0;
}
/* layers.c: adds the value of every layer that an output needs as an output of its own. */
uncork_status uc_layers_add(uncork_model *model, uncork_error *error);
/* The object uncork_file_json returns. */
const char *uc_describe(const uc_import *import, uc_arena *arena);

#endif
