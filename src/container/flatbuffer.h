/* FlatBuffers: a table is verified once when it is taken (its vtable, its own bytes), a vector or string
 * when it is taken; what they then give are views. Failures stick, as in base/reader.h: read a record, ask
 * uc_fb_ok() once; after a failure everything reads as absent.
 *
 * Source: FlatBuffers documentation, "Internals". */
#ifndef UC_CONTAINER_FLATBUFFER_H
#define UC_CONTAINER_FLATBUFFER_H

#include "base/bytes.h"
#include "base/error.h"

/* Tables inside tables: TensorFlow Lite needs 5. */
#define UC_FB_DEPTH 32

typedef struct uc_fb {
    uc_bytes bytes;
    uint64_t base; /* offset of the bytes in the file, for messages */
    size_t tables; /* that may still be taken: no two lie in the same bytes */
    uint64_t end;  /* of what was taken so far */
    bool failed;
    uncork_error *error;
} uc_fb;

/* fb NULL: absent. */
typedef struct uc_fb_table {
    uc_fb *fb;
    size_t at, vtable;
    uint16_t vtable_size, size;
    uint16_t depth;
} uc_fb_table;

typedef struct uc_fb_vector {
    uc_fb *fb;
    const uint8_t *data;
    size_t at;
    size_t count;
    uint16_t item; /* bytes of an element */
    uint16_t depth;
} uc_fb_vector;

/* Whether the bytes have the file identifier (4 characters). */
bool uc_fb_probe(uc_bytes bytes, const char *identifier);
/* Starts reading; `root` is the root table. `fb` must outlive what is taken. False after a failure. */
bool uc_fb_open(uc_fb *fb, uc_bytes bytes, uint64_t base, uncork_error *error, uc_fb_table *root);
static inline bool uc_fb_ok(const uc_fb *fb) { return !fb->failed; }

/* Members by their number in the schema; `otherwise` where the member is absent. */
bool uc_fb_has(uc_fb_table table, unsigned member);
int64_t uc_fb_int(uc_fb_table table, unsigned member, unsigned bytes, int64_t otherwise);
uint64_t uc_fb_uint(uc_fb_table table, unsigned member, unsigned bytes, uint64_t otherwise);
float uc_fb_float(uc_fb_table table, unsigned member, float otherwise);
bool uc_fb_bool(uc_fb_table table, unsigned member, bool otherwise);
uc_str uc_fb_str(uc_fb_table table, unsigned member);
uc_fb_table uc_fb_child(uc_fb_table table, unsigned member);
/* `item`: bytes of an element; 4 for tables and strings. */
uc_fb_vector uc_fb_vec(uc_fb_table table, unsigned member, unsigned item);
/* Elements, i < count. */
int64_t uc_fb_vec_int(uc_fb_vector v, size_t i);
float uc_fb_vec_float(uc_fb_vector v, size_t i);
uc_fb_table uc_fb_vec_table(uc_fb_vector v, size_t i);

#endif
