#!/usr/bin/env python3
"""compare.py OUT EXPECTED.json RTOL: the JSON lines of `uncork predict --json` against genuine labels
and probabilities, row by row. Labels must be equal, numbers within |got-want| <= RTOL |want| + 1e-12."""
import json, sys

got = [json.loads(line) for line in open(sys.argv[1])]
want = json.load(open(sys.argv[2]))
rtol = float(sys.argv[3])
assert len(got) == len(want["labels"]), (len(got), len(want["labels"]))
for row, label, probabilities in zip(got, want["labels"], want["probabilities"]):
    assert row["label"] == label, (row["input"], row["label"], label)
    assert len(row["probabilities"]) == len(probabilities)
    for g, w in zip(row["probabilities"], probabilities):
        assert abs(g - w) <= rtol * abs(w) + 1e-12, (row["input"], g, w)
