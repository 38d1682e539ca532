#!/bin/sh
# calibration of lightgbm 4.7 sees decision_function, which older classifiers lack
. tests/mission/lib.sh
lightgbm=tests/fixtures/lightgbm
run "$uncork" predict "$lightgbm/calibrated.pkl" "$lightgbm/calibrated.csv" --json --quiet
expect 0 '"label"'
python3 "$here/compare.py" "$work/out" "$lightgbm/calibrated.expected.json" 1e-9 || fail "calibrated lightgbm differs"
