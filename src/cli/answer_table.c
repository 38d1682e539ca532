/* The classic answer: named tables of one row an input. The label first, then the best classes with their scores; numbers of a
 * regression or transform as they are. */
#include "cli/answer.h"

#include "base/json.h"
#include "base/text.h"

typedef struct ranked {
    double score;
    int64_t index;
} ranked;

static const uc_tensor *find(const cli_answers *a, const uc_tensor *const *outputs,
                             const char *name)
{
    for (int i = 0; i < a->count; i++) {
        if (strcmp(a->names[i], name) == 0) return outputs[i];
    }
    return NULL;
}

static int64_t row_width(const uc_tensor *t)
{
    return t->rank < 2 ? 1 : t->shape[0] ? uc_tensor_count(t) / t->shape[0] : 0;
}

/* Name of class `index`: --labels by its integer value, else by its place; else the class itself. */
static uc_str class_name(const cli_answers *a, int64_t index, char text[32])
{
    int64_t at = index;
    bool integer = a->classes && a->classes->dtype != UNCORK_STRING;
    if (integer && index < uc_tensor_count(a->classes)) {
        at = uc_dtype_load_i64(a->classes->data, index, a->classes->dtype);
    }
    if (at >= 0 && (size_t)at < a->labels.count && a->labels.items[at].size)
        return a->labels.items[at];
    if (a->classes && index < uc_tensor_count(a->classes)) {
        if (!integer) return uc_tensor_string(a->classes, index);
        if (a->classes->dtype == UNCORK_BOOL) return uc_str_of(at ? "True" : "False");
        if (uc_dtype_is_float(a->classes->dtype)) {
            return (uc_str){
                text,
                uc_f64_text(uc_dtype_load_f64(a->classes->data, index, a->classes->dtype), text)};
        }
    }
    int n = snprintf(text, 32, "%lld", (long long)at);
    return (uc_str){text, n > 0 ? (size_t)n : 0};
}

static uc_str element_text(const cli_answers *a, const uc_tensor *t, int64_t i, char text[32])
{
    if (t->dtype == UNCORK_STRING) return uc_tensor_string(t, i);
    if (t->dtype == UNCORK_BOOL) return uc_str_of(((const uint8_t *)t->data)[i] ? "True" : "False");
    if (uc_dtype_is_integer(t->dtype)) {
        int64_t v = uc_dtype_load_i64(t->data, i, t->dtype);
        if (v >= 0 && (size_t)v < a->labels.count && a->labels.items[v].size)
            return a->labels.items[v];
        int n = snprintf(text, 32, "%lld", (long long)v);
        return (uc_str){text, n > 0 ? (size_t)n : 0};
    }
    if (t->dtype == UNCORK_FLOAT32)
        return (uc_str){text, uc_f32_text(((const float *)t->data)[i], text)};
    return (uc_str){text, uc_f64_text(uc_dtype_load_f64(t->data, i, t->dtype), text)};
}

static bool same_text(const cli_answers *a, int64_t index, uc_str label)
{
    char text[32];
    return uc_str_equal(class_name(a, index, text), label);
}

/* The best `top` columns of row r, the label's own first; *count of them. */
static ranked *rank_classes(const cli_answers *a, const uc_tensor *scores, int64_t r, uc_str label,
                            uc_arena *arena, size_t *count)
{
    int64_t width = row_width(scores);
    ranked *all = UC_NEW(arena, ranked, (size_t)width);
    *count = 0;
    if (!all) return NULL;
    for (int64_t i = 0; i < width; i++) { /* insertion by score, earlier index first among equals */
        ranked item = {uc_dtype_load_f64(scores->data, r * width + i, scores->dtype), i};
        size_t at = (size_t)i;
        bool own = same_text(a, i, label);
        while (at > 0 &&
               (own ? !same_text(a, all[at - 1].index, label)
                    : item.score > all[at - 1].score && !same_text(a, all[at - 1].index, label))) {
            all[at] = all[at - 1];
            at--;
        }
        all[at] = item;
    }
    size_t top = a->options->top ? (size_t)a->options->top : (size_t)width;
    *count = top < (size_t)width ? top : (size_t)width;
    while (*count && all[*count - 1].score < a->options->threshold) { /* NaN: none is left out */
        --*count;
    }
    return all;
}

/* Of a network that says nothing of its classes: the one output with a column for every label. */
static const uc_tensor *labelled_scores(const cli_answers *a, const uc_tensor *const *outputs)
{
    const uc_tensor *found = NULL;
    for (int i = 0; a->labels_given && i < a->count; i++) {
        const uc_tensor *t = outputs[i];
        if (!uc_dtype_is_float(t->dtype) || t->rank != 2) continue;
        if (row_width(t) != (int64_t)a->labels.count || row_width(t) < 2) continue;
        if (found) return NULL;
        found = t;
    }
    return found;
}

