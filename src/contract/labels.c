/* Label files in the forms people have them. The form is told by the content; a name's ending breaks
 * ties. */
#include "contract/labels.h"

#include "base/json.h"
#include "base/text.h"

/* Far above any real set (ImageNet-21k has 21,841): an index in a file can't ask for more. */
#define MAX_LABELS 1000000

typedef struct builder {
    uc_arena *arena;
    uncork_error *error;
    uc_labels *labels;
    size_t capacity;
} builder;

uncork_status uc_labels_put(uc_labels *labels, size_t *capacity, int64_t index, uc_str name,
                            uc_arena *arena, uncork_error *error)
{
    if (index < 0 || index >= MAX_LABELS) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "label index %lld is out of range",
                       (long long)index);
    }
    uc_str *items = uc_arena_grow(arena, labels->items, capacity, (size_t)index + 1, sizeof *items);
    if (!items) return uc_arena_status(arena, error);
    labels->items = items;
    items[index] = name;
    if ((size_t)index >= labels->count) labels->count = (size_t)index + 1;
    return UNCORK_OK;
}

static uncork_status put(builder *b, int64_t index, uc_str text)
{
    return uc_labels_put(b->labels, &b->capacity, index, text, b->arena, b->error);
}

static uncork_status from_json(builder *b, const uc_json *json)
{
    if (json->kind == UC_JSON_ARRAY) {
        for (size_t i = 0; i < json->count; i++) {
            const uc_json *v = json->items[i];
            if (v->kind == UC_JSON_OBJECT) { /* [{"id": 0, "name": "cat"}] */
                const uc_json *id = uc_json_get(v, "id"), *name = uc_json_get(v, "name");
                UC_TRY(put(b, uc_json_i64(id, (int64_t)i), uc_json_str(name, "")));
            } else {
                UC_TRY(put(b, (int64_t)i, v->string));
            }
        }
        return UNCORK_OK;
    }
    const uc_json *inner = uc_json_get(json, "id2label");
    if (!inner) inner = uc_json_get(json, "labels");
    if (inner) return from_json(b, inner);
    for (size_t i = 0; json->kind == UC_JSON_OBJECT && i < json->count; i++) {
        const uc_json *v = json->items[i];
        int64_t index;
        if (v->kind == UC_JSON_INT) { /* class_indices.json: {"cat": 0} */
            UC_TRY(put(b, v->integer, json->keys[i]));
        } else if (uc_text_i64(json->keys[i], &index)) { /* {"0": "cat"}, {"0": ["n02", "cat"]} */
            UC_TRY(put(b, index,
                       v->kind == UC_JSON_ARRAY && v->count > 1 ? v->items[1]->string : v->string));
        }
    }
    return UNCORK_OK;
}

/* The next token of a .pbtxt: a word, a number, a quoted text or a single sign. */
static uc_str token(uc_bytes in, size_t *at)
{
    while (*at < in.size && (in.data[*at] <= ' ' || in.data[*at] == ',' || in.data[*at] == ';')) {
        ++*at;
    }
    size_t begin = *at;
    if (begin >= in.size) return (uc_str){0};
    uint8_t c = in.data[begin];
    if (c == '"' || c == '\'') {
        for (++*at; *at < in.size && in.data[*at] != c; ++*at) {
            if (in.data[*at] == '\\') ++*at;
        }
        uc_str s = {(const char *)in.data + begin + 1, (*at < in.size ? *at : in.size) - begin - 1};
        if (*at < in.size) ++*at;
        return s;
    }
    if (c == '{' || c == '}' || c == ':') {
        ++*at;
        return (uc_str){(const char *)in.data + begin, 1};
    }
    while (*at < in.size && in.data[*at] > ' ' && !strchr("{}:,;\"'", in.data[*at])) {
        ++*at;
    }
    return (uc_str){(const char *)in.data + begin, *at - begin};
}

/* item { id: 3 name: 'n' display_name: 'cat' } */
static uncork_status from_pbtxt(builder *b, uc_bytes in)
{
    size_t at = 0;
    int64_t id = -1;
    uc_str name = {0}, shown = {0};
    for (uc_str word = token(in, &at); word.data; word = token(in, &at)) {
        if (uc_str_is(word, "}")) {
            if (id >= 0) UC_TRY(put(b, id, shown.size ? shown : name));
            id = -1;
            name = shown = (uc_str){0};
            continue;
        }
        bool is_id = uc_str_is(word, "id"), is_name = uc_str_is(word, "name"),
             is_shown = uc_str_is(word, "display_name");
        if (!is_id && !is_name && !is_shown) continue;
        uc_str value = token(in, &at);
        if (uc_str_is(value, ":")) value = token(in, &at);
        if (is_id && !uc_text_i64(value, &id)) id = -1;
        if (is_name) name = value;
        if (is_shown) shown = value;
    }
    return UNCORK_OK;
}

