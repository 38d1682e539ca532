/* Making, running and comparing the self-test. */
#include "pack/selftest.h"

#include "container/npy.h"
#include "model/cork.h"

#include <math.h>
#include <stdio.h>

/* ---- inputs ------------------------------------------------------------------------------- */

/* Dimensions nobody gave, tried in this order: rows, then sizes that convolutions can walk over. */
#define MOST_ELEMENTS 1e7 /* of an input: a self-test is run wherever the artifact goes */
static const int64_t free_sizes[] = {3, 1, 8, 32, 64, 224};

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13; /* Marsaglia, "Xorshift RNGs", 2003 */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Numbers in the range of the training data where it is known, whole and small for integers. */
static bool fill(uncork_value *value, double low, double high, uint64_t *state)
{
    const uc_tensor *t = uc_value_tensor(value);
    const int64_t count = uc_tensor_count(t);
    for (int64_t i = 0; i < count; i++) {
        const double share = (double)(next(state) >> 11) * 0x1p-53;
        const double number = low + share * (high - low);
        switch ((int)t->dtype) {
        case UNCORK_FLOAT32: ((float *)t->data)[i] = (float)number; break;
        case UNCORK_FLOAT64: ((double *)t->data)[i] = number; break;
        case UNCORK_FLOAT16: ((uint16_t *)t->data)[i] = uc_f64_to_f16(number); break;
        case UNCORK_BFLOAT16: ((uint16_t *)t->data)[i] = uc_f32_to_bf16((float)number); break;
        case UNCORK_BOOL: ((uint8_t *)t->data)[i] = share < 0.5; break;
        case UNCORK_UINT8:
        case UNCORK_INT8: ((uint8_t *)t->data)[i] = (uint8_t)(share * 4); break;
        case UNCORK_UINT16:
        case UNCORK_INT16: ((uint16_t *)t->data)[i] = (uint16_t)(share * 4); break;
        case UNCORK_UINT32: ((uint32_t *)t->data)[i] = (uint32_t)(share * 4); break;
        case UNCORK_UINT64: ((uint64_t *)t->data)[i] = (uint64_t)(share * 4); break;
        case UNCORK_INT32: ((int32_t *)t->data)[i] = (int32_t)(share * 4); break;
        case UNCORK_INT64: ((int64_t *)t->data)[i] = (int64_t)(share * 4); break;
        default: return false;
        }
    }
    return true;
}

/* NULL: no tensor of a type that can be made up, or out of memory. */
static uncork_value *make_input(const uncork_model *model, int i, const uc_facts *facts,
                                int64_t free_size, uint64_t *state)
{
    int64_t shape[UNCORK_MAX_RANK];
    const int rank = uncork_model_input_shape(model, i, shape);
    const uncork_dtype dtype = uncork_model_input_dtype(model, i);
    uncork_value *value = NULL;
    if (rank < 0 || uncork_model_input_kind(model, i) != UNCORK_TENSOR || dtype == UNCORK_STRING ||
        dtype == UNCORK_DTYPE_NONE) {
        return NULL;
    }
    for (int d = 0; d < rank; d++) {
        if (shape[d] < 0) shape[d] = free_size;
    }
    if (uncork_value_new(dtype, rank, shape, &value)) return NULL;
    const double low = uc_fact_get_number(facts, "seen_min", -1);
    const double high = uc_fact_get_number(facts, "seen_max", 1);
    if (fill(value, low, high > low ? high : low + 1, state)) return value;
    uncork_value_free(value);
    return NULL;
}

static void free_value(void *value) { uncork_value_free(value); }

static bool make_inputs(uc_selftest *t, const uncork_model *model, const uc_facts *facts,
                        int64_t free_size)
{
    uint64_t state = UINT64_C(0x2545F4914F6CDD1D);
    for (size_t i = 0; i < t->input_count; i++) {
        t->inputs[i] = NULL;
        if (uncork_model_input_optional(model, (int)i)) continue;
        t->inputs[i] = make_input(model, (int)i, facts, free_size, &state);
        if (!t->inputs[i]) return false;
        if (!uc_arena_defer(t->arena, free_value, t->inputs[i])) {
            uncork_value_free(t->inputs[i]);
            return false;
        }
    }
    return true;
}

