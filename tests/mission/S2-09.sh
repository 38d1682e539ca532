#!/bin/sh
# ONNX: first input and output by default, any by name; all outputs obtainable
. tests/mission/lib.sh
command -v python3 >/dev/null || { echo "python3 isn't there"; exit 77; }
printf '1.0,2.0,3.0,4.0\n' >"$work/x.csv"
run "$uncork" run tests/fixtures/onnx/defaults.onnx --input "$work/x.csv" --output "$work/first"
expect 0 ''
run "$uncork" run tests/fixtures/onnx/defaults.onnx --input x="$work/x.csv" --output "$work/named"
expect 0 ''
cmp "$work/first/y.npy" "$work/named/y.npy" || fail "by name and by default differ"
run "$uncork" run tests/fixtures/onnx/defaults.onnx --input z="$work/x.csv" --output "$work/none"
expect 2 'x'
one_line
run "$uncork" inspect tests/fixtures/onnx/defaults.onnx --json
expect 0 '"outputs"'
