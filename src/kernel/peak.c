/* Chooses the peak loop of this machine; the scalar one needs nothing. */
#include "kernel/peak.h"

#include "base/cpu.h"
#include "kernel/peak_rows.h"

#define NAME           uc_peak_scalar
#define V              float
#define LANES          1
#define V_SET(v)       (v)
#define V_FMA(a, b, c) ((a) * (b) + (c))
#define V_SUM(v)       (v)
#include "kernel/peak.inc"

uint64_t uc_peak_run(uint64_t steps)
{
    static volatile float seed = 0.5f, kept; /* what the compiler can't know or drop */
    float sink = seed;
    uint64_t done = 0;
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_AVX512) {
        done = uc_peak_avx512(steps, &sink);
    } else if (uc_cpu_features() & UC_CPU_AVX2) {
        done = uc_peak_avx2(steps, &sink);
    }
#endif
    if (!done) done = uc_peak_scalar(steps, &sink);
    kept = sink;
    (void)kept;
    return done;
}
