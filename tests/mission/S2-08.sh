#!/bin/sh
# raw rows from JSON, CSV and .npy, no picture
. tests/mission/lib.sh
printf '[[1.0,2.0,3.0]]' >"$work/x.json"
printf '1.0,2.0,3.0\n' >"$work/x.csv"
for input in x.json x.csv; do
    run "$uncork" predict "$data/three.pkl" "$work/$input" --json
    expect 0 '"label":0'
    python3 "$here/compare.py" "$work/out" "$data/three.expected.json" 1e-9 || fail "$input differs"
done
run "$uncork" run "$data/three.pkl" --input "$work/x.json" --output "$work/tensors"
expect 0 ''
[ -f "$work/tensors/label.npy" ] && [ -f "$work/tensors/probabilities.npy" ] || fail "outputs missing: $(ls "$work/tensors")"
