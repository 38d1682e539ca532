/* Labels as models carry them in their metadata (Ultralytics writes a Python dict: {0: 'person', 1:
 * 'bicycle'}), and labels in CSV. */
#include "base/text.h"
#include "contract/labels.h"

typedef struct scanner {
    uc_str in;
    size_t at;
} scanner;

typedef struct item {
    bool quoted;
    uc_str text;
} item;

static void skip_space(scanner *s)
{
    while (s->at < s->in.size && (unsigned char)s->in.data[s->at] <= ' ') {
        s->at++;
    }
}

static bool take(scanner *s, char c)
{
    skip_space(s);
    if (s->at >= s->in.size || s->in.data[s->at] != c) return false;
    s->at++;
    return true;
}

/* A quoted text, its escapes undone for quotes and backslashes; or a bare word. */
static bool take_item(scanner *s, uc_arena *arena, item *out)
{
    skip_space(s);
    if (s->at >= s->in.size) return false;
    char quote = s->in.data[s->at];
    if (quote != '\'' && quote != '"') {
        size_t begin = s->at;
        while (s->at < s->in.size && !strchr(",:[]{}()", s->in.data[s->at])) {
            s->at++;
        }
        out->quoted = false;
        out->text = uc_text_trim((uc_str){s->in.data + begin, s->at - begin});
        return out->text.size > 0;
    }
    size_t end = s->at + 1, n = 0; /* found first: room for the rest of the text would add up */
    while (end < s->in.size && s->in.data[end] != quote) {
        end += s->in.data[end] == '\\' ? 2 : 1;
    }
    if (end >= s->in.size) return false;
    char *text = UC_NEW(arena, char, end - s->at);
    if (!text) return false;
    for (s->at++; s->at < end; s->at++) {
        if (s->in.data[s->at] == '\\' && s->at + 1 < s->in.size) s->at++;
        text[n++] = s->in.data[s->at];
    }
    s->at++;
    *out = (item){true, {text, n}};
    return true;
}

/* Behind the opening brace: 0: 'a', 1: 'b' or 'a': 0. */
static bool take_dict(scanner *s, uc_arena *arena, uc_labels *labels, uncork_error *error)
{
    size_t capacity = 0;
    while (!take(s, '}')) {
        item key, value;
        int64_t index;
        if (!take_item(s, arena, &key) || !take(s, ':') || !take_item(s, arena, &value))
            return false;
        bool forward = uc_text_i64(key.text, &index);
        if (!forward && !uc_text_i64(value.text, &index)) return false;
        if (uc_labels_put(labels, &capacity, index, forward ? value.text : key.text, arena, error))
            return false;
        if (!take(s, ',') && s->at < s->in.size && s->in.data[s->at] != '}') return false;
        if (s->at >= s->in.size) return false;
    }
    return true;
}

static bool take_list(scanner *s, char end, uc_arena *arena, uc_labels *labels, uncork_error *error)
{
    size_t capacity = 0;
    for (int64_t i = 0; !take(s, end); i++) {
        item name;
        if (!take_item(s, arena, &name)) return false;
        if (uc_labels_put(labels, &capacity, i, name.text, arena, error)) return false;
        if (!take(s, ',') && s->at < s->in.size && s->in.data[s->at] != end) return false;
        if (s->at >= s->in.size) return false;
    }
    return true;
}

static uncork_status split(uc_str text, char between, uc_arena *arena, uc_labels *labels,
                           uncork_error *error)
{
    size_t capacity = 0, begin = 0;
    int64_t i = 0;
    for (size_t at = 0; at <= text.size; at++) {
        if (at < text.size && text.data[at] != between) continue;
        uc_str name = uc_text_trim((uc_str){text.data + begin, at - begin});
        begin = at + 1;
        if (name.size) UC_TRY(uc_labels_put(labels, &capacity, i++, name, arena, error));
    }
    return UNCORK_OK;
}

