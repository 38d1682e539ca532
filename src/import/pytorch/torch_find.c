/* The model in what a pickle holds: a state dict or module, perhaps in a checkpoint's dict beside epoch
 * and optimizer; and the names that wrappers put in front of the keys, undone. */
#include "import/pytorch/torch_module.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { DEPTH = 4, PREFIXES = 8 };

void uc_t_flaw(uc_t_file *f, uncork_status status, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)uc_fail(&f->flaw, status, UC_NO_OFFSET, "%s", text);
}

static uc_str key_text(const uc_pickle *key)
{
    const bool is = key && (key->kind == UC_PICKLE_TEXT || key->kind == UC_PICKLE_BYTES);
    return is ? key->text : (uc_str){NULL, 0};
}

/* How many values of a dict are tensors, and whether its keys are text. */
static size_t tensors_in(const uc_pickle *dict)
{
    size_t n = 0;
    if (!dict || dict->kind != UC_PICKLE_DICT) return 0;
    for (size_t i = 0; i < dict->count; i++) {
        if (key_text(dict->items[2 * i]).size && uc_t_is_tensor(dict->items[2 * i + 1])) n++;
    }
    return n;
}

/* A dict of tensors: most of its values are (a quantised model's have packed ones between). */
static bool is_state(const uc_pickle *v)
{
    const size_t n = tensors_in(v);
    return n && 2 * n >= v->count;
}

/* An instance of a class that has submodules or parameters. */
static bool is_module(const uc_pickle *v)
{
    return v && v->kind == UC_PICKLE_OBJECT && !v->is_call &&
           (uc_pickle_attr(v, "_modules") || uc_pickle_attr(v, "_parameters"));
}

/* ---- a state dict's tensors -------------------------------------------------------------------- */

static uncork_status read_state(uc_t_file *f, const uc_pickle *dict, uc_t_state **out,
                                uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    uc_t_state *s = uc_t_state_new(arena);
    size_t others = 0;
    if (!s) return uc_arena_status(arena, error);
    for (size_t i = 0; i < dict->count; i++) {
        const uc_pickle *value = dict->items[2 * i + 1];
        const uc_str key = key_text(dict->items[2 * i]);
        const uc_tensor *t;
        if (!key.size || !uc_t_is_tensor(value)) {
            others++;
            continue;
        }
        char *name = uc_arena_copy(arena, key.data, key.size);
        if (uc_t_tensor_of(&f->store, value, arena, &t, error))
            return uc_where(error, "tensor '%.120s'", name ? name : "");
        if (!name || !uc_t_state_put(s, name, t)) return uc_arena_status(arena, error);
    }
    if (others) {
        uc_note(&f->import->findings, UC_NOTE_IGNORED, "not-tensors",
                "%zu values of the state dict are no tensors", others);
    }
    *out = s;
    return UNCORK_OK;
}

/* ---- wrappers ---------------------------------------------------------------------------------- */

/* What checkpoints call their model, the likeliest first; EMA copies where training code prefers them. */
static const char *const wrappers[] = {
    "state_dict_ema",
    "model_ema_state_dict",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "module",
    "net",
    "network",
    "weights",
    "params_ema",
    "params",
    "model_weights",
    "net_state_dict",
    "network_state_dict",
    "model_dict",
    "state",
    "ema_state_dict",
    "model_ema",
    "ema",
    "ema_model",
    "encoder",
    "backbone",
    "generator",
    "G",
    "net_g",
    "netG",
    "student",
    "teacher",
    "target",
    "checkpoint",
    "weights_dict",
    "pretrained",
};

typedef struct found {
    const uc_pickle *value;
    char path[200];
    size_t others; /* further states that weren't taken */
} found;

static bool usable(const uc_pickle *v) { return is_state(v) || is_module(v); }

/* Ultralytics: the averaged model is the one that is used, when it is there. */
static const uc_pickle *ultralytics(const uc_pickle *dict)
{
    const uc_pickle *ema = uc_pickle_get(dict, "ema");
    return uc_pickle_get(dict, "train_args") && is_module(ema) ? ema : NULL;
}

