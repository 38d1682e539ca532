#!/bin/sh
# an unexpected model output (NaN, a wrong count, nothing) is reported, not printed as a result
. tests/mission/lib.sh
models=tests/fixtures/outputs
steps='rgb | scale=1/255 | nchw'
run "$uncork" predict "$models/nan.onnx" "$models/noise.png" "$models/dark.png" --preprocess "$steps" --json --quiet
expect 1 "dark.png: the model's answer isn't a number: 'prob' holds NaN at 0 of 3"
[ "$(grep -c '"top"' "$work/out")" = 1 ] && [ "$(grep -c '"error"' "$work/out")" = 1 ] || fail "not one answer and one error: $(cat "$work/out")"
run "$uncork" predict "$models/empty.onnx" "$models/noise.png" --preprocess "$steps"
expect 1 "noise.png: the model gave nothing: 'prob' is [1, 0]"
one_line
# a batch of four answered with one row: one at a time, and the answers of each
run "$uncork" predict "$models/one_a_run.onnx" "$models/noise.png" "$models/dark.png" "$models/slope.png" --preprocess "$steps" --batch 4 --top 1 --json --quiet
[ "$status" = 0 ] || fail "exit status $status: $(cat "$work/err")"
python3 - "$work/out" "$models/cases.json" <<'P' || exit 1
import json, os, sys
case = next(c for c in json.load(open(sys.argv[2]))["cases"] if c["model"] == "one_a_run")
for line in open(sys.argv[1]):
    got = json.loads(line)
    want = case["expected"][os.path.basename(got["input"])]
    assert got["index"] == want["index"] and abs(got["score"] - want["score"]) < 1e-6, (got, want)
P
# as many labels as classes
printf 'a\nb\n' >"$work/two.txt"
run "$uncork" predict "$models/softmax.onnx" "$models/noise.png" --preprocess "$steps" --labels "$work/two.txt"
expect 2 '2 labels for 5 classes'
one_line
printf 'a\nb\nc\nd\n' >"$work/four.txt"
run "$uncork" predict "$models/softmax.onnx" "$models/noise.png" --preprocess "$steps" --labels "$work/four.txt"
expect 0 '4 labels for 5 classes'
