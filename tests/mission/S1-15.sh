#!/bin/sh
# low-confidence filter and suppression configurable for detectors that give raw boxes, as Ultralytics does both
. tests/mission/lib.sh
printf 'P6 64 64 255\n' >"$work/square.ppm"
head -c 12288 /dev/zero | tr '\0' '\377' >>"$work/square.ppm"
WORK=$work python3 tests/mission/detect.py "$uncork" || exit 1
run "$uncork" predict "$data/yolov8.onnx" "$work/square.ppm" --nms 1.5
expect 2 '--nms is the overlap above which a box is dropped'
run "$uncork" predict "$data/yolov8.onnx" "$work/square.ppm" --threshold 0.999
expect 0 'square.ppm: nothing'
run "$uncork" predict "$data/yolov8.onnx" "$work/square.ppm" --max-boxes 1 --quiet
expect 0 'dog 0.9697 [7.3 26.3 21.2 36.5]'
