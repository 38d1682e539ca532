#!/bin/sh
# preprocess: tensors equal to the genuine libraries' to the last bit, names, pictures to look at, JSON,
# presets; and what config files beside a model say.
. tests/mission/lib.sh
networks=tests/fixtures/networks
python3 tests/cli/preprocess_compare.py "$uncork" || fail "preprocess differs from the libraries"

# two inputs of one name get two outputs; a picture to look at stands beside each tensor
mkdir "$work/a" "$work/b"
cp tests/fixtures/image/rgb.png "$work/a/x.png"
cp tests/fixtures/image/rgb_420_q92.jpg "$work/b/x.jpg"
run "$uncork" preprocess "$work/a/x.png" "$work/b/x.jpg" --preprocess keras:mobilenet_v2 -o "$work/o"
expect 0 "$work/o/x.npy: float32 [224, 224, 3]"
expect 0 "$work/o/x_2.npy: float32 [224, 224, 3]"
[ -s "$work/o/x.png" ] && [ -s "$work/o/x_2.png" ] || fail "no picture to look at"
cmp -s "$work/o/x.npy" "$work/o/x_2.npy" && fail "one input twice"

# what a file is called can't drive the terminal or begin a line
odd=$(printf 'a\033[31m\nb')
cp "$work/a/x.png" "$work/$odd.png"
run "$uncork" preprocess "$work/$odd.png" --preprocess rgb -o "$work/odd"
expect 0 '/odd/a\x1b[31m\nb.npy: uint8'
[ -s "$work/odd/$odd.npy" ] || fail "the tensor isn't under the picture's own name"

# no input is written over
run "$uncork" preprocess "$work/a/x.png" --preprocess 'resize=4x4' -o "$work/a"
expect 2 'give another'
cmp -s "$work/a/x.png" tests/fixtures/image/rgb.png || fail "an input was written over"

# a file that may not grow and a full disk are said, and nothing half stays
(
    ulimit -f 1
    "$uncork" preprocess "$work/a/x.png" --preprocess resize=64x64 -o "$work/small" 2>"$work/small.err"
)
[ $? = 1 ] && [ ! -e "$work/small/x.png" ] || fail "a limit on files wasn't said"
if [ -w /dev/full ]; then
    "$uncork" formats >/dev/full 2>"$work/err" && fail "a full disk went unnoticed"
    [ "$(grep -c "standard output: " "$work/err")" = 1 ] || fail "a full disk wasn't said"
fi

# by a model: its batch axis in front, and what was assumed on standard error
run "$uncork" preprocess "$work/a/x.png" --model "$networks/one_picture.onnx" -o "$work/o" --json
expect 0 '"shape":[1,1,8,8]'
expect 0 'assumed grey pictures of 8 x 8 pixels'

# one bad picture never stops the others
printf 'no picture' >"$work/bad.png"
run "$uncork" preprocess "$work/bad.png" "$work/a/x.png" --preprocess rgb -o "$work/p"
expect 1 'bad.png'
[ -s "$work/p/x.npy" ] || fail "the good one is missing"

run "$uncork" preprocess --preprocess list
expect 0 'torchvision:resnet50:IMAGENET1K_V2'
run "$uncork" preprocess "$work/a/x.png" --preprocess keras:mobilnet_v2 -o "$work/p"
expect 2 'did you mean keras:mobilenet_v2?'
run "$uncork" preprocess "$work/a/x.png" -o "$work/p"
expect 2 'preprocess takes pictures, steps and a folder'

# files beside the model: an image processor's settings, timm's, names of classes
mkdir "$work/hf" "$work/timm" "$work/named"
cp $networks/mobile.onnx "$work/hf/model.onnx"
cat >"$work/hf/preprocessor_config.json" <<'J'
{"do_resize": true, "size": {"height": 37, "width": 45}, "resample": 3, "do_rescale": true, "do_normalize": true,
 "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_processor_type": "ViTImageProcessorPil"}
J
echo '{"model_type": "vit", "id2label": {"0": "cat", "1": "dog"}}' >"$work/hf/config.json"
run "$uncork" inspect "$work/hf/model.onnx"
expect 0 'preprocessing: rgb | resize=45x37,bicubic,pillow | scale=0.00392156862745098 | float32 | mean=0.5,0.5,0.5'
expect 0 'preprocess_from: preprocessor_config.json'
expect 0 'labels: cat, dog'
run "$uncork" predict "$work/hf/model.onnx" "$work/a/x.png"
expect 0 '(preprocessor_config.json)'
run "$uncork" inspect "$work/hf/model.onnx" --json
expect 0 '"preprocessing": {"spec":"rgb | resize=45x37,bicubic,pillow'

# the preset of a name is taken where it fits, and its misfit is said where it doesn't
cp $networks/mobile.onnx "$work/named/resnet50.onnx"
run "$uncork" inspect "$work/named/resnet50.onnx"
expect 0 'architecture_preset: torchvision:resnet50'
expect 0 'torchvision:resnet50 is not taken: it gives 224 x 224 pixels of 3 channels'
expect 0 'preprocessing: rgb | resize=45x37'

# a detector that its outputs tell is fed as its family's own code does it
run "$uncork" inspect tests/fixtures/preprocess/yolo.onnx
expect 0 'preprocessing: decode=opencv | rgb | letterbox=320x320,114 | float32 | scale=1/255 | nchw'
expect 0 'steps of Ultralytics'

# equal names get a number, a border is written in the type there is, NaN has a picture too
mkdir -p "$work/same/one" "$work/same/two"
cp "$work/a/x.png" "$work/same/one/x.png"
cp "$work/a/x.png" "$work/same/two/x.png"
run "$uncork" preprocess "$work/same" --preprocess 'rgb | float16 | pad=1,0,0,0,0.5' -o "$work/bordered"
expect 0 "$work/bordered/x_2.npy: float16"
# the corner behind NumPy's header of 128 bytes: 0.5 is 0x3800 as float16
[ "$(od -An -tx2 -j128 -N2 "$work/bordered/x.npy" | tr -d ' ')" = 3800 ] || fail "a border of float16 isn't 0.5"
run "$uncork" preprocess "$work/a/x.png" --preprocess 'gray | float32 | scale=1e300' -o "$work/nan"
expect 0 "$work/nan/x.png"
run "$uncork" preprocess "$work/a/x.png" --preprocess 'letterbox=64,1e300' -o "$work/wrong"
expect 2 "is no whole number from 0 to 65535 to fill with"
