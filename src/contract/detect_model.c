/* Questions that recognising asks of a model's outputs. */
#include "contract/detect_internal.h"

#include <stdarg.h>
#include <stdio.h>

int uc_model_rank(const uc_detect_model *m, int i)
{
    return i >= 0 && i < m->count ? m->outputs[i]->rank : -1;
}

int64_t uc_model_dim(const uc_detect_model *m, int i, int axis)
{
    const int rank = uc_model_rank(m, i);
    if (axis < 0) axis += rank;
    if (rank < 0 || axis < 0 || axis >= rank) return -1;
    const int64_t n = m->outputs[i]->shape[axis];
    return n < 0 ? -1 : n;
}

bool uc_model_is_float(const uc_detect_model *m, int i)
{
    return i >= 0 && i < m->count && uc_dtype_is_float(m->outputs[i]->dtype);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

int uc_model_named(const uc_detect_model *m, const char *name)
{
    const size_t n = strlen(name);
    for (int i = 0; i < m->count; i++) {
        if (strcmp(m->names[i], name) == 0) return i;
    }
    for (int i = 0; i < m->count; i++) {
        const char *whole = m->names[i];
        for (const char *at = strstr(whole, name); at; at = strstr(at + 1, name)) {
            if ((at == whole || !is_word(at[-1])) && !is_word(at[n])) return i;
        }
    }
    return -1;
}

bool uc_model_says_boxes(const uc_detect_model *m, int i)
{
    static const char *const words[] = {"box", "regress", "loc"};
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (strstr(m->names[i], words[k])) return true;
    }
    return false;
}

const char *uc_model_fact(const uc_detect_model *m, const char *key)
{
    const char *text = m->facts ? uc_fact_get_text(m->facts, key) : NULL;
    return text ? text : "";
}

int64_t uc_model_cells(const uc_detect_model *m, const int *strides, int count)
{
    const int64_t w = m->input_width, h = m->input_height;
    if (w <= 0 || h <= 0 || w > (1 << 20) || h > (1 << 20)) return 0;
    int64_t cells = 0;
    for (int i = 0; i < count; i++) {
        cells += ((w + strides[i] - 1) / strides[i]) * ((h + strides[i] - 1) / strides[i]);
    }
    return cells;
}

void uc_detect_why(uc_detector *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->why, sizeof d->why, format, args);
    va_end(args);
}
