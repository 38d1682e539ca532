/* Calling an operator: its row, the overload that the arguments fit, in-place forms; and what emitters
 * ask of their arguments. */
#include "import/pytorch/aten.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct full_row {
    const char *space;
    uc_aten_row row;
} full_row;

static const full_row table[] = {
#define ATEN(name, emitter, with)         {"aten", {#name, uc_aten_##emitter, with}},
#define OTHER(space, name, emitter, with) {#space, {#name, uc_aten_##emitter, with}},
#include "import/pytorch/aten_table.def"
#undef ATEN
#undef OTHER
};

size_t uc_aten_count(void) { return sizeof table / sizeof *table; }

const uc_aten_row *uc_aten_at(size_t i, const char **space)
{
    *space = table[i].space;
    return &table[i].row;
}

static const uc_aten_row *find_row(const char *space, const char *name)
{
    size_t low = 0, high = sizeof table / sizeof *table;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        int c = strcmp(space, table[mid].space);
        if (c == 0) c = strcmp(name, table[mid].row.name);
        if (c == 0) return &table[mid].row;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

bool uc_aten_is(const char *space, const char *name) { return find_row(space, name) != NULL; }

/* ---- the call -------------------------------------------------------------------------------- */

/* The overload that fits, first strictly; false: none does. */
static bool choose(uc_aten_call *c, uc_aten_schema *schemas, const uc_py_args *args)
{
    for (int lenient = 0; lenient < 2; lenient++) {
        for (const uc_aten_schema *s = schemas; s; s = s->next) {
            if (uc_aten_bind(c, s, args, lenient)) return true;
        }
    }
    return false;
}

/* torch.einsum("ij,jk", a, b), torch.meshgrid(a, b): Python's functions take one by one the tensors of which
 * the operator takes a list. */
static bool choose_gathered(uc_aten_call *c, uc_aten_schema *schemas, const uc_py_args *args)
{
    const size_t first = args->count && args->items[0].kind == UC_PV_TEXT;
    for (size_t i = first; i < args->count; i++) {
        if (args->items[i].kind != UC_PV_TENSOR) return false;
    }
    if (args->count <= first) return false;
    uc_py_args gathered = *args;
    uc_pv items[2] = {args->items[0]};
    items[first] = uc_pv_list(c->ev, UC_PV_LIST, args->items + first, args->count - first);
    gathered.items = items;
    gathered.count = first + 1;
    return choose(c, schemas, &gathered);
}

static void write_back(uc_aten_call *c)
{
    const uc_pv self = c->args[0];
    if (self.kind != UC_PV_TENSOR || c->result.kind != UC_PV_TENSOR) return;
    if (self.tensor->quant) {
        self.tensor->quant = c->result.tensor->quant;
        self.tensor->ref = c->result.tensor->ref;
        c->result = self;
        return;
    }
    uc_ref value = uc_py_ref(c->ev, c->result.tensor);
    const uc_ref old = uc_py_ref(c->ev, self.tensor);
    const uncork_dtype dtype = uc_t_dtype(c->b, old);
    if (dtype != UNCORK_DTYPE_NONE && uc_t_dtype(c->b, value) != dtype)
        value = uc_t_cast(c->b, value, dtype);
    if (!c->ev->failed) uc_py_write(c->ev, self.tensor, value);
    c->result = self;
}

static void finish(uc_aten_call *c, const uc_py_args *args)
{
    if (c->in_place) write_back(c);
    const uc_pv out = uc_py_keyword(args, "out");
    if (out.kind == UC_PV_TENSOR && c->result.kind == UC_PV_TENSOR && !c->ev->failed) {
        uc_py_write(c->ev, out.tensor, uc_py_ref(c->ev, c->result.tensor));
        c->result = out;
    }
    if (c->g->status && !c->ev->failed) {
        uc_where(c->ev->error, "%s:%u", c->ev->path, c->ev->line);
        c->ev->failed = true;
    }
}

/* `name` as it is, or its out-of-place form: relu_, __iadd__ is add_. */
static const uc_aten_row *resolve(uc_py_eval *ev, const char *space, const char *name,
                                  bool *in_place)
{
    const uc_aten_row *row = find_row(space, name);
    const size_t n = strlen(name);
    *in_place = false;
    if (row || n < 2 || name[n - 1] != '_' || name[n - 2] == '_' || n > 100) return row;
    char *plain = uc_arena_copy(ev->arena, name, n - 1);
    row = plain ? find_row(space, plain) : NULL;
    *in_place = row != NULL;
    return row;
}

uc_pv uc_aten_run(uc_py_eval *ev, const char *space, const char *name, const uc_py_args *args)
{
    bool in_place = false;
    if (!uc_py_step(ev)) return uc_pv_none();
    const uc_aten_row *row = resolve(ev, space, name, &in_place);
    if (!row) return UC_PV(UC_PV_UNSET);
    uc_aten_call *c = UC_NEW(ev->arena, uc_aten_call, 1);
    if (!c) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    *c = (uc_aten_call){.ev = ev,
                        .b = uc_py_build(ev),
                        .g = ev->level->graph,
                        .name = row->name,
                        .with = row->with,
                        .in_place = in_place};
    const char *key = strcmp(space, "aten") == 0
                          ? row->name
                          : uc_arena_printf(ev->arena, "%s::%s", space, row->name);
    uc_aten_schema *schemas = uc_aten_schemas(ev, key);
    if (!schemas) return uc_py_fail(ev, "%s: no schema", name);
    if (!choose(c, schemas, args) && !choose_gathered(c, schemas, args)) {
        char given[200] = "";
        size_t n = 0;
        for (size_t i = 0; i < args->count && n < 150; i++)
            n += (size_t)snprintf(given + n, sizeof given - n, "%s%s", i ? ", " : "",
                                  uc_pv_type_name(args->items[i]));
        return uc_py_fail(ev, "%s: no form of it takes (%s)", name, given);
    }
    c->g->where = uc_arena_printf(c->g->arena, "%s:%u %s", ev->path, ev->line, name);
    row->emit(c);
    finish(c, args);
    return ev->failed ? uc_pv_none() : c->result;
}

uc_pv uc_aten_again(uc_aten_call *c, const char *name, uc_pv *items, size_t count)
{
    return uc_aten_run(c->ev, "aten", name, &(uc_py_args){.items = items, .count = count});
}

uc_ref uc_aten_fail(uc_aten_call *c, const char *format, ...)
{
    char text[300];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    uc_py_fail(c->ev, "%s: %s", c->name, text);
    return 0;
}

/* ---- arguments ------------------------------------------------------------------------------- */

uc_pv uc_aten_arg(uc_aten_call *c, const char *name)
{
    for (int i = 0; i < c->schema->count; i++) {
        if (strcmp(c->schema->params[i].name, name) == 0) return c->args[i];
    }
    return UC_PV(UC_PV_UNSET);
}

bool uc_aten_has(uc_aten_call *c, const char *name)
{
    const uc_pv v = uc_aten_arg(c, name);
    return v.kind != UC_PV_UNSET && v.kind != UC_PV_NONE;
}

uc_ref uc_aten_operand(uc_aten_call *c, uc_pv v, uncork_dtype dtype)
{
    if (v.kind == UC_PV_TENSOR && v.tensor->quant) {
        uc_pv dense = uc_aten_again(c, "dequantize", &v, 1);
        return dense.kind == UC_PV_TENSOR ? uc_py_ref_of(c->ev, dense, dtype) : 0;
    }
    if (v.kind == UC_PV_INT && !v.symbolic && dtype == UNCORK_DTYPE_NONE) dtype = UNCORK_INT64;
    return uc_py_ref_of(c->ev, v, dtype);
}

uc_ref uc_aten_in(uc_aten_call *c, const char *name)
{
    const uc_pv v = uc_aten_arg(c, name);
    if (v.kind == UC_PV_UNSET || v.kind == UC_PV_NONE) return 0;
    return uc_aten_operand(c, v, UNCORK_DTYPE_NONE);
}

int64_t uc_aten_int(uc_aten_call *c, const char *name, int64_t otherwise)
{
    int64_t v = otherwise;
    if (uc_aten_has(c, name)) uc_py_int(c->ev, uc_aten_arg(c, name), &v);
    return v;
}

double uc_aten_float(uc_aten_call *c, const char *name, double otherwise)
{
    double v = otherwise;
    if (uc_aten_has(c, name)) uc_py_float(c->ev, uc_aten_arg(c, name), &v);
    return v;
}

bool uc_aten_bool(uc_aten_call *c, const char *name, bool otherwise)
{
    return uc_aten_has(c, name) ? uc_py_known_truth(c->ev, uc_aten_arg(c, name)) : otherwise;
}

const char *uc_aten_text(uc_aten_call *c, const char *name, const char *otherwise)
{
    const char *s = uc_aten_has(c, name) ? uc_py_text(c->ev, uc_aten_arg(c, name)) : otherwise;
    return s ? s : "";
}

int uc_aten_ints(uc_aten_call *c, const char *name, int64_t *out, int most, int fill)
{
    const uc_pv v = uc_aten_arg(c, name);
    if (v.kind == UC_PV_UNSET || v.kind == UC_PV_NONE) return 0;
    if (!uc_pv_is_list(v)) {
        if (!uc_py_int(c->ev, v, &out[0])) return 0;
        for (int i = 1; i < fill && i < most; i++)
            out[i] = out[0];
        return fill > 0 ? fill : 1;
    }
    const size_t n = v.list->count;
    if (n > (size_t)most) {
        uc_aten_fail(c, "%s has %zu numbers, %d are the most", name, n, most);
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (!uc_py_int(c->ev, v.list->items[i], &out[i])) return 0;
    }
    if (n == 1 && fill > 1) {
        for (int i = 1; i < fill && i < most; i++)
            out[i] = out[0];
        return fill;
    }
    return (int)n;
}

int uc_aten_floats(uc_aten_call *c, const char *name, double *out, int most)
{
    const uc_pv v = uc_aten_arg(c, name);
    if (v.kind == UC_PV_UNSET || v.kind == UC_PV_NONE) return 0;
    if (!uc_pv_is_list(v)) return uc_py_float(c->ev, v, &out[0]) ? 1 : 0;
    if (v.list->count > (size_t)most) {
        uc_aten_fail(c, "%s has too many numbers", name);
        return 0;
    }
    for (size_t i = 0; i < v.list->count; i++) {
        if (!uc_py_float(c->ev, v.list->items[i], &out[i])) return 0;
    }
    return (int)v.list->count;
}

bool uc_aten_is_known_ints(uc_pv v)
{
    if (!uc_pv_is_list(v)) return uc_pv_is(v, UC_PV_INT);
    for (size_t i = 0; i < v.list->count; i++) {
        if (!uc_pv_is(v.list->items[i], UC_PV_INT)) return false;
    }
    return true;
}

bool uc_aten_sizes_known(uc_aten_call *c, const char *name)
{
    return uc_aten_is_known_ints(uc_aten_arg(c, name));
}

uc_ref uc_aten_sizes(uc_aten_call *c, const char *name)
{
    uc_pv v = uc_aten_arg(c, name);
    uc_py_list one = {.items = &v, .count = 1};
    const uc_py_list *l = uc_pv_is_list(v) ? v.list : &one;
    if (l->count > UC_PY_RANK) return uc_aten_fail(c, "more than %d axes", UC_PY_RANK);
    uc_ref parts[UC_PY_RANK];
    if (l->count == 0) return uc_graph_i64s(c->g, (const int64_t[]){0}, 0);
    const int64_t flat[] = {1};
    for (size_t i = 0; i < l->count; i++) {
        const uc_ref r = uc_py_ref_of(c->ev, l->items[i], UNCORK_INT64);
        parts[i] = uc_g_reshape(c->g, r, flat, 1);
    }
    return c->ev->failed ? 0 : uc_g_concat(c->g, parts, l->count, 0);
}

uc_ref *uc_aten_tensors(uc_aten_call *c, const char *name, size_t *count)
{
    const uc_pv v = uc_aten_arg(c, name);
    *count = 0;
    if (!uc_pv_is_list(v)) {
        uc_aten_fail(c, "%s must be a list of tensors whose length is known", name);
        return NULL;
    }
    uc_ref *refs = UC_NEW(c->ev->arena, uc_ref, v.list->count + 1);
    for (size_t i = 0; refs && i < v.list->count; i++) {
        refs[i] = v.list->items[i].kind == UC_PV_NONE
                      ? 0
                      : uc_aten_operand(c, v.list->items[i], UNCORK_DTYPE_NONE);
    }
    *count = v.list->count;
    return c->ev->failed ? NULL : refs;
}

/* ---- types ----------------------------------------------------------------------------------- */

/* ATen's own numbers (c10/core/ScalarType.h). */
static const uncork_dtype codes[] = {
    [0] = UNCORK_UINT8,    [1] = UNCORK_INT8,    [2] = UNCORK_INT16,   [3] = UNCORK_INT32,
    [4] = UNCORK_INT64,    [5] = UNCORK_FLOAT16, [6] = UNCORK_FLOAT32, [7] = UNCORK_FLOAT64,
    [11] = UNCORK_BOOL,    [12] = UNCORK_INT8,   [13] = UNCORK_UINT8,  [14] = UNCORK_INT32,
    [15] = UNCORK_BFLOAT16};

uncork_dtype uc_aten_dtype_of(int64_t code)
{
    return code >= 0 && code < (int64_t)(sizeof codes / sizeof *codes) ? codes[code]
                                                                       : UNCORK_DTYPE_NONE;
}

int64_t uc_aten_code_of(uncork_dtype dtype)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i] == dtype && codes[i] != UNCORK_DTYPE_NONE) return (int64_t)i;
    }
    return 6;
}

