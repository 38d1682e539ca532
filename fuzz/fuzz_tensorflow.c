/* Any bytes as a TensorFlow graph, SavedModel, meta graph or checkpoint, wire form or text, in a zip or alone. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_import(&uc_importer_tensorflow, data, size);
}
