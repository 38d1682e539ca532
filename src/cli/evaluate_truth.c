/* What is true of each picture, and which class it means. */
#include "cli/evaluate.h"

#include "base/file.h"
#include "base/table.h"
#include "base/text.h"

/* ---- reading ---- */

static uncork_status add_item(evaluate_truth *t, uc_arena *arena, const char *path, size_t label,
                              uncork_error *error)
{
    char **paths = uc_arena_grow(arena, t->paths, &t->path_capacity, t->count + 1, sizeof *paths);
    if (paths) t->paths = paths;
    evaluate_item *items =
        uc_arena_grow(arena, t->items, &t->capacity, t->count + 1, sizeof *items);
    if (items) t->items = items;
    char *copy = uc_arena_str(arena, path);
    if (!paths || !items || !copy) return uc_fail_memory(error);
    paths[t->count] = copy;
    items[t->count++] = (evaluate_item){.label = label, .answer = EVALUATE_NONE};
    return UNCORK_OK;
}

/* The label's index, a new one's too. */
static uncork_status find_label(evaluate_truth *t, uc_table *known, uc_str name, uc_arena *arena,
                                size_t *label, uncork_error *error)
{
    const size_t *found = uc_table_find(known, name);
    if (found) {
        *label = *found;
        return UNCORK_OK;
    }
    uc_str *labels =
        uc_arena_grow(arena, t->labels, &t->label_capacity, t->label_count + 1, sizeof *labels);
    const char *copy = uc_arena_copy(arena, name.data, name.size);
    size_t *index = UC_NEW(arena, size_t, 1);
    if (!labels || !copy || !index) return uc_fail_memory(error);
    t->labels = labels;
    labels[t->label_count] = (uc_str){copy, name.size};
    *index = *label = t->label_count;
    if (!uc_table_put(known, labels[t->label_count], index)) return uc_fail_memory(error);
    t->label_count++;
    return UNCORK_OK;
}

/* names are sorted: the folders come in the order that Keras and torchvision number them. */
static uncork_status read_folder(const char *path, uc_arena *arena, uc_table *known,
                                 evaluate_truth *t, uncork_error *error)
{
    char **names;
    size_t count;
    t->folders = true;
    UC_TRY(uc_file_list(path, true, arena, &names, &count, error));
    for (size_t i = 0; i < count; i++) {
        if (!cli_is_picture(names[i])) continue;
        const char *slash = strchr(names[i], '/');
        if (!slash) {
            t->loose++;
            continue;
        }
        size_t label;
        UC_TRY(find_label(t, known, (uc_str){names[i], (size_t)(slash - names[i])}, arena, &label,
                          error));
        const char *whole = uc_arena_printf(arena, "%s/%s", path, names[i]);
        if (!whole) return uc_fail_memory(error);
        UC_TRY(add_item(t, arena, whole, label, error));
    }
    if (t->count) return UNCORK_OK;
    uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "no folder with pictures in it");
    return uc_fix(error, "a labelled folder has a folder a class, named after it");
}

/* The column of one of the names; `otherwise` when the table has none of them. */
static size_t find_column(const cli_rows *rows, const char *const *names, size_t otherwise)
{
    for (size_t k = 0; names[k]; k++) {
        for (size_t i = 0; rows->names && i < rows->column_count; i++) {
            if (uc_str_is(rows->names[i], names[k])) return i;
        }
    }
    return otherwise;
}

/* Relative paths count from the table's folder. */
static const char *path_in_table(const char *table, uc_str path, uc_arena *arena)
{
    const char *slash = strrchr(table, '/');
    if (!slash || (path.size && path.data[0] == '/')) {
        return uc_arena_copy(arena, path.data, path.size);
    }
    return uc_arena_printf(arena, "%.*s/%.*s", (int)(slash - table), table, (int)path.size,
                           path.data);
}

static uncork_status read_table(const char *path, uc_arena *arena, uc_table *known,
                                evaluate_truth *t, uncork_error *error)
{
    static const char *const path_names[] = {"path",     "file",  "filename", "file_name",
                                             "filepath", "image", "input",    NULL};
    static const char *const label_names[] = {
        "label", "class", "target", "category", "label_name", "class_name", "species", "y", NULL};
    uc_bytes bytes;
    cli_rows rows;
    UC_TRY(uc_file_read(path, false, arena, &bytes, error));
    UC_TRY(cli_rows_csv(bytes, NULL, arena, &rows, error));
    const size_t path_column = find_column(&rows, path_names, SIZE_MAX);
    size_t to = find_column(&rows, label_names, SIZE_MAX);
    t->rows = path_column == SIZE_MAX && to != SIZE_MAX && rows.column_count > 2;
    const size_t from = path_column != SIZE_MAX ? path_column : 0;
    if (to == SIZE_MAX) to = from == 0 ? 1 : 0;
    if (rows.column_count < 2) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "a table of labels has a column 'path' and a column 'label'");
    }
    for (size_t r = 0; r < rows.row_count; r++) {
        const cli_cell *row = rows.cells + r * rows.column_count;
        const char *file = t->rows ? uc_arena_printf(arena, "%s:%zu", path, r + 1)
                                   : path_in_table(path, row[from].text, arena);
        size_t label;
        if (!file) return uc_fail_memory(error);
        UC_TRY(find_label(t, known, row[to].text, arena, &label, error));
        UC_TRY(add_item(t, arena, file, label, error));
    }
    return t->count ? UNCORK_OK
                    : uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the table has no rows");
}

