#!/bin/sh
# the order of channels and the layout are chosen, and checked against the model's input
. tests/mission/lib.sh
models=tests/fixtures/preprocess
picture=tests/fixtures/image/rgb.png
for order in rgb bgr; do
    run "$uncork" predict $models/last.onnx $picture --preprocess "rgb | $order | resize=150x150,bilinear,pillow | scale=1/255"
    expect 0 'rgb.png: '
    cp "$work/out" "$work/$order"
done
cmp -s "$work/rgb" "$work/bgr" && fail "rgb and bgr answer the same"

run "$uncork" predict $models/first.onnx $picture --preprocess 'rgb | resize=224x224,bilinear,pillow | scale=1/255'
expect 2 '224 x 224 pixels of 3 channels'
expect 2 'the model takes [3, 224, 224]'
expect 2 'put nchw at the end of --preprocess'
one_line
run "$uncork" predict $models/last.onnx $picture --preprocess 'rgb | resize=150x150,bilinear,pillow | scale=1/255 | nchw'
expect 2 'leave nchw out of --preprocess'
run "$uncork" predict $models/grey.onnx $picture --preprocess 'rgb | resize=28x28,bilinear,pillow | scale=1/255 | nchw'
expect 2 'of 3 channels'
expect 2 'the model takes [1, 28, 28]'
run "$uncork" predict $models/first.onnx $picture --preprocess 'gray | resize=224x224,bilinear,pillow | nchw'
expect 2 'of 1 channels'
# uint8 stays uint8: the graph scales
run "$uncork" preprocess $picture --model $models/bytes.onnx -o "$work/o"
expect 0 'uint8 [1, 24, 24, 3]'
expect 0 'as bytes: the model takes uint8'
