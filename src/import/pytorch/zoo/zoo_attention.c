/* Attention as vision transformers share it: heads, tokens, shifted windows of sizes that may be known
 * only when the network runs. */
#include "import/pytorch/zoo/zoo_attention.h"

static const int64_t middle[] = {0, 2, 1, 3};

uc_ref uc_z_heads(uc_zoo *z, uc_zv x, int64_t heads)
{
    if (heads < 1 || x.c % heads != 0) {
        uc_z_unlike(z, "%d channels in %d heads", (int)x.c, (int)heads);
        return 0;
    }
    const int64_t shape[] = {0, 0, heads, x.c / heads};
    return uc_t_permute(z->build, uc_t_reshape0(z->build, x.ref, shape, 4), middle, 4);
}

uc_zv uc_z_unheads(uc_zoo *z, uc_ref x, int64_t channels)
{
    const int64_t shape[] = {0, 0, channels};
    const uc_ref y = uc_t_permute(z->build, x, middle, 4);
    return (uc_zv){uc_t_reshape0(z->build, y, shape, 3), channels};
}

uc_zv uc_z_attend(uc_zoo *z, uc_zv q, uc_zv k, uc_zv v, int64_t heads, uc_ref mask)
{
    const uc_ref y = uc_t_sdpa(z->build, uc_z_heads(z, q, heads), uc_z_heads(z, k, heads),
                               uc_z_heads(z, v, heads), mask, false, 0);
    return uc_z_unheads(z, y, v.c);
}

void uc_z_thirds(uc_zoo *z, uc_zv x, uc_zv out[3])
{
    const int64_t each = x.c / 3, sizes[] = {each, each, each};
    uc_ref refs[3] = {0};
    if (x.c % 3 != 0) uc_z_unlike(z, "%d channels of three", (int)x.c);
    uc_t_split(z->build, x.ref, sizes, 3, -1, refs);
    for (int i = 0; i < 3; i++) {
        out[i] = (uc_zv){refs[i], each};
    }
}

uc_zv uc_z_attend_fused(uc_zoo *z, const char *name, uc_zv x, int64_t heads, uc_ref mask)
{
    uc_zv parts[3];
    const bool bias = uc_z_has(z, uc_z_key(z, "%s.bias", name));
    uc_z_thirds(z, uc_z_linear(z, name, x, 3 * x.c, bias), parts);
    return uc_z_attend(z, parts[0], parts[1], parts[2], heads, mask);
}

uc_ref uc_z_qkv_bias(uc_zoo *z, const char *start, int64_t c)
{
    uc_t_build *b = z->build;
    const int64_t shape[] = {c};
    const char *query = uc_z_key(z, "%sq_bias", start);
    uc_ref parts[3] = {0};
    double *zeros = UC_NEW(z->arena, double, (size_t)c + 1);
    if (!zeros) return uc_t_fail(b, "no memory for %d channels", (int)c);
    parts[1] = uc_t_values(b, UNCORK_FLOAT32, zeros, 1, shape);
    if (uc_z_has(z, query)) {
        parts[0] = UC_Z_P(z, query, c);
        parts[2] = UC_Z_P(z, uc_z_key(z, "%sv_bias", start), c);
        uc_z_skip(z, uc_z_key(z, "%sk_bias", start));
    } else {
        const uc_ref all = UC_Z_P(z, uc_z_key(z, "%sqkv.bias", start), 3 * c);
        parts[0] = uc_t_slice(b, all, 0, 0, c, 1);
        parts[2] = uc_t_slice(b, all, 0, 2 * c, 3 * c, 1);
    }
    return uc_t_cat(b, parts, 3, 0);
}

uc_zv uc_z_mlp(uc_zoo *z, const char *first, const char *second, const char *act, uc_zv x)
{
    const int64_t c = x.c;
    x = uc_z_act(z, act, uc_z_linear(z, first, x, 0, true));
    return uc_z_linear(z, second, x, c, true);
}

