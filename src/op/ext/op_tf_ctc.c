/* What a network read, as labels: CTCGreedyDecoder, CTCBeamSearchDecoder.
 *
 * Source: tensorflow/core/kernels/ctc_decoder_ops.cc, tensorflow/core/util/ctc/{ctc_decoder,ctc_beam_entry,
 * ctc_beam_search}.h. Scores are added in the input's type.
 * inputs  [time, batch, classes]; sequence_length  int32[batch]
 * ->  the indices, values and shape of a sparse tensor for each path, then log_probability [batch, paths] */
#include "op/ext/tf_call.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- both ------------------------------------------------------------------------------------ */

/* The paths that were read: places and labels of each as a sparse tensor has them. */
typedef struct paths {
    size_t count;
    uc_tf_numbers *indices, *values;
    int64_t *longest;
    int64_t batch;
    double *score; /* [batch, count] */
} paths;

static int64_t path_count(const uc_call *call)
{
    return call->out_count >= 4 ? ((int64_t)call->out_count - 1) / 3 : 0;
}

static uncork_status infer(uc_call *call)
{
    const size_t n = (size_t)path_count(call);
    if (n == 0 || call->out_count != 3 * n + 1)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "%zu outputs", call->out_count);
    for (size_t i = 0; i < n; i++) {
        UC_TRY(uc_tf_infer_open(call, i, UNCORK_INT64, 2));
        UC_TRY(uc_tf_infer_open(call, n + i, UNCORK_INT64, 1));
        UC_TRY(uc_tf_infer_open(call, 2 * n + i, UNCORK_INT64, 1));
    }
    return uc_tf_infer_open(call, 3 * n, uc_call_dtype(call, 0), 2);
}

static uncork_status begin(uc_call *call, paths *p)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lengths = uc_call_arg(call, 1);
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 3));
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    if (x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_FLOAT64)
        return uc_call_fail(call, UNCORK_INPUT, "input 0 is %s", uc_dtype_name(x->dtype));
    if (lengths->shape[0] != x->shape[1] || x->shape[2] < 1)
        return uc_call_fail(call, UNCORK_INPUT, "the lengths don't fit the batch");
    p->batch = x->shape[1];
    p->count = (size_t)path_count(call);
    p->indices = UC_NEW(call->arena, uc_tf_numbers, p->count);
    p->values = UC_NEW(call->arena, uc_tf_numbers, p->count);
    p->longest = UC_NEW(call->arena, int64_t, p->count);
    p->score = uc_call_scratch(call, (size_t)p->batch * p->count + 1, sizeof *p->score);
    if (!p->indices || !p->values || !p->longest || !p->score) return uc_fail_memory(call->error);
    for (size_t k = 0; k < p->count; k++) {
        p->indices[k].call = p->values[k].call = call;
    }
    for (int64_t b = 0; b < p->batch; b++) {
        const int64_t t = uc_tf_int_at(lengths, b);
        if (t < 0 || t > x->shape[0])
            return uc_call_fail(call, UNCORK_INPUT, "sequence %" PRId64 " has %" PRId64 " steps", b,
                                t);
    }
    return UNCORK_OK;
}

/* One more label of a path of sequence b. */
static void add_label(paths *p, size_t path, int64_t b, int64_t place, int64_t label)
{
    uc_tf_numbers_add(&p->indices[path], b);
    uc_tf_numbers_add(&p->indices[path], place);
    uc_tf_numbers_add(&p->values[path], label);
    if (place + 1 > p->longest[path]) p->longest[path] = place + 1;
}

static uncork_status give(uc_call *call, paths *p)
{
    const size_t n = p->count;
    uc_tensor *y = NULL;
    for (size_t k = 0; k < n; k++) {
        const int64_t many = (int64_t)p->values[k].count, pairs[] = {many, 2}, two = 2;
        uc_tf_numbers shape = {.call = call};
        uc_tf_numbers_add(&shape, p->batch);
        uc_tf_numbers_add(&shape, p->longest[k]);
        UC_TRY(uc_tf_numbers_give(&p->indices[k], k, UNCORK_INT64, 2, pairs));
        UC_TRY(uc_tf_numbers_give(&p->values[k], n + k, UNCORK_INT64, 1, &many));
        UC_TRY(uc_tf_numbers_give(&shape, 2 * n + k, UNCORK_INT64, 1, &two));
    }
    if (!uc_call_wants(call, 3 * n)) return UNCORK_OK;
    const int64_t shape[] = {p->batch, (int64_t)n};
    UC_TRY(uc_call_output(call, 3 * n, uc_call_arg(call, 0)->dtype, 2, shape, &y));
    for (int64_t i = 0; i < p->batch * (int64_t)n; i++) {
        uc_tf_put(y->data, i, y->dtype, p->score[i]);
    }
    return UNCORK_OK;
}

