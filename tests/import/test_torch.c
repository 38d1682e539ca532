/* PyTorch's files against PyTorch's own answers: tests/fixtures/gen/torch_models.py.
 * Bound: |got - want| <= 1e-5 |want| + 1e-6 max|want| for modules of one layer (short floats: a unit of
 * theirs), 1e-4 and 1e-5 for programs; integers and stored tensors equal. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "container/zip.h"
#include "import/pytorch/torch.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/pytorch"

typedef struct pack {
    uc_arena *arena;
    uc_bundle *bundle;
} pack;

static pack open_pack(const char *name)
{
    pack p = {.arena = uc_arena_new(NULL)};
    uncork_error error = {.size = sizeof error};
    const char *path = uc_arena_printf(p.arena, FOLDER "/%s", name);
    CHECK_OK(uc_bundle_open(path, true, p.arena, NULL, &p.bundle, &error), &error);
    return p;
}

static bool read_bytes(const pack *p, const char *name, uc_bytes *bytes)
{
    uncork_error error = {.size = sizeof error};
    const size_t i = uc_bundle_find(p->bundle, name);
    if (i == SIZE_MAX) return false;
    CHECK_OK(uc_bundle_read(p->bundle, i, bytes, &error), &error);
    return true;
}

static const uc_tensor *read_array(const pack *p, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uc_npy npy;
    if (!name || !read_bytes(p, name, &bytes)) return NULL;
    CHECK_OK(uc_npy_read(bytes, 0, p->arena, &npy, &error), &error);
    return npy.tensor;
}

/* "linear" of "linear/model.pt"; NULL for other entries. */
static const char *case_of(const pack *p, size_t i, const char *file)
{
    const char *entry = uc_bundle_name(p->bundle, i), *slash = strchr(entry, '/');
    if (!slash || strcmp(slash + 1, file) != 0) return NULL;
    return uc_arena_copy(p->arena, entry, (size_t)(slash - entry));
}

typedef struct bound {
    double relative, absolute;
} bound;

static void check_close(const char *name, const uncork_value *value, const uc_tensor *want, bound b)
{
    const void *got = uncork_value_data(value);
    const uncork_dtype have = uncork_value_dtype(value), dtype = want->dtype;
    const bool is_short = have == UNCORK_FLOAT16 || have == UNCORK_BFLOAT16;
    double largest = 0;
    if (is_short) b = (bound){8e-3, 8e-4};
    if (have != dtype && have != UNCORK_BFLOAT16)
        fail_msg("%s: %s, expected %s", name, uc_dtype_name(have), uc_dtype_name(dtype));
    if (uncork_value_count(value) != uc_tensor_count(want) ||
        uncork_value_rank(value) != want->rank)
        fail_msg("%s: another shape", name);
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        const double w = fabs(uc_dtype_load_f64(want->data, i, dtype));
        if (isfinite(w)) largest = fmax(largest, w);
    }
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        const double g = uc_dtype_load_f64(got, i, have),
                     w = uc_dtype_load_f64(want->data, i, dtype);
        const double most =
            uc_dtype_is_float(dtype) ? b.relative * fabs(w) + b.absolute * largest : 0;
        if (isnan(w) ? !isnan(g) : isinf(w) ? g != w : !(fabs(g - w) <= most))
            fail_msg("%s: element %d is %.9g, expected %.9g", name, (int)i, g, w);
    }
}

/* ---- running ------------------------------------------------------------------------------------ */

typedef struct feed {
    const char *name; /* NULL: by place */
    const uc_tensor *tensor;
} feed;

static uncork_model *prepare(const char *name, uc_bytes bytes, const feed *in, int count)
{
    uncork_error error = {.size = sizeof error};
    uncork_fed fed[8];
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    for (int i = 0; i < count; i++) {
        fed[i] =
            (uncork_fed){in[i].name, in[i].tensor->dtype, in[i].tensor->rank, in[i].tensor->shape};
    }
    const uncork_prepare_options options = {.size = sizeof options, .fed = fed, .fed_count = count};
    if (uncork_open_memory(bytes.data, bytes.size, name, NULL, &file, &error) ||
        uncork_prepare(file, NULL, &options, &model, &error))
        fail_msg("%s: %s", name, error.what);
    uncork_file_close(file);
    return model;
}

