/* uncork preprocess: the tensor that the model would see of each picture, as .npy, and as a .png to look
 * at. One bad picture never stops the others. Also the list of presets, --preprocess list. */
#include "cli/cli.h"
#include "cli/file_names.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/thread.h"
#include "container/npy.h"
#include "image/write.h"
#include "model/recipe.h"

#include <math.h>
#include <unistd.h>

/* A picture's file: what base/file.h reads at most. */
#define PICTURE_BYTES ((size_t)1 << 30)
/* Pictures a thread takes before those that are done are told. */
#define PART_PICTURES 8

typedef struct job {
    const cli_options *options;
    uc_arena *arena; /* of the command */
    const uc_contract *contract;
    uc_contract_want want;
    bool bgr;
    uc_table *names; /* of files in DIR, without their ending */
    size_t done;
    uncork_pool *pool;
    bool *used; /* [threads]: it took a picture */
    uint64_t begin_ns;
} job;

/* A picture, worked on by one thread; what it says waits for its turn. */
typedef struct picture {
    const job *j;
    const char *path, *name;
    uc_writer out;
    uncork_error error;
    bool good;
} picture;

/* ---- to look at ------------------------------------------------------------------------------- */

typedef struct range {
    double low, high, mean;
} range;

static range range_of(const uc_tensor *t)
{
    const int64_t n = uc_tensor_count(t);
    range r = {.low = (double)INFINITY, .high = -(double)INFINITY};
    for (int64_t i = 0; i < n; i++) {
        double v = uc_dtype_load_f64(t->data, i, t->dtype);
        if (v < r.low) r.low = v;
        if (v > r.high) r.high = v;
        r.mean += v / (double)n;
    }
    return r;
}

/* Bytes of the tensor: as they are, else from the smallest value, black, to the largest, white. */
static uint8_t to_byte(const uc_tensor *t, int64_t i, const range *r)
{
    if (t->dtype == UNCORK_UINT8) return ((const uint8_t *)t->data)[i];
    const double v = uc_dtype_load_f64(t->data, i, t->dtype), span = r->high - r->low,
                 byte = (v - r->low) / span * 255 + 0.5;
    return byte >= 0 && byte < 256 ? (uint8_t)byte : 0; /* NaN too: of a deviation of 0 */
}

/* The tensor as a picture of 1 or 3 channels; false when it is none (a flat row that is no square). */
static bool to_pixels(const job *j, const uc_tensor *t, const range *r, uc_arena *arena,
                      uc_pixels *pixels, uncork_error *error)
{
    const int64_t *s = t->shape;
    int rank = t->rank;
    if (rank > 2 && s[0] == 1 && (rank == 4 || (s[1] != 1 && s[1] != 3))) {
        s++;
        rank--;
    }
    int64_t h, w, c = 1;
    bool first = false;
    if (rank == 3) {
        first = s[0] == 1 || s[0] == 3 || s[0] == 4;
        c = first ? s[0] : s[2];
        h = first ? s[1] : s[0];
        w = first ? s[2] : s[1];
    } else if (rank == 2 && s[0] > 1) {
        h = s[0];
        w = s[1];
    } else {
        int64_t n = uc_tensor_count(t);
        c = n % 3 == 0 && (int64_t)sqrt((double)n / 3) * (int64_t)sqrt((double)n / 3) * 3 == n ? 3
                                                                                               : 1;
        h = w = (int64_t)sqrt((double)n / (double)c);
        if (h * w * c != n) return false;
    }
    const int64_t shown = c >= 3 ? 3 : 1;
    if (uc_pixels_new(UNCORK_UINT8, h, w, (int)shown, arena, pixels, error)) return false;
    uint8_t *to = pixels->data;
    for (int64_t p = 0; p < h * w; p++) {
        for (int64_t k = 0; k < shown; k++) {
            int64_t from = j->bgr && shown == 3 ? 2 - k : k;
            *to++ = to_byte(t, first ? from * h * w + p : p * c + from, r);
        }
    }
    return true;
}

/* ---- one picture ------------------------------------------------------------------------------ */

static uncork_status write_png(const uc_pixels *pixels, const char *path, uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, SIZE_MAX / 2);
    uncork_status status = uc_png_write(pixels, NULL, &w, error);
    if (status == UNCORK_OK) status = uc_file_replace(path, (uc_bytes){w.data, w.size}, error);
    uc_writer_done(&w);
    return status;
}

static uncork_status write_npy(const uc_tensor *t, const char *path, uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, SIZE_MAX / 2);
    uc_npy_write(&w, t);
    uncork_status status =
        w.status ? uc_fail(error, w.status, UC_NO_OFFSET, "the tensor is too large for .npy")
                 : uc_file_replace(path, (uc_bytes){w.data, w.size}, error);
    uc_writer_done(&w);
    return status;
}

