/* Whether pictures reach a network as its training pictures did. A batch normalisation keeps the mean and
 * variance of what it saw in training: numbers prepared in the same way come out of it with mean 0 and variance 1
 * in every channel, before its own scale and bias. Ioffe and Szegedy, "Batch Normalization", 2015. */
#ifndef UC_DOCTOR_PROBE_H
#define UC_DOCTOR_PROBE_H

#include "model/model.h"

typedef struct uc_probe uc_probe;

/* Of the first batch normalisation of the network. *probe is NULL when it has none with constant scale and
 * bias, which is no failure. Freed by uc_probe_close. */
uncork_status uc_probe_open(const uncork_file *file, const char *entry, const uncork_limits *limits,
                            uc_probe **probe, uncork_error *error);
void uc_probe_close(uc_probe *probe);
/* What it has seen is forgotten. */
void uc_probe_reset(uc_probe *probe);
/* Runs the network on one picture's tensor (without the batch axis). */
uncork_status uc_probe_see(uc_probe *probe, const uc_tensor *picture, const uncork_limits *limits,
                           uncork_error *error);
/* How far the channels' means and deviations are from 0 and 1 on average: 0 is training's own; NaN when
 * nothing was seen. */
double uc_probe_distance(const uc_probe *probe);
const char *uc_probe_layer(const uc_probe *probe);

#endif
