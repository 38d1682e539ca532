/* uncork pack: a model becomes one artifact (docs/cork.md). */
#ifndef UC_PACK_CORK_WRITE_H
#define UC_PACK_CORK_WRITE_H

#include "model/model.h"
#include "pack/cork_contract.h"

typedef struct uc_cork_write {
    const char *path; /* of the source, for provenance */
    const char *entry;
    const uncork_prepare_options *prepare;
    const char *sign;          /* a private key in PEM, or NULL */
    uc_cork_contract contract; /* what stands around the model */
} uc_cork_write;

/* What was made, for the command's report. */
typedef struct uc_cork_report {
    uint64_t bytes, packed_bytes;
    size_t packed_forms;
    bool tested;        /* a self-test is in it */
    const char *reason; /* why not; static */
} uc_cork_report;

/* Appends the whole artifact to `out`. The packed model is opened again and must give the outputs of
 * the original, bit for bit. */
uncork_status uc_cork_write_file(const uncork_file *file, const uc_cork_write *how, uc_writer *out,
                                 uc_cork_report *report, uncork_error *error);

#endif
