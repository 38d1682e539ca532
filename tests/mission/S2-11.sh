#!/bin/sh
# post-processing: thresholds and activations
. tests/mission/lib.sh
models=tests/fixtures/outputs
steps='rgb | scale=1/255 | nchw'
predict() {
    run "$uncork" predict "$@" --preprocess "$steps" --quiet
    [ "$status" = 0 ] || fail "exit status $status: $(cat "$work/err")"
}
# classes below the threshold are left out; none may remain
predict "$models/softmax.onnx" "$models/noise.png" --threshold 0.02
grep -q 'noise.png: dog 0.9670, cat 0.0328$' "$work/out" || fail "0.02: $(cat "$work/out")"
predict "$models/softmax.onnx" "$models/noise.png" --threshold 0.99
grep -q '(none above 0.99)' "$work/out" || fail "0.99: $(cat "$work/out")"
predict "$models/softmax.onnx" "$models/noise.png" --threshold 0.99 --json
grep -q '"top":\[\]' "$work/out" || fail "0.99: $(cat "$work/out")"
# one probability of two classes: the threshold decides between them
predict "$models/binary.onnx" "$models/noise.png" --json --threshold 0
grep -q '"index":1' "$work/out" || fail "binary at 0: $(cat "$work/out")"
predict "$models/binary.onnx" "$models/noise.png" --json --threshold 1
grep -q '"label":"0","index":0' "$work/out" || fail "binary at 1: $(cat "$work/out")"
# the activation is the graph's own unless it is asked for
predict "$models/logits.onnx" "$models/noise.png" --top 1
cp "$work/out" "$work/softmax"
predict "$models/logits.onnx" "$models/noise.png" --top 1 --activation softmax
cmp -s "$work/out" "$work/softmax" || fail "--activation softmax: $(cat "$work/out")"
run "$uncork" predict "$models/logits.onnx" "$models/noise.png" --preprocess "$steps" --activation twice
expect 2 'softmax, sigmoid, exp or none'
# a classic model too
run "$uncork" predict "$digits/model_and_scaler.pkl" "$digits/digit_3.png" --threshold 0.5 --quiet
grep -q 'digit_3.png: 3 0.98[0-9]*$' "$work/out" || fail "classic: $(cat "$work/out")"
