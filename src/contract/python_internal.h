/* What the files that write Python share. */
#ifndef UC_CONTRACT_PYTHON_INTERNAL_H
#define UC_CONTRACT_PYTHON_INTERNAL_H

#include "contract/contract_internal.h"
#include "contract/python.h"

enum {
    UC_PY_PIL = 1,
    UC_PY_OPS = 2, /* PIL.ImageOps */
    UC_PY_CV2 = 4,
    UC_PY_TF = 8,
    UC_PY_TORCH = 16,
    UC_PY_KERAS = 32,
    UC_PY_SKIMAGE = 64,
    UC_PY_PLT = 128,
    UC_PY_CUT = 256, /* the helper that cuts a window */
};

/* What the program holds at this line: a Pillow picture `img`, or an array `x` of rows. */
typedef struct uc_python {
    uc_writer *out;
    unsigned imports;
    bool started; /* the file is read */
    bool array;
    bool bgr;
    bool axis;  /* one channel is an axis of its own */
    bool first; /* channels first */
    bool flat;
    int channels; /* 1, 3, 4; 0: as the file has it */
    uncork_dtype dtype;
} uc_python;

/* One line of the function. */
void uc_py_line(uc_python *p, const char *format, ...) UC_PRINTF(2, 3);
void uc_py_to_array(uc_python *p);
/* False where only Pillow can hold it: floats of several channels. */
bool uc_py_to_pil(uc_python *p);
/* One channel as an axis, as TensorFlow and Keras have it. */
void uc_py_axis(uc_python *p);

/* python_read.c: decode, colours. python_size.c: resizes and crops. python.c: values and layouts. Each writes
 * a step and returns whether it could. */
bool uc_py_decode(uc_python *p, const uc_step *s);
bool uc_py_color(uc_python *p, const uc_step *s);
bool uc_py_size(uc_python *p, const uc_step *s);

#endif
