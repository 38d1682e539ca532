/* Labels and normalisation that the file says, as facts: the zip behind the FlatBuffer, the metadata entry
 * TFLITE_METADATA, and what the input's own type says.
 * Source: tflite-support, metadata_schema.fbs (identifier M001); numbers of members are its order. */
#include "import/tflite/tflite.h"

#include "base/text.h"
#include "container/zip.h"

#include <inttypes.h>
#include <math.h>

/* ---- labels ---------------------------------------------------------------------------------- */

/* One name a line; nothing when it isn't text. */
static void take_labels(uc_import *file, uc_str text, const char *name)
{
    size_t count = 0, begin = 0, n = 0;
    if (!uc_utf8_valid(text, false)) return;
    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == '\n';
    }
    uc_str *items = UC_NEW(file->arena, uc_str, count + 1);
    for (size_t i = 0; items && i <= text.size; i++) {
        if (i < text.size && text.data[i] != '\n') continue;
        const uc_str line = uc_text_trim((uc_str){text.data + begin, i - begin});
        if (i < text.size || line.size) items[n++] = line;
        begin = i + 1;
    }
    const int64_t shape[] = {(int64_t)n};
    const uc_tensor *t = n ? uc_tensor_strings(file->arena, items, 1, shape) : NULL;
    if (!t) return;
    uc_fact_tensor(&file->facts, "labels", t);
    uc_fact_text(&file->facts, "labels_from", "%s", name);
    uc_note(&file->findings, UC_NOTE_CHOSEN, "labels", "names of %zu classes: %s in the model", n,
            name);
}

static void read_zip(uc_import *file)
{
    uncork_error ignored;
    uc_zip *zip;
    size_t found = SIZE_MAX;
    uc_error_init(&ignored);
    if (uc_zip_open(file->bytes, 0, file->arena, file->budget, &zip, &ignored)) return;
    for (size_t i = 0; i < zip->count; i++) {
        if (!uc_text_ends(zip->entries[i].name, ".txt")) continue;
        if (found == SIZE_MAX || strstr(zip->entries[i].name, "label")) found = i;
    }
    uc_bytes bytes;
    if (found == SIZE_MAX || uc_zip_read(zip, found, &bytes, &ignored)) return;
    take_labels(file, (uc_str){(const char *)bytes.data, bytes.size}, zip->entries[found].name);
}

/* ---- preprocessing --------------------------------------------------------------------------- */

typedef struct normalization {
    bool found;
    double mean, std;
} normalization;

/* One mean and one deviation of the first input: those of several channels that differ aren't taken. */
static normalization read_normalization(uc_bytes data)
{
    normalization n = {.found = false};
    uncork_error ignored;
    uc_fb fb;
    uc_fb_table root;
    uc_error_init(&ignored);
    if (!uc_fb_probe(data, "M001") || !uc_fb_open(&fb, data, 0, &ignored, &root)) return n;
    const uc_fb_vector graphs = uc_fb_vec(root, 3, 4);
    if (!graphs.count) return n;
    const uc_fb_vector inputs = uc_fb_vec(uc_fb_vec_table(graphs, 0), 2, 4);
    if (!inputs.count) return n;
    const uc_fb_vector units = uc_fb_vec(uc_fb_vec_table(inputs, 0), 4, 4);
    for (size_t i = 0; i < units.count && !n.found && uc_fb_ok(&fb); i++) {
        const uc_fb_table unit = uc_fb_vec_table(units, i);
        if (uc_fb_uint(unit, 0, 1, 0) != 1) continue; /* NormalizationOptions */
        const uc_fb_table options = uc_fb_child(unit, 1);
        const uc_fb_vector mean = uc_fb_vec(options, 0, 4), std = uc_fb_vec(options, 1, 4);
        bool same = mean.count > 0 && mean.count == std.count;
        for (size_t k = 1; same && k < mean.count; k++) {
            same = uc_fb_vec_float(mean, k) == uc_fb_vec_float(mean, 0) &&
                   uc_fb_vec_float(std, k) == uc_fb_vec_float(std, 0);
        }
        if (!same) continue;
        n.mean = (double)uc_fb_vec_float(mean, 0);
        n.std = (double)uc_fb_vec_float(std, 0);
        n.found = isfinite(n.mean) && isfinite(n.std) && n.std > 0;
    }
    n.found = n.found && uc_fb_ok(&fb);
    return n;
}

static void put_steps(uc_import *file, const uc_tfl_tensor *t, const char *steps, const char *from)
{
    uc_fact_text(&file->facts, "preprocess",
                 "%s | resize=%" PRId64 "x%" PRId64 ",bilinear,pillow | %s | nhwc",
                 t->shape[3] == 1 ? "gray" : "rgb", t->shape[2], t->shape[1], steps);
    uc_fact_text(&file->facts, "preprocess_from", "%s", from);
}

static void describe_input(uc_import *file, const uc_tfl_tensor *t, const normalization *n)
{
    if (t->rank != 4 || t->shape[1] < 1 || t->shape[2] < 1) return;
    if (t->shape[3] != 3 && t->shape[3] != 1) return;
    if (t->dtype == UNCORK_UINT8) {
        put_steps(file, t, "uint8", "the model takes bytes");
    } else if (t->dtype == UNCORK_FLOAT32 && n->found) {
        char mean[32], std[32];
        uc_f64_plain_text(n->mean, mean);
        uc_f64_plain_text(n->std, std);
        const char *steps = uc_arena_printf(file->arena, "float32 | mean=%s | std=%s", mean, std);
        if (steps) put_steps(file, t, steps, "the model's metadata");
    } else if (t->dtype == UNCORK_INT8 && n->found && t->scales == 1) {
        /* (x - mean) / std in steps of the scale is x - 128 where these agree, as they mostly do. */
        const double step = (double)t->scale[0] * n->std;
        const double shift = n->mean / step - (double)t->zero[0];
        if (fabs(step - 1) < 0.005 && fabs(shift - 128) < 1)
            put_steps(file, t, "int16 | add=-128 | int8", "the model's metadata");
    }
}

void uc_tfl_metadata_read(const uc_tfl_file *f, uc_import *file)
{
    const uc_tfl_subgraph *g = &f->subgraphs[0];
    normalization n = {.found = false};
    for (size_t i = 0; i < f->metadata_count && !n.found; i++) {
        if (uc_str_is(f->metadata[i].name, "TFLITE_METADATA"))
            n = read_normalization(f->metadata[i].data);
    }
    if (g->in_count) describe_input(file, &g->tensors[g->in[0]], &n);
    read_zip(file);
}
