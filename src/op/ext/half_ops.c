/* Checks that the operators of --precision fast share. */
#include "op/ext/half_ops.h"

#include <inttypes.h>

uncork_status uc_half_require(uc_call *call, const uc_half **kernels)
{
    *kernels = uc_half_kernels();
    if (*kernels) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "this machine has no instructions for bfloat16");
}

uncork_status uc_half_expect(uc_call *call, size_t i, int64_t channels)
{
    const uc_tensor *t = uc_call_in(call, i);
    char text[192];
    if (!t) return UNCORK_OK;
    const bool typed = t->dtype == UNCORK_BFLOAT16 || t->dtype == UNCORK_DTYPE_NONE;
    const bool fits = t->rank < 0 || (t->rank == 4 &&
                                      (channels < 0 || t->shape[3] < 0 || t->shape[3] == channels));
    if (typed && fits) return UNCORK_OK;
    return uc_call_fail(
        call, UNCORK_INPUT, "input %zu is %s %s, not bfloat16 [n, h, w, c] with c = %" PRId64, i,
        uc_dtype_name(t->dtype), uc_shape_text(t->shape, t->rank, text, sizeof text), channels);
}

void uc_half_finish(const void *finishing, const void *sums, const int64_t *at, int64_t first,
                    int channels)
{
    const uc_half_finishing *f = finishing;
    f->kernels->finish(&f->tile, sums, at, first, channels);
}
