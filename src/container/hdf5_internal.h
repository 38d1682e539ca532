/* What the files of the HDF5 reader share. */
#ifndef UC_CONTAINER_HDF5_INTERNAL_H
#define UC_CONTAINER_HDF5_INTERNAL_H

#include "base/reader.h"
#include "base/table.h"
#include "container/hdf5.h"

/* Object header messages. */
enum {
    H5_NIL = 0,
    H5_SPACE = 1,
    H5_LINK_INFO = 2,
    H5_TYPE = 3,
    H5_FILL_OLD = 4,
    H5_FILL = 5,
    H5_LINK = 6,
    H5_EXTERNAL = 7,
    H5_LAYOUT = 8,
    H5_FILTERS = 11,
    H5_ATTRIBUTE = 12,
    H5_CONTINUATION = 16,
    H5_SYMBOLS = 17,
    H5_ATTRIBUTE_INFO = 21,
};

typedef struct uc_h5_message {
    uint8_t type, flags;
    uc_bytes data;
    uint64_t offset; /* of the data in the file */
} uc_h5_message;

typedef struct uc_h5_child {
    const char *name;
    const uc_h5_object *object;
} uc_h5_child;

struct uc_h5_object {
    uint64_t address;
    uc_h5_message *messages;
    size_t message_count, message_capacity;
    uc_h5_child *children;
    size_t child_count, child_capacity;
    bool open; /* its members are being read: who finds it again has found a cycle */
};

struct uc_h5 {
    uc_bytes bytes; /* from the base address on */
    uint64_t base;  /* offset of `bytes` in the file */
    uc_arena *arena;
    uc_budget *budget;
    uint8_t offset_size, length_size;
    uc_h5_object *root;
    uc_table *objects; /* by address */
};

/* One reading: where its memory and its failure go. */
typedef struct uc_h5_call {
    const uc_h5 *h5;
    uc_arena *arena;
    uncork_error *error;
    uc_arena *scratch;     /* of this reading only; NULL: not needed yet */
    uint64_t heap_address; /* the global heap read last ... */
    uc_bytes *heap;        /* ... and its objects by index, UINT16_MAX + 1 of them */
} uc_h5_call;

typedef struct uc_h5_type {
    uncork_dtype dtype; /* NONE: opaque bytes */
    size_t size;        /* of an element in the file */
    bool swapped;       /* big-endian */
    bool variable;      /* strings of the global heap */
    uint8_t padding;    /* of fixed strings: 0 ends at zero, 1 zeros, 2 spaces */
} uc_h5_type;

typedef struct uc_h5_space {
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    bool null;
} uc_h5_space;

#define UC_H5_FILTERS 8
typedef struct uc_h5_filters {
    size_t count;
    uint16_t id[UC_H5_FILTERS];
    uint32_t parameter[UC_H5_FILTERS]; /* the first client value */
} uc_h5_filters;

#define UC_H5_UNDEFINED UINT64_MAX

/* hdf5.c */
/* A cursor from an address to the end of the file; fails at once where it lies outside. */
uc_reader uc_h5_at_address(const uc_h5 *h5, uint64_t address, const char *what,
                           uncork_error *error);
/* The same over exactly `size` bytes. */
uc_reader uc_h5_block(const uc_h5 *h5, uint64_t address, uint64_t size, const char *what,
                      uncork_error *error);
/* An address or a length, little-endian, of the file's size; all ones become UC_H5_UNDEFINED. */
uint64_t uc_h5_offset(const uc_h5 *h5, uc_reader *r, const char *what);
uint64_t uc_h5_length(const uc_h5 *h5, uc_reader *r, const char *what);
/* A number of 0 to 8 bytes. */
uint64_t uc_h5_number(uc_reader *r, unsigned size, const char *what);
/* Fails unless the next four bytes are `signature`. */
bool uc_h5_signature(uc_reader *r, const char *signature, const char *what);
/* Charges the walk through the file's structures. */
uncork_status uc_h5_step(const uc_h5 *h5, uint64_t steps, uncork_error *error);

/* hdf5_header.c */
uncork_status uc_h5_read_header(uc_h5 *h5, uc_h5_object *object, uncork_error *error);
const uc_h5_message *uc_h5_message_of(const uc_h5_object *object, int type);
uc_reader uc_h5_message_reader(const uc_h5_message *m, uncork_error *error);

