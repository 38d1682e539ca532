/* Notes made on the way; kept once, bounded. */
#include "base/finding.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>

void uc_note(uc_findings *findings, uc_finding_kind kind, const char *code, const char *format, ...)
{
    if (!findings || !findings->arena || findings->count >= UC_LIMIT_FINDINGS) return;
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0) return;
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->items[i].text, text) == 0) return;
    }
    uc_finding *items = uc_arena_grow(findings->arena, findings->items, &findings->capacity,
                                      findings->count + 1, sizeof *items);
    if (!items) return;
    findings->items = items;
    const char *copy = uc_arena_str(findings->arena, text);
    if (!copy) return;
    items[findings->count++] = (uc_finding){.kind = kind, .code = code, .text = copy};
}