static bool look(const uc_pickle *v, int depth, found *out)
{
    const size_t used = strlen(out->path);
    if (usable(v)) {
        out->value = v;
        return true;
    }
    if (!v || v->kind != UC_PICKLE_DICT || depth >= DEPTH) return false;
    const uc_pickle *ema = ultralytics(v);
    if (ema) {
        out->value = ema;
        (void)snprintf(out->path + used, sizeof out->path - used, "['ema']");
        return true;
    }
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        const uc_pickle *inner = uc_pickle_get(v, wrappers[i]);
        if (!inner) continue;
        (void)snprintf(out->path + used, sizeof out->path - used, "['%s']", wrappers[i]);
        if (look(inner, depth + 1, out)) return true;
        out->path[used] = 0;
    }
    for (size_t i = 0; i < v->count; i++) { /* under a name of somebody's own */
        const uc_str key = key_text(v->items[2 * i]);
        if (!key.size || !usable(v->items[2 * i + 1])) continue;
        if (out->value) {
            out->others++;
            continue;
        }
        out->value = v->items[2 * i + 1];
        (void)snprintf(out->path + used, sizeof out->path - used, "['%.*s']",
                       (int)(key.size < 60 ? key.size : 60), key.data);
    }
    return out->value != NULL;
}

/* "epoch, optimizer, loss": what else stands in a checkpoint. */
static void note_wrapper(uc_t_file *f, const found *in)
{
    char beside[200];
    size_t used = 0;
    beside[0] = 0;
    const uc_pickle *root = f->root;
    for (size_t i = 0; root->kind == UC_PICKLE_DICT && i < root->count && used < 120; i++) {
        const uc_str key = key_text(root->items[2 * i]);
        const size_t n = key.size < 40 ? key.size : 40;
        if (!n || (strncmp(in->path + 2, key.data, n) == 0 && in->path[n + 2] == '\'')) continue;
        const int put = snprintf(beside + used, sizeof beside - used, "%s%.*s", used ? ", " : "",
                                 (int)n, key.data);
        if (put > 0) used += (size_t)put;
    }
    uc_note(&f->import->findings, UC_NOTE_CHOSEN, "checkpoint-model",
            "the model is checkpoint%s%s%s", in->path, used ? "; beside it: " : "", beside);
    if (in->others) {
        uc_note(&f->import->findings, UC_NOTE_IGNORED, "other-models",
                "%zu other models of the checkpoint aren't used", in->others);
    }
}

/* ---- prefixes ---------------------------------------------------------------------------------- */

/* What training code wraps a model in. */
static const char *const prefixes[] = {
    "module.",
    "model.",
    "_orig_mod.",
    "net.",
    "network.",
    "_model.",
    "_forward_module.",
    "backbone.",
    "encoder.",
    "student.",
    "teacher.",
    "ema_model.",
    "ema.",
    "generator.",
    "base_model.",
    "classifier_model.",
    "feature_extractor.",
    "resnet.",
    "vit.",
    "cnn.",
    "pretrained.",
    "trunk.",
    "visual.",
    "image_encoder.",
    "vision_model.",
    "core.",
};

/* Names beside a wrapped model that belong to training alone. */
static bool is_training_name(const char *name)
{
    static const char *const names[] = {
        "n_averaged", "criterion.", "loss.",          "loss_fn.",     "loss_func.",
        "metric.",    "metrics.",   "train_acc.",     "val_acc.",     "test_acc.",
        "acc.",       "accuracy.",  "train_metrics.", "val_metrics.", "ema.",
        "ema_model.", "model_ema.", "teacher.",       "queue",        "center",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
    }
    return false;
}

