/* Gamma functions libm lacks in thread-safe form. */
#ifndef UC_KERNEL_SPECIAL_H
#define UC_KERNEL_SPECIAL_H

/* ln Gamma(x), x > 0. Stirling's series from 15 on, the recurrence below. Error < 2e-14
 * max(1, result). */
double uc_log_gamma(double x);
/* The derivative of ln Gamma, x > 0: the asymptotic series from 16 on, the recurrence below. */
double uc_digamma(double x);

#endif
