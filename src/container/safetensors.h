/* safetensors: named tensors in one file, checked as the library checks them. Source: safetensors 0.8,
 * safetensors/src/tensor.rs. */
#ifndef UC_CONTAINER_SAFETENSORS_H
#define UC_CONTAINER_SAFETENSORS_H

#include "base/json.h"

typedef struct uc_safetensors_entry {
    const char *name;
    uc_tensor tensor; /* a view of the file; a copy where its place isn't aligned */
} uc_safetensors_entry;

typedef struct uc_safetensors {
    uc_safetensors_entry *entries; /* in the order of the data */
    size_t count;
    const uc_json *metadata; /* pairs of strings, or NULL */
} uc_safetensors;

/* Whether the bytes begin like one: a small length, then JSON. */
bool uc_safetensors_probe(uc_bytes bytes);
/* Refuses a header that is too long or not JSON, duplicate names, unknown types, holes, overlaps, sizes that
 * don't fit a tensor's shape, and bytes that no tensor owns.
 *
 * bytes  must live as long as the arena. */
uncork_status uc_safetensors_read(uc_bytes bytes, uc_arena *arena, uc_safetensors **file,
                                  uncork_error *error);

#endif