/* Whether every input stays small with this size in place of the free ones. */
static bool is_modest(const uncork_model *model, int64_t free_size)
{
    for (int i = 0; i < uncork_model_input_count(model); i++) {
        int64_t shape[UNCORK_MAX_RANK];
        const int rank = uncork_model_input_shape(model, i, shape);
        double count = 1;
        for (int d = 0; d < rank; d++)
            count *= (double)(shape[d] < 0 ? free_size : shape[d]);
        if (count > MOST_ELEMENTS) return false;
    }
    return true;
}

/* ---- running ------------------------------------------------------------------------------ */

static uncork_status run(const uc_selftest *t, const uncork_model *model, uncork_session **session,
                         uncork_error *error)
{
    if (uncork_session_new(model, NULL, session)) return uc_fail_memory(error);
    return uncork_session_run(*session, (const uncork_value *const *)t->inputs, (int)t->input_count,
                              NULL, error);
}

static bool copy_outputs(uc_selftest *t, const uncork_session *session)
{
    for (size_t i = 0; i < t->output_count; i++) {
        const uncork_value *v = uncork_session_output(session, (int)i);
        if (uncork_value_kind(v) != UNCORK_TENSOR) return false;
        const uc_tensor *from = uc_value_tensor(v);
        uc_tensor *to = UC_NEW(t->arena, uc_tensor, 1);
        if (!to) return false;
        *to = *from;
        if (from->dtype == UNCORK_STRING) {
            uc_str *items = UC_NEW(t->arena, uc_str, (size_t)uc_tensor_count(from));
            for (int64_t k = 0; items && k < uc_tensor_count(from); k++)
                items[k] = uc_tensor_string(from, k);
            to = items ? uc_tensor_strings(t->arena, items, from->rank, from->shape) : NULL;
        } else {
            size_t bytes = 0;
            bool fits = uc_shape_bytes(from->dtype, from->shape, from->rank, &bytes);
            to->data = fits ? uc_arena_alloc_raw(t->arena, bytes) : NULL;
            if (to->data && bytes) memcpy(to->data, from->data, bytes);
            if (!to->data) to = NULL;
        }
        t->outputs[i] = to;
        if (!to) return false;
    }
    return true;
}

static uncork_status begin(uc_selftest *t, const uncork_model *model, uc_arena *arena,
                           uncork_error *error)
{
    *t = (uc_selftest){.arena = arena,
                       .input_count = (size_t)uncork_model_input_count(model),
                       .output_count = (size_t)uncork_model_output_count(model)};
    t->inputs = UC_NEW(arena, uncork_value *, t->input_count);
    t->outputs = UC_NEW(arena, const uc_tensor *, t->output_count);
    t->input_names = UC_NEW(arena, const char *, t->input_count);
    t->output_names = UC_NEW(arena, const char *, t->output_count);
    if (!t->inputs || !t->outputs || !t->input_names || !t->output_names)
        return uc_arena_status(arena, error);
    for (size_t i = 0; i < t->input_count; i++)
        t->input_names[i] = uncork_model_input_name(model, (int)i);
    for (size_t i = 0; i < t->output_count; i++)
        t->output_names[i] = uncork_model_output_name(model, (int)i);
    return UNCORK_OK;
}

/* Whether the model gives the same twice: one that draws random numbers can't be tested so. */
static bool is_steady(const uc_graph *g)
{
    for (size_t n = 0; n < g->node_count; n++) {
        if (g->nodes[n].op->impure) return false;
    }
    return true;
}

