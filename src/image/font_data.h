/* src/image/captions.ttf, compiled in (cmake/text.cmake writes the source). */
#ifndef UC_IMAGE_FONT_DATA_H
#define UC_IMAGE_FONT_DATA_H

#include <stddef.h>

extern const unsigned char uc_font_data[];
extern const size_t uc_font_data_size;

#endif
