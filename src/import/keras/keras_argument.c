/* Arguments of operators: by position, by name, or among an operator's own settings; constants of any shape.
 * Source: keras/src/saving/serialization_lib.py (__numpy__, __tensor__). */
#include "import/keras/keras_operator.h"

#include <inttypes.h>

enum { DEEP = 8, MOST = 1 << 22 };

/* ---- constants ------------------------------------------------------------------------------- */

typedef struct reading {
    double *out;
    int64_t count, most;
    int64_t shape[UNCORK_MAX_RANK];
    int rank;
    bool truths, ok;
} reading;

/* The shape of nested lists, by their first members. */
static void measure(const uc_json *j, reading *r)
{
    while (j && r->rank < DEEP && (j->kind == UC_JSON_ARRAY || j->kind == UC_JSON_NUMBERS)) {
        r->shape[r->rank++] = (int64_t)uc_json_count(j);
        j = j->kind == UC_JSON_ARRAY ? uc_json_at(j, 0) : NULL;
    }
    r->truths = j && j->kind == UC_JSON_BOOL;
    r->most = 1;
    for (int i = 0; i < r->rank; i++) {
        if (r->shape[i] > 0 && r->most > MOST / r->shape[i]) r->ok = false;
        if (r->ok) r->most *= r->shape[i];
    }
}

static void put(reading *r, double v)
{
    if (r->count < r->most)
        r->out[r->count++] = v;
    else
        r->ok = false;
}

static void fill(const uc_json *j, int depth, reading *r)
{
    if (!j || depth > r->rank || !r->ok) {
        r->ok = false;
    } else if (j->kind == UC_JSON_INT || j->kind == UC_JSON_FLOAT) {
        put(r, j->number);
    } else if (j->kind == UC_JSON_BOOL) {
        put(r, j->boolean);
    } else if (j->kind == UC_JSON_NUMBERS) {
        for (int64_t i = 0; i < uc_tensor_count(j->numbers); i++) {
            put(r, uc_dtype_load_f64(j->numbers->data, i, j->numbers->dtype));
        }
    } else if (j->kind == UC_JSON_ARRAY) {
        for (size_t i = 0; i < j->count; i++) {
            fill(j->items[i], depth + 1, r);
        }
    } else {
        r->ok = false;
    }
}

uc_ref uc_k_json_constant(uc_k_call *c, const uc_json *json)
{
    reading r = {.ok = true};
    uncork_dtype dtype = c->dtype;
    if (json && json->kind == UC_JSON_OBJECT) {
        const uc_str name = uc_json_str(uc_json_path(json, "config.dtype"), "");
        if (name.size) dtype = uc_k_dtype_named(name, dtype);
        json = uc_json_path(json, "config.value");
    }
    if (!json || json->kind == UC_JSON_NULL || json->kind == UC_JSON_STRING ||
        json->kind == UC_JSON_OBJECT)
        return 0;
    measure(json, &r);
    if (r.ok) r.out = UC_NEW(c->graph->arena, double, (size_t)r.most + 1);
    if (!r.out) return 0;
    fill(json, 0, &r);
    if (!r.ok || r.count != r.most) return 0;
    const uncork_dtype outer = c->dtype;
    c->dtype = r.truths ? UNCORK_BOOL : dtype;
    const uc_ref ref = uc_k_constant(c, r.out, r.rank, r.shape);
    c->dtype = outer;
    return ref;
}

/* ---- arguments ------------------------------------------------------------------------------- */

uncork_dtype uc_k_dtype_named(uc_str name, uncork_dtype otherwise)
{
    if (uc_str_is(name, "half")) return UNCORK_FLOAT16;
    if (uc_str_is(name, "int")) return UNCORK_INT32;
    if (uc_str_is(name, "float")) return UNCORK_FLOAT32;
    for (int d = 1; d < UNCORK_FLOAT8E4M3FN; d++) {
        if (uc_str_is(name, uc_dtype_name((uncork_dtype)d))) return (uncork_dtype)d;
    }
    return otherwise;
}

int64_t uc_k_arg_int(uc_k_call *c, size_t position, const char *name, int64_t otherwise)
{
    const uc_json *json = uc_k_argument_json(c, position, name);
    int64_t v = otherwise;
    if (json) (void)uc_k_ints(json, &v, 1);
    return v;
}

size_t uc_k_arg_ints(uc_k_call *c, size_t position, const char *a, const char *b, int64_t *out,
                     size_t most)
{
    const uc_json *json = uc_k_argument_json(c, position, a);
    if (!json && b) json = uc_k_argument_json(c, SIZE_MAX, b);
    return uc_k_list(json, out, most);
}

double uc_k_arg_number(uc_k_call *c, size_t position, const char *name, double otherwise)
{
    const uc_json *json = uc_k_argument_json(c, position, name);
    return json && (json->kind == UC_JSON_INT || json->kind == UC_JSON_FLOAT) ? json->number
                                                                              : otherwise;
}

bool uc_k_arg_bool(uc_k_call *c, size_t position, const char *name, bool otherwise)
{
    return uc_json_bool(uc_k_argument_json(c, position, name), otherwise);
}

uc_str uc_k_arg_text(uc_k_call *c, size_t position, const char *name, const char *otherwise)
{
    return uc_json_str(uc_k_argument_json(c, position, name), otherwise);
}

uc_ref uc_k_arg_tensor(uc_k_call *c, size_t position, const char *name)
{
    uc_k_value v;
    if (uc_k_argument(c, position, name, &v)) return uc_k_plain(c, v);
    return uc_k_json_constant(c, uc_k_argument_json(c, position, name));
}

size_t uc_k_arg_axes(uc_k_call *c, size_t position, uc_ref x, int64_t otherwise, int64_t *axes)
{
    const size_t n = uc_k_arg_ints(c, position, "axis", "axes", axes, UNCORK_MAX_RANK);
    const int rank = uc_k_rank(c, x);
    if (n || rank < 1) return n;
    if (otherwise != INT64_MIN) {
        axes[0] = otherwise;
        return 1;
    }
    for (int i = 0; i < rank; i++) {
        axes[i] = i;
    }
    return (size_t)rank;
}

int uc_k_arg_axis(uc_k_call *c, size_t position, uc_ref x, int64_t otherwise)
{
    return uc_k_axis(uc_k_arg_int(c, position, "axis", otherwise), uc_k_rank(c, x));
}

/* ---- types ----------------------------------------------------------------------------------- */

void uc_k_meet(uc_k_call *c, uc_ref *a, uc_ref *b, bool divides)
{
    const uncork_dtype x = uc_k_dtype(c, *a), y = uc_k_dtype(c, *b);
    uncork_dtype to = x;
    if (uc_dtype_is_float(x) != uc_dtype_is_float(y))
        to = uc_dtype_is_float(x) ? x : y;
    else if (uc_dtype_size(y) > uc_dtype_size(x))
        to = y;
    if (divides && (uc_dtype_is_integer(to) || to == UNCORK_BOOL)) to = UNCORK_FLOAT32;
    if (x == UNCORK_STRING || y == UNCORK_STRING || !uc_dtype_size(to)) return;
    if (x != to) *a = uc_g_cast(c->graph, *a, to);
    if (y != to) *b = uc_g_cast(c->graph, *b, to);
}
