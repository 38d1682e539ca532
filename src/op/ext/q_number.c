/* Attributes of the quantised operators. */
#include "op/ext/q_number.h"

#include <inttypes.h>
#include <stdio.h>

static void bounds(uncork_dtype dtype, int64_t *low, int64_t *high)
{
    *low = dtype == UNCORK_UINT8 ? 0 : dtype == UNCORK_INT16 ? INT16_MIN : INT32_MIN;
    *high = dtype == UNCORK_UINT8 ? 255 : dtype == UNCORK_INT16 ? INT16_MAX : INT32_MAX;
}

static uncork_status read_int(uc_call *call, const char *name, int64_t otherwise,
                              uncork_dtype dtype, int32_t *to)
{
    int64_t low, high;
    bounds(dtype, &low, &high);
    const int64_t v = uc_call_int(call, name, otherwise);
    if (v < low || v > high)
        return uc_call_fail(call, UNCORK_INPUT, "%s is %" PRId64 ", which %s can't hold", name, v,
                            uc_dtype_name(dtype));
    *to = (int32_t)v;
    return UNCORK_OK;
}

uncork_status uc_q_rule_read(uc_call *call, uc_q_rule *rule)
{
    static const char *const names[] = {"xnnpack", "builtin", "reference"};
    const uc_str given = uc_call_str(call, "rounding", names[0]);
    for (int i = 0; i < 3; i++) {
        if (!uc_str_is(given, names[i])) continue;
        *rule = (uc_q_rule)i;
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_INPUT, "rounding is neither xnnpack, builtin nor reference");
}

uncork_status uc_q_number_read(uc_call *call, const char *prefix, uncork_dtype dtype,
                               uc_q_number *number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%s_scale", prefix);
    number->scale = (float)uc_call_float(call, name, 1);
    if (!(number->scale > 0) || !isfinite(number->scale))
        return uc_call_fail(call, UNCORK_INPUT, "%s isn't a number above 0", name);
    (void)snprintf(name, sizeof name, "%s_zero", prefix);
    return read_int(call, name, 0, dtype, &number->zero);
}

uncork_status uc_q_limits_read(uc_call *call, uncork_dtype dtype, int32_t *low, int32_t *high)
{
    int64_t least, most;
    bounds(dtype, &least, &most);
    UC_TRY(read_int(call, "low", least, dtype, low));
    UC_TRY(read_int(call, "high", most, dtype, high));
    if (*low <= *high) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "low is above high");
}

uncork_status uc_q_expect(uc_call *call, size_t i)
{
    const uc_tensor *x = uc_call_arg(call, i);
    if (!x->dtype || x->dtype == UNCORK_UINT8 || x->dtype == UNCORK_INT16) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, neither uint8 nor int16", i,
                        uc_dtype_name(x->dtype));
}
