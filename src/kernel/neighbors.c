/* See neighbors.h. Every step that decides between equal values is kept as the source has it. */
#include "kernel/neighbors.h"

#include <math.h>

void uc_heap_clear(double *values, int64_t *indices, int64_t size)
{
    for (int64_t i = 0; i < size; i++) {
        values[i] = (double)INFINITY;
        indices[i] = 0;
    }
}

void uc_heap_push(double *values, int64_t *indices, int64_t size, double value, int64_t index)
{
    if (!(value < values[0])) return;
    int64_t at = 0;
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && values[child] < values[child + 1]) child++;
        if (!(value < values[child])) break;
        values[at] = values[child];
        indices[at] = indices[child];
        at = child;
    }
    values[at] = value;
    indices[at] = index;
}

static void swap_pair(double *values, int64_t *indices, int64_t a, int64_t b)
{
    double v = values[a];
    int64_t i = indices[a];
    values[a] = values[b];
    indices[a] = indices[b];
    values[b] = v;
    indices[b] = i;
}

/* Smallest of three to the front, median to the end, largest to the middle. */
static double median3_to_end(double *values, int64_t *indices, int64_t size)
{
    int64_t middle = size / 2;
    if (values[0] > values[size - 1]) swap_pair(values, indices, 0, size - 1);
    if (values[size - 1] > values[middle]) {
        swap_pair(values, indices, size - 1, middle);
        if (values[0] > values[size - 1]) swap_pair(values, indices, 0, size - 1);
    }
    return values[size - 1];
}

static void insertion_sort(double *values, int64_t *indices, int64_t size)
{
    for (int64_t i = 1; i < size; i++) {
        double v = values[i];
        int64_t index = indices[i], j = i;
        for (; j > 0 && values[j - 1] > v; j--) {
            values[j] = values[j - 1];
            indices[j] = indices[j - 1];
        }
        values[j] = v;
        indices[j] = index;
    }
}

void uc_sort_pairs_quick(double *values, int64_t *indices, int64_t size)
{
    /* The larger side last, in the loop: the depth stays below log2(size). */
    while (size > 3) {
        double pivot = median3_to_end(values, indices, size);
        int64_t store = 0;
        for (int64_t i = 0; i < size - 1; i++) {
            if (values[i] < pivot) swap_pair(values, indices, i, store++);
        }
        swap_pair(values, indices, store, size - 1);
        int64_t right = size - store - 1;
        if (store < right) {
            uc_sort_pairs_quick(values, indices, store);
            values += store + 1;
            indices += store + 1;
            size = right;
        } else {
            uc_sort_pairs_quick(values + store + 1, indices + store + 1, right);
            size = store;
        }
    }
    if (size < 2) return;
    if (values[0] > values[1]) swap_pair(values, indices, 0, 1);
    if (size == 3 && values[1] > values[2]) {
        swap_pair(values, indices, 1, 2);
        if (values[0] > values[1]) swap_pair(values, indices, 0, 1);
    }
}

static void sift_down(double *values, int64_t *indices, int64_t root, int64_t end)
{
    for (;;) {
        int64_t child = root * 2 + 1, most = root;
        if (child < end && values[most] < values[child]) most = child;
        if (child + 1 < end && values[most] < values[child + 1]) most = child + 1;
        if (most == root) return;
        swap_pair(values, indices, root, most);
        root = most;
    }
}

static void heap_sort(double *values, int64_t *indices, int64_t size)
{
    for (int64_t start = (size - 2) / 2; start >= 0; start--) {
        sift_down(values, indices, start, size);
    }
    for (int64_t end = size - 1; end > 0; end--) {
        swap_pair(values, indices, 0, end);
        sift_down(values, indices, 0, end);
    }
}

static void intro_sort(double *values, int64_t *indices, int64_t size, int64_t depth)
{
    while (size > 15) {
        if (depth-- <= 0) {
            heap_sort(values, indices, size);
            return;
        }
        double pivot = median3_to_end(values, indices, size);
        int64_t i = 1, j = size - 2;
        for (;;) {
            while (i <= j && values[i] < pivot) {
                i++;
            }
            while (i <= j && values[j] > pivot) {
                j--;
            }
            if (i >= j) break;
            swap_pair(values, indices, i++, j--);
        }
        swap_pair(values, indices, i, size - 1);
        intro_sort(values, indices, i, depth);
        values += i + 1;
        indices += i + 1;
        size -= i + 1;
    }
    insertion_sort(values, indices, size);
}

static int64_t log2_floor(int64_t n)
{
    int64_t log = 0;
    while (n >>= 1) {
        log++;
    }
    return log;
}

void uc_sort_pairs_intro(double *values, int64_t *indices, int64_t size)
{
    if (size > 0) intro_sort(values, indices, size, 2 * log2_floor(size));
}

/* NumPy's order: NaN after every number. */
static bool less(double a, double b) { return a < b || (b != b && a == a); }

static void swap_order(int64_t *order, int64_t a, int64_t b)
{
    int64_t t = order[a];
    order[a] = order[b];
    order[b] = t;
}

#define LESS(a, b) less(v[order[a]], v[order[b]])

/* The median of three to `low`, the least of them to low + 1. */
static void select_median3(const double *v, int64_t *order, int64_t low, int64_t mid, int64_t high)
{
    if (LESS(high, mid)) swap_order(order, high, mid);
    if (LESS(high, low)) swap_order(order, high, low);
    if (LESS(low, mid)) swap_order(order, low, mid);
    swap_order(order, mid, low + 1);
}

