#!/usr/bin/env python3
"""published_onnx.py COMMAND FOLDER WORK: the ONNX models other people published, against the reference outputs
kept beside them (needs NumPy): |got - want| <= 1e-4 |want| + 1e-5 max |want|, and the same five best where an
output is a row of classes. A reference that was stored as float16 is known to half a unit of that type only."""
import json, os, subprocess, sys
import numpy as np

uncork, folder, work = sys.argv[1:4]


def check(name, output, got, want, stored_half):
    assert got.shape == want.shape and got.dtype.kind == want.dtype.kind, (name, output, got.shape, want.shape)
    if want.dtype.kind not in "fc":
        assert (got == want).all(), (name, output)
        return
    bound = 1e-4 * np.abs(want) + 1e-5 * np.abs(want).max()
    if stored_half:
        bound = bound + np.spacing(np.abs(want).astype(np.float16)).astype(np.float64) / 2
    worst = (np.abs(got.astype(np.float64) - want) / bound).max()
    assert worst <= 1, (name, output, worst)
    if want.ndim == 2 and want.shape[1] > 5:
        assert (np.argsort(-got, 1, kind="stable")[:, :5] == np.argsort(-want, 1, kind="stable")[:, :5]).all(), (name, output)
    print("%s %s: at %.2f of the bound" % (name, output, worst))


checked = 0
for name in sorted(os.listdir(folder)):
    here = os.path.join(folder, name)
    about = json.load(open(os.path.join(here, "MANIFEST.json")))
    reference = about.get("reference") or {}
    outputs = [o for o in reference.get("outputs") or [] if o.get("file")]
    if not outputs:
        print("%s: no reference output" % name)
        continue
    model = os.path.join(here, about["files"][0]["copied_as"])
    out = os.path.join(work, name)
    argv = [uncork, "run", model, "--output", out]
    for i in reference["inputs"]:
        argv += ["--input", "%s=%s" % (i["name"], os.path.join(here, i["file"]))]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, (name, done.stderr)
    for o in outputs:
        want = np.load(os.path.join(here, o["file"]))
        safe = o["name"].replace("/", "_").replace(":", "_")
        got = np.load(os.path.join(out, safe + ".npy"))
        half = want.dtype == np.float16 and got.dtype != np.float16
        check(name, o["name"], got, want.astype(got.dtype) if half else want, half)
        checked += 1
assert checked > 0, "no reference output was found"