uncork_status evaluate_read(const char *path, uc_arena *arena, evaluate_truth *truth,
                            uncork_error *error)
{
    uc_table *known = uc_table_new(arena);
    if (!known) return uc_fail_memory(error);
    const uncork_status status = uc_file_kind_of(path) == UC_FILE_FOLDER
                                     ? read_folder(path, arena, known, truth, error)
                                     : read_table(path, arena, known, truth, error);
    if (status && !error->where[0]) uc_where(error, "%s", path);
    return status;
}

/* ---- matching ---- */

/* Lower case, '_' and '-' as spaces; ASCII only. */
static uc_str plain(uc_str s, bool before_comma, uc_arena *arena)
{
    char *to = uc_arena_copy(arena, s.data, s.size);
    size_t n = 0;
    for (; to && n < s.size && !(before_comma && s.data[n] == ','); n++) {
        const char c = s.data[n];
        to[n] = c == '_' || c == '-' ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (uc_str){to ? to : "", to ? n : 0};
}

/* Names of classes by the ways a label may be written; the first class of a name keeps it. */
static uc_table *index_classes(const uc_str *classes, size_t count, bool named, uc_arena *arena)
{
    uc_table *table = uc_table_new(arena);
    uint32_t *ids = UC_NEW(arena, uint32_t, count);
    for (size_t i = 0; table && ids && i < count; i++) {
        ids[i] = (uint32_t)i;
    }
    for (int way = 0; way < 4 && table && ids; way++) {
        for (size_t i = 0; i < count; i++) {
            uc_str name = way == 0 ? classes[i] : plain(classes[i], way == 2, arena);
            if (way == 3) {
                const char *number = named ? uc_arena_printf(arena, "%zu", i) : NULL;
                if (!number) continue;
                name = uc_str_of(number);
            }
            if (name.size == 0 || uc_table_find(table, name)) continue;
            if (!uc_table_put(table, name, &ids[i])) return NULL;
        }
    }
    return ids ? table : NULL;
}

static uncork_status refuse(const evaluate_truth *t, const uc_str *classes, size_t class_count,
                            uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, 160);
    for (size_t i = 0; i < class_count && i < 5; i++) {
        uc_writer_printf(&w, "%s%.*s", i ? ", " : "",
                         (int)(classes[i].size > 24 ? 24 : classes[i].size), classes[i].data);
    }
    if (class_count > 5) uc_writer_text(&w, ", ...");
    uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "%s '%.40s' is none of the model's %zu classes: %s",
            t->folders ? "folder" : "label", t->label_count ? t->labels[0].data : "", class_count,
            uc_writer_string(&w));
    uc_writer_done(&w);
    return uc_fix(error, "--labels FILE says what the classes are called, in the model's order");
}

uncork_status evaluate_match(evaluate_truth *t, const uc_str *classes, size_t class_count,
                             bool named, uc_arena *arena, uc_findings *notes, uncork_error *error)
{
    uc_table *table = index_classes(classes, class_count, named, arena);
    t->ids = UC_NEW(arena, uint32_t, t->label_count);
    if (!table || !t->ids) return uc_fail_memory(error);
    size_t matched = 0;
    for (size_t i = 0; i < t->label_count; i++) {
        const uint32_t *id = uc_table_find(table, t->labels[i]);
        if (!id) id = uc_table_find(table, plain(t->labels[i], false, arena));
        t->ids[i] = id ? *id : EVALUATE_NONE;
        matched += id != NULL;
    }
    if (matched) return UNCORK_OK;
    if (!t->folders || named || t->label_count != class_count) {
        return refuse(t, classes, class_count, error);
    }
    for (size_t i = 0; i < t->label_count; i++) {
        t->ids[i] = (uint32_t)i;
    }
    uc_note(notes, UC_NOTE_ASSUMED, "folder-order",
            "the model's classes have no names: the folders in alphabetical order are taken for "
            "them, '%s' is class 0, as Keras and torchvision number folders",
            t->labels[0].data);
    return UNCORK_OK;
}
