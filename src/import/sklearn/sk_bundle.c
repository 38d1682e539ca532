/* Which of the values in a pickle is the model, and what of the rest belongs in front of it or
 * behind it.
 *
 * A root estimator is the model. In a tuple, list or dict (nested or not) the predictor is: a
 * Pipeline or a search before others, then one under a telling name ("model", "clf"), then the
 * first. Transformers beside it are applied before it, in the order in which their widths fit;
 * a LabelEncoder beside it turns its numbers into labels. What was chosen or left out is noted. */
#include "import/sklearn/sk_file.h"

#include <inttypes.h>
#include <stdio.h>

/* Containers inside containers, and values looked at: bundles are small. */
enum { BUNDLE_DEPTH = 8, BUNDLE_VALUES = 100000, BUNDLE_PARTS = 64 };

typedef enum role {
    ROLE_PREDICTOR,
    ROLE_TRANSFORMER,
    ROLE_ENCODER,
    ROLE_LABELS, /* turns labels into columns */
    ROLE_UNKNOWN
} role;

typedef struct candidate {
    sk_est est;
    sk_part part;
    uc_str key; /* in its dict, empty when in a list */
    role role;
} candidate;

typedef struct search {
    sk_file *file;
    sk_ctx *ctx;
    candidate found[BUNDLE_PARTS];
    size_t count;
    size_t values; /* looked at */
    struct {
        const uc_pickle *value;
        const char *path;
        uc_str key;
    } names[BUNDLE_PARTS]; /* lists and dicts that could hold class names */
    size_t name_count;
} search;

static bool is_named(uc_str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_str_is(text, names[i])) return true;
    }
    return false;
}

/* Made for y: never in front of a model. */
static bool is_of_labels(const sk_est *est)
{
    return uc_str_is(est->class_name, "LabelBinarizer") ||
           uc_str_is(est->class_name, "MultiLabelBinarizer");
}

/* `word` stands somewhere in the key, in small or capital letters. */
static bool has_word(uc_str key, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= key.size; i++) {
        size_t k = 0;
        while (k < n && (key.data[i + k] | 0x20) == word[k]) {
            k++;
        }
        if (k == n) return true;
    }
    return false;
}

static role role_of(const sk_est *est)
{
    if (!sk_find_row(est->module, est->class_name)) return ROLE_UNKNOWN;
    if (uc_str_is(est->class_name, "LabelEncoder")) return ROLE_ENCODER;
    if (is_of_labels(est)) return ROLE_LABELS;
    for (int m = 0; m < SK_METHOD_COUNT; m++) {
        if (m != SK_TRANSFORM && m != SK_SCORE_SAMPLES && sk_has_method(est, (sk_method)m)) {
            return ROLE_PREDICTOR;
        }
    }
    return sk_has_method(est, SK_TRANSFORM)       ? ROLE_TRANSFORMER
           : sk_has_method(est, SK_SCORE_SAMPLES) ? ROLE_PREDICTOR
                                                  : ROLE_UNKNOWN;
}

static void add(search *s, const uc_pickle *value, const char *path, uc_str key)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->found[i].part.object == value) return; /* the same object twice */
    }
    candidate *c = &s->found[s->count];
    if (s->count >= BUNDLE_PARTS || !sk_estimator(s->ctx, value, NULL, path, &c->est)) return;
    c->part = (sk_part){value, path};
    c->key = key;
    c->role = role_of(&c->est);
    s->count++;
}

static void add_names(search *s, const uc_pickle *value, const char *path, uc_str key)
{
    if (s->name_count == BUNDLE_PARTS) return;
    s->names[s->name_count].value = value;
    s->names[s->name_count].path = path;
    s->names[s->name_count++].key = key;
}

static void collect(search *s, const uc_pickle *value, const char *path, uc_str key, int depth);

static void collect_pairs(search *s, const uc_pickle *dict, const char *path, int depth)
{
    for (size_t i = 0; i < dict->count; i++) {
        const uc_pickle *key = dict->items[2 * i];
        bool text = key && (key->kind == UC_PICKLE_TEXT || key->kind == UC_PICKLE_BYTES);
        const char *inner =
            text ? uc_arena_printf(s->ctx->arena, "%s['%.*s']", path,
                                   (int)(key->text.size < 80 ? key->text.size : 80), key->text.data)
                 : uc_arena_printf(s->ctx->arena, "%s[key %zu]", path, i);
        if (!inner) return;
        collect(s, dict->items[2 * i + 1], inner, text ? key->text : (uc_str){NULL, 0}, depth + 1);
    }
}

