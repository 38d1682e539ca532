/* What the files of the passes `layout` and `half` share: which values have a twin in the layout that
 * the pass brings, blocked or channels-last bfloat16. */
#ifndef UC_PASS_LAYOUT_H
#define UC_PASS_LAYOUT_H

#include "pass/rewrite.h"

typedef struct uc_layout_pass {
    uc_graph *g;
    uc_rewrite rewrite;
    bool half; /* bfloat16, channels last; no block then */
    int64_t block;
    /* [value_count]: the twin [N, ceil(C/b), H, W, b] or [N, H, W, C] of a value [N, C, H, W]; 0 */
    uc_ref *blocked;
    size_t value_count;
    bool changed;
} uc_layout_pass;

/* Rewrites every region of the graph. */
uncork_status uc_layout_run(uc_graph *g, bool half, bool *changed);

/* The blocked twin of a value, made by a ToBlocked when there is none yet; 0 after a failure. */
uc_ref uc_layout_blocked(uc_layout_pass *p, uc_ref ref);
/* Whether it has one already. */
bool uc_layout_has(const uc_layout_pass *p, uc_ref ref);
/* The node's result is its blocked twin from now on. */
uncork_status uc_layout_done(uc_layout_pass *p, size_t node);

/* Channels of a float32 value [N, C, H, W]; 0 for anything else, and where C isn't known. */
int64_t uc_layout_channels(const uc_layout_pass *p, uc_ref ref);

/* Turns the node into its blocked form when it has one here; its result is then uc_layout_done. */
uncork_status uc_layout_convolution(uc_layout_pass *p, size_t node);
uncork_status uc_layout_pool(uc_layout_pass *p, size_t node);
uncork_status uc_layout_elementwise(uc_layout_pass *p, size_t node);
uncork_status uc_layout_concat(uc_layout_pass *p, size_t node);
/* The same for elementwise operators and concatenations of channels-last bfloat16. */
uncork_status uc_half_elementwise(uc_layout_pass *p, size_t node);
uncork_status uc_half_concat(uc_layout_pass *p, size_t node);

#endif
