/* Tiles of 32 pixels times 32 output channels: sums of products of 8-bit or bfloat16 numbers, four
 * bytes of each at a time. A convolution over channels-last pixels is such tiles, since the pixels of
 * a kernel's row lie side by side; so is a matrix product.
 *
 * Integer sums are exact (modulo 2^32) and so the same in every row; bfloat16 sums are float32, added
 * in another order by each row. */
#ifndef UC_KERNEL_DOT_TILE_H
#define UC_KERNEL_DOT_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum uc_dot_kind {
    UC_DOT_U8S8, /* pixels unsigned, weights signed, sums int32 */
    UC_DOT_BF16, /* both bfloat16, sums float32 */
} uc_dot_kind;

enum {
    UC_DOT_PIXELS = 32,
    UC_DOT_PANEL = 16,    /* output channels side by side in the packed weights */
    UC_DOT_CHANNELS = 32, /* of a tile: two panels */
    UC_DOT_CHUNK = 64,    /* bytes of a pixel's run that are zero-padded together */
    UC_DOT_SLACK = 64,    /* bytes behind the last pixel that a tile may read */
};

typedef struct uc_dot_tile {
    const uint8_t *a;     /* the first pixel's bytes under the kernel's first row */
    ptrdiff_t a_stride;   /* bytes from a pixel to the next */
    int64_t taps;         /* rows of the kernel */
    ptrdiff_t tap_stride; /* bytes from a kernel's row to the next, in the picture */
    int64_t run;          /* bytes side by side under one row of the kernel */
    const uint8_t *b;     /* packed, see uc_dot_pack; the tile's first panel */
    int panels;           /* 1 or 2 */
    bool cold;            /* b isn't in the caches yet */
    void *sums;           /* [UC_DOT_PIXELS][UC_DOT_CHANNELS] int32 or float32, 64-byte aligned */
} uc_dot_tile;

typedef struct uc_dot_row {
    const char *name;
    /* Before and after a thread's tiles. */
    void (*begin)(void);
    void (*end)(void);
    void (*tile)(const uc_dot_tile *tile);
} uc_dot_row;

/* The best row of this machine; NULL for bfloat16 where it has no instructions for it. */
const uc_dot_row *uc_dot_row_of(uc_dot_kind kind);
/* The i-th row that this machine can run, best first, NULL beyond the last; for tests. */
const uc_dot_row *uc_dot_row_at(uc_dot_kind kind, int i);

/* Bytes of one panel: [taps][chunks of run][16 groups of 4 bytes][UC_DOT_PANEL][4]. */
static inline int64_t uc_dot_panel_bytes(int64_t taps, int64_t run)
{
    return taps * ((run + UC_DOT_CHUNK - 1) / UC_DOT_CHUNK) * UC_DOT_CHUNK * UC_DOT_PANEL;
}
/* Bytes of all panels for `channels` output channels. */
static inline int64_t uc_dot_packed_bytes(int64_t channels, int64_t taps, int64_t run)
{
    return (channels + UC_DOT_PANEL - 1) / UC_DOT_PANEL * uc_dot_panel_bytes(taps, run);
}
/* One output channel's weights, [taps][run] bytes, into the zeroed panels. */
void uc_dot_pack(const uint8_t *from, int64_t channel, int64_t taps, int64_t run, uint8_t *to);

#endif