uc_zv uc_z_tokens(uc_zoo *z, uc_zv x)
{
    static const int64_t last[] = {0, 2, 1};
    const uc_ref y = uc_t_flatten(z->build, x.ref, 2, -1);
    return (uc_zv){uc_t_permute(z->build, y, last, 3), x.c};
}

uc_ref uc_z_token_of_each(uc_zoo *z, uc_ref token, uc_ref batch_of)
{
    uc_graph *g = z->build->graph;
    const int64_t ones[] = {1, 1};
    const uc_ref n = uc_t_unsqueeze(z->build, uc_t_size(z->build, batch_of, 0), 0);
    const uc_ref parts[] = {n, uc_graph_i64s(g, ones, 2)};
    return uc_g2(g, "Expand", token, uc_g_concat(g, parts, 2, 0));
}

/* ---- sizes known when it runs --------------------------------------------------------------- */

uc_ref uc_z_i64(uc_zoo *z, int64_t v) { return uc_graph_i64(z->build->graph, v); }

uc_ref uc_z_reshape_to(uc_zoo *z, uc_ref x, const uc_ref *dims, size_t count)
{
    uc_ref parts[8];
    for (size_t i = 0; i < count && i < 8; i++) {
        parts[i] = uc_t_unsqueeze(z->build, dims[i], 0);
    }
    return uc_g2(z->build->graph, "Reshape", x,
                 uc_g_concat(z->build->graph, parts, count < 8 ? count : 8, 0));
}

static uc_ref op2(uc_zoo *z, const char *op, uc_ref a, uc_ref b)
{
    return uc_g2(z->build->graph, op, a, b);
}

uc_zv uc_z_untokens(uc_zoo *z, uc_zv x, uc_ref like)
{
    static const int64_t first[] = {0, 2, 1};
    uc_t_build *b = z->build;
    const uc_ref dims[] = {uc_t_size(b, like, 0), uc_z_i64(z, x.c), uc_t_size(b, like, 2),
                           uc_t_size(b, like, 3)};
    return (uc_zv){uc_z_reshape_to(z, uc_t_permute(b, x.ref, first, 3), dims, 4), x.c};
}

/* ---- windows ---------------------------------------------------------------------------------- */

/* One axis: how long, padded how long, shifted how far (not at all where one window holds it). */
typedef struct line {
    uc_ref size, padded, windows, shift, shifted; /* shifted: 1 or 0 */
} line;

static line line_of(uc_zoo *z, uc_ref x, int axis, int64_t window, int64_t shift)
{
    uc_graph *g = z->build->graph;
    line l = {.size = uc_t_size(z->build, x, axis)};
    const uc_ref w = uc_z_i64(z, window);
    const uc_ref up = op2(z, "Add", l.size, uc_z_i64(z, window - 1));
    l.windows = op2(z, "Div", up, w);
    l.padded = op2(z, "Mul", l.windows, w);
    l.shifted = uc_g_cast(g, op2(z, "Less", w, l.padded), UNCORK_INT64);
    l.shift = op2(z, "Mul", l.shifted, uc_z_i64(z, shift));
    return l;
}

/* Zeros behind rows and columns of [N, H, W, c]. */
static uc_ref pad(uc_zoo *z, uc_ref x, const line *rows, const line *columns)
{
    uc_graph *g = z->build->graph;
    const int64_t zeros[] = {0, 0, 0, 0, 0};
    const uc_ref parts[] = {
        uc_graph_i64s(g, zeros, 5),
        uc_t_unsqueeze(z->build, op2(z, "Sub", rows->padded, rows->size), 0),
        uc_t_unsqueeze(z->build, op2(z, "Sub", columns->padded, columns->size), 0),
        uc_graph_i64s(g, zeros, 1)};
    return op2(z, "Pad", x, uc_g_concat(g, parts, 4, 0));
}

static uc_ref cut(uc_zoo *z, uc_ref x, int64_t axis, uc_ref begin, uc_ref end)
{
    uc_graph *g = z->build->graph;
    const uc_ref in[] = {x, uc_t_unsqueeze(z->build, begin, 0), uc_t_unsqueeze(z->build, end, 0),
                         uc_graph_i64s(g, &axis, 1)};
    return uc_node_out(uc_graph_node(g, "Slice", in, 4, 1), 0);
}

