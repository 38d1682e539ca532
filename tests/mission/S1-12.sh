#!/bin/sh
# boxes that are normalised [ymin, xmin, ymax, xmax] become pixels of the picture that was given
. tests/mission/lib.sh
printf 'P6 200 50 255\n' >"$work/wide.ppm"
head -c 30000 /dev/zero | tr '\0' '\377' >>"$work/wide.ppm"
# [0.1, 0.2, 0.5, 0.6] of 50 rows and 200 columns, whatever the model saw of it.
for spec in 'rgb | nhwc' 'rgb | resize=64x64,bilinear,pillow | nhwc'; do
    run "$uncork" predict "$data/od_api.onnx" "$work/wide.ppm" --preprocess "$spec"
    expect 0 'wide.ppm: 1 0.9375 [40.0 5.0 120.0 25.0], 18 0.7500 [100.0 12.5 200.0 37.5]'
done
# What a crop cut away lies outside of the model's boxes: 50 x 50 pixels from column 75 on.
run "$uncork" predict "$data/od_api.onnx" "$work/wide.ppm" --preprocess 'rgb | center_crop=50x50 | nhwc'
expect 0 '[85.0 5.0 105.0 25.0]'
run "$uncork" predict "$data/od_api.onnx" "$work/wide.ppm" --csv --quiet
expect 0 'input,label,index,score,x1,y1,x2,y2,error'
[ "$(grep -c wide.ppm "$work/out")" = 2 ] || fail "not a record a box: $(cat "$work/out")"