/* The tensors below `prefix`, their names without it; NULL when the rest is more than training's. */
static uc_t_state *below(uc_t_file *f, const uc_t_state *all, const char *prefix, size_t *left)
{
    const size_t n = strlen(prefix);
    size_t inside = 0;
    *left = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (strncmp(all->items[i].name, prefix, n) == 0 && all->items[i].name[n])
            inside++;
        else if (is_training_name(all->items[i].name))
            ++*left;
        else
            return NULL;
    }
    uc_t_state *s = inside ? uc_t_state_new(f->import->arena) : NULL;
    for (size_t i = 0; s && i < all->count; i++) {
        if (strncmp(all->items[i].name, prefix, n) != 0) continue;
        if (!uc_t_state_put(s, all->items[i].name + n, all->items[i].tensor)) return NULL;
    }
    return s;
}

/* "_orig_mod." stands within names too: torch.compile of a part. */
static uc_t_state *without_compiled(uc_t_file *f, const uc_t_state *all)
{
    static const char mark[] = "_orig_mod.";
    bool any = false;
    uc_t_state *s = uc_t_state_new(f->import->arena);
    for (size_t i = 0; s && i < all->count; i++) {
        const char *name = all->items[i].name, *at = strstr(name, mark);
        if (at && at != name && at[-1] == '.') {
            any = true;
            name = uc_arena_printf(f->import->arena, "%.*s%s", (int)(at - name), name,
                                   at + sizeof mark - 1);
        }
        if (!name || !uc_t_state_put(s, name, all->items[i].tensor)) return NULL;
    }
    return any ? s : NULL;
}

static bool ask(uc_t_file *f, const uc_t_state *s, const char **why)
{
    const char *reason = NULL;
    f->recognised = uc_zoo_find(s, f->config, f->import->path, f->import->arch, f->import->arena,
                                &f->model, &reason);
    if (reason && !*why) *why = reason;
    if (f->recognised) f->state = s;
    return f->recognised;
}

static void note_prefix(uc_t_file *f, const char *path, size_t left)
{
    if (*path)
        uc_note(&f->import->findings, UC_NOTE_CHOSEN, "prefix-removed",
                "'%s' is taken off the tensors' names", path);
    if (left)
        uc_note(&f->import->findings, UC_NOTE_IGNORED, "training-tensors",
                "%zu tensors belong to training and aren't used", left);
}

/* Tries the names as they are, then without each prefix, prefix behind prefix. */
static bool try_names(uc_t_file *f, const uc_t_state *s, const char *path, size_t left, int depth,
                      const char **why)
{
    size_t more;
    if (ask(f, s, why)) {
        note_prefix(f, path, left);
        return true;
    }
    if (depth >= PREFIXES) return false;
    uc_t_state *plain = without_compiled(f, s);
    if (plain && try_names(f, plain, path, left, depth + 1, why)) return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        const uc_t_state *inner = below(f, s, prefixes[i], &more);
        if (!inner) continue;
        const char *longer = uc_arena_printf(f->import->arena, "%s%s", path, prefixes[i]);
        if (longer && try_names(f, inner, longer, left + more, depth + 1, why)) return true;
    }
    return false;
}

uncork_status uc_t_recognise(uc_t_file *f, const uc_t_state *all, uncork_error *error)
{
    const char *why = NULL;
    f->state = all;
    if (try_names(f, all, "", 0, 0, &why)) return uc_arena_status(f->import->arena, error);
    f->state = all;
    if (uc_t_foreign_weights(f, all)) return uc_arena_status(f->import->arena, error);
    const char *proposal = f->model.proposal;
    if (proposal && strlen(proposal) > 160) {
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "its %zu weights look like layers in order", all->count);
        uc_fix(&f->flaw,
               "inspect shows the --arch 'Sequential(...)' that would take them, "
               "assuming %s",
               f->model.assumed);
    } else if (proposal) {
        uc_t_flaw(f, UNCORK_UNSUPPORTED,
                  "its %zu weights look like layers in order, but the network isn't in the file",
                  all->count);
        uc_fix(&f->flaw, "--arch '%s' takes them, assuming %s", proposal, f->model.assumed);
    } else if (why) {
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "%s", why);
    } else {
        uc_t_flaw(f, UNCORK_UNSUPPORTED,
                  "it holds %zu weights of a network that isn't recognised by their names and "
                  "shapes",
                  all->count);
    }
    return uc_arena_status(f->import->arena, error);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

