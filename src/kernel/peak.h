/* What one core can do: float32 multiply-adds on registers alone, twelve chains of them, which no kernel
 * can beat. For reports only. */
#ifndef UC_KERNEL_PEAK_H
#define UC_KERNEL_PEAK_H

#include <stdint.h>

/* Does `steps` rounds with the widest vectors this machine may use; the multiply-adds done. */
uint64_t uc_peak_run(uint64_t steps);

#endif
