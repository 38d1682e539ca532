#!/bin/sh
# a custom-trained SavedModel: resized, scaled by 1/255, a batch axis in front, and each of them said
. tests/mission/lib.sh
exports
run "$uncork" predict "$exports/custom_floats" "$photo" "$photo"
expect 0 'photo.jpg: tulip'
expect 0 'resize=24x24'
expect 0 'scale=1/255'
[ "$(grep -c 'photo.jpg: tulip' "$work/out")" = 2 ] || fail "not two answers: $(cat "$work/out")"
run "$uncork" predict "$exports/custom_floats" "$photo" \
    --preprocess 'rgb | resize=24x24,bilinear,pillow | float32 | scale=1/255 | nhwc'
expect 0 'photo.jpg: tulip'
