/* Any bytes as a PyTorch file of any form. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_import(&uc_importer_pytorch, data, size);
}
