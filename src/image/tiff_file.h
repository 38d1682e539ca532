/* libtiff over bytes in memory, for the readers that stand on it. */
#ifndef UC_IMAGE_TIFF_FILE_H
#define UC_IMAGE_TIFF_FILE_H

#include "image/image.h"

#include <tiffio.h>

typedef struct uc_tiff_file {
    uc_bytes bytes;
    uint64_t at;
    char message[200]; /* libtiff's first */
} uc_tiff_file;

/* NULL: it doesn't open, see uc_tiff_file_broken. Nothing is printed. Close it with TIFFClose before
 * `file` goes. */
TIFF *uc_tiff_file_open(uc_tiff_file *file, uc_bytes bytes);
/* MALFORMED with libtiff's message, `what` where it has none. */
uncork_status uc_tiff_file_broken(const uc_tiff_file *file, const char *what, uncork_error *error);

#endif
