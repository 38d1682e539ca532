#!/bin/sh
# colour, 150 x 150, /255, a batch axis in front
. tests/mission/lib.sh
python3 tests/cli/preprocess_compare.py "$uncork" "pillow, 150 colour" || fail "not Python's tensor"
run "$uncork" preprocess tests/fixtures/image/rgb.png --model tests/fixtures/preprocess/last.onnx --preprocess 'rgb | resize=150x150 | float32 | scale=1/255' -o "$work/o"
expect 0 'float32 [1, 150, 150, 3]'
run "$uncork" predict tests/fixtures/preprocess/last.onnx tests/fixtures/image/rgb.png --preprocess 'rgb | resize=150x150 | float32 | scale=1/255'
expect 0 'rgb.png: '
