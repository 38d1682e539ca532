/* docs/errors.md from doctor's table of causes: every message of a framework with the causes that have it,
 * the likeliest first. Run by make docs. */
#include "doctor/check.h"

#include <stdio.h>
#include <string.h>

typedef struct message {
    const char *text;
    size_t size;
} message;

static bool same(message a, message b)
{
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

/* The k-th line of what a row says; size 0 beyond the last. */
static message line_of(const uc_check *row, size_t k)
{
    const char *at = row->says;
    while (k && *at) {
        at += strcspn(at, "\n");
        at += *at == '\n';
        k--;
    }
    return (message){at, strcspn(at, "\n")};
}

/* Whether row `last` or one before line `k` of it has the message already. */
static bool seen_before(message m, size_t last, size_t k)
{
    for (size_t i = 0; i <= last; i++) {
        const uc_check *row = uc_check_at(i);
        for (size_t j = 0; line_of(row, j).size && (i < last || j < k); j++) {
            if (same(line_of(row, j), m)) return true;
        }
    }
    return false;
}

/* Whether a row of the same id stands before. */
static bool id_before(size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (strcmp(uc_check_at(i)->id, uc_check_at(row)->id) == 0) return true;
    }
    return false;
}

/* The causes in words: what the row says of itself. */
static const char *remedy_of(const uc_check *row)
{
    return row->remedy[0] ? row->remedy : "doctor says which: it depends on the file";
}

static void put_causes(message m)
{
    for (size_t i = 0; uc_check_at(i); i++) {
        const uc_check *row = uc_check_at(i);
        for (size_t k = 0; line_of(row, k).size; k++) {
            if (same(line_of(row, k), m))
                (void)printf("- [%s](#%s): %s\n", row->id, row->id, row->cause);
        }
    }
}

/* A heading's text for a table of contents: what comes before the colon. */
static void put_messages(void)
{
    for (size_t i = 0; uc_check_at(i); i++) {
        for (size_t k = 0; line_of(uc_check_at(i), k).size; k++) {
            const message m = line_of(uc_check_at(i), k);
            if (seen_before(m, i, k)) continue;
            (void)printf("\n### ``%.*s``\n\n", (int)m.size, m.text);
            put_causes(m);
        }
    }
}

static void put_rows(void)
{
    for (size_t i = 0; uc_check_at(i); i++) {
        const uc_check *row = uc_check_at(i);
        if (id_before(i) || !row->cause[0]) continue;
        (void)printf("\n### %s\n\n%s.\n\nRemedy: %s.\n", row->id, row->cause, remedy_of(row));
    }
}

int main(void)
{
    (void)printf(
        "<!-- Made by make docs from src/doctor/check_table.def. -->\n"
        "# What the frameworks print, and what it means\n\n"
        "Find your message (... stands for names and numbers), then its causes, the likeliest first. "
        "`uncork doctor MODEL` tells which of them it is for a file, with its evidence and what mends it. "
        "`uncork doctor MODEL --json` has the cause's word as `id` and the messages as `says`.\n\n"
        "## Messages\n");
    put_messages();
    (void)printf("\n## Causes\n");
    put_rows();
    return 0;
}
