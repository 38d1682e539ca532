/* Which layer of one network is which of the other: by names, then by structure. */
#include "doctor/match.h"

#include "base/table.h"
#include "base/text.h"

#include <stdlib.h>

/* The table of the longest common sequence has an entry a pair of layers. */
#define MOST_CELLS ((size_t)1 << 25)

uc_str uc_layer_short_name(const char *name)
{
    uc_str s = uc_str_of(name);
    const char *space = memchr(s.data, ' ', s.size);
    if (space && (strncmp(name, "layer ", 6) == 0 || strncmp(name, "node ", 5) == 0)) {
        s = uc_str_of(space + 1);
    }
    const char *class = s.size ? strstr(s.data, " (") : NULL;
    if (class) s.size = (size_t)(class - s.data);
    if (s.size >= 2 && s.data[0] == '\'' && s.data[s.size - 1] == '\'') {
        s = (uc_str){s.data + 1, s.size - 2};
    }
    return s;
}

/* ---- by name ---- */

typedef struct named {
    uc_str name;
    size_t index;
} named;

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    const size_t n = x->name.size < y->name.size ? x->name.size : y->name.size;
    const int order = memcmp(x->name.data, y->name.data, n);
    if (order) return order;
    if (x->name.size != y->name.size) return x->name.size < y->name.size ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static named *sorted_names(const uc_layer_seen *layers, size_t count, uc_arena *arena)
{
    named *names = UC_NEW(arena, named, count + 1);
    for (size_t i = 0; names && i < count; i++) {
        names[i] = (named){uc_layer_short_name(layers[i].layer->name), i};
    }
    if (names) qsort(names, count, sizeof *names, by_name);
    return names;
}

static int in_order_of_a(const void *a, const void *b)
{
    const uc_layer_pair *x = a, *y = b;
    return (x->a > y->a) - (x->a < y->a);
}

/* The k-th layer of a name with the other's k-th; those without a name have no partner. */
static uncork_status pair_names(const uc_layer_seen *a, size_t a_count, const uc_layer_seen *b,
                                size_t b_count, uc_arena *arena, uc_layer_match *match,
                                uncork_error *error)
{
    const named *x = sorted_names(a, a_count, arena), *y = sorted_names(b, b_count, arena);
    if (!x || !y) return uc_fail_memory(error);
    for (size_t i = 0, k = 0; i < a_count && k < b_count;) {
        const named by_text = {y[k].name, x[i].index};
        const int order = by_name(&x[i], &by_text);
        if (order == 0 && x[i].name.size) {
            match->pairs[match->count++] = (uc_layer_pair){.a = x[i].index, .b = y[k].index};
        }
        i += order <= 0;
        k += order >= 0;
    }
    qsort(match->pairs, match->count, sizeof *match->pairs, in_order_of_a);
    return UNCORK_OK;
}

/* ---- by structure ---- */

static bool same_sizes(const uc_tensor *a, const uc_tensor *b)
{
    int64_t x = 1, y = 1;
    int64_t most_x = 0, most_y = 0;
    for (int i = 0; i < a->rank; i++) {
        x *= a->shape[i];
        if (a->shape[i] > most_x) most_x = a->shape[i];
    }
    for (int i = 0; i < b->rank; i++) {
        y *= b->shape[i];
        if (b->shape[i] > most_y) most_y = b->shape[i];
    }
    return x == y && most_x == most_y;
}

/* 0: no pair; more where the operator is the same too. */
static unsigned score_of(const uc_layer_seen *a, const uc_layer_seen *b)
{
    if (!a->value || !b->value || !same_sizes(a->value, b->value)) return 0;
    return strcmp(a->layer->op, b->layer->op) == 0 ? 3 : 2;
}

static uncork_status pair_sequence(const uc_layer_seen *a, size_t a_count, const uc_layer_seen *b,
                                   size_t b_count, uc_arena *arena, uc_layer_match *match,
                                   uncork_error *error)
{
    const size_t row = b_count + 1;
    if (a_count >= MOST_CELLS / row) {
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "%zu and %zu layers without common names are too many to match", a_count,
                       b_count);
    }
    uint32_t *best = UC_NEW(arena, uint32_t, (a_count + 1) * row); /* from (i, k) to both ends */
    if (!best) return uc_fail_memory(error);
    for (size_t i = a_count; i-- > 0;) {
        for (size_t k = b_count; k-- > 0;) {
            const unsigned score = score_of(&a[i], &b[k]);
            uint32_t *cell = &best[i * row + k];
            *cell = cell[row] > cell[1] ? cell[row] : cell[1];
            if (score && cell[row + 1] + score > *cell) *cell = cell[row + 1] + score;
        }
    }
    for (size_t i = 0, k = 0; i < a_count && k < b_count;) {
        const uint32_t *cell = &best[i * row + k];
        const unsigned score = score_of(&a[i], &b[k]);
        if (score && *cell == cell[row + 1] + score) {
            match->pairs[match->count++] = (uc_layer_pair){.a = i++, .b = k++};
        } else if (*cell == cell[row]) {
            i++;
        } else {
            k++;
        }
    }
    return UNCORK_OK;
}

uncork_status uc_layers_match(const uc_layer_seen *a, size_t a_count, const uc_layer_seen *b,
                              size_t b_count, uc_arena *arena, uc_layer_match *match,
                              uncork_error *error)
{
    const size_t fewer = a_count < b_count ? a_count : b_count;
    *match = (uc_layer_match){.pairs = UC_NEW(arena, uc_layer_pair, fewer + 1), .by_name = true};
    if (!match->pairs) return uc_fail_memory(error);
    UC_TRY(pair_names(a, a_count, b, b_count, arena, match, error));
    if (match->count * 2 < fewer) {
        match->count = 0;
        match->by_name = false;
        UC_TRY(pair_sequence(a, a_count, b, b_count, arena, match, error));
    }
    for (size_t i = 0; i < match->count; i++) {
        uc_layer_pair *p = &match->pairs[i];
        if (!a[p->a].value || !b[p->b].value) continue;
        UC_TRY(uc_difference_of(a[p->a].value, b[p->b].value, &p->difference, error));
    }
    return UNCORK_OK;
}
