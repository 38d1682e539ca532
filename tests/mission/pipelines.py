#!/usr/bin/env python3
"""pipelines.py COMMAND PREFIX...: the tensors that `predict` feeds an identity transformer against what
Python's own pipelines make of the same pictures (tests/fixtures/gen/mission.py), equal to the last bit."""
import json, struct, subprocess, sys

cases = json.load(open("tests/fixtures/mission/pipelines.json"))
bits = lambda values: [struct.pack("<d", v) for v in values]
tried = 0
for name, case in cases.items():
    if not any(name.startswith(p) for p in sys.argv[2:]):
        continue
    tried += 1
    done = subprocess.run([sys.argv[1], "predict", "tests/fixtures/mission/identity784.pkl", "tests/fixtures/image/" + case["image"],
                           "--preprocess", case["spec"], "--json", "--method", "transform"], capture_output=True, text=True)
    if done.returncode:
        sys.exit("%s: exit %d: %s" % (name, done.returncode, done.stderr))
    got = json.loads(done.stdout)["transform"]
    if bits(got) != bits(case["values"]):
        bad = [i for i, (g, w) in enumerate(zip(got, case["values"])) if g != w]
        sys.exit("%s: %d of %d values differ, first %d: %r, expected %r" % (name, len(bad), len(got), bad[0], got[bad[0]], case["values"][bad[0]]))
if not tried:
    sys.exit("no such pipeline")
