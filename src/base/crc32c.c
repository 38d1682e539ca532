/* CRC-32C: by the processor's own instruction where there is one, else eight bytes a step by tables. */
#include "base/crc32c.h"

#include "base/cpu.h"

#define POLYNOMIAL 0x82f63b78u /* reflected */

#if defined(__x86_64__) && defined(__GNUC__)
/* Three runs of this many bytes go at once, since the instruction answers after three cycles. */
#    define RUN 1024

static inline uint64_t load(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The crc of `crc` followed by RUN zero bytes: multiplication by x^(8 RUN), by the bits of the crc. */
static uint32_t shift_run(const uint32_t by_bit[32], uint32_t crc)
{
    uint32_t out = 0;
    for (int i = 0; crc; i++, crc >>= 1) {
        if (crc & 1) out ^= by_bit[i];
    }
    return out;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t start, const uint8_t *p,
                                                                 size_t n, uint32_t by_bit[32])
{
    uint64_t crc = start;
    if (n >= 64 * 3 * RUN) { /* the table below is worth its making */
        for (int i = 0; i < 32; i++) {
            uint64_t v = (uint64_t)1 << i;
            for (size_t k = 0; k < RUN / 8; k++) {
                v = __builtin_ia32_crc32di(v, 0);
            }
            by_bit[i] = (uint32_t)v;
        }
        for (; n >= 3 * RUN; p += 3 * RUN, n -= 3 * RUN) {
            uint64_t a = crc, b = 0, c = 0;
            for (size_t k = 0; k < RUN; k += 8) {
                a = __builtin_ia32_crc32di(a, load(p + k));
                b = __builtin_ia32_crc32di(b, load(p + RUN + k));
                c = __builtin_ia32_crc32di(c, load(p + 2 * RUN + k));
            }
            crc = shift_run(by_bit, shift_run(by_bit, (uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
        }
    }
    for (; n >= 8; p += 8, n -= 8) {
        crc = __builtin_ia32_crc32di(crc, load(p));
    }
    for (; n; p++, n--) {
        crc = __builtin_ia32_crc32qi((uint32_t)crc, *p);
    }
    return (uint32_t)crc;
}

/* Every processor with AVX2 has SSE4.2; UNCORK_ISA=scalar shows the other way. */
static bool has_instruction(void) { return (uc_cpu_features() & UC_CPU_AVX2) != 0; }
#else
static bool has_instruction(void) { return false; }
#endif

static uint32_t by_bits(uint32_t crc, const uint8_t *p, size_t n)
{
    uint32_t table[16]; /* of four bits each */
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t v = i;
        for (int k = 0; k < 4; k++) {
            v = v & 1 ? v >> 1 ^ POLYNOMIAL : v >> 1;
        }
        table[i] = v;
    }
    for (; n; p++, n--) {
        crc ^= *p;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

uint32_t uc_crc32c(uint32_t crc, const void *data, size_t size)
{
    crc = ~crc;
#if defined(__x86_64__) && defined(__GNUC__)
    uint32_t by_bit[32];
    if (has_instruction()) return ~by_instruction(crc, data, size, by_bit);
#else
    (void)has_instruction;
#endif
    return ~by_bits(crc, data, size);
}
