/* Building: named tensors, constants, what is known of values on their way. */
#include "import/pytorch/torch_build.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- named tensors --------------------------------------------------------------------------- */

uc_t_state *uc_t_state_new(uc_arena *arena)
{
    uc_t_state *s = UC_NEW(arena, uc_t_state, 1);
    if (!s) return NULL;
    *s = (uc_t_state){.arena = arena, .by_name = uc_table_new(arena)};
    return s->by_name ? s : NULL;
}

bool uc_t_state_put(uc_t_state *s, const char *name, const uc_tensor *tensor)
{
    const uc_str key = uc_str_of(name);
    const size_t at = (size_t)(uintptr_t)uc_table_find(s->by_name, key);
    if (at) { /* places count from 1, for 0 reads as absent */
        s->items[at - 1].tensor = tensor;
        return true;
    }
    uc_t_item *items = uc_arena_grow(s->arena, s->items, &s->capacity, s->count + 1, sizeof *items);
    if (!items) return false;
    s->items = items;
    s->items[s->count++] = (uc_t_item){.name = name, .tensor = tensor};
    return uc_table_put(s->by_name, key, (void *)(uintptr_t)s->count);
}

const uc_tensor *uc_t_state_find(const uc_t_state *s, const char *name)
{
    const size_t at = s ? (size_t)(uintptr_t)uc_table_find(s->by_name, uc_str_of(name)) : 0;
    return at ? s->items[at - 1].tensor : NULL;
}

/* ---- the build ------------------------------------------------------------------------------- */

bool uc_t_build_open(uc_t_build *b, uc_graph *g, uc_findings *findings, const uc_t_state *state)
{
    *b = (uc_t_build){.graph = g, .findings = findings, .state = state, .dtype = UNCORK_FLOAT32};
    uc_arena *known = uc_arena_new(g->budget), *scratch = uc_arena_new(g->budget);
    uc_look_open(&b->look, g, g->budget, known, scratch);
    if (known && scratch) return true;
    uc_t_build_close(b);
    uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return false;
}

void uc_t_build_close(uc_t_build *b)
{
    uc_arena_free(b->look.infer.arena);
    uc_arena_free(b->look.infer.scratch);
}

uc_ref uc_t_fail(uc_t_build *b, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return uc_graph_fail(b->graph, UNCORK_UNSUPPORTED, "%s", text);
}

/* ---- what is known --------------------------------------------------------------------------- */

int uc_t_rank(uc_t_build *b, uc_ref x) { return uc_look_at(&b->look, x)->tensor.rank; }

int64_t uc_t_dim(uc_t_build *b, uc_ref x, int axis)
{
    const uc_tensor *t = &uc_look_at(&b->look, x)->tensor;
    if (axis < 0) axis += t->rank;
    return axis >= 0 && axis < t->rank && t->shape[axis] >= 0 ? t->shape[axis] : -1;
}

uncork_dtype uc_t_dtype(uc_t_build *b, uc_ref x) { return uc_look_at(&b->look, x)->tensor.dtype; }

size_t uc_t_known(uc_t_build *b, uc_ref x, int64_t *out, size_t most)
{
    return uc_look_known(&b->look, x, out, most);
}

int uc_t_axis(uc_t_build *b, uc_ref x, int64_t axis)
{
    const int rank = uc_t_rank(b, x);
    const int room = rank > 0 ? rank : 1; /* a scalar takes 0 and -1 */
    if (rank >= 0 && axis >= -room && axis < room) return (int)(axis < 0 ? axis + room : axis);
    if (rank < 0)
        uc_t_fail(b, "the number of dimensions isn't known where dim %" PRId64 " is asked for",
                  axis);
    else
        uc_t_fail(b, "dim %" PRId64 " of a tensor of %d dimensions", axis, rank);
    return -1;
}

/* ---- constants ------------------------------------------------------------------------------- */

static UC_PRINTF(2, 0) const uc_tensor *find_named(uc_t_build *b, const char *format, va_list args,
                                                   char *name, size_t size)
{
    (void)vsnprintf(name, size, format, args);
    return uc_t_state_find(b->state, name);
}

const uc_tensor *uc_t_find(uc_t_build *b, const char *format, ...)
{
    char name[512];
    va_list args;
    va_start(args, format);
    const uc_tensor *t = find_named(b, format, args, name, sizeof name);
    va_end(args);
    return t;
}

uc_ref uc_t_param(uc_t_build *b, const char *format, ...)
{
    char name[512];
    va_list args;
    va_start(args, format);
    const uc_tensor *t = find_named(b, format, args, name, sizeof name);
    va_end(args);
    return t ? uc_t_const(b, t) : 0;
}

uc_ref uc_t_need(uc_t_build *b, const char *format, ...)
{
    char name[512];
    va_list args;
    va_start(args, format);
    const uc_tensor *t = find_named(b, format, args, name, sizeof name);
    va_end(args);
    return t ? uc_t_const(b, t) : uc_t_fail(b, "'%.200s' is missing", name);
}

uc_ref uc_t_const(uc_t_build *b, const uc_tensor *t)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    if (!t) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a constant");
    if (!t->data && t->dtype != UNCORK_STRING && uc_tensor_count(t))
        return uc_t_fail(b, "a tensor of the file has no data (it was saved on 'meta')");
    if (b->dtype && uc_dtype_is_float(t->dtype) && t->dtype != b->dtype) {
        t = uc_tensor_cast(g->arena, t, b->dtype);
        if (!t) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a weight");
    }
    return uc_graph_const(g, t);
}

uc_ref uc_t_values(uc_t_build *b, uncork_dtype dtype, const double *v, int rank,
                   const int64_t *shape)
{
    uc_tensor *t = uc_tensor_new(b->graph->arena, dtype, rank, shape);
    if (!t) return uc_graph_fail(b->graph, UNCORK_NO_MEMORY, "no memory for a constant");
    if (!uc_dtype_convert(t->data, dtype, v, UNCORK_FLOAT64, uc_tensor_count(t)))
        return uc_t_fail(b, "numbers as %s", uc_dtype_name(dtype));
    return uc_graph_const(b->graph, t);
}

uc_ref uc_t_number(uc_t_build *b, uncork_dtype dtype, double v)
{
    return uc_t_values(b, dtype, &v, 0, NULL);
}

uc_ref uc_t_scalar(uc_t_build *b, uc_ref like, double v)
{
    const uncork_dtype dtype = uc_t_dtype(b, like);
    return uc_t_number(b, dtype ? dtype : UNCORK_FLOAT32, v);
}
