/* Packing for svm_integer.h, and the row that needs no instruction set. */
#include "kernel/svm_integer.h"

#include <math.h>

enum { LANES = UC_SVM_INTEGER_LANES };

/* Products of two 16-bit numbers are added in pairs before they meet a 32-bit sum. */
#define MOST_INT16 32767

int32_t uc_svm_integer_most(const double *vectors, int64_t count, int64_t features, bool squared)
{
    double largest = 1;
    for (int64_t i = 0; i < count * features; i++) {
        double v = fabs(vectors[i]);
        if (!(v <= MOST_INT16) || v != floor(v)) return 0;
        if (v > largest) largest = v;
    }
    if (features < 1) return 0;
    double sum = 0x1p31 - 1, most;
    if (squared) {
        most = floor(sqrt(sum / (double)features)) - largest;
    } else {
        most = floor(sum / (double)features / largest);
    }
    return most < 1 ? 0 : most < MOST_INT16 ? (int32_t)most : MOST_INT16;
}

int64_t uc_svm_integer_packed(int64_t count, int64_t features)
{
    return (count + LANES - 1) / LANES * LANES * uc_svm_integer_row_size(features);
}

static int16_t value_at(const double *vectors, int64_t count, int64_t features, int64_t i,
                        int64_t f)
{
    return i < count && f < features ? (int16_t)vectors[i * features + f] : 0;
}

void uc_svm_integer_pack(const double *vectors, int64_t count, int64_t features, int16_t *panels,
                         int32_t *norms)
{
    for (int64_t at = 0; at < count; at += LANES) {
        for (int64_t f = 0; f < features; f += 2) {
            for (int64_t i = at; i < at + LANES; i++) {
                *panels++ = value_at(vectors, count, features, i, f);
                *panels++ = value_at(vectors, count, features, i, f + 1);
            }
        }
        for (int64_t i = at; norms && i < at + LANES; i++) {
            uint32_t sum = 0; /* may wrap: the sum it belongs to doesn't */
            for (int64_t f = 0; f < features; f++) {
                int32_t v = value_at(vectors, count, features, i, f);
                sum += (uint32_t)(v * v);
            }
            norms[i] = (int32_t)sum;
        }
    }
}

bool uc_svm_integer_row(const uc_svm_integers *svm, const double *x, int16_t *to)
{
    const double most = svm->most;
    int bad = 0;
    for (int64_t f = 0; f < svm->features; f++) {
        double v = x[f] >= -most && x[f] <= most ? x[f] : 0.5; /* 0.5: refused below; NaN too */
        int32_t whole = (int32_t)v;
        bad |= whole != v;
        to[f] = (int16_t)whole;
    }
    if (svm->features % 2) to[svm->features] = 0;
    return !bad;
}

void uc_svm_integer_sums_scalar(const uc_svm_integers *svm, const int16_t *row, double *out)
{
    int64_t pairs = (svm->features + 1) / 2;
    const int16_t *panel = svm->panels;
    uint32_t norm = 0;
    for (int64_t f = 0; f < svm->features; f++)
        norm += (uint32_t)(row[f] * row[f]);
    for (int64_t b = 0; b < svm->blocks; b++) {
        uint32_t sum[LANES] = {0};
        for (int64_t p = 0; p < pairs; p++) {
            for (int i = 0; i < LANES; i++, panel += 2) {
                sum[i] += (uint32_t)(panel[0] * row[2 * p]);
                sum[i] += (uint32_t)(panel[1] * row[2 * p + 1]);
            }
        }
        for (int i = 0; i < LANES; i++, out++) {
            uint32_t s = sum[i];
            if (svm->norms) s = norm + (uint32_t)svm->norms[b * LANES + i] - 2 * s;
            *out = (int32_t)s;
        }
    }
}
