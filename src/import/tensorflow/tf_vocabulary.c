/* A table from the lines of a text file.
 *
 * Source: tensorflow/core/kernels/lookup_util.cc of TensorFlow 2.21, TextFileLineIterator. */
#include "base/text.h"
#include "import/tensorflow/tf_scope.h"

#include <inttypes.h>

enum { LINE_NUMBER = -1, WHOLE_LINE = -2 };

typedef struct columns {
    uc_tf_call *c; /* of the initialiser */
    uc_str delimiter;
    uc_str *lines;
    size_t count;
    int64_t offset; /* added to line numbers */
} columns;

/* Lines as TensorFlow's buffer reads them: a carriage return counts for nothing wherever it stands. */
static bool read_lines(columns *t, uc_bytes text, uc_arena *arena)
{
    size_t count = text.size && text.data[text.size - 1] != '\n', at = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == '\n';
    }
    t->lines = UC_NEW(arena, uc_str, count);
    char *copy = memchr(text.size ? text.data : (const uint8_t *)"", '\r', text.size)
                     ? uc_arena_alloc(arena, text.size, 1)
                     : NULL;
    if (!t->lines) return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *begin = text.data + at;
        const uint8_t *end = memchr(begin, '\n', text.size - at);
        size_t size = end ? (size_t)(end - begin) : text.size - at;
        t->lines[i] = (uc_str){(const char *)begin, size};
        at += size + 1;
        if (!copy) continue;
        size_t kept = 0;
        for (size_t k = 0; k < size; k++) {
            if (begin[k] != '\r') copy[kept++] = (char)begin[k];
        }
        t->lines[i] = (uc_str){copy, kept};
        copy += kept;
    }
    t->count = count;
    return true;
}

static bool column_of(const columns *t, uc_str line, int64_t index, uc_str *part)
{
    for (int64_t i = 0;; i++) {
        size_t n = 0;
        while (n < line.size && (t->delimiter.size == 0 || line.data[n] != t->delimiter.data[0])) {
            n++;
        }
        if (i == index) {
            *part = (uc_str){line.data, n};
            return true;
        }
        if (n == line.size) return false;
        line = (uc_str){line.data + n + 1, line.size - n - 1};
    }
}

static bool put(const columns *t, uc_tensor *to, uc_str *strings, size_t i, int64_t index)
{
    uc_str part = t->lines[i];
    double number = 0;
    int64_t whole = (int64_t)i + t->offset;
    if (index >= 0 && !column_of(t, part, index, &part)) {
        uc_tf_fail(t->c, "line %zu of its file has no column %" PRId64, i, index);
        return false;
    }
    if (to->dtype == UNCORK_STRING) {
        if (index == LINE_NUMBER) {
            uc_tf_fail(t->c, "line numbers as text");
            return false;
        }
        strings[i] = part;
        return true;
    }
    if (index != LINE_NUMBER) {
        part = uc_text_trim(part);
        const bool is_float = uc_dtype_is_float(to->dtype);
        if (is_float ? !uc_text_f64(part, &number) : !uc_text_i64(part, &whole)) {
            uc_tf_fail(t->c, "line %zu of its file holds no number", i);
            return false;
        }
    } else {
        number = (double)whole;
    }
    if (uc_dtype_is_float(to->dtype))
        return uc_dtype_convert((uint8_t *)to->data + i * uc_dtype_size(to->dtype), to->dtype,
                                &number, UNCORK_FLOAT64, 1);
    return uc_dtype_convert((uint8_t *)to->data + i * uc_dtype_size(to->dtype), to->dtype, &whole,
                            UNCORK_INT64, 1);
}

static const uc_tensor *column(columns *t, int64_t index, uncork_dtype dtype, uc_arena *arena)
{
    const int64_t shape[] = {(int64_t)t->count};
    uc_str *strings = NULL;
    if (dtype == UNCORK_STRING) {
        strings = UC_NEW(arena, uc_str, t->count);
        if (!strings) return NULL;
    }
    uc_tensor *to = uc_tensor_new(arena, dtype, 1, shape);
    for (size_t i = 0; to && i < t->count; i++) {
        if (!put(t, to, strings, i, index)) return NULL;
    }
    if (!strings || !to) return to;
    to = uc_tensor_strings(arena, strings, 1, shape);
    if (to) to->strings.is_bytes = true;
    return to;
}

bool uc_tf_vocabulary(uc_tf_call *c, const uc_tf_given *given, uc_bytes text, uc_tf_table *table)
{
    uc_arena *arena = c->graph->arena;
    uc_tf_call at = {
        .build = c->build, .graph = c->graph, .scope = given->scope, .node = given->node};
    columns t = {.c = c, .delimiter = uc_tf_str(&at, "delimiter")};
    const int64_t size = uc_tf_int(&at, "vocab_size");
    t.offset = uc_tf_int(&at, "offset");
    if (!read_lines(&t, text, arena)) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    if (size > 0) {
        if ((uint64_t)size > t.count) {
            uc_tf_fail(c, "its file has %zu lines, not %" PRId64, t.count, size);
            return false;
        }
        t.count = (size_t)size;
    }
    table->keys = column(&t, uc_tf_int(&at, "key_index"), table->key_type, arena);
    table->values =
        table->keys ? column(&t, uc_tf_int(&at, "value_index"), table->value_type, arena) : NULL;
    if (!table->values && !c->graph->status)
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
    return table->values != NULL;
}
