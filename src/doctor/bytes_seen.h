/* What a file's bytes show before any format is read: signs of what happened to them on their way. Counts
 * only; nothing is parsed. */
#ifndef UC_DOCTOR_BYTES_SEEN_H
#define UC_DOCTOR_BYTES_SEEN_H

#include "base/arena.h"

typedef struct uc_bytes_seen {
    uint64_t size;
    uint64_t zero_tail;   /* zero bytes at the end */
    uint64_t lines, crlf; /* line feeds; those behind a carriage return */
    uint64_t returns;     /* carriage returns */
    uint64_t zeros, high; /* bytes of 0; above 127 */
    uint64_t replaced;    /* U+FFFD in UTF-8: what was no text when it was read as text */
    bool utf8;            /* all of it is UTF-8 */
    bool stripped;        /* the signature of HDF5 or PNG without its carriage return */
    bool base64, hex;     /* nothing but their characters */
    const char *codec;    /* "gzip" where it begins like that; or NULL */
    const char *content;  /* what it begins like: "HDF5", "zip"; or NULL */
    const char *inner,
        *ending; /* the same of what is decompressed or decoded; the usual ending: ".h5" */
} uc_bytes_seen;

void uc_bytes_look(uc_bytes bytes, uc_bytes_seen *seen);

#endif
