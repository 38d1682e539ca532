/* Reads a state_dict as each architecture of zoo_table.def, best first, and builds the one that
 * accounts for every key. */
#include "import/pytorch/zoo/zoo.h"
#include "import/pytorch/zoo/zoo_build.h"
#include "import/pytorch/zoo/zoo_text.h"

#include <stdio.h>

typedef struct zoo_row {
    const char *family;
    const char *anchor; /* a key that it has, whatever stands in front of it */
    void (*describe)(uc_zoo *z);
} zoo_row;

static const zoo_row rows[] = {
#define ZOO(name, anchor) {#name, anchor, uc_zoo_##name},
#define ZOO_ALSO          ZOO
#include "import/pytorch/zoo/zoo_table.def"
#undef ZOO
#undef ZOO_ALSO
};

#define PREFIXES 8

/* How long a key's part in front of `anchor` is; false when the key doesn't end in it. */
static bool prefix_of(const char *key, const char *anchor, size_t *size)
{
    const size_t n = strlen(key), tail = strlen(anchor);
    if (n < tail || n - tail >= UC_Z_PATH / 2 || strcmp(key + n - tail, anchor) != 0) return false;
    *size = n - tail;
    return *size == 0 || key[*size - 1] == '.';
}

static bool is_average(const char *prefix)
{
    return strstr(prefix, "ema") || strstr(prefix, "teacher");
}

/* Prefixes under which the anchor stands; averaged weights first. */
static size_t prefixes(const uc_t_state *dict, const char *anchor, const char **out,
                       uc_arena *arena)
{
    size_t count = 0, size;
    for (size_t i = 0; i < dict->count && count < PREFIXES; i++) {
        if (!prefix_of(dict->items[i].name, anchor, &size)) continue;
        const char *prefix = uc_arena_copy(arena, dict->items[i].name, size);
        if (!prefix) return 0;
        size_t at = count++;
        for (; is_average(prefix) && at > 0 && !is_average(out[at - 1]); at--) {
            out[at] = out[at - 1];
        }
        out[at] = prefix;
    }
    return count;
}

static bool report_open(uc_zoo_report *report, const char *prefix, int row, uc_arena *arena)
{
    const char *family = row < 0 ? "text" : rows[row].family;
    *report = (uc_zoo_report){.family = family, .arch = family, .prefix = prefix, .row = row};
    report->task = "classification";
    report->source = "torchvision";
    report->missing = UC_NEW(arena, const char *, UC_ZOO_NAMES);
    report->unexpected = UC_NEW(arena, const char *, UC_ZOO_NAMES);
    report->misshaped = UC_NEW(arena, const char *, UC_ZOO_NAMES);
    return report->missing && report->unexpected && report->misshaped;
}

/* Another copy of the same weights, under a prefix of its own: "model_ema." beside "model.". */
static bool is_copy(const uc_zoo *z, const char *key, const char *const *others, size_t count)
{
    char text[UC_Z_PATH * 2];
    for (size_t i = 0; i < count; i++) {
        const size_t n = strlen(others[i]);
        if (strcmp(others[i], z->report->prefix) == 0 || strncmp(key, others[i], n) != 0) continue;
        snprintf(text, sizeof text, "%s%s", z->report->prefix, key + n);
        if (uc_table_find(z->dict->by_name, uc_str_of(text))) return true;
    }
    return false;
}

static void count_unexpected(uc_zoo *z, const char *const *others, size_t other_count)
{
    uc_zoo_report *report = z->report;
    for (size_t i = 0; i < z->dict->count; i++) {
        const char *key = z->dict->items[i].name;
        if (z->seen[i] || is_copy(z, key, others, other_count)) continue;
        if (report->unexpected_count < UC_ZOO_NAMES) {
            report->unexpected[report->unexpected_count] = key;
        }
        report->unexpected_count++;
    }
}

/* Runs a description over the build's graph. */
static bool describe(uc_zoo *z, const uc_t_state *dict, uc_zoo_report *report)
{
    z->dict = dict;
    z->report = report;
    z->seen = UC_NEW(z->arena, uint8_t, dict->count + 1);
    z->path_size = strlen(report->prefix);
    if (!z->seen) return false;
    memcpy(z->path, report->prefix, z->path_size + 1);
    if (report->row < 0) {
        uc_z_describe_text(z);
    } else {
        rows[report->row].describe(z);
    }
    report->missing_count += z->misspelt;
    return true;
}

static size_t flaws(const uc_zoo_report *r)
{
    return r->missing_count + r->unexpected_count + r->misshaped_count;
}

typedef struct zoo_search {
    const uc_t_state *dict;
    uc_zoo_model *model;
    uc_t_build *nowhere; /* its graph takes nothing */
    uc_arena *arena;
} zoo_search;

