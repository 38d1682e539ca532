"""Forty small classifiers, each trained with its own way of preparing pictures: does `doctor` find one as good?

    doctor_contracts.py --bin build/release/uncork [--keep FOLDER] [--only NAME]

Genuinely trained with PyTorch on drawn pictures in which colour, place and size matter, fed through Pillow, OpenCV and
torchvision as their users do, written as TorchScript. Of each: `doctor MODEL FOLDER --json` on 50 labelled pictures;
the best way that it tried must be right as often as the true way, which Python measured. Prints the count and the
slowest. Needs a Python with torch, torchvision, Pillow and OpenCV."""

import argparse, io, json, os, subprocess, sys, tempfile, time
import numpy as np
import torch, torchvision.transforms.functional as F
import cv2
from PIL import Image, ImageDraw

CLASSES = 5
COLOURS = [(215, 50, 40), (45, 60, 215), (50, 190, 60), (220, 200, 50), (90, 60, 70)]


def draw(rng, kind, grey=False):
    """Shapes of the class's colour (grey: of the class's form) on a noisy ground of any size"""
    w, h = rng.randint(40, 110, 2)
    ground = rng.randint(60, 190, 3)
    a = np.clip(ground + rng.randint(-40, 40, (h, w, 3)), 0, 255).astype("uint8")
    p = Image.fromarray(a)
    d = ImageDraw.Draw(p)
    r = rng.randint(11, 17)
    x, y = int(w / 2 + (rng.rand() - 0.5) * w * 0.3), int(h / 2 + (rng.rand() - 0.5) * h * 0.3)
    c = tuple(int(np.clip(v + rng.randint(-30, 30), 0, 255)) for v in (COLOURS[kind] if not grey else (rng.randint(215, 250),) * 3))
    box = [x - r, y - r, x + r, y + r]
    if grey:
        a[:] = rng.randint(10, 60, (h, w, 1))
        p = Image.fromarray(a)
        d = ImageDraw.Draw(p)
        if kind == 0:
            d.ellipse(box, fill=c)
        elif kind == 1:
            d.rectangle(box, fill=c)
        elif kind == 2:
            d.rectangle([x - r, y - 3, x + r, y + 3], fill=c)
        elif kind == 3:
            d.rectangle([x - 3, y - r, x + 3, y + r], fill=c)
        else:
            d.line([x - r, y - r, x + r, y + r], fill=c, width=6)
    elif rng.rand() < 0.5:
        d.ellipse(box, fill=c)
    else:
        d.rectangle(box, fill=c)
    data = io.BytesIO()
    p.save(data, "JPEG", quality=90)
    return Image.open(io.BytesIO(data.getvalue())).convert("RGB")


N = 32
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
CLIP = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
CIFAR = np.array([0.4914, 0.4822, 0.4465]), np.array([0.247, 0.2435, 0.2616])
CAFFE = np.array([103.939, 116.779, 123.68])


def squash(flt=Image.BILINEAR, n=N):
    return lambda p: np.asarray(p.resize((n, n), flt), "f8")


def crop(side, flt=Image.BILINEAR, n=N):
    def f(p):
        w, h = p.size
        w, h = (side, int(side * h / w)) if w < h else (int(side * w / h), side)
        p = p.resize((w, h), flt)
        x, y = int(round((w - n) / 2.0)), int(round((h - n) / 2.0))
        return np.asarray(p.crop((x, y, x + n, y + n)), "f8")

    return f


def opencv(how=cv2.INTER_LINEAR, n=N):
    return lambda p: cv2.resize(np.asarray(p), (n, n), interpolation=how).astype("f8")


def letterbox(p, n=N):
    w, h = p.size
    s = min(n / w, n / h)
    w, h = round(w * s), round(h * s)
    out = np.zeros((n, n, 3))
    x, y = (n - w) // 2, (n - h) // 2
    out[y : y + h, x : x + w] = cv2.resize(np.asarray(p), (w, h), interpolation=cv2.INTER_LINEAR)
    return out


def tensor(p, n=N):
    t = torch.from_numpy(np.asarray(p).transpose(2, 0, 1).copy())
    return F.resize(t, [n, n], antialias=True).numpy().transpose(1, 2, 0).astype("f8")


unit = lambda a: a / 255
signed = lambda a: a / 127.5 - 1
same = lambda a: a
bgr = lambda f: lambda a: f(a)[..., ::-1]
flip = lambda f: lambda a: f(a[..., ::-1])
norm = lambda m, s: lambda a: (a / 255 - m) / s
caffe = lambda a: a[..., ::-1] - CAFFE
alone = lambda a: (a - a.mean()) / max(a.std(), 1 / np.sqrt(a.size))
grey = lambda f, flt=Image.BILINEAR: lambda p: f(np.asarray(p.convert("L").resize((28, 28), flt), "f8"))[..., None]
greycv = lambda f: lambda p: f(cv2.resize(cv2.cvtColor(np.asarray(p), cv2.COLOR_RGB2GRAY), (28, 28)).astype("f8"))[..., None]

