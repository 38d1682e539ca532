/* Options of custom operators: a FlexBuffer map of numbers by name.
 * Source: FlatBuffers documentation, "FlexBuffers"; include/flatbuffers/flexbuffers.h 25.2. */
#include "import/tflite/tflite.h"

#include <math.h>

enum { FLEX_INT = 1, FLEX_UINT = 2, FLEX_FLOAT = 3, FLEX_MAP = 9, FLEX_BOOL = 26 };

static bool load(uc_bytes b, size_t at, size_t width, uint64_t *v)
{
    if (at > b.size || width > b.size - at) return false;
    *v = 0;
    for (size_t i = 0; i < width; i++) {
        *v |= (uint64_t)b.data[at + i] << (8 * i);
    }
    return true;
}

/* Where the offset at `at` points: backwards. */
static bool follow(uc_bytes b, size_t at, size_t width, size_t *to)
{
    uint64_t back;
    if (!load(b, at, width, &back) || back > at) return false;
    *to = at - (size_t)back;
    return true;
}

static double number_at(uc_bytes b, size_t at, size_t width, unsigned type)
{
    uint64_t v;
    if (!load(b, at, width, &v)) return (double)NAN;
    if (type == FLEX_UINT || type == FLEX_BOOL) return (double)v;
    if (type == FLEX_INT) return (double)((int64_t)(v << (64 - 8 * width)) >> (64 - 8 * width));
    if (type == FLEX_FLOAT && width == 8) {
        double d;
        memcpy(&d, &v, sizeof d);
        return d;
    }
    if (type == FLEX_FLOAT && width == 4) {
        const uint32_t u = (uint32_t)v;
        float f;
        memcpy(&f, &u, sizeof f);
        return (double)f;
    }
    return (double)NAN;
}

static bool key_is(uc_bytes b, size_t at, const char *name)
{
    const size_t n = strlen(name) + 1;
    return at <= b.size && n <= b.size - at && memcmp(b.data + at, name, n) == 0;
}

double uc_tfl_flex(uc_bytes b, const char *name)
{
    const double none = (double)NAN;
    size_t map, keys;
    uint64_t count, key_width;
    if (b.size < 3) return none;
    const size_t root_width = b.data[b.size - 1], root = b.size - 2 - root_width;
    const unsigned type = b.data[b.size - 2];
    if (root_width > 8 || root_width + 2 > b.size || type >> 2 != FLEX_MAP) return none;
    const size_t width = (size_t)1 << (type & 3);
    if (!follow(b, root, root_width, &map) || map < 3 * width) return none;
    if (!load(b, map - width, width, &count) || !load(b, map - 2 * width, width, &key_width) ||
        !follow(b, map - 3 * width, width, &keys)) {
        return none;
    }
    if (count > b.size / (width + 1) || key_width < 1 || key_width > 8) return none;
    for (size_t i = 0; i < count; i++) {
        size_t key;
        uint64_t packed;
        if (!follow(b, keys + i * (size_t)key_width, (size_t)key_width, &key)) return none;
        if (!key_is(b, key, name)) continue;
        if (!load(b, map + (size_t)count * width + i, 1, &packed)) return none;
        return number_at(b, map + i * width, width, (unsigned)packed >> 2);
    }
    return none;
}

/* ---- select-TF operators --------------------------------------------------------------------- */

/* String i of a vector of values; false: there is none. Source: tensorflow/lite/delegates/flex/kernel.cc. */
static bool text_of(uc_bytes b, size_t i, uc_bytes *text)
{
    enum { FLEX_STRING = 5, FLEX_VECTOR = 10 };
    size_t vector, at;
    uint64_t count, packed, length;
    if (b.size < 3) return false;
    const size_t root_width = b.data[b.size - 1];
    const unsigned type = b.data[b.size - 2];
    if (root_width > 8 || root_width + 2 > b.size || type >> 2 != FLEX_VECTOR) return false;
    const size_t width = (size_t)1 << (type & 3);
    if (!follow(b, b.size - 2 - root_width, root_width, &vector) || vector < width) return false;
    if (!load(b, vector - width, width, &count) || count > b.size / width || i >= count)
        return false;
    if (!load(b, vector + (size_t)count * width + i, 1, &packed) || packed >> 2 != FLEX_STRING)
        return false;
    const size_t own = (size_t)1 << (packed & 3);
    if (!follow(b, vector + i * width, width, &at) || at < own || !load(b, at - own, own, &length))
        return false;
    if (length > b.size - at) return false;
    *text = (uc_bytes){b.data + at, (size_t)length};
    return true;
}

/* Its options are the op's name and its NodeDef. */
void uc_tfl_select_tf(uc_tfl_call *c)
{
    uc_tfl_build *b = c->build;
    uc_graph *g = c->graph;
    uc_bytes node;
    if (!text_of(c->op->custom, 1, &node)) {
        uc_graph_fail(g, UNCORK_MALFORMED, "%.60s: its NodeDef isn't there", c->op->name);
        return;
    }
    if (!b->ops) b->ops = uc_tf_ops_open(g, b->findings);
    uc_tf_op_value *in = UC_NEW(g->arena, uc_tf_op_value, c->op->in_count + 1);
    uc_tf_op_value *out = UC_NEW(g->arena, uc_tf_op_value, c->op->out_count + 1);
    if (!b->ops || !in || !out) return;
    for (size_t i = 0; i < c->op->in_count && !g->status; i++) {
        in[i].other = uc_tfl_has(c, i) ? c->scope->values[c->op->in[i]].other : NULL;
        if (!in[i].other) in[i].ref = uc_tfl_filed(c, i);
    }
    if (g->status || !uc_tf_ops_emit(b->ops, node, in, c->op->in_count, out, c->op->out_count))
        return;
    for (size_t i = 0; i < c->op->out_count; i++) {
        if (out[i].ref)
            uc_tfl_out_filed(c, i, out[i].ref);
        else
            c->scope->values[c->op->out[i]] = (uc_tfl_value){.other = out[i].other};
    }
}
