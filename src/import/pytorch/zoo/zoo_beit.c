/* BEiT and BEiT v2 (Data2Vec's vision tower has the same layers) with timm's and transformers' keys: queries
 * and values have biases, keys none, and each layer or all of them add relative positions.
 * Source: timm/models/beit.py; transformers/models/beit/modeling_beit.py. */
#include "import/pytorch/zoo/zoo_attention.h"

typedef struct names {
    const char *own; /* in front of everything but the classifier: "beit." */
    const char *cls, *patch, *pos;
    const char *block;  /* up to its number */
    const char *shared; /* table of all layers, or NULL */
    const char *table;  /* of a layer */
    const char *norm1, *out, *scale1, *norm2, *fc1, *fc2, *scale2;
    const char *qkv; /* one matrix, or NULL: three */
    const char *query, *key, *value;
    const char *act;
    double eps;
} names;

static const names timm = {.own = "",
                           .cls = "cls_token",
                           .patch = "patch_embed.proj",
                           .pos = "pos_embed",
                           .block = "blocks.",
                           .shared = "rel_pos_bias.relative_position_bias_table",
                           .table = "attn.relative_position_bias_table",
                           .norm1 = "norm1",
                           .out = "attn.proj",
                           .scale1 = "gamma_1",
                           .norm2 = "norm2",
                           .fc1 = "mlp.fc1",
                           .fc2 = "mlp.fc2",
                           .scale2 = "gamma_2",
                           .qkv = "attn.qkv.weight",
                           .act = "gelu",
                           .eps = 1e-6};

/* Where the special distances of the class token stand in a table: behind those of the window. */
enum { FROM_CLS = 3, TO_CLS = 2, CLS = 1 };

static int64_t side_of(int64_t rows)
{
    int64_t side = 1;
    while ((2 * side - 1) * (2 * side - 1) + 3 < rows && side < 128) {
        side++;
    }
    return (2 * side - 1) * (2 * side - 1) + 3 == rows ? side : 0;
}

/* Which row each pair of tokens takes, the class token in front: [n * n]. */
static uc_ref token_index(uc_zoo *z, int64_t side)
{
    const int64_t cells = side * side, n = cells + 1;
    const int64_t rows = (2 * side - 1) * (2 * side - 1) + 3;
    if (z->matching) return 0;
    int64_t *index = UC_NEW(z->arena, int64_t, (size_t)(n * n));
    if (!index) return uc_t_fail(z->build, "no memory for %d positions", (int)n);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            const int64_t a = i - 1, b = j - 1;
            const int64_t dy = a / side - b / side + side - 1;
            const int64_t dx = a % side - b % side + side - 1;
            index[i * n + j] = i && j ? dy * (2 * side - 1) + dx
                               : i    ? rows - TO_CLS
                               : j    ? rows - FROM_CLS
                                      : rows - CLS;
        }
    }
    return uc_graph_i64s(z->build->graph, index, n * n);
}

typedef struct positions {
    int64_t side, heads;
    uc_ref index, shared; /* shared: of all layers, or 0 */
} positions;

/* The bias of a table: [1, heads, n, n]. */
static uc_ref bias_of(uc_zoo *z, const positions *p, const char *key)
{
    const int64_t rows = (2 * p->side - 1) * (2 * p->side - 1) + 3;
    const uc_ref table = UC_Z_P(z, key, rows, p->heads);
    return uc_z_relative_bias(z, table, p->index, p->side * p->side + 1);
}

