/* Which row of span.h this machine uses. */
#include "kernel/span.h"

#include "base/cpu.h"

#if defined(__x86_64__)
#    define CHOOSE(T)                                               \
        unsigned features = uc_cpu_features();                      \
        if (features & UC_CPU_AVX512) return &uc_span_##T##_avx512; \
        return features & UC_CPU_AVX2 ? &uc_span_##T##_avx2 : &uc_span_##T##_scalar
#else
#    define CHOOSE(T) return &uc_span_##T##_scalar
#endif

const uc_span_f32 *uc_spans_f32(void) { CHOOSE(f32); }

const uc_span_f64 *uc_spans_f64(void) { CHOOSE(f64); }