/* Whether a class is of a library whose networks have one forward(). */
static bool is_published(const uc_pickle *module)
{
    static const char *const packages[] = {"torchvision.",
                                           "timm.",
                                           "transformers.",
                                           "ultralytics.",
                                           "models.yolo.",
                                           "yolov5.",
                                           "efficientnet_pytorch.",
                                           "facenet_pytorch.",
                                           "segmentation_models_pytorch.",
                                           "pretrainedmodels."};
    uc_str package, name;
    if (!uc_t_class_of(module, &package, &name)) return false;
    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        const size_t n = strlen(packages[i]);
        if (package.size > n && memcmp(package.data, packages[i], n) == 0) return true;
        if (package.size + 1 == n && memcmp(package.data, packages[i], n - 1) == 0) return true;
    }
    return false;
}

/* Files from before 1.6 hold the source of the modules' classes: it is read by nobody, but it is there. */
static void note_sources(uc_t_file *f)
{
    size_t classes = 0, bytes = 0;
    for (size_t i = 0; i < f->info.persistent_count; i++) {
        const uc_pickle *id = uc_pickle_item(f->info.persistents[i], 0);
        const uc_pickle *source = uc_pickle_item(id, 3);
        if (!id || id->kind != UC_PICKLE_TUPLE || !uc_pickle_is_text(id->items[0], "module") ||
            !key_text(source).size)
            continue;
        classes++;
        bytes += source->text.size;
    }
    if (classes)
        uc_note(&f->import->findings, UC_NOTE_IGNORED, "stored-source",
                "the file holds the Python source of %zu of its classes (%zu bytes)", classes,
                bytes);
}

/* A module runs when its classes are known. Tensors by name are for whoever inspects it. */
static uncork_status take_module(uc_t_file *f, const uc_pickle *module, uncork_error *error)
{
    uc_t_state *s = NULL;
    UC_TRY(uc_t_module_state(&f->store, module, f->import->arena, &s, error));
    f->module = module;
    s->module = module;
    f->state = s;
    note_sources(f);
    const char *unknown = uc_t_unknown_classes(module, f->import->arena);
    if (!unknown) return uc_arena_status(f->import->arena, error);
    const char *why = NULL;
    const bool named =
        uc_zoo_find(s, f->config, f->import->path, NULL, f->import->arena, &f->model, &why);
    if (named && is_published(module)) { /* a library's class, by its tensors' names */
        f->recognised = true;
        f->module = NULL;
        return uc_arena_status(f->import->arena, error);
    }
    uc_t_flaw(f, UNCORK_UNSUPPORTED,
              "it is a module of class %s, whose forward() is Python code outside of the file",
              unknown);
    if (named)
        (void)uc_fix(&f->flaw,
                     "its weights are those of %s: save model.state_dict() instead, "
                     "which runs as that",
                     f->model.name);
    return uc_arena_status(f->import->arena, error);
}

uncork_status uc_t_find_model(uc_t_file *f, uncork_error *error)
{
    found in = {0};
    uc_t_state *s = NULL;
    if (!look(f->root, 0, &in)) {
        if (uc_t_foreign_value(f, f->root)) return uc_arena_status(f->import->arena, error);
        const char *type = uc_pickle_type_name(f->root, f->import->arena);
        const bool tensor = uc_t_is_tensor(f->root);
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "this PyTorch file holds %s%.100s, no model",
                  tensor ? "" : "a ",
                  tensor ? "one tensor"
                  : type ? type
                         : "value");
        return uc_arena_status(f->import->arena, error);
    }
    if (in.path[0]) note_wrapper(f, &in);
    if (is_module(in.value)) return take_module(f, in.value, error);
    UC_TRY(read_state(f, in.value, &s, error));
    return uc_t_recognise(f, s, error);
}
