#!/bin/sh
# inspect lists a network's layers: as many parameters as Keras counts, shapes, multiply-adds
. tests/mission/lib.sh
sick=tests/fixtures/doctor
run "$uncork" inspect "$sick/shapes.h5"
# model.count_params() of Keras 3.15; 15 x 15 x 8 outputs of 3 x 3 x 3 weights
expect 0 'layers: 7, 2,961 parameters in 11,844 bytes'
grep -q 'conv2d (Conv2D)  *\[?, 8, 15, 15\]  *224  *48,600  *7,200$' "$work/out" || fail "no line of conv2d: $(cat "$work/out")"
run "$uncork" inspect "$sick/shapes.h5" --json
python3 - "$work/out" <<'P' || fail "layer_table"
import json, sys
table = json.load(open(sys.argv[1]))["layer_table"]
assert [l["parameters"] for l in table] == [224, 32, 0, 876, 1744, 0, 85], table
assert table[-1]["shape"] == [None, 5] and table[-1]["operator"] == "Softmax", table[-1]
P
