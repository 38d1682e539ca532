/* Functions of one quantised element. */
#ifndef UC_OP_EXT_Q_UNARY_H
#define UC_OP_EXT_Q_UNARY_H

#include "op/ext/q_number.h"

typedef enum uc_q_function {
    UC_Q_IDENTITY, /* the same number by another scale, within low and high: also the ReLUs */
    UC_Q_LEAKY_RELU,
    UC_Q_LOGISTIC,
    UC_Q_TANH,
    UC_Q_ELU,
    UC_Q_GELU,
    UC_Q_GELU_TANH,
    UC_Q_HARD_SWISH,
    UC_Q_EXP,
    UC_Q_LOG,
    UC_Q_RSQRT,
    UC_Q_ABS,
    UC_Q_FUNCTIONS
} uc_q_function;

extern const char *const uc_q_function_names[UC_Q_FUNCTIONS];

typedef struct uc_q_unary {
    uc_q_function function;
    uc_q_rule rule;
    uc_q_number x, y;
    bool wide; /* x is s16 */
    int32_t low, high;
    float alpha;
    uc_fixed fixed, fixed_alpha; /* x's scale by y's; times |alpha| */
    int16_t table[513];          /* of functions over s16 that are read from a table */
} uc_q_unary;

void uc_q_unary_begin(uc_q_unary *u);
int32_t uc_q_unary_at(const uc_q_unary *u, int32_t q);
/* As TensorFlow Lite reads a table of 513 points over s16. */
int16_t uc_q_table_at(const int16_t *table, int16_t q);
void uc_q_table_fill(int16_t *table, double x_scale, int32_t x_zero, double y_scale, int32_t y_zero,
                     double (*f)(double));
void uc_q_table_fill_short(int16_t *table, float x_scale, int32_t x_zero, float y_scale,
                           int32_t y_zero, float (*f)(float));

#endif
