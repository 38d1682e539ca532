/* What the two sides of a condition, or the turns of a loop, leave behind. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_CONTROL_H
#define UC_IMPORT_PYTORCH_SCRIPT_CONTROL_H

#include "import/pytorch/script_eval.h"

/* A place that was written: a name of a map, a list, a dict or a tensor, with what it holds. */
typedef struct uc_py_place {
    uc_py_saved_kind kind;
    void *place;
    const char *key;
    uc_pv value; /* of names: the value; of others a copy, as LIST, DICT or TENSOR */
} uc_py_place;

typedef struct uc_py_places {
    uc_py_place *items;
    size_t count, capacity;
} uc_py_places;

/* Starts recording writes; what was written since is undone, and given in its last state. */
bool uc_py_record(uc_py_eval *ev, uc_py_journal *journal);
void uc_py_undo(uc_py_eval *ev, uc_py_journal *journal, uc_py_places *written);
/* What a place holds now; writing into it, seen by the journal around. */
uc_pv uc_py_place_get(uc_py_eval *ev, const uc_py_place *place);
void uc_py_place_set(uc_py_eval *ev, const uc_py_place *place, uc_pv value);
size_t uc_py_place_find(const uc_py_places *places, const uc_py_place *place);
bool uc_py_place_add(uc_py_eval *ev, uc_py_places *places, uc_py_place place);
bool uc_py_is_number(uc_pv v);

#endif