/* hdf5_group.c: the links of a group, each given to `found`. */
typedef uncork_status uc_h5_found_fn(void *context, uc_str name, uint64_t address);
uncork_status uc_h5_links(const uc_h5 *h5, const uc_h5_object *group, uc_h5_found_fn *found,
                          void *context, uncork_error *error);

/* hdf5_tree2.c: every record of a version 2 B-tree of the given type, in order. */
typedef uncork_status uc_h5_record_fn(void *context, uc_bytes record, uint64_t offset);
uncork_status uc_h5_tree2(const uc_h5 *h5, uint64_t address, int type, uc_h5_record_fn *each,
                          void *context, uncork_error *error);

/* hdf5_heap.c */
typedef struct uc_h5_fractal {
    unsigned id_size, offset_bytes, length_bytes, width, row_count, max_bits;
    uint64_t start_size, max_direct, root, huge_tree;
    bool filtered;
} uc_h5_fractal;

uncork_status uc_h5_fractal_open(const uc_h5 *h5, uint64_t address, uc_h5_fractal *heap,
                                 uncork_error *error);
/* The object of a heap ID, in the file. */
uncork_status uc_h5_fractal_find(const uc_h5 *h5, const uc_h5_fractal *heap, uc_bytes id,
                                 uc_reader *object, uncork_error *error);
/* What a reference of the global heap (length, address, index) points at. */
uncork_status uc_h5_global(uc_h5_call *call, uint64_t address, uint32_t index, uc_bytes *found);

/* hdf5_type.c */
bool uc_h5_read_type(uc_reader *r, uc_h5_type *type);
bool uc_h5_read_space(const uc_h5 *h5, uc_reader *r, uc_h5_space *space);
/* Elements as the file holds them into a tensor. in_file: where they lie may be pointed at. */
uncork_status uc_h5_elements(uc_h5_call *call, const uc_h5_type *type, const uc_h5_space *space,
                             uc_bytes bytes, uint64_t offset, bool in_file, uc_tensor **value);

/* Memory that goes when the reading ends; NULL (error set) when it is out. */
void *uc_h5_scratch(uc_h5_call *call, size_t count, size_t size);
void uc_h5_call_end(uc_h5_call *call);

/* hdf5_filter.c */
bool uc_h5_read_filters(uc_reader *r, uc_h5_filters *filters);
/* Undoes the filters whose bit in `mask` is clear: a chunk of `size` bytes. */
uncork_status uc_h5_unfilter(uc_h5_call *call, const uc_h5_filters *filters, uint32_t mask,
                             uc_bytes stored, uint64_t offset, size_t size, size_t element,
                             uc_bytes *chunk);

/* hdf5_chunk.c */
typedef struct uc_h5_chunks {
    uc_h5_call *call;
    const uc_h5_filters *filters;
    int rank; /* of the dataset */
    const int64_t *shape;
    uint64_t chunk[UNCORK_MAX_RANK];
    size_t element, chunk_bytes;
    uint64_t grid[UNCORK_MAX_RANK], grid_count; /* chunks an axis, and in all */
    uint64_t seen;
    uint8_t *out; /* the whole dataset */
} uc_h5_chunks;

/* One stored chunk, its place counted in chunks, into the dataset. */
uncork_status uc_h5_put_chunk(uc_h5_chunks *c, const uint64_t *place, uint64_t address,
                              uint64_t stored, uint32_t mask);
uncork_status uc_h5_put_chunk_at(uc_h5_chunks *c, uint64_t index, uint64_t address, uint64_t stored,
                                 uint32_t mask);
/* Reads the index of a layout message of version 3 (after its class) or 4. */
uncork_status uc_h5_chunks_v3(uc_h5_chunks *c, uint64_t tree);
uncork_status uc_h5_chunks_v4(uc_h5_chunks *c, uc_reader *layout, uint8_t flags);
/* hdf5_index.c */
uncork_status uc_h5_fixed_array(uc_h5_chunks *c, uint64_t address);
uncork_status uc_h5_extensible_array(uc_h5_chunks *c, uint64_t address);

#endif
