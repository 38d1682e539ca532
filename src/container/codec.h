/* Decompression, one call for every codec, told by content, with a ceiling against bombs: at most
 * UC_LIMIT_INFLATE_FLOOR bytes, above it UC_LIMIT_INFLATE_RATIO times the input. */
#ifndef UC_CONTAINER_CODEC_H
#define UC_CONTAINER_CODEC_H

#include "base/arena.h"

typedef enum uc_codec {
    UC_CODEC_NONE, /* not compressed, as far as the first bytes tell */
    UC_CODEC_ZLIB,
    UC_CODEC_GZIP, /* any number of members */
    UC_CODEC_BZ2,
    UC_CODEC_XZ,
    UC_CODEC_LZMA,    /* "lzma alone", the old header */
    UC_CODEC_LZ4,     /* frames */
    UC_CODEC_ZF,      /* joblib before 0.10: "ZF", a length as text, a zlib stream */
    UC_CODEC_DEFLATE, /* raw, in zip; never told by content */
} uc_codec;

/* What the bytes begin like. */
uc_codec uc_codec_of(uc_bytes bytes);
/* "zlib", "gzip", "bz2", "xz", "lzma", "lz4", "zlib" for ZF too; NULL for NONE. */
const char *uc_codec_name(uc_codec codec);

/* Decompresses all of `packed`.
 *
 * base    offset of `packed` in the file, for messages.
 * budget  charged while the bytes live (as long as the arena); may be NULL.
 * used    receives the bytes of `packed` that were consumed; NULL: bytes after the end are refused.
 *         Zero bytes after the last gzip member are padding, as in Python.
 * Returns OK, MALFORMED, LIMIT (a bomb, or the budget), NO_MEMORY, CANCELLED or DEADLINE. */
uncork_status uc_codec_unpack(uc_codec codec, uc_bytes packed, uint64_t base, uc_arena *arena,
                              uc_budget *budget, uc_bytes *unpacked, size_t *used,
                              uncork_error *error);

/* The same into `size` bytes at `out`, which must come out exactly (zip entries). */
uncork_status uc_codec_unpack_to(uc_codec codec, uc_bytes packed, uint64_t base, uc_budget *budget,
                                 uint8_t *out, size_t size, uncork_error *error);

/* Up to `size` first bytes into `out`: how many there are, 0 also for broken data. For sniffing. */
size_t uc_codec_peek(uc_codec codec, uc_bytes packed, uint8_t *out, size_t size);

#endif