static uncork_value *wrap(const uc_tensor *t, uncork_dtype want)
{
    uncork_error error = {.size = sizeof error};
    uncork_value *v;
    uc_arena *arena = NULL;
    if (want == UNCORK_BFLOAT16) { /* NumPy hasn't it */
        arena = uc_arena_new(NULL);
        t = uc_tensor_cast(arena, t, want);
        CHECK(uncork_value_new(want, t->rank, t->shape, &v) == UNCORK_OK);
        memcpy(uncork_value_data(v), t->data, (size_t)uc_tensor_count(t) * 2);
        uc_arena_free(arena);
        return v;
    }
    CHECK_OK(uncork_value_wrap(t->dtype, t->rank, t->shape, t->data, &v), &error);
    return v;
}

static uncork_session *run(const char *name, uncork_model *model, const feed *in, int count)
{
    uncork_error error = {.size = sizeof error};
    uncork_value *values[8] = {0};
    uncork_session *session;
    CHECK_INT(uncork_model_input_count(model), count);
    for (int i = 0; i < count; i++) {
        int at = i;
        for (int k = 0; in[i].name && k < count; k++) {
            if (strcmp(uncork_model_input_name(model, k), in[i].name) == 0) at = k;
        }
        values[at] = wrap(in[i].tensor, uncork_model_input_dtype(model, at));
    }
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    if (uncork_session_run(session, (const uncork_value *const *)values, count, NULL, &error))
        fail_msg("%s: %s", name, error.what);
    for (int i = 0; i < count; i++) {
        uncork_value_free(values[i]);
    }
    return session;
}

static void check_module(const pack *p, const char *name, uc_bytes bytes)
{
    feed in[8];
    int count = 0;
    while (count < 8 && (in[count].tensor = read_array(
                             p, uc_arena_printf(p->arena, "%s/in_%d.npy", name, count))) != NULL) {
        in[count++].name = NULL;
    }
    uncork_model *model = prepare(name, bytes, in, count);
    uncork_session *session = run(name, model, in, count);
    for (int i = 0; i < uncork_model_output_count(model); i++) {
        const uc_tensor *want = read_array(p, uc_arena_printf(p->arena, "%s/out_%d.npy", name, i));
        if (!want) fail_msg("%s: more outputs than PyTorch's", name);
        check_close(name, uncork_session_output(session, i), want, (bound){1e-5, 1e-6});
    }
    uncork_session_free(session);
    uncork_model_free(model);
}

static void modules_answer_as_pytorch_does(void **state)
{
    (void)state;
    int seen = 0;
    for (int k = 0; k < 3; k++) {
        char file[40];
        (void)snprintf(file, sizeof file, "modules_%d.zip", k);
        pack p = open_pack(file);
        for (size_t i = 0; i < uc_bundle_count(p.bundle); i++) {
            const char *name = case_of(&p, i, "model.pt");
            uc_bytes bytes;
            if (!name) continue;
            CHECK(read_bytes(&p, uc_bundle_name(p.bundle, i), &bytes));
            check_module(&p, name, bytes);
            seen++;
        }
        uc_arena_free(p.arena);
    }
    CHECK(seen > 200);
}

/* ---- torch.export ------------------------------------------------------------------------------- */

/* in<run>_<input>.npy of the case, with the names of inputs. */
static int program_inputs(const pack *p, const char *name, int run_number, feed *in)
{
    const char *head = uc_arena_printf(p->arena, "%s/in%d_", name, run_number);
    int count = 0;
    for (size_t i = 0; i < uc_bundle_count(p->bundle) && count < 8; i++) {
        const char *entry = uc_bundle_name(p->bundle, i);
        const size_t n = strlen(head), m = strlen(entry);
        if (strncmp(entry, head, n) != 0) continue;
        in[count].name = uc_arena_copy(p->arena, entry + n, m - n - 4);
        in[count++].tensor = read_array(p, entry);
    }
    return count;
}