uncork_dtype uc_aten_dtype(uc_aten_call *c, const char *name, uncork_dtype otherwise)
{
    const uc_pv v = uc_aten_arg(c, name);
    if (v.kind != UC_PV_DTYPE && !uc_pv_is(v, UC_PV_INT)) return otherwise;
    const uncork_dtype t = uc_aten_dtype_of(v.i);
    if (t == UNCORK_DTYPE_NONE)
        uc_aten_fail(c, "element type %lld isn't supported", (long long)v.i);
    return t;
}

int uc_aten_axis(uc_aten_call *c, uc_ref x, const char *name, int64_t otherwise)
{
    const int64_t dim = uc_aten_int(c, name, otherwise);
    const int rank = uc_t_rank(c->b, x);
    if (c->ev->failed) return -1;
    if (rank < 0 && dim >= 0) return (int)dim;
    if (rank == 0 && (dim == 0 || dim == -1)) return 0;
    if (rank < 0 || dim < -rank || dim >= rank) {
        uc_aten_fail(c, rank < 0 ? "the number of axes isn't known" : "axis %lld of %d",
                     (long long)dim, rank);
        return -1;
    }
    return (int)(dim < 0 ? dim + rank : dim);
}

static int category(uncork_dtype t)
{
    return t == UNCORK_BOOL ? 0 : uc_dtype_is_integer(t) ? 1 : 2;
}

