#!/bin/sh
# not found, wrong format and corrupt are three different messages
. tests/mission/lib.sh
run "$uncork" inspect "$work/none.pkl"
expect 4 'none.pkl'
cp "$work/err" "$work/first"
run "$uncork" inspect "$digits/digit_7.png"
expect 3 'PNG'
cp "$work/err" "$work/second"
head -c 3000 "$digits/model_and_scaler.pkl" >"$work/cut.pkl"
run "$uncork" inspect "$work/cut.pkl"
expect 3 'byte'
cmp -s "$work/first" "$work/second" && fail "the same message"
one_line
# doctor tells them apart too
run "$uncork" doctor "$work/none.pkl" --json
expect 1 '"id":"no-such-file"'
run "$uncork" doctor "$digits/digit_7.png" --json
expect 1 '"id":"picture"'
run "$uncork" doctor "$work/cut.pkl" --json
expect 1 '"id":"truncated"'