static int64_t select_median5(const double *v, int64_t *order)
{
    if (LESS(1, 0)) swap_order(order, 1, 0);
    if (LESS(4, 3)) swap_order(order, 4, 3);
    if (LESS(3, 0)) swap_order(order, 3, 0);
    if (LESS(4, 1)) swap_order(order, 4, 1);
    if (LESS(2, 1)) swap_order(order, 2, 1);
    if (!LESS(3, 2)) return 2;
    return LESS(3, 1) ? 1 : 3;
}

static void select_dumb(const double *v, int64_t *order, int64_t count, int64_t kth)
{
    for (int64_t i = 0; i <= kth; i++) {
        int64_t least = i;
        for (int64_t k = i + 1; k < count; k++) {
            if (LESS(k, least)) least = k;
        }
        swap_order(order, i, least);
    }
}

static void introselect(const double *v, int64_t *order, int64_t count, int64_t kth);

/* Median of the medians of groups of five; the recursion shrinks fivefold. */
static int64_t select_median_of_medians(const double *v, int64_t *order, int64_t count)
{
    int64_t medians = count / 5;
    for (int64_t i = 0; i < medians; i++) {
        swap_order(order, 5 * i + select_median5(v, order + 5 * i), i);
    }
    if (medians > 2) introselect(v, order, medians, medians / 2);
    return medians / 2;
}

static void introselect(const double *v, int64_t *order, int64_t count, int64_t kth)
{
    int64_t low = 0, high = count - 1;
    if (kth < 3) {
        select_dumb(v, order, count, kth);
        return;
    }
    if (kth == count - 1) {
        int64_t most = low;
        for (int64_t k = low + 1; k < count; k++) {
            if (!LESS(k, most)) most = k;
        }
        swap_order(order, kth, most);
        return;
    }
    int64_t depth = 2 * log2_floor(count);
    while (low + 1 < high) {
        int64_t ll = low + 1, hh = high;
        if (depth > 0 || hh - ll < 5) {
            select_median3(v, order, low, low + (high - low) / 2, high);
        } else {
            swap_order(order, ll + select_median_of_medians(v, order + ll, hh - ll), low);
            ll--;
            hh++;
        }
        depth--;
        double pivot = v[order[low]];
        for (;;) {
            do {
                ll++;
            } while (less(v[order[ll]], pivot));
            do {
                hh--;
            } while (less(pivot, v[order[hh]]));
            if (hh < ll) break;
            swap_order(order, ll, hh);
        }
        swap_order(order, low, hh);
        if (hh >= kth) high = hh - 1;
        if (hh <= kth) low = ll;
    }
    if (high == low + 1 && LESS(high, low)) swap_order(order, high, low);
}

/* numpy.argsort's quicksort over a gathered row: values are v[order[.]], ties by position. */
static void argsort(const double *v, int64_t *order, int64_t count)
{
    while (count > 16) {
        int64_t middle = (count - 1) / 2, high = count - 1;
        if (LESS(middle, 0)) swap_order(order, middle, 0);
        if (LESS(high, middle)) swap_order(order, high, middle);
        if (LESS(middle, 0)) swap_order(order, middle, 0);
        double pivot = v[order[middle]];
        int64_t i = 0, j = high - 1;
        swap_order(order, middle, j);
        for (;;) {
            do {
                i++;
            } while (less(v[order[i]], pivot));
            do {
                j--;
            } while (less(pivot, v[order[j]]));
            if (i >= j) break;
            swap_order(order, i, j);
        }
        swap_order(order, i, high - 1);
        if (i < high - i) {
            argsort(v, order, i);
            order += i + 1;
            count -= i + 1;
        } else {
            argsort(v, order + i + 1, high - i);
            count = i;
        }
    }
    for (int64_t i = 1; i < count; i++) {
        int64_t index = order[i], j = i;
        for (; j > 0 && less(v[index], v[order[j - 1]]); j--) {
            order[j] = order[j - 1];
        }
        order[j] = index;
    }
}

void uc_partition_smallest(const double *v, int64_t count, int64_t k, int64_t *order)
{
    for (int64_t i = 0; i < count; i++) {
        order[i] = i;
    }
    introselect(v, order, count, k - 1);
    argsort(v, order, k);
}

void uc_tree_query(const uc_tree_node *nodes, const double *bounds, const int64_t *order,
                   const double *reduced, int64_t node, double *values, int64_t *indices, int64_t k)
{
    if (bounds[node] > values[0]) return;
    if (nodes[node].is_leaf) {
        for (int64_t i = nodes[node].begin; i < nodes[node].end; i++) {
            uc_heap_push(values, indices, k, reduced[order[i]], order[i]);
        }
        return;
    }
    /* Depth: a tree of n nodes, laid out as a heap, is log2(n) deep. */
    int64_t left = 2 * node + 1, right = left + 1;
    bool left_first = bounds[left] <= bounds[right];
    uc_tree_query(nodes, bounds, order, reduced, left_first ? left : right, values, indices, k);
    uc_tree_query(nodes, bounds, order, reduced, left_first ? right : left, values, indices, k);
}

double uc_pairwise_sum(const double *v, int64_t n)
{
    if (n < 8) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) {
            sum += v[i];
        }
        return sum;
    }
    if (n > 128) {
        int64_t half = n / 2;
        half -= half % 8;
        return uc_pairwise_sum(v, half) + uc_pairwise_sum(v + half, n - half);
    }
    double r[8];
    int64_t i = 8;
    for (int j = 0; j < 8; j++) {
        r[j] = v[j];
    }
    for (; i < n - n % 8; i += 8) {
        for (int j = 0; j < 8; j++) {
            r[j] += v[i + j];
        }
    }
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++) {
        sum += v[i];
    }
    return sum;
}
