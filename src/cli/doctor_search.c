/* The ways to prepare pictures, tried one after another: scales and orders first, on a part of the
 * pictures; then, for the best of those, sizes, filters and decoders. */
#include "base/file.h"
#include "base/text.h"
#include "cli/doctor.h"

#include <math.h>

/* Pictures of the first round at least, how many of its best go on, and what the whole search may take
 * without --timeout. */
#define FIRST_PICTURES 24
#define BEAM           3
#define SEARCH_NS      UINT64_C(40000000000)
/* A probability of nothing still has a logarithm. */
#define LEAST          1e-6
/* Pictures that the witness sees: a channel's mean is one of all their pixels. */
#define PROBE_PICTURES 8
/* What a filter or decoder must gain to be taken: a picture more, or as much in likelihood or distance. */
#define LEAST_GAIN     5e-5

double doctor_merit(const doctor *d, const doctor_trial *t)
{
    if (!t->answered) return -(double)INFINITY;
    const double n = (double)t->answered;
    if (!d->labelled) return d->probe ? -t->distance : t->sure_sum / n;
    /* ties by the witness, else by how likely the truth was */
    return (double)t->right / n + 1e-3 * (d->probe ? -t->distance : t->log_sum / n);
}

/* ---- an answer ---- */

/* The class names come with the first answer; labels that mean none of them don't count. */
static uncork_status take_names(doctor *d, const cli_answers *a, size_t count, int reading,
                                uncork_error *error)
{
    bool named;
    d->matched = true;
    UC_TRY(evaluate_names(a, reading, count, d->arena, &d->classes, &named, error));
    d->class_count = count;
    if (!d->labelled) return UNCORK_OK;
    return evaluate_match(&d->truth, d->classes, count, named, d->arena, &d->p.notes, error);
}

static void count_answer(doctor *d, size_t item, uint32_t answer, const double *scores)
{
    doctor_trial *t = d->now;
    const double score = scores ? scores[answer] : (double)NAN;
    t->answered++;
    if (scores) t->sure_sum += score;
    if (t == &d->base) {
        d->base_answers[item] = answer;
        d->base_scores[item] = score;
    } else {
        t->changed += d->base_answers[item] != answer;
        const uint32_t before = d->base_answers[item];
        if (scores && before < d->class_count)
            t->moved_sum += fabs(scores[before] - d->base_scores[item]);
    }
    if (!d->labelled) return;
    const uint32_t truth = d->truth.ids[d->truth.items[item].label];
    if (truth == EVALUATE_NONE) {
        t->answered--;
        return;
    }
    t->right += answer == truth;
    t->above += answer == truth + 1;
    t->below += answer + 1 == truth;
    if (scores) t->log_sum += log(fmax(scores[truth], LEAST));
}

static uncork_status take_network(doctor *d, const cli_answers *a, size_t item, void *const *made,
                                  uncork_error *error)
{
    const int reading = evaluate_classifier(a);
    if (reading < 0) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "only classifiers' preparation is searched; this model's '%.60s' is: %s",
                       a->readings[0].name, uc_post_kind_name(a->readings[0].kind));
    }
    const cli_classes *c = made[reading];
    if (!d->matched) UC_TRY(take_names(d, a, (size_t)c->all, reading, error));
    uint32_t answer = 0;
    for (int64_t i = 1; i < c->all; i++) {
        if (c->scores[i] > c->scores[answer]) answer = (uint32_t)i;
    }
    count_answer(d, item, answer, a->readings[reading].raw ? NULL : c->scores);
    return UNCORK_OK;
}

static uncork_status take_table(doctor *d, const cli_answers *a, const cli_input *input,
                                size_t item, uc_arena *arena, uncork_error *error)
{
    cli_table table;
    UC_TRY(cli_table_of(a, input, arena, &table, error));
    const size_t known = a->classes ? (size_t)uc_tensor_count(a->classes) : table.count;
    if (!known) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "only classifiers' preparation is searched; this model gives numbers");
    }
    if (!d->matched) UC_TRY(take_names(d, a, known, -1, error));
    double *scores = UC_NEW(arena, double, known);
    if (!scores) return uc_fail_memory(error);
    uint32_t answer = EVALUATE_NONE;
    for (size_t i = 0; i < table.count; i++) {
        if ((size_t)table.items[i].index < known)
            scores[table.items[i].index] = table.items[i].score;
    }
    for (size_t i = 0; i < known && answer == EVALUATE_NONE; i++) {
        if (uc_str_equal(d->classes[i], table.label)) answer = (uint32_t)i;
    }
    if (answer == EVALUATE_NONE) return UNCORK_OK;
    count_answer(d, item, answer, table.probabilities && table.count ? scores : NULL);
    return UNCORK_OK;
}