uncork_status uc_selftest_make(const uncork_model *model, const uc_facts *facts, uc_arena *arena,
                               uc_selftest *test, uncork_error *error)
{
    UC_TRY(begin(test, model, arena, error));
    if (!is_steady(uc_model_graph(model))) {
        test->reason = "the model draws random numbers";
        return UNCORK_OK;
    }
    test->reason = "no input could be made up that the model takes";
    for (size_t k = 0; k < sizeof free_sizes / sizeof free_sizes[0]; k++) {
        uncork_session *session = NULL;
        uncork_error ignored = {.size = sizeof ignored};
        if (!is_modest(model, free_sizes[k])) continue;
        if (!make_inputs(test, model, facts, free_sizes[k])) return uc_arena_status(arena, error);
        const bool ran = run(test, model, &session, &ignored) == UNCORK_OK;
        const bool kept = ran && copy_outputs(test, session);
        uncork_session_free(session);
        if (ran) {
            test->reason = kept ? NULL : "an output is no tensor";
            break;
        }
    }
    return uc_arena_status(arena, error);
}

/* ---- in the artifact ---------------------------------------------------------------------- */

static void put_names(uc_json_writer *json, const char *key, const char *const *names, size_t count)
{
    uc_json_key(json, key);
    uc_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        uc_json_put_text(json, names[i] ? names[i] : "");
    uc_json_end_array(json);
}

static void put_array(uc_zip_writer *zip, const char *kind, size_t i, const uc_tensor *t)
{
    uc_writer w;
    char name[64];
    uc_writer_init(&w, SIZE_MAX / 2);
    uc_npy_write(&w, t);
    snprintf(name, sizeof name, "selftest/%s_%zu.npy", kind, i);
    uc_zip_put_aligned(zip, name, (uc_bytes){w.data, w.size}, 64);
    if (w.status && !zip->out->status) zip->out->status = w.status;
    uc_writer_done(&w);
}

void uc_selftest_put(const uc_selftest *test, uc_zip_writer *zip)
{
    uc_writer w;
    uc_json_writer json = {.out = &w};
    if (test->reason) return;
    for (size_t i = 0; i < test->input_count; i++) {
        if (test->inputs[i]) put_array(zip, "input", i, uc_value_tensor(test->inputs[i]));
    }
    for (size_t i = 0; i < test->output_count; i++)
        put_array(zip, "output", i, test->outputs[i]);
    uc_writer_init(&w, (size_t)1 << 24);
    uc_json_begin_object(&json);
    put_names(&json, "inputs", test->input_names, test->input_count);
    put_names(&json, "outputs", test->output_names, test->output_count);
    uc_json_key(&json, "bound");
    uc_json_put_text(&json, "|got - want| <= 1e-4 |want| + 1e-5 max |want|");
    uc_json_end_object(&json);
    uc_writer_u8(&w, '\n');
    uc_zip_put_aligned(zip, UC_CORK_SELFTEST, (uc_bytes){w.data, w.size}, 64);
    uc_writer_done(&w);
}

/* An array of the artifact; *tensor stays NULL when it isn't there. */
static uncork_status read_array(uc_bundle *bundle, const char *kind, size_t i, uc_arena *arena,
                                uc_tensor **tensor, uncork_error *error)
{
    char name[64];
    uc_bytes bytes;
    uc_npy npy;
    snprintf(name, sizeof name, "selftest/%s_%zu.npy", kind, i);
    const size_t at = uc_bundle_find(bundle, name);
    *tensor = NULL;
    if (at == SIZE_MAX) return UNCORK_OK;
    UC_TRY(uc_bundle_read(bundle, at, &bytes, error));
    if (uc_npy_read(bytes, 0, arena, &npy, error)) return uc_where(error, "%s", name);
    *tensor = npy.tensor;
    return UNCORK_OK;
}

/* NumPy has no short floats: the file holds them wide, the model takes them as they are. */
static uncork_status read_input(uc_bundle *bundle, const uncork_model *model, size_t i,
                                uc_selftest *test, uncork_error *error)
{
    uc_tensor *t;
    UC_TRY(read_array(bundle, "input", i, test->arena, &t, error));
    const uncork_dtype dtype = uncork_model_input_dtype(model, (int)i);
    if (t && t->dtype != dtype) t = uc_tensor_cast(test->arena, t, dtype);
    if (!t) {
        if (uncork_model_input_optional(model, (int)i)) return UNCORK_OK;
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the self-test has no input %zu", i);
    }
    if (uc_value_over(t, &test->inputs[i])) return uc_fail_memory(error);
    if (uc_arena_defer(test->arena, free_value, test->inputs[i])) return UNCORK_OK;
    uncork_value_free(test->inputs[i]);
    return uc_fail_memory(error);
}

