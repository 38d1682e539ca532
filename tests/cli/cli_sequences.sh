#!/bin/sh
# run: a sequence is NAME_0, NAME_1, ..., an optional what it holds
. tests/mission/lib.sh
printf '[[1,2],[3,4],[5,6]]' >"$work/x.json"
run "$uncork" run tests/fixtures/control/sequences.onnx --input "$work/x.json" --output "$work/made"
expect 0 ''
[ "$(cd "$work/made" && ls | tr '\n' ' ')" = "rows_0.npy rows_1.npy rows_2.npy some.npy " ] || fail "outputs: $(ls "$work/made")"
tail -c 8 "$work/made/rows_1.npy" | od -An -tf4 | grep -q '^ *3 *4$' || fail "row 1: $(tail -c 8 "$work/made/rows_1.npy" | od -An -tf4)"
