/* Chains of elementwise operations in float32 over a tile that stays in the first cache: what would be
 * a pass over memory for each operation is one for all.
 *
 * Registers are rows of n floats: those of the inputs first, then one for each step. The same bits as
 * the single loops of kernel/elementwise.h, whatever the instruction set. */
#ifndef UC_KERNEL_CHAIN_H
#define UC_KERNEL_CHAIN_H

#include "kernel/walk.h"

typedef enum uc_chain_code {
    UC_CHAIN_ADD,
    UC_CHAIN_SUB,
    UC_CHAIN_MUL,
    UC_CHAIN_DIV,
    UC_CHAIN_RELU,
    UC_CHAIN_CLIP, /* x, low, high; the bounds are single numbers */
    UC_CHAIN_NEG,
    UC_CHAIN_ABS,
    UC_CHAIN_SQRT,
    UC_CHAIN_LOOP, /* anything else, by the loop itself */
    UC_CHAIN_CODES
} uc_chain_code;

enum { UC_CHAIN_ARGS = 3 };

typedef struct uc_chain_step {
    uc_chain_code code;
    int args;                /* of the operation */
    int from[UC_CHAIN_ARGS]; /* registers */
    uc_loop_fn loop;         /* of UC_CHAIN_LOOP */
} uc_chain_step;

/* Step i writes row[inputs + i]. A register whose step is 0 holds one number for all n. Rows don't
 * overlap, except that the last may be an input. */
typedef void (*uc_chain_fn)(const uc_chain_step *steps, int count, int inputs, float *const *row,
                            const int *step, int64_t n);
uc_chain_fn uc_chain_best(void);

#endif
