/* Source: EXIF 2.32, section 4.6. JPEG keeps "Exif" and two zeros in front of the block, PNG does not,
 * WebP writers do either. */
#include "image/exif.h"

#include "base/bytes.h"

int uc_exif_orientation(const uint8_t *exif, size_t size)
{
    const uint8_t *p = exif;
    size_t n = size;
    if (n >= 6 && memcmp(p, "Exif\0\0", 6) == 0) {
        p += 6;
        n -= 6;
    }
    if (n < 8) return 1;
    bool big = p[0] == 'M';
    size_t at = big ? uc_load_u32be(p + 4) : uc_load_u32le(p + 4);
    if (at > n || n - at < 2) return 1;
    unsigned entries = big ? uc_load_u16be(p + at) : uc_load_u16le(p + at);
    at += 2;
    for (unsigned i = 0; i < entries && n - at >= 12; i++, at += 12) {
        const uint8_t *e = p + at;
        unsigned tag = big ? uc_load_u16be(e) : uc_load_u16le(e);
        if (tag != 0x0112) continue;
        unsigned v = big ? uc_load_u16be(e + 8) : uc_load_u16le(e + 8);
        return v >= 1 && v <= 8 ? (int)v : 1;
    }
    return 1;
}
