#!/bin/sh
# resnet18_model.pth, a state dict: the architecture from its keys, the weights' own transforms, no code given
. tests/mission/lib.sh
python3 - "$uncork" tests/fixtures/pytorch "$work" <<'P' || exit 1
import io, json, os, subprocess, sys, zipfile
uncork, folder, work = sys.argv[1:]
best = json.load(open(folder + "/resnet18.json"))["best"]
pictures = {"small.jpg": "draw", "turned.jpg": "draw", "rgb_444_q92.jpg": "image", "rgb.png": "image"}
paths = [f"tests/fixtures/{where}/{name}" for name, where in pictures.items()]
# under a name that tells nothing, too
other = work + "/weights.bin"
open(other, "wb").write(open(folder + "/resnet18_model.pth", "rb").read())
for model in (folder + "/resnet18_model.pth", other):
    done = subprocess.run([uncork, "predict", model, *paths, "--json", "--top", "5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(paths), done.stdout
    for line in lines:
        for got, (index, score) in zip(line["top"], best[os.path.basename(line["input"])], strict=True):
            assert got["index"] == index and abs(got["score"] - score) <= 1e-4 * score + 1e-5, (line, index, score)
about = json.loads(subprocess.run([uncork, "inspect", other, "--json"], capture_output=True, text=True).stdout)
assert about["architecture"] == "resnet18", about
P
run "$uncork" inspect tests/fixtures/pytorch/resnet18_model.pth
expect 0 "torchvision:resnet18"