/* ---- the best label of each step --------------------------------------------------------------- */

static uncork_status run_greedy(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lengths = uc_call_arg(call, 1);
    const bool merge = uc_call_int(call, "merge_repeated", 0) != 0;
    paths p = {0};
    UC_TRY(begin(call, &p));
    const int64_t classes = x->shape[2], asked = uc_call_int(call, "blank_index", -1);
    const int64_t blank = asked < 0 ? classes + asked : asked;
    if (blank < 0 || blank >= classes)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "blank_index is %" PRId64, asked);
    for (int64_t b = 0; b < p.batch; b++) {
        int64_t before = -1, place = 0;
        double score = 0;
        for (int64_t t = 0; t < uc_tf_int_at(lengths, b); t++) {
            const int64_t row = (t * p.batch + b) * classes;
            int64_t best = 0;
            for (int64_t c = 1; c < classes; c++) {
                if (uc_tf_at(x, row + best) < uc_tf_at(x, row + c)) best = c;
            }
            score -= uc_tf_at(x, row + best);
            if (x->dtype == UNCORK_FLOAT32) score = (double)(float)score;
            if (best != blank && !(merge && best == before)) add_label(&p, 0, b, place++, best);
            before = best;
        }
        p.score[b] = score;
    }
    return give(call, &p);
}
UC_TF_ROW(tf_ctc_greedy, "TfCTCGreedyDecoder", 2, 2, 4, infer, run_greedy)

/* ---- beams ------------------------------------------------------------------------------------- */

typedef struct chances {
    double total, blank, label; /* logarithms; total is NOTHING: not in the beam */
} chances;

static const double NOTHING = -(double)INFINITY;

/* A prefix of labels: the labels on the way from the root. */
typedef struct beam {
    struct beam *parent, *child, *next; /* its first child, its next brother */
    int64_t label;
    chances before, now;
} beam;

typedef struct search {
    uc_call *call;
    const uc_tensor *x;
    bool single; /* float32 */
    int64_t width, classes;
    beam **leaves, **old; /* [width] */
    int64_t count;
    int64_t worst; /* of the leaves, -1: to be found */
} search;

static double rounded(const search *s, double v) { return s->single ? (double)(float)v : v; }

static double sum_of(const search *s, double a, double b)
{
    const double most = a > b ? a : b, least = a > b ? b : a;
    if (isinf(a) && isinf(b)) return NOTHING;
    return rounded(s, most + rounded(s, log1p(rounded(s, exp(rounded(s, least - most))))));
}

static void reset(chances *c) { *c = (chances){NOTHING, NOTHING, NOTHING}; }

static int64_t worst_of(search *s)
{
    if (s->worst >= 0) return s->worst;
    s->worst = 0;
    for (int64_t k = 1; k < s->count; k++) {
        if (s->leaves[k]->now.total < s->leaves[s->worst]->now.total) s->worst = k;
    }
    return s->worst;
}

static bool is_candidate(search *s, double total)
{
    if (!(total > NOTHING)) return false;
    return s->count < s->width || total > s->leaves[worst_of(s)]->now.total;
}

static void push(search *s, beam *b)
{
    if (s->count < s->width) {
        s->leaves[s->count++] = b;
    } else {
        const int64_t at = worst_of(s);
        reset(&s->leaves[at]->now);
        s->leaves[at] = b;
    }
    s->worst = -1;
}

static beam *new_beam(search *s, beam *parent, int64_t label)
{
    beam *b = UC_NEW(s->call->arena, beam, 1);
    if (!b) return NULL;
    *b = (beam){.parent = parent, .label = label};
    reset(&b->before);
    reset(&b->now);
    if (parent) {
        b->next = parent->child;
        parent->child = b;
    }
    return b;
}

static int by_total(const void *a, const void *b)
{
    const beam *x = *(beam *const *)a, *y = *(beam *const *)b;
    return (x->now.total < y->now.total) - (x->now.total > y->now.total);
}

/* What the leaves are worth once they have seen the step's scores. */
static void advance(search *s, int64_t row, double offset)
{
    for (int64_t i = 0; i < s->count; i++) {
        beam *b = s->old[i];
        if (b->parent) {
            const beam *from = b->parent;
            if (from->now.total > NOTHING) {
                const double last =
                    b->label == from->label ? from->before.blank : from->before.total;
                b->now.label = sum_of(s, b->now.label, last);
            }
            b->now.label =
                rounded(s, b->now.label + rounded(s, uc_tf_at(s->x, row + b->label) - offset));
        }
        const double blank = rounded(s, uc_tf_at(s->x, row + s->classes - 1));
        b->now.blank = rounded(s, rounded(s, b->before.total + blank) - offset);
        b->now.total = sum_of(s, b->now.blank, b->now.label);
    }
}