static void keep(uc_zoo_model *model, const uc_zoo_report *report)
{
    size_t at = model->closest_count;
    for (; at > 0 && flaws(&model->closest[at - 1]) > flaws(report); at--) {
        if (at < UC_ZOO_CLOSEST) model->closest[at] = model->closest[at - 1];
    }
    if (at < UC_ZOO_CLOSEST) model->closest[at] = *report;
    if (model->closest_count < UC_ZOO_CLOSEST) model->closest_count++;
}

/* Reads the state dict by a row of the table, or (-1) by the text that was given. */
static bool try_under(zoo_search *s, int row, const char *const *prefixes_found, size_t count,
                      size_t i)
{
    const char *want = s->model->want;
    uc_zoo z = {.build = s->nowhere,
                .matching = true,
                .config = s->model->config,
                .file = s->model->file,
                .want = want,
                .arena = s->arena};
    uc_zoo_report report;
    if (!report_open(&report, prefixes_found[i], row, s->arena)) return false;
    if (!describe(&z, s->dict, &report)) return false;
    count_unexpected(&z, prefixes_found, count);
    if (!want || row < 0 || strcmp(report.arch, want) == 0) keep(s->model, &report);
    return true;
}

static bool try_row(zoo_search *s, int row)
{
    const char *found[PREFIXES + 1] = {""};
    const char *want = s->model->want;
    size_t count = prefixes(s->dict, rows[row].anchor, found, s->arena);
    if (!count && want) count = 1; /* a named one is read whatever it lacks */
    for (size_t i = 0; i < count; i++) {
        if (!try_under(s, row, found, count, i)) return false;
    }
    return true;
}

static bool search(zoo_search *s)
{
    uncork_error ignored;
    uc_error_init(&ignored);
    uc_graph *graph = uc_graph_new(s->arena, NULL, &ignored);
    uc_t_build nowhere = {.state = s->dict};
    if (!graph || !uc_t_build_open(&nowhere, graph, NULL, s->dict)) return false;
    uc_graph_fail(graph, UNCORK_UNSUPPORTED, "only matching");
    s->nowhere = &nowhere;
    bool ok = true;
    static const char *const nothing[] = {""};
    const bool text = uc_z_is_text(s->model->want);
    if (text) ok = try_under(s, -1, nothing, 1, 0);
    for (int row = 0; !text && ok && row < (int)(sizeof rows / sizeof *rows); row++) {
        ok = try_row(s, row);
    }
    uc_t_build_close(&nowhere);
    return ok;
}

/* "resnet18: 3 keys missing, 0 unexpected, 1 of another shape" of the nearest two. */
static const char *reason(const uc_zoo_model *model, uc_arena *arena)
{
    const uc_zoo_report *r = model->closest;
    if (!model->closest_count) {
        return model->want
                   ? uc_arena_printf(arena, "'%s' is no architecture known by name", model->want)
                   : NULL;
    }
    if (r->question && flaws(r) == 1) return r->question;
    const char *first = r->missing_count     ? r->missing[0]
                        : r->misshaped_count ? r->misshaped[0]
                                             : r->unexpected[0];
    const char *text = uc_arena_printf(
        arena, "%s has %zu keys missing, %zu unexpected, %zu of another shape, first '%s'", r->arch,
        r->missing_count, r->unexpected_count, r->misshaped_count, first ? first : "");
    if (model->closest_count < 2 || !text) return text;
    return uc_arena_printf(arena, "%s; %s has %zu, %zu and %zu", text, r[1].arch,
                           r[1].missing_count, r[1].unexpected_count, r[1].misshaped_count);
}

bool uc_zoo_find(const uc_t_state *state, const uc_json *config, const char *file, const char *want,
                 uc_arena *arena, uc_zoo_model *model, const char **why)
{
    *model = (uc_zoo_model){.want = want, .config = config, .file = file};
    *why = NULL;
    zoo_search s = {.dict = state, .model = model, .arena = arena};
    if (uc_z_is_text(want) && !uc_z_parse(want, arena, why)) return false;
    *why = NULL;
    if (!search(&s)) return false;
    const uc_zoo_report *best = model->closest;
    if (!model->closest_count || flaws(best)) {
        *why = reason(model, arena);
        if (!want) model->proposal = uc_z_propose(state, arena, &model->assumed);
        return false;
    }
    model->name = best->arch;
    model->source = best->source;
    model->preset = best->preset;
    model->task = best->task;
    return true;
}

void uc_zoo_emit(const uc_zoo_model *model, uc_t_build *b)
{
    uc_zoo_report report = model->closest[0];
    uc_zoo z = {.build = b,
                .config = model->config,
                .file = model->file,
                .want = model->want,
                .arena = b->graph->arena};
    report.missing_count = report.misshaped_count = 0;
    if (!model->closest_count || !describe(&z, b->state, &report)) {
        uc_t_fail(b, "the architecture can't be built");
        return;
    }
    if (report.prefix[0]) {
        uc_note(b->findings, UC_NOTE_CHOSEN, "key-prefix", "keys are read without '%s'",
                report.prefix);
    }
}
