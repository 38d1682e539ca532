#!/bin/sh
# the same bytes give the same tensor, whatever the threads and instruction set
. tests/mission/lib.sh
for isa in scalar avx2 avx512; do
    for threads in 1 2; do
        UNCORK_ISA=$isa "$uncork" predict "$data/identity784.pkl" tests/fixtures/image/rgb.png tests/fixtures/image/rgb_420_q92.jpg \
            --preprocess 'gray | resize=28x28,lanczos,pillow | float32 | scale=1/255 | flatten' --json --quiet --threads "$threads" >"$work/$isa.$threads" || fail "$isa $threads"
        cmp "$work/$isa.$threads" "$work/scalar.1" || fail "$isa with $threads threads differs"
    done
done
