#!/usr/bin/env python3
"""Networks of torch and torchvision with random weights, exported to ONNX by both of torch's exporters,
through libuncork against torch itself.

    tests/conformance/torch_models.py                     all, made under build/torch-models when absent
    tests/conformance/torch_models.py --filter resnet -v

A line a model: largest |got - want| / (1e-4 |want| + 1e-5 max |want|) over all outputs, which must not be above
1, and whether the five largest are the same where an output is scores. Needs torch, torchvision, onnx and
onnxscript. Batch normalization is calibrated on random pictures, so that numbers stay in a normal range;
detectors are given boxes whose scores lie apart, so that rounding reorders none."""
import argparse
import contextlib
import io
import os
import pathlib
import re
import sys
import time
import warnings

import numpy as np
import torch
import torch.nn as nn
import torchvision as tv

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/conformance"))
import uncork  # noqa: E402

warnings.filterwarnings("ignore")
M = tv.models


class Digit(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10), nn.Softmax(1))


class Tagger(nn.Module):
    """Embedding, two layers of a recurrent network both ways, a score for each step."""

    def __init__(self, kind):
        super().__init__()
        self.embed = nn.Embedding(500, 32)
        self.net = kind(32, 48, num_layers=2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(96, 12)

    def forward(self, tokens):
        return self.out(self.net(self.embed(tokens))[0])


class Encoder(nn.Module):
    """Embedding with positions, a transformer encoder with padding masked, scores of the first token."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(500, 64, padding_idx=0)
        self.position = nn.Parameter(torch.randn(1, 64, 64) * 0.1)
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, activation="gelu")
        self.net = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.out = nn.Linear(64, 12)

    def forward(self, tokens):
        x = self.embed(tokens) + self.position[:, :tokens.shape[1]]
        return self.out(self.net(x, src_key_padding_mask=tokens == 0)[:, 0])


class First(nn.Module):
    """A segmentation network's `out`."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


def picture(*shape):
    return torch.randn(1, *shape)


def tokens():
    t = torch.randint(1, 500, (2, 20))
    t[1, 15:] = 0
    return t


def classifier(make):
    return "scores", lambda: (make(weights=None), picture(3, 224, 224))


# name -> what its outputs are, and what makes the network and an example input
MODELS = {
    "digit": ("scores", lambda: (Digit(), picture(1, 28, 28))),
    "resnet18": classifier(M.resnet18),
    "resnet50": classifier(M.resnet50),
    "mobilenet_v2": classifier(M.mobilenet_v2),
    "mobilenet_v3_small": classifier(M.mobilenet_v3_small),
    "mobilenet_v3_large": classifier(M.mobilenet_v3_large),
    "efficientnet_b0": classifier(M.efficientnet_b0),
    "densenet121": classifier(M.densenet121),
    "vit_b_16": classifier(M.vit_b_16),
    "swin_t": classifier(M.swin_t),
    "convnext_tiny": classifier(M.convnext_tiny),
    "inception_v3": ("scores", lambda: (M.inception_v3(weights=None, init_weights=False), picture(3, 299, 299))),
    "squeezenet1_1": classifier(M.squeezenet1_1),
    "shufflenet_v2_x1_0": classifier(M.shufflenet_v2_x1_0),
    "deeplabv3_resnet50": ("map", lambda: (First(M.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None)), picture(3, 128, 128))),
    "ssdlite320_mobilenet_v3": ("boxes", lambda: (M.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, score_thresh=0.02),
                                        torch.rand(3, 240, 320))),
    "fasterrcnn_mobilenet_v3_320": ("boxes", lambda: (M.detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=5, box_score_thresh=0.01),
                                            torch.rand(3, 320, 384))),
    "lstm": ("map", lambda: (Tagger(nn.LSTM), tokens())),
    "gru": ("map", lambda: (Tagger(nn.GRU), tokens())),
    "transformer_encoder": ("scores", lambda: (Encoder(), tokens())),
}


def settle(net):
    """What training would have seen to: with weights all random, torch's own float32 is twice the bound away from
    its float64 in some networks."""
    for m in net.modules():
        if isinstance(m, M.resnet.Bottleneck):  # what a block adds is small beside what it was given
            nn.init.constant_(m.bn3.weight, 0.25)
        if isinstance(m, M.inception.BasicConv2d):  # activations don't sit at the kink of ReLU
            nn.init.constant_(m.bn.bias, 1.0)
        if isinstance(m, M.VisionTransformer):  # its head starts as zeros
            nn.init.normal_(m.heads.head.weight, std=0.05)


def calibrate(net, x, kind):
    """Running statistics of random pictures; the rest of the network stays in evaluation."""
    settle(net)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    net.eval()
    for m in norms:
        m.train()
        m.momentum = None
    with torch.no_grad():
        for _ in range(2 if norms else 0):
            net([torch.rand_like(x), torch.rand_like(x)]) if kind == "boxes" else net(torch.randn(8, *x.shape[1:]))
    net.eval()
    if kind == "boxes":  # heads of random weights tell everything apart by nothing: widen their scores
        for name, p in net.named_parameters():
            if re.search(r"(classification_head|cls_logits|cls_score).*(weight|bias)$", name):
                nn.init.normal_(p, std=0.05 if p.ndim > 1 else 0.5)
    return net


def flat(y):
    """Outputs in the exporters' order."""
    if isinstance(y, dict):
        return [t for v in y.values() for t in flat(v)]
    if isinstance(y, (list, tuple)):
        return [t for v in y for t in flat(v)]
    return [y]


