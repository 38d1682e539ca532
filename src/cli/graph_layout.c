/* See graph_layout.h. Rows by longest paths, order within rows by the mean of the neighbours (Sugiyama,
 * Tagawa, Toda 1981), places by the same mean pushed apart. Quick rather than best. */
#include "cli/graph_layout.h"

#include <stdlib.h>

#define SWEEPS    8
#define MAX_BENDS 20000 /* longer edges than that allows are drawn straight */

/* A neighbour list: of node i, items[first[i] .. first[i + 1]). */
typedef struct neighbours {
    size_t *first, *items;
} neighbours;

typedef struct work {
    graph_layout *layout;
    neighbours up, down;
    size_t *order;     /* nodes row by row */
    size_t *row_first; /* [row_count + 1] into order */
    double *key;       /* [node] */
    double gap;
} work;

static void find_rows(graph_layout *l)
{
    for (size_t e = 0; e < l->edge_count; e++) { /* edges are sorted by `from` */
        layout_node *to = &l->nodes[l->edges[e].to];
        const size_t row = l->nodes[l->edges[e].from].row + 1;
        if (to->row < row) to->row = row;
    }
    for (size_t i = 0; i < l->count; i++) {
        if (l->nodes[i].row + 1 > l->row_count) l->row_count = l->nodes[i].row + 1;
    }
}

static size_t span_of(const graph_layout *l, const layout_edge *e)
{
    return l->nodes[e->to].row - l->nodes[e->from].row - 1;
}

static bool add_bends(graph_layout *l, uc_arena *arena)
{
    size_t bends = 0;
    for (size_t e = 0; e < l->edge_count; e++) {
        const size_t span = span_of(l, &l->edges[e]);
        if (bends + span <= MAX_BENDS) bends += l->edges[e].bend_count = span;
    }
    layout_node *nodes = UC_NEW(arena, layout_node, l->count + bends + 1);
    if (!nodes) return false;
    memcpy(nodes, l->nodes, l->count * sizeof *nodes);
    l->given = l->count;
    for (size_t e = 0; e < l->edge_count; e++) {
        layout_edge *edge = &l->edges[e];
        edge->bend = l->count;
        for (size_t k = 0; k < edge->bend_count; k++) {
            nodes[l->count++] =
                (layout_node){.width = 8, .row = nodes[edge->from].row + 1 + k, .bend = true};
        }
    }
    l->nodes = nodes;
    return true;
}

/* Calls for each piece of an edge between neighbouring rows: counts (items NULL) or fills. */
static void link_pieces(const graph_layout *l, neighbours *up, neighbours *down, bool fill)
{
    for (size_t e = 0; e < l->edge_count; e++) {
        const layout_edge *edge = &l->edges[e];
        size_t from = edge->from;
        for (size_t k = 0; k <= edge->bend_count; k++) {
            const size_t to = k < edge->bend_count ? edge->bend + k : edge->to;
            if (fill) {
                up->items[up->first[to]++] = from;
                down->items[down->first[from]++] = to;
            } else {
                up->first[to + 1]++;
                down->first[from + 1]++;
            }
            from = to;
        }
    }
}

static bool list_neighbours(work *w, uc_arena *arena)
{
    const graph_layout *l = w->layout;
    neighbours *both[2] = {&w->up, &w->down};
    for (int k = 0; k < 2; k++) {
        both[k]->first = UC_NEW(arena, size_t, l->count + 2);
        both[k]->items = UC_NEW(arena, size_t, l->count + l->edge_count + 1);
        if (!both[k]->first || !both[k]->items) return false;
    }
    link_pieces(l, &w->up, &w->down, false);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < l->count; i++) {
            both[k]->first[i + 1] += both[k]->first[i];
        }
    }
    link_pieces(l, &w->up, &w->down, true);
    for (int k = 0; k < 2; k++) { /* filling moved each start to its end */
        memmove(both[k]->first + 1, both[k]->first, l->count * sizeof(size_t));
        both[k]->first[0] = 0;
    }
    return true;
}

