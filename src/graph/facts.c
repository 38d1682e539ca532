/* The list of facts: a few dozen a file, so looking one up is a walk. */
#include "graph/facts.h"

#include <stdarg.h>
#include <stdio.h>

/* Bytes of a fact's text: the names of 1,000 classes fit. */
#define FACT_BYTES 65536

/* The fact of this key, made when there is none; NULL when memory is out (the arena remembers). */
static uc_fact *fact_of(uc_facts *facts, const char *key)
{
    if (!facts) return NULL;
    for (size_t i = 0; i < facts->count; i++) {
        if (strcmp(facts->items[i].key, key) == 0) return &facts->items[i];
    }
    uc_fact *items = uc_arena_grow(facts->arena, facts->items, &facts->capacity, facts->count + 1,
                                   sizeof *items);
    const char *own = uc_arena_str(facts->arena, key);
    if (!items || !own) return NULL;
    facts->items = items;
    items[facts->count] = (uc_fact){.key = own};
    return &items[facts->count++];
}

void uc_fact_text(uc_facts *facts, const char *key, const char *format, ...)
{
    uc_fact *fact = fact_of(facts, key);
    if (!fact) return;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    const size_t size = n < 0 ? 1 : (size_t)n < FACT_BYTES ? (size_t)n + 1 : FACT_BYTES;
    char *text = UC_NEW(facts->arena, char, size);
    if (text) vsnprintf(text, size, format, again);
    va_end(again);
    va_end(args);
    *fact = (uc_fact){.key = fact->key, .text = text};
}

void uc_fact_number(uc_facts *facts, const char *key, double number)
{
    uc_fact *fact = fact_of(facts, key);
    if (fact) *fact = (uc_fact){.key = fact->key, .number = number};
}

void uc_fact_tensor(uc_facts *facts, const char *key, const uc_tensor *tensor)
{
    uc_fact *fact = fact_of(facts, key);
    if (fact) *fact = (uc_fact){.key = fact->key, .tensor = tensor};
}

const uc_fact *uc_fact_find(const uc_facts *facts, const char *key)
{
    for (size_t i = 0; facts && i < facts->count; i++) {
        if (strcmp(facts->items[i].key, key) == 0) return &facts->items[i];
    }
    return NULL;
}

const char *uc_fact_get_text(const uc_facts *facts, const char *key)
{
    const uc_fact *fact = uc_fact_find(facts, key);
    return fact ? fact->text : NULL;
}

double uc_fact_get_number(const uc_facts *facts, const char *key, double otherwise)
{
    const uc_fact *fact = uc_fact_find(facts, key);
    return fact && !fact->text && !fact->tensor ? fact->number : otherwise;
}
