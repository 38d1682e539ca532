/* A chain of layers one after the other, with whole tensors in scratch between them. */
#include "base/bytes.h"
#include "kernel/conv_blocked.h"

/* Floats of the tensors between the layers; absent layers have none. */
static bool between(const uc_chain *c, size_t *first, size_t *second)
{
    const uc_conv *s = &c->spatial;
    const int64_t blocks = (s->ic + s->block - 1) / s->block;
    size_t lanes = 0, in = 0, out = 0;
    if (!uc_mul_size((size_t)s->batch, (size_t)(blocks * s->block), &lanes) ||
        !uc_mul_size((size_t)(s->ih * s->iw), lanes, &in) ||
        !uc_mul_size((size_t)(s->oh * s->ow), lanes, &out)) {
        return false;
    }
    *first = c->has_expand ? in : 0;
    *second = c->has_project ? out : 0;
    return true;
}

/* The scratch that the hungriest layer wants, a multiple of a line. */
static bool largest(const uc_conv_row *row, const uc_chain *c, int threads, size_t *count)
{
    const uc_conv *layers[] = {&c->expand, &c->spatial, &c->project};
    const bool has[] = {c->has_expand, true, c->has_project};
    *count = 0;
    for (int i = 0; i < 3; i++) {
        size_t one = 0;
        if (has[i] && !row->scratch_count(layers[i], threads, &one)) return false;
        if (one > *count) *count = one;
    }
    if (!uc_add_size(*count, 15, count)) return false;
    *count = *count / 16 * 16;
    return true;
}

bool uc_chain_apart_scratch(const uc_conv_row *row, const uc_chain *c, int threads, size_t *count)
{
    size_t first, second, most;
    return between(c, &first, &second) && largest(row, c, threads, &most) &&
           uc_add_size(first, second, count) && uc_add_size(*count, most, count);
}

void uc_chain_apart_run(const uc_conv_row *row, const uc_chain *c, const uc_chain_args *args)
{
    size_t first, second, most;
    if (!between(c, &first, &second) || !largest(row, c, uc_pool_threads(args->pool), &most)) {
        return; /* the scratch could not have been counted */
    }
    float *middle = args->scratch + most, *after = middle + first;
    uc_conv_args one = {.x = args->x, .pool = args->pool, .scratch = args->scratch};
    if (c->has_expand) {
        one.packed = args->expand;
        one.y = middle;
        row->run(&c->expand, &one);
        one.x = middle;
    }
    one.packed = args->spatial;
    one.y = c->has_project ? after : args->y;
    row->run(&c->spatial, &one);
    if (!c->has_project) return;
    one.x = after;
    one.packed = args->project;
    one.y = args->y;
    one.residual = args->residual;
    row->run(&c->project, &one);
}