WAYS = {  # name: (geometry, values)
    "torchvision": (crop(37), norm(MEAN, STD)),
    "torchvision_squash": (squash(), norm(MEAN, STD)),
    "torchvision_tensor": (tensor, norm(MEAN, STD)),
    "torchvision_bicubic": (crop(37, Image.BICUBIC), norm(MEAN, STD)),
    "torchvision_bgr": (crop(37), bgr(norm(MEAN, STD))),
    "imagenet_unscaled": (squash(), lambda a: (a - MEAN * 255) / (STD * 255)),
    "caffe": (squash(Image.NEAREST), caffe),
    "caffe_opencv": (opencv(), caffe),
    "caffe_crop": (crop(37), caffe),
    "unit": (squash(), unit),
    "unit_nearest": (squash(Image.NEAREST), unit),
    "unit_bicubic": (squash(Image.BICUBIC), unit),
    "unit_lanczos": (squash(Image.LANCZOS), unit),
    "unit_crop": (crop(32), unit),
    "unit_crop_8_7": (crop(37), unit),
    "unit_letterbox": (letterbox, unit),
    "unit_opencv": (opencv(), unit),
    "unit_opencv_bgr": (opencv(), flip(unit)),
    "unit_opencv_area": (opencv(cv2.INTER_AREA), unit),
    "unit_opencv_cubic_bgr": (opencv(cv2.INTER_CUBIC), flip(unit)),
    "unit_tensor": (tensor, unit),
    "signed": (squash(), signed),
    "signed_nearest": (squash(Image.NEAREST), signed),
    "signed_crop": (crop(32, Image.BICUBIC), signed),
    "signed_bgr": (opencv(), flip(signed)),
    "timm_half": (crop(36, Image.BICUBIC), norm(0.5, 0.5)),
    "raw": (squash(), same),
    "raw_bgr": (opencv(), flip(same)),
    "raw_area": (opencv(cv2.INTER_AREA), same),
    "raw_letterbox": (letterbox, same),
    "clip": (crop(32, Image.BICUBIC), norm(*CLIP)),
    "cifar": (squash(), norm(*CIFAR)),
    "half_off": (squash(), lambda a: a / 255 - 0.5),
    "standardized": (squash(), alone),
    "grey_unit": (None, grey(unit)),
    "grey_raw": (None, grey(same)),
    "grey_signed": (None, grey(signed)),
    "grey_mnist": (None, grey(lambda a: (a / 255 - 0.1307) / 0.3081)),
    "grey_opencv": (None, greycv(unit)),
    "grey_inverted": (None, grey(lambda a: 1 - a / 255)),
}


def prepare(name, pictures):
    shape, values = WAYS[name]
    rows = [values(shape(p)) if shape else values(p) for p in pictures]
    return torch.from_numpy(np.stack(rows).transpose(0, 3, 1, 2).astype("f4").copy())


class Last(torch.nn.Module):  # channels last, as Keras's models
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.permute(0, 3, 1, 2))


def network(channels):
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(channels, 12, 3, stride=2), nn.ReLU(), nn.Conv2d(12, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 24, 3),
                         nn.ReLU(), nn.Flatten(), nn.LazyLinear(CLASSES), nn.Softmax(1))


def train(x, y, seed):
    torch.manual_seed(seed)
    inner = network(x.shape[1])
    inner(x[:1])
    with torch.no_grad():  # the first layer starts where its input is of any scale
        inner[0].weight /= max(float(x.std()), 0.2) * 2
    o = torch.optim.Adam(inner.parameters(), 2e-3)
    for _ in range(14):
        for i in torch.randperm(len(x)).split(50):
            o.zero_grad()
            p = inner(x[i]).clamp_min(1e-9).log()
            torch.nn.functional.nll_loss(p, y[i]).backward()
            o.step()
    return inner.eval()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", default="build/release/uncork")
    p.add_argument("--keep")
    p.add_argument("--only")
    a = p.parse_args()
    torch.set_num_threads(1)
    root = a.keep or tempfile.mkdtemp()
    sets = {}
    for is_grey in (False, True):
        rng = np.random.RandomState(7)
        labels = [k for _ in range(120) for k in range(CLASSES)]
        test = [k for _ in range(10) for k in range(CLASSES)]
        sets[is_grey] = ([draw(rng, k, is_grey) for k in labels], torch.tensor(labels), [draw(rng, k, is_grey) for k in test], torch.tensor(test))
        for i, (picture, k) in enumerate(zip(*sets[is_grey][2:])):
            folder = os.path.join(root, "grey" if is_grey else "colour", "class%d" % k)
            os.makedirs(folder, exist_ok=True)
            picture.save(os.path.join(folder, "%02d.png" % i))
    found, slowest, total = 0, 0, 0
    for n, name in enumerate(WAYS):
        if a.only and a.only not in name:
            continue
        is_grey = name.startswith("grey")
        pictures, y, others, truth = sets[is_grey]
        path = os.path.join(root, name + ".pt")
        inner = train(prepare(name, pictures), y, n)
        x = prepare(name, others)
        true = int((inner(x).argmax(1) == truth).sum())
        last = n % 3 == 2
        torch.jit.save(torch.jit.trace(Last(inner) if last else inner, x[:1].permute(0, 2, 3, 1) if last else x[:1]), path)
        begin = time.time()
        r = subprocess.run([a.bin, "doctor", path, os.path.join(root, "grey" if is_grey else "colour"), "--json", "--threads", "2"],
                           capture_output=True, text=True)
        seconds = time.time() - begin
        try:
            j = json.loads(r.stdout)
            best = max(j["best"], j["now"], key=lambda w: w["right"])
            total += 1
            good = best["right"] >= true
        except (ValueError, KeyError, TypeError):
            best, good, total = {"right": -1, "preprocess": (r.stderr or r.stdout)[:120]}, False, total + 1
        found += good
        slowest = max(slowest, seconds)
        print("%-5s %-24s true %d of %d, found %d in %.1f s: %s" % ("" if good else "MISS", name, true, len(truth), best["right"], seconds, best["preprocess"]),
              flush=True)
    print("%d of %d found, the slowest took %.1f s" % (found, total, slowest))
    return found < total * 0.95


if __name__ == "__main__":
    sys.exit(main())
