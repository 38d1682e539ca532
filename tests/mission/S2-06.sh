#!/bin/sh
# the index of torch.max(output, 1) equals ours, ties included
. tests/mission/lib.sh
python3 - "$uncork" tests/fixtures/outputs <<'P' || exit 1
import json, os, subprocess, sys
uncork, models = sys.argv[1:]
suite = json.load(open(models + "/cases.json"))
count = 0
for case in suite["cases"]:
    wanted = {k: v["index"] for k, v in case["expected"].items() if "index" in v}
    if not wanted or case["options"]:
        continue
    paths = [os.path.join(models, name) for name in wanted]
    out = subprocess.run([uncork, "predict", f"{models}/{case['model']}.onnx", *paths, "--json", "--quiet", "--preprocess", suite["preprocess"]], capture_output=True, text=True).stdout
    for line in map(json.loads, out.splitlines()):
        assert line["index"] == wanted[os.path.basename(line["input"])], (case["model"], line)
        count += 1
assert count > 20, count
P
# the first of equal scores, as torch.max and numpy.argmax take it
printf '[[0.25,0.25,0.5,0.5]]' >"$work/row.json"
run "$uncork" predict tests/fixtures/outputs/same.onnx "$work/row.json" --task classify --activation none --json --quiet
expect 0 '"index":2'
