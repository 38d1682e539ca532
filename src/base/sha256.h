/* SHA-256. Source: FIPS 180-4. */
#ifndef UC_BASE_SHA256_H
#define UC_BASE_SHA256_H

#include "base/bytes.h"

typedef struct uc_sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
} uc_sha256;

void uc_sha256_begin(uc_sha256 *s);
void uc_sha256_add(uc_sha256 *s, const void *data, size_t size);
/* 64 lower-case hexadecimal digits and a zero. */
void uc_sha256_end(uc_sha256 *s, char text[65]);

#endif
