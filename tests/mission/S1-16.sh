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
