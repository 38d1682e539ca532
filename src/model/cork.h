/* What an artifact holds beside its model: packed constants and facts. */
#ifndef UC_MODEL_CORK_H
#define UC_MODEL_CORK_H

#include "import/importer.h"
#include "op/packs.h"

/* Names of the entries of an artifact (docs/cork.md). */
#define UC_CORK_MODEL      "model.onnx"
#define UC_CORK_CONSTANTS  "weights/constants.bin"
#define UC_CORK_PACKED     "weights/packed/"
#define UC_CORK_CONTRACT   "contract.json"
#define UC_CORK_LABELS     "labels.txt"
#define UC_CORK_PROVENANCE "provenance.json"
#define UC_CORK_SELFTEST   "selftest/selftest.json"

/* Packed constants of an artifact; all NULL for other files. */
void uc_cork_packs(const uc_bundle *bundle, struct uc_packs *packs);
/* Adds the facts of contract.json to those that the model's importer found. */
uncork_status uc_cork_facts(uc_bundle *bundle, uc_arena *arena, uc_facts *facts,
                            uncork_error *error);

#endif
