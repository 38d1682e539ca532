/* A checkpoint's tensors by name: tensor bundles (an index and data files), and the single files of V1.
 *
 * Source: tensorflow/core/util/tensor_bundle/tensor_bundle.{h,cc}, core/protobuf/tensor_bundle.proto,
 * core/util/{saved_tensor_slice,tensor_slice}.proto of TensorFlow 2.21. */
#ifndef UC_IMPORT_TENSORFLOW_TF_CHECKPOINT_H
#define UC_IMPORT_TENSORFLOW_TF_CHECKPOINT_H

#include "base/table.h"
#include "base/tensor.h"
#include "container/bundle.h"
#include "container/protobuf.h"
#include "container/sstable.h"

typedef struct uc_tf_shard {
    const char *name;
    uc_bytes bytes; /* empty: it isn't there */
} uc_tf_shard;

typedef struct uc_tf_checkpoint {
    uc_sstable table;
    uc_tf_shard *shards;
    size_t shard_count;
    bool big_endian;
    bool is_v1;
    uc_table *v1; /* what tf_checkpoint_v1.c knows of a name */
} uc_tf_checkpoint;

/* Opens PREFIX.index with its data files, or the single file PREFIX of V1; `prefix` is relative to the
 * folder of `member` (as uc_bundle_named). IO: neither is there. */
uncork_status uc_tf_checkpoint_open(uc_bundle *bundle, const char *member, const char *prefix,
                                    uc_arena *arena, uc_tf_checkpoint *checkpoint,
                                    uncork_error *error);
bool uc_tf_checkpoint_has(const uc_tf_checkpoint *checkpoint, uc_str name);
/* The tensor, or the part of it that `slice` says ("10 3 0,5:-"; empty: all): a view of the data where
 * that is aligned. Its checksum is compared. Changes nothing: any number of threads. */
uncork_status uc_tf_checkpoint_tensor(const uc_tf_checkpoint *checkpoint, uc_str name, uc_str slice,
                                      uc_arena *arena, const uc_tensor **tensor,
                                      uncork_error *error);

/* ---- slices (tf_slice.c) --------------------------------------------------------------------- */

typedef struct uc_tf_slice {
    int rank;
    int64_t start[UNCORK_MAX_RANK], length[UNCORK_MAX_RANK]; /* length -1: all */
} uc_tf_slice;

/* TensorSliceProto {1 extent{1 start, 2 length}}. */
bool uc_tf_slice_read(uc_bytes bytes, uint64_t offset, uc_tf_slice *slice, uncork_error *error);
/* "shape... start,length:start,length": the shape and the slice; false: it is none. */
bool uc_tf_slice_parse(uc_str text, uc_tf_slice *slice, int64_t *shape);
/* The key that a slice's data stands under. */
bool uc_tf_slice_key(uc_str name, const uc_tf_slice *slice, uc_arena *arena, uc_str *key);
/* Copies a piece into its place of the whole; false: it doesn't fit. */
bool uc_tf_slice_put(uc_tensor *whole, const uc_tensor *piece, const uc_tf_slice *slice);
/* The part of the whole, as a view. */
bool uc_tf_slice_cut(const uc_tensor *whole, const uc_tf_slice *slice, uc_tensor *part);

/* ---- V1 (tf_checkpoint_v1.c) ----------------------------------------------------------------- */

uncork_status uc_tf_v1_open(uc_tf_checkpoint *checkpoint, uc_arena *arena, uncork_error *error);
uncork_status uc_tf_v1_tensor(const uc_tf_checkpoint *checkpoint, uc_str name, uc_arena *arena,
                              const uc_tensor **tensor, uncork_error *error);

#endif
