#!/bin/sh
# outputs of the Object Detection API trimmed to num_detections; no batch axis; classes are integers
. tests/mission/lib.sh
printf 'P6 64 48 255\n' >"$work/a.ppm"
head -c 9216 /dev/zero | tr '\0' '\377' >>"$work/a.ppm"
# Rows 4 and 5 have scores of 0.99 and 0.98 but lie behind num_detections, which is 3.
run "$uncork" predict "$data/od_api.onnx" "$work/a.ppm" --json --threshold 0.1
expect 0 '"boxes":[{"label":"1","index":1,"score":0.9375,'
expect 0 '{"label":"90","index":90,"score":0.375,"box":[0.0,0.0,16.0,6.0]}'
[ "$(grep -o '"score"' "$work/out" | grep -c .)" = 3 ] || fail "not three boxes: $(cat "$work/out")"
printf "item { id: 1 name: 'a' display_name: 'person' }\nitem { id: 18 name: 'b' display_name: 'dog' }\n" >"$work/map.pbtxt"
run "$uncork" predict "$data/od_api.onnx" "$work/a.ppm" --labels "$work/map.pbtxt" --threshold 0.1
expect 0 'person 0.9375 [12.8 4.8 38.4 24.0], dog 0.7500 [32.0 12.0 64.0 36.0], 90 0.3750'
run "$uncork" predict "$data/od_api.onnx" "$work/a.ppm" --labels coco
expect 0 'person 0.9375 [12.8 4.8 38.4 24.0], dog 0.7500'
