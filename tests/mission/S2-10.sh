#!/bin/sh
# scaling and category encoding inside a pipeline, columns matched by name
. tests/mission/lib.sh
for input in table.csv table.json; do
    run "$uncork" predict "$data/table.pkl" "$data/$input" --json
    expect 0 '"label"'
    python3 "$here/compare.py" "$work/out" "$data/table.expected.json" 1e-9 || fail "$input differs"
done
