/* Labels and normalisation that the file says, as facts. */
#include "import/tflite/tflite.h"

void uc_tfl_metadata_read(const uc_tfl_file *f, uc_import *file)
{
    (void)f;
    (void)file;
}