static int check_program(const pack *p, const char *name, uc_bytes bytes)
{
    feed in[8];
    int runs = 0;
    for (int k = 0; k < 4; k++) {
        const int count = program_inputs(p, name, k, in);
        if (!count) break;
        uncork_model *model = prepare(name, bytes, in, count);
        uncork_session *session = run(name, model, in, count);
        for (int i = 0; i < uncork_model_output_count(model); i++) {
            const char *output = uncork_model_output_name(model, i);
            const uc_tensor *want =
                read_array(p, uc_arena_printf(p->arena, "%s/out%d_%s.npy", name, k, output));
            if (!want) fail_msg("%s: an output '%s', which PyTorch's hasn't", name, output);
            check_close(name, uncork_session_output(session, i), want, (bound){1e-4, 1e-5});
        }
        uncork_session_free(session);
        uncork_model_free(model);
        runs++;
    }
    return runs;
}

static void exported_programs_answer_as_pytorch_does(void **state)
{
    (void)state;
    pack p = open_pack("export.zip");
    int runs = 0;
    for (size_t i = 0; i < uc_bundle_count(p.bundle); i++) {
        const char *name = case_of(&p, i, "model.pt2");
        uc_bytes bytes;
        if (!name) continue;
        CHECK(read_bytes(&p, uc_bundle_name(p.bundle, i), &bytes));
        runs += check_program(&p, name, bytes);
    }
    CHECK(runs >= 25);
    uc_arena_free(p.arena);
}

static void a_size_outside_of_its_range_is_refused(void **state)
{
    (void)state;
    pack p = open_pack("export.zip");
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uncork_value *value;
    uncork_session *session;
    static const int64_t shape[] = {65, 6}; /* exported for 2 to 64 rows */
    CHECK(read_bytes(&p, "mlp_dyn/model.pt2", &bytes));
    uncork_model *model = prepare("mlp_dyn", bytes, NULL, 0);
    CHECK(uncork_value_new(UNCORK_FLOAT32, 2, shape, &value) == UNCORK_OK);
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    CHECK_INT(uncork_session_run(session, (const uncork_value *const *)&value, 1, NULL, &error),
              UNCORK_INPUT);
    CHECK(strstr(error.what, "is 65, the model was exported for") != NULL);
    uncork_session_free(session);
    uncork_value_free(value);
    uncork_model_free(model);
    uc_arena_free(p.arena);
}

/* ---- stored tensors ----------------------------------------------------------------------------- */

static void check_same(const char *name, const char *key, const uc_tensor *got,
                       const uc_tensor *want, uc_arena *arena)
{
    const uc_tensor *dense = uc_tensor_dense(arena, got);
    if (dense->dtype != want->dtype) dense = uc_tensor_cast(arena, dense, want->dtype);
    CHECK(dense != NULL);
    if (dense->rank != want->rank || uc_tensor_count(dense) != uc_tensor_count(want))
        fail_msg("%s: '%s' has another shape", name, key);
    for (int d = 0; d < want->rank; d++) {
        CHECK_INT(dense->shape[d], want->shape[d]);
    }
    const size_t bytes = (size_t)uc_tensor_count(want) * uc_dtype_size(want->dtype);
    if (bytes && memcmp(dense->data, want->data, bytes) != 0)
        fail_msg("%s: '%s' holds other numbers", name, key);
}

static const uc_t_state *state_of(const char *name, uc_bytes bytes, uncork_file **file)
{
    uncork_error error = {.size = sizeof error};
    if (uncork_open_memory(bytes.data, bytes.size, name, NULL, file, &error))
        fail_msg("%s: %s", name, error.what);
    const uc_t_file *f = uc_file_import(*file)->state;
    CHECK_STR(uncork_file_format(*file), "pytorch");
    CHECK(f->state != NULL);
    return f->state;
}

static void every_container_gives_the_tensors_that_were_saved(void **state)
{
    (void)state;
    pack p = open_pack("containers.zip");
    int seen = 0;
    for (size_t i = 0; i < uc_bundle_count(p.bundle); i++) {
        const char *name = case_of(&p, i, "model.pt");
        uc_bytes bytes;
        uncork_file *file;
        if (!name) continue;
        CHECK(read_bytes(&p, uc_bundle_name(p.bundle, i), &bytes));
        const uc_t_state *s = state_of(name, bytes, &file);
        for (size_t k = 0; k < s->count; k++) {
            const uc_tensor *want =
                read_array(&p, uc_arena_printf(p.arena, "%s/%s.npy", name, s->items[k].name));
            if (!want) fail_msg("%s: a tensor '%s' that wasn't saved", name, s->items[k].name);
            check_same(name, s->items[k].name, s->items[k].tensor, want, p.arena);
            seen++;
        }
        uncork_file_close(file);
    }
    CHECK(seen > 200);
    uc_arena_free(p.arena);
}

