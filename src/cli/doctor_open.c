/* Whether the model opens and can run, and if not, why: what the open said goes through the table of causes
 * (doctor/check_table.def). Nothing is parsed here. */
#include "base/file.h"
#include "cli/doctor.h"

/* Counts of the file's bytes; NULL for a folder and for what can't be read. One that opened is only asked
 * what it begins like: it may be large. */
static const uc_bytes_seen *seen_of(const char *path, bool opened, uc_arena *arena)
{
    enum { HEAD = 4096 };
    uncork_error ignored = {.size = sizeof ignored};
    uc_bytes bytes;
    uc_bytes_seen *seen = UC_NEW(arena, uc_bytes_seen, 1);
    if (!seen || uc_file_kind_of(path) != UC_FILE_REGULAR) return NULL;
    if (uc_file_read(path, false, arena, &bytes, &ignored)) return NULL;
    if (opened && bytes.size > HEAD) bytes.size = HEAD;
    uc_bytes_look(bytes, seen);
    return seen;
}

/* Only Python is kept from it: uncork runs it all the same. */
static bool is_elsewhere(const uc_diagnosis *found)
{
    return strcmp(found->id, "old-release") == 0;
}

static void diagnose(doctor *d, const uncork_error *error)
{
    uc_diagnosis found[DOCTOR_DIAGNOSES];
    const char *path = d->p.options->arguments[0];
    const uc_attempt attempt = {.path = path,
                                .error = error,
                                .file = d->p.file,
                                .seen = seen_of(path, error == NULL, d->arena),
                                .arena = d->arena};
    const size_t count = uc_check_all(&attempt, found, DOCTOR_DIAGNOSES);
    for (size_t i = 0; i < count; i++) {
        if (!error && is_elsewhere(&found[i])) {
            if (d->other_count < sizeof d->other / sizeof *d->other)
                d->other[d->other_count++] = found[i];
        } else if (d->found_count < DOCTOR_DIAGNOSES) {
            d->found[d->found_count++] = found[i];
        }
    }
}

void doctor_elsewhere(doctor *d)
{
    for (size_t i = 0; i < d->other_count && d->found_count < DOCTOR_DIAGNOSES; i++) {
        d->found[d->found_count++] = d->other[i];
        d->elsewhere++;
    }
}

/* The environment that opens it in Python, as far as the file tells. */
static void note_environment(doctor *d)
{
    const uc_facts *facts = &uc_file_import(d->p.file)->facts;
    const char *framework = uc_fact_get_text(facts, "framework");
    const char *version = uc_fact_get_text(facts, "framework_version");
    const char *install = uc_release_install(d->p.file, d->arena);
    if (install)
        doctor_note(d, uc_arena_printf(d->arena, "written by %s %s: in Python, %s opens it",
                                       framework, version, install));
}

static void note_findings(doctor *d, const uc_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        doctor_note(d, uc_arena_str(d->arena, findings->items[i].text));
    }
}

bool doctor_opens(doctor *d)
{
    const cli_options *o = d->p.options;
    uncork_error error = {.size = sizeof error};
    const uncork_open_options open = {
        .size = sizeof open, .limits = o->limits, .code = o->code, .arch = o->arch};
    const uncork_prepare_options prepare = {.size = sizeof prepare, .limits = o->limits};
    uncork_model *model = NULL;
    if (uncork_open(o->arguments[0], &open, &d->p.file, &error)) {
        diagnose(d, &error);
        return false;
    }
    note_environment(d);
    if (uncork_prepare(d->p.file, o->signature ? o->signature : o->method, &prepare, &model,
                       &error)) {
        diagnose(d, &error);
        return false;
    }
    diagnose(d, NULL);
    note_findings(d, &uc_file_import(d->p.file)->findings);
    note_findings(d, uc_model_findings(model));
    uncork_model_free(model);
    return true;
}
