#!/bin/sh
# an artifact gives the bits of its source, and one that was tampered with is refused in one line
. tests/mission/lib.sh
onnx=tests/fixtures/onnx
for model in "$onnx/layers.onnx" "$onnx/if_01.onnx" "$onnx/external.onnx" "$digits/svc_python2.pkl" "$digits/mlp_pipeline.joblib" "$digits/iris_boosting.pkl"; do
    run "$uncork" pack "$model" -o "$work/a.cork"
    expect 0 "self-test passed"
    "$uncork" pack "$model" -o "$work/b.cork" --quiet || fail "$model packs once only"
    cmp -s "$work/a.cork" "$work/b.cork" || fail "$model: two artifacts differ"
    run "$uncork" verify "$work/a.cork"
    expect 0 "the same bits"
done
# The last one's labels and column names came along.
run "$uncork" predict "$digits/iris_boosting.pkl" "$digits/iris.csv" --quiet
cp "$work/out" "$work/want"
run "$uncork" predict "$work/a.cork" "$digits/iris.csv" --quiet
expect 0 "setosa"
cmp -s "$work/out" "$work/want" || fail "an artifact predicts otherwise than its source"

python3 "$here/../cli/cork_tools.py" check "$work/a.cork" || fail "entries aren't stored at multiples of 64"
run "$uncork" pack "$digits/mlp_pipeline.joblib" -o "$work/a.cork"
expect 0 "packed constants"
# A packed form of a wrong length is ignored, one of wrong bytes or a wrong output is found by verify.
python3 "$here/../cli/cork_tools.py" shorten "$work/a.cork" "$work/short.cork"
run "$uncork" verify "$work/short.cork"
expect 0 "the same bits"
python3 "$here/../cli/cork_tools.py" unpack "$work/a.cork" "$work/none.cork"
run "$uncork" verify "$work/none.cork"
expect 0 "the same bits"
python3 "$here/../cli/cork_tools.py" spoil "$work/a.cork" "$work/spoilt.cork"
run "$uncork" verify "$work/spoilt.cork"
expect 1 "outputs differ"
python3 "$here/../cli/cork_tools.py" flip "$work/a.cork" "$work/flipped.cork"
run "$uncork" verify "$work/flipped.cork"
expect 3 ""
one_line
for part in model.onnx contract.json weights/constants.bin; do
    python3 "$here/../cli/cork_tools.py" cut "$work/a.cork" "$work/cut.cork" "$part"
    run "$uncork" verify "$work/cut.cork"
    expect 3 ""
    one_line
done
run "$uncork" verify "$onnx/layers.onnx"
expect 3 "this isn't an artifact"
one_line
run "$uncork" pack "$onnx/layers.onnx" -o "$work/no/such/folder/a.cork"
expect 1 ""
one_line
run "$uncork" pack "$onnx/layers.onnx"
expect 2 "needs -o FILE"
run "$uncork" convert "$onnx/layers.onnx" -o "$work/a.onnx" --preprocess 'gray'
expect 2 "convert doesn't keep --preprocess"
# Relu of float16[2], spelt in bytes, has a self-test as well
printf '\010\010\072\063\012\014\012\001\170\022\001\171\042\004\122\145\154\165\022\001\147\132\017\012\001\170\022\012\012\010\010\012\022\004\012\002\010\002\142\017\012\001\171\022\012\012\010\010\012\022\004\012\002\010\002\102\002\020\015' >"$work/half.onnx"
run "$uncork" pack "$work/half.onnx" -o "$work/a.cork"
expect 0 "self-test passed"
