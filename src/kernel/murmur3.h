/* MurmurHash3 x86_32 (Austin Appleby, 2008, public domain): how scikit-learn hashes features. */
#ifndef UC_KERNEL_MURMUR3_H
#define UC_KERNEL_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

/* As sklearn.utils.murmurhash3_bytes_s32. */
int32_t uc_murmur3_s32(const void *data, size_t size, uint32_t seed);

#endif
