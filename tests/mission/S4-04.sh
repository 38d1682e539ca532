#!/bin/sh
# a pickled (model, scaler): the scaler goes first, and it is said
. tests/mission/lib.sh
run "$uncork" predict "$digits/model_and_scaler.pkl" "$digits" --json
expect 0 'is applied before the model'
python3 "$here/compare.py" "$work/out" "$data/model_and_scaler.pkl.json" 1e-9 || fail "differs"
