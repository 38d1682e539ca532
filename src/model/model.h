/* The handles of uncork.h from inside: what the command needs beyond the public interface. */
#ifndef UC_MODEL_MODEL_H
#define UC_MODEL_MODEL_H

#include "import/importer.h"
#include "op/packs.h"
#include "uncork.h"

/* The opened file's facts, findings and entries; lives as long as the file. */
const uc_import *uc_file_import(const uncork_file *file);
/* Findings of preparing this entry. */
const uc_findings *uc_model_findings(const uncork_model *model);
const uncork_file *uc_model_file(const uncork_model *model);
/* As uncork_prepare; constants are packed with `packs`, which must outlive the model. */
uncork_status uc_prepare_with(const uncork_file *file, const char *entry,
                              const uncork_prepare_options *options, const struct uc_packs *packs,
                              uncork_model **model, uncork_error *error);
const uc_graph *uc_model_graph(const uncork_model *model);
/* The graph that runs: after the passes. */
const uc_graph *uc_model_final_graph(const uncork_model *model);
/* What a value is, of any kind. */
const uc_value *uc_value_inside(const uncork_value *value);
/* The tensor inside a value, and a value over a tensor that outlives it. */
const uc_tensor *uc_value_tensor(const uncork_value *value);
uncork_status uc_value_over(const uc_tensor *tensor, uncork_value **value);

/* ---- what happens inside, for compare and doctor ---- */

/* Neighbouring nodes that came from the same place of the file: a layer, an operator. */
typedef struct uc_layer {
    const char *name;  /* as messages say it: "layer conv1 (Conv2D)"; "" where the file has none */
    const char *op;    /* of its last node */
    int output;        /* of the model: the value it ends in, behind the outputs it has by itself */
    bool is_quantized; /* rounds to integers */
    const uc_tensor *scale, *bias; /* of a BatchNormalization with constant ones; else NULL */
} uc_layer;
/* As uncork_prepare, with every layer's value as one more output; passes leave those as they are. */
uncork_status uc_prepare_layers(const uncork_file *file, const char *entry,
                                const uncork_prepare_options *options, uncork_model **model,
                                uncork_error *error);
size_t uc_model_layer_count(const uncork_model *model);
const uc_layer *uc_model_layer(const uncork_model *model, size_t i);

/* ---- what a run costs, for bench ---- */

/* Steps of the runs that follow are timed one by one. */
void uc_session_profile(uncork_session *session, bool on);
typedef struct uc_step_cost {
    const uc_call *call; /* the operator, its inputs and outputs with their shapes */
    uint64_t runs, nanoseconds;
    uint64_t macs, bytes; /* of one run; bytes: inputs, constants and outputs */
} uc_step_cost;
size_t uc_session_step_count(const uncork_session *session);
uc_step_cost uc_session_step(const uncork_session *session, size_t i);
/* Bytes of the values of one run, planned. */
uint64_t uc_session_value_bytes(const uncork_session *session);
/* Multiply-adds a second of one core of this machine, measured now. */
double uc_machine_macs(void);

#endif