/* What stands at `from` comes first. */
static uc_ref roll(uc_zoo *z, uc_ref x, int64_t axis, uc_ref from)
{
    const uc_ref parts[] = {cut(z, x, axis, from, uc_z_i64(z, INT64_MAX)),
                            cut(z, x, axis, uc_z_i64(z, 0), from)};
    return uc_g_concat(z->build->graph, parts, 2, axis);
}

/* Which of three stretches a cell of a shifted axis came from: [padded]. */
static uc_ref region(uc_zoo *z, const line *l, int64_t window)
{
    uc_graph *g = z->build->graph;
    const uc_ref at = uc_g3(g, "Range", uc_z_i64(z, 0), l->padded, uc_z_i64(z, 1));
    const uc_ref last = op2(z, "GreaterOrEqual", at, op2(z, "Sub", l->padded, uc_z_i64(z, window)));
    const uc_ref wrapped = op2(z, "GreaterOrEqual", at, op2(z, "Sub", l->padded, l->shift));
    const uc_ref sum =
        op2(z, "Add", uc_g_cast(g, last, UNCORK_INT64), uc_g_cast(g, wrapped, UNCORK_INT64));
    return op2(z, "Mul", sum, l->shifted);
}

/* -100 between cells of a window that weren't neighbours before the shift: [windows, 1, n, n]. */
static uc_ref shift_mask(uc_zoo *z, const line *rows, const line *columns, int64_t window)
{
    uc_graph *g = z->build->graph;
    uc_t_build *b = z->build;
    const uc_ref w = uc_z_i64(z, window), n = uc_z_i64(z, window * window);
    uc_ref r = op2(z, "Mul", region(z, rows, window), uc_z_i64(z, 3));
    r = op2(z, "Add", uc_t_unsqueeze(b, r, 1), uc_t_unsqueeze(b, region(z, columns, window), 0));
    const uc_ref tiles[] = {rows->windows, w, columns->windows, w};
    r = uc_t_permute(b, uc_z_reshape_to(z, r, tiles, 4), middle, 4);
    const uc_ref flat[] = {uc_z_i64(z, -1), n};
    r = uc_z_reshape_to(z, r, flat, 2);
    const uc_ref other =
        uc_g1(g, "Not", op2(z, "Equal", uc_t_unsqueeze(b, r, 1), uc_t_unsqueeze(b, r, 2)));
    const uc_ref mask = uc_g_where(g, other, uc_graph_f32(g, -100), uc_graph_f32(g, 0));
    return uc_t_unsqueeze(b, mask, 1);
}

/* q, k, v of [windows, n, 3 c]. */
static void project(uc_zoo *z, uc_zv x, const uc_z_windows *w, uc_ref qkv[3])
{
    uc_zv parts[3];
    const uc_ref all = uc_t_linear(z->build, x.ref, w->qkv_weight, w->qkv_bias);
    uc_z_thirds(z, (uc_zv){all, 3 * x.c}, parts);
    for (int i = 0; i < 3; i++) {
        qkv[i] = uc_z_heads(z, parts[i], w->heads);
    }
}

static uc_ref scores(uc_zoo *z, const uc_z_windows *w, const uc_ref qkv[3], int64_t size)
{
    uc_t_build *b = z->build;
    if (!w->logit_scale) {
        const uc_ref q = uc_t_mul_number(b, qkv[0], 1 / __builtin_sqrt((double)size));
        return uc_t_matmul(b, q, uc_t_transpose(b, qkv[1], -2, -1));
    }
    const uc_ref q = uc_t_normalize(b, qkv[0], 2, -1, 1e-12);
    const uc_ref k = uc_t_normalize(b, qkv[1], 2, -1, 1e-12);
    return uc_t_mul(b, uc_t_matmul(b, q, uc_t_transpose(b, k, -2, -1)), w->logit_scale);
}

