#!/bin/sh
# what stands beside an export is read: label maps of the Object Detection API, labels, TFLite metadata
. tests/mission/lib.sh
exports
for model in od1_ssd od1_ssd_frozen/frozen_inference_graph.pb od2_ssd od2_ssd_encoded od2_centernet \
    od2_faster_rcnn; do
    run "$uncork" predict "$exports/$model" "$photo"
    expect 0 'label_map.pbtxt beside the model'
    expect 0 'Object Detection API'
    grep -Eq 'photo.jpg: (cat|dog|bird) 0\.[0-9]+ \[' "$work/out" || fail "$model: $(cat "$work/out")"
done
run "$uncork" predict "$exports/od2_ssd" "$photo" --draw "$work/drawn"
expect 0 'dog'
[ -s "$work/drawn/photo.jpg" ] || fail "nothing was drawn: $(ls "$work/drawn")"
run "$uncork" predict "$exports/custom_floats" "$photo"
expect 0 'labels.txt beside the model'

# labels and scaling inside a TensorFlow Lite file
tflite=../shared/models/tflite/mobilenet_v1_0.25_224_float/mobilenet_v1_0.25_224_1_metadata_1.tflite
if [ -f "$tflite" ]; then
    run "$uncork" inspect "$tflite"
    expect 0 'preprocessing: rgb | resize=224x224'
    expect 0 'labels'
fi
