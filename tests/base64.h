/* Bytes inside JSON cases. */
#ifndef UC_TESTS_BASE64_H
#define UC_TESTS_BASE64_H

#include "base/bytes.h"
#include "check.h"

/* Decodes into `out`, which has room for three quarters of the text; the number of bytes. */
static inline size_t decode_base64(uc_str text, uint8_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    size_t n = 0, have = 0;
    for (size_t i = 0; i < text.size && text.data[i] != '='; i++) {
        const char *digit = strchr(digits, text.data[i]);
        assert_non_null(digit);
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out[n++] = (uint8_t)(bits >> have);
    }
    return n;
}

#endif