uc_zv uc_z_window_attention(uc_zoo *z, uc_zv x, const uc_z_windows *w)
{
    static const int64_t tile[] = {0, 1, 3, 2, 4, 5};
    uc_t_build *b = z->build;
    const line rows = line_of(z, x.ref, 1, w->window, w->shift);
    const line columns = line_of(z, x.ref, 2, w->window, w->shift);
    const uc_ref side = uc_z_i64(z, w->window), rest = uc_z_i64(z, -1), c = uc_z_i64(z, x.c);
    const uc_ref batch = uc_t_size(b, x.ref, 0);
    uc_ref y = pad(z, x.ref, &rows, &columns);
    if (w->shift) y = roll(z, roll(z, y, 1, rows.shift), 2, columns.shift);
    const uc_ref tiles[] = {batch, rows.windows, side, columns.windows, side, c};
    y = uc_t_permute(b, uc_z_reshape_to(z, y, tiles, 6), tile, 6);
    const uc_ref flat[] = {rest, uc_z_i64(z, w->window * w->window), c};
    y = uc_z_reshape_to(z, y, flat, 3);
    uc_ref qkv[3];
    project(z, (uc_zv){y, x.c}, w, qkv);
    uc_ref s = uc_t_add(b, scores(z, w, qkv, w->heads ? x.c / w->heads : 1), w->bias);
    if (w->shift) {
        const uc_ref n = uc_z_i64(z, w->window * w->window), heads = uc_z_i64(z, w->heads);
        const uc_ref windows = op2(z, "Mul", rows.windows, columns.windows);
        const uc_ref split[] = {batch, windows, heads, n, n}, joined[] = {rest, heads, n, n};
        s = uc_t_add(b, uc_z_reshape_to(z, s, split, 5), shift_mask(z, &rows, &columns, w->window));
        s = uc_z_reshape_to(z, s, joined, 4);
    }
    s = uc_t_matmul(b, uc_t_softmax(b, s, -1), qkv[2]);
    uc_zv out = uc_z_linear(z, w->out, uc_z_unheads(z, s, x.c), x.c, true);
    const uc_ref back[] = {batch, rows.windows, columns.windows, side, side, c};
    y = uc_t_permute(b, uc_z_reshape_to(z, out.ref, back, 6), tile, 6);
    const uc_ref whole[] = {batch, rows.padded, columns.padded, c};
    y = uc_z_reshape_to(z, y, whole, 4);
    if (w->shift) {
        y = roll(z, y, 1, op2(z, "Sub", rows.padded, rows.shift));
        y = roll(z, y, 2, op2(z, "Sub", columns.padded, columns.shift));
    }
    y = cut(z, y, 1, uc_z_i64(z, 0), rows.size);
    return (uc_zv){cut(z, y, 2, uc_z_i64(z, 0), columns.size), x.c};
}

/* ---- relative positions ----------------------------------------------------------------------- */

uc_ref uc_z_relative_index(uc_zoo *z, int64_t rows, int64_t columns)
{
    const int64_t n = rows * columns;
    if (rows < 1 || columns < 1 || rows > 64 || columns > 64) {
        uc_z_unlike(z, "a window of %dx%d", (int)rows, (int)columns);
        return 0;
    }
    if (z->matching) return 0;
    int64_t *index = UC_NEW(z->arena, int64_t, (size_t)(n * n));
    if (!index) return uc_t_fail(z->build, "no memory for a window's positions");
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            const int64_t dy = i / columns - j / columns + rows - 1;
            const int64_t dx = i % columns - j % columns + columns - 1;
            index[i * n + j] = dy * (2 * columns - 1) + dx;
        }
    }
    return uc_graph_i64s(z->build->graph, index, n * n);
}

uc_ref uc_z_relative_bias(uc_zoo *z, uc_ref table, uc_ref index, int64_t cells)
{
    static const int64_t first[] = {2, 0, 1};
    const int64_t shape[] = {cells, cells, -1};
    uc_ref bias = uc_g_gather(z->build->graph, table, index, 0);
    bias = uc_t_permute(z->build, uc_t_reshape(z->build, bias, shape, 3), first, 3);
    return uc_t_unsqueeze(z->build, bias, 0);
}
