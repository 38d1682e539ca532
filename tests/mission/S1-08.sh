#!/bin/sh
# Object Detection API model called with uint8 [1, H, W, 3], any H and W, each picture at its own size
. tests/mission/lib.sh
picture() {
    printf 'P6 %d %d 255\n' "$1" "$2"
    head -c $(($1 * $2 * 3)) /dev/zero | tr '\0' '\377'
}
picture 64 48 >"$work/a.ppm"
picture 31 200 >"$work/b.ppm"
run "$uncork" predict "$data/od_api.onnx" "$work/a.ppm" "$work/b.ppm"
expect 0 'a.ppm: 1 0.9375 [12.8 4.8 38.4 24.0], 18 0.7500 [32.0 12.0 64.0 36.0]'
expect 0 'b.ppm: 1 0.9375 [6.2 20.0 18.6 100.0], 18 0.7500 [15.5 50.0 31.0 150.0]'
expect 0 'any size, as bytes'
