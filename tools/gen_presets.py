#!/usr/bin/env python3
"""gen_presets.py PRESETS.json > src/contract/preset_table.def

The presets as numbered pipelines and names that point at them. PRESETS.json holds what torchvision, Keras,
timm and transformers themselves say (weights' transforms, preprocess_input, pretrained configurations, image
processors' defaults). timm must be importable, of the version named in PRESETS.json: it tells which weights a
model's plain name stands for.
"""
import json
import math
import re
import sys

data = json.load(open(sys.argv[1]))

# PRESETS.json rounds timm's constants to six digits; these are timm's own (timm/data/constants.py, 1.0.31).
EXACT = {0.481455: "0.48145466", 0.457827: "0.4578275", 0.408211: "0.40821073",
         0.26863: "0.26862954", 0.261303: "0.26130258", 0.275777: "0.27577711",
         0.486275: "0.48627450980392156", 0.458824: "0.4588235294117647", 0.407843: "0.40784313725490196",
         0.234824: "0.23482446870963955"}
RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


def number(v):
    return repr(int(v)) if float(v) == int(v) else repr(float(v))


def numbers(values, exact={}):
    return ",".join(exact.get(v) or number(v) for v in values)


def size(values):
    """[h, w] or [n] as the SPEC writes it"""
    return "%dx%d" % (values[1], values[0]) if len(values) == 2 else "%d" % values[0]


def normalise(mean, std, exact={}):
    return ["float32", "scale=1/255", "mean=" + numbers(mean, exact), "std=" + numbers(std, exact), "nchw"]


def torchvision(p):
    kind = p["class"]
    if kind == "ObjectDetection":
        return ["rgb", "float32", "scale=1/255", "nchw"]
    if kind == "OpticalFlow":  # transforms/_presets.py: /255, then mean and deviation 0.5
        return ["rgb"] + normalise([0.5] * 3, [0.5] * 3)
    if kind == "VideoClassification":  # frames are tensors there, without antialias
        steps = ["rgb", "resize=%s,%s,torchvision,noantialias,v1" % (size(p["resize_size"]), p["interpolation"])]
    else:
        steps = ["rgb", "resize=%s,%s,pillow" % (size(p["resize_size"]), p["interpolation"])]
    if "crop_size" in p:
        crop = p["crop_size"]
        steps.append("center_crop=%dx%d" % (crop[-1], crop[0]))
    return steps + normalise(p["mean"], p["std"])


def keras(p):
    n = p["default_size"]
    steps = ["rgb", "resize=%dx%d,nearest,pillow" % (n, n), "float32"]
    return steps + {"caffe": ["bgr", "mean=103.939,116.779,123.68"],
                    "tf": ["scale=1/127.5", "add=-1"],
                    "torch": ["scale=1/255", "mean=0.485,0.456,0.406", "std=0.229,0.224,0.225"],
                    "identity": []}[p["preprocess_input"]] + ["nhwc"]


def timm(row):
    (_, h, w), crop_pct, filter, mean, std, mode = row[:6]
    sh, sw = math.floor(h / crop_pct), math.floor(w / crop_pct)
    if mode == "squash":
        steps = ["resize=%dx%d,%s,pillow" % (sw, sh, filter)]
    elif mode == "border":
        steps = ["resize=%dx%d,%s,pillow,fit" % (sw, sh, filter)]
    elif sh == sw:
        steps = ["resize=%d,%s,pillow" % (sh, filter)]
    else:
        steps = ["resize=%dx%d,%s,pillow,cover" % (sw, sh, filter)]
    exact = [float(EXACT.get(v) or v) for v in mean]
    fill = "," + ",".join("%d" % round(255 * v) for v in exact) if mode == "border" else ""
    return ["rgb"] + steps + ["center_crop=%dx%d%s" % (w, h, fill)] + normalise(mean, std, EXACT)


def f32(v):
    import struct
    return struct.unpack("f", struct.pack("f", v))[0]


def shortest_f32(v):
    for digits in range(1, 18):
        text = "%.*g" % (digits, f32(v))
        if f32(float(text)) == f32(v):
            return number(float(text))


# What these do to a picture isn't a matter of their settings alone: turning and thumbnails, a border
# that mirrors, patches of any number, sizes cut to a multiple before the resize.
OWN_WAYS = ("Donut", "Swin2SR", "Siglip2", "Yolos", "Mask2Former")


