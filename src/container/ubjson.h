/* UBJSON into the tree of base/json.h: what xgboost writes (.ubj) and the rest of the format but
 * containers of valueless elements. Numbers of a typed array keep their type. Source: ubjson.org,
 * draft 12; xgboost src/common/json.cc. */
#ifndef UC_CONTAINER_UBJSON_H
#define UC_CONTAINER_UBJSON_H

#include "base/json.h"

/* Whether the bytes begin like an UBJSON object; JSON objects don't. */
bool uc_ubjson_probe(uc_bytes bytes);
/* Reads one value that fills the bytes (no-ops after it). Strings are views. NULL on failure. */
uc_json *uc_ubjson_read(uc_bytes bytes, uint64_t base, uc_arena *arena, uncork_error *error);

#endif
