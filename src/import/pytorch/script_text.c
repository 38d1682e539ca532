/* Python's two older ways to put values into a text, as names of layers are made with them: "conv%d" % i and
 * "layer{}_{:02d}".format(i, j). What isn't understood (mappings, alignment, values that only a run knows)
 * leaves the text as it stands: such are messages. */
#include "base/writer.h"
#include "import/pytorch/script_eval.h"

#include <string.h>

enum { MOST_WIDTH = 99 };

typedef struct spec {
    bool zero;
    int width, digits; /* digits behind the point, -1: not said */
    char kind;         /* d, s, f; 0: by the value */
} spec;

/* [0][width][.digits][kind], all of `s`; false: something else. */
static bool read_spec(uc_str s, spec *to)
{
    size_t i = 0;
    *to = (spec){.digits = -1};
    if (i < s.size && s.data[i] == '0') to->zero = true;
    for (; i < s.size && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
        to->width = to->width * 10 + (s.data[i] - '0');
        if (to->width > MOST_WIDTH) return false;
    }
    if (i < s.size && s.data[i] == '.') {
        to->digits = 0;
        for (i++; i < s.size && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
            to->digits = to->digits * 10 + (s.data[i] - '0');
            if (to->digits > MOST_WIDTH) return false;
        }
    }
    if (i < s.size && memchr("disrf", s.data[i], 5)) to->kind = s.data[i++];
    if (to->kind == 'i') to->kind = 'd';
    if (to->kind == 'r') to->kind = 's';
    return i == s.size;
}

static bool put(uc_py_eval *ev, uc_writer *w, uc_pv v, const spec *s)
{
    double real = 0;
    if (v.symbolic || v.kind == UC_PV_TENSOR) return false;
    const bool whole = uc_pv_is(v, UC_PV_INT);
    if (s->kind == 'd' || (!s->kind && whole && s->width)) {
        if (!whole) return false;
        uc_writer_printf(w, s->zero ? "%0*lld" : "%*lld", s->width, (long long)v.i);
    } else if (s->kind == 'f' || s->digits >= 0) {
        if (!whole && v.kind != UC_PV_FLOAT) return false;
        real = whole ? (double)v.i : v.f;
        if (!(real > -1e15 && real < 1e15)) return false;
        const int digits = s->digits < 0 ? 6 : s->digits;
        uc_writer_printf(w, s->zero ? "%0*.*f" : "%*.*f", s->width, digits, real);
    } else {
        const uc_pv text = uc_py_str(ev, v, 0);
        if (s->width || text.kind != UC_PV_TEXT) return false;
        uc_writer_put(w, text.text->data, text.text->size);
    }
    return true;
}

/* ---- "..." % values --------------------------------------------------------------------------- */

static bool percent(uc_py_eval *ev, uc_writer *w, uc_str s, const uc_pv *values, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] != '%') {
            uc_writer_put(w, s.data + i, 1);
            continue;
        }
        size_t end = ++i;
        while (end < s.size && memchr("0123456789.", s.data[end], 11)) {
            end++;
        }
        if (end >= s.size) return false;
        spec one;
        if (s.data[end] == '%' && end == i) {
            uc_writer_put(w, "%", 1);
        } else if (used == count || !read_spec((uc_str){s.data + i, end + 1 - i}, &one) ||
                   !one.kind || !put(ev, w, values[used++], &one)) {
            return false;
        }
        i = end;
    }
    return used == count;
}

/* The text that was made, or the one there was. */
static uc_pv finished(uc_py_eval *ev, uc_writer *w, uc_pv text, bool made)
{
    const uc_pv out = !made || w->status || ev->failed
                          ? text
                          : uc_pv_text(ev->arena, (uc_str){(const char *)w->data, w->size});
    uc_writer_done(w);
    return out;
}

uc_pv uc_py_percent(uc_py_eval *ev, uc_pv text, uc_pv values)
{
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 20);
    const bool many = values.kind == UC_PV_TUPLE;
    const bool made = percent(ev, &w, *text.text, many ? values.list->items : &values,
                              many ? values.list->count : 1);
    return finished(ev, &w, text, made);
}

/* ---- "...".format(values) --------------------------------------------------------------------- */

/* The value of a field: {} the next, {2}, {name}. */
static bool field(const uc_py_args *a, uc_str name, size_t *next, uc_pv *to)
{
    size_t at = 0;
    if (!name.size) {
        at = (*next)++;
    } else if (name.data[0] >= '0' && name.data[0] <= '9') {
        if (name.size != 1) return false;
        at = (size_t)(name.data[0] - '0');
    } else {
        for (size_t i = 0; i < a->named; i++) {
            if (!uc_str_is(name, a->names[i])) continue;
            *to = a->values[i];
            return true;
        }
        return false;
    }
    if (at >= a->count) return false;
    *to = a->items[at];
    return true;
}

static bool braces(uc_py_eval *ev, uc_writer *w, uc_str s, const uc_py_args *a)
{
    size_t next = 0;
    for (size_t i = 0; i < s.size; i++) {
        const char c = s.data[i];
        if (c != '{' && c != '}') {
            uc_writer_put(w, &c, 1);
            continue;
        }
        if (i + 1 < s.size && s.data[i + 1] == c) { /* written twice: itself */
            uc_writer_put(w, &c, 1);
            i++;
            continue;
        }
        const char *end = c == '{' ? memchr(s.data + i, '}', s.size - i) : NULL;
        if (!end) return false;
        const uc_str inner = {s.data + i + 1, (size_t)(end - (s.data + i + 1))};
        const char *colon = inner.size ? memchr(inner.data, ':', inner.size) : NULL;
        const size_t name = colon ? (size_t)(colon - inner.data) : inner.size;
        const uc_str how = colon ? (uc_str){colon + 1, inner.size - name - 1} : (uc_str){"", 0};
        spec one;
        uc_pv v;
        if (!field(a, (uc_str){inner.data, name}, &next, &v) || !read_spec(how, &one) ||
            !put(ev, w, v, &one)) {
            return false;
        }
        i = (size_t)(end - s.data);
    }
    return true;
}

uc_pv uc_py_format(uc_py_eval *ev, uc_pv text, const uc_py_args *a)
{
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 20);
    const bool made = braces(ev, &w, *text.text, a);
    return finished(ev, &w, text, made);
}
