/* Facts importers found beside the graph: labels, ranges, versions, names. The contract, inspect
 * and doctor read them; importers only write. Lives with the file. */
#ifndef UC_GRAPH_FACTS_H
#define UC_GRAPH_FACTS_H

#include "base/finding.h"
#include "base/tensor.h"

typedef struct uc_fact {
    const char *key;
    const char *text;        /* or NULL */
    double number;           /* when text and tensor are NULL */
    const uc_tensor *tensor; /* or NULL */
} uc_fact;

/* Keys in use:
 *   format, producer, framework, framework_version, python, numpy, protocol, compression  (text)
 *   task            "classification", "regression", "transform", "clustering", "outliers"
 *   classes         tensor: what the columns of probabilities mean
 *   n_features      number;  feature_names  tensor of strings
 *   input_kind      "matrix", "table", "text"
 *   seen_min, seen_max  numbers: range of the features the model was trained on, as far as it shows
 *   seen_from       text: which attribute showed it ("MinMaxScaler.data_max_")
 *   scaler          text: a scaler applied before the model ("StandardScaler")
 *   metadata.KEY    text: a pair of an ONNX model's metadata ("metadata.names" of Ultralytics)
 *   image_size, channels, ... come with later formats */
typedef struct uc_facts {
    uc_arena *arena;
    uc_fact *items;
    size_t count, capacity;
} uc_facts;

/* Later facts of the same key replace earlier ones. */
void uc_fact_text(uc_facts *facts, const char *key, const char *format, ...) UC_PRINTF(3, 4);
void uc_fact_number(uc_facts *facts, const char *key, double number);
void uc_fact_tensor(uc_facts *facts, const char *key, const uc_tensor *tensor);
const uc_fact *uc_fact_find(const uc_facts *facts, const char *key);
const char *uc_fact_get_text(const uc_facts *facts, const char *key);
double uc_fact_get_number(const uc_facts *facts, const char *key, double otherwise);

#endif
