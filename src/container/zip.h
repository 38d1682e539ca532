/* Zip archives, read strictly: what two readers could understand differently is refused (duplicate
 * names, overlaps, a local header that contradicts the directory), as is encryption. Methods stored
 * and deflate, zip64. Source: PKWARE APPNOTE 6.3.10. */
#ifndef UC_CONTAINER_ZIP_H
#define UC_CONTAINER_ZIP_H

#include "base/arena.h"
#include "base/writer.h"

typedef struct uc_zip_entry {
    const char *name; /* safe: uc_file_name_flaw found none */
    uint64_t data_offset, packed_size, size;
    uint32_t crc;
    uint16_t method; /* 0 stored, 8 deflate */
} uc_zip_entry;

typedef struct uc_zip {
    uc_bytes bytes;
    uint64_t base;
    uc_arena *arena;
    uc_budget *budget;
    uc_zip_entry *entries; /* by name; folders are left out */
    size_t count;
} uc_zip;

/* Whether the bytes begin like a zip. */
bool uc_zip_probe(uc_bytes bytes);
/* Reads and checks the directory and every local header.
 *
 * bytes  must live as long as the arena; base: their offset in the file, for messages. */
uncork_status uc_zip_open(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_budget *budget,
                          uc_zip **zip, uncork_error *error);
/* The i-th entry's bytes, its CRC checked: a view when stored, else unpacked into the arena. */
uncork_status uc_zip_read(uc_zip *zip, size_t i, uc_bytes *bytes, uncork_error *error);

/* Writing: stored entries, dated 1980-01-01 so that the same content gives the same file. */
typedef struct uc_zip_writer {
    uc_writer *out;
    uc_writer directory;
    uint64_t count;
} uc_zip_writer;

void uc_zip_writer_init(uc_zip_writer *w, uc_writer *out);
void uc_zip_put(uc_zip_writer *w, const char *name, uc_bytes bytes);
/* The same, its bytes at a multiple of `alignment` (a power of two up to 4096) of `out`. */
void uc_zip_put_aligned(uc_zip_writer *w, const char *name, uc_bytes bytes, size_t alignment);
/* Writes the directory and releases what the writer held; failures are `out`'s. */
void uc_zip_finish(uc_zip_writer *w);

#endif