def export(net, x, kind, path, exporter):
    given = ([x],) if kind == "boxes" else (x,)
    if exporter == "torchscript":
        dynamic = {"input": {0: "batch"}} if kind in ("scores", "map") else None
        torch.onnx.export(net, given, str(path), dynamo=False, opset_version=17, input_names=["input"], dynamic_axes=dynamic)
    else:
        more = {"dynamo": True, "opset_version": 20, "input_names": ["input"], "external_data": False, "verbose": False}
        try:
            torch.onnx.export(net, given, str(path), dynamic_shapes=({0: torch.export.Dim("batch")},) if x.ndim == 4 else None, **more)
        except Exception:  # a network that asks for its batch
            torch.onnx.export(net, given, str(path), **more)


def make(name, exporter, folder):
    """The model's files, made when absent: model, input and torch's outputs. A reason when torch can't export."""
    at = folder / f"{name}.{exporter}"
    refused = at / "refused.txt"
    if (at / "want.npz").exists():
        return at, None
    if refused.exists():
        return at, refused.read_text()
    at.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    kind, build = MODELS[name]
    net, x = build()
    net = calibrate(net, x, kind)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            export(net, x, kind, at / "model.onnx", exporter)
    except Exception as e:
        line = next((line for line in str(e).splitlines() if line.strip()), type(e).__name__)
        line = re.sub(r"\x1b\[\d+m", "", line)[:160]
        refused.write_text(line)
        return at, line
    if kind != "boxes" and exporter == "torchscript":  # another batch than the exported one: the axis is free
        x = torch.cat([x, x.flip(0) if x.dtype == torch.int64 else torch.randn_like(x)])
    with torch.no_grad():
        want = flat(net([x]) if kind == "boxes" else net(x))
    np.savez(at / "input.npz", x=x.numpy())
    np.savez(at / "want.npz", *[w.numpy() for w in want])
    return at, None


def compare(got, want, kind):
    """(worst share of the bound, a complaint or None)"""
    worst = 0.0
    if len(got) != len(want):
        return worst, f"{len(got)} outputs instead of {len(want)}"
    for i, (g, w) in enumerate(zip(got, want)):
        if g.shape != w.shape or g.dtype != w.dtype:
            return worst, f"output {i}: {g.dtype}{list(g.shape)} instead of {w.dtype}{list(w.shape)}"
        if not w.size:
            continue
        w64 = w.astype(np.float64)
        if not np.isfinite(g.astype(np.float64)).all():
            return np.inf, f"output {i}: not finite"
        worst = max(worst, float((np.abs(g - w64) / (1e-4 * np.abs(w64) + 1e-5 * np.abs(w64).max() + 1e-30)).max()))
        if kind == "scores":
            top = lambda a: np.argsort(-a.reshape(-1, a.shape[-1]), axis=1, kind="stable")[:, :5]
            if (top(g) != top(w)).any():
                return worst, f"output {i}: another top 5"
    return worst, None if worst <= 1 else "beyond the bound"


def check(at, kind, lib, options):
    x = np.load(at / "input.npz")["x"]
    stored = np.load(at / "want.npz")
    want = [stored[k] for k in stored.files]
    began = time.perf_counter()
    net = uncork.Model(lib, str(at / "model.onnx"), options.disable_pass, options.threads)
    ready = time.perf_counter()
    got = net.run({net.inputs[0]: x})
    once = time.perf_counter()
    got = net.run({net.inputs[0]: x})
    done = time.perf_counter()
    worst, complaint = compare(got, want, kind)
    net.close()
    return worst, complaint, f"open {1e3 * (ready - began):.0f} ms, first {1e3 * (once - ready):.0f} ms, then {1e3 * (done - once):.0f} ms"


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--filter", default="")
    p.add_argument("--exporter", choices=["torchscript", "dynamo"])
    p.add_argument("--folder", default=str(ROOT / "build/torch-models"))
    p.add_argument("--lib", default=None)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--disable-pass", default=None)
    p.add_argument("--make", action="store_true", help="only makes the models")
    p.add_argument("-v", action="store_true", help="times too")
    options = p.parse_args()
    torch.set_num_threads(2)
    built = [ROOT / "build" / b / "libuncork.so" for b in ("release", "dev")]
    lib = None if options.make else uncork.load(options.lib or next((b for b in built if b.exists()), built[0]))
    bad = run = refused = 0
    for name in MODELS:
        for exporter in ("torchscript", "dynamo"):
            if not re.search(options.filter, name) or options.exporter not in (None, exporter):
                continue
            at, reason = make(name, exporter, pathlib.Path(options.folder))
            if reason:
                refused += 1
                print(f"-    {name} ({exporter}): torch can't export it: {reason}", flush=True)
                continue
            if options.make:
                print(f"made {name} ({exporter})", flush=True)
                continue
            run += 1
            try:
                worst, complaint, times = check(at, MODELS[name][0], lib, options)
            except uncork.Failure as e:
                worst, complaint, times = 0.0, str(e), ""
            bad += complaint is not None
            print(f"{'FAIL' if complaint else 'ok  '} {name} ({exporter}): {worst:.3f} of the bound"
                  + (f", {complaint}" if complaint else "") + (f", {times}" if options.v and times else ""), flush=True)
    print(f"{run - bad} of {run} exported models within the bound, {refused} that torch doesn't export")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
