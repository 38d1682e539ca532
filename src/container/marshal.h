/* Python's marshal: the code of a function as data, never as code. Sources: CPython Python/marshal.c of
 * 3.0 to 3.13. */
#ifndef UC_CONTAINER_MARSHAL_H
#define UC_CONTAINER_MARSHAL_H

#include "base/arena.h"

typedef enum uc_py_kind {
    UC_PY_NONE,
    UC_PY_BOOL, /* integer */
    UC_PY_INT,
    UC_PY_FLOAT,
    UC_PY_TEXT,
    UC_PY_BYTES,
    UC_PY_LIST, /* tuples, lists, sets */
    UC_PY_CODE,
    UC_PY_ELLIPSIS,
    UC_PY_OTHER, /* complex numbers, dicts, large integers */
} uc_py_kind;

typedef struct uc_py uc_py;

/* What a code object holds of use here. */
typedef struct uc_py_code {
    int64_t argument_count, flags;
    uc_str code;
    const uc_py *constants, *names, *locals,
        *free; /* lists; from 3.11 on `locals` has the free ones too */
    uc_str name;
} uc_py_code;

struct uc_py {
    uc_py_kind kind;
    int64_t integer;
    double number; /* of BOOL and INT too */
    uc_str text;
    uc_py **items;
    size_t count;
    uc_py_code *code;
};

/* How code objects are laid out: by Python 3.0, 3.8, 3.11. */
typedef enum uc_py_layout { UC_PY_LAYOUT_30, UC_PY_LAYOUT_38, UC_PY_LAYOUT_311 } uc_py_layout;

/* One object that fills the bytes; NULL (MALFORMED) where the layout is another. */
const uc_py *uc_marshal_read(uc_bytes bytes, uc_py_layout layout, uc_arena *arena,
                             uncork_error *error);

#endif
