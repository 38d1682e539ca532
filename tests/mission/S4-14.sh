#!/bin/sh
# one file to deploy: model, preprocessing and labels packed, and it answers as the original does
. tests/mission/lib.sh
photo=tests/fixtures/image/rgb.png
run "$uncork" pack tests/fixtures/preprocess/first.onnx -o "$work/first.cork"
expect 0 ''
run "$uncork" verify "$work/first.cork"
expect 0 ''
run "$uncork" inspect "$work/first.cork"
expect 0 'resize=256,bilinear,pillow | center_crop=224x224'
mkdir "$work/elsewhere" && mv "$work/first.cork" "$work/elsewhere/alone.cork"
run "$uncork" predict tests/fixtures/preprocess/first.onnx "$photo"
cp "$work/out" "$work/original"
run "$uncork" predict "$work/elsewhere/alone.cork" "$photo"
expect 0 ''
cmp -s "$work/out" "$work/original" || fail "another answer: $(cat "$work/out")"
