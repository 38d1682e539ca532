/* uncork doctor: what its files share. */
#ifndef UC_CLI_DOCTOR_H
#define UC_CLI_DOCTOR_H

#include "cli/evaluate.h"
#include "doctor/candidates.h"
#include "doctor/check.h"
#include "doctor/probe.h"

/* One way to prepare the pictures, and what came of it. */
typedef struct doctor_trial {
    const char *spec;
    uc_candidate candidate;
    uc_contract *contract;
    size_t answered;
    size_t right;        /* of labelled pictures */
    size_t above, below; /* the answer is the class after, before the true one */
    double log_sum;      /* of the true class's probability */
    double sure_sum;     /* of the best class's */
    double distance;     /* of the first batch normalisation from its training; NaN: none */
    size_t changed;      /* answers other than those of what predict takes */
    double moved_sum;    /* of its answers' probabilities */
} doctor_trial;

#define DOCTOR_DIAGNOSES 16
#define DOCTOR_TRIALS    128

typedef struct doctor {
    predictor p;
    uc_arena *arena;
    evaluate_truth truth;
    bool labelled, matched;
    uc_str *classes;
    size_t class_count;
    uc_candidate_size size;
    doctor_trial *now; /* being run */
    uc_probe *probe;   /* of a network with a batch normalisation; NULL: none */
    doctor_trial trials[DOCTOR_TRIALS];
    size_t trial_count;
    doctor_trial base, best;      /* what predict takes; the best, over all pictures */
    doctor_trial shifted, scaled; /* the base with values moved by 1 % of their range */
    double range;
    uint64_t timeout_ms;          /* of the whole search; 0: its own */
    size_t gained[UC_AXIS_COUNT]; /* pictures right by the choices of the axis alone */
    bool out_of_time;
    uint32_t *base_answers; /* [truth.count] */
    double *base_scores;
    uncork_error error;
    uc_diagnosis found[DOCTOR_DIAGNOSES];
    size_t found_count;
    size_t elsewhere;      /* of those, what keeps only Python from it: the last ones */
    uc_diagnosis other[4]; /* the same until the pictures have been looked at */
    size_t other_count;
    const char *notes[DOCTOR_DIAGNOSES]; /* worth knowing, nothing wrong */
    size_t note_count;
} doctor;

void doctor_found(doctor *d, const char *cause, const char *evidence, const char *remedy);
void doctor_note(doctor *d, const char *text);

/* doctor_open.c: opens and prepares without a line on standard error: a failure is the report. False when it
 * can't run. */
bool doctor_opens(doctor *d);
/* Adds what keeps other programs from it behind what was found. */
void doctor_elsewhere(doctor *d);

/* doctor_search.c: tries the ways that fit the model over the pictures; fills base, best and trials. */
uncork_status doctor_search(doctor *d, uncork_error *error);
/* How good a trial is, larger is better: the share it had right; without labels how near the first batch
 * normalisation is to its training, else how sure the answers are, which is weak. */
double doctor_merit(const doctor *d, const doctor_trial *t);

/* The best trials, the best first, at most `most`: how many. */
size_t doctor_best(const doctor *d, const doctor_trial **best, size_t most);

/* doctor_pictures.c: what the trials say. */
void doctor_judge(doctor *d);
/* doctor_report.c */
int doctor_print(const doctor *d);

#endif
