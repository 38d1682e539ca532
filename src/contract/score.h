/* What answers are worth against what is true: the figures of scikit-learn's classification_report and
 * confusion_matrix, over the classes that are true or answered at least once (labels=None there). */
#ifndef UC_CONTRACT_SCORE_H
#define UC_CONTRACT_SCORE_H

#include "base/arena.h"

/* Answers so far, in the order they came. */
typedef struct uc_score {
    uint32_t *truth, *answer; /* class numbers */
    size_t count, truth_capacity, answer_capacity;
    int64_t within; /* whose true class was among the best few */
    uc_arena *arena;
} uc_score;

/* within  whether the true class is among the best few (top-5). NO_MEMORY. */
uncork_status uc_score_add(uc_score *score, uint32_t truth, uint32_t answer, bool within);

typedef struct uc_class_score {
    uint32_t id;
    double precision, recall, f1; /* 0 where nothing is there to divide by (zero_division=0) */
    int64_t support;              /* how often it is true */
    int64_t answered;             /* how often it is the answer */
    int64_t right;
} uc_class_score;

typedef struct uc_report {
    uc_class_score *classes; /* by id */
    size_t class_count;
    int64_t *matrix; /* [class_count, class_count], rows are true; NULL beyond UC_SCORE_MATRIX */
    int64_t total, right;
    double accuracy, top;
    uc_class_score macro, weighted; /* precision, recall and f1 */
} uc_report;

#define UC_SCORE_MATRIX 4000 /* classes: 128 MB of counts */

/* INPUT when there is no answer. */
uncork_status uc_score_report(const uc_score *score, uc_arena *arena, uc_report *report,
                              uncork_error *error);

/* A pair of classes that were taken for one another. */
typedef struct uc_confusion {
    size_t truth, answer; /* indices into report->classes */
    int64_t count;
} uc_confusion;
/* The `most` largest, largest first, earlier classes first among equals; returns how many there are. */
size_t uc_score_confusions(const uc_report *report, uc_confusion *confusions, size_t most);

#endif
