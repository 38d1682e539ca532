#!/usr/bin/env python3
"""Every torchvision detector with random weights against genuine torch: make test-slow.

    tests/slow/torch_detection.py UNCORK [--only TEXT]

Random networks are badly conditioned: torch in float32 and in float64 then disagree about most boxes. So batch norms get
the statistics of random pictures and the class heads a scale at which scores spread over (0, 1) without ties. Every box
of torch must be there with its label: |got - want| <= 1e-4 max|want| for boxes, 1e-4 for scores, 5e-3 for masks. The
order may differ where two scores are within 1e-4 of each other, as torch's own two precisions differ there.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision

# The factor of the class heads' weights.
NETS = {
    "ssd300_vgg16": 1, "ssdlite320_mobilenet_v3_large": 1, "fasterrcnn_mobilenet_v3_large_320_fpn": 10,
    "fasterrcnn_mobilenet_v3_large_fpn": 10, "fasterrcnn_resnet50_fpn": 0.3, "fasterrcnn_resnet50_fpn_v2": 10,
    "retinanet_resnet50_fpn": 1.5, "retinanet_resnet50_fpn_v2": 1, "fcos_resnet50_fpn": 10, "maskrcnn_resnet50_fpn": 0.3,
    "maskrcnn_resnet50_fpn_v2": 1, "keypointrcnn_resnet50_fpn": 0.3,
}
HEADS = ("cls", "classification", "score", "objectness", "bbox_ctrness")


def build(name, factor):
    torch.manual_seed(0)
    g = torch.Generator().manual_seed(1)
    net = getattr(torchvision.models.detection, name)(weights=None, weights_backbone=None).train()
    for m in net.modules():
        if type(m).__name__ == "FrozenBatchNorm2d":  # never trained: given statistics
            m.running_mean.normal_(0, 0.1, generator=g)
            m.running_var.uniform_(0.5, 1.5, generator=g)
        elif isinstance(m, torch.nn.BatchNorm2d):
            m.momentum = None
    with torch.no_grad():
        for _ in range(2):
            features = net.backbone(torch.randn(4, 3, 320, 320, generator=g))
            if hasattr(net, "head"):
                net.head(list(features.values()))
        for key, p in net.named_parameters():
            if any(h in key for h in HEADS) and p.ndim > 1:
                p.mul_(factor)
    return net.eval()


def compare(got, want):
    """Boxes are found by label and place; every other output of a box with them."""
    left = list(range(len(got["boxes"])))
    if len(left) != len(want["boxes"]):
        return f"{len(left)} boxes, not {len(want['boxes'])}"
    for i in range(len(want["boxes"])):
        away = [np.abs(got["boxes"][j] - want["boxes"][i]).max() + 1e6 * (got["labels"][j] != want["labels"][i]) for j in left]
        j = left.pop(int(np.argmin(away)))
        for key, w in want.items():
            bound = {"boxes": 1e-4 * np.abs(want["boxes"]).max(), "masks": 5e-3}.get(key, 1e-4 * max(1, np.abs(w).max()))
            if key.startswith("keypoints"):
                continue  # the place of a maximum jumps between nearly equal pixels: torch's two precisions differ by 100
            if not np.abs(got[key][j].astype(np.float64) - w[i]).max() <= bound:
                return f"{key} {i} differs by {np.abs(got[key][j].astype(np.float64) - w[i]).max():.3g}"
    return None


def check(binary, name, folder):
    net = build(name, NETS[name])
    x = torch.rand(3, 200, 260, generator=torch.Generator().manual_seed(2))
    torch.save(net.state_dict(), f"{folder}/m.pth")
    np.save(f"{folder}/x.npy", x.numpy()[None])
    with torch.no_grad():
        want = {k: v.numpy() for k, v in net([x])[0].items()}
    done = subprocess.run([binary, "run", f"{folder}/m.pth", "--arch", name, "--input", f"{folder}/x.npy", "--output", f"{folder}/out"],
                          capture_output=True, text=True)
    if done.returncode:
        return 0, f"exit {done.returncode}: {done.stderr.strip()}"
    if not len(want["boxes"]):
        return 0, "torch itself finds nothing"
    got = {f[:-4]: np.load(f"{folder}/out/{f}") for f in os.listdir(f"{folder}/out")}
    return len(want["boxes"]), compare(got, want)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("uncork")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    names = [n for n in NETS if args.only in n]
    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            boxes, problem = check(args.uncork, name, folder)
        failed += problem is not None
        print(f"{name}, {boxes} boxes: {problem or 'ok'}", flush=True)
    print(f"{len(names) - failed} of {len(names)} detectors answer as torch {torch.__version__}")
    return failed > 0


sys.exit(main())
