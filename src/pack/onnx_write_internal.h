/* What the files of the ONNX writer share. */
#ifndef UC_PACK_ONNX_WRITE_INTERNAL_H
#define UC_PACK_ONNX_WRITE_INTERNAL_H

#include "base/table.h"
#include "pack/onnx_write.h"
#include "pack/pb_write.h"

/* A protobuf message can't be longer. */
#define UC_ONNX_MOST_BYTES ((size_t)INT32_MAX)

typedef struct uc_onnx_writing {
    const uc_onnx_write *how;
    uc_arena *arena;
    uc_table *names; /* in use, of all graphs: a body sees the names around it */
    size_t made;     /* names made so far */
    int64_t opset, ml, ir;
    bool uncork, microsoft; /* domains in use */
    uncork_error *error;
} uc_onnx_writing;

/* TensorProto as field `field`. */
uncork_status uc_onnx_write_tensor(uc_onnx_writing *x, uint32_t field, const char *name,
                                   const uc_tensor *t, uc_writer *out);
/* ValueInfoProto of a value; `own`: the name it has outside, where that is an input's too (or NULL). */
uncork_status uc_onnx_write_value(uc_onnx_writing *x, uint32_t field, const char *name,
                                  const char *own, const uc_graph_value *v, uc_writer *out);
/* ValueInfoProto of a sequence of maps from int64 or texts to float32. */
void uc_onnx_write_maps(uint32_t field, const char *name, bool texts, uc_writer *out);
/* AttributeProto, all but bodies; `exact` keeps doubles (domain uncork). */
uncork_status uc_onnx_write_attr(uc_onnx_writing *x, const uc_attr *a, bool exact, uc_writer *out);
/* A name nobody has: `wanted` when it is free, else one made of `prefix` and a number. NULL: no memory. */
const char *uc_onnx_fresh(uc_onnx_writing *x, const char *wanted, const char *prefix);

static inline void uc_onnx_raise(int64_t *version, int64_t to)
{
    if (*version < to) *version = to;
}

#endif
