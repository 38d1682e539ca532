#!/bin/sh
# a model of scikit-learn 1.0 runs: the version is read, its differences applied and told
. tests/mission/lib.sh
run "$uncork" predict "$digits/forest.joblib" "$digits" --json
expect 0 'scikit-learn 1.0.2'
python3 "$here/compare.py" "$work/out" "$data/forest.joblib.json" 1e-9 || fail "differs"
run "$uncork" inspect "$digits/forest.joblib" --json
expect 0 '"framework_version":"1.0.2"'