/* Of two types of tensors. Source: c10/core/ScalarType.cpp, promoteTypes. */
static uncork_dtype promote_types(uncork_dtype a, uncork_dtype b)
{
    static const uncork_dtype order[] = {
        UNCORK_BOOL,  UNCORK_UINT8,   UNCORK_INT8,     UNCORK_INT16,   UNCORK_INT32,
        UNCORK_INT64, UNCORK_FLOAT16, UNCORK_BFLOAT16, UNCORK_FLOAT32, UNCORK_FLOAT64};
    int x = -1, y = -1;
    for (int i = 0; i < (int)(sizeof order / sizeof *order); i++) {
        if (order[i] == a) x = i;
        if (order[i] == b) y = i;
    }
    if (x < 0 || y < 0) return x < 0 ? b : a;
    if (x + y == 1 + 2 && x != y && x > 0 && y > 0) return UNCORK_INT16; /* uint8 with int8 */
    if ((x == 6 && y == 7) || (x == 7 && y == 6)) return UNCORK_FLOAT32;
    return order[x > y ? x : y];
}

static uncork_dtype number_type(uc_pv v)
{
    return v.kind == UC_PV_BOOL ? UNCORK_BOOL : v.kind == UC_PV_INT ? UNCORK_INT64 : UNCORK_FLOAT32;
}

