/* Pictures: read, decoded and made into tensors in parts, one part ahead of the model, on all cores.
 * While the model works on one part a thread beside it loads the next with threads of its own, so that
 * neither waits; with --threads 1 both take turns. Once the outputs are known and where they are small,
 * each thread also runs the model on the picture it has just loaded, in a session of its own: one
 * picture a core costs less than one picture over all cores. What is held is two parts, whatever the
 * number of pictures. Answers keep the order of the inputs, and their bits don't depend on any of this. */
#include "base/file.h"
#include "base/text.h"
#include "cli/predict.h"
#include "contract/geometry.h"

/* Pictures of a part, and bytes of its tensors: 600 kB each at 224 x 224. */
#define PART_PICTURES 32
#define PART_BYTES    ((size_t)64 << 20)
/* A picture's file: what base/file.h reads at most. */
#define PICTURE_BYTES ((size_t)1 << 30)
/* Outputs of a picture that are kept until it is answered, and values of all sessions together, up to
 * which every thread has a session. */
#define LANE_OUTPUTS  ((size_t)1 << 20)
#define LANE_VALUES   ((uint64_t)512 << 20)

typedef struct picture {
    const char *path;
    uc_arena *arena; /* of the tensor */
    uc_tensor tensor;
    uc_post_place place;
    bool placed;
    const uc_tensor **outputs; /* of its own run; NULL: it is still to be run */
    uncork_error error;
    bool good;
} picture;

typedef struct loader {
    predictor *p;
    uncork_pool *pool;
    uc_arena **work;        /* one a thread: decoded pictures, reset after each */
    uc_budget *budgets;     /* one a thread: --timeout counts for each picture */
    uncork_session **lanes; /* one a thread; NULL: loading only */
    bool *used;             /* [threads]: it loaded a picture */
} loader;

typedef struct part {
    loader *l;
    picture *pictures; /* [PART_PICTURES, or 8 a thread where that is more] */
    size_t count;
    uc_aside *aside;
} part;

/* Copies the outputs of a session's run; all are tensors of numbers. */
static uncork_status keep_outputs(const predictor *p, const uncork_session *session, picture *item)
{
    const int count = p->answers.count;
    uc_tensor *kept = UC_NEW(item->arena, uc_tensor, (size_t)count);
    const uc_tensor **outputs = UC_NEW(item->arena, const uc_tensor *, (size_t)count);
    if (!kept || !outputs) return uc_fail_memory(&item->error);
    for (int i = 0; i < count; i++) {
        const uc_tensor *from = uc_value_tensor(uncork_session_output(session, i));
        const size_t bytes = (size_t)uc_tensor_count(from) * uc_dtype_size(from->dtype);
        const uc_tensor *dense = uc_tensor_dense(item->arena, from);
        void *data = uc_arena_alloc_raw(item->arena, bytes);
        if (!dense || !data) return uc_fail_memory(&item->error);
        if (bytes) memcpy(data, dense->data, bytes);
        uc_tensor_set(&kept[i], from->dtype, from->rank, from->shape);
        kept[i].data = data;
        outputs[i] = &kept[i];
    }
    item->outputs = outputs;
    return UNCORK_OK;
}

/* The model on one picture, in the calling thread alone. */
static uncork_status run_lane(const loader *l, picture *item, const uc_tensor *tensor, int thread)
{
    const predictor *p = l->p;
    const int inputs = uncork_model_input_count(p->model);
    const uncork_value **values = UC_NEW(item->arena, const uncork_value *, (size_t)inputs);
    int64_t shape[UNCORK_MAX_RANK] = {1};
    uncork_value *value = NULL;
    memcpy(shape + 1, tensor->shape, (size_t)tensor->rank * sizeof *shape);
    if (!values ||
        uncork_value_wrap(tensor->dtype, tensor->rank + 1, shape, tensor->data, &value)) {
        return uc_fail_memory(&item->error);
    }
    values[cli_only_input(p->model)] = value;
    uncork_status status =
        uncork_session_run(l->lanes[thread], values, inputs, &p->options->limits, &item->error);
    uncork_value_free(value);
    return status ? status : keep_outputs(p, l->lanes[thread], item);
}

