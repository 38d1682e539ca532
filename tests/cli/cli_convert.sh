#!/bin/sh
# standard ONNX of a model answers as the model, and what can't be said is refused in one line
. tests/mission/lib.sh
onnx=tests/fixtures/onnx
for model in forest.joblib mlp_pipeline.joblib model_and_scaler.pkl; do
    run "$uncork" convert "$digits/$model" -o "$work/m.onnx"
    expect 0 ""
    run "$uncork" inspect "$work/m.onnx"
    expect 0 "ai.onnx"
    grep -q "uncork\." "$work/out" && fail "$model: an operator of uncork is left"
    for i in 0 3 7; do
        run "$uncork" predict "$digits/$model" "$digits/digit_$i.png" --quiet --preprocess "gray | resize=8x8,bicubic,pillow | scale=16/255 | flatten" --top 1
        cut -d' ' -f2 "$work/out" >"$work/want"
        run "$uncork" predict "$work/m.onnx" "$digits/digit_$i.png" --quiet --preprocess "gray | resize=8x8,bicubic,pillow | scale=16/255 | flatten" --top 1
        expect 0 ""
        cut -d' ' -f2 "$work/out" >"$work/got"
        cmp -s "$work/got" "$work/want" || fail "$model: digit $i is $(cat "$work/got"), not $(cat "$work/want")"
    done
done
# ONNX to ONNX: the same outputs, bit for bit, through pack's self-test.
for model in layers if_01 loop functions external; do
    [ -f "$onnx/$model.onnx" ] || continue
    run "$uncork" convert "$onnx/$model.onnx" -o "$work/m.onnx"
    expect 0 ""
    run "$uncork" pack "$onnx/$model.onnx" -o "$work/a.cork" --quiet
    expect 0 ""
    run "$uncork" pack "$work/m.onnx" -o "$work/b.cork" --quiet
    expect 0 ""
    python3 "$here/../cli/cork_tools.py" same "$work/a.cork" "$work/b.cork" || fail "$model: outputs differ"
done
run "$uncork" convert "$digits/svc_python2.pkl" -o "$work/n.onnx"
expect 3 "uncork.PairwiseCoupling can't be spelled out"
one_line
run "$uncork" convert tests/fixtures/lightgbm/calibrated.csv -o "$work/n.onnx"
expect 3 ""
one_line
[ ! -e "$work/n.onnx" ] || fail "a file was left behind"
