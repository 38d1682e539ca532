/* See python.h. The steps are written one after another; a small state says what the program holds then.
 * Numbers follow NumPy's rules of promotion, as the steps do (docs/preprocessing.md). */
#include "contract/python_internal.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void uc_py_line(uc_python *p, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uc_writer_printf(p->out, "    %s\n", text);
}

void uc_py_to_array(uc_python *p)
{
    if (p->array) return;
    uc_py_line(p, "x = np.asarray(img)");
    p->array = true;
    p->axis = false;
}

bool uc_py_to_pil(uc_python *p)
{
    if (!p->array) return true;
    if (p->dtype != UNCORK_UINT8 || p->channels == 0 || p->bgr || p->first) return false;
    p->imports |= UC_PY_PIL;
    uc_py_line(p, "img = Image.fromarray(x%s)", p->channels == 1 && p->axis ? "[..., 0]" : "");
    p->array = p->axis = false;
    return true;
}

void uc_py_axis(uc_python *p)
{
    if (p->channels == 1 && !p->axis) uc_py_line(p, "x = x[..., None]");
    p->axis = true;
}

/* ---- values ---- */

static const char *numpy_name(uncork_dtype dtype)
{
    return dtype == UNCORK_BOOL ? "bool_" : uc_dtype_name(dtype);
}

static bool is_float(uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT32 || dtype == UNCORK_FLOAT64 || dtype == UNCORK_FLOAT16;
}

/* "x = x - np.array([1, 2, 3], np.float32)"; one number alone needs no array. */
static bool put_values(uc_python *p, const uc_step *s, char sign)
{
    uc_writer text;
    uc_writer_init(&text, 400);
    uc_py_to_array(p);
    if (!is_float(p->dtype)) p->dtype = UNCORK_FLOAT64;
    const bool many = s->value_count > 1;
    if (many) uc_writer_text(&text, "np.array([");
    for (int i = 0; i < s->value_count; i++) {
        char number[32];
        uc_writer_text(&text, i ? ", " : "");
        uc_writer_put(&text, number, uc_f64_plain_text(s->value[i], number));
    }
    if (many)
        uc_writer_printf(&text, "], np.%s)%s", numpy_name(p->dtype),
                         p->first ? "[:, None, None]" : "");
    uc_py_line(p, "x = x %c %s%s%s", sign, !many && s->value[0] < 0 ? "(" : "",
               uc_writer_string(&text), !many && s->value[0] < 0 ? ")" : "");
    uc_writer_done(&text);
    return !(many && p->flat);
}

static bool put_value_step(uc_python *p, const uc_step *s)
{
    const char *name = s->row->name;
    if (strcmp(name, "scale") == 0)
        return put_values(p, s, s->variant == UC_VALUES_DIVIDE ? '/' : '*');
    if (strcmp(name, "add") == 0) return put_values(p, s, '+');
    if (strcmp(name, "mean") == 0) return put_values(p, s, '-');
    if (strcmp(name, "std") == 0) return put_values(p, s, '/');
    uc_py_to_array(p);
    if (strcmp(name, "invert") == 0) {
        uc_py_line(p, "x = 255 - x");
        return true;
    }
    if (strcmp(name, "standardize") == 0) {
        uc_py_axis(p);
        p->imports |= UC_PY_TF;
        uc_py_line(p, "x = tf.image.per_image_standardization(x).numpy()");
        p->dtype = UNCORK_FLOAT32;
        return !p->first && !p->flat;
    }
    if (s->row->kind != UC_KIND_VALUES) return false;
    p->dtype = (uncork_dtype)s->row->extra;
    uc_py_line(p, "x = x.astype(np.%s)", numpy_name(p->dtype));
    return true;
}

/* ---- layouts ---- */

