#!/bin/sh
# classification, detection and segmentation outputs are recognised
. tests/mission/lib.sh
models=tests/fixtures/outputs
steps='rgb | scale=1/255 | nchw'
for pair in softmax:classify logits:classify log_softmax:classify quantised:classify half:classify binary:classify sigmoid:multilabel \
    segment:segment segment_last:segment segment_index:segment mask:segment movenet:keypoints heatmaps:keypoints \
    unit_norm:embed regression:regress upscale:image; do
    run "$uncork" predict "$models/${pair%:*}.onnx" "$models/noise.png" --preprocess "$steps" --json --quiet
    expect 0 "\"task\":\"${pair#*:}\""
done
# two outputs, each by itself
run "$uncork" predict "$models/two_outputs.onnx" "$models/noise.png" --preprocess "$steps" --json --quiet
expect 0 '"age":{"task":"regress"'
expect 0 '"gender":{"task":"classify"'
# a reading that isn't certain says so and how to override it, and the override is taken
run "$uncork" predict "$models/segment.onnx" "$models/noise.png" --preprocess "$steps"
expect 0 '--task tensor'
run "$uncork" predict "$models/segment.onnx" "$models/noise.png" --preprocess "$steps" --task tensor --json --quiet
expect 0 '"task":"tensor","output":"map","shape":[4,32,32]'
run "$uncork" predict "$models/softmax.onnx" "$models/noise.png" --preprocess "$steps" --task segment
expect 2 '--task segment fits no output'
# detectors, by names and by the shape of their output
printf 'P6 64 64 255\n' >"$work/square.ppm"
head -c 12288 /dev/zero | tr '\0' '\377' >>"$work/square.ppm"
for model in od_api yolov8; do
    run "$uncork" predict "$data/$model.onnx" "$work/square.ppm" --json
    expect 0 '"task":"detect"'
    expect 0 "a detector ($model)"
done
run "$uncork" predict "$data/yolov8.onnx" "$work/square.ppm" --json --task tensor
expect 0 '"task":"tensor"'
run "$uncork" predict "$data/yolov8.onnx" "$work/square.ppm" --json --task detect
expect 0 '"task":"detect"'