/* The leaf with one more label, where that is worth a place in the beam. */
static bool extend(search *s, beam *b, int64_t label, double score)
{
    beam *c = b->child;
    while (c && c->label != label) {
        c = c->next;
    }
    if (c && c->now.total > NOTHING) return true;
    const double last = label == b->label ? b->before.blank : b->before.total;
    const double total = rounded(s, score + last);
    if (!is_candidate(s, total)) {
        if (c) reset(&c->before);
        return true;
    }
    if (!c) c = new_beam(s, b, label);
    if (!c) return false;
    c->now = (chances){total, NOTHING, total};
    push(s, c);
    return true;
}

static bool step(search *s, int64_t row)
{
    double most = uc_tf_at(s->x, row), sum = 0;
    for (int64_t c = 1; c < s->classes; c++) {
        if (uc_tf_at(s->x, row + c) > most) most = uc_tf_at(s->x, row + c);
    }
    for (int64_t c = 0; c < s->classes; c++) {
        sum = rounded(s, sum + rounded(s, exp(rounded(s, uc_tf_at(s->x, row + c) - most))));
    }
    const double offset = rounded(s, most + rounded(s, log(sum)));
    qsort(s->leaves, (size_t)s->count, sizeof(beam *), by_total);
    const int64_t count = s->count;
    for (int64_t i = 0; i < count; i++) {
        s->old[i] = s->leaves[i];
        s->old[i]->before = s->old[i]->now;
    }
    advance(s, row, offset);
    s->worst = -1;
    for (int64_t i = 0; i < count; i++) {
        if (!is_candidate(s, s->old[i]->before.total)) continue;
        for (int64_t c = 0; c + 1 < s->classes; c++) {
            const double score = rounded(s, uc_tf_at(s->x, row + c) - offset);
            if (!extend(s, s->old[i], c, score)) return false;
        }
    }
    return true;
}

/* The labels of a leaf, first to last; a run of the same label may count as one. */
static uncork_status read_labels(search *s, paths *p, size_t path, int64_t b, const beam *leaf,
                                 bool merge)
{
    uc_tf_numbers labels = {.call = s->call};
    int64_t before = -1;
    for (; leaf->parent; leaf = leaf->parent) {
        if (!merge || leaf->label != before) uc_tf_numbers_add(&labels, leaf->label);
        before = leaf->label;
    }
    if (labels.failed) return uc_arena_status(s->call->arena, s->call->error);
    for (size_t i = labels.count; i-- > 0;) {
        add_label(p, path, b, (int64_t)(labels.count - 1 - i), labels.items[i]);
    }
    return UNCORK_OK;
}

static uncork_status run_beams(uc_call *call)
{
    enum { MOST_WIDTH = 1 << 16 };
    const uc_tensor *x = uc_call_arg(call, 0), *lengths = uc_call_arg(call, 1);
    const bool merge = uc_call_int(call, "merge_repeated", 1) != 0;
    search s = {.call = call, .x = x, .width = uc_call_int(call, "beam_width", 0)};
    paths p = {0};
    UC_TRY(begin(call, &p));
    if (s.width < (int64_t)p.count || s.width > MOST_WIDTH)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "beam_width is %" PRId64, s.width);
    s.classes = x->shape[2];
    s.single = x->dtype == UNCORK_FLOAT32;
    s.leaves = uc_call_scratch(call, (size_t)s.width, sizeof(beam *));
    s.old = uc_call_scratch(call, (size_t)s.width, sizeof(beam *));
    if (!s.leaves || !s.old) return uc_fail_memory(call->error);
    for (int64_t b = 0; b < p.batch; b++) {
        beam *root = new_beam(&s, NULL, -1);
        if (!root) return uc_arena_status(call->arena, call->error);
        root->now.total = root->now.blank = 0;
        s.leaves[0] = root;
        s.count = 1;
        for (int64_t t = 0; t < uc_tf_int_at(lengths, b); t++) {
            if (!step(&s, (t * p.batch + b) * s.classes))
                return uc_arena_status(call->arena, call->error);
        }
        if (s.count < (int64_t)p.count)
            return uc_call_fail(call, UNCORK_INPUT, "fewer paths than top_paths");
        qsort(s.leaves, (size_t)s.count, sizeof(beam *), by_total);
        for (size_t k = 0; k < p.count; k++) {
            p.score[(size_t)b * p.count + k] = s.leaves[k]->now.total;
            UC_TRY(read_labels(&s, &p, k, b, s.leaves[k], merge));
        }
    }
    return give(call, &p);
}
UC_TF_ROW(tf_ctc_beams, "TfCTCBeamSearchDecoder", 2, 2, -1, infer, run_beams)