static uncork_status take(void *context, const cli_answers *a, const cli_input *input,
                          void *const *made, uc_arena *arena, uncork_error *error)
{
    doctor *d = context;
    size_t item = 0;
    if (d->error.status) return UNCORK_OK;
    while (item < d->truth.count && d->truth.paths[item] != input->path) {
        item++;
    }
    if (item == d->truth.count) return UNCORK_OK;
    const uncork_status status =
        made ? take_network(d, a, item, made, error) : take_table(d, a, input, item, arena, error);
    if (status && !d->now->answered) { /* so with every picture */
        d->error = *error;
        d->p.stopped = true;
        return UNCORK_OK;
    }
    return status;
}

/* ---- a trial ---- */

/* Lets the witness see a few of the pictures. */
static uncork_status ask_probe(doctor *d, doctor_trial *t, char **paths, size_t count,
                               uncork_error *error)
{
    uc_probe_reset(d->probe);
    for (size_t i = 0; i < count && i < PROBE_PICTURES; i++) {
        uc_arena *scratch = uc_arena_new(NULL);
        uc_bytes bytes;
        uc_tensor *tensor;
        uncork_error bad = {.size = sizeof bad};
        uc_error_init(&bad);
        if (!scratch) return uc_fail_memory(error);
        uncork_status status = UNCORK_OK;
        if (uc_file_read(paths[i], false, scratch, &bytes, &bad) == UNCORK_OK &&
            uc_contract_apply(d->p.contract, bytes, &d->p.want, scratch, &tensor, &bad) ==
                UNCORK_OK)
            status = uc_probe_see(d->probe, tensor, &d->p.options->limits, error);
        uc_arena_free(scratch);
        UC_TRY(status);
    }
    t->distance = uc_probe_distance(d->probe);
    return UNCORK_OK;
}

/* Runs one way over the pictures whose index is a multiple of `step`. */
static uncork_status run_trial(doctor *d, doctor_trial *t, size_t step, uncork_error *error)
{
    char **paths = UC_NEW(d->arena, char *, d->truth.count + 1);
    size_t count = 0;
    if (!paths) return uc_fail_memory(error);
    for (size_t i = 0; i < d->truth.count; i += step) {
        paths[count++] = d->truth.paths[i];
    }
    t->answered = t->right = t->above = t->below = t->changed = 0;
    t->log_sum = t->sure_sum = t->moved_sum = 0;
    d->now = t;
    if (t->contract) d->p.contract = t->contract;
    d->p.inputs = count;
    d->p.done = d->p.failed = 0;
    UC_TRY(predict_pictures(&d->p, paths, count, error));
    predict_progress_end(&d->p);
    if (d->error.status) {
        *error = d->error;
        return error->status;
    }
    t->distance = (double)NAN;
    if (d->probe) UC_TRY(ask_probe(d, t, paths, count, error));
    if (cli_cancelled) return uc_fail(error, UNCORK_CANCELLED, UC_NO_OFFSET, "it was interrupted");
    return UNCORK_OK;
}

/* A way that gives what the model takes; false for one that doesn't. */
static bool make_trial(const doctor *d, uc_candidate candidate, doctor_trial *t)
{
    uncork_error ignored = {.size = sizeof ignored};
    uc_error_init(&ignored);
    *t = (doctor_trial){.candidate = candidate};
    t->spec = uc_candidate_spec(&d->size, &candidate, d->arena);
    return t->spec && uc_contract_parse(t->spec, d->arena, &t->contract, &ignored) == UNCORK_OK &&
           uc_contract_check(t->contract, &d->p.want, &ignored) == UNCORK_OK;
}

static bool is_late(doctor *d, uint64_t until)
{
    d->out_of_time = d->out_of_time || uc_now_ns() > until;
    return d->out_of_time || d->trial_count == DOCTOR_TRIALS;
}

