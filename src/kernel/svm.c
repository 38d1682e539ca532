/* Packing of support vectors, the row that needs no instruction set, and the choice of a row. */
#include "kernel/svm.h"

#include "base/cpu.h"

#define SVM_RUN          uc_svm_scalar
#define SVM_BYTES        16
#define SVM_ROWS         2
#define SVM_SUMS         4
#define SVM_ALONE        8
#define SVM_DOTS         2
#define SVM_INTEGERS     uc_svm_integer_sums_scalar
#define SVM_FMA(a, b, c) ((a) * (b) + (c))
#include "kernel/svm_body.inc"

int64_t uc_svm_packed(int64_t vectors, int64_t features)
{
    return uc_svm_padded(vectors) * features;
}

void uc_svm_pack(const double *from, int64_t vectors, int64_t features, double *to)
{
    int64_t all = uc_svm_padded(vectors);
    for (int64_t at = 0; at < all; at += UC_SVM_PANEL) {
        int64_t width = all - at < UC_SVM_PANEL ? all - at : UC_SVM_PANEL;
        for (int64_t f = 0; f < features; f++) {
            for (int64_t i = at; i < at + width; i++) {
                *to++ = i < vectors ? from[i * features + f] : 0;
            }
        }
    }
}

int64_t uc_svm_weights(const uc_svm *svm)
{
    int64_t count = 0;
    if (svm->sums == 1) return svm->padded;
    for (int64_t c = 0; c < svm->classes; c++) {
        count += svm->sums * uc_svm_padded(svm->starts[c + 1] - svm->starts[c]);
    }
    return count;
}

static double *pack_row(const double *from, int64_t n, double *to)
{
    int64_t all = uc_svm_padded(n);
    for (int64_t i = 0; i < all; i++)
        to[i] = i < n ? from[i] : 0;
    return to + all;
}

void uc_svm_pack_weights(const uc_svm *svm, const double *from, double *to)
{
    if (svm->sums == 1) {
        pack_row(from, svm->vectors, to);
        return;
    }
    for (int64_t c = 0; c < svm->classes; c++) {
        int64_t begin = svm->starts[c], n = svm->starts[c + 1] - begin;
        for (int64_t s = 0; s < svm->sums; s++) {
            to = pack_row(from + s * svm->vectors + begin, n, to);
        }
    }
}

int64_t uc_svm_scratch(const uc_svm *svm)
{
    return uc_svm_values(svm) + uc_svm_integer_row_size(svm->features) / 4 + 1;
}

uc_svm_fn uc_svm_row(unsigned features)
{
#if defined(__x86_64__)
    static const struct {
        unsigned needs;
        uc_svm_fn run;
    } rows[] = {
        {UC_CPU_AVX512, uc_svm_avx512},
        {UC_CPU_AVX2, uc_svm_avx2},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (features & rows[i].needs) return rows[i].run;
    }
#else
    (void)features;
#endif
    return uc_svm_scalar;
}
