/* Blocked convolution, NEON: four lanes a register, 32 of them, so the tiles of AVX-512. */
#if defined(__aarch64__)

#    include <arm_neon.h>

#    define V             float32x4_t
#    define VN            4
#    define TILE_MAX      14
#    define LOAD(p)       vld1q_f32(p)
#    define STORE(p, v)   vst1q_f32(p, v)
#    define SET1(x)       vdupq_n_f32(x)
#    define FMA(a, b, c)  vfmaq_f32(c, a, b)
#    define MAX(a, b)     vmaxq_f32(a, b)
#    define MIN(a, b)     vminq_f32(a, b)
#    define RECIPROCAL(x) vdivq_f32(vdupq_n_f32(1), x)
#    define ROW           uc_conv_neon
#    define NEEDS         UC_CPU_NEON
#    define NAME          "neon"
#    include "kernel/conv_blocked.inc"

#else
typedef int uc_conv_no_neon;
#endif