static bool put_layout(uc_python *p, const uc_step *s)
{
    const char *name = s->row->name;
    uc_py_to_array(p);
    if (strcmp(name, "flatten") == 0) {
        uc_py_line(p, "x = x.reshape(-1)");
        p->flat = true;
    } else if (strcmp(name, "batch") == 0) {
        uc_py_line(p, "x = x[None]");
    } else if (strcmp(name, "nchw") == 0) {
        if (p->first) return true;
        uc_py_axis(p);
        uc_py_line(p, "x = x.transpose(2, 0, 1)");
        p->first = true;
    } else {
        if (p->first) return false;
        uc_py_axis(p);
    }
    return true;
}

/* ---- the whole ---- */

/* Without a step that says how, Pillow reads the file. */
static void start(uc_python *p)
{
    if (p->started) return;
    p->started = true;
    p->imports |= UC_PY_PIL;
    p->dtype = UNCORK_UINT8;
    uc_py_line(p, "img = Image.open(path)");
}

static bool put_step(uc_python *p, const uc_step *s)
{
    const uc_step_row *row = s->row;
    if (strcmp(row->name, "decode") == 0) return uc_py_decode(p, s);
    start(p);
    if (row->kind == UC_KIND_LAYOUT) return put_layout(p, s);
    if (strcmp(row->name, "exif") == 0 || strcmp(row->name, "rgb") == 0 ||
        strcmp(row->name, "rgba") == 0 || strcmp(row->name, "float") == 0 ||
        strcmp(row->name, "gray") == 0 || row->kind == UC_KIND_ORDER)
        return uc_py_color(p, s);
    if (row->kind == UC_KIND_VALUES || strcmp(row->name, "standardize") == 0)
        return put_value_step(p, s);
    return uc_py_size(p, s);
}

static void put_imports(unsigned imports, uc_writer *out)
{
    uc_writer_text(out, "import numpy as np\n");
    if (imports & UC_PY_PIL)
        uc_writer_printf(out, "from PIL import Image%s\n", imports & UC_PY_OPS ? ", ImageOps" : "");
    if (imports & UC_PY_CV2) uc_writer_text(out, "import cv2\n");
    if (imports & UC_PY_TF) uc_writer_text(out, "import tensorflow as tf\n");
    if (imports & UC_PY_KERAS) uc_writer_text(out, "import keras\n");
    if (imports & UC_PY_SKIMAGE) uc_writer_text(out, "import skimage\n");
    if (imports & UC_PY_TORCH)
        uc_writer_text(out, "import torch, torchvision\nfrom torchvision.transforms import v2\n");
    if (imports & UC_PY_CUT) {
        uc_writer_text(out,
                       "\ndef cut(x, left, top, width, height):  # zero outside of the picture\n"
                       "    h, w = x.shape[:2]\n"
                       "    x = np.pad(x, [(max(0, -top), max(0, top + height - h)), "
                       "(max(0, -left), max(0, left + width - w))] + [(0, 0)] * (x.ndim - 2))\n"
                       "    top, left = max(0, top), max(0, left)\n"
                       "    return x[top:top + height, left:left + width]\n");
    }
    uc_writer_text(out, "\ndef preprocess(path):\n");
}

bool uc_contract_python(const uc_contract *contract, const uc_contract_want *want, uc_writer *out,
                        const char **step)
{
    uc_writer lines;
    uc_writer_init(&lines, (size_t)1 << 20);
    uc_python p = {.out = &lines};
    bool all = true;
    for (size_t i = 0; all && i < contract->count; i++) {
        all = put_step(&p, &contract->steps[i]);
        if (!all) *step = contract->steps[i].row->name;
    }
    if (all) start(&p);
    uc_py_to_array(&p);
    if (want && want->dtype != UNCORK_DTYPE_NONE && want->dtype != p.dtype &&
        want->dtype <= UNCORK_BOOL)
        uc_py_line(&p, "x = x.astype(np.%s)", numpy_name(want->dtype));
    uc_py_line(&p, "return np.ascontiguousarray(x)");
    if (all) {
        put_imports(p.imports, out);
        uc_writer_put(out, lines.data, lines.size);
    }
    uc_writer_done(&lines);
    return all;
}
