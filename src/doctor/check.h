/* Why a model doesn't load: the table of causes, and which of them the facts of an open point to. A check
 * reads what the open said and found, and counts of the file's bytes; it parses nothing. */
#ifndef UC_DOCTOR_CHECK_H
#define UC_DOCTOR_CHECK_H

#include "doctor/bytes_seen.h"
#include "model/model.h"

/* What is known of the attempt. */
typedef struct uc_attempt {
    const char *path;
    const uncork_error *error; /* NULL: it opened and can run */
    const uncork_file *file;   /* NULL: it didn't open */
    const uc_bytes_seen *seen; /* NULL: a folder, or nothing there */
    uc_arena *arena;
} uc_attempt;

typedef struct uc_diagnosis {
    const char *id;       /* of its row: "lfs-pointer" */
    const char *cause;    /* a sentence */
    const char *evidence; /* what shows it */
    const char *remedy;
    const char *command; /* a shell's line that mends it, where one does; else NULL */
    const char *says;    /* what the framework prints, a line each; "" none */
} uc_diagnosis;

/* A row of check_table.def. */
typedef struct uc_check {
    const char *id;
    /* What the open says, texts between '|', '*' stands for anything; NULL: only `test` tells. */
    const char *when;
    /* Looks at the rest; may fill evidence, remedy, command and cause. NULL: `when` is enough. */
    bool (*test)(const uc_attempt *a, struct uc_diagnosis *d);
    const char *cause, *remedy; /* a remedy of "" is the one that the open gives */
    const char *says;           /* messages of the frameworks, a line each */
} uc_check;

const uc_check *uc_check_at(size_t i); /* in order of likelihood; NULL beyond the last */
/* Fills at most `most` diagnoses, the likeliest first: how many. */
size_t uc_check_all(const uc_attempt *attempt, uc_diagnosis *found, size_t most);

/* Whether the text fits one of the patterns between '|'; '*' stands for anything. */
bool uc_check_fits(const char *patterns, const char *text);

/* "pip install scikit-learn==0.20.4 'numpy<1.17' (Python 3.4 to 3.7)": what opens it in Python, as far as
 * the file says who wrote it; NULL: it doesn't. */
const char *uc_release_install(const uncork_file *file, uc_arena *arena);

/* ---- the tests of rows: check_bytes.c, check_names.c, check_release.c, check_open.c ---- */

typedef bool uc_check_test(const uc_attempt *a, uc_diagnosis *d);
uc_check_test uc_check_absent, uc_check_line_ends, uc_check_text_mode, uc_check_seven_bits,
    uc_check_encoded, uc_check_zero_tail, uc_check_compressed, uc_check_other_compressed,
    uc_check_name, uc_check_release, uc_check_keys, uc_check_network, uc_check_external,
    uc_check_shard, uc_check_joblib, uc_check_signature;

#endif
