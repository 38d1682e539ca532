#!/bin/sh
# Published TensorFlow Lite models with labels in the file name what is on their photographs.
uncork=${UNCORK_BIN:-build/release/uncork}
models=../shared/models/tflite
[ -d "$models" ] || { echo "skipped: $models isn't there"; exit 0; }

names() {
    got=$("$uncork" predict "$models/$1/"*.tflite "$models/$1/$2" --top 1 2>/dev/null)
    case $got in
    *"$3"*) ;;
    *) echo "$1: no '$3' in: $got"; exit 1 ;;
    esac
}
names mobilenet_v1_0.25_224_float photo_burger.jpg cheeseburger
names mobilenet_v1_0.25_224_quant photo_burger.jpg cheeseburger
names inat_bird_mobilenet_v2 photo_bird.bmp 'Black-capped Chickadee'
