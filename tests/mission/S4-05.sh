#!/bin/sh
# scalers are exact; --raw leaves a scaler out
. tests/mission/lib.sh
"$(dirname "$uncork")/test_estimators" Scaler || exit 1
run "$uncork" predict "$digits/model_and_scaler.pkl" "$digits/digit_3.png" --json --raw
expect 0 '"label"'
cp "$work/out" "$work/raw"
run "$uncork" predict "$digits/model_and_scaler.pkl" "$digits/digit_3.png" --json
cmp -s "$work/out" "$work/raw" && fail "--raw changes nothing"
exit 0
