/* Reads a network's text: calls with numbers, tuples, words and calls as arguments. Nothing is run. */
#include "import/pytorch/zoo/zoo_text.h"

#include <stdlib.h>

#define DEPTH     16
#define ARGUMENTS 512
#define KEYS      4096

typedef struct parser {
    const char *at;
    uc_arena *arena;
    const char *why;
} parser;

bool uc_z_is_text(const char *want) { return want && strchr(want, '(') != NULL; }

static void *wrong(parser *p, const char *what)
{
    if (!p->why) {
        const char *text = uc_arena_printf(p->arena, "--arch: %s at '%.30s'", what, p->at);
        p->why = text ? text : "--arch: memory is out";
    }
    return NULL;
}

static void skip(parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n') {
        p->at++;
    }
}

static bool eat(parser *p, char c)
{
    skip(p);
    if (*p->at != c) return false;
    p->at++;
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static const char *word(parser *p)
{
    skip(p);
    const char *begin = p->at;
    while (is_word(*p->at)) {
        p->at++;
    }
    return uc_arena_copy(p->arena, begin, (size_t)(p->at - begin));
}

static bool number(parser *p, double *v)
{
    skip(p);
    char *end;
    if (*p->at != '-' && *p->at != '.' && !(*p->at >= '0' && *p->at <= '9')) return false;
    *v = strtod(p->at, &end);
    if (end == p->at || !(*v > -1e15 && *v < 1e15)) return false;
    p->at = end;
    return true;
}

static uc_z_call *call(parser *p, const char *name, int depth);

static bool tuple(parser *p, uc_z_arg *a)
{
    while (!eat(p, ')')) {
        if (a->count >= 4 || !number(p, &a->numbers[a->count])) {
            wrong(p, "a tuple of up to four numbers is wanted");
            return false;
        }
        a->count++;
        (void)eat(p, ',');
    }
    return true;
}

static bool quoted(parser *p, uc_z_arg *a)
{
    const char quote = *p->at++;
    const char *begin = p->at;
    while (*p->at && *p->at != quote) {
        p->at++;
    }
    a->kind = UC_Z_WORD;
    a->word = uc_arena_copy(p->arena, begin, (size_t)(p->at - begin));
    if (!eat(p, quote)) wrong(p, "a string has no end");
    return a->word && !p->why;
}

static bool value(parser *p, uc_z_arg *a, int depth)
{
    skip(p);
    a->kind = UC_Z_NUMBERS;
    if (*p->at == '\'' || *p->at == '"') return quoted(p, a);
    if (eat(p, '(')) return tuple(p, a);
    if (number(p, &a->numbers[0])) {
        a->count = 1;
        return true;
    }
    const char *name = word(p);
    if (!name || !*name) return wrong(p, "a value is wanted") != NULL;
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0) {
        a->numbers[0] = *name == 'T';
        a->count = 1;
        return true;
    }
    if (eat(p, '=')) {
        if (a->key) return wrong(p, "a second '='") != NULL;
        a->key = name;
        return value(p, a, depth);
    }
    if (eat(p, '(')) {
        a->kind = UC_Z_CALL;
        a->call = call(p, name, depth + 1);
        return a->call != NULL;
    }
    a->kind = UC_Z_WORD;
    a->word = name;
    return true;
}

/* What follows "name(". */
static uc_z_call *call(parser *p, const char *name, int depth)
{
    uc_z_call *c = UC_NEW(p->arena, uc_z_call, 1);
    if (depth > DEPTH) return wrong(p, "calls nest too deep");
    if (!c) return wrong(p, "memory is out");
    if (strncmp(name, "torch.", 6) == 0) name += 6;
    if (strncmp(name, "nn.", 3) == 0) name += 3;
    c->name = name;
    while (!eat(p, ')')) {
        uc_z_arg *args = uc_arena_grow(p->arena, c->args, &c->capacity, c->count + 1, sizeof *args);
        if (!args || c->count >= ARGUMENTS) return wrong(p, "too many arguments");
        c->args = args;
        args[c->count] = (uc_z_arg){0};
        if (!value(p, &args[c->count++], depth)) return NULL;
        if (!eat(p, ',') && *p->at != ')') return wrong(p, "',' or ')' is wanted");
    }
    return c;
}

uc_z_call *uc_z_parse(const char *text, uc_arena *arena, const char **why)
{
    parser p = {.at = text, .arena = arena};
    const char *name = word(&p);
    uc_z_call *c = NULL;
    if (name && *name && eat(&p, '(')) {
        c = call(&p, name, 0);
    } else {
        wrong(&p, "a layer's name and '(' are wanted");
    }
    skip(&p);
    if (c && *p.at) c = wrong(&p, "something is left");
    *why = p.why;
    return c;
}

size_t uc_z_groups(const uc_t_state *state, uc_arena *arena, const char ***groups)
{
    size_t count = 0;
    if (state->count > KEYS) return 0; /* each is compared with all */
    const char **names = UC_NEW(arena, const char *, state->count + 1);
    for (size_t i = 0; names && i < state->count; i++) {
        const char *name = state->items[i].name, *dot = strrchr(name, '.');
        const size_t n = dot ? (size_t)(dot - name) : 0;
        bool known = false;
        for (size_t k = 0; k < count && !known; k++) {
            known = strncmp(names[k], name, n) == 0 && names[k][n] == 0;
        }
        if (known) continue;
        names[count] = uc_arena_copy(arena, name, n);
        if (!names[count++]) return 0;
    }
    *groups = names;
    return names ? count : 0;
}
