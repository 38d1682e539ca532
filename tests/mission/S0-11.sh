#!/bin/sh
# a wrong size names the expected and the given shape
. tests/mission/lib.sh
run "$uncork" predict "$digits/model_and_scaler.pkl" "$digits/digit_7.png" --preprocess 'gray | resize=28x28,pillow'
expect 2 '784 values'
expect 2 '[64]'
one_line
printf '1,2\n' >"$work/two.csv"
run "$uncork" predict "$data/three.pkl" "$work/two.csv"
expect 1 'takes 3 columns, a row has 2'
