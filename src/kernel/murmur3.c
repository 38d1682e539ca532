/* See murmur3.h. Blocks are read little-endian whatever the machine. */
#include "kernel/murmur3.h"

static uint32_t rotated(uint32_t x, unsigned by) { return x << by | x >> (32 - by); }

static uint32_t mixed(uint32_t k) { return rotated(k * 0xcc9e2d51u, 15) * 0x1b873593u; }

int32_t uc_murmur3_s32(const void *data, size_t size, uint32_t seed)
{
    const uint8_t *p = data;
    uint32_t h = seed, tail = 0;
    size_t i = 0;
    for (; i + 4 <= size; i += 4) {
        uint32_t k = (uint32_t)p[i] | (uint32_t)p[i + 1] << 8 | (uint32_t)p[i + 2] << 16 |
                     (uint32_t)p[i + 3] << 24;
        h = rotated(h ^ mixed(k), 13) * 5 + 0xe6546b64u;
    }
    for (size_t k = size; k > i; k--)
        tail = tail << 8 | p[k - 1];
    if (size > i) h ^= mixed(tail);
    h ^= (uint32_t)size;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return (int32_t)(h ^ h >> 16);
}