static void collect(search *s, const uc_pickle *value, const char *path, uc_str key, int depth)
{
    if (!value || depth > BUNDLE_DEPTH || s->values++ > BUNDLE_VALUES) return;
    if (sk_is_estimator(value)) {
        add(s, value, path, key);
        return;
    }
    bool list = value->kind == UC_PICKLE_LIST || value->kind == UC_PICKLE_TUPLE;
    if (list || value->kind == UC_PICKLE_OBJECTS) {
        bool is_data = value->count && value->items[0] &&
                       value->items[0]->kind != UC_PICKLE_OBJECT && value->items[0]->count == 0;
        add_names(s, value, path, key);
        for (size_t i = 0; i < value->count && !(is_data && value->count > 1000); i++) {
            const uc_pickle *item = value->items[i];
            if (!item || (item->kind != UC_PICKLE_OBJECT && item->count == 0)) continue;
            const char *inner = uc_arena_printf(s->ctx->arena, "%s[%zu]", path, i);
            if (inner) collect(s, item, inner, (uc_str){NULL, 0}, depth + 1);
        }
    } else if (value->kind == UC_PICKLE_DICT) {
        add_names(s, value, path, key);
        collect_pairs(s, value, path, depth);
    } else if (value->kind == UC_PICKLE_OBJECT && value->dict_items) { /* sklearn.utils.Bunch */
        collect_pairs(s, value->dict_items, path, depth);
    } else if (value->kind == UC_PICKLE_ARRAY) {
        add_names(s, value, path, key);
    }
}

/* ---- the choice ---------------------------------------------------------------------------- */

static int merit(const candidate *c)
{
    static const char *const wholes[] = {"Pipeline", "GridSearchCV", "RandomizedSearchCV",
                                         "HalvingGridSearchCV", "HalvingRandomSearchCV"};
    static const char *const names[] = {"model",    "clf",        "classifier", "estimator",
                                        "pipeline", "best_model", "regressor",  "predictor",
                                        "pipe",     "final_model"};
    int m = c->role == ROLE_PREDICTOR     ? 1000
            : c->role == ROLE_TRANSFORMER ? 300
            : c->role == ROLE_ENCODER     ? 200
            : c->role == ROLE_LABELS      ? 150
                                          : 100;
    if (is_named(c->est.class_name, wholes, sizeof wholes / sizeof wholes[0])) m += 50;
    if (is_named(c->key, names, sizeof names / sizeof names[0])) m += 10;
    return m;
}

/* Without a predictor the last transformer is the model: the earlier ones feed it. */
static const candidate *choose(const search *s)
{
    const candidate *best = NULL;
    for (size_t i = 0; i < s->count; i++) {
        const candidate *c = &s->found[i];
        if (!best || merit(c) > merit(best) ||
            (merit(c) == merit(best) && c->role == ROLE_TRANSFORMER)) {
            best = c;
        }
    }
    return best;
}

static void note_choice(search *s, const candidate *model)
{
    size_t others = 0;
    const candidate *other = NULL;
    for (size_t i = 0; i < s->count; i++) {
        const candidate *c = &s->found[i];
        if (c == model || (c->role != ROLE_PREDICTOR && c->role != ROLE_UNKNOWN)) continue;
        if (!other) other = c;
        others++;
    }
    if (!others) return;
    uc_note(s->ctx->findings, UC_NOTE_CHOSEN, "model-chosen",
            "the file holds %zu models: %s (%.*s) is taken, %s (%.*s)%s not", others + 1,
            model->part.path, (int)model->est.class_name.size, model->est.class_name.data,
            other->part.path, (int)other->est.class_name.size, other->est.class_name.data,
            others > 1 ? " and others are" : " is");
}

/* ---- in front ------------------------------------------------------------------------------ */

/* Whether `object` is somewhere inside the estimator's steps. */
static bool contains(const uc_pickle *value, const uc_pickle *object, int depth, size_t *values)
{
    if (!value || depth > BUNDLE_DEPTH || (*values)++ > BUNDLE_VALUES) return false;
    if (value == object) return true;
    const uc_pickle *inside = value;
    if (value->kind == UC_PICKLE_OBJECT) {
        if (!value->state || value->state->kind != UC_PICKLE_DICT) return false;
        inside = value->state;
    }
    if (inside->kind != UC_PICKLE_LIST && inside->kind != UC_PICKLE_TUPLE &&
        inside->kind != UC_PICKLE_DICT) {
        return false;
    }
    size_t n = inside->kind == UC_PICKLE_DICT ? 2 * inside->count : inside->count;
    for (size_t i = 0; i < n && n < 1000; i++) {
        const uc_pickle *item = inside->items[i];
        if (item && (item->kind == UC_PICKLE_OBJECT || item->count) &&
            contains(item, object, depth + 1, values)) {
            return true;
        }
    }
    return false;
}

