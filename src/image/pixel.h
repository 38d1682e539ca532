/* Pixel arithmetic that conversions and resizes share. */
#ifndef UC_IMAGE_PIXEL_H
#define UC_IMAGE_PIXEL_H

/* a * b / 255, rounded, as Pillow's MULDIV255; a and b up to 255. */
static inline unsigned uc_muldiv255(unsigned a, unsigned b)
{
    unsigned t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

#endif
