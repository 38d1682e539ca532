#!/usr/bin/env python3
"""published.py COMMAND FOLDER WORK: the pickles other people published, against the reference outputs kept
beside them (needs NumPy). One difference is known and stated: iris_svc_020 was written by scikit-learn 0.20,
whose one-vs-rest decision_function scales by the whole batch; its reference came from 1.1.3, which scales
by row. uncork follows the version that wrote the file (the genuine 0.20.4 fixtures agree), so there the
order of the scores is compared, not their value."""
import json, os, re, subprocess, sys
import numpy as np

uncork, folder, work = sys.argv[1:4]
tried = 0
for name in sorted(os.listdir(folder)):
    here = os.path.join(folder, name)
    about = json.load(open(os.path.join(here, "MANIFEST.json")))
    model = os.path.join(here, about["files"][0]["copied_as"])
    inputs = [os.path.join(here, i["file"]) for i in about["reference"]["inputs"]]
    if not inputs:  # the row stands in the text
        row = os.path.join(work, name + ".json")
        open(row, "w").write(re.search(r"\[\{.*\}\]", about["preprocessing"])[0])
        inputs = [row]
    for output in about["reference"]["outputs"]:
        out = os.path.join(work, name + "." + output["name"])
        argv = [uncork, "run", model, "--method", output["name"], "--output", out]
        for i in inputs:
            argv += ["--input", i]
        done = subprocess.run(argv, capture_output=True, text=True)
        assert done.returncode == 0, (name, output["name"], done.stderr)
        want = np.load(os.path.join(here, output["file"]))
        single = os.path.join(out, output["name"] + ".npy")
        if os.path.exists(single):
            got = np.load(single)
        else:  # a list of [rows, 2], one an output: the reference keeps the second columns
            got = np.stack([np.load("%s/%s_%d.npy" % (out, output["name"], k))[:, 1] for k in range(want.shape[1])], 1)
        assert got.shape == want.shape, (name, got.shape, want.shape)
        if name == "iris_svc_020" and output["name"] == "decision_function":
            assert (got.argsort(1) == want.argsort(1)).all(), name
        elif want.dtype.kind in "USOi":
            assert (got.astype(want.dtype) == want).all(), (name, output["name"])
        else:
            assert (np.abs(got - want) <= 1e-9 * np.abs(want) + 1e-12).all(), (name, output["name"], got, want)
        tried += 1
print("%d outputs of %d published models equal" % (tried, len(os.listdir(folder))))
