/* What this machine can do. CPUID is read directly: compilers of our age don't know every feature
 * by name. Source: Intel SDM volume 1, 13.2 (XCR0) and volume 2, CPUID. */
#define _GNU_SOURCE /* sched_getaffinity, CPU_COUNT */
#include "base/cpu.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#    include <cpuid.h>

/* The register sets the operating system saves: bit 1 SSE, 2 AVX, 5-7 AVX-512. */
static unsigned long long saved_registers(void)
{
    unsigned low;
    unsigned high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (unsigned long long)high << 32 | low;
}

static bool has(unsigned word, unsigned bits) { return (word & bits) == bits; }

/* Linux gives tile registers to a process that asks; seccomp or an old kernel may say no.
 * Source: Documentation/arch/x86/xstate.rst. */
static bool may_use_tiles(void)
{
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

static unsigned detect(void)
{
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return UC_CPU_ANY;
    const bool osxsave = has(c, 1u << 27);
    const bool fma_f16c = has(c, 1u << 12 | 1u << 28 | 1u << 29); /* FMA, AVX, F16C */
    if (!osxsave || !fma_f16c || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return UC_CPU_ANY;
    const unsigned long long saved = saved_registers();
    if ((saved & 0x6) != 0x6 || !has(b, 1u << 5)) return UC_CPU_ANY;
    unsigned mask = UC_CPU_AVX2;
    const bool avx512 = has(b, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31); /* F, DQ, BW, VL */
    if ((saved & 0xE6) != 0xE6 || !avx512) return mask;
    mask |= UC_CPU_AVX512;
    if (has(c, 1u << 11)) mask |= UC_CPU_VNNI;
    const bool tiles = has(d, 1u << 22 | 1u << 24 | 1u << 25); /* BF16, TILE, INT8 */
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && has(a, 1u << 5)) mask |= UC_CPU_BF16;
    if (tiles && (saved & 0x60000) == 0x60000 && may_use_tiles()) mask |= UC_CPU_AMX;
    return mask;
}
#elif defined(__aarch64__)
static unsigned detect(void) { return UC_CPU_NEON; }
#else
static unsigned detect(void) { return UC_CPU_ANY; }
#endif

/* What UNCORK_ISA leaves of the mask; anything else leaves it whole. */
static unsigned lowered(unsigned mask)
{
    const char *isa = getenv("UNCORK_ISA");
    if (!isa) return mask;
    if (strcmp(isa, "scalar") == 0) return UC_CPU_ANY;
    if (strcmp(isa, "avx2") == 0) return mask & UC_CPU_AVX2;
    if (strcmp(isa, "avx512") == 0) return mask & (UC_CPU_AVX2 | UC_CPU_AVX512);
    if (strcmp(isa, "vnni") == 0) return mask & ~(unsigned)UC_CPU_AMX;
    return mask;
}

unsigned uc_cpu_features(void)
{
    /* A cache of a constant: threads that race here store the same value. */
    enum { KNOWN = 1 << 30 };
    static _Atomic unsigned cache;
    unsigned mask = atomic_load_explicit(&cache, memory_order_relaxed);
    if (!(mask & KNOWN)) {
        mask = lowered(detect()) | KNOWN;
        atomic_store_explicit(&cache, mask, memory_order_relaxed);
    }
    return mask & ~(unsigned)KNOWN;
}

const char *uc_cpu_text(void)
{
    const unsigned mask = uc_cpu_features();
    if (mask & UC_CPU_NEON) return "neon";
    if (!(mask & UC_CPU_AVX2)) return "scalar";
    if (!(mask & UC_CPU_AVX512)) return "avx2";
    if (!(mask & UC_CPU_VNNI)) return "avx512";
    if (!(mask & UC_CPU_BF16)) return "avx512 vnni";
    return mask & UC_CPU_AMX ? "avx512 vnni bf16 amx" : "avx512 vnni bf16";
}

int uc_cpu_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    const long online = sysconf(_SC_NPROCESSORS_ONLN); /* more than 1,024 of them */
    return online > 0 ? (int)online : 1;
}

size_t uc_cpu_l2_bytes(void)
{
#ifdef _SC_LEVEL2_CACHE_SIZE
    const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (bytes > 0) return (size_t)bytes;
#endif
    return (size_t)512 << 10; /* what every server core of the last decade has at least, about */
}
