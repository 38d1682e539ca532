/* Packed constants that a file brings along. An operator's prepare asks for the packed form of its
 * constants under a key that says all the form depends on; what is there is used where it lies, else the
 * operator packs and, while a file is being made, what it packed is kept. */
#ifndef UC_OP_PACKS_H
#define UC_OP_PACKS_H

#include "op/op.h"

/* Who holds packed forms; immutable while models are prepared. */
struct uc_packs {
    /* Constants that lie in here are known by where: what lies there never changes. Others are known
     * by what they hold. */
    uc_bytes weights;
    /* The form called `name`; false: there is none. Any length and alignment. NULL: has none. */
    bool (*find)(void *data, const char *name, uc_bytes *form);
    /* Keeps a form that will be at `form` once prepare is done. NULL: nobody wants to. */
    void (*keep)(void *data, const char *name, uc_bytes form);
    void *data;
};

#define UC_PACK_SOURCES 4
#define UC_PACK_PARAMS  24

/* All that decides the bytes of a packed form. */
typedef struct uc_pack_key {
    const char *kernel; /* "conv-blocked": letters, digits and '-' */
    int version;        /* raised when the form changes */
    const char *isa;    /* which body packs: forms differ between instruction sets */
    const uc_tensor *sources[UC_PACK_SOURCES]; /* NULL: not there */
    size_t source_count;
    int64_t params[UC_PACK_PARAMS];
    size_t param_count;
} uc_pack_key;

/* prepare: *form is the packed form where a file has it: `bytes` of it, aligned to 64. Else *room is
 * memory for the operator to pack into, of the model's, and *form the same. */
uncork_status uc_call_pack(uc_call *call, const uc_pack_key *key, size_t bytes, void **room,
                           const void **form);

#endif