static uncork_status load_picture(loader *l, picture *item, uc_arena *work, int thread)
{
    uc_bytes bytes;
    uc_tensor *tensor;
    if (strcmp(item->path, "-") == 0) {
        uc_arena *arena = l->p->kept_arena ? l->p->kept_arena : work;
        UC_TRY(uc_file_read_stdin(PICTURE_BYTES, arena, &bytes, &item->error));
        if (l->p->kept_arena) l->p->kept = bytes;
    } else {
        UC_TRY(uc_file_read(item->path, false, work, &bytes, &item->error));
    }
    uc_geometry g;
    UC_TRY(uc_contract_apply_placed(l->p->contract, bytes, &l->p->want, work, &tensor, &g,
                                    &item->error));
    item->placed = true;
    item->place = (uc_post_place){.scale_x = 1 / g.scale_x,
                                  .scale_y = 1 / g.scale_y,
                                  .offset_x = g.shift_x,
                                  .offset_y = g.shift_y,
                                  .width = g.picture_width,
                                  .height = g.picture_height};
    item->arena = uc_arena_new(&l->p->held);
    if (!item->arena) return uc_fail_memory(&item->error);
    item->tensor = *tensor; /* its shape; the data goes with `work` */
    if (l->lanes) return run_lane(l, item, tensor, thread);
    size_t size = (size_t)uc_tensor_count(tensor) * uc_dtype_size(tensor->dtype);
    void *copy = uc_arena_alloc_raw(item->arena, size);
    if (!copy) return uc_arena_status(item->arena, &item->error);
    memcpy(copy, tensor->data, size);
    item->tensor.data = copy;
    return UNCORK_OK;
}

static void load_pictures(void *context, int64_t begin, int64_t end, int thread)
{
    part *b = context;
    for (int64_t i = begin; i < end; i++) {
        picture *item = &b->pictures[i];
        uc_arena *work = b->l->work[thread];
        uint64_t timeout_ms = b->l->p->options->limits.timeout_ms;
        b->l->used[thread] = true;
        if (timeout_ms) b->l->budgets[thread].deadline_ns = uc_now_ns() + timeout_ms * 1000000;
        uc_error_init(&item->error);
        item->good = cli_cancelled ? false : load_picture(b->l, item, work, thread) == UNCORK_OK;
        uc_arena_reset(work);
    }
}

static void load_part(void *context)
{
    part *b = context;
    uc_parallel(b->l->pool, (int64_t)b->count, 1, load_pictures, b);
}

/* Starts to load paths[0..count) beside the caller, or does so at once. */
static void start_part(part *b, char **paths, size_t count, uc_arena *arena, bool beside)
{
    b->count = count;
    for (size_t i = 0; i < count; i++) {
        b->pictures[i] = (picture){.path = paths[i]};
    }
    b->aside = beside ? uc_aside_start(load_part, b, arena) : NULL;
    if (!b->aside) load_part(b);
}

static void finish_part(part *b)
{
    uc_aside_wait(b->aside);
    b->aside = NULL;
}

static void drop_part(part *b)
{
    for (size_t i = 0; i < b->count; i++) {
        uc_arena_free(b->pictures[i].arena);
    }
    b->count = 0;
}

/* ---- a part through the model ----------------------------------------------------------------- */

