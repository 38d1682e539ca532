/* Pickles one behind another, with raw storages between: what the forms before 1.6 are made of. */
#ifndef UC_IMPORT_PYTORCH_TORCH_STREAM_H
#define UC_IMPORT_PYTORCH_TORCH_STREAM_H

#include "import/pytorch/torch.h"

typedef struct uc_t_stream {
    uc_bytes bytes;
    size_t at;
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
} uc_t_stream;

/* The next pickle; info may be NULL. */
uncork_status uc_t_stream_pickle(uc_t_stream *s, uc_pickle **root, uc_pickle_info *info);
/* The next n bytes. */
uncork_status uc_t_stream_take(uc_t_stream *s, uint64_t n, const char *what, uc_bytes *bytes);
/* A storage: a count of elements of `size` bytes, then these; put into the table under `key`. */
uncork_status uc_t_stream_storage(uc_t_stream *s, uc_table *table, const uc_pickle *key,
                                  size_t size);
/* A key as text, in the arena: storages' keys are text or numbers. Empty when it is neither. */
uc_str uc_t_key(uc_arena *arena, const uc_pickle *key);

#endif
