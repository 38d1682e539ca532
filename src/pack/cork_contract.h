/* contract.json and labels.txt of an artifact: what a picture or a row needs to become an input, and an
 * output to become an answer. model/cork.c reads them back. */
#ifndef UC_PACK_CORK_CONTRACT_H
#define UC_PACK_CORK_CONTRACT_H

#include "base/writer.h"
#include "contract/labels.h"
#include "model/model.h"

/* What was said when it was packed; the rest is what the file and the files beside it say. */
typedef struct uc_cork_contract {
    const char *preprocess;        /* steps or a preset's name; NULL: as predict would infer them */
    const char *task, *activation; /* NULL: as the outputs say */
    double threshold, nms;         /* NaN: the task's own */
    int64_t max_boxes;             /* 0: the detector's own */
    uc_labels labels;   /* none: those of the file, else its classes where they are texts */
    uc_findings *notes; /* receives what was assumed */
} uc_cork_contract;

/* USAGE where the steps are none, or don't give what the model takes. */
uncork_status uc_cork_contract_put(const uc_cork_contract *said, const uncork_file *file,
                                   const uncork_model *model, const char *entry, uc_arena *arena,
                                   uc_writer *contract, uc_writer *labels, uncork_error *error);

#endif
