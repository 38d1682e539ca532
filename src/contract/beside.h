/* Files that stand beside a model (preprocessor_config.json, config.json, metadata.json, labels) and
 * names that tell an architecture, read into facts:
 *   preprocess, preprocess_from        steps as SPEC, and which file has them (importers write these too
 *                                      where the model's own file says it)
 *   preprocess_other                   the second reading where the file allows two
 *   labels, labels_from                names of the classes
 *   architecture                       as the file calls it
 *   architecture_preset, architecture_other, architecture_from   presets of what a name tells */
#ifndef UC_CONTRACT_BESIDE_H
#define UC_CONTRACT_BESIDE_H

#include "container/bundle.h"
#include "graph/facts.h"

/* Reads what is there; a file that isn't understood is noted, never an error. `path` is the model's. */
void uc_beside_read(uc_bundle *bundle, const char *path, uc_arena *arena, uc_facts *facts,
                    uc_findings *findings);

#endif