uncork_status uc_selftest_read(uc_bundle *bundle, const uncork_model *model, uc_arena *arena,
                               uc_selftest *test, uncork_error *error)
{
    UC_TRY(begin(test, model, arena, error));
    if (!uc_bundle_is_cork(bundle)) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "this isn't an artifact: `uncork pack` makes one");
    }
    if (uc_bundle_find(bundle, UC_CORK_SELFTEST) == SIZE_MAX) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "the artifact has no self-test");
    }
    for (size_t i = 0; i < test->input_count; i++)
        UC_TRY(read_input(bundle, model, i, test, error));
    for (size_t i = 0; i < test->output_count; i++) {
        uc_tensor *t;
        UC_TRY(read_array(bundle, "output", i, arena, &t, error));
        if (!t) {
            return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the self-test has no output %zu",
                           i);
        }
        test->outputs[i] = t;
    }
    return UNCORK_OK;
}

/* ---- comparing ---------------------------------------------------------------------------- */

static bool same_shape(const uc_tensor *a, const uc_tensor *b)
{
    bool same = a->dtype == b->dtype && a->rank == b->rank;
    for (int d = 0; d < a->rank && same; d++)
        same = a->shape[d] == b->shape[d];
    return same;
}

static double number_at(const uc_tensor *t, int64_t i)
{
    if (t->dtype == UNCORK_FLOAT64) return ((const double *)t->data)[i];
    return (double)((const float *)t->data)[i];
}

/* Times the bound: 1 is just inside. Texts and whole numbers are the same or not. */
static double distance(const uc_tensor *got, const uc_tensor *want)
{
    const int64_t count = uc_tensor_count(want);
    double most = 0, worst = 0;
    if (!same_shape(got, want)) return HUGE_VAL;
    if (want->dtype == UNCORK_STRING) {
        for (int64_t i = 0; i < count; i++) {
            if (!uc_str_equal(uc_tensor_string(got, i), uc_tensor_string(want, i))) return HUGE_VAL;
        }
        return 0;
    }
    size_t bytes = 0;
    (void)uc_shape_bytes(want->dtype, want->shape, want->rank, &bytes);
    if (bytes == 0 || memcmp(got->data, want->data, bytes) == 0) return 0;
    if (want->dtype != UNCORK_FLOAT32 && want->dtype != UNCORK_FLOAT64) return HUGE_VAL;
    for (int64_t i = 0; i < count; i++) {
        const double v = fabs(number_at(want, i));
        if (isfinite(v) && v > most) most = v;
    }
    for (int64_t i = 0; i < count; i++) {
        const double g = number_at(got, i), w = number_at(want, i);
        if (g == w || (isnan(g) && isnan(w))) continue;
        const double share = fabs(g - w) / (1e-4 * fabs(w) + 1e-5 * most);
        if (!(share <= worst)) worst = isnan(share) ? HUGE_VAL : share;
    }
    return worst;
}

uncork_status uc_selftest_run(const uc_selftest *test, const uncork_model *model,
                              uc_selftest_result *result, uncork_error *error)
{
    uncork_session *session = NULL;
    *result = (uc_selftest_result){.outputs = test->output_count};
    uncork_status status = run(test, model, &session, error);
    for (size_t i = 0; status == UNCORK_OK && i < test->output_count; i++) {
        const uncork_value *v = uncork_session_output(session, (int)i);
        const uc_tensor *got = uncork_value_kind(v) == UNCORK_TENSOR ? uc_value_tensor(v) : NULL;
        if (got && got->dtype != test->outputs[i]->dtype)
            got = uc_tensor_cast(test->arena, got, test->outputs[i]->dtype);
        const double d = got ? distance(got, test->outputs[i]) : HUGE_VAL;
        if (d > 1) result->different++;
        if (d <= result->worst) continue;
        result->worst = d;
        result->worst_output = test->output_names[i];
    }
    uncork_session_free(session);
    return status;
}
