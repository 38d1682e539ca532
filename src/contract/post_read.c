/* From what the outputs look like to what they mean. Documented in docs/outputs.md, in the same order.
 * What the graph ends in decides where it can (Softmax, Sigmoid, ArgMax, a classifier); where it ends
 * in a plain product the shape decides, beside the picture's, and a note says so. */
#include "contract/post.h"

#include <math.h>

static const char *const kind_names[UC_POST_KINDS] = {
    [UC_POST_TENSOR] = "tensor",     [UC_POST_LABEL] = "label",
    [UC_POST_CLASSIFY] = "classify", [UC_POST_MULTILABEL] = "multilabel",
    [UC_POST_REGRESS] = "regress",   [UC_POST_DETECT] = "detect",
    [UC_POST_SEGMENT] = "segment",   [UC_POST_KEYPOINTS] = "keypoints",
    [UC_POST_EMBED] = "embed",       [UC_POST_IMAGE] = "image",
    [UC_POST_PART] = "part",
};

const char *uc_post_kind_name(uc_post_kind kind) { return kind_names[kind]; }

bool uc_post_kind_of(const char *name, uc_post_kind *kind)
{
    for (int i = 0; i < UC_POST_KINDS; i++) {
        if (strcmp(name, kind_names[i]) != 0) continue;
        *kind = (uc_post_kind)i;
        return i != UC_POST_PART && i != UC_POST_LABEL;
    }
    return false;
}

/* ---- what an output looks like -------------------------------------------------------------- */

/* Its axes without the batch and without those of length 1 (a classifier that ends in a convolution
 * gives [N, 1000, 1, 1]). */
typedef struct look {
    const uc_post_output *out;
    const uc_post_options *options;
    uc_findings *findings;
    int64_t axis[UNCORK_MAX_RANK];
    int count;
    bool whole;
    bool several; /* the model has more outputs: notes name this one */
} look;

static bool has_word(const char *name, const char *word)
{
    size_t n = strlen(word);
    for (; *name; name++) {
        size_t i = 0;
        while (i < n && name[i] && (char)(name[i] | 0x20) == word[i]) {
            i++;
        }
        if (i == n) return true;
    }
    return false;
}

static look look_at(const uc_post_output *out, const uc_post_options *options,
                    uc_findings *findings, int count)
{
    look l = {.out = out, .options = options, .findings = findings, .several = count > 1};
    int first = 1;
    if (options->batch == 1 && out->rank > 0 && out->shape[0] != 1) {
        l.whole = true;
        first = 0;
    }
    if (out->rank == 0) l.whole = true;
    for (int d = first; d < out->rank; d++) {
        if (out->shape[d] != 1) l.axis[l.count++] = out->shape[d];
    }
    return l;
}

static void note(const look *l, const char *code, const char *text, const char *fix)
{
    if (l->several) {
        uc_note(l->findings, UC_NOTE_ASSUMED, code, "output '%.60s': %s%s%s", l->out->name, text,
                *fix ? "; " : "", fix);
    } else {
        uc_note(l->findings, UC_NOTE_ASSUMED, code, "the output is taken as %s%s%s", text,
                *fix ? "; " : "", fix);
    }
}

/* Whether an h x w map lies over the picture: the same proportions, from an eighth of its size on. */
static bool lies_over_picture(const look *l, int64_t h, int64_t w)
{
    int64_t H = l->options->input_height, W = l->options->input_width;
    if (!l->options->picture) return false;
    if (h < 0 || w < 0 || H <= 0 || W <= 0) return (h < 0 || h >= 16) && (w < 0 || w >= 16);
    if (h < 8 || w < 8 || h * 8 < H || w * 8 < W) return false;
    double wanted = (double)w * (double)H, have = (double)h * (double)W;
    return fabs(wanted - have) <= 0.06 * have;
}

/* Labels for this many classes, give or take a background. */
static bool labels_fit(const look *l, int64_t classes)
{
    int64_t labels = (int64_t)l->options->label_count;
    return labels > 0 && labels >= classes - 1 && labels <= classes + 1;
}