static bool same_shape(const uc_tensor *a, const uc_tensor *b)
{
    return a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

typedef struct batch {
    const char *names[PART_PICTURES];
    picture *pictures[PART_PICTURES];
    uc_post_place places[PART_PICTURES];
    int64_t count;
} batch;

/* The run's input: the only picture's own memory, else all of them in a row; the last fills up a fixed
 * batch. */
static uncork_status stack(const batch *b, int64_t rows, uc_arena *arena, uncork_value **value)
{
    const uc_tensor *first = &b->pictures[0]->tensor;
    size_t width = (size_t)uc_tensor_count(first) * uc_dtype_size(first->dtype);
    char *data = first->data;
    if (rows > 1) {
        size_t all;
        if (!uc_mul_size(width, (size_t)rows, &all)) return UNCORK_NO_MEMORY;
        data = uc_arena_alloc_raw(arena, all);
        if (!data) return UNCORK_NO_MEMORY;
        for (int64_t i = 0; i < rows; i++) {
            const picture *from = b->pictures[i < b->count ? i : b->count - 1];
            memcpy(data + (size_t)i * width, from->tensor.data, width);
        }
    }
    int64_t shape[UNCORK_MAX_RANK] = {rows};
    memcpy(shape + 1, first->shape, (size_t)first->rank * sizeof *shape);
    return uncork_value_wrap(first->dtype, first->rank + 1, shape, data, value);
}

static void run_batch(predictor *p, batch *b, bool fixed)
{
    if (!b->count) return;
    bool unused;
    int64_t rows = fixed ? predict_batch_size(p, PART_PICTURES, &unused) : b->count;
    uc_arena *arena = uc_arena_new(&p->held);
    uncork_value *value = NULL;
    uncork_value **values =
        arena ? UC_NEW(arena, uncork_value *, (size_t)uncork_model_input_count(p->model)) : NULL;
    bool placed = true;
    for (int64_t i = 0; i < b->count; i++) {
        placed = placed && b->pictures[i]->placed;
        b->places[i] = b->pictures[i]->place;
    }
    uncork_status status = values ? stack(b, rows, arena, &value) : UNCORK_NO_MEMORY;
    if (status) {
        uncork_error error = {.size = sizeof error};
        uc_fail_memory(&error);
        for (int64_t i = 0; i < b->count; i++) {
            predict_fail(p, b->names[i], &error);
        }
    } else {
        values[cli_only_input(p->model)] = value;
        const predict_run run = {.values = values,
                                 .names = b->names,
                                 .paths = b->names,
                                 .places = placed ? b->places : NULL,
                                 .count = b->count,
                                 .batch = rows};
        status = predict_run_all(p, &run);
    }
    uncork_value_free(value);
    uc_arena_free(arena);
    if (status == UNCORK_UNSUPPORTED && !fixed) { /* the graph wants one at a time */
        p->one_a_run = true;
        for (int64_t i = 0; i < b->count; i++) {
            batch one = {.names = {b->names[i]}, .pictures = {b->pictures[i]}, .count = 1};
            run_batch(p, &one, fixed);
        }
    }
    b->count = 0;
}

/* A picture that a lane has run. */
static void answer_picture(predictor *p, picture *item)
{
    const int64_t *shape = item->tensor.shape;
    const bool map = item->tensor.rank == 3, last = map && shape[2] <= 4 && shape[0] > 4;
    const predict_run run = {.height = map ? shape[last ? 0 : 1] : 0,
                             .width = map ? shape[last ? 1 : 2] : 0,
                             .names = &item->path,
                             .paths = &item->path,
                             .places = item->placed ? &item->place : NULL,
                             .count = 1,
                             .batch = 1};
    predict_answer(p, &run, item->outputs);
}

static void run_part(predictor *p, part *loaded)
{
    bool fixed = false;
    batch b = {.count = 0};
    for (size_t i = 0; i < loaded->count && !p->stopped && !cli_cancelled; i++) {
        picture *item = &loaded->pictures[i];
        int64_t most = predict_batch_size(p, PART_PICTURES, &fixed);
        if (most > PART_PICTURES) most = PART_PICTURES;
        if (b.count && (!item->good || item->outputs || b.count >= most ||
                        !same_shape(&b.pictures[0]->tensor, &item->tensor))) {
            run_batch(p, &b, fixed);
        }
        if (!item->good) {
            predict_fail(p, item->path, &item->error);
            predict_progress(p);
            continue;
        }
        if (item->outputs) {
            answer_picture(p, item);
            continue;
        }
        b.names[b.count] = item->path;
        b.pictures[b.count++] = item;
        if (b.count >= most) run_batch(p, &b, fixed);
    }
    if (!p->stopped && !cli_cancelled) run_batch(p, &b, fixed);
}

/* ---- all of them ------------------------------------------------------------------------------ */

/* The contract and the row's shape, once the first picture is met. */
static uncork_status need_contract(predictor *p, uncork_error *error)
{
    if (p->contract) return UNCORK_OK;
    const uc_import *import = uc_file_import(p->file);
    int64_t shape[UNCORK_MAX_RANK];
    const int input = cli_only_input(p->model);
    const int rank = input < 0 ? 0 : uncork_model_input_shape(p->model, input, shape);
    const uncork_dtype dtype = uncork_model_input_dtype(p->model, input);
    if (input < 0 || rank < 2 || dtype == UNCORK_STRING) {
        uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "the model takes %s, not pictures",
                input < 0  ? "a table of columns"
                : rank < 2 ? "texts or labels"
                           : "texts");
        return uc_fix(error,
                      "rows are files that end in .csv, .tsv, .json, .jsonl, .npy, .npz, .txt");
    }
    p->want = (uc_contract_want){.dtype = dtype, .rank = rank - 1};
    memcpy(p->want.shape, shape + 1, (size_t)(rank - 1) * sizeof *shape);
    if (p->want.rank == 1 && p->want.shape[0] < 0) {
        p->want.shape[0] = (int64_t)uc_fact_get_number(&import->facts, "n_features", -1);
    }
    uc_contract *contract;
    if (p->options->preprocess) {
        UC_TRY(uc_contract_parse(p->options->preprocess, p->arena, &contract, error));
        UC_TRY(uc_contract_check(contract, &p->want, error));
    } else {
        UC_TRY(uc_contract_infer(&import->facts, uc_model_graph(p->model), (size_t)input, &p->want,
                                 p->arena, &p->notes, &contract, error));
    }
    p->contract = contract;
    return UNCORK_OK;
}