static bool fill_rows(work *w, uc_arena *arena)
{
    const graph_layout *l = w->layout;
    w->order = UC_NEW(arena, size_t, l->count + 1);
    w->row_first = UC_NEW(arena, size_t, l->row_count + 2);
    w->key = UC_NEW(arena, double, l->count + 1);
    size_t *at = UC_NEW(arena, size_t, l->row_count + 1);
    if (!w->order || !w->row_first || !w->key || !at) return false;
    for (size_t i = 0; i < l->count; i++) {
        w->row_first[l->nodes[i].row + 1]++;
    }
    for (size_t r = 0; r < l->row_count; r++) {
        w->row_first[r + 1] += w->row_first[r];
        at[r] = w->row_first[r];
    }
    for (size_t i = 0; i < l->count; i++) {
        w->order[at[l->nodes[i].row]++] = i;
    }
    return true;
}

/* Side by side, in the row's order. */
static void pack_row(const work *w, size_t r)
{
    double x = 0;
    for (size_t i = w->row_first[r]; i < w->row_first[r + 1]; i++) {
        layout_node *n = &w->layout->nodes[w->order[i]];
        n->x = x + n->width / 2;
        x += n->width + w->gap;
    }
}

/* The mean place of the neighbours above or below; where it is when it has none. */
static double wanted(const work *w, size_t node, bool above)
{
    const neighbours *n = above ? &w->up : &w->down;
    const size_t begin = n->first[node], end = n->first[node + 1];
    double sum = 0;
    if (begin == end) return w->layout->nodes[node].x;
    for (size_t i = begin; i < end; i++) {
        sum += w->layout->nodes[n->items[i]].x;
    }
    return sum / (double)(end - begin);
}

/* Insertion by key keeps equal ones in their order: rows are short and nearly sorted. */
static void sort_row(const work *w, size_t r)
{
    for (size_t i = w->row_first[r] + 1; i < w->row_first[r + 1]; i++) {
        const size_t node = w->order[i];
        size_t k = i;
        for (; k > w->row_first[r] && w->key[w->order[k - 1]] > w->key[node]; k--) {
            w->order[k] = w->order[k - 1];
        }
        w->order[k] = node;
    }
}

/* As near to where they want to be as their widths allow: the mean of pushing right and pushing left. */
static void push_apart(const work *w, size_t r)
{
    layout_node *nodes = w->layout->nodes;
    const size_t begin = w->row_first[r], end = w->row_first[r + 1];
    double edge = -1e300;
    for (size_t i = begin; i < end; i++) { /* left to right */
        layout_node *n = &nodes[w->order[i]];
        const double least = edge + n->width / 2;
        n->x = w->key[w->order[i]] > least ? w->key[w->order[i]] : least;
        edge = n->x + n->width / 2 + w->gap;
    }
    edge = 1e300;
    for (size_t i = end; i-- > begin;) { /* right to left, and the mean of both */
        layout_node *n = &nodes[w->order[i]];
        const double most = edge - n->width / 2;
        const double x = w->key[w->order[i]] < most ? w->key[w->order[i]] : most;
        edge = x - n->width / 2 - w->gap;
        n->x = (n->x + x) / 2;
    }
}

static void sweep(const work *w, bool above, bool reorder)
{
    for (size_t k = 0; k < w->layout->row_count; k++) {
        const size_t r = above ? k : w->layout->row_count - 1 - k;
        for (size_t i = w->row_first[r]; i < w->row_first[r + 1]; i++) {
            w->key[w->order[i]] = wanted(w, w->order[i], above);
        }
        if (reorder) sort_row(w, r);
        push_apart(w, r);
    }
}

bool graph_layout_place(graph_layout *l, double gap, uc_arena *arena)
{
    work w = {.layout = l, .gap = gap};
    find_rows(l);
    if (!add_bends(l, arena) || !list_neighbours(&w, arena) || !fill_rows(&w, arena)) return false;
    for (size_t r = 0; r < l->row_count; r++) {
        pack_row(&w, r);
    }
    for (int i = 0; i < 2 * SWEEPS; i++) {
        sweep(&w, i % 2 == 0, i < SWEEPS);
    }
    double least = 1e300, most = -1e300;
    for (size_t i = 0; i < l->count; i++) {
        const layout_node *n = &l->nodes[i];
        if (n->x - n->width / 2 < least) least = n->x - n->width / 2;
        if (n->x + n->width / 2 > most) most = n->x + n->width / 2;
    }
    for (size_t i = 0; i < l->count; i++) {
        l->nodes[i].x -= least;
    }
    l->width = l->count ? most - least : 0;
    return true;
}