/* Tries every choice of two axes (the same twice: of one), the others as in `best` by now; keeps the best. */
static uncork_status try_axes(doctor *d, uc_axis first, uc_axis second, size_t step, uint64_t until,
                              doctor_trial *best, uncork_error *error)
{
    const doctor_trial from = *best;
    const double gain = from.answered ? d->labelled ? LEAST_GAIN : 400 * LEAST_GAIN : 0;
    const size_t seconds = first == second ? 1 : uc_axis_choices(&d->size, second);
    for (size_t i = 0; i < uc_axis_choices(&d->size, first); i++) {
        for (size_t k = 0; k < seconds && !is_late(d, until); k++) {
            uc_candidate candidate = from.candidate;
            candidate.choice[second] = (uint8_t)k;
            candidate.choice[first] = (uint8_t)i;
            if (from.answered && first == second &&
                candidate.choice[first] == from.candidate.choice[first])
                continue;
            doctor_trial *t = &d->trials[d->trial_count];
            if (!make_trial(d, candidate, t)) continue;
            UC_TRY(run_trial(d, t, step, error));
            d->trial_count++;
            if (doctor_merit(d, t) > doctor_merit(d, best) + gain) *best = *t;
        }
    }
    if (best->right > from.right) d->gained[first] = d->gained[second] = best->right - from.right;
    return UNCORK_OK;
}

/* ---- how much a little matters ---- */

/* What steps make of a small picture, black at the left and white at the right; NULL: nothing. */
static const uc_tensor *sample_of(const doctor *d, const uc_contract *contract)
{
    static const uint8_t ppm[] = "P6 4 2 255\n\0\0\0\0\0\0\377\377\377\377\377\377"
                                 "\0\0\0\0\0\0\377\377\377\377\377\377";
    uncork_error ignored = {.size = sizeof ignored};
    uc_tensor *t;
    uc_error_init(&ignored);
    if (uc_contract_apply(contract, (uc_bytes){ppm, sizeof ppm - 1}, &d->p.want, d->arena, &t,
                          &ignored)) {
        return NULL;
    }
    return t;
}

/* The size that the model declares; where it leaves channels or sides free, that of the steps now: they
 * were worked out from its layers. */
static bool read_size(doctor *d)
{
    uc_contract_want want = d->p.want;
    const uc_tensor *t = d->base.contract ? sample_of(d, d->base.contract) : NULL;
    for (int i = 0; t && t->rank == want.rank && i < t->rank; i++) {
        if (want.shape[i] < 0) want.shape[i] = t->shape[i];
    }
    return uc_candidate_size_of(&want, &d->size);
}

/* The largest less the smallest number that black and white become. */
static double range_of(const doctor *d, const uc_contract *contract)
{
    const uc_tensor *t = sample_of(d, contract);
    if (!t) return 0;
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (int64_t i = 0; i < uc_tensor_count(t); i++) {
        const double v = uc_dtype_load_f64(t->data, i, t->dtype);
        low = fmin(low, v);
        high = fmax(high, v);
    }
    return isfinite(high - low) ? high - low : 0;
}

static uncork_status try_changed(doctor *d, const char *spec, const char *step, double by,
                                 doctor_trial *t, uncork_error *error)
{
    *t = (doctor_trial){.spec = uc_arena_printf(d->arena, "%s | %s=%.9g", spec, step, by)};
    if (!t->spec) return uc_fail_memory(error);
    if (uc_contract_parse(t->spec, d->arena, &t->contract, error)) return UNCORK_OK;
    return run_trial(d, t, 1, error);
}

/* Moves the values that predict takes by 1 % of their range, and stretches them by 1 %. */
static uncork_status measure_moves(doctor *d, uncork_error *error)
{
    d->range = range_of(d, d->base.contract);
    if (d->size.bytes || !(d->range > 0)) return UNCORK_OK;
    UC_TRY(try_changed(d, d->base.spec, "add", d->range * 0.01, &d->shifted, error));
    return try_changed(d, d->base.spec, "scale", 1.01, &d->scaled, error);
}

/* ---- the search ---- */

