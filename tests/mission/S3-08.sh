#!/bin/sh
# TFLite twins: inputs and outputs are told, and the quantised twin agrees with the float one
. tests/mission/lib.sh
exports
models=tests/fixtures/tflite
run "$uncork" inspect "$models/cnn_float.tflite"
expect 0 'keras_tensor'
for twin in float float16; do
    run "$uncork" predict "$models/cnn_$twin.tflite" "$photo"
    expect 0 'photo.jpg: '
    grep photo "$work/out" | cut -d' ' -f1-2 >"$work/$twin"
done
cmp -s "$work/float" "$work/float16" || fail "not the same: $(cat "$work/float" "$work/float16")"
run "$uncork" predict "$models/cnn_int8.tflite" "$photo"
expect 0 'int8'
