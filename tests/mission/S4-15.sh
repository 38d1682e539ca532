#!/bin/sh
# a cut or corrupt file: the offset is told
. tests/mission/lib.sh
size=$(wc -c <"$digits/model_and_scaler.pkl")
for n in 10 500 5000 $((size - 1)); do
    head -c "$n" "$digits/model_and_scaler.pkl" >"$work/cut.pkl"
    run "$uncork" predict "$work/cut.pkl" "$digits/digit_7.png"
    expect 3 'byte '
    one_line
done
head -c 60000 "$digits/forest.joblib" >"$work/cut.joblib"
run "$uncork" predict "$work/cut.joblib" "$digits/digit_7.png"
expect 3 'cut short'
one_line
