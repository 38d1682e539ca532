#!/bin/sh
# predict with networks: inputs with defaults, a fixed batch, and what is said when a picture doesn't fit.
. tests/mission/lib.sh
networks=tests/fixtures/networks

# inputs with a default are neither columns nor rows
printf 'a,b,c,d\n1,2,3,4\n2,3,4,5\n' >"$work/two.csv"
run "$uncork" predict tests/fixtures/onnx/defaults.onnx "$work/two.csv"
expect 0 'two.csv:2: 0 1.0000, 1 1.0000'
expect 0 'probabilities: the graph ends in Sigmoid'

# a model of one picture a run takes many, one after the other
steps='gray | resize=8x8,nearest,pillow'
run "$uncork" predict "$networks/one_picture.onnx" $digits/digit_3.png $digits/digit_7.png --preprocess "$steps | nchw"
grep -q 'digit_7.png: ' "$work/out" || fail "no digit_7: $(cat "$work/out")"
[ "$(wc -l <"$work/out")" = 2 ] || fail "not two answers: $(cat "$work/out")"

# one channel is first and last at once
run "$uncork" predict "$networks/one_picture.onnx" $digits/digit_3.png --preprocess "$steps"
expect 0 'digit_3.png: '

# without steps: what the input allows is taken, and said
run "$uncork" predict "$networks/one_picture.onnx" $digits/digit_3.png
expect 0 'assumed grey pictures of 8 x 8 pixels, channels first'
expect 0 'it could also be 0 to 255'
run "$uncork" inspect "$networks/one_picture.onnx"
expect 0 'preprocessing: gray | resize=8x8,bilinear,pillow | float32 | scale=1/255 | nchw'
