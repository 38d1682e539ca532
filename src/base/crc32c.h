/* CRC-32C (Castagnoli), as LevelDB, TensorFlow and iSCSI use it. Source: RFC 3720, section 12.1. */
#ifndef UC_BASE_CRC32C_H
#define UC_BASE_CRC32C_H

#include "base/bytes.h"

/* Goes on from the crc of what was before; 0 at the start. */
uint32_t uc_crc32c(uint32_t crc, const void *data, size_t size);

/* As LevelDB stores it beside what it covers (util/crc32c.h, Mask). */
static inline uint32_t uc_crc32c_masked(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

#endif
