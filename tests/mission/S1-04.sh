#!/bin/sh
# class index and its probability are printed
. tests/mission/lib.sh
models=tests/fixtures/outputs
steps='rgb | scale=1/255 | nchw'
# without names the class is its number; ONNX Runtime's probability is in cases.json
run "$uncork" predict "$models/logits.onnx" "$models/noise.png" --preprocess "$steps" --top 1
expect 0 'softmax applied'
grep -Eq 'noise.png: [0-4] [01]\.[0-9]{4}$' "$work/out" || fail "no index and probability: $(cat "$work/out")"
run "$uncork" predict "$models/logits.onnx" "$models/noise.png" --preprocess "$steps" --top all --json
python3 - "$work/out" "$models/cases.json" <<'P' || exit 1
import json, sys
answer = json.load(open(sys.argv[1]))
case = next(c for c in json.load(open(sys.argv[2]))["cases"] if c["model"] == "logits")
want = case["expected"]["noise.png"]
assert answer["index"] == want["index"] and abs(answer["score"] - want["score"]) < 1e-6, answer
assert len(answer["top"]) == 5 and abs(sum(t["score"] for t in answer["top"]) - 1) < 1e-6
P
