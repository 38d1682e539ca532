/* Any bytes as a model of xgboost. */
#include "fuzz_boosting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_boosting(&uc_importer_xgboost, data, size);
}
