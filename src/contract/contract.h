/* What goes in front of the model: the steps from a picture's bytes to the tensor it takes, stated
 * and printable. Made from --preprocess text or inferred from facts in the documented order. */
#ifndef UC_CONTRACT_CONTRACT_H
#define UC_CONTRACT_CONTRACT_H

#include "base/json.h"
#include "base/writer.h"
#include "graph/facts.h"
#include "graph/graph.h"

typedef struct uc_contract uc_contract; /* immutable */

/* The tensor the model takes for one picture: its dtype and shape without the batch axis. For
 * scikit-learn: FLOAT64, {n_features}. A dimension of -1 is free. */
typedef struct uc_contract_want {
    uncork_dtype dtype;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
} uc_contract_want;

/* Parses "resize=8x8,bilinear,pillow | gray | scale=1/255 | flatten", or a preset's name. USAGE points
 * at the wrong word and names the nearest. */
uncork_status uc_contract_parse(const char *spec, uc_arena *arena, uc_contract **contract,
                                uncork_error *error);
/* The same with what messages begin with ("preprocessor_config.json"). */
uncork_status uc_contract_read(const char *text, const char *source, uc_arena *arena,
                               uc_contract **contract, uncork_error *error);
/* Infers one from the facts ("n_features", "seen_min", "seen_max", ...), the graph's first layers and
 * what the model takes; notes what it assumed (size, mode, scale, order), and the second candidate where
 * two differ. USAGE when no picture fits (10 features are no picture): the message says why.
 *
 * graph  may be NULL.
 * input  index of the picture's input in it. */
uncork_status uc_contract_infer(const uc_facts *facts, const uc_graph *graph, size_t input,
                                const uc_contract_want *want, uc_arena *arena,
                                uc_findings *findings, uc_contract **contract, uncork_error *error);
/* Checks that what the contract gives fits what the model takes; USAGE naming both sides. */
uncork_status uc_contract_check(const uc_contract *contract, const uc_contract_want *want,
                                uncork_error *error);
/* The steps in canonical form, readable back by uc_contract_parse. */
void uc_contract_text(const uc_contract *contract, uc_writer *out);
/* The same as an object {"spec": TEXT, "steps": [{"step": NAME, "with": [WORDS]}]}, and back from it (or
 * from a string, the text alone). */
void uc_contract_json(const uc_contract *contract, uc_json_writer *json);
uncork_status uc_contract_of_json(const uc_json *json, const char *source, uc_arena *arena,
                                  uc_contract **contract, uncork_error *error);
/* What an inferred one was taken from, "preprocessor_config.json"; NULL where nothing says it. */
const char *uc_contract_from(const uc_contract *contract);
/* Whether the text is a preset's name. */
bool uc_contract_is_preset(const char *spec);
/* The i-th preset: its name and steps; false behind the last. */
bool uc_contract_preset_at(size_t i, const char **name, const char **steps);
/* Whether it turns a picture upright by its EXIF orientation: what is drawn lies on the turned one. */
bool uc_contract_turns(const uc_contract *contract);
/* Whether blue comes first in what it gives. */
bool uc_contract_is_bgr(const uc_contract *contract);
/* One picture: file bytes to a dense tensor of the wanted dtype in `arena`. Thread-safe. `want`
 * checks the size. Errors say what is wrong with the picture (UNSUPPORTED, MALFORMED, INPUT). */
uncork_status uc_contract_apply(const uc_contract *contract, uc_bytes image,
                                const uc_contract_want *want, uc_arena *arena, uc_tensor **tensor,
                                uncork_error *error);
/* The same with where the picture lies in the tensor; `want` of dtype NONE and rank -1 takes whatever
 * comes out. */
struct uc_geometry;
uncork_status uc_contract_apply_placed(const uc_contract *contract, uc_bytes image,
                                       const uc_contract_want *want, uc_arena *arena,
                                       uc_tensor **tensor, struct uc_geometry *place,
                                       uncork_error *error);

#endif
