#!/bin/sh
# inspect prints the exact steps, where they come from and what else they could be; they read back
. tests/mission/lib.sh
models=tests/fixtures/preprocess
run "$uncork" inspect $models/first.onnx
steps='rgb | resize=256,bilinear,pillow | center_crop=224x224 | float32 | scale=1/255 | mean=0.485,0.456,0.406 | std=0.229,0.224,0.225 | nchw'
expect 0 "preprocessing: $steps"
expect 0 'it could also be 0 to 1'
# the same as Python; tests/slow/recipe_python.py runs such programs with the genuine libraries
expect 0 'preprocessing in Python:'
expect 0 '    img = img.resize(size, Image.Resampling.BILINEAR)'
expect 0 '    x = x - np.array([0.485, 0.456, 0.406], np.float32)'
expect 0 '    x = x.transpose(2, 0, 1)'
run "$uncork" predict $models/first.onnx tests/fixtures/image/rgb.png
cp "$work/out" "$work/assumed"
expect 0 "preprocessing: $steps"
run "$uncork" predict $models/first.onnx tests/fixtures/image/rgb.png --preprocess "$steps"
cmp -s "$work/out" "$work/assumed" || fail "the printed steps give another answer"

run "$uncork" inspect $models/scales.onnx
expect 0 'preprocessing: rgb | resize=32x32,bilinear,pillow | float32 | nchw'
expect 0 'the graph scales them itself (Div, Sub, Div)'
run "$uncork" inspect $models/normalises.onnx
expect 0 'preprocessing: rgb | resize=32x32,bilinear,pillow | float32 | scale=1/255 | nchw'
run "$uncork" inspect $models/bytes.onnx
expect 0 'preprocessing: rgb | resize=24x24,bilinear,pillow | nhwc'
run "$uncork" inspect $models/free.onnx
expect 0 '224 x 224 pixels, channels first: the model leaves the size free'
run "$uncork" inspect $models/grey.onnx
expect 0 'preprocessing: gray | resize=28x28,bilinear,pillow | float32 | scale=1/255 | nchw'
run "$uncork" inspect $models/last.onnx
expect 0 'preprocessing: rgb | resize=150x150,bilinear,pillow | float32 | scale=1/255 | nhwc'
expect 0 '-1 to 1 (scale=1/127.5 | add=-1)'
run "$uncork" inspect $models/first.onnx --json
expect 0 '"preprocessing": {"spec":"rgb | resize=256'
expect 0 '{"step":"resize","with":[256,"bilinear","pillow"]}'
