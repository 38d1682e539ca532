#!/usr/bin/env python3
"""Every torchvision model with random seeded weights against genuine torch: make test-slow.

    tests/slow/torch_models.py UNCORK [--only TEXT] [--skip TEXT] [--largest MB]

Each is written as a state dict (and in turn with another number of classes, with a prefix, in half and bfloat16, inside a
checkpoint), run by torch in eval mode and by `uncork run`, and compared: |got - want| <= 1e-4 |want| + 1e-5 max|want|, the
same five best. Needs Python with torch and torchvision; one file at a time lies in a temporary folder.
"""
import argparse
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision

from bound import compare

FIXED = {"maxvit_t": 224, "inception_v3": 299}
VARIANTS = (
    {},
    {"classes": 7},
    {"prefix": "module."},
    {"dtype": torch.float16},
    {"wrap": "state_dict", "prefix": "model."},
    {"dtype": torch.bfloat16, "classes": 3},
)


def fill(model):
    """Batch norms as after training; parameters that are all alike get numbers too."""
    g = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, torch.nn.modules.batchnorm._BatchNorm):
                m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
                m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) * 0.5 + 0.75)
                m.weight.copy_(torch.rand(m.weight.shape, generator=g) * 0.5 + 0.75)
                m.bias.copy_(torch.randn(m.bias.shape, generator=g) * 0.1)
        for p in model.parameters():
            if p.min() == p.max():
                p.add_(torch.randn(p.shape, generator=g) * 0.1)


def build(name, variant):
    kw = {"weights": None}
    if "classes" in variant:
        kw["num_classes"] = variant["classes"]
    if name in ("googlenet", "inception_v3"):
        kw["init_weights"] = True
    if any(t in name for t in ("fcn", "deeplab", "lraspp")):
        kw["weights_backbone"] = None
    torch.manual_seed(0)
    return torchvision.models.get_model(name, **kw)


def state_of(model, variant):
    state = model.state_dict()
    if "dtype" in variant:  # torch computes in float32 over rounded weights, as after load_state_dict
        for v in state.values():
            if v.is_floating_point():
                v.copy_(v.to(variant["dtype"]))
        state = {k: v.to(variant["dtype"]) if v.is_floating_point() else v for k, v in state.items()}
    state = {variant.get("prefix", "") + k: v for k, v in state.items()}
    return {variant["wrap"]: state, "epoch": 1} if "wrap" in variant else state


def check(binary, name, variant, folder):
    model = build(name, variant)
    fill(model)
    model.eval()
    torch.save(state_of(model, variant), f"{folder}/m.pth")
    side = FIXED.get(name, 224 if name.startswith("vit") else 160)
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    np.save(f"{folder}/x.npy", x.numpy())
    with torch.no_grad():
        want = model(x)
    del model
    want = want if isinstance(want, dict) else {"output": want}
    done = subprocess.run([binary, "run", f"{folder}/m.pth", "--input", f"{folder}/x.npy", "--output", f"{folder}/out"], capture_output=True, text=True)
    if done.returncode:
        return f"exit {done.returncode}: {done.stderr.strip()}"
    for key, value in want.items():
        problem = compare(np.load(f"{folder}/out/{key}.npy"), value.numpy())
        if problem:
            return f"{key}: {problem}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("uncork")
    parser.add_argument("--only", default="")
    parser.add_argument("--skip", default="nothing")
    parser.add_argument("--largest", type=float, default=1e9)
    args = parser.parse_args()
    names = torchvision.models.list_models(module=torchvision.models) + torchvision.models.list_models(module=torchvision.models.segmentation)
    failed = ran = 0
    for i, name in enumerate(n for n in names if args.only in n and args.skip not in n):
        variant = VARIANTS[i % len(VARIANTS)]
        if torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"] * 4e-6 > args.largest:
            continue
        with tempfile.TemporaryDirectory() as folder:
            problem = check(args.uncork, name, variant, folder)
        ran += 1
        failed += problem is not None
        print(f"{name} {variant}: {problem or 'ok'}", flush=True)
    print(f"{ran - failed} of {ran} models answer as torch {torch.__version__}")
    return failed > 0


sys.exit(main())
