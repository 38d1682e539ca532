/* Recurrent cells, one step at a time, and the loops over steps. */
#ifndef UC_IMPORT_KERAS_KERAS_RNN_H
#define UC_IMPORT_KERAS_KERAS_RNN_H

#include "import/keras/keras.h"

/* States of one cell, of stacked ones in order. */
#define UC_K_STATES 16

typedef enum uc_k_cell_kind {
    UC_K_SIMPLE,
    UC_K_LSTM,
    UC_K_GRU,
    UC_K_STACKED,
    UC_K_OTHER
} uc_k_cell_kind;

uc_k_cell_kind uc_k_cell_kind_of(const uc_k_layer *cell);
/* Widths of the cell's states; how many. */
size_t uc_k_cell_states(uc_k_call *c, const uc_k_layer *cell, int64_t *widths);
/* One step: x [N, in] and states to new states; the output. */
uc_ref uc_k_cell_step(uc_k_call *c, const uc_k_layer *cell, uc_ref x, uc_ref *states);
/* Kernel [in, gates], recurrent kernel and bias of a cell; bias may be NULL. */
typedef struct uc_k_gates {
    const uc_tensor *kernel, *recurrent, *bias;
} uc_k_gates;
bool uc_k_read_gates(uc_k_call *c, const uc_k_layer *cell, uc_k_gates *gates);

typedef struct uc_k_unrolled {
    uc_ref sequence; /* [N, T, width] in the order of processing */
    uc_ref last;     /* [N, width] */
    uc_ref states[UC_K_STATES];
    size_t state_count;
} uc_k_unrolled;

/* Runs a cell over x [N, T, in]. states: what they begin with, or none. */
bool uc_k_run_cell(uc_k_call *c, const uc_k_layer *cell, uc_ref x, uc_ref mask, bool backwards,
                   const uc_ref *states, size_t state_count, uc_k_unrolled *out);
/* Zeros [N, width] with x's batch. */
uc_ref uc_k_zeros(uc_k_call *c, uc_ref x, int64_t width);
#endif
