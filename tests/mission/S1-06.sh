#!/bin/sh
# errors of an image carry its path and the reason: missing, corrupt, unsupported
. tests/mission/lib.sh
models=tests/fixtures/outputs
head -c 60 "$models/noise.png" >"$work/cut.png"
printf 'plain text\n' >"$work/text.jpg"
: >"$work/empty.png"
mkdir "$work/folder"
for name in cut.png text.jpg empty.png absent.png; do
    run "$uncork" predict "$models/softmax.onnx" "$work/$name" --preprocess 'rgb | scale=1/255 | nchw'
    expect 1 "$work/$name: "
    one_line
done
run "$uncork" predict "$models/softmax.onnx" "$work/absent.png" --preprocess 'rgb | scale=1/255 | nchw'
expect 1 'o such file'
run "$uncork" predict "$models/softmax.onnx" "$work/folder" --preprocess 'rgb | scale=1/255 | nchw'
expect 1 'no picture in this folder'
