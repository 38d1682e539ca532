/* A contract as text that parses back, and as JSON: {"spec": TEXT, "steps": [{"step": NAME, "with":
 * [WORDS]}]}, words that are numbers as numbers. */
#include "contract/contract_internal.h"

#include "base/text.h"

static void put_step(const uc_step *s, uc_writer *out)
{
    uc_writer_text(out, s->row->name);
    if (!s->row->print) return;
    uc_writer words;
    uc_writer_init(&words, 4096);
    s->row->print(s, &words);
    if (words.size) uc_writer_printf(out, "=%s", uc_writer_string(&words));
    uc_writer_done(&words);
}

void uc_contract_text(const uc_contract *contract, uc_writer *out)
{
    for (size_t i = 0; i < contract->count; i++) {
        if (i) uc_writer_text(out, " | ");
        put_step(&contract->steps[i], out);
    }
}

static void put_words(const uc_step *s, uc_json_writer *json)
{
    uc_writer words;
    uc_writer_init(&words, 4096);
    if (s->row->print) s->row->print(s, &words);
    uc_str rest = {uc_writer_string(&words), words.size};
    if (rest.size) {
        uc_json_key(json, "with");
        uc_json_begin_array(json);
        while (rest.size) {
            uc_str word = uc_word_cut(&rest, ',');
            double v;
            int64_t whole;
            if (uc_text_i64(word, &whole)) {
                uc_json_put_i64(json, whole);
            } else if (uc_text_f64(word, &v)) {
                uc_json_put_f64(json, v);
            } else {
                uc_json_put_str(json, word);
            }
        }
        uc_json_end_array(json);
    }
    uc_writer_done(&words);
}

void uc_contract_json(const uc_contract *contract, uc_json_writer *json)
{
    uc_writer text;
    uc_writer_init(&text, (size_t)1 << 20);
    uc_contract_text(contract, &text);
    uc_json_begin_object(json);
    uc_json_key(json, "spec");
    uc_json_put_text(json, uc_writer_string(&text));
    uc_writer_done(&text);
    uc_json_key(json, "steps");
    uc_json_begin_array(json);
    for (size_t i = 0; i < contract->count; i++) {
        uc_json_begin_object(json);
        uc_json_key(json, "step");
        uc_json_put_text(json, contract->steps[i].row->name);
        put_words(&contract->steps[i], json);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
    uc_json_end_object(json);
}

/* One word of a step's "with" as text. */
static bool put_word(const uc_json *word, uc_writer *out)
{
    if (word->kind == UC_JSON_INT || word->kind == UC_JSON_FLOAT) {
        uc_number_print(word->number, out);
    } else if (word->kind == UC_JSON_STRING) {
        uc_writer_put(out, word->string.data, word->string.size);
    } else {
        return false;
    }
    return true;
}

static bool put_with(const uc_json *with, uc_writer *out)
{
    if (!with) return true;
    uc_writer_text(out, "=");
    if (with->kind == UC_JSON_NUMBERS) {
        for (size_t i = 0; i < uc_json_count(with); i++) {
            if (i) uc_writer_text(out, ",");
            uc_number_print(
                uc_dtype_load_f64(with->numbers->data, (int64_t)i, with->numbers->dtype), out);
        }
        return true;
    }
    if (with->kind != UC_JSON_ARRAY) return false;
    for (size_t i = 0; i < with->count; i++) {
        if (i) uc_writer_text(out, ",");
        if (!put_word(with->items[i], out)) return false;
    }
    return true;
}

/* The steps as text; false when an object of them is no step. */
static bool put_steps(const uc_json *steps, uc_writer *out)
{
    for (size_t i = 0; i < uc_json_count(steps); i++) {
        const uc_json *step = uc_json_at(steps, i);
        uc_str name = uc_json_str(uc_json_get(step, "step"), "");
        if (!name.size) return false;
        if (i) uc_writer_text(out, " | ");
        uc_writer_put(out, name.data, name.size);
        if (!put_with(uc_json_get(step, "with"), out)) return false;
    }
    return true;
}

uncork_status uc_contract_of_json(const uc_json *json, const char *source, uc_arena *arena,
                                  uc_contract **contract, uncork_error *error)
{
    uc_writer text;
    uc_writer_init(&text, (size_t)1 << 20);
    const uc_json *steps = uc_json_get(json, "steps");
    bool sound = steps && put_steps(steps, &text);
    if (!steps && json && json->kind == UC_JSON_STRING) { /* the text alone will do */
        uc_writer_put(&text, json->string.data, json->string.size);
        sound = true;
    }
    const char *spec = uc_arena_str(arena, uc_writer_string(&text));
    uncork_status failed = text.status;
    uc_writer_done(&text);
    if (failed || !spec) return uc_fail_memory(error);
    if (!sound)
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       "%s: preprocessing is no list of {\"step\": NAME, \"with\": [WORDS]}",
                       source);
    return uc_contract_read(spec, source, arena, contract, error);
}