uncork_dtype uc_aten_promote(uc_aten_call *c, uc_pv a, uc_pv b)
{
    const uc_pv v[2] = {a, b};
    uncork_dtype type[2];
    int weight[2]; /* 2 tensors with axes, 1 without, 0 numbers */
    for (int i = 0; i < 2; i++) {
        if (v[i].kind == UC_PV_TENSOR) {
            const uc_ref r = uc_py_ref(c->ev, v[i].tensor);
            type[i] = v[i].tensor->quant ? UNCORK_FLOAT32 : uc_t_dtype(c->b, r);
            weight[i] = uc_t_rank(c->b, r) == 0 ? 1 : 2;
        } else {
            type[i] = number_type(v[i]);
            weight[i] = 0;
        }
    }
    if (weight[0] == weight[1]) return promote_types(type[0], type[1]);
    const int strong = weight[0] > weight[1] ? 0 : 1, weak = 1 - strong;
    if (category(type[strong]) >= category(type[weak])) return type[strong];
    if (weight[weak] == 0 && type[weak] == UNCORK_FLOAT32) return UNCORK_FLOAT32;
    return type[weak];
}

uc_ref uc_aten_floating(uc_aten_call *c, uc_ref x)
{
    const uncork_dtype t = uc_t_dtype(c->b, x);
    return t != UNCORK_DTYPE_NONE && !uc_dtype_is_float(t) ? uc_t_cast(c->b, x, UNCORK_FLOAT32) : x;
}

/* ---- results --------------------------------------------------------------------------------- */

void uc_aten_out(uc_aten_call *c, uc_ref ref)
{
    if (!c->ev->failed) c->result = uc_py_tensor(c->ev, ref);
}

void uc_aten_outs(uc_aten_call *c, const uc_ref *refs, size_t count)
{
    uc_pv *items = UC_NEW(c->ev->arena, uc_pv, count + 1);
    for (size_t i = 0; items && i < count && !c->ev->failed; i++)
        items[i] = uc_py_tensor(c->ev, refs[i]);
    if (items && !c->ev->failed) c->result = uc_pv_list(c->ev, UC_PV_TUPLE, items, count);
}

void uc_aten_list(uc_aten_call *c, const uc_pv *items, size_t count)
{
    if (!c->ev->failed) c->result = uc_pv_list(c->ev, UC_PV_LIST, items, count);
}
