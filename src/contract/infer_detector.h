/* Preprocessing of detectors by their family. */
#ifndef UC_CONTRACT_INFER_DETECTOR_H
#define UC_CONTRACT_INFER_DETECTOR_H

#include "contract/contract.h"

/* The steps, and in *who the evidence; NULL where the outputs are of no family that says it. */
const char *uc_infer_detector(const uc_graph *g, const uc_facts *facts, int64_t width,
                              int64_t height, uc_arena *arena, const char **who);

#endif
