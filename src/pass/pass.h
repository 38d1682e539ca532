/* Graph to better graph: passes in the order of pass_table.def, over a copy. */
#ifndef UC_PASS_PASS_H
#define UC_PASS_PASS_H

#include "graph/graph.h"

typedef struct uc_pass {
    const char *name; /* for --disable-pass */
    bool exact;       /* the same bits; the others run only where float32 is computed */
    bool fast;        /* only where the caller allows arithmetic shorter than float32 */
    /* Changes the nodes of `g`; *changed when it did. What loses its use is removed afterwards. */
    uncork_status (*run)(uc_graph *g, bool *changed);
} uc_pass;

#define PASS(symbol) extern const uc_pass uc_pass_##symbol;
#include "pass/pass_table.def"
#undef PASS

/* Runs every pass that `disable` (comma-separated names, or NULL) doesn't name, those for `fast` only
 * then, over a copy of a finished graph; the copy lives in the same arena and shares its constants. An unknown name is
 * USAGE. */
uncork_status uc_pass_run_all(const uc_graph *from, const char *disable, bool fast,
                              uncork_error *error, uc_graph **to);

#endif
