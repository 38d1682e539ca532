/* Causes that need more of the open than its words: what is missing beside the model, which weights don't
 * fit. */
#include "doctor/check.h"

#include "base/file.h"
#include "base/json.h"

#include <stdio.h>

/* What can't be opened is the model itself. */
bool uc_check_absent(const uc_attempt *a, uc_diagnosis *d)
{
    (void)d;
    return uc_file_kind_of(a->path) == UC_FILE_MISSING ||
           (a->error->status == UNCORK_IO && strstr(a->error->what, a->path) && !a->error->fix[0]);
}

/* What can't be opened stands beside the model: the importer that asked for it said so. */
bool uc_check_external(const uc_attempt *a, uc_diagnosis *d)
{
    (void)d;
    return strncmp(a->error->fix, "the model keeps weights in", 26) == 0;
}

bool uc_check_shard(const uc_attempt *a, uc_diagnosis *d)
{
    (void)d;
    return strstr(a->error->fix, "shard") != NULL || strstr(a->error->what, "promises") != NULL;
}

bool uc_check_joblib(const uc_attempt *a, uc_diagnosis *d)
{
    (void)d;
    return strncmp(a->error->fix, "joblib before", 13) == 0;
}

/* "missing 2: a, b, ...": the first three of a list of inspect's. */
static const char *listed(uc_arena *arena, const char *title, const uc_json *names)
{
    char text[400];
    size_t used = 0;
    const size_t count = names ? uc_json_count(names) : 0;
    if (!count) return "";
    text[0] = 0;
    for (size_t i = 0; i < count && i < 3 && used < 300; i++) {
        const uc_str name = uc_json_str(names->items[i], "");
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", i ? ", " : "",
                                 (int)(name.size < 90 ? name.size : 90), name.data);
    }
    return uc_arena_printf(arena, "; %s (%zu): %s%s", title, count, text, count > 3 ? ", ..." : "");
}

static size_t count_of(const uc_json *object, const char *key)
{
    const uc_json *list = uc_json_get(object, key);
    return list ? uc_json_count(list) : 0;
}

bool uc_check_keys(const uc_attempt *a, uc_diagnosis *d)
{
    uncork_error ignored = {.size = sizeof ignored};
    if (!a->file) return true;
    const char *text = uncork_file_json(a->file);
    const uc_json *json =
        uc_json_read((uc_bytes){(const uint8_t *)text, strlen(text)}, 0, a->arena, &ignored);
    const uc_json *closest = uc_json_get(json, "closest_architectures");
    const bool said = uc_check_fits("* keys missing, *", a->error->what);
    if (!closest || !uc_json_count(closest)) return said;
    const uc_json *first = closest->items[0];
    const size_t flaws =
        count_of(first, "missing") + count_of(first, "unexpected") + count_of(first, "misshaped");
    if (!said && flaws * 5 > count_of(json, "tensors"))
        return false; /* another network than that */
    const uc_str name = uc_json_str(uc_json_get(first, "architecture"), "");
    d->evidence =
        uc_arena_printf(a->arena, "the closest architecture is %.*s%s%s%s", (int)name.size,
                        name.data, listed(a->arena, "missing", uc_json_get(first, "missing")),
                        listed(a->arena, "unexpected", uc_json_get(first, "unexpected")),
                        listed(a->arena, "of another shape", uc_json_get(first, "misshaped")));
    d->remedy = uc_arena_printf(
        a->arena,
        "give the code of the network that it was trained with: --code FILE.py:CLASS; if it "
        "is meant to be %.*s, the file is of another training: get that one's "
        "(inspect --json lists every key)",
        (int)name.size, name.data);
    return true;
}

/* Weights that look like layers in order: the open proposes which. */
bool uc_check_network(const uc_attempt *a, uc_diagnosis *d)
{
    const char *fix = a->error->fix, *last = strrchr(fix, '\'');
    if (strncmp(fix, "--arch '", 8) != 0 || !last || last < fix + 8) return true;
    const size_t size = (size_t)(last + 1 - fix);
    d->remedy =
        uc_arena_printf(a->arena, "%s; better the network's own code: --code FILE.py:CLASS", fix);
    if (!strchr(a->path, '\'') && a->path[0] != '-')
        d->command = uc_arena_printf(a->arena, "uncork doctor '%s' %.*s", a->path, (int)size, fix);
    return true;
}

bool uc_check_signature(const uc_attempt *a, uc_diagnosis *d)
{
    if (a->error->status == UNCORK_USAGE) { /* one was asked for: what it has */
        d->cause = "the model has no signature or method of that name";
        d->remedy = "uncork inspect MODEL lists what it has";
    }
    return true;
}
