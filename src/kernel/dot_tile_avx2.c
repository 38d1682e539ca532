/* dot_tile.h for AVX2: bytes widened to 16 bits, since pairs of 8-bit products don't fit in them. */
#include "kernel/dot_tile_rows.h"

#include <immintrin.h>
#include <string.h>

enum { TOGETHER = 4 };

/* Eight channels' sums of four products each: [8][4] bytes of weights against four pixel bytes. */
static inline __m256i dot4(__m256i sum, __m256i pixel, const uint8_t *w)
{
    const __m256i low = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)w));
    const __m256i high =
        _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)(w + 16)));
    const __m256i a = _mm256_madd_epi16(low, pixel), b = _mm256_madd_epi16(high, pixel);
    return _mm256_add_epi32(sum, _mm256_hadd_epi32(a, b));
}

static inline __m256i pixel_of(const uint8_t *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return _mm256_cvtepu8_epi16(_mm_set1_epi32(v));
}

/* hadd leaves the channels as 0 1 4 5 2 3 6 7. */
static inline void store(void *to, __m256i v)
{
    _mm256_store_si256(to, _mm256_permute4x64_epi64(v, _MM_SHUFFLE(3, 1, 2, 0)));
}

static void pixels_of(const uc_dot_tile *t, int first, int panel)
{
    const int64_t chunks = (t->run + UC_DOT_CHUNK - 1) / UC_DOT_CHUNK, groups = (t->run + 3) / 4;
    const uint8_t *b = t->b + panel * uc_dot_panel_bytes(t->taps, t->run);
    __m256i sum[TOGETHER][2];
    for (int p = 0; p < TOGETHER; p++)
        sum[p][0] = sum[p][1] = _mm256_setzero_si256();
    for (int64_t tap = 0; tap < t->taps; tap++, b += chunks * UC_DOT_CHUNK * UC_DOT_PANEL) {
        const uint8_t *a = t->a + first * t->a_stride + tap * t->tap_stride;
        for (int64_t g = 0; g < groups; g++) {
            const uint8_t *w = b + g * 4 * UC_DOT_PANEL;
            for (int p = 0; p < TOGETHER; p++) {
                const __m256i pixel = pixel_of(a + p * t->a_stride + g * 4);
                sum[p][0] = dot4(sum[p][0], pixel, w);
                sum[p][1] = dot4(sum[p][1], pixel, w + 32);
            }
        }
    }
    char *sums = (char *)t->sums + (first * UC_DOT_CHANNELS + panel * UC_DOT_PANEL) * 4;
    for (int p = 0; p < TOGETHER; p++) {
        store(sums + p * UC_DOT_CHANNELS * 4, sum[p][0]);
        store(sums + p * UC_DOT_CHANNELS * 4 + 32, sum[p][1]);
    }
}

void uc_dot_u8s8_avx2(const uc_dot_tile *tile)
{
    for (int p = 0; p < UC_DOT_PIXELS; p += TOGETHER) {
        for (int panel = 0; panel < tile->panels; panel++)
            pixels_of(tile, p, panel);
    }
}
