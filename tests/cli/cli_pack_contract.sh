#!/bin/sh
# an artifact answers as its source did with the steps, names and thresholds of when it was packed
. tests/mission/lib.sh
networks=tests/fixtures/networks
picture=$digits/digit_3.png

# same ARTIFACT MODEL PICTURE OPTION...: the artifact alone predicts what the model does with the options
same() {
    artifact=$1 image=$3
    shift
    run "$uncork" predict "$@" --quiet
    expect 0 ''
    cp "$work/out" "$work/want"
    run "$uncork" predict "$artifact" "$image" --quiet
    expect 0 ''
    cmp -s "$work/out" "$work/want" || fail "$artifact: $(cat "$work/out") rather than $(cat "$work/want")"
}

# what was said
steps='gray | resize=8x8,nearest,pillow | scale=16/255 | nchw'
printf '0 "round one"\n1 long\n' >"$work/names.txt"
run "$uncork" pack "$networks/one_picture.onnx" -o "$work/a.cork" --preprocess "$steps" --labels "$work/names.txt" \
    --task multilabel --threshold 0.25
expect 0 'self-test passed'
same "$work/a.cork" "$networks/one_picture.onnx" "$picture" --preprocess "$steps" --labels "$work/names.txt" \
    --task multilabel --threshold 0.25
grep -q 'long' "$work/out" || fail "no name in: $(cat "$work/out")"
run "$uncork" predict "$work/a.cork" "$picture"
expect 0 "preprocessing: $steps (the artifact: said when it was packed)"
run "$uncork" inspect "$work/a.cork"
expect 0 "preprocessing: $steps"
run "$uncork" verify "$work/a.cork"
expect 0 'the same bits'
# what is said now goes before
run "$uncork" predict "$work/a.cork" "$picture" --preprocess 'gray | resize=8x8,box,pillow | nchw' --labels cifar10 --json --task classify
expect 0 'airplane'

# rows that are pictures: a preset of one's own for scikit-learn
run "$uncork" pack "$digits/mlp_pipeline.joblib" -o "$work/b.cork" --preprocess 'gray | resize=8x8,box,pillow | scale=16/255 | flatten'
expect 0 'self-test passed'
same "$work/b.cork" "$digits/mlp_pipeline.joblib" "$picture" --preprocess 'gray | resize=8x8,box,pillow | scale=16/255 | flatten'

# what stood beside the model
mkdir "$work/model"
cp "$networks/one_picture.onnx" "$work/model/model.onnx"
printf '{"0": "left", "1": "right"}' >"$work/model/class_indices.json"
printf '{"tfjsVersion": "1.3.1", "tmVersion": "2.4.4", "packageName": "@teachablemachine/image", "imageSize": 8, "labels": ["left", "right"]}' >"$work/model/metadata.json"
run "$uncork" pack "$work/model" -o "$work/c.cork"
expect 0 'self-test passed'
same "$work/c.cork" "$work/model" "$picture"
grep -q 'right' "$work/out" || fail "no name in: $(cat "$work/out")"
run "$uncork" predict "$work/c.cork" "$picture" --top 1
expect 0 'the artifact'

# a detector's names and size are in its metadata
run "$uncork" pack "$data/yolov8.onnx" -o "$work/d.cork" --threshold 0.3 --max-boxes 3
expect 0 ''
same "$work/d.cork" "$data/yolov8.onnx" tests/fixtures/draw/small.jpg --threshold 0.3 --max-boxes 3

# what doesn't fit is refused when it is packed
run "$uncork" pack "$networks/one_picture.onnx" -o "$work/e.cork" --preprocess 'gray | resize=7x8,box,pillow | nchw'
expect 2 'gives 7 x 8 pixels'
one_line
run "$uncork" pack "$networks/one_picture.onnx" -o "$work/e.cork" --labels "$work/none.txt"
expect 2 'no such label file'
one_line
run "$uncork" pack "$digits/iris_boosting.pkl" -o "$work/e.cork" --preprocess 'gray | resize=2x2,box,pillow | flatten | dubious'
expect 2 "'dubious'"
one_line
[ ! -e "$work/e.cork" ] || fail 'something was written'

# a later uncork's steps, or a hand's: one line
python3 "$here/../cli/cork_tools.py" contract "$work/a.cork" "$work/odd.cork" '"resize"' '"enlarge"'
run "$uncork" predict "$work/odd.cork" "$picture"
expect 3 "contract.json: 'enlarge'"
one_line
