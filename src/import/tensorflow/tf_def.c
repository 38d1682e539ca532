/* TensorFlow's op registry: arguments, outputs and attribute defaults by op. */
#include "import/tensorflow/tf_file.h"

/* Four texts in a row, each ended by zero: fewer pointers to relocate at start. */
#define DEF(name, inputs, outputs, attrs) {name "\0" inputs "\0" outputs "\0" attrs},
static const uc_tf_def defs[] = {
#include "import/tensorflow/tf_op_defs.def"
};
#undef DEF

static int compare(uc_str a, const char *b)
{
    const size_t n = strlen(b);
    const int order = memcmp(a.data, b, a.size < n ? a.size : n);
    return order ? order : a.size < n ? -1 : a.size > n;
}

const uc_tf_def *uc_tf_def_find(uc_str op)
{
    size_t low = 0, high = sizeof defs / sizeof defs[0];
    while (op.size && low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(op, defs[middle].name);
        if (order == 0) return &defs[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static const char *after(const char *text) { return text + strlen(text) + 1; }

const char *uc_tf_def_inputs(const uc_tf_def *def) { return after(def->name); }
const char *uc_tf_def_outputs(const uc_tf_def *def) { return after(uc_tf_def_inputs(def)); }
const char *uc_tf_def_attrs(const uc_tf_def *def) { return after(uc_tf_def_outputs(def)); }

bool uc_tf_def_default(const uc_tf_def *def, const char *attr, uc_str *text)
{
    const size_t n = strlen(attr);
    const char *at = uc_tf_def_attrs(def);
    while (*at) {
        const char *end = strchr(at, '|');
        if (!end) end = at + strlen(at);
        if (strncmp(at, attr, n) == 0 && at[n] == ':') {
            const char *equals = memchr(at, '=', (size_t)(end - at));
            if (!equals) return false;
            *text = (uc_str){equals + 1, (size_t)(end - equals - 1)};
            return true;
        }
        at = *end ? end + 1 : end;
    }
    return false;
}
