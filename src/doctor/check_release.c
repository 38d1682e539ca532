/* What today's release of a library no longer loads, and which releases do. The file says who wrote it and
 * which of the library's names it needs; release_table.def says when those went. */
#include "doctor/check.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *since, *names, *what;
} moved[] = {
#define MOVED(since, names, what) {since, names, what},
#include "doctor/release_table.def"
#undef MOVED
};

/* Which Pythons and NumPys a release of scikit-learn has wheels for. Source: its own installation pages
 * and the tags of its wheels. The first row that isn't older than the file's. */
static const struct {
    const char *before, *python, *numpy;
} wheels[] = {
    {"0.20", "2.7, 3.4 to 3.7", "numpy<1.17"}, {"0.21", "2.7, 3.4 to 3.7", "numpy<1.17"},
    {"0.22", "3.5 to 3.7", "numpy<1.20"},      {"0.23", "3.5 to 3.8", "numpy<1.20"},
    {"0.24", "3.6 to 3.8", "numpy<1.20"},      {"1.0", "3.6 to 3.9", "numpy<1.20"},
    {"1.1", "3.7 to 3.10", "numpy<1.24"},      {"1.2", "3.8 to 3.11", "numpy<1.24"},
    {"1.3", "3.8 to 3.11", "numpy<1.25"},      {"1.4", "3.8 to 3.12", "numpy<2"},
    {"1.5", "3.9 to 3.12", "numpy<2"},         {"1.6", "3.9 to 3.13", "numpy"},
    {"1.7", "3.9 to 3.13", "numpy"},           {"1.8", "3.10 to 3.13", "numpy"},
    {"99", "3.11 to 3.14", "numpy"},
};

/* Numbers between dots, one by one; what isn't a number ends it. */
static int compare(const char *a, const char *b)
{
    for (int i = 0; i < 3; i++) {
        char *ends[2];
        const long x = strtol(a, &ends[0], 10), y = strtol(b, &ends[1], 10);
        if (x != y) return x < y ? -1 : 1;
        a = ends[0] + (*ends[0] == '.');
        b = ends[1] + (*ends[1] == '.');
    }
    return 0;
}

/* TensorFlow that brought a Keras of the 2 line; NULL: Keras comes by itself. Source: Keras' releases. */
static const char *tensorflow_of(const char *keras)
{
    if (strncmp(keras, "2.2.4-tf", 8) == 0) return "1.15";
    if (strncmp(keras, "2.3.0-tf", 8) == 0) return "2.2";
    return compare(keras, "2.4") >= 0 && compare(keras, "3") < 0 ? keras : NULL;
}

const char *uc_release_install(const uncork_file *file, uc_arena *arena)
{
    const uc_facts *facts = &uc_file_import(file)->facts;
    const char *framework = uc_fact_get_text(facts, "framework");
    const char *version = uc_fact_get_text(facts, "framework_version");
    const char *python = uc_fact_get_text(facts, "python");
    if (!framework || !version) return NULL;
    if (strcmp(framework, "scikit-learn") == 0) {
        size_t i = 0;
        while (i + 1 < sizeof wheels / sizeof *wheels && compare(version, wheels[i].before) >= 0) {
            i++;
        }
        const bool two = python && python[0] == '2' && wheels[i].python[0] == '2';
        const bool bound = strchr(wheels[i].numpy, '<') != NULL;
        return uc_arena_printf(arena, "pip install scikit-learn==%s%s%s%s (Python %s)", version,
                               bound ? " '" : "", bound ? wheels[i].numpy : "", bound ? "'" : "",
                               two ? "2.7" : wheels[i].python);
    }
    const bool keras = strcmp(framework, "keras") == 0 || strcmp(framework, "Keras") == 0;
    const char *with = keras ? tensorflow_of(version) : NULL;
    if (with) {
        char minor[16] = {0};
        const char *dot = strchr(with, '.');
        const char *end = dot ? strchr(dot + 1, '.') : NULL;
        const size_t size = end ? (size_t)(end - with) : strlen(with);
        memcpy(minor, with, size < sizeof minor - 1 ? size : sizeof minor - 1);
        return uc_arena_printf(arena, "pip install 'tensorflow==%s.*'", minor);
    }
    if (keras && !strchr(version, '.')) /* the line alone is known */
        return uc_arena_printf(arena, "pip install 'keras==%s.*'", version);
    if (keras) return uc_arena_printf(arena, "pip install keras==%s", version);
    if (strcmp(framework, "TensorFlow") == 0 || strcmp(framework, "tensorflow") == 0)
        return uc_arena_printf(arena, "pip install tensorflow==%s", version);
    if (strcmp(framework, "PyTorch") == 0 || strcmp(framework, "pytorch") == 0)
        return uc_arena_printf(arena, "pip install torch==%s", version);
    return NULL;
}

static const uc_json *members_of(const uc_attempt *a)
{
    uncork_error ignored = {.size = sizeof ignored};
    const char *text = uncork_file_json(a->file);
    return uc_json_read((uc_bytes){(const uint8_t *)text, strlen(text)}, 0, a->arena, &ignored);
}

/* The first of the file's names that fits; NULL: none. */
static const char *named(const uc_json *symbols, const char *patterns, uc_arena *arena)
{
    for (size_t i = 0; symbols && i < uc_json_count(symbols); i++) {
        const uc_str s = uc_json_str(symbols->items[i], "");
        const char *name = uc_arena_copy(arena, s.data, s.size);
        if (name && uc_check_fits(patterns, name)) return name;
    }
    return NULL;
}

bool uc_check_release(const uc_attempt *a, uc_diagnosis *d)
{
    if (!a->file) return false;
    const uc_facts *facts = &uc_file_import(a->file)->facts;
    const char *framework = uc_fact_get_text(facts, "framework");
    const char *version = uc_fact_get_text(facts, "framework_version");
    const char *install = uc_release_install(a->file, a->arena);
    if (!framework || !version || !install) return false;
    if (strcmp(framework, "keras") == 0 && version[0] == '1') {
        d->cause = "today's Keras can't load it: models of Keras 1 stopped loading with Keras 3";
        d->evidence = uc_arena_printf(a->arena, "written by Keras %s", version);
        d->remedy = uc_arena_printf(a->arena, "uncork loads it as it is; in Python: %s", install);
        return true;
    }
    if (strcmp(framework, "scikit-learn") != 0) return false;
    const uc_json *symbols = uc_json_get(members_of(a), "symbols");
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
        if (compare(version, moved[i].since) >= 0) continue;
        const char *name = named(symbols, moved[i].names, a->arena);
        if (!name) continue;
        d->cause = uc_arena_printf(a->arena, "scikit-learn %s and later can't use it: %s",
                                   moved[i].since, moved[i].what);
        d->evidence =
            uc_arena_printf(a->arena, "written by scikit-learn %s; it names %s", version, name);
        d->remedy = uc_arena_printf(
            a->arena, "%s; in Python: %s",
            a->error ? "it needs the release that wrote it" : "uncork loads it as it is", install);
        return true;
    }
    return false;
}
