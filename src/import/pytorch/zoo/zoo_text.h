/* A network as text: --arch 'Sequential(Conv2d(1, 32, 3), ReLU(), Flatten(), Linear(5408, 10))'. Layers are
 * torch.nn's by name, with its arguments in its order; weights are taken in the state dict's order. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_TEXT_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_TEXT_H

#include "import/pytorch/zoo/zoo_build.h"

typedef struct uc_z_call uc_z_call;

typedef struct uc_z_arg {
    const char *key; /* NULL: by position */
    enum { UC_Z_NUMBERS, UC_Z_WORD, UC_Z_CALL } kind;
    double numbers[4]; /* True and False are 1 and 0 */
    int count;
    const char *word; /* a string, or None */
    uc_z_call *call;
} uc_z_arg;

struct uc_z_call {
    const char *name; /* without "nn." and "torch.nn." */
    uc_z_arg *args;
    size_t count, capacity;
};

bool uc_z_is_text(const char *want);
/* NULL: *why says what is wrong with the text. */
uc_z_call *uc_z_parse(const char *text, uc_arena *arena, const char **why);
/* The description: reads the text of z->want. */
void uc_z_describe_text(uc_zoo *z);

/* The likeliest network of weights that look like layers in order, as such a text; NULL when they don't.
 * *assumed: what it takes for granted. */
const char *uc_z_propose(const uc_t_state *state, uc_arena *arena, const char **assumed);

/* The layers' names in the order of the file: "conv1" of "conv1.weight". How many. */
size_t uc_z_groups(const uc_t_state *state, uc_arena *arena, const char ***groups);

#endif