/* Pictures of a part: fewer where their tensors are large. */
static size_t part_size(const predictor *p)
{
    size_t bytes = uc_dtype_size(p->want.dtype);
    for (int d = 0; d < p->want.rank; d++) {
        int64_t n = p->want.shape[d];
        if (!uc_mul_size(bytes, n > 0 ? (size_t)n : 1024, &bytes)) return 1;
    }
    const uint64_t asked = p->options->limits.max_memory_bytes, share = asked / 8;
    const size_t most = asked && share < PART_BYTES ? (size_t)share : PART_BYTES;
    size_t fit = bytes ? most / bytes : PART_PICTURES;
    return fit < 2 ? 2 : fit > PART_PICTURES ? PART_PICTURES : fit;
}

static uncork_status make_loader(predictor *p, uc_arena *arena, loader *l)
{
    int threads = uc_pool_threads(p->pool);
    *l = (loader){.p = p};
    l->budgets = UC_NEW(arena, uc_budget, (size_t)threads);
    l->used = UC_NEW(arena, bool, (size_t)threads);
    if (!l->budgets || !l->used) return UNCORK_NO_MEMORY;
    if (threads > 1) UC_TRY(uc_pool_new(threads, &l->pool));
    l->work = UC_NEW(arena, uc_arena *, (size_t)threads);
    for (int i = 0; l->work && i < threads; i++) {
        uc_budget_init(&l->budgets[i], &p->options->limits, 0);
        l->work[i] = uc_arena_new(&l->budgets[i]);
        if (!l->work[i]) return UNCORK_NO_MEMORY;
    }
    return l->work ? UNCORK_OK : UNCORK_NO_MEMORY;
}

/* Whether every thread may run the model by itself: one picture a run, small outputs that are numbers,
 * and values that fit as many times. */
