/* See check.h: rows of check_table.def against one attempt. */
#include "doctor/check.h"

static const uc_check checks[] = {
#define CHECK(id, when, test, cause, remedy, says) {id, when, test, cause, remedy, says},
#include "doctor/check_table.def"
#undef CHECK
};

const uc_check *uc_check_at(size_t i)
{
    return i < sizeof checks / sizeof *checks ? &checks[i] : NULL;
}

/* `text` against `size` bytes of a pattern in which '*' stands for anything. */
static bool fits(const char *pattern, size_t size, const char *text)
{
    size_t at = 0, star = SIZE_MAX;
    const char *held = text;
    while (*text) {
        if (at < size && pattern[at] == '*') {
            star = at++;
            held = text;
        } else if (at < size && pattern[at] == *text) {
            at++;
            text++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            text = ++held;
        } else {
            return false;
        }
    }
    while (at < size && pattern[at] == '*') {
        at++;
    }
    return at == size;
}

bool uc_check_fits(const char *patterns, const char *text)
{
    while (*patterns) {
        const size_t size = strcspn(patterns, "|");
        if (fits(patterns, size, text)) return true;
        patterns += size + (patterns[size] == '|');
    }
    return false;
}

/* "BINBYTES needs 5120 bytes, 4313 remain: cut.pkl, at byte 687" */
static const char *evidence_of(const uc_attempt *a)
{
    const uncork_error *e = a->error;
    const bool place = e->where[0] && strcmp(e->where, a->path) != 0;
    const char *at = "";
    if (e->offset != UC_NO_OFFSET)
        at = uc_arena_printf(a->arena, ", at byte %llu", (unsigned long long)e->offset);
    return uc_arena_printf(a->arena, "%s%s%s%s", e->what, place ? ": " : "", place ? e->where : "",
                           at ? at : "");
}

/* What the row says, where its test said nothing else. */
static void complete(const uc_attempt *a, const uc_check *row, uc_diagnosis *d)
{
    const char *fix = a->error ? a->error->fix : "";
    d->id = row->id;
    d->says = row->says;
    if (!d->cause) d->cause = row->cause[0] ? row->cause : uc_arena_str(a->arena, a->error->what);
    if (!d->evidence) d->evidence = a->error ? evidence_of(a) : "";
    if (!d->remedy) d->remedy = row->remedy[0] ? row->remedy : uc_arena_str(a->arena, fix);
    if (!d->remedy || !d->remedy[0])
        d->remedy =
            "export the model to another format (ONNX, a SavedModel), where this part is spelt otherwise";
}

static bool is_among(const uc_diagnosis *found, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i].id, id) == 0) return true;
    }
    return false;
}

/* The open's words name one cause: the first row that they fit. Rows of the bytes and of the name alone
 * stand before or beside it. */
size_t uc_check_all(const uc_attempt *attempt, uc_diagnosis *found, size_t most)
{
    size_t count = 0;
    bool named = false;
    for (size_t i = 0; count < most && uc_check_at(i); i++) {
        const uc_check *row = uc_check_at(i);
        uc_diagnosis d = {.id = NULL};
        if (row->when &&
            (named || !attempt->error || !uc_check_fits(row->when, attempt->error->what)))
            continue;
        if (is_among(found, count, row->id) || (row->test && !row->test(attempt, &d))) continue;
        if (count && strcmp(row->id, "other") == 0) continue;
        named = named || row->when != NULL;
        complete(attempt, row, &d);
        found[count++] = d;
    }
    return count;
}