/* The scores whose columns are classes: probabilities, else scores of a width that fits. */
static const uc_tensor *class_scores(const cli_answers *a, const uc_tensor *const *outputs)
{
    if (!a->classes) return labelled_scores(a, outputs);
    if (a->score_output >= 0) {
        const uc_tensor *t = outputs[a->score_output];
        return t->rank == 2 && row_width(t) == uc_tensor_count(a->classes) ? t : NULL;
    }
    static const char *const names[] = {"probabilities", "predict_proba", "predict_log_proba",
                                        "scores", "decision_function"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const uc_tensor *t = find(a, outputs, names[i]);
        if (t && t->rank == 2 && row_width(t) == uc_tensor_count(a->classes)) return t;
    }
    return NULL;
}

static const uc_tensor *main_output(const cli_answers *a, const uc_tensor *const *outputs)
{
    if (a->label_output >= 0) return outputs[a->label_output];
    const uc_tensor *t = find(a, outputs, "label");
    if (!t) t = find(a, outputs, "predict");
    return t;
}

static bool are_probabilities(const uc_tensor *scores, int64_t r)
{
    double sum = 0;
    for (int64_t i = 0, width = row_width(scores); i < width; i++) {
        const double v = uc_dtype_load_f64(scores->data, r * width + i, scores->dtype);
        if (!(v >= 0 && v <= 1)) return false;
        sum += v;
    }
    return sum > 0.999 && sum < 1.001;
}

uc_str cli_table_class(const cli_answers *a, int64_t index, char text[32])
{
    return class_name(a, index, text);
}

uncork_status cli_table_of(const cli_answers *a, const cli_input *input, uc_arena *arena,
                           cli_table *table, uncork_error *error)
{
    const uc_tensor *label = main_output(a, input->outputs);
    const uc_tensor *scores = class_scores(a, input->outputs);
    char own[32];
    *table = (cli_table){.label = {"", 0}};
    if (label && row_width(label) == 1) {
        const uc_str text = element_text(a, label, input->row, own);
        const char *copy = uc_arena_copy(arena, text.data, text.size);
        table->label = (uc_str){copy, copy ? text.size : 0};
    }
    if (!scores) return uc_arena_status(arena, error);
    size_t unused;
    const ranked *ranks = rank_classes(a, scores, input->row, table->label, arena, &unused);
    table->count = (size_t)row_width(scores);
    table->items = UC_NEW(arena, cli_class, table->count);
    if (!ranks || !table->items) return uc_arena_status(arena, error);
    for (size_t i = 0; i < table->count; i++) {
        table->items[i] = (cli_class){ranks[i].index, ranks[i].score};
    }
    table->probabilities = are_probabilities(scores, input->row);
    return UNCORK_OK;
}

static void put_number(uc_writer *out, double score)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.4f", score);
    uc_writer_put(out, text, n > 0 ? (size_t)n : 0);
}

static void text_values(cli_answers *a, const uc_tensor *t, int64_t r)
{
    int64_t width = row_width(t);
    char text[32];
    for (int64_t i = 0; i < width; i++) {
        if (i) uc_writer_text(a->out, " ");
        uc_text_escape(a->out, element_text(a, t, r * width + i, text));
    }
}

static void answer_text(cli_answers *a, const char *input, const uc_tensor *const *outputs,
                        int64_t r, uc_arena *arena)
{
    uc_text_escape(a->out, uc_str_of(input));
    uc_writer_text(a->out, ":");
    const uc_tensor *label = main_output(a, outputs), *scores = class_scores(a, outputs);
    char own[32], text[32];
    if (scores) {
        uc_str best = label && row_width(label) == 1 ? element_text(a, label, r, own) : (uc_str){0};
        size_t count;
        ranked *ranks = rank_classes(a, scores, r, best, arena, &count);
        for (size_t i = 0; ranks && i < count; i++) {
            uc_writer_text(a->out, i ? ", " : " ");
            uc_text_escape(a->out, class_name(a, ranks[i].index, text));
            uc_writer_text(a->out, " ");
            put_number(a->out, ranks[i].score);
        }
    } else {
        for (int i = 0; i < a->count; i++) {
            uc_writer_text(a->out, " ");
            if (outputs[i] != label) uc_writer_printf(a->out, "%s%s=", i ? " " : "", a->names[i]);
            text_values(a, outputs[i], r);
        }
    }
    uc_writer_text(a->out, "\n");
}