static bool can_have_lanes(const predictor *p, int threads, size_t *output_bytes)
{
    const cli_answers *a = &p->answers;
    bool fixed;
    size_t bytes = 0;
    *output_bytes = 0;
    if (threads < 2 || !a->readings || p->options->batch > 1) return false;
    if (predict_batch_size(p, 1, &fixed) != 1) return false;
    for (int i = 0; i < a->count; i++) {
        const uc_post_output *o = &p->described[i];
        size_t size;
        if (uncork_model_output_kind(p->model, i) != UNCORK_TENSOR || !uc_dtype_size(o->dtype) ||
            !uc_shape_bytes(o->dtype, o->shape, o->rank, &size) ||
            !uc_add_size(bytes, size, &bytes)) {
            return false;
        }
    }
    *output_bytes = bytes;
    return bytes <= LANE_OUTPUTS &&
           uc_session_value_bytes(p->session) <= LANE_VALUES / (uint64_t)threads;
}

/* Without memory for them there are none: slower, not wrong. */
static bool open_lanes(loader *l, int threads, uc_arena *arena)
{
    uncork_session **lanes = UC_NEW(arena, uncork_session *, (size_t)threads);
    bool good = lanes != NULL;
    for (int i = 0; good && i < threads; i++) {
        good = uncork_session_new(l->p->model, NULL, &lanes[i]) == UNCORK_OK;
    }
    for (int i = 0; lanes && !good && i < threads; i++) {
        uncork_session_free(lanes[i]);
    }
    if (good) l->lanes = lanes;
    return good;
}

static void free_loader(loader *l, int threads)
{
    for (int i = 0; l->work && i < threads; i++) {
        uc_arena_free(l->work[i]);
    }
    for (int i = 0; l->lanes && i < threads; i++) {
        uncork_session_free(l->lanes[i]);
    }
    uc_pool_free(l->pool);
}

uncork_status predict_pictures(predictor *p, char **paths, size_t count, uncork_error *error)
{
    const int bytes_input = predict_bytes_input(p->model);
    if (bytes_input >= 0) return predict_bytes(p, bytes_input, paths, count, error);
    UC_TRY(need_contract(p, error));
    uc_arena *arena = uc_arena_new(&p->held);
    if (!arena) return uc_fail_memory(error);
    loader l = {0};
    part *parts = UC_NEW(arena, part, 2);
    const int threads = uc_pool_threads(p->pool);
    const size_t most = 8 * (size_t)threads > PART_PICTURES ? 8 * (size_t)threads : PART_PICTURES;
    uncork_status status = parts ? make_loader(p, arena, &l) : UNCORK_NO_MEMORY;
    for (int i = 0; status == UNCORK_OK && i < 2; i++) {
        parts[i].l = &l;
        parts[i].pictures = UC_NEW(arena, picture, most);
        if (!parts[i].pictures) status = UNCORK_NO_MEMORY;
    }
    if (status == UNCORK_OK) {
        size_t size = part_size(p), at = 0;
        part *now = &parts[0], *next = &parts[1];
        /* the first answers come soon: a part of one picture a core */
        size_t first = (size_t)threads < size ? (size_t)threads : size;
        start_part(now, paths, count < first ? count : first, arena, false);
        while (now->count && !p->stopped && !cli_cancelled) {
            finish_part(now);
            at += now->count;
            size_t bytes;
            if (!l.lanes && count - at >= 4 * (size_t)threads &&
                can_have_lanes(p, threads, &bytes) && open_lanes(&l, threads, arena)) {
                size = PART_BYTES / (bytes + sizeof(picture));
                size = size < (size_t)threads ? (size_t)threads : size > most ? most : size;
            }
            start_part(next, paths + at, count - at < size ? count - at : size, arena,
                       threads > 1 && count > at);
            run_part(p, now);
            drop_part(now);
            part *other = now;
            now = next;
            next = other;
        }
        finish_part(now);
        drop_part(now);
    }
    int used = 0;
    for (int i = 0; l.used && i < threads; i++) {
        used += l.used[i];
    }
    if (used > p->loaders) p->loaders = used;
    free_loader(&l, threads);
    uc_arena_free(arena);
    return status ? uc_fail_memory(error) : UNCORK_OK;
}
