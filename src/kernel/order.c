/* Order of elements: see order.h. */
#include "kernel/order.h"

#define TOP_BIT (UINT64_C(1) << 63)

/* Source: the usual trick (Herf, "Radix Tricks", 2001): flip the sign bit of positive numbers and all
 * bits of negative ones. */
static uint64_t key_of_f64(double v)
{
    uint64_t bits;
    if (v != v) return UINT64_MAX;
    v += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits & TOP_BIT ? ~bits : bits | TOP_BIT;
}

uint64_t uc_order_key(const void *data, int64_t i, uncork_dtype dtype)
{
    if (dtype == UNCORK_FLOAT64) return key_of_f64(((const double *)data)[i]);
    if (dtype == UNCORK_FLOAT32) return key_of_f64((double)((const float *)data)[i]);
    if (dtype == UNCORK_UINT64) return ((const uint64_t *)data)[i];
    if (uc_dtype_is_float(dtype)) return key_of_f64(uc_dtype_load_f64(data, i, dtype));
    return (uint64_t)uc_dtype_load_i64(data, i, dtype) ^ TOP_BIT;
}

static bool before(uc_ordered a, uc_ordered b)
{
    return a.key != b.key ? a.key < b.key : a.index < b.index;
}

/* The heap's top is its largest: what the next smaller item replaces. */
static void sift_down(uc_ordered *heap, int64_t at, int64_t n)
{
    uc_ordered item = heap[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(heap[child], heap[child + 1])) child++;
        if (!before(item, heap[child])) break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

void uc_order_smallest(uc_ordered *heap, int64_t k, uc_key_fn key, const void *context, int64_t n)
{
    for (int64_t i = 0; i < k; i++) {
        heap[i] = (uc_ordered){key(context, i), i};
    }
    for (int64_t i = k / 2 - 1; i >= 0; i--) {
        sift_down(heap, i, k);
    }
    for (int64_t i = k; k > 0 && i < n; i++) {
        uc_ordered item = {key(context, i), i};
        if (!before(item, heap[0])) continue;
        heap[0] = item;
        sift_down(heap, 0, k);
    }
    for (int64_t end = k - 1; end > 0; end--) {
        uc_ordered largest = heap[0];
        heap[0] = heap[end];
        heap[end] = largest;
        sift_down(heap, 0, end);
    }
}

void uc_order_indices(int64_t *indices, int64_t *room, int64_t n, uc_compare_fn compare,
                      const void *context)
{
    int64_t *from = indices, *to = room;
    for (int64_t width = 1; width < n; width *= 2) {
        for (int64_t begin = 0; begin < n; begin += 2 * width) {
            int64_t middle = begin + width < n ? begin + width : n;
            int64_t end = begin + 2 * width < n ? begin + 2 * width : n;
            int64_t a = begin, b = middle;
            for (int64_t i = begin; i < end; i++) {
                bool left = a < middle && (b >= end || compare(context, from[a], from[b]) <= 0);
                to[i] = left ? from[a++] : from[b++];
            }
        }
        int64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != indices) memcpy(indices, from, (size_t)n * sizeof *indices);
}
