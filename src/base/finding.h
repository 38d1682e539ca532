/* Notes made on the way (assumed, ignored, chosen, odd): read by inspect and doctor; the command
 * prints them on success. They live with the file, in its arena. */
#ifndef UC_BASE_FINDING_H
#define UC_BASE_FINDING_H

#include "base/arena.h"

typedef enum uc_finding_kind {
    UC_NOTE_ASSUMED,
    UC_NOTE_CHOSEN,
    UC_NOTE_IGNORED,
    UC_NOTE_ODD
} uc_finding_kind;

typedef struct uc_finding {
    uc_finding_kind kind;
    const char *code; /* a stable word for --json: "scaler-applied", see docs/inspect.md */
    const char *text;
} uc_finding;

typedef struct uc_findings {
    uc_arena *arena;
    uc_finding *items;
    size_t count, capacity;
} uc_findings;

/* Adds a note; the same text is kept once; at most UC_LIMIT_FINDINGS. `findings` may be NULL. */
void uc_note(uc_findings *findings, uc_finding_kind kind, const char *code, const char *format, ...)
    UC_PRINTF(4, 5);

#endif
