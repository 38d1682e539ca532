/* The likeliest network of hand-made weights. Keys show layers with weights and their widths; what stands
 * between them (activations, pools, padding) is in no key: gaps in a Sequential's numbers and the number of
 * cells that the first dense layer takes bound it. What is left is said as assumed. */
#include "base/writer.h"
#include "import/pytorch/zoo/zoo_text.h"

#include <stdio.h>
#include <stdlib.h>

#define LAYERS 64

enum { CONV, DENSE, NORM, LAYER_NORM, PRELU };

typedef struct piece {
    int kind;
    const char *name;
    int64_t out, in, kernel, groups;
    bool bias;
    int gap; /* numbers left out behind it, -1: not known */
} piece;

typedef struct plan {
    const uc_t_state *state;
    uc_arena *arena;
    piece of[LAYERS];
    int count;
    int first_dense;     /* count: none */
    bool pooled[LAYERS]; /* a pool of 2 behind */
    bool same;           /* padding keeps sizes */
    bool global;         /* the mean of all cells goes into the dense layers */
    int64_t side;        /* of the picture that fits; 0: not known */
} plan;

static const uc_tensor *tensor(const plan *p, const char *layer, const char *name)
{
    char key[512];
    snprintf(key, sizeof key, "%s%s%s", layer, *layer ? "." : "", name);
    return uc_t_state_find(p->state, key);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static bool read_piece(plan *p, const char *layer, int64_t channels)
{
    piece *q = &p->of[p->count];
    const uc_tensor *w = tensor(p, layer, "weight");
    *q = (piece){.name = layer, .groups = 1, .gap = -1, .bias = tensor(p, layer, "bias") != NULL};
    if (!w || w->rank < 1 || p->count + 1 >= LAYERS) return false;
    q->out = q->in = w->shape[0];
    if (w->rank == 1) {
        q->kind = tensor(p, layer, "running_mean") ? NORM : q->bias ? LAYER_NORM : PRELU;
        return q->kind == PRELU || channels == q->out || (channels == 0 && q->kind == NORM);
    }
    q->in = w->shape[1];
    if (w->rank == 2) {
        q->kind = DENSE;
        return true;
    }
    if (w->rank != 4 || w->shape[2] != w->shape[3]) return false;
    q->kind = CONV;
    q->kernel = w->shape[2];
    if (channels && q->in != channels) { /* one filter a channel */
        if (q->in < 1 || channels % q->in) return false;
        q->groups = channels / q->in;
        q->in = channels;
    }
    return q->out % q->groups == 0;
}

/* The number at the end of "features.3", -1 when there is none; how long the rest is. */
static int number_of(const char *name, size_t *rest)
{
    const char *dot = strrchr(name, '.'), *digits = dot ? dot + 1 : name;
    *rest = (size_t)(digits - name);
    if (!*digits || strlen(digits) > 4) return -1;
    for (const char *c = digits; *c; c++) {
        if (*c < '0' || *c > '9') return -1;
    }
    return atoi(digits);
}

static void read_gaps(plan *p)
{
    size_t rest, other;
    for (int i = 0; i + 1 < p->count; i++) {
        const int a = number_of(p->of[i].name, &rest), b = number_of(p->of[i + 1].name, &other);
        if (a < 0 || b <= a || rest != other) continue;
        if (strncmp(p->of[i].name, p->of[i + 1].name, rest) == 0) p->of[i].gap = b - a - 1;
    }
}

static bool read_plan(plan *p)
{
    const char **groups;
    int64_t channels = 0;
    const size_t count = uc_z_groups(p->state, p->arena, &groups);
    for (size_t i = 0; i < count; i++) {
        if (!read_piece(p, groups[i], channels)) return false;
        const piece *q = &p->of[p->count];
        if (q->kind == CONV || q->kind == DENSE) channels = q->out;
        p->count++;
    }
    p->first_dense = p->count;
    for (int i = p->count - 1; i >= 0; i--) {
        if (p->of[i].kind == DENSE) p->first_dense = i;
    }
    for (int i = p->first_dense; i + 1 < p->count;
         i++) { /* no convolution behind, widths that fit */
        const piece *a = &p->of[i], *b = &p->of[i + 1];
        if (b->kind == CONV || (b->kind == DENSE && b->in != a->out)) return false;
    }
    read_gaps(p);
    return p->count > 0;
}

/* ---- what stands between ---------------------------------------------------------------------- */

static bool last_of_conv(const plan *p, int i)
{
    const bool conv = p->of[i].kind == CONV || (p->of[i].kind != DENSE && i < p->first_dense);
    return conv && (i + 1 >= p->first_dense || p->of[i + 1].kind == CONV);
}

/* A gap of two or more behind a convolution (three before a Flatten of the same numbers) holds a pool. */
static bool gap_pools(const plan *p, int i)
{
    const bool flat = i + 1 == p->first_dense && p->first_dense < p->count;
    return p->of[i].gap >= (flat ? 3 : 2);
}

/* Pools by one of a few habits; where numbers show gaps, by these. False: no such habit. */
static bool place_pools(plan *p, int habit)
{
    int block = 0, blocks = 0;
    for (int i = 0; i < p->first_dense; i++) {
        blocks += last_of_conv(p, i);
    }
    for (int i = 0; i < p->first_dense; i++) {
        p->pooled[i] = false;
        if (!last_of_conv(p, i)) continue;
        block++;
        if (p->of[i].gap >= 0) {
            p->pooled[i] = gap_pools(p, i);
            continue;
        }
        p->pooled[i] = habit == 0 || (habit == 1 && block % 2 == 0) ||
                       (habit == 2 && block == blocks) || (habit == 3 && block < blocks);
    }
    return habit < 5;
}

/* The side of what a picture becomes in front of the dense layers; 0: it is too small. */
static int64_t side_behind(const plan *p, int64_t side)
{
    for (int i = 0; i < p->first_dense; i++) {
        const piece *q = &p->of[i];
        if (q->kind == CONV) {
            const int64_t pad = p->same ? (q->kernel - 1) / 2 : 0;
            side = side + 2 * pad - q->kernel + 1;
        }
        if (p->pooled[i]) side /= 2;
        if (side < 1) return 0;
    }
    return side;
}

static int64_t channels_before_dense(const plan *p)
{
    int64_t c = 0;
    for (int i = 0; i < p->first_dense; i++) {
        if (p->of[i].kind == CONV) c = p->of[i].out;
    }
    return c;
}

/* Padding, pools and a picture's side that give the first dense layer as many values as it takes. */
static bool solve(plan *p)
{
    static const int64_t sides[] = {28,  32,  224, 64,  128, 48,  96,  256, 150, 100, 180,
                                    200, 120, 160, 192, 227, 299, 512, 50,  16,  8};
    const int64_t c = channels_before_dense(p);
    const int64_t in = p->first_dense < p->count ? p->of[p->first_dense].in : 0;
    if (!in || !c) {
        p->same = true;
        return place_pools(p, 4);
    }
    if (in % c) return false;
    p->global = in == c;
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
        for (int habit = 0; habit < 5; habit++) {
            for (int same = 1; same >= 0; same--) {
                p->same = same;
                place_pools(p, habit);
                const int64_t cells = side_behind(p, sides[s]);
                p->side = sides[s];
                if (cells && (p->global || c * cells * cells == in)) return true;
            }
        }
    }
    return false;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static void write_piece(uc_writer *w, const plan *p, const piece *q)
{
    if (q->kind == CONV) {
        const long long pad = p->same ? (q->kernel - 1) / 2 : 0;
        uc_writer_printf(w, "Conv2d(%lld, %lld, %lld", (long long)q->in, (long long)q->out,
                         (long long)q->kernel);
        if (pad) uc_writer_printf(w, ", padding=%lld", pad);
        if (q->groups > 1) uc_writer_printf(w, ", groups=%lld", (long long)q->groups);
    } else if (q->kind == DENSE) {
        uc_writer_printf(w, "Linear(%lld, %lld", (long long)q->in, (long long)q->out);
    } else {
        uc_writer_printf(w, "%s(%lld)",
                         q->kind == PRELU                        ? "PReLU"
                         : q->kind == LAYER_NORM                 ? "LayerNorm"
                         : q->name && q - p->of > p->first_dense ? "BatchNorm1d"
                                                                 : "BatchNorm2d",
                         (long long)q->out);
        return;
    }
    uc_writer_text(w, q->bias ? ")" : ", bias=False)");
}

/* Whether an activation stands behind a layer: behind its norm, and not at the end. */
static bool activated(const plan *p, int i)
{
    if (i + 1 >= p->count || p->of[i].kind == PRELU) return false;
    const int next = p->of[i + 1].kind;
    return p->of[i].gap != 0 && next != NORM && next != LAYER_NORM && next != PRELU;
}

static const char *write_plan(const plan *p)
{
    uc_writer w;
    uc_writer_init(&w, 16384);
    uc_writer_text(&w, "Sequential(");
    for (int i = 0; i < p->count; i++) {
        if (i) uc_writer_text(&w, ", ");
        if (i && i == p->first_dense) {
            uc_writer_text(&w, p->global ? "AdaptiveAvgPool2d(1), Flatten(), " : "Flatten(), ");
        }
        write_piece(&w, p, &p->of[i]);
        if (activated(p, i)) uc_writer_text(&w, ", ReLU()");
        if (i < p->first_dense && p->pooled[i]) uc_writer_text(&w, ", MaxPool2d(2)");
    }
    uc_writer_text(&w, ")");
    const char *text = w.status ? NULL : uc_arena_str(p->arena, uc_writer_string(&w));
    uc_writer_done(&w);
    return text;
}

const char *uc_z_propose(const uc_t_state *state, uc_arena *arena, const char **assumed)
{
    plan *p = UC_NEW(arena, plan, 1);
    if (!p) return NULL;
    p->state = state;
    p->arena = arena;
    if (!read_plan(p) || !solve(p)) return NULL;
    *assumed = p->side && !p->global
                   ? uc_arena_printf(arena, "ReLU, pools of 2, padding, pictures of %lldx%lld",
                                     (long long)p->side, (long long)p->side)
                   : uc_arena_str(arena, "ReLU, pools of 2 and padding");
    return write_plan(p);
}
