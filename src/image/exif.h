/* EXIF: the one entry that says how a picture is turned. */
#ifndef UC_IMAGE_EXIF_H
#define UC_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* Orientation, 1 to 8, of an EXIF block with or without its "Exif\0\0" in front; 1 when it says none. */
int uc_exif_orientation(const uint8_t *exif, size_t size);

#endif
