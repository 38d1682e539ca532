/* Tensors that are no network of their own, told by their names: adapters, language models, an optimizer's
 * state, one shard of several. Sources: peft 0.17 (utils/save_and_load.py), kohya-ss' lora_unet_ names,
 * diffusers 0.35, transformers 4.57 (modeling_llama.py, modeling_gpt2.py), torch.optim.Optimizer.state_dict. */
#include "import/pytorch/torch_module.h"

typedef struct kind {
    const char *words[4]; /* each stands in some name */
    const char *what, *fix;
} kind;

static const kind kinds[] = {
    {{"lora_A", "lora_B"},
     "weights of a LoRA adapter: small changes to a model that isn't in the file",
     "merge it into its base model (peft: model.merge_and_unload()), and save that"},
    {{"lora_down", "lora_up"},
     "weights of a LoRA adapter: small changes to a model that isn't in the file",
     "merge it into the base model it was trained for, and save that"},
    {{"hada_w1_a"},
     "weights of a LoHa adapter: small changes to a model that isn't in the file",
     "merge it into the base model it was trained for, and save that"},
    {{"model.diffusion_model."},
     "weights of a diffusion model, which makes pictures",
     "uncork doesn't run it; diffusers does"},
    {{"embed_tokens.weight", "self_attn.q_proj"},
     "weights of a language model",
     "uncork doesn't run language models; transformers and llama.cpp do"},
    {{"wte.weight", "wpe.weight", "attn.c_attn"},
     "weights of a language model",
     "uncork doesn't run language models; transformers and llama.cpp do"},
    {{"tok_embeddings.weight", "attention.wq"},
     "weights of a language model",
     "uncork doesn't run language models; transformers and llama.cpp do"},
};

static bool stands_in(const uc_t_state *s, const char *word)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strstr(s->items[i].name, word)) return true;
    }
    return false;
}

/* "-00002-of-00005." in a file's name: its two numbers. */
static bool shard_of(const char *path, unsigned *which, unsigned *count)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *at = path ? strstr(slash ? slash : path, "-of-") : NULL;
    unsigned n[2] = {0, 0};
    if (!at || at - path < 6 || at[-6] != '-') return false;
    for (int i = 0; i < 10; i++) {
        const char c = at[i < 5 ? i - 5 : i - 1];
        if (c < '0' || c > '9') return false;
        n[i / 5] = n[i / 5] * 10 + (unsigned)(c - '0');
    }
    *which = n[0];
    *count = n[1];
    return n[1] > 1;
}

bool uc_t_foreign_weights(uc_t_file *f, const uc_t_state *s)
{
    unsigned which, count;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bool all = true;
        for (size_t i = 0; i < 4 && kinds[k].words[i]; i++) {
            all = all && stands_in(s, kinds[k].words[i]);
        }
        if (!all) continue;
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "it holds %zu %s", s->count, kinds[k].what);
        (void)uc_fix(&f->flaw, "%s", kinds[k].fix);
        return true;
    }
    if (shard_of(f->import->path, &which, &count)) {
        uc_t_flaw(f, UNCORK_UNSUPPORTED,
                  "it holds %zu weights of shard %u of %u: the others hold the rest", s->count,
                  which, count);
        (void)uc_fix(&f->flaw,
                     "put all %u shards and the .index.json beside each other and give the folder",
                     count);
        return true;
    }
    return false;
}

bool uc_t_foreign_value(uc_t_file *f, const uc_pickle *root)
{
    static const char *const keys[] = {"optimizer_state_dict", "optimizer", "optimizer_states",
                                       "optim", "optimizer_state"};
    const uc_pickle *state = root;
    bool inside = false;
    if (!root || root->kind != UC_PICKLE_DICT) return false;
    for (size_t i = 0; !inside && i < sizeof keys / sizeof *keys; i++) {
        const uc_pickle *v = uc_pickle_get(root, keys[i]);
        if (v) state = v;
        inside = v != NULL;
    }
    if (!inside && !(uc_pickle_get(state, "param_groups") && uc_pickle_get(state, "state")))
        return false;
    uc_t_flaw(f, UNCORK_UNSUPPORTED, "%s",
              inside ? "the checkpoint holds an optimizer's state and no weights of a model"
                     : "it holds an optimizer's state (param_groups), not a model's weights");
    (void)uc_fix(&f->flaw, "save the model's own: torch.save(model.state_dict(), PATH)");
    return true;
}
