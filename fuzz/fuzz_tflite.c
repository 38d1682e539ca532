/* Any bytes as a TensorFlow Lite file. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_import(&uc_importer_tflite, data, size);
}
