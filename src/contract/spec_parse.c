/* The pipeline text: "rgb | resize=224x224,bilinear,pillow | scale=1/255 | nchw", read left to right; a
 * message points at the wrong word and names the nearest right one. docs/preprocessing.md lists the
 * steps. */
#include "contract/contract_internal.h"

#include "base/text.h"

#define STEPS_MAX 256

bool uc_contract_add(uc_contract *contract, uc_arena *arena, uc_step step)
{
    uc_step *steps = uc_arena_grow(arena, contract->steps, &contract->capacity, contract->count + 1,
                                   sizeof *steps);
    if (!steps) return false;
    contract->steps = steps;
    steps[contract->count++] = step;
    return true;
}

uncork_status uc_spec_wrong(const uc_spec *spec, uc_str word, const char *why)
{
    uc_fail(spec->error, UNCORK_USAGE, UC_NO_OFFSET, "%s: '%.*s' (character %zu) %s", spec->source,
            (int)(word.size < 80 ? word.size : 80), word.data ? word.data : "",
            (size_t)(word.data - spec->text) + 1, why);
    return spec->error->status;
}

/* The same with the nearest name, where one is near. */
static uncork_status wrong_near(const uc_spec *spec, uc_str word, const char *why,
                                const uc_nearest *nearest)
{
    uc_spec_wrong(spec, word, why);
    return nearest->best ? uc_fix(spec->error, "did you mean %s?", nearest->best)
                         : spec->error->status;
}

uncork_status uc_spec_unknown(const uc_spec *spec, uc_str word, const char *what,
                              const char *const *known)
{
    uc_nearest nearest = {.word = word};
    for (size_t i = 0; known[i]; i++) {
        uc_nearest_offer(&nearest, known[i]);
    }
    return wrong_near(spec, word, what, &nearest);
}

static uncork_status unknown_step(const uc_spec *spec, uc_str name)
{
    uc_nearest nearest = {.word = name};
    const uc_step_row *row;
    for (size_t i = 0; (row = uc_step_at(i)); i++) {
        uc_nearest_offer(&nearest, row->name);
    }
    if (!nearest.best) {
        uc_spec_wrong(spec, name, "is no step");
        return uc_fix(spec->error,
                      "steps are decode=, rgb, bgr, gray, resize=, center_crop=, crop=, pad=, "
                      "letterbox=, float32, scale=, mean=, std=, add=, nchw, flatten, ...; "
                      "--preprocess list prints the presets");
    }
    return wrong_near(spec, name, "is no step", &nearest);
}

static uncork_status read_preset(uc_spec *spec, uc_str name)
{
    const char *steps = uc_preset_find(name);
    if (!steps) {
        uc_nearest nearest = {.word = name};
        uc_preset_nearest(&nearest);
        if (nearest.best) return wrong_near(spec, name, "is no preset", &nearest);
        uc_spec_wrong(spec, name, "is no preset");
        return uc_fix(spec->error, "--preprocess list prints them");
    }
    uc_spec inside = *spec;
    inside.text = steps;
    uncork_status status = uc_spec_read(&inside, uc_str_of(steps));
    inside.text = spec->text;
    *spec = inside;
    return status;
}

static uncork_status read_step(uc_spec *spec, uc_str text)
{
    uc_str rest = text, name = uc_word_cut(&rest, '=');
    bool arguments = name.size != text.size;
    const uc_step_row *row = uc_step_find(name);
    if (!row && !arguments && name.size && memchr(name.data, ':', name.size))
        return read_preset(spec, name);
    if (!row) return unknown_step(spec, name);
    if (spec->contract->count >= STEPS_MAX)
        return uc_spec_wrong(spec, name, "is one step too many (256)");
    uc_step step = {.row = row, .variant = row->extra, .library = spec->library};
    if (row->parse) {
        UC_TRY(row->parse(spec, arguments ? rest : (uc_str){name.data + name.size, 0}, &step));
    } else if (arguments) {
        return uc_spec_wrong(spec, rest, "stands behind a step that takes nothing");
    }
    if (!step.row) return UNCORK_OK; /* it added steps of its own */
    return uc_contract_add(spec->contract, spec->arena, step)
               ? UNCORK_OK
               : uc_arena_status(spec->arena, spec->error);
}

uncork_status uc_spec_read(uc_spec *spec, uc_str text)
{
    uc_str rest = text;
    while (rest.size) {
        uc_str step = uc_text_trim(uc_word_cut(&rest, '|'));
        if (step.size == 0)
            return uc_spec_wrong(spec, (uc_str){step.data, 0}, "stands empty between two bars");
        UC_TRY(read_step(spec, step));
    }
    return UNCORK_OK;
}

uncork_status uc_contract_read(const char *text, const char *source, uc_arena *arena,
                               uc_contract **contract, uncork_error *error)
{
    uc_contract *c = UC_NEW(arena, uc_contract, 1);
    if (!c) return uc_arena_status(arena, error);
    uc_spec spec = {.source = source,
                    .text = text,
                    .arena = arena,
                    .error = error,
                    .contract = c,
                    .library = UC_LIB_PILLOW};
    UC_TRY(uc_spec_read(&spec, uc_str_of(text)));
    if (c->count == 0)
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "%s holds no step", source);
    *contract = c;
    return UNCORK_OK;
}

uncork_status uc_contract_parse(const char *spec, uc_arena *arena, uc_contract **contract,
                                uncork_error *error)
{
    return uc_contract_read(spec, "--preprocess", arena, contract, error);
}
