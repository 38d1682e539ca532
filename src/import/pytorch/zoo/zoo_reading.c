/* Keys and shapes as a description reads them: what is asked for is noted, so that what is missing,
 * left over or of another shape can be counted. */
#include "import/pytorch/zoo/zoo_build.h"

#include <stdarg.h>
#include <stdio.h>

enum { UNREAD, READ, MISSHAPED };

size_t uc_z_enter(uc_zoo *z, const char *format, ...)
{
    const size_t mark = z->path_size;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(z->path + mark, sizeof z->path - mark, format, args);
    va_end(args);
    if (n < 0 || mark + (size_t)n + 2 > sizeof z->path) {
        z->misspelt++;
        z->path[mark] = 0;
        return mark;
    }
    z->path_size = mark + (size_t)n;
    if (n > 0) z->path[z->path_size++] = '.';
    z->path[z->path_size] = 0;
    return mark;
}

void uc_z_leave(uc_zoo *z, size_t mark)
{
    z->path_size = mark;
    z->path[mark] = 0;
}

const char *uc_z_key(uc_zoo *z, const char *format, ...)
{
    char text[UC_Z_PATH];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *key = uc_arena_str(z->arena, text);
    return key ? key : "";
}

const char *uc_z_numbered(uc_zoo *z, const char *format, int number)
{
    const char *at = strstr(format, "%d");
    if (!at) return format;
    return uc_z_key(z, "%.*s%d%s", (int)(at - format), format, number, at + 2);
}

/* The path and the key; "" when they are longer than a key can be. */
static const char *whole(const uc_zoo *z, const char *key, char text[UC_Z_PATH * 2])
{
    const int n = snprintf(text, UC_Z_PATH * 2, "%.*s%s", (int)z->path_size, z->path, key);
    if (n < 0 || n >= UC_Z_PATH * 2) text[0] = 0;
    return text;
}

static const uc_t_item *find(const uc_zoo *z, const char *key)
{
    char text[UC_Z_PATH * 2];
    const void *found = uc_table_find(z->dict->by_name, uc_str_of(whole(z, key, text)));
    return found ? &z->dict->items[(uintptr_t)found - 1] : NULL;
}

bool uc_z_has(const uc_zoo *z, const char *key) { return find(z, key) != NULL; }

static bool starts(const uc_t_item *item, const char *start)
{
    return strncmp(item->name, start, strlen(start)) == 0;
}

bool uc_z_has_under(const uc_zoo *z, const char *start)
{
    char text[UC_Z_PATH * 2];
    whole(z, start, text);
    for (size_t i = 0; i < z->dict->count; i++) {
        if (starts(&z->dict->items[i], text)) return true;
    }
    return false;
}

int64_t uc_z_dim(const uc_zoo *z, const char *key, int axis)
{
    const uc_t_item *item = find(z, key);
    return item && axis < item->tensor->rank ? item->tensor->shape[axis] : 0;
}

int uc_z_rank(const uc_zoo *z, const char *key)
{
    const uc_t_item *item = find(z, key);
    return item ? item->tensor->rank : -1;
}

int uc_z_count_from(uc_zoo *z, const char *format, int first)
{
    char text[UC_Z_PATH];
    int n = 0;
    for (; (size_t)n < z->dict->count; n++) {
        const char *number = strstr(format, "%d");
        snprintf(text, sizeof text, "%.*s%d%s", (int)(number - format), format, first + n,
                 number + 2);
        if (!find(z, text)) break;
    }
    return n;
}

int uc_z_count(uc_zoo *z, const char *format) { return uc_z_count_from(z, format, 0); }

static void list(uc_zoo *z, const char **names, size_t *count, const char *name)
{
    if (*count < UC_ZOO_NAMES) names[*count] = uc_arena_str(z->arena, name);
    (*count)++;
}

static void missing(uc_zoo *z, const char *key)
{
    char text[UC_Z_PATH * 2];
    if (!z->matching) {
        uc_graph_fail(z->build->graph, UNCORK_UNSUPPORTED, "the state_dict has no '%s'",
                      whole(z, key, text));
        return;
    }
    list(z, z->report->missing, &z->report->missing_count, whole(z, key, text));
}

static bool fits(const uc_tensor *t, int rank, const int64_t *dims)
{
    if (t->rank != rank) return false;
    for (int i = 0; i < rank; i++) {
        if (dims[i] ? t->shape[i] != dims[i] : t->shape[i] < 1) return false;
    }
    return true;
}

const uc_tensor *uc_z_tensor(uc_zoo *z, const char *key, int rank, const int64_t *dims)
{
    const uc_t_item *item = find(z, key);
    if (!item) {
        missing(z, key);
        return NULL;
    }
    uint8_t *seen = &z->seen[item - z->dict->items];
    if (!fits(item->tensor, rank, dims)) {
        if (!z->matching) {
            uc_graph_fail(z->build->graph, UNCORK_UNSUPPORTED, "'%s' is of another shape", key);
        } else if (*seen != MISSHAPED) {
            list(z, z->report->misshaped, &z->report->misshaped_count, item->name);
        }
        *seen = MISSHAPED;
        return NULL;
    }
    if (*seen == UNREAD) *seen = READ;
    return item->tensor;
}

void uc_z_skip(uc_zoo *z, const char *key)
{
    const uc_t_item *item = find(z, key);
    if (item && z->seen[item - z->dict->items] == UNREAD) z->seen[item - z->dict->items] = READ;
}

void uc_z_skip_under(uc_zoo *z, const char *start)
{
    char text[UC_Z_PATH * 2];
    whole(z, start, text);
    for (size_t i = 0; i < z->dict->count; i++) {
        if (starts(&z->dict->items[i], text) && z->seen[i] == UNREAD) z->seen[i] = READ;
    }
}

static UC_PRINTF(2, 0) const char *print(uc_zoo *z, const char *format, va_list args)
{
    char text[128];
    vsnprintf(text, sizeof text, format, args);
    return uc_arena_str(z->arena, text);
}

void uc_z_arch(uc_zoo *z, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    z->report->arch = print(z, format, args);
    va_end(args);
}

void uc_z_preset(uc_zoo *z, const char *format, ...)
{
    va_list args;
    if (!format) {
        z->report->preset = NULL;
        return;
    }
    va_start(args, format);
    z->report->preset = print(z, format, args);
    va_end(args);
}

void uc_z_source(uc_zoo *z, const char *source, const char *task)
{
    z->report->source = source;
    z->report->task = task;
}

void uc_z_assume(uc_zoo *z, const char *format, ...)
{
    char text[256];
    va_list args;
    if (z->matching) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uc_note(z->build->findings, UC_NOTE_ASSUMED, "architecture-assumed", "%s", text);
}

void uc_z_unlike(uc_zoo *z, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    missing(z, text);
}

void uc_z_ask(uc_zoo *z, const char *format, ...)
{
    char text[256];
    va_list args;
    if (z->report->question) return; /* once, however many layers ask */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    z->report->question = uc_arena_str(z->arena, text);
    missing(z, text);
}