static bool is_known_vector(int64_t n)
{
    static const int64_t widths[] = {64,   128,  160,  192,  256,  320,  384,  512,
                                     576,  640,  768,  960,  1024, 1280, 1408, 1536,
                                     1664, 1792, 1920, 2048, 2208, 2304, 2560, 4096};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (widths[i] == n) return true;
    }
    return false;
}

static bool is_count_of_points(int64_t n)
{
    static const int64_t counts[] = {5,  14, 15, 16, 17,  18,  19,  21,  25,
                                     29, 33, 68, 98, 106, 133, 194, 468, 478};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i] == n) return true;
    }
    return false;
}

/* ---- scores ----------------------------------------------------------------------------------- */

static bool is_probability(uc_post_end end)
{
    return end == UC_END_SOFTMAX || end == UC_END_SIGMOID || end == UC_END_CLASSIFIER ||
           end == UC_END_UNIT;
}

static const char *activation_word(uc_activation a)
{
    return a == UC_ACTIVATION_SOFTMAX   ? "softmax"
           : a == UC_ACTIVATION_SIGMOID ? "sigmoid"
           : a == UC_ACTIVATION_EXP     ? "exp"
                                        : "none";
}

/* How the numbers become probabilities, said. `otherwise`: for numbers that are none yet. */
static void set_activation(const look *l, uc_reading *r, uc_activation otherwise)
{
    uc_activation asked = l->options->activation;
    const char *whose = l->several ? l->out->name : "";
    const char *open = l->several ? "output '" : "the outputs", *close = l->several ? "'" : "";
    if (asked != UC_ACTIVATION_AUTO) {
        r->activation = asked;
        r->raw = asked == UC_ACTIVATION_NONE && !is_probability(l->out->end);
        return;
    }
    const char *be = l->several ? "holds" : "are";
    if (is_probability(l->out->end)) {
        static const char *const ends[] = {[UC_END_SOFTMAX] = "the graph ends in Softmax",
                                           [UC_END_SIGMOID] = "the graph ends in Sigmoid",
                                           [UC_END_CLASSIFIER] = "a classifier gives them",
                                           [UC_END_UNIT] = "the graph cuts them to 0..1"};
        r->activation = UC_ACTIVATION_NONE;
        uc_note(l->findings, UC_NOTE_CHOSEN, "probabilities", "%s%.60s%s %s probabilities: %s",
                open, whose, close, be, ends[l->out->end]);
    } else if (l->out->end == UC_END_LOG_SOFTMAX) {
        r->activation = UC_ACTIVATION_EXP;
        uc_note(l->findings, UC_NOTE_CHOSEN, "log-probabilities",
                "%s%.60s%s %s logarithms of probabilities: exp applied", open, whose, close, be);
    } else if (l->out->end == UC_END_OTHER && otherwise == UC_ACTIVATION_SOFTMAX) {
        r->activation = otherwise;
        r->presumed = true;
        uc_note(l->findings, UC_NOTE_ASSUMED, "logits",
                "%s%.60s%s %s taken for logits, the graph doesn't say: softmax applied where they "
                "aren't shares of one already (--activation changes that)",
                open, whose, close, be);
    } else {
        r->activation = otherwise;
        uc_note(l->findings, UC_NOTE_CHOSEN, "logits",
                "%s%.60s%s %s logits: %s applied (--activation changes that)", open, whose, close,
                be, activation_word(otherwise));
    }
}

static void classify(const look *l, uc_reading *r)
{
    r->kind = UC_POST_CLASSIFY;
    r->classes = l->count ? l->axis[0] : 2;
    r->binary = l->count == 0;
    r->column_classes = l->out->classes;
    set_activation(l, r, r->binary ? UC_ACTIVATION_SIGMOID : UC_ACTIVATION_SOFTMAX);
    if (r->binary && isnan(r->threshold)) r->threshold = 0.5;
}

static void multilabel(const look *l, uc_reading *r)
{
    r->kind = UC_POST_MULTILABEL;
    r->classes = l->count ? l->axis[0] : 1;
    r->column_classes = l->out->classes;
    set_activation(l, r, UC_ACTIVATION_SIGMOID);
    if (isnan(r->threshold)) r->threshold = 0.5;
}

