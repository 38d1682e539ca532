/* HDF5 files as h5py, Keras, PyTables and h5repack write them: read-only, in memory, never through
 * libhdf5. Superblocks 0 to 3, old and new groups and object headers, every storage layout but
 * virtual and external, the filters deflate, shuffle, fletcher32 and lzf.
 * Source: The HDF Group, "HDF5 File Format Specification Version 3.0". */
#ifndef UC_CONTAINER_HDF5_H
#define UC_CONTAINER_HDF5_H

#include "base/tensor.h"

typedef struct uc_h5 uc_h5;
typedef struct uc_h5_object uc_h5_object; /* a group or a dataset */

/* Whether the bytes hold a superblock where one may be. */
bool uc_h5_probe(uc_bytes bytes);

/* Reads every group and object header; datasets and attributes are decoded when asked for.
 *
 * bytes  must live as long as the arena; base: their offset in the file, for messages. */
uncork_status uc_h5_open(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_budget *budget,
                         uc_h5 **h5, uncork_error *error);

const uc_h5_object *uc_h5_root(const uc_h5 *h5);
/* The members of a group, in the file's order: by name. */
size_t uc_h5_count(const uc_h5_object *group);
const uc_h5_object *uc_h5_at(const uc_h5_object *group, size_t i);
/* "a/b/c" below `group`, NULL when absent. */
const uc_h5_object *uc_h5_find(const uc_h5_object *group, uc_str path);
bool uc_h5_is_dataset(const uc_h5_object *object);

/* Type and shape without the elements. */
uncork_status uc_h5_shape(const uc_h5 *h5, const uc_h5_object *dataset, uncork_dtype *dtype,
                          int *rank, int64_t shape[UNCORK_MAX_RANK], uncork_error *error);
/* A dataset's elements: a view of the file where they lie there in one piece, else in the arena. */
uncork_status uc_h5_read(const uc_h5 *h5, const uc_h5_object *dataset, uc_arena *arena,
                         uc_tensor **value, uncork_error *error);
/* An attribute's value, *value NULL when there is none of the name. */
uncork_status uc_h5_attribute(const uc_h5 *h5, const uc_h5_object *object, const char *name,
                              uc_arena *arena, uc_tensor **value, uncork_error *error);

#endif