static void tell(picture *item, const uc_tensor *t, const range *r, const char *npy,
                 const char *png)
{
    char shape[128];
    if (!item->j->options->json) {
        uc_text_escape(&item->out, uc_str_of(npy));
        uc_writer_printf(&item->out, ": %s %s, %.4g to %.4g", uc_dtype_name(t->dtype),
                         uc_shape_text(t->shape, t->rank, shape, sizeof shape), r->low, r->high);
        if (png) {
            uc_writer_text(&item->out, "; ");
            uc_text_escape(&item->out, uc_str_of(png));
        }
        uc_writer_text(&item->out, "\n");
        return;
    }
    uc_json_writer json = {.out = &item->out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "input");
    uc_json_put_text(&json, item->path);
    uc_json_key(&json, "tensor");
    uc_json_put_text(&json, npy);
    if (png) {
        uc_json_key(&json, "picture");
        uc_json_put_text(&json, png);
    }
    uc_json_key(&json, "dtype");
    uc_json_put_text(&json, uc_dtype_name(t->dtype));
    uc_json_key(&json, "shape");
    uc_json_begin_array(&json);
    for (int d = 0; d < t->rank; d++) {
        uc_json_put_i64(&json, t->shape[d]);
    }
    uc_json_end_array(&json);
    uc_json_key(&json, "min");
    uc_json_put_f64(&json, r->low);
    uc_json_key(&json, "max");
    uc_json_put_f64(&json, r->high);
    uc_json_key(&json, "mean");
    uc_json_put_f64(&json, r->mean);
    uc_json_end_object(&json);
    uc_writer_text(&item->out, "\n");
}

/* The batch axis of a model's input in front. */
static void add_batch(uc_tensor *t)
{
    int64_t shape[UNCORK_MAX_RANK] = {1};
    memcpy(shape + 1, t->shape, (size_t)t->rank * sizeof *shape);
    uc_tensor_set(t, t->dtype, t->rank + 1, shape);
}

static uncork_status one(picture *item, uc_arena *arena)
{
    const job *j = item->j;
    uncork_error *error = &item->error;
    uc_bytes bytes;
    uc_tensor *t;
    if (strcmp(item->path, "-") == 0) {
        UC_TRY(uc_file_read_stdin(PICTURE_BYTES, arena, &bytes, error));
    } else {
        UC_TRY(uc_file_read(item->path, false, arena, &bytes, error));
    }
    UC_TRY(uc_contract_apply(j->contract, bytes, &j->want, arena, &t, error));
    if (j->options->model) add_batch(t);
    const range r = range_of(t);
    const char *npy = uc_arena_printf(arena, "%s/%s.npy", j->options->output, item->name),
               *png = uc_arena_printf(arena, "%s/%s.png", j->options->output, item->name);
    if (!npy || !png) return uc_fail_memory(error);
    uc_pixels pixels;
    const bool shown = to_pixels(j, t, &r, arena, &pixels, error);
    UC_TRY(write_npy(t, npy, error));
    if (shown && write_png(&pixels, png, error)) {
        unlink(npy); /* both or none */
        return error->status;
    }
    tell(item, t, &r, npy, shown ? png : NULL);
    return UNCORK_OK;
}

static void work(void *context, int64_t begin, int64_t end, int thread)
{
    picture *pictures = context;
    for (int64_t i = begin; i < end && !cli_cancelled; i++) {
        picture *item = &pictures[i];
        uc_budget budget;
        uc_budget_init(&budget, &item->j->options->limits, 0);
        uc_arena *arena = uc_arena_new(&budget);
        item->j->used[thread] = true;
        item->good = (arena ? one(item, arena) : uc_fail_memory(&item->error)) == UNCORK_OK;
        uc_arena_free(arena);
    }
}

/* In the order of the pictures; false when standard output is gone. */
static bool tell_all(job *j, picture *pictures, size_t count, size_t *failed)
{
    bool open = true;
    for (size_t i = 0; i < count; i++) {
        picture *item = &pictures[i];
        if (!item->good && !cli_cancelled) {
            if (!item->error.where[0]) uc_where(&item->error, "%s", item->path);
            cli_print_error(&item->error);
        }
        *failed += !item->good;
        j->done += item->good;
        open = open && cli_flush(&item->out);
        uc_writer_done(&item->out);
    }
    return open;
}

static int all(job *j, char **paths, size_t count)
{
    const size_t most = PART_PICTURES * (size_t)uc_pool_threads(j->pool);
    picture *pictures = UC_NEW(j->arena, picture, most);
    size_t failed = 0, n;
    if (!pictures) return cli_usage("memory is out");
    for (size_t at = 0; at < count && !cli_cancelled; at += n) {
        n = count - at < most ? count - at : most;
        for (size_t i = 0; i < n; i++) {
            picture *item = &pictures[i];
            *item = (picture){.j = j,
                              .path = paths[at + i],
                              .name = cli_file_name(&j->names, paths[at + i], "", j->arena)};
            if (!item->name) return cli_usage("memory is out");
            uc_error_init(&item->error);
            uc_writer_init(&item->out, (size_t)1 << 26);
        }
        uc_parallel(j->pool, (int64_t)n, 1, work, pictures);
        if (!tell_all(j, pictures, n, &failed)) return EXIT_INPUT;
    }
    return failed ? EXIT_INPUT : EXIT_OK;
}

