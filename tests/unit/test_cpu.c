#include "base/cpu.h"

#include "check.h"

#include <string.h>

static void a_wider_set_implies_the_narrower(void **state)
{
    (void)state;
    const unsigned f = uc_cpu_features();
    if (f & (UC_CPU_VNNI | UC_CPU_BF16)) CHECK(f & UC_CPU_AVX512);
    if (f & UC_CPU_AVX512) CHECK(f & UC_CPU_AVX2);
    CHECK_INT(f, uc_cpu_features());
}

static void the_compiler_sees_the_same_features(void **state)
{
    (void)state;
#if defined(__x86_64__)
    const unsigned f = uc_cpu_features();
    CHECK_INT(!!(f & UC_CPU_AVX2), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
    CHECK_INT(!!(f & UC_CPU_AVX512),
              __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"));
    CHECK_INT(!!(f & UC_CPU_VNNI), !!__builtin_cpu_supports("avx512vnni"));
#endif
}

static void text_cores_and_cache_are_said(void **state)
{
    (void)state;
    CHECK(strlen(uc_cpu_text()) > 0);
    CHECK(uc_cpu_cores() >= 1);
    CHECK(uc_cpu_l2_bytes() >= 16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wider_set_implies_the_narrower),
        cmocka_unit_test(the_compiler_sees_the_same_features),
        cmocka_unit_test(text_cores_and_cache_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
