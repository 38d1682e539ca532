/* What doctor prints: causes with evidence and remedy, the likeliest first; then what was tried. */
#include "base/json.h"
#include "base/text.h"
#include "cli/doctor.h"

#include <stdlib.h>

#define SHOWN_TRIALS 6

void doctor_found(doctor *d, const char *cause, const char *evidence, const char *remedy)
{
    if (d->found_count == DOCTOR_DIAGNOSES) return;
    d->found[d->found_count++] = (uc_diagnosis){.id = "answers",
                                                .cause = cause ? cause : "memory is out",
                                                .evidence = evidence ? evidence : "",
                                                .remedy = remedy ? remedy : "",
                                                .says = ""};
}

void doctor_note(doctor *d, const char *text)
{
    if (d->note_count < DOCTOR_DIAGNOSES && text) d->notes[d->note_count++] = text;
}

static void put_line(uc_writer *out, const char *title, const char *text)
{
    if (!text[0]) return;
    uc_writer_text(out, title);
    uc_text_escape(out, uc_str_of(text));
    uc_writer_text(out, "\n");
}

static void put_score(const doctor *d, const doctor_trial *t, uc_writer *out)
{
    if (d->labelled) {
        uc_writer_printf(out, "%3zu of %zu right  ", t->right, t->answered);
    } else if (d->probe) {
        uc_writer_printf(out, "%6.2f away  ", t->distance);
    } else {
        uc_writer_printf(out, "%3.0f %% sure  ",
                         t->answered ? 100 * t->sure_sum / (double)t->answered : 0);
    }
    uc_writer_text(out, t->spec ? t->spec : "");
    uc_writer_text(out, "\n");
}

static void put_trials(const doctor *d, uc_writer *out)
{
    const doctor_trial *best[SHOWN_TRIALS];
    const size_t count = doctor_best(d, best, SHOWN_TRIALS);
    if (!d->base.spec) return;
    uc_writer_text(out, "steps now:\n  ");
    put_score(d, &d->base, out);
    if (count) uc_writer_printf(out, "the best of %zu others tried:\n", d->trial_count);
    for (size_t i = 0; i < count; i++) {
        uc_writer_text(out, "  ");
        put_score(d, best[i], out);
    }
}

static void put_text(const doctor *d, uc_writer *out)
{
    if (!d->found_count) uc_writer_text(out, "nothing wrong found\n");
    for (size_t i = 0; i < d->found_count; i++) {
        put_line(out, "cause: ", d->found[i].cause);
        put_line(out, "evidence: ", d->found[i].evidence);
        put_line(out, "remedy: ", d->found[i].remedy);
        if (d->found[i].command) put_line(out, "command: ", d->found[i].command);
    }
    put_trials(d, out);
    for (size_t i = 0; i < d->note_count; i++) {
        put_line(out, "- ", d->notes[i]);
    }
}

static void json_text(uc_json_writer *json, const char *key, const char *text)
{
    uc_json_key(json, key);
    uc_json_put_text(json, text);
}

static void json_trial(const doctor *d, const doctor_trial *t, uc_json_writer *json)
{
    uc_json_begin_object(json);
    json_text(json, "preprocess", t->spec ? t->spec : "");
    uc_json_key(json, "answered");
    uc_json_put_i64(json, (int64_t)t->answered);
    if (d->labelled) {
        uc_json_key(json, "right");
        uc_json_put_i64(json, (int64_t)t->right);
    }
    if (d->probe) {
        uc_json_key(json, "distance");
        uc_json_put_f64(json, t->distance);
    }
    uc_json_key(json, "confidence");
    uc_json_put_f64(json, t->answered ? t->sure_sum / (double)t->answered : 0);
    uc_json_end_object(json);
}

/* The lines as an array. */
static void json_says(uc_json_writer *json, const char *says)
{
    uc_json_key(json, "says");
    uc_json_begin_array(json);
    while (*says) {
        const size_t size = strcspn(says, "\n");
        uc_json_put_str(json, (uc_str){says, size});
        says += size + (says[size] == '\n');
    }
    uc_json_end_array(json);
}

static void put_json(const doctor *d, uc_writer *out)
{
    uc_json_writer json = {.out = out};
    uc_json_begin_object(&json);
    json_text(&json, "file", d->p.options->arguments[0]);
    uc_json_key(&json, "causes");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < d->found_count; i++) {
        uc_json_begin_object(&json);
        json_text(&json, "id", d->found[i].id);
        json_text(&json, "cause", d->found[i].cause);
        json_text(&json, "evidence", d->found[i].evidence);
        json_text(&json, "remedy", d->found[i].remedy);
        if (d->found[i].command) json_text(&json, "command", d->found[i].command);
        json_says(&json, d->found[i].says);
        uc_json_end_object(&json);
    }
    uc_json_end_array(&json);
    if (d->base.spec) {
        uc_json_key(&json, "now");
        json_trial(d, &d->base, &json);
        uc_json_key(&json, "best");
        json_trial(d, &d->best, &json);
        uc_json_key(&json, "tried");
        uc_json_begin_array(&json);
        for (size_t i = 0; i < d->trial_count; i++) {
            json_trial(d, &d->trials[i], &json);
        }
        uc_json_end_array(&json);
    }
    uc_json_key(&json, "notes");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < d->note_count; i++) {
        uc_json_put_text(&json, d->notes[i]);
    }
    uc_json_end_array(&json);
    uc_json_end_object(&json);
    uc_writer_text(out, "\n");
}

int doctor_print(const doctor *d)
{
    uc_writer out;
    uc_writer_init(&out, (size_t)1 << 28);
    if (d->p.options->json) {
        put_json(d, &out);
    } else {
        put_text(d, &out);
    }
    const bool written = cli_flush(&out);
    uc_writer_done(&out);
    return written && d->found_count == d->elsewhere ? EXIT_OK : EXIT_INPUT;
}
