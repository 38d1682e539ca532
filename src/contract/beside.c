/* Looks for the files beside a model and hands each to its reader. */
#include "contract/beside_internal.h"

#include "base/table.h"
#include "base/text.h"
#include "contract/contract.h"
#include "contract/labels.h"

typedef struct beside {
    uc_bundle *bundle;
    uc_arena *arena;
    uc_facts *facts;
    uc_findings *findings;
} beside;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The file of that name: beside a lone file, or the one nearest to the top of a folder or archive. */
static bool find_file(const beside *b, const char *name, uc_bytes *bytes)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (uc_bundle_kind_of(b->bundle) == UC_BUNDLE_FILE)
        return uc_bundle_side(b->bundle, name, bytes, &error) == UNCORK_OK;
    size_t best = SIZE_MAX, depth = SIZE_MAX;
    for (size_t i = 0; i < uc_bundle_count(b->bundle); i++) {
        const char *entry = uc_bundle_name(b->bundle, i);
        size_t d = 0;
        for (const char *p = entry; *p; p++) {
            d += *p == '/';
        }
        if (strcmp(base_name(entry), name) != 0 || d >= depth) continue;
        best = i;
        depth = d;
    }
    return best != SIZE_MAX && uc_bundle_read(b->bundle, best, bytes, &error) == UNCORK_OK;
}

static const uc_json *find_json(const beside *b, const char *name)
{
    uc_bytes bytes;
    if (!find_file(b, name, &bytes) || bytes.size > ((size_t)16 << 20)) return NULL;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    const uc_json *json = uc_json_read(bytes, 0, b->arena, &error);
    if (!json) {
        uc_note(b->findings, UC_NOTE_IGNORED, "side-file", "%s beside the model isn't read: %s",
                name, error.what);
    }
    return json;
}

/* Steps from a file become facts once they are steps at all. */
static void take_steps(const beside *b, uc_writer *spec, uc_writer *other, const char *from)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_contract *contract;
    const char *text = uc_writer_string(spec);
    if (uc_fact_find(b->facts, "preprocess") || spec->status) return;
    if (uc_contract_read(text, from, b->arena, &contract, &error)) {
        uc_note(b->findings, UC_NOTE_IGNORED, "side-file", "%s isn't taken: %s", from, error.what);
        return;
    }
    spec->size = 0;
    uc_contract_text(contract, spec);
    uc_fact_text(b->facts, "preprocess", "%s", uc_writer_string(spec));
    uc_fact_text(b->facts, "preprocess_from", "%s", from);
    if (!other || !other->size) return;
    uc_fact_text(b->facts, "preprocess_other", "%s", uc_writer_string(other));
    uc_note(
        b->findings, UC_NOTE_ASSUMED, "picture-backend",
        "%s names a processor that transformers 5 runs by torchvision's resize and transformers "
        "4 by Pillow's; the former is taken, the latter is: %s",
        from, uc_writer_string(other));
}

/* ---- labels ---- */

static void take_labels(const beside *b, uc_bytes bytes, const char *name)
{
    if (uc_fact_find(b->facts, "labels")) return;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_labels labels;
    if (uc_labels_read(bytes, name, b->arena, &labels, &error) || labels.count == 0) return;
    const int64_t shape[1] = {(int64_t)labels.count};
    const uc_tensor *t = uc_tensor_strings(b->arena, labels.items, 1, shape);
    if (!t) return;
    uc_fact_tensor(b->facts, "labels", t);
    uc_fact_text(b->facts, "labels_from", "%s", name);
    uc_note(b->findings, UC_NOTE_CHOSEN, "labels", "names of %zu classes: %s beside the model",
            labels.count, name);
}

static void find_labels(const beside *b, const char *name)
{
    uc_bytes bytes;
    if (find_file(b, name, &bytes) && bytes.size < ((size_t)16 << 20)) take_labels(b, bytes, name);
}

/* ---- config files ---- */

static void read_processor(const beside *b, uc_writer *spec, uc_writer *other)
{
    const uc_json *json = find_json(b, "preprocessor_config.json");
    if (json && uc_beside_hf(json, spec, other))
        take_steps(b, spec, other, "preprocessor_config.json");
}

