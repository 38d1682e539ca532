#!/bin/sh
# known parts of a pipeline run, an unknown class is named with its path
. tests/mission/lib.sh
run "$uncork" predict "$data/custom.pkl" "$data/table.csv"
expect 3 'housing.features.LogPrice'
one_line
run "$uncork" inspect "$data/custom.pkl"
expect 0 'housing.features.LogPrice'
printf '1,2,3\n' >"$work/x.csv"
run "$uncork" predict "$data/custom_beside.pkl" "$work/x.csv" --json
expect 0 '"label":0'
expect 0 'housing.features.LogPrice'
