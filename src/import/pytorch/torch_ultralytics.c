/* What Ultralytics writes into the models that it exports, out of its own checkpoints: under the same keys
 * (metadata.*), so that steps, heads and names are found alike, whichever of the two a file is.
 *
 * Source: ultralytics 8.4, engine/exporter.py (metadata), nn/tasks.py (load_checkpoint: train_args), cfg/default.yaml
 * (imgsz: 640 where a checkpoint says nothing). Classifiers are trained with 224 pixels, and so bare weights
 * of one are taken. */
#include "import/pytorch/torch.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>

static const char *task_of(const char *architecture)
{
    static const char *const tasks[][2] = {
        {"-seg", "segment"}, {"-pose", "pose"}, {"-obb", "obb"}, {"-cls", "classify"}};
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        if (strstr(architecture, tasks[i][0])) return tasks[i][1];
    }
    return "detect";
}

static bool is_list(const uc_pickle *v)
{
    return v && (v->kind == UC_PICKLE_LIST || v->kind == UC_PICKLE_TUPLE);
}

/* The size that it was trained with: a number, or two. */
static void put_size(const uc_pickle *args, int64_t otherwise, uc_facts *facts)
{
    const uc_pickle *said = uc_pickle_get(args, "imgsz");
    const bool pair = is_list(said) && said->count == 2;
    int64_t height = otherwise, width = otherwise;
    if (pair && uc_pickle_i64(said->items[0], &height) && uc_pickle_i64(said->items[1], &width)) {
        uc_fact_text(facts, "metadata.imgsz", "[%" PRId64 ", %" PRId64 "]", height, width);
        return;
    }
    if (!said || !uc_pickle_i64(said, &height)) height = otherwise;
    uc_fact_text(facts, "metadata.imgsz", "[%" PRId64 ", %" PRId64 "]", height, height);
}

/* {0: 'person'} or ['person'], as JSON. */
static void put_names(const uc_pickle *names, uc_facts *facts)
{
    const bool dict = names && names->kind == UC_PICKLE_DICT;
    if (!dict && !is_list(names)) return;
    uc_writer text;
    uc_json_writer json = {.out = &text};
    uc_writer_init(&text, (size_t)1 << 20);
    uc_json_begin_object(&json);
    bool all = true;
    for (size_t i = 0; all && i < names->count; i++) {
        const uc_pickle *name = names->items[dict ? 2 * i + 1 : i];
        int64_t index = (int64_t)i;
        char key[24];
        all = name->kind == UC_PICKLE_TEXT && (!dict || uc_pickle_i64(names->items[2 * i], &index));
        if (!all) break;
        (void)snprintf(key, sizeof key, "%" PRId64, index);
        uc_json_key(&json, key);
        uc_json_put_str(&json, name->text);
    }
    uc_json_end_object(&json);
    if (all && names->count) uc_fact_text(facts, "metadata.names", "%s", uc_writer_string(&text));
    uc_writer_done(&text);
}

/* The head knows how many points: "[17, 3]". */
static void put_points(const uc_pickle *module, uc_facts *facts)
{
    const uc_pickle *layers =
        uc_pickle_attr(uc_pickle_get(uc_pickle_attr(module, "_modules"), "model"), "_modules");
    for (size_t i = 0; layers && layers->kind == UC_PICKLE_DICT && i < layers->count; i++) {
        const uc_pickle *shape = uc_pickle_attr(layers->items[2 * i + 1], "kpt_shape");
        int64_t count, values;
        if (!is_list(shape) || shape->count != 2 || !uc_pickle_i64(shape->items[0], &count) ||
            !uc_pickle_i64(shape->items[1], &values)) {
            continue;
        }
        uc_fact_text(facts, "metadata.kpt_shape", "[%" PRId64 ", %" PRId64 "]", count, values);
    }
}

void uc_t_ultralytics_facts(const uc_t_file *f, uc_facts *facts)
{
    const uc_pickle *module = f->state ? f->state->module : NULL;
    const char *task = task_of(f->model.name);
    uc_fact_text(facts, "metadata.author", "Ultralytics");
    uc_fact_text(facts, "metadata.task", "%s", task);
    const uc_pickle *args = uc_pickle_get(f->root, "train_args");
    put_size(args, !args && strcmp(task, "classify") == 0 ? 224 : 640, facts);
    put_names(module ? uc_pickle_attr(module, "names") : NULL, facts);
    if (module) put_points(module, facts);
}