static void read_config(const beside *b, uc_writer *spec)
{
    const uc_json *json = find_json(b, "config.json");
    if (!json) return;
    uc_str architecture = uc_json_str(uc_json_get(json, "architecture"), "");
    if (!architecture.size)
        architecture = uc_json_str(uc_json_at(uc_json_get(json, "architectures"), 0), "");
    if (architecture.size)
        uc_fact_text(b->facts, "architecture", "%.*s",
                     (int)(architecture.size < 200 ? architecture.size : 200), architecture.data);
    spec->size = 0;
    if (uc_beside_timm(json, spec)) take_steps(b, spec, NULL, "config.json");
    const char *preset = uc_beside_hf_preset(uc_json_str(uc_json_get(json, "model_type"), ""));
    if (preset && !uc_fact_find(b->facts, "preprocess")) {
        uc_fact_text(b->facts, "architecture_preset", "%s", preset);
        uc_fact_text(b->facts, "architecture_from", "model_type of config.json");
    }
    if (uc_json_get(json, "id2label")) find_labels(b, "config.json");
}

static void read_teachable(const beside *b, uc_writer *spec)
{
    const uc_json *json = find_json(b, "metadata.json");
    spec->size = 0;
    if (json && uc_beside_teachable(json, spec)) take_steps(b, spec, NULL, "metadata.json");
}

/* ---- what names tell ---- */

static void name_architecture(const beside *b, const char *path)
{
    static const char *const keys[] = {
        "architecture", "metadata.architecture", "metadata.model_name", "graph",
        "doc",          "metadata.description"};
    if (uc_fact_find(b->facts, "architecture_preset")) return;
    const char *producer = uc_fact_get_text(b->facts, "producer");
    const bool last = producer && (strstr(producer, "tf2onnx") || strstr(producer, "keras"));
    const char *preset = NULL, *other = NULL, *from = NULL;
    for (size_t i = 0; !from && i < sizeof keys / sizeof keys[0]; i++) {
        const char *text = uc_fact_get_text(b->facts, keys[i]);
        if (text && uc_beside_architecture(uc_str_of(text), last, &preset, &other, b->arena))
            from = keys[i];
    }
    if (!from &&
        uc_beside_architecture(uc_str_of(base_name(path)), last, &preset, &other, b->arena))
        from = "the file's name";
    if (!from) return;
    const char *source = uc_fact_get_text(b->facts, "architecture_source");
    if (source && strcmp(source, "timm") == 0 && other && strncmp(other, "timm:", 5) == 0) {
        const char *first = preset; /* of two with one name, the library's own */
        preset = other;
        other = first;
    }
    uc_fact_text(b->facts, "architecture_preset", "%s", preset);
    if (other) uc_fact_text(b->facts, "architecture_other", "%s", other);
    uc_fact_text(b->facts, "architecture_from", "%s", from);
}

void uc_beside_read(uc_bundle *bundle, const char *path, uc_arena *arena, uc_facts *facts,
                    uc_findings *findings)
{
    const beside b = {bundle, arena, facts, findings};
    uc_writer spec, other;
    uc_writer_init(&spec, 65536);
    uc_writer_init(&other, 65536);
    if (uc_beside_ultralytics(facts, &spec)) take_steps(&b, &spec, NULL, "Ultralytics' metadata");
    spec.size = 0;
    read_processor(&b, &spec, &other);
    read_config(&b, &spec);
    read_teachable(&b, &spec);
    static const char *const names[] = {"labels.txt",
                                        "labels.json",
                                        "class_indices.json",
                                        "classes.txt",
                                        "label_map.pbtxt",
                                        "labelmap.pbtxt",
                                        "mscoco_label_map.pbtxt",
                                        "labels.pbtxt",
                                        "dict.txt",
                                        "label.txt",
                                        "mscoco_complete_label_map.pbtxt",
                                        "class_names.txt",
                                        "class_names.json",
                                        "labelmap.txt",
                                        "label_map.txt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        find_labels(&b, names[i]);
    }
    name_architecture(&b, path);
    uc_writer_done(&spec);
    uc_writer_done(&other);
}
