/* Operators that keep the layout of what they are given. */
#ifndef UC_IMPORT_TFLITE_TFLITE_LAYOUT_H
#define UC_IMPORT_TFLITE_TFLITE_LAYOUT_H

#include "graph/graph_window.h"
#include "import/tflite/tflite_quant.h"

/* Sets the pads by SAME (0) or VALID (1) over x's sizes from `axis` on; false after a failure. */
bool uc_tfl_window_pads(uc_tfl_call *c, uc_window *w, int64_t padding, uc_ref x, int axis);

/* Input i, real, as it lies. */
static inline uc_ref uc_tfl_take(uc_tfl_call *c, size_t i, bool *first)
{
    *first = uc_tfl_is_first(c, i);
    return *first ? uc_tfl_first(c, i) : uc_tfl_in(c, i);
}

static inline void uc_tfl_give(uc_tfl_call *c, uc_ref y, bool first)
{
    if (first)
        uc_tfl_out_first(c, 0, y);
    else
        uc_tfl_out(c, 0, y);
}

/* Inputs 0 and 1, real, in one layout: true when it is [N, C, H, W]. */
bool uc_tfl_pair(uc_tfl_call *c, uc_ref *a, uc_ref *b);

#endif