static uc_zv attend(uc_zoo *z, const names *n, const positions *p, uc_zv x)
{
    uc_t_build *b = z->build;
    uc_ref bias = p->shared;
    uc_zv parts[3];
    if (uc_z_has(z, n->table)) {
        const uc_ref own = bias_of(z, p, n->table);
        bias = bias ? uc_t_add(b, bias, own) : own;
    }
    uc_z_skip(z, "attn.relative_position_index");
    uc_z_skip(z, "attention.attention.relative_position_bias.relative_position_index");
    if (n->qkv) {
        const uc_zv all = {
            uc_t_linear(b, x.ref, UC_Z_P(z, n->qkv, 3 * x.c, x.c), uc_z_qkv_bias(z, "attn.", x.c)),
            3 * x.c};
        uc_z_thirds(z, all, parts);
    } else {
        parts[0] = uc_z_linear(z, n->query, x, x.c, true);
        parts[1] = uc_z_linear(z, n->key, x, x.c, false);
        parts[2] = uc_z_linear(z, n->value, x, x.c, true);
    }
    return uc_z_linear(z, n->out, uc_z_attend(z, parts[0], parts[1], parts[2], p->heads, bias), x.c,
                       true);
}

static uc_zv scaled(uc_zoo *z, const char *key, uc_zv x)
{
    if (!uc_z_has(z, key)) return x;
    return (uc_zv){uc_t_mul(z->build, x.ref, UC_Z_P(z, key, x.c)), x.c};
}

static uc_zv block(uc_zoo *z, const names *n, const positions *p, uc_zv x)
{
    uc_zv y = attend(z, n, p, uc_z_layer_norm(z, n->norm1, x, n->eps));
    x = uc_z_add(z, x, scaled(z, n->scale1, y));
    y = uc_z_mlp(z, n->fc1, n->fc2, n->act, uc_z_layer_norm(z, n->norm2, x, n->eps));
    return uc_z_add(z, x, scaled(z, n->scale2, y));
}

/* Window and heads, from the table of all layers, of the first one, or of the positions. */
static positions read_positions(uc_zoo *z, const names *n)
{
    positions p = {0};
    const char *first = uc_z_key(z, "%s0.%s", n->block, n->table);
    const char *key = uc_z_has(z, first) ? first : n->shared;
    p.side = side_of(uc_z_dim(z, key, 0));
    p.heads = uc_z_dim(z, key, 1);
    if (!p.side || !p.heads) {
        uc_z_unlike(z, "%s of a square window", first);
        p.side = p.heads = 1;
    }
    p.index = token_index(z, p.side);
    if (uc_z_has(z, n->shared)) p.shared = bias_of(z, &p, n->shared);
    return p;
}

static uc_zv body(uc_zoo *z, const names *n)
{
    uc_t_build *b = z->build;
    const positions p = read_positions(z, n);
    const char *weight = uc_z_key(z, "%s.weight", n->patch);
    const int64_t patch = uc_z_dim(z, weight, 2), image = p.side * patch;
    const uc_z_window w = {.kernel = patch, .stride = patch, .valid = true, .bias = true};
    uc_zv x = uc_z_picture(z, uc_z_dim(z, weight, 1), image, image);
    x = uc_z_tokens(z, uc_z_conv(z, n->patch, x, w));
    const uc_ref parts[] = {uc_z_token_of_each(z, UC_Z_P(z, n->cls, 1, 1, x.c), x.ref), x.ref};
    x.ref = uc_t_cat(b, parts, 2, 1);
    if (uc_z_has(z, n->pos)) {
        x.ref = uc_t_add(b, x.ref, UC_Z_P(z, n->pos, 1, p.side * p.side + 1, x.c));
    }
    const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.%s.weight", n->block, n->norm1));
    if (!depth) uc_z_unlike(z, "%s0", n->block);
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "%s%d", n->block, i);
        x = block(z, n, &p, x);
        uc_z_leave(z, mark);
    }
    return x;
}

/* The mean of the patches behind the class token, or that token. */
static uc_zv pooled(uc_zoo *z, uc_zv x, bool mean)
{
    static const int64_t axis[] = {1};
    if (!mean) return (uc_zv){uc_t_select(z->build, x.ref, 1, 0), x.c};
    const uc_ref y = uc_t_slice(z->build, x.ref, 1, 1, INT64_MAX, 1);
    return (uc_zv){uc_t_mean(z->build, y, axis, 1, false), x.c};
}