static void json_element(uc_json_writer *json, const uc_tensor *t, int64_t i)
{
    if (t->dtype == UNCORK_STRING) {
        uc_json_put_str(json, uc_tensor_string(t, i));
    } else if (t->dtype == UNCORK_BOOL) {
        uc_json_put_bool(json, ((const uint8_t *)t->data)[i] != 0);
    } else if (uc_dtype_is_integer(t->dtype)) {
        uc_json_put_i64(json, uc_dtype_load_i64(t->data, i, t->dtype));
    } else if (t->dtype == UNCORK_FLOAT32) {
        uc_json_put_f32(json, ((const float *)t->data)[i]);
    } else {
        uc_json_put_f64(json, uc_dtype_load_f64(t->data, i, t->dtype));
    }
}

static void json_row(uc_json_writer *json, const char *name, const uc_tensor *t, int64_t r)
{
    int64_t width = row_width(t);
    uc_json_key(json, name);
    if (t->rank < 2) {
        json_element(json, t, r);
        return;
    }
    uc_json_begin_array(json);
    for (int64_t i = 0; i < width; i++) {
        json_element(json, t, r * width + i);
    }
    uc_json_end_array(json);
}

static void answer_json(cli_answers *a, const char *input, const uc_tensor *const *outputs,
                        int64_t r, uc_arena *arena)
{
    uc_json_writer json = {.out = a->out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "input");
    uc_json_put_text(&json, input);
    for (int i = 0; i < a->count; i++) {
        json_row(&json, a->names[i], outputs[i], r);
    }
    const uc_tensor *label = main_output(a, outputs), *scores = class_scores(a, outputs);
    char own[32], text[32];
    if (label && a->labels.count && row_width(label) == 1 && label->dtype != UNCORK_STRING) {
        uc_json_key(&json, "name");
        uc_json_put_str(&json, element_text(a, label, r, own));
    }
    if (scores) {
        size_t count;
        uc_str best = label && row_width(label) == 1 ? element_text(a, label, r, own) : (uc_str){0};
        ranked *ranks = rank_classes(a, scores, r, best, arena, &count);
        uc_json_key(&json, "top");
        uc_json_begin_array(&json);
        for (size_t i = 0; ranks && i < count; i++) {
            uc_json_begin_object(&json);
            uc_json_key(&json, "label");
            uc_json_put_str(&json, class_name(a, ranks[i].index, text));
            uc_json_key(&json, "index");
            uc_json_put_i64(&json, ranks[i].index);
            uc_json_key(&json, "score");
            uc_json_put_f64(&json, ranks[i].score);
            uc_json_end_object(&json);
        }
        uc_json_end_array(&json);
    }
    uc_json_end_object(&json);
    uc_writer_text(a->out, "\n");
}

static void csv_header(cli_answers *a, const uc_tensor *const *outputs)
{
    char text[32];
    uc_writer_text(a->out, "input");
    for (int k = 0; k < a->count; k++) {
        int64_t width = row_width(outputs[k]);
        bool classes = outputs[k] == class_scores(a, outputs);
        for (int64_t i = 0; i < width; i++, a->csv_columns++) {
            uc_writer_text(a->out, ",");
            if (outputs[k]->rank < 2) {
                uc_writer_text(a->out, a->names[k]);
            } else if (classes) {
                uc_writer name;
                uc_writer_init(&name, 1u << 20);
                uc_str label = class_name(a, i, text);
                uc_writer_printf(&name, "%s_%.*s", a->names[k], (int)label.size, label.data);
                cli_csv_cell(a->out, (uc_str){uc_writer_string(&name), name.size});
                uc_writer_done(&name);
            } else {
                uc_writer_printf(a->out, "%s_%lld", a->names[k], (long long)i);
            }
        }
    }
    uc_writer_text(a->out, ",error\n");
}

static void answer_csv(cli_answers *a, const char *input, const uc_tensor *const *outputs,
                       int64_t r)
{
    char text[32];
    if (!a->header_written) {
        csv_header(a, outputs);
        a->header_written = true;
        cli_csv_failures(a);
    }
    cli_csv_cell(a->out, uc_str_of(input));
    for (int k = 0; k < a->count; k++) {
        int64_t width = row_width(outputs[k]);
        for (int64_t i = 0; i < width; i++) {
            uc_writer_text(a->out, ",");
            cli_csv_cell(a->out, element_text(a, outputs[k], r * width + i, text));
        }
    }
    uc_writer_text(a->out, ",\n");
}

void cli_answer_table(cli_answers *a, const char *input, const uc_tensor *const *outputs, int64_t r)
{
    uc_arena *arena = uc_arena_new(a->budget);
    if (!arena) return;
    if (a->options->json) {
        answer_json(a, input, outputs, r, arena);
    } else if (a->options->csv) {
        answer_csv(a, input, outputs, r);
    } else {
        answer_text(a, input, outputs, r, arena);
    }
    uc_arena_free(arena);
}