static void read_number(const look *l, uc_reading *r)
{
    if (l->out->end == UC_END_SIGMOID || l->out->end == UC_END_CLASSIFIER ||
        l->options->activation == UC_ACTIVATION_SIGMOID) {
        classify(l, r);
        return;
    }
    r->kind = UC_POST_REGRESS;
    if (l->options->picture) {
        note(l, "one-number", "a value", "if it is a logit: --task classify");
    }
}

static void read_vector(const look *l, uc_reading *r)
{
    int64_t n = l->axis[0];
    uc_post_end end = l->out->end;
    uc_activation asked = l->options->activation;
    if (end == UC_END_SOFTMAX || end == UC_END_LOG_SOFTMAX || end == UC_END_CLASSIFIER ||
        asked == UC_ACTIVATION_SOFTMAX || asked == UC_ACTIVATION_EXP) {
        classify(l, r);
    } else if (end == UC_END_SIGMOID || asked == UC_ACTIVATION_SIGMOID) {
        multilabel(l, r);
    } else if (labels_fit(l, n) || asked == UC_ACTIVATION_NONE) {
        classify(l, r);
    } else if (end == UC_END_UNIT_NORM || end == UC_END_POOL) {
        r->kind = UC_POST_EMBED;
    } else if (!l->options->picture || n < 2) {
        r->kind = UC_POST_TENSOR;
    } else if (end == UC_END_TANH || is_known_vector(n)) {
        r->kind = UC_POST_EMBED;
        note(l, "embedding", "an embedding: its width is that of one and there are no labels",
             "--task classify or --labels FILE if they are classes");
    } else {
        classify(l, r);
        if (n <= 4)
            note(l, "classes-assumed", "scores of classes", "--task regress if they are values");
    }
}

/* ---- maps and points ------------------------------------------------------------------------ */

static void segment(const look *l, uc_reading *r, int64_t classes, bool last)
{
    r->kind = UC_POST_SEGMENT;
    r->classes = classes;
    r->channels_last = last;
    if (classes <= 1 && !r->indices) {
        r->classes = 2;
        r->binary = true;
        if (l->out->end == UC_END_SIGMOID || l->out->end == UC_END_UNIT) {
            r->activation = UC_ACTIVATION_NONE;
        } else {
            r->activation = UC_ACTIVATION_SIGMOID;
        }
        if (isnan(r->threshold)) r->threshold = 0.5;
    }
}

static bool is_about_points(const char *name)
{
    return has_word(name, "keypoint") || has_word(name, "landmark") || has_word(name, "pose") ||
           has_word(name, "joint");
}

static void read_plane(const look *l, uc_reading *r)
{
    int64_t a = l->axis[0], b = l->axis[1];
    const uc_post_output *o = l->out;
    bool movenet = o->rank == 4 && o->shape[1] == 1 && a == 17 && b == 3;
    bool points = (b == 2 || b == 3) && a > 1 && (movenet || is_about_points(o->name));
    if (points && l->options->picture) {
        r->kind = UC_POST_KEYPOINTS;
        r->rows_first = movenet;
        r->classes = a;
        note(l, "keypoints", movenet ? "points of y, x, score" : "points of x, y",
             "--task tensor if they aren't");
    } else if (!lies_over_picture(l, a, b)) {
        r->kind = UC_POST_TENSOR;
    } else if (uc_dtype_is_integer(o->dtype) && o->scale == 0) {
        r->indices = true;
        segment(l, r, 0, false);
    } else if (o->end == UC_END_SIGMOID) {
        segment(l, r, 1, false);
        note(l, "mask", "a mask: one probability a pixel", "--task image if it is a picture");
    } else {
        r->kind = UC_POST_IMAGE;
        note(l, "map", "a picture of one channel", "--task segment if it is a mask");
    }
}

/* Whether the channels of a map stand last: by which side lies over the picture. */
static bool channels_last(const look *l)
{
    bool first = lies_over_picture(l, l->axis[1], l->axis[2]),
         last = lies_over_picture(l, l->axis[0], l->axis[1]);
    if (first != last) return last;
    return l->axis[2] >= 0 && l->axis[2] < l->axis[0]; /* channels are few */
}

