/* Attention and transformers. Source: torch 2.15, torch/nn/modules/{activation,transformer}.py. */
#include "import/pytorch/torch_module.h"

/* The submodule's call on three values; weights may be NULL. */
static uc_ref attend(uc_t_call *c, uc_ref q, uc_ref k, uc_ref v, uc_ref attn_mask,
                     uc_ref padding_mask, uc_ref *weights)
{
    const uc_pickle *out = uc_t_child(c, "out_proj");
    uc_t_call inner = *c;
    inner.object = out;
    uc_t_mha a = {.heads = uc_t_attr_int(c, "num_heads", 1),
                  .in_weight = uc_t_tensor(c, "in_proj_weight"),
                  .in_bias = uc_t_tensor(c, "in_proj_bias"),
                  .bias_k = uc_t_tensor(c, "bias_k"),
                  .bias_v = uc_t_tensor(c, "bias_v"),
                  .add_zero_attn = uc_t_attr_bool(c, "add_zero_attn", false),
                  .batch_first = uc_t_attr_bool(c, "batch_first", false),
                  .attn_mask = attn_mask,
                  .key_padding_mask = padding_mask,
                  .average = true};
    if (!out) return uc_t_refuse(c, "it has no out_proj");
    if (!a.in_weight) {
        a.q_weight = uc_t_tensor(c, "q_proj_weight");
        a.k_weight = uc_t_tensor(c, "k_proj_weight");
        a.v_weight = uc_t_tensor(c, "v_proj_weight");
    }
    a.out_weight = uc_t_tensor(&inner, "weight");
    a.out_bias = uc_t_tensor(&inner, "bias");
    return uc_t_multi_head_attention(c->build, &a, q, k, v, weights);
}

/* forward(query, key, value): need_weights is True. */
void uc_t_m_attention(uc_t_call *c)
{
    uc_ref weights = 0;
    const uc_ref key = c->in_count > 1 ? c->in[1] : c->in[0];
    uc_t_set(c, attend(c, c->in[0], key, c->in_count > 2 ? c->in[2] : key, 0, 0, &weights));
    c->out[c->out_count++] = weights;
}

/* Attention of submodule `name`: its output alone. */
static uc_ref attention_of(uc_t_call *c, const char *name, uc_ref q, uc_ref k, uc_ref mask,
                           uc_ref padding)
{
    uc_t_call inner = *c;
    inner.object = uc_t_child(c, name);
    if (!inner.object) return uc_t_refuse(c, "it has no %s", name);
    return attend(&inner, q, k, k, mask, padding, NULL);
}

static uc_ref feed_forward(uc_t_call *c, uc_ref x)
{
    const uc_pickle *f = uc_t_attr(c, "activation");
    if (!f) f = uc_t_child(c, "activation");
    const uc_ref y = uc_t_run(c, "linear1", x);
    return uc_t_run(c, "linear2", f ? uc_t_function(c, f, y) : uc_t_act(c->build, "relu", y));
}

void uc_t_m_encoder_layer(uc_t_call *c)
{
    uc_t_build *b = c->build;
    const uc_ref mask = c->in_count > 1 ? c->in[1] : 0, padding = c->in_count > 2 ? c->in[2] : 0;
    uc_ref x = c->in[0];
    if (uc_t_attr_bool(c, "norm_first", false)) {
        const uc_ref y = uc_t_run(c, "norm1", x);
        x = uc_t_add(b, x, attention_of(c, "self_attn", y, y, mask, padding));
        x = uc_t_add(b, x, feed_forward(c, uc_t_run(c, "norm2", x)));
    } else {
        x = uc_t_run(c, "norm1", uc_t_add(b, x, attention_of(c, "self_attn", x, x, mask, padding)));
        x = uc_t_run(c, "norm2", uc_t_add(b, x, feed_forward(c, x)));
    }
    uc_t_set(c, x);
}

void uc_t_m_decoder_layer(uc_t_call *c)
{
    uc_t_build *b = c->build;
    const uc_ref memory = c->in[1], mask = c->in_count > 2 ? c->in[2] : 0;
    uc_ref x = c->in[0];
    if (uc_t_attr_bool(c, "norm_first", false)) {
        const uc_ref y = uc_t_run(c, "norm1", x);
        x = uc_t_add(b, x, attention_of(c, "self_attn", y, y, mask, 0));
        x = uc_t_add(b, x,
                     attention_of(c, "multihead_attn", uc_t_run(c, "norm2", x), memory, 0, 0));
        x = uc_t_add(b, x, feed_forward(c, uc_t_run(c, "norm3", x)));
    } else {
        x = uc_t_run(c, "norm1", uc_t_add(b, x, attention_of(c, "self_attn", x, x, mask, 0)));
        x = uc_t_run(c, "norm2",
                     uc_t_add(b, x, attention_of(c, "multihead_attn", x, memory, 0, 0)));
        x = uc_t_run(c, "norm3", uc_t_add(b, x, feed_forward(c, x)));
    }
    uc_t_set(c, x);
}

/* Layers one behind another, the other inputs given to each, then the norm. */
static void stack(uc_t_call *c)
{
    uc_ref in[4] = {0};
    uc_str name;
    uc_t_call done;
    const uc_pickle *layers = uc_t_child(c, "layers"), *layer;
    for (size_t i = 0; i < c->in_count && i < 4; i++) {
        in[i] = c->in[i];
    }
    for (size_t i = 0; (layer = uc_t_child_at(layers, i, &name)) != NULL; i++) {
        const char *path = uc_arena_printf(c->build->graph->arena, "%s%slayers.%zu", c->path,
                                           *c->path ? "." : "", i);
        if (!uc_t_call_module(c->tree, layer, path ? path : "", in, c->in_count, &done)) return;
        in[0] = done.out[0];
    }
    uc_t_set(c, uc_t_run_maybe(c, "norm", in[0]));
}

void uc_t_m_encoder(uc_t_call *c) { stack(c); }
void uc_t_m_decoder(uc_t_call *c) { stack(c); }

void uc_t_m_transformer(uc_t_call *c)
{
    const uc_ref memory = uc_t_run(c, "encoder", c->in[0]);
    const uc_ref in[] = {c->in[1], memory};
    uc_t_call done;
    const uc_pickle *decoder = uc_t_child(c, "decoder");
    if (!decoder) {
        uc_t_refuse(c, "it has no decoder");
        return;
    }
    if (uc_t_call_module(c->tree, decoder, "decoder", in, 2, &done)) uc_t_set(c, done.out[0]);
}