/* A pipeline that begins with the same class does this step itself. */
static bool begins_with(sk_ctx *ctx, const sk_est *model, const sk_est *transformer)
{
    sk_est first = sk_first_consumer(ctx, model);
    return first.object != model->object && uc_str_equal(first.class_name, transformer->class_name);
}

static bool is_target_name(uc_str key)
{
    static const char *const names[] = {"y_scaler",      "scaler_y",      "target_scaler",
                                        "scaler_target", "output_scaler", "label_scaler",
                                        "y_transformer", "sc_y",          "scalery"};
    return is_named(key, names, sizeof names / sizeof names[0]);
}

static void leave_out(search *s, const candidate *c, const char *why)
{
    uc_note(s->ctx->findings, UC_NOTE_IGNORED, "transformer-ignored",
            "%s (%.*s) is not applied: %s", c->part.path, (int)c->est.class_name.size,
            c->est.class_name.data, why);
}

static bool fits(int64_t given, int64_t taken) { return given < 0 || taken < 0 || given == taken; }

/* Orders the transformers so that widths fit from the input to `wanted`; tries the file's order
 * first, then every other. True when all of them fit. */
static bool arrange(search *s, candidate **list, size_t count, size_t fixed, int64_t wanted)
{
    sk_ctx *ctx = s->ctx;
    if (fixed == count) {
        for (size_t i = 0; i < count; i++) {
            int64_t next = i + 1 < count ? sk_width_in(ctx, &list[i + 1]->est) : wanted;
            if (!fits(sk_width_out(ctx, &list[i]->est), next)) return false;
        }
        return true;
    }
    for (size_t i = fixed; i < count; i++) {
        candidate *c = list[i];
        memmove(&list[fixed + 1], &list[fixed], (i - fixed) * sizeof *list);
        list[fixed] = c;
        if (arrange(s, list, count, fixed + 1, wanted)) return true;
        memmove(&list[fixed], &list[fixed + 1], (i - fixed) * sizeof *list);
        list[i] = c;
    }
    return false;
}

static void put_in_front(search *s, const candidate *model)
{
    enum { MOST = 5 };
    candidate *list[MOST];
    size_t count = 0;
    sk_ctx *ctx = s->ctx;
    int64_t wanted = sk_width_in(ctx, &model->est);
    for (size_t i = 0; i < s->count; i++) {
        candidate *c = &s->found[i];
        size_t values = 0;
        if (c != model && c->role == ROLE_LABELS)
            leave_out(s, c, "it turns labels into columns; the model's columns stand as they are");
        if (c == model || c->role != ROLE_TRANSFORMER) continue;
        if (contains(model->part.object, c->part.object, 0, &values)) continue;
        if (is_target_name(c->key)) {
            leave_out(s, c, "its name says that it scales the target");
        } else if (begins_with(ctx, &model->est, &c->est)) {
            leave_out(s, c, "the model begins with a step of the same class");
        } else if (count == MOST) {
            leave_out(s, c, "there are too many beside the model");
        } else {
            list[count++] = c;
        }
    }
    while (count && !arrange(s, list, count, 0, wanted)) { /* without the one that fits least */
        size_t odd = count - 1;
        for (size_t i = 0; i < count; i++) {
            if (!fits(sk_width_out(ctx, &list[i]->est), wanted)) odd = i;
        }
        leave_out(s, list[odd], "its columns don't fit the model's");
        memmove(&list[odd], &list[odd + 1], (count - odd - 1) * sizeof *list);
        count--;
    }
    s->file->before = UC_NEW(ctx->arena, sk_part, count);
    for (size_t i = 0; s->file->before && i < count; i++)
        s->file->before[i] = list[i]->part;
    s->file->before_count = s->file->before ? count : 0;
}

/* ---- behind -------------------------------------------------------------------------------- */

/* The model predicts 0..n-1: only then can numbers stand for something else. */
static int64_t plain_class_count(sk_ctx *ctx, const sk_est *model)
{
    const uc_tensor *classes = sk_classes(ctx, model);
    if (!classes || classes->dtype != UNCORK_INT64) return -1;
    for (int64_t i = 0; i < classes->shape[0]; i++) {
        if (((const int64_t *)classes->data)[i] != i) return -1;
    }
    return classes->shape[0];
}

