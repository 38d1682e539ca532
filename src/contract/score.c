/* Accuracy, precision, recall, F1 and the confusion matrix. */
#include "contract/score.h"

#include <stdlib.h>

uncork_status uc_score_add(uc_score *score, uint32_t truth, uint32_t answer, bool within)
{
    uint32_t *truths = uc_arena_grow(score->arena, score->truth, &score->truth_capacity,
                                     score->count + 1, sizeof *truths);
    if (truths) score->truth = truths;
    uint32_t *answers = uc_arena_grow(score->arena, score->answer, &score->answer_capacity,
                                      score->count + 1, sizeof *answers);
    if (answers) score->answer = answers;
    if (!truths || !answers) return UNCORK_NO_MEMORY;
    truths[score->count] = truth;
    answers[score->count++] = answer;
    score->within += within;
    return UNCORK_OK;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The ids that occur, ascending; NULL when memory is out. */
static uc_class_score *find_classes(const uc_score *score, uc_arena *arena, size_t *count)
{
    uint32_t *ids = UC_NEW(arena, uint32_t, score->count * 2);
    if (!ids) return NULL;
    memcpy(ids, score->truth, score->count * sizeof *ids);
    memcpy(ids + score->count, score->answer, score->count * sizeof *ids);
    qsort(ids, score->count * 2, sizeof *ids, by_number);
    size_t n = 0;
    for (size_t i = 0; i < score->count * 2; i++) {
        if (n == 0 || ids[n - 1] != ids[i]) ids[n++] = ids[i];
    }
    uc_class_score *classes = UC_NEW(arena, uc_class_score, n);
    for (size_t i = 0; classes && i < n; i++) {
        classes[i].id = ids[i];
    }
    *count = n;
    return classes;
}

static size_t index_of(const uc_report *report, uint32_t id)
{
    size_t low = 0, high = report->class_count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (report->classes[middle].id <= id) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static double divide(double a, double b) { return b > 0 ? a / b : 0; }

static void finish(uc_report *report)
{
    uc_class_score *macro = &report->macro, *weighted = &report->weighted;
    for (size_t i = 0; i < report->class_count; i++) {
        uc_class_score *c = &report->classes[i];
        c->precision = divide((double)c->right, (double)c->answered);
        c->recall = divide((double)c->right, (double)c->support);
        c->f1 = divide(2 * (double)c->right, (double)(c->support + c->answered));
        macro->precision += c->precision;
        macro->recall += c->recall;
        macro->f1 += c->f1;
        weighted->precision += c->precision * (double)c->support;
        weighted->recall += c->recall * (double)c->support;
        weighted->f1 += c->f1 * (double)c->support;
        report->right += c->right;
    }
    const double classes = (double)report->class_count, total = (double)report->total;
    macro->precision /= classes;
    macro->recall /= classes;
    macro->f1 /= classes;
    weighted->precision /= total;
    weighted->recall /= total;
    weighted->f1 /= total;
    macro->support = weighted->support = report->total;
    report->accuracy = (double)report->right / total;
}

uncork_status uc_score_report(const uc_score *score, uc_arena *arena, uc_report *report,
                              uncork_error *error)
{
    *report = (uc_report){.total = (int64_t)score->count};
    if (score->count == 0) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "no input was answered");
    }
    report->classes = find_classes(score, arena, &report->class_count);
    const size_t n = report->class_count;
    if (report->classes && n <= UC_SCORE_MATRIX) report->matrix = UC_NEW(arena, int64_t, n * n);
    if (!report->classes || (n <= UC_SCORE_MATRIX && !report->matrix)) {
        return uc_arena_status(arena, error);
    }
    for (size_t i = 0; i < score->count; i++) {
        const size_t truth = index_of(report, score->truth[i]);
        const size_t answer = index_of(report, score->answer[i]);
        report->classes[truth].support++;
        report->classes[answer].answered++;
        report->classes[truth].right += truth == answer;
        if (report->matrix) report->matrix[truth * n + answer]++;
    }
    finish(report);
    report->top = (double)score->within / (double)report->total;
    return UNCORK_OK;
}

size_t uc_score_confusions(const uc_report *report, uc_confusion *confusions, size_t most)
{
    const size_t n = report->class_count;
    size_t count = 0;
    for (size_t i = 0; report->matrix && i < n * n; i++) {
        const uc_confusion c = {i / n, i % n, report->matrix[i]};
        if (c.truth == c.answer || c.count == 0) continue;
        if (count == most && (most == 0 || confusions[most - 1].count >= c.count)) continue;
        size_t at = count < most ? count++ : most - 1;
        while (at > 0 && confusions[at - 1].count < c.count) {
            confusions[at] = confusions[at - 1];
            at--;
        }
        confusions[at] = c;
    }
    return count;
}