static uncork_status run_base(doctor *d, uncork_error *error)
{
    d->base_answers = UC_NEW(d->arena, uint32_t, d->truth.count + 1);
    d->base_scores = UC_NEW(d->arena, double, d->truth.count + 1);
    if (!d->base_answers || !d->base_scores) return uc_fail_memory(error);
    for (size_t i = 0; i < d->truth.count; i++) {
        d->base_answers[i] = EVALUATE_NONE;
    }
    UC_TRY(run_trial(d, &d->base, 1, error));
    uc_writer w;
    uc_writer_init(&w, 4096);
    uc_contract_text(d->p.contract, &w);
    d->base.spec = uc_arena_str(d->arena, uc_writer_string(&w));
    uc_writer_done(&w);
    if (!d->base.spec) return uc_fail_memory(error);
    return uc_contract_parse(d->base.spec, d->arena, &d->base.contract, error);
}

size_t doctor_best(const doctor *d, const doctor_trial **best, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < d->trial_count; i++) {
        size_t at = count < most ? count : most;
        while (at > 0 && doctor_merit(d, best[at - 1]) < doctor_merit(d, &d->trials[i])) {
            at--;
        }
        if (at == most) continue;
        if (count < most) count++;
        memmove(best + at + 1, best + at, (count - 1 - at) * sizeof *best);
        best[at] = &d->trials[i];
    }
    return count;
}

/* Of all pictures, or of every step-th where they would take more than a third of the time. */
static size_t first_step(const doctor *d, uint64_t base_ns, uint64_t limit_ns)
{
    const size_t trials =
        uc_axis_choices(&d->size, UC_AXIS_VALUES) * uc_axis_choices(&d->size, UC_AXIS_CHANNELS);
    const double share = (double)base_ns * (double)trials * 3 / (double)limit_ns;
    const size_t most = d->truth.count / FIRST_PICTURES;
    const size_t step = share < 1 ? 1 : (size_t)(share + 1);
    return step < most ? step : most < 1 ? 1 : most;
}

static uncork_status search(doctor *d, size_t step, uint64_t until, uncork_error *error)
{
    doctor_trial best = {.answered = 0};
    const doctor_trial *beam[BEAM];
    UC_TRY(try_axes(d, UC_AXIS_VALUES, UC_AXIS_CHANNELS, step, until, &best, error));
    if (!d->labelled) { /* sizes and filters show in answers alone */
        if (doctor_merit(d, &best) > doctor_merit(d, &d->best)) d->best = best;
        return UNCORK_OK;
    }
    /* what was best at the first look may not be what wins */
    const size_t count = doctor_best(d, beam, BEAM);
    for (size_t i = 0; i < count; i++) {
        doctor_trial one = *beam[i];
        UC_TRY(try_axes(d, UC_AXIS_GEOMETRY, UC_AXIS_GEOMETRY, step, until, &one, error));
        if (i == 0 || doctor_merit(d, &one) > doctor_merit(d, &best) + LEAST_GAIN) best = one;
    }
    UC_TRY(try_axes(d, UC_AXIS_RESIZE, UC_AXIS_RESIZE, step, until, &best, error));
    UC_TRY(try_axes(d, UC_AXIS_DECODER, UC_AXIS_DECODER, step, until, &best, error));
    if (!best.contract) return UNCORK_OK;
    if (step > 1) UC_TRY(run_trial(d, &best, 1, error));
    if (doctor_merit(d, &best) > doctor_merit(d, &d->best)) d->best = best;
    return UNCORK_OK;
}

uncork_status doctor_search(doctor *d, uncork_error *error)
{
    const uint64_t given = d->timeout_ms * 1000000, limit = given ? given : SEARCH_NS;
    const uint64_t begin = uc_now_ns();
    d->p.answers.silent = true;
    d->p.answers.answered = take;
    d->p.answers.answered_context = d;
    UC_TRY(
        uc_probe_open(d->p.file, d->p.options->signature, &d->p.options->limits, &d->probe, error));
    UC_TRY(run_base(d, error));
    const uint64_t base_ns = uc_now_ns() - begin;
    d->best = d->base;
    if (!read_size(d)) return UNCORK_OK;
    d->p.trying = true;
    UC_TRY(measure_moves(d, error));
    return search(d, first_step(d, base_ns, limit), begin + limit, error);
}
