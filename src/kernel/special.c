/* See special.h. Series: Abramowitz & Stegun, 6.1.41 and 6.3.18. */
#include "kernel/special.h"

#include <math.h>

double uc_log_gamma(double x)
{
    double shift = 1.0;
    while (x < 15.0) {
        shift *= x;
        x += 1.0;
    }
    double r = 1.0 / (x * x);
    double series =
        1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)));
    static const double half_log_2pi = 0.91893853320467274178;
    return (x - 0.5) * log(x) - x + half_log_2pi + series / x - log(shift);
}

double uc_digamma(double x)
{
    double sum = 0.0;
    while (x < 16.0) {
        sum -= 1.0 / x;
        x += 1.0;
    }
    double r = 1.0 / (x * x);
    double series =
        r * (1.0 / 12.0 - r * (1.0 / 120.0 - r * (1.0 / 252.0 - r * (1.0 / 240.0 - r / 132.0))));
    return sum + log(x) - 0.5 / x - series;
}