uncork_status uc_labels_text(uc_str text, uc_arena *arena, uc_labels *labels, uncork_error *error)
{
    scanner s = {.in = uc_text_trim(text)};
    *labels = (uc_labels){0};
    bool good = true;
    if (take(&s, '{')) {
        good = take_dict(&s, arena, labels, error);
    } else if (take(&s, '[')) {
        good = take_list(&s, ']', arena, labels, error);
    } else if (take(&s, '(')) {
        good = take_list(&s, ')', arena, labels, error);
    } else {
        bool lines = s.in.size && memchr(s.in.data, '\n', s.in.size);
        UC_TRY(split(s.in, lines ? '\n' : ',', arena, labels, error));
    }
    if (good && labels->count) return UNCORK_OK;
    *labels = (uc_labels){0};
    if (uc_arena_status(arena, error)) return error->status;
    return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                   "the labels in the metadata are neither a dict nor a list of names");
}

/* ---- CSV -------------------------------------------------------------------------------------- */

#define CSV_COLUMNS 8

/* The cells of the line at *at; quotes may hold commas. */
static size_t csv_line(uc_bytes in, size_t *at, uc_arena *arena, uc_str cells[CSV_COLUMNS])
{
    size_t count = 0;
    bool more = true;
    while (more && *at < in.size) {
        uc_str cell = {(const char *)in.data + *at, 0};
        if (in.data[*at] == '"') {
            size_t end = *at + 1, n = 0;
            while (end < in.size &&
                   (in.data[end] != '"' || (end + 1 < in.size && in.data[end + 1] == '"'))) {
                end += in.data[end] == '"' ? 2 : 1;
            }
            char *text = UC_NEW(arena, char, end - *at);
            for (++*at; text && *at < in.size; ++*at) {
                if (in.data[*at] == '"') {
                    if (*at + 1 >= in.size || in.data[*at + 1] != '"') break;
                    ++*at;
                }
                text[n++] = (char)in.data[*at];
            }
            if (*at < in.size) ++*at;
            cell = (uc_str){text, text ? n : 0};
        }
        const char *plain = (const char *)in.data + *at;
        size_t begin = *at;
        while (*at < in.size && in.data[*at] != ',' && in.data[*at] != ';' &&
               in.data[*at] != '\n') {
            ++*at;
        }
        if (cell.data == plain) cell.size = *at - begin;
        if (count < CSV_COLUMNS) cells[count++] = uc_text_trim(cell);
        more = *at < in.size && in.data[*at] != '\n';
        if (*at < in.size) ++*at;
    }
    return count;
}

static bool is_word(uc_str s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(words[i]), k = 0;
        while (s.size == n && k < n && (s.data[k] | 0x20) == (words[i][k] | 0x20)) {
            k++;
        }
        if (s.size == n && k == n) return true;
    }
    return false;
}

uncork_status uc_labels_csv(uc_bytes bytes, uc_arena *arena, uc_labels *labels, uncork_error *error)
{
    static const char *const ids[] = {"index",    "id",  "class_id", "class_idx", "class_index",
                                      "label_id", "idx", "number",   "target"};
    static const char *const names[] = {"name",       "label",       "class",
                                        "class_name", "label_name",  "display_name",
                                        "category",   "description", "text"};
    uc_str cells[CSV_COLUMNS];
    size_t at = 0, capacity = 0;
    size_t width = csv_line(bytes, &at, arena, cells);
    size_t id = SIZE_MAX, name = SIZE_MAX;
    int64_t row = 0, index;
    for (size_t c = 0; c < width; c++) {
        if (id == SIZE_MAX && is_word(cells[c], ids, sizeof ids / sizeof ids[0])) id = c;
        if (name == SIZE_MAX && is_word(cells[c], names, sizeof names / sizeof names[0])) name = c;
    }
    bool header = name != SIZE_MAX || id != SIZE_MAX;
    if (!header) { /* the column that is a number is the index */
        at = 0;
        for (size_t c = 0; c < width && width > 1; c++) {
            if (id == SIZE_MAX && uc_text_i64(cells[c], &index)) id = c;
        }
    }
    if (name == SIZE_MAX) name = id == 0 && width > 1 ? 1 : 0;
    while (at < bytes.size) {
        width = csv_line(bytes, &at, arena, cells);
        if (width == 0 || (width == 1 && cells[0].size == 0)) continue;
        index = row++;
        if (name >= width || (id != SIZE_MAX && (id >= width || !uc_text_i64(cells[id], &index)))) {
            return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                           "row %lld of the label table has no index and name", (long long)row);
        }
        UC_TRY(uc_labels_put(labels, &capacity, index, cells[name], arena, error));
    }
    return uc_arena_status(arena, error);
}