def hf(name, p, tensor):
    """transformers: `tensor` is the torchvision backend, otherwise Pillow's (image_processing_backends.py)"""
    library = "torchvision" if tensor else "pillow"
    steps = ["rgb"]
    s = p.get("size") or {}
    filter = RESAMPLE[p.get("resample", 2)]
    if p.get("do_resize") and s:
        if "shortest_edge" in s and "longest_edge" in s:
            steps.append("resize=%d,%s,%s,longest_edge=%d" % (s["shortest_edge"], filter, library, s["longest_edge"]))
        elif "shortest_edge" in s:
            edge = s["shortest_edge"]
            if name.startswith("Levit"):
                edge = int(256 / 224 * edge)
            if "crop_pct" in p and edge < 384:  # ConvNext, PoolFormer: larger, then the middle
                steps.append("resize=%d,%s,%s" % (int(edge / p["crop_pct"]), filter, library))
                if not p.get("do_center_crop"):
                    steps.append("center_crop=%dx%d,hf" % (edge, edge))
            elif "crop_pct" in p and not p.get("do_center_crop"):  # ConvNext from 384 on: squashed
                steps.append("resize=%dx%d,%s,%s" % (edge, edge, filter, library))
            else:
                steps.append("resize=%d,%s,%s" % (edge, filter, library))
        else:
            steps.append("resize=%dx%d,%s,%s" % (s["width"], s["height"], filter, library))
    if p.get("do_center_crop"):
        c = p["crop_size"]
        steps.append("center_crop=%dx%d,hf" % (c["width"], c["height"]))
    factor = p.get("rescale_factor", 1 / 255)
    if p.get("do_flip_channel_order"):
        steps.append("bgr")
    if tensor and p.get("do_normalize"):  # mean and deviation take the factor in, in float32
        by = f32(1.0 / factor)
        steps += ["float32", "mean=" + ",".join(shortest_f32(f32(m) * by) for m in p["image_mean"]),
                  "std=" + ",".join(shortest_f32(f32(d) * by) for d in p["image_std"])]
    elif tensor:
        steps += ["float32", "scale=" + number(factor)]
    else:
        steps += ["scale=" + number(factor), "float32"]
        if p.get("do_normalize"):
            steps += ["mean=" + numbers(p["image_mean"]), "std=" + numbers(p["image_std"])]
    if p.get("include_top"):  # EfficientNet divides once more
        steps.append("std=" + numbers(p["image_std"]))
    if p.get("size_divisor"):
        steps.append("pad_to_multiple=%d" % p["size_divisor"])
    return steps + ["nchw"]


def snake(name):
    name = re.sub(r"(V\d)", r"_\1_", name).strip("_")
    name = re.sub(r"(?<=[a-z])(?=(Mobile|Large|Small|Tiny|Base|XLarge|B\d|ResNet))(?!Net)", "_", name)
    return re.sub("_+", "_", name).lower()


names = {}
for model, weights in data["torchvision_classification_detection_segmentation"].items():
    for weight, p in weights.items():
        names["torchvision:%s:%s" % (model, weight)] = torchvision(p)
        if p.get("default"):
            names["torchvision:%s" % model] = torchvision(p)
for model, p in data["keras_applications"]["models"].items():
    names["keras:" + snake(model)] = keras(p)
for model, row in data["timm"]["models"].items():
    names["timm:" + model] = timm(row)
from timm.models import _registry
from timm import __version__ as version
assert version == data["versions"]["timm"], version
for model, default in _registry._model_default_cfgs.items():
    tagged = default.tags[0]
    full = "timm:" + (model + "." + tagged if tagged else model)
    if full in names:
        names["timm:" + model] = names[full]
processors = data["transformers_image_processors"]["processors"]
for name, p in processors.items():
    old = name.endswith("Pil")
    if name.startswith(OWN_WAYS):
        continue
    names["hf:" + name] = hf(name, p, not old)
    if not old:
        names["hf:" + name + "Fast"] = hf(name, p, True)

folded = {}
for name, steps in names.items():
    key = re.sub("[-_]", "", name.lower())
    assert folded.setdefault(key, steps) == steps, name
order = sorted(names)
pipelines = sorted({" | ".join(s) for s in names.values()})
print("/* Generated by tools/gen_presets.py from %s. */"
      % ", ".join("%s %s" % (k, v.split("+")[0]) for k, v in data["versions"].items()))
for p in pipelines:
    print('STEPS("%s")' % p)
for name in order:
    print('PRESET("%s", %d)' % (name, pipelines.index(" | ".join(names[name]))))