static void print_timing(const job *j)
{
    int threads = 0;
    for (int i = 0; i < uc_pool_threads(j->pool); i++) {
        threads += j->used[i];
    }
    if (!j->options->timing) return;
    fprintf(stderr, "timing: %.3f ms for %zu pictures in %d threads\n",
            (double)(uc_now_ns() - j->begin_ns) / 1e6, j->done, threads);
}

/* ---- the command ------------------------------------------------------------------------------ */

/* What the model takes and says; --preprocess in its place is checked against it. */
static int of_model(job *j, uc_recipe *recipe)
{
    const cli_options *options = j->options;
    uncork_open_options open = {.size = sizeof open, .limits = options->limits};
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uncork_file *file;
    if (uncork_open(options->model, &open, &file, &error)) return cli_fail_model(&error);
    uncork_status status = uc_recipe_of(file, j->arena, recipe, &error);
    if (options->preprocess && recipe->want.dtype != UNCORK_DTYPE_NONE) {
        uc_contract *given = NULL;
        uc_error_init(&error);
        status = uc_contract_parse(options->preprocess, j->arena, &given, &error);
        if (status == UNCORK_OK) status = uc_contract_check(given, &recipe->want, &error);
        recipe->contract = given;
        recipe->notes.count = 0;
    }
    uncork_file_close(file);
    if (status == UNCORK_OK) {
        j->contract = recipe->contract;
        j->want = recipe->want;
        return EXIT_OK;
    }
    if (error.status != UNCORK_USAGE) return cli_fail_model(&error);
    cli_print_error(&error);
    return EXIT_USAGE;
}

static int of_steps(job *j)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_contract *contract;
    if (uc_contract_parse(j->options->preprocess, j->arena, &contract, &error)) {
        cli_print_error(&error);
        return EXIT_USAGE;
    }
    j->contract = contract;
    j->want = (uc_contract_want){.dtype = UNCORK_DTYPE_NONE, .rank = -1};
    return EXIT_OK;
}

int cmd_preprocess(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count < 1 || !options->output ||
        (!options->preprocess && !options->model)) {
        return cli_usage(
            "preprocess takes pictures, steps and a folder: uncork preprocess IMAGE... "
            "--preprocess SPEC | --model MODEL -o DIR");
    }
    job j = {.options = options, .arena = arena};
    uc_recipe recipe = {.notes = {.arena = arena}};
    int status = options->model ? of_model(&j, &recipe) : of_steps(&j);
    if (status) return status;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    char **paths;
    size_t count;
    if (cli_expand(options->arguments, options->argument_count, arena, &paths, &count,
                   &recipe.notes, &error)) {
        cli_print_error(&error);
        return EXIT_INPUT;
    }
    status = cli_check_output(options->output, paths, count);
    if (status) return status;
    if (uc_file_make_folder(options->output, &error)) {
        cli_print_error(&error);
        return EXIT_INPUT;
    }
    j.bgr = uc_contract_is_bgr(j.contract);
    if (uc_pool_new((int)options->threads, &j.pool) ||
        !(j.used = UC_NEW(arena, bool, (size_t)uc_pool_threads(j.pool)))) {
        status = cli_usage("memory is out");
    } else {
        j.begin_ns = uc_now_ns();
        status = all(&j, paths, count);
    }
    if (j.done) {
        cli_print_findings(options, &recipe.notes);
        print_timing(&j);
    }
    uc_pool_free(j.pool);
    return status;
}

int cli_list_presets(const cli_options *options)
{
    uc_writer out;
    uc_writer_init(&out, (size_t)1 << 26);
    const char *name, *steps;
    size_t width = 0;
    for (size_t i = 0; uc_contract_preset_at(i, &name, &steps); i++) {
        if (strlen(name) > width) width = strlen(name);
    }
    for (size_t i = 0; uc_contract_preset_at(i, &name, &steps); i++) {
        if (!options->json) {
            uc_writer_printf(&out, "%-*s  %s\n", (int)width, name, steps);
            continue;
        }
        uc_json_writer json = {.out = &out};
        uc_json_begin_object(&json);
        uc_json_key(&json, "preset");
        uc_json_put_text(&json, name);
        uc_json_key(&json, "steps");
        uc_json_put_text(&json, steps);
        uc_json_end_object(&json);
        uc_writer_text(&out, "\n");
    }
    const bool written = cli_flush(&out);
    uc_writer_done(&out);
    return written ? EXIT_OK : EXIT_INPUT;
}