void uc_zoo_beit(uc_zoo *z)
{
    const char *name = uc_z_said(z, "beit");
    const bool mean = uc_z_has(z, "fc_norm.weight");
    uc_z_source(z, "timm", "classification");
    uc_z_skip(z, "rel_pos_bias.relative_position_index");
    uc_z_skip(z, "mask_token");
    uc_zv x = body(z, &timm);
    const int64_t patch = uc_z_dim(z, "patch_embed.proj.weight", 2);
    uc_z_arch(z, "beit_%s_patch%d_%d", x.c >= 1024 ? "large" : "base", (int)patch,
              (int)z->report->image[0]);
    if (name) uc_z_arch(z, "%s", name);
    if (!mean) x = uc_z_layer_norm(z, "norm", x, timm.eps);
    x = pooled(z, x, mean);
    if (mean) x = uc_z_layer_norm(z, "fc_norm", x, timm.eps);
    uc_z_output(z, "output", uc_z_has(z, "head.weight") ? uc_z_linear(z, "head", x, 0, true) : x);
}

/* ---- transformers ----------------------------------------------------------------------------- */

/* Keys of before version 5, which files still have, and those of its modules. */
static names hf_names(uc_zoo *z, const char *own)
{
    const char *block = uc_z_key(z, "%sencoder.layer.", own);
    const bool old = uc_z_has_under(z, block);
    const names n = {.own = own,
                     .cls = uc_z_key(z, "%sembeddings.cls_token", own),
                     .patch = uc_z_key(z, "%sembeddings.patch_embeddings.projection", own),
                     .pos = uc_z_key(z, "%sembeddings.position_embeddings", own),
                     .block = old ? block : uc_z_key(z, "%slayers.", own),
                     .shared =
                         uc_z_key(z, "%s%s.relative_position_bias_table", own,
                                  old ? "encoder.relative_position_bias" : "shared_position_bias"),
                     .table = uc_z_key(z, "%srelative_position_bias.relative_position_bias_table",
                                       old ? "attention.attention." : ""),
                     .norm1 = "layernorm_before",
                     .out = old ? "attention.output.dense" : "attention.o_proj",
                     .scale1 = "lambda_1",
                     .norm2 = "layernorm_after",
                     .fc1 = old ? "intermediate.dense" : "mlp.fc1",
                     .fc2 = old ? "output.dense" : "mlp.fc2",
                     .scale2 = "lambda_2",
                     .query = old ? "attention.attention.query" : "attention.q_proj",
                     .key = old ? "attention.attention.key" : "attention.k_proj",
                     .value = old ? "attention.attention.value" : "attention.v_proj",
                     .act = uc_z_act_setting(z, "hidden_act", "gelu"),
                     .eps = uc_json_f64(uc_json_get(z->config, "layer_norm_eps"), 1e-12)};
    return n;
}

void uc_zoo_beit_hf(uc_zoo *z)
{
    const bool data2vec = uc_z_has_under(z, "data2vec_vision.");
    const char *own = data2vec ? "data2vec_vision." : uc_z_has_under(z, "beit.") ? "beit." : "";
    const names n = hf_names(z, own);
    const char *norm = uc_z_key(z, "%slayernorm", own);
    const char *pool = uc_z_key(z, "%spooler.layernorm", own);
    const bool mean = uc_z_has(z, uc_z_key(z, "%s.weight", pool));
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "%s", data2vec ? "data2vec-vision" : "beit");
    uc_z_preset(z, "hf:BeitImageProcessor");
    uc_z_skip(z, uc_z_key(z, "%sembeddings.mask_token", own));
    uc_z_skip(z, uc_z_key(z, "%sencoder.relative_position_bias.relative_position_index", own));
    uc_zv x = body(z, &n);
    if (!mean) x = uc_z_layer_norm(z, norm, x, n.eps);
    x = pooled(z, x, mean);
    if (mean) x = uc_z_layer_norm(z, pool, x, n.eps);
    if (uc_z_has(z, "classifier.weight")) {
        uc_z_output(z, "logits", uc_z_linear(z, "classifier", x, 0, true));
    } else {
        uc_z_source(z, "transformers", "features");
        uc_z_output(z, "pooler_output", x);
    }
}
