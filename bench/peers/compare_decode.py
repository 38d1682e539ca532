#!/usr/bin/env python3
"""compare_decode.py BENCH_DECODE PHOTOS PEER=PYTHON... [--threads N] [--rounds N] [--pictures N]

JPEG photographs to 224 x 224 normalised float32 tensors: bench_decode beside each library, in rounds that take
turns, on each one's own arithmetic. PEER is pillow, pillow-simd, opencv, torchvision or tf.data, PYTHON an
interpreter that has it. The pictures are cut from the photographs in PHOTOS to 500 x 375, as ImageNet's are,
and written as JPEG of quality 90: 1,000 of them. Prints the median of pictures a second of both and their
ratio, and how far a tensor of ours is from theirs.

    python3 bench/peers/compare_decode.py build/release/bench_decode ../shared/images/photos opencv=/usr/bin/python3
"""
import os
import statistics
import subprocess
import sys
import tempfile

NORMAL = " | float32 | scale=1/255 | mean=0.485,0.456,0.406 | std=0.229,0.224,0.225 | nchw"
TORCH = NORMAL.replace("1/255", "0.00392156862745098")
SPECS = {
    "pillow": "rgb | resize=224x224,bilinear,pillow" + NORMAL,
    "pillow-simd": "rgb | resize=224x224,bilinear,pillow12" + NORMAL,
    "opencv": "decode=opencv | resize=224x224,linear,opencv | rgb" + NORMAL,
    "torchvision": "decode=torchvision | resize=224x224,bilinear,torchvision" + TORCH,
    "tf.data": "decode=tensorflow,jpeg | resize=224x224,bilinear,tensorflow" + NORMAL.replace(" | nchw", ""),
}

WORKER = r'''
import sys, time, itertools
import numpy as np
peer, threads, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
mean = np.array([0.485, 0.456, 0.406], np.float32)
std = np.array([0.229, 0.224, 0.225], np.float32)
if peer.startswith("pillow"):
    from PIL import Image
    def one(path):
        x = np.asarray(Image.open(path).convert("RGB").resize((224, 224), Image.BILINEAR)).astype(np.float32) / 255
        return np.ascontiguousarray(((x - mean) / std).transpose(2, 0, 1))
elif peer == "opencv":
    import cv2
    cv2.setNumThreads(1)
    def one(path):
        x = cv2.cvtColor(cv2.resize(cv2.imread(path), (224, 224)), cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        return np.ascontiguousarray(((x - mean) / std).transpose(2, 0, 1))
elif peer == "torchvision":
    import torch
    from torchvision import io
    from torchvision.transforms import v2
    torch.set_num_threads(1)
    t = v2.Compose([v2.Resize((224, 224), antialias=True), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean.tolist(), std.tolist())])
    def one(path):
        return t(io.decode_image(path, mode="RGB")).numpy()
else:
    import os
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    def read(path):
        x = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return (tf.image.resize(x, (224, 224)) / 255.0 - mean) / std
    def one(path):
        return read(path).numpy()
if peer == "tf.data":
    data = iter(tf.data.Dataset.from_tensor_slices(files).repeat().map(read, num_parallel_calls=threads).prefetch(threads))
    def take(n):
        for _ in range(n):
            last = next(data)
        last.numpy()
else:
    from concurrent.futures import ThreadPoolExecutor
    pool = ThreadPoolExecutor(threads)
    turn = itertools.cycle(files)
    def take(n):
        paths = list(itertools.islice(turn, n))
        if threads == 1:
            for p in paths:
                one(p)
        else:
            list(pool.map(one, paths))
for line in sys.stdin:
    word = line.split()
    if word[0] == "save":
        np.save(word[1], one(files[0]))
        print("saved", flush=True)
        continue
    begin = time.perf_counter()
    take(int(word[0]))
    print("%.6f" % (time.perf_counter() - begin), flush=True)
'''

PICTURES = r'''
import os, random, sys
from PIL import Image
folder, photos, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(5)
names = sorted(n for n in os.listdir(photos) if n.lower().endswith((".jpg", ".jpeg")))
pictures = [Image.open(os.path.join(photos, n)).convert("RGB") for n in names]
for i in range(count):
    p = pictures[i % len(pictures)]
    s = random.uniform(0.6, 1)
    w, h = int(p.width * s), int(p.height * s)
    x, y = random.randint(0, p.width - w), random.randint(0, p.height - h)
    p.crop((x, y, x + w, y + h)).resize((500, 375), Image.BICUBIC).save("%s/%04d.jpg" % (folder, i), quality=90)
'''


def option(name, otherwise):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else otherwise


def talk(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        sys.exit("a worker ended: " + " ".join(process.args)[:200])
    return answer


def difference(python, spec, bench, ours, theirs, file):
    command = os.path.join(os.path.dirname(bench), "uncork")
    subprocess.run([command, "preprocess", file, "--preprocess", spec, "-o", ours, "-q"], check=True, stdout=subprocess.DEVNULL)
    name = os.path.splitext(os.path.basename(file))[0]
    code = "import numpy as np, sys; a, b = np.load(sys.argv[1]), np.load(sys.argv[2]); print('%.2g' % np.abs(a - b).max())"
    return subprocess.run([python, "-c", code, "%s/%s.npy" % (ours, name), theirs], capture_output=True, text=True).stdout.strip()


bench, photos = sys.argv[1:3]
threads, rounds, pictures = option("--threads", 1), option("--rounds", 7), option("--pictures", 1000)
peers = [a.split("=", 1) for a in sys.argv[3:] if "=" in a]
with tempfile.TemporaryDirectory() as work:
    subprocess.run([peers[0][1], "-c", PICTURES, work, photos, str(pictures)], check=True)
    files = sorted(os.path.join(work, n) for n in os.listdir(work) if n.endswith(".jpg"))
    each = max(1, pictures // rounds)
    for peer, python in peers:
        spec = SPECS[peer]
        pipe = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ours = subprocess.Popen([bench, spec, str(threads)] + files, **pipe)
        theirs = subprocess.Popen([python, "-c", WORKER, peer, str(threads)] + files, **pipe)
        talk(theirs, "save %s/theirs.npy" % work)
        off = difference(python, spec, bench, work, work + "/theirs.npy", files[0])
        for process in (ours, theirs):
            talk(process, "20")
        a, b = [], []
        for _ in range(rounds):
            a.append(each / float(talk(ours, str(each)).split()[0]))
            b.append(each / float(talk(theirs, str(each))))
        ratio = statistics.median(x / y for x, y in zip(a, b))
        print("%-12s %d thread%s: uncork %6.0f, %s %6.0f pictures/s, ratio %.2f (rounds %.2f to %.2f), tensors differ by %s"
              % (peer, threads, "s" if threads > 1 else "", statistics.median(a), peer, statistics.median(b), ratio,
                 min(x / y for x, y in zip(a, b)), max(x / y for x, y in zip(a, b)), off), flush=True)
        for process in (ours, theirs):
            process.stdin.close()
            process.wait()
