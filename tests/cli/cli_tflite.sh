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

# Boxes of the file's own suppression; more than one a picture.
got=$("$uncork" predict "$models"/coco_ssd_mobilenet_v1_quant/*.tflite \
    "$models"/coco_ssd_mobilenet_v1_quant/photo_*.jpg 2>/dev/null)
case $got in
*'cat 0.6680 ['*'cat 0.6'*) ;;
*) echo "coco_ssd_mobilenet_v1_quant: $got"; exit 1 ;;
esac
"$uncork" inspect "$models"/posenet_decoder/*.tflite >/dev/null || { echo "inspect"; exit 1; }
"$uncork" run "$models"/posenet_decoder/*.tflite --output /dev/null 2>/tmp/uncork_tflite.$$
status=$?
line=$(cat /tmp/uncork_tflite.$$)
rm -f /tmp/uncork_tflite.$$
case $status:$line in
3:*'1 PosenetDecoderOp') ;;
*) echo "an operator that isn't known: $status $line"; exit 1 ;;
esac