static void read_maps(const look *l, uc_reading *r)
{
    bool last = channels_last(l);
    int64_t c = l->axis[last ? 2 : 0], h = l->axis[last ? 0 : 1], w = l->axis[last ? 1 : 2];
    uc_post_end end = l->out->end;
    r->channels_last = last;
    if (!lies_over_picture(l, h, w)) {
        r->kind = UC_POST_TENSOR;
    } else if (end == UC_END_SOFTMAX || end == UC_END_LOG_SOFTMAX || labels_fit(l, c)) {
        segment(l, r, c, last);
    } else if (is_about_points(l->out->name) || has_word(l->out->name, "heatmap") ||
               (is_count_of_points(c) && h * 4 == l->options->input_height)) {
        r->kind = UC_POST_KEYPOINTS;
        r->heat = true;
        r->classes = c;
        note(l, "heatmaps", "one map a point: each point is where its map is largest",
             "--task segment if they are classes");
    } else if (c == 3 && (l->options->input_height <= 0 || h >= l->options->input_height)) {
        r->kind = UC_POST_IMAGE;
        note(l, "picture", "a picture", "--task segment if its channels are classes");
    } else if (c >= 2) {
        segment(l, r, c, last);
        note(l, "segmentation", "scores of classes for every pixel",
             "--task tensor if they aren't");
    } else {
        r->kind = UC_POST_TENSOR;
    }
}

/* ---- the reading ---------------------------------------------------------------------------- */

static void read_integers(const look *l, uc_reading *r)
{
    uc_post_end end = l->out->end;
    bool named = has_word(l->out->name, "label") || has_word(l->out->name, "class");
    if (l->count == 0 && (end == UC_END_ARGMAX || end == UC_END_CLASS || named)) {
        r->kind = UC_POST_LABEL;
        r->column_classes = l->out->classes;
    } else if (l->count == 2) {
        read_plane(l, r);
    } else {
        r->kind = UC_POST_TENSOR;
    }
}

/* Keypoints asked for: [K, 2], [K, 3], one row of pairs, or maps. */
static bool force_points(const look *l, uc_reading *r)
{
    const int64_t *axis = l->axis;
    r->kind = UC_POST_KEYPOINTS;
    if (l->count == 1 && axis[0] % 2 == 0) {
        r->classes = axis[0] / 2;
    } else if (l->count == 2 && (axis[1] == 2 || axis[1] == 3)) {
        r->classes = axis[0];
        r->rows_first = l->out->rank == 4 && axis[0] == 17 && axis[1] == 3;
    } else if (l->count == 3) {
        r->heat = true;
        r->channels_last = channels_last(l);
        r->classes = axis[r->channels_last ? 2 : 0];
    } else {
        return false;
    }
    return true;
}

static bool force_maps(const look *l, uc_reading *r, uc_post_kind kind)
{
    if (l->count != 2 && l->count != 3) return false;
    bool last = l->count == 3 && channels_last(l);
    int64_t c = l->count == 2 ? 1 : l->axis[last ? 2 : 0];
    r->channels_last = last;
    r->kind = kind;
    if (kind == UC_POST_IMAGE) return c == 1 || c == 3;
    r->indices = l->count == 2 && uc_dtype_is_integer(l->out->dtype) && l->out->scale == 0;
    segment(l, r, c, last);
    return true;
}

/* The reading --task asks for; false when the output's shape doesn't allow it. */
static bool force(const look *l, uc_reading *r, uc_post_kind kind)
{
    switch (kind) {
    case UC_POST_CLASSIFY:
        if (l->count > 1) return false;
        classify(l, r);
        return true;
    case UC_POST_MULTILABEL:
        if (l->count > 1) return false;
        multilabel(l, r);
        return true;
    case UC_POST_REGRESS: r->kind = kind; return l->count <= 1;
    case UC_POST_EMBED:
    case UC_POST_TENSOR: r->kind = kind; return true;
    case UC_POST_SEGMENT:
    case UC_POST_IMAGE: return force_maps(l, r, kind);
    case UC_POST_KEYPOINTS: return force_points(l, r);
    case UC_POST_DETECT:
    case UC_POST_LABEL:
    case UC_POST_PART: break;
    }
    return false;
}