static void weights_of_a_zip_are_views_of_it(void **state)
{
    (void)state;
    pack p = open_pack("containers.zip");
    uc_bytes bytes;
    uncork_file *file;
    CHECK(read_bytes(&p, "zip/model.pt", &bytes));
    const uc_t_state *s = state_of("zip", bytes, &file);
    const uint8_t *at = uc_t_state_find(s, "transposed")->data;
    CHECK(at >= bytes.data && at < bytes.data + bytes.size);
    CHECK(uc_t_state_find(s, "plain")->data != NULL);
    uncork_file_close(file);
    uc_arena_free(p.arena);
}

static void check_shards(const char *name, const pack *p, uc_bytes bytes)
{
    uncork_file *file;
    const uc_t_state *s = state_of(name, bytes, &file);
    CHECK_INT(s->count, 7);
    for (size_t k = 0; k < s->count; k++) {
        const char *key = s->items[k].name;
        const uc_tensor *want = read_array(p, uc_arena_printf(p->arena, "want/%s.npy", key));
        CHECK(want != NULL);
        check_same(name, key, s->items[k].tensor, want, p->arena);
    }
    uncork_file_close(file);
}

static void shards_and_lone_safetensors_give_the_same_tensors(void **state)
{
    (void)state;
    pack p = open_pack("shards.zip");
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    CHECK(read_bytes(&p, "lone/model.safetensors", &bytes));
    check_shards("model.safetensors", &p, bytes);
    CHECK_OK(uc_file_read(FOLDER "/shards.zip", true, p.arena, &bytes, &error), &error);
    check_shards("shards.zip", &p, bytes); /* the index comes before a lone file */
    uc_arena_free(p.arena);
}

static void a_folder_of_shards_gives_all_tensors(void **state)
{
    (void)state;
    static const char index[] = "{\"weight_map\": {\"plain\": \"pytorch_model-1.bin\", "
                                "\"model.a\": \"pytorch_model-2.bin\"}}";
    static const char outside[] = "{\"weight_map\": {\"plain\": \"../pytorch_model-1.bin\"}}";
    pack p = open_pack("containers.zip");
    uc_bytes first, second;
    uncork_file *file;
    CHECK(read_bytes(&p, "legacy/model.pt", &first));
    CHECK(read_bytes(&p, "big_endian/model.pt", &second));
    for (int hostile = 0; hostile < 2; hostile++) {
        const char *text = hostile ? outside : index;
        uncork_error error = {.size = sizeof error};
        uc_writer w;
        uc_zip_writer out;
        uc_writer_init(&w, (size_t)1 << 24);
        uc_zip_writer_init(&out, &w);
        uc_zip_put(&out, "hf/pytorch_model-1.bin", first);
        uc_zip_put(&out, "hf/pytorch_model-2.bin", second);
        uc_zip_put(&out, "hf/pytorch_model.bin.index.json",
                   (uc_bytes){(const uint8_t *)text, strlen(text)});
        uc_zip_finish(&out);
        const uc_bytes all = {(const uint8_t *)w.data, w.size};
        if (hostile) {
            CHECK(uncork_open_memory(all.data, all.size, "hf", NULL, &file, &error) != UNCORK_OK);
        } else {
            const uc_t_state *s = state_of("hf", all, &file);
            check_same("hf", "plain", uc_t_state_find(s, "plain"),
                       read_array(&p, "legacy/plain.npy"), p.arena);
            check_same("hf", "b", uc_t_state_find(s, "b"), read_array(&p, "big_endian/b.npy"),
                       p.arena);
            uncork_file_close(file);
        }
        uc_writer_done(&w);
    }
    uc_arena_free(p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_answer_as_pytorch_does),
        cmocka_unit_test(exported_programs_answer_as_pytorch_does),
        cmocka_unit_test(a_size_outside_of_its_range_is_refused),
        cmocka_unit_test(every_container_gives_the_tensors_that_were_saved),
        cmocka_unit_test(weights_of_a_zip_are_views_of_it),
        cmocka_unit_test(a_folder_of_shards_gives_all_tensors),
        cmocka_unit_test(shards_and_lone_safetensors_give_the_same_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