/* ["setosa", ...], {0: "setosa"} or {"setosa": 0}: n names. NULL when it isn't that. */
static const uc_tensor *class_names(sk_ctx *ctx, const uc_pickle *value, int64_t n)
{
    if (value->kind != UC_PICKLE_DICT) {
        if (value->kind != UC_PICKLE_ARRAY && (int64_t)value->count != n) return NULL;
        const uc_tensor *t = uc_pickle_tensor(value, ctx->arena, NULL);
        return t && t->dtype == UNCORK_STRING && t->rank == 1 && t->shape[0] == n ? t : NULL;
    }
    if ((int64_t)value->count != n || n > 100000) return NULL;
    uc_str *names = UC_NEW(ctx->arena, uc_str, (size_t)n);
    for (size_t i = 0; names && i < value->count; i++) {
        const uc_pickle *key = value->items[2 * i], *item = value->items[2 * i + 1];
        int64_t at = -1;
        bool by_number = uc_pickle_i64(key, &at);
        const uc_pickle *text = by_number ? item : key;
        if (!by_number && !uc_pickle_i64(item, &at)) return NULL;
        if (!text || text->kind != UC_PICKLE_TEXT || at < 0 || at >= n || names[at].data)
            return NULL;
        names[at] = text->text;
    }
    return names ? uc_tensor_strings(ctx->arena, names, 1, &n) : NULL;
}

/* A key that says so, or none that says otherwise: names of as many columns as there are classes
 * look the same. */
static bool may_name_classes(search *s, const candidate *model, uc_str key, int64_t n)
{
    static const char *const yes[] = {"class", "label", "target", "categor", "species"};
    static const char *const no[] = {"feature", "column", "input", "scal", "importance"};
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        if (has_word(key, no[i])) return false;
    }
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (has_word(key, yes[i])) return true;
    }
    return sk_width_in(s->ctx, &model->est) != n;
}

static void put_behind(search *s, const candidate *model)
{
    int64_t n = plain_class_count(s->ctx, &model->est);
    if (n <= 0) return;
    for (size_t i = 0; i < s->count; i++) {
        const candidate *c = &s->found[i];
        if (c == model || c->role != ROLE_ENCODER || s->file->encoder.object) continue;
        const uc_tensor *classes = sk_classes(s->ctx, &c->est);
        if (classes && classes->shape[0] == n) s->file->encoder = c->part;
    }
    for (size_t i = 0; i < s->name_count && !s->file->class_names && !s->file->encoder.object;
         i++) {
        if (!may_name_classes(s, model, s->names[i].key, n)) continue;
        s->file->class_names = class_names(s->ctx, s->names[i].value, n);
        if (s->file->class_names) {
            uc_note(s->ctx->findings, UC_NOTE_ASSUMED, "class-names",
                    "%s names the %" PRId64 " classes", s->names[i].path, n);
        }
    }
}

/* ---- no model ------------------------------------------------------------------------------ */

static const char *describe(sk_ctx *ctx, const uc_pickle *root)
{
    if (root->kind != UC_PICKLE_DICT || root->count == 0) {
        char shape[128] = "";
        if (root->tensor)
            uc_shape_text(root->tensor->shape, root->tensor->rank, shape, sizeof shape);
        return uc_arena_printf(ctx->arena, "%s%s%s", uc_pickle_type_name(root, ctx->arena),
                               shape[0] ? " of shape " : "", shape);
    }
    char keys[160] = "";
    size_t used = 0, shown = 0;
    for (size_t i = 0; i < root->count && shown < 3; i++) {
        const uc_pickle *key = root->items[2 * i];
        if (!key || key->kind != UC_PICKLE_TEXT || key->text.size > 40) continue;
        int n = snprintf(keys + used, sizeof keys - used, "%s'%.*s'", shown ? ", " : "",
                         (int)key->text.size, key->text.data);
        if (n > 0) used += (size_t)n;
        shown++;
    }
    return uc_arena_printf(ctx->arena, "a dict of %zu keys%s%s%s", root->count, shown ? " (" : "",
                           keys,
                           !shown                ? ""
                           : shown < root->count ? ", ...)"
                                                 : ")");
}

uncork_status sk_find_model(sk_file *file, sk_ctx *ctx)
{
    search *s = UC_NEW(ctx->arena, search, 1);
    if (!s) return sk_status(ctx);
    s->file = file;
    s->ctx = ctx;
    const uc_pickle *root = file->root;
    bool alone = sk_is_estimator(root) || root->kind == UC_PICKLE_OBJECT;
    if (alone && !root->dict_items) {
        file->model = (sk_part){root, "model"};
        return sk_status(ctx);
    }
    collect(s, root, "pickle", (uc_str){NULL, 0}, 0);
    const candidate *model = choose(s);
    if (!model) {
        const char *what = describe(ctx, root);
        file->no_model =
            uc_arena_printf(ctx->arena, "the pickle holds no model: it is %s", what ? what : "?");
        return sk_status(ctx);
    }
    file->model = model->part;
    note_choice(s, model);
    put_in_front(s, model);
    put_behind(s, model);
    return sk_status(ctx);
}