/* "3 cat", "3: cat", "3,cat", "cat,3"; else the line is the label. */
static uncork_status from_line(builder *b, uc_str line, int64_t row, bool indexed)
{
    size_t n = 0;
    while (n < line.size && line.data[n] != ' ' && line.data[n] != ',' && line.data[n] != ':' &&
           line.data[n] != '\t') {
        n++;
    }
    int64_t index;
    if (indexed && n < line.size && uc_text_i64((uc_str){line.data, n}, &index)) {
        uc_str rest = {line.data + n + 1, line.size - n - 1};
        rest = uc_text_trim(rest);
        while (rest.size && (rest.data[0] == ':' || rest.data[0] == ',')) {
            rest = uc_text_trim((uc_str){rest.data + 1, rest.size - 1});
        }
        if (rest.size > 1 && rest.data[0] == '"' && rest.data[rest.size - 1] == '"')
            rest = (uc_str){rest.data + 1, rest.size - 2};
        return put(b, index, rest);
    }
    return put(b, row, line);
}

static bool starts_with_index(uc_str line)
{
    size_t n = 0;
    while (n < line.size && line.data[n] >= '0' && line.data[n] <= '9') {
        n++;
    }
    return n > 0 && n < line.size &&
           (line.data[n] == ' ' || line.data[n] == ',' || line.data[n] == ':' ||
            line.data[n] == '\t');
}

/* WordNet's number of a noun: n and 8 digits. */
#define SYNSET 9

static bool starts_with_synset(uc_str line)
{
    if (line.size < SYNSET || line.data[0] != 'n') return false;
    for (size_t i = 1; i < SYNSET; i++) {
        if (line.data[i] < '0' || line.data[i] > '9') return false;
    }
    return line.size == SYNSET || line.data[SYNSET] <= ' ' || line.data[SYNSET] == ',';
}

static uc_str next_line(uc_bytes in, size_t *at)
{
    const uint8_t *end = memchr(in.data + *at, '\n', in.size - *at);
    size_t n = end ? (size_t)(end - in.data) - *at : in.size - *at;
    uc_str line = {(const char *)in.data + *at, n};
    *at += n + 1;
    return uc_text_trim(line);
}

static uncork_status from_lines(builder *b, uc_bytes in)
{
    bool indexed = true, any = false, header = false, synsets = true;
    for (size_t at = 0, row = 0;
         at < in.size;) { /* every line starts with an index, or none does */
        uc_str line = next_line(in, &at);
        if (line.size == 0) continue;
        bool here = starts_with_index(line);
        synsets = synsets && starts_with_synset(line);
        if (!here && row == 0) header = true; /* "index,label" */
        if (!here && row > 0) indexed = false;
        any = any || here;
        row++;
    }
    indexed = indexed && any;
    int64_t row = 0;
    for (size_t at = 0; at < in.size;) {
        uc_str line = next_line(in, &at);
        if (indexed && header && row == 0) {
            header = false;
            continue;
        }
        if (line.size == 0 && at >= in.size) break;
        if (synsets && line.size) { /* "n01440764 tench, Tinca tinca": WordNet's number goes */
            uc_str name = uc_text_trim((uc_str){line.data + SYNSET, line.size - SYNSET});
            if (name.size) line = name;
        }
        UC_TRY(from_line(b, line, row, indexed));
        row++;
    }
    return UNCORK_OK;
}

static bool contains(uc_bytes in, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= in.size; i++) {
        if (memcmp(in.data + i, text, n) == 0) return true;
    }
    return false;
}

uncork_status uc_labels_read(uc_bytes bytes, const char *name, uc_arena *arena, uc_labels *labels,
                             uncork_error *error)
{
    builder b = {.arena = arena, .error = error, .labels = labels};
    *labels = (uc_labels){0};
    size_t first = 0, n = strlen(name);
    if (bytes.size >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0) {
        bytes.data += 3;
        bytes.size -= 3;
    }
    while (first < bytes.size && bytes.data[first] <= ' ') {
        first++;
    }
    bool json = first < bytes.size && (bytes.data[first] == '[' || bytes.data[first] == '{');
    bool pbtxt =
        (n > 6 && strcmp(name + n - 6, ".pbtxt") == 0) ||
        ((contains(bytes, "item {") || contains(bytes, "item{")) && contains(bytes, "id:"));
    if (pbtxt) {
        UC_TRY(from_pbtxt(&b, bytes));
    } else if (json) {
        const uc_json *tree = uc_json_read(bytes, 0, arena, error);
        if (!tree) return error->status;
        UC_TRY(from_json(&b, tree));
    } else if (n > 4 && strcmp(name + n - 4, ".csv") == 0) {
        UC_TRY(uc_labels_csv(bytes, arena, labels, error));
    } else {
        UC_TRY(from_lines(&b, bytes));
    }
    if (labels->count == 0)
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "the file holds no label");
    return UNCORK_OK;
}
