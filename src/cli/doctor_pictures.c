/* What the trials say: which step is the wrong one, what mends it, how sure that is. */
#include "base/text.h"
#include "cli/doctor.h"

#include <math.h>

static const char *percent(const doctor *d, const doctor_trial *t)
{
    if (!t->answered) return "no answer";
    if (d->labelled) {
        return uc_arena_printf(d->arena, "%zu of %zu right", t->right, t->answered);
    }
    if (d->probe)
        return uc_arena_printf(d->arena, "%.2f away from training at the first batch normalisation",
                               t->distance);
    return uc_arena_printf(d->arena, "%.0f %% sure on average",
                           100 * t->sure_sum / (double)t->answered);
}

/* Better by more than chance: two standard deviations of the difference of two counts. */
static bool is_better(const doctor *d, const doctor_trial *a, const doctor_trial *b)
{
    const double n = (double)b->answered;
    if (!a->answered || !b->answered) return a->answered > b->answered;
    if (!d->labelled) return d->probe && a->distance + 0.25 < 0.6 * b->distance;
    const double p = (double)b->right / n, q = (double)a->right / (double)a->answered;
    const double deviation = sqrt((p * (1 - p) + q * (1 - q)) / n);
    return q > p + fmax(2 * deviation, 1.5 / n);
}

/* The axes on which the two differ, in words; the choices of the first are known only as far as its text
 * shows them. */
static const char *what_differs(const doctor *d, const doctor_trial *from, const doctor_trial *to)
{
    uc_writer w;
    uc_writer_init(&w, 2000);
    for (int axis = 0; axis < UC_AXIS_COUNT; axis++) {
        const size_t count = uc_axis_choices(&d->size, axis), now = to->candidate.choice[axis];
        const size_t was = uc_axis_choice_in(&d->size, axis, from->spec, d->arena);
        if (was == now || (was == count && now == 0)) continue;
        if (axis >= UC_AXIS_GEOMETRY && d->gained[axis] < 2) continue; /* one picture is chance */
        uc_writer_printf(&w, "%s%s: it wants %s", w.size ? "; " : "", uc_axis_name(axis),
                         uc_axis_choice_name(&d->size, axis, now));
        if (was < count)
            uc_writer_printf(&w, ", it gets %s", uc_axis_choice_name(&d->size, axis, was));
    }
    const char *text = w.size ? uc_arena_str(d->arena, uc_writer_string(&w)) : "the steps together";
    uc_writer_done(&w);
    return text;
}

static void judge_steps(doctor *d)
{
    const doctor_trial *base = &d->base, *best = &d->best;
    if (!d->labelled && !d->probe && best->contract != base->contract)
        doctor_note(
            d, "without labels only how sure the answers are can be compared, which larger numbers "
               "alone make surer: give a labelled folder");
    if (best->contract == base->contract || !is_better(d, best, base)) return;
    const char *evidence = uc_arena_printf(
        d->arena, "%s by the steps now, %s by the others%s", percent(d, base), percent(d, best),
        d->labelled ? "" : "; a labelled folder would be stronger evidence");
    const char *cause = uc_arena_printf(
        d->arena, "the pictures are prepared otherwise than the model was trained: %s",
        what_differs(d, base, best));
    doctor_found(d, cause, evidence, uc_arena_printf(d->arena, "--preprocess '%s'", best->spec));
}

/* Labels that are off by one: a background class that the list lacks, or has too many. */
static void judge_shift(doctor *d)
{
    const doctor_trial *t = &d->best;
    const size_t most = t->above > t->below ? t->above : t->below;
    if (!d->labelled || most * 2 < t->answered || most < 2 * t->right + 2) return;
    const bool above = t->above > t->below;
    doctor_found(
        d,
        above
            ? "the labels are shifted by one: the model's first class has no label (a background class)"
            : "the labels are shifted by one: the list has a first line that is no class of the model",
        uc_arena_printf(d->arena, "%zu of %zu answers are the class %s the true one", most,
                        t->answered, above ? "after" : "before"),
        above ? "--labels FILE with one more line at its top, 'background'"
              : "--labels FILE without its first line");
}

static void judge_moves(doctor *d)
{
    const doctor_trial *tries[] = {&d->shifted, &d->scaled};
    static const char *const names[] = {
        "values higher by 1 % of their range (a mean of 0.50 against 0.51)",
        "values larger by 1 %"};
    for (size_t i = 0; i < 2; i++) {
        const doctor_trial *t = tries[i];
        if (!t->answered) continue;
        doctor_note(
            d, uc_arena_printf(
                   d->arena,
                   "%s change %zu of %zu answers, and the answers' probability by %.4f on average",
                   names[i], t->changed, t->answered, t->moved_sum / (double)t->answered));
    }
}

static void judge_hopeless(doctor *d)
{
    const doctor_trial *t = &d->best;
    if (!d->labelled || d->found_count || !t->answered) return;
    const double share = (double)t->right / (double)t->answered;
    if (d->class_count < 2 || share > 1.5 / (double)d->class_count + 0.05) return;
    doctor_found(
        d, "no way to prepare the pictures makes the model better than chance",
        uc_arena_printf(d->arena, "%s in %zu classes, the best of %zu ways", percent(d, t),
                        d->class_count, d->trial_count),
        "check that the folders' names are the model's classes in its order (--labels), and that "
        "this is the trained file");
}

void doctor_judge(doctor *d)
{
    judge_steps(d);
    judge_shift(d);
    judge_hopeless(d);
    judge_moves(d);
    if (d->out_of_time)
        doctor_note(
            d,
            "the search stopped before it had tried everything: --timeout SECONDS gives it longer");
}
