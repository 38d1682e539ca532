#!/bin/sh
# failures are logged, for machines too
. tests/mission/lib.sh
models=tests/fixtures/outputs
printf 'x' >"$work/bad.png"
run "$uncork" predict "$models/softmax.onnx" "$work/bad.png" "$models/noise.png" --preprocess 'rgb | scale=1/255 | nchw' --json --quiet
[ "$status" = 1 ] || fail "exit status $status"
python3 - "$work" <<'P' || exit 1
import json, sys
work = sys.argv[1]
bad, good = [json.loads(line) for line in open(work + "/out")]
assert bad["input"] == work + "/bad.png" and bad["error"] and "top" not in bad, bad
assert "error" not in good and good["top"], good
lines = open(work + "/err").read().splitlines()
assert len(lines) == 1 and lines[0].startswith("uncork: " + work + "/bad.png: ") and bad["error"] in lines[0], lines
P
run "$uncork" predict "$models/softmax.onnx" "$work/bad.png" "$models/noise.png" --preprocess 'rgb | scale=1/255 | nchw' --csv --top 1 --quiet
python3 - "$work/out" <<'P' || exit 1
import csv, sys
bad, good = list(csv.DictReader(open(sys.argv[1])))
assert bad["error"] and not bad["label"] and good["label"] == "dog" and not good["error"], (bad, good)
P