static void read_one(const look *l, uc_reading *r)
{
    const uc_post_output *o = l->out;
    if (o->dtype == UNCORK_STRING) {
        r->kind = l->count == 0 ? UC_POST_LABEL : UC_POST_TENSOR;
    } else if (!uc_dtype_is_float(o->dtype) && o->scale == 0) {
        read_integers(l, r);
    } else if (l->count == 0) {
        read_number(l, r);
    } else if (l->count == 1) {
        read_vector(l, r);
    } else if (l->count == 2) {
        read_plane(l, r);
    } else if (l->count == 3) {
        read_maps(l, r);
    }
}

static uncork_status refuse_task(const uc_post_output *outputs, int count,
                                 const uc_post_options *options, uncork_error *error)
{
    char text[128] = "?";
    if (count && outputs[0].rank >= 0)
        uc_shape_text(outputs[0].shape, outputs[0].rank, text, sizeof text);
    uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "--task %s fits no output: '%.60s' is %s%s",
            uc_post_kind_name((uc_post_kind)options->task), count ? outputs[0].name : "", text,
            count > 1 ? " and the others don't fit either" : "");
    return uc_fix(error, "--task tensor shows any output as it is");
}

/* Texts as many as the scores: the classes' names, which exports of AutoML, Vertex AI and tf.estimator
 * give with each answer. */
static bool names_scores(const uc_post_output *names, const uc_post_output *scores)
{
    if (names->dtype != UNCORK_STRING || !uc_dtype_is_float(scores->dtype)) return false;
    if (names->rank < 1 || names->rank > 2 || names->rank != scores->rank) return false;
    return names->shape[names->rank - 1] == scores->shape[names->rank - 1] &&
           names->shape[names->rank - 1] != 1;
}

/* The output of names of output i, -1: none. */
static int names_of(const uc_post_output *outputs, int count, int i)
{
    for (int k = 0; k < count; k++) {
        if (names_scores(&outputs[k], &outputs[i])) return k;
    }
    return -1;
}

static bool only_echoes(const uc_post_output *o)
{
    return o->dtype == UNCORK_STRING && strcmp(o->name, "key") == 0;
}

/* Names belong to their scores; a key is what came in. */
static void pair_names(const uc_post_output *outputs, int count, uc_reading *readings)
{
    for (int i = 0; i < count; i++) {
        const uc_post_kind kind = readings[i].kind;
        const int k = names_of(outputs, count, i);
        if (k < 0 || (kind != UC_POST_CLASSIFY && kind != UC_POST_MULTILABEL)) continue;
        readings[i].named_by = k + 1;
        readings[k].kind = UC_POST_PART;
    }
    for (int i = 0; i < count && count > 1; i++) {
        if (only_echoes(&outputs[i])) readings[i].kind = UC_POST_PART;
    }
}

uncork_status uc_post_read(const uc_post_output *outputs, int count, const uc_post_options *options,
                           uc_findings *findings, uc_reading *readings, uncork_error *error)
{
    bool forced = options->task < 0;
    const bool detects = options->task == UC_POST_DETECT || (options->task < 0 && options->picture);
    if (detects && uc_post_detect(outputs, count, options, findings, readings)) return UNCORK_OK;
    for (int i = 0; i < count; i++) {
        const uc_post_output *o = &outputs[i];
        uc_post_options own = *options;
        const int named = names_of(outputs, count, i);
        if (named >= 0 && o->shape[o->rank - 1] > 0) {
            own.label_count = (size_t)o->shape[o->rank - 1];
        }
        look l = look_at(o, &own, findings, count);
        const uc_reading plain = {.kind = UC_POST_TENSOR,
                                  .output = i,
                                  .name = o->name,
                                  .end = o->end,
                                  .activation = UC_ACTIVATION_NONE,
                                  .whole = l.whole,
                                  .scale = o->scale,
                                  .zero = o->zero,
                                  .threshold = options->threshold};
        readings[i] = plain;
        if (o->rank < 0) continue;
        if (options->task < 0) {
            read_one(&l, &readings[i]);
        } else if (o->dtype == UNCORK_STRING && l.count == 0) {
            readings[i].kind = UC_POST_LABEL;
        } else if (force(&l, &readings[i], (uc_post_kind)options->task)) {
            forced = true;
        } else {
            readings[i] = plain;
        }
    }
    pair_names(outputs, count, readings);
    return forced ? UNCORK_OK : refuse_task(outputs, count, options, error);
}
