#!/usr/bin/env python3
"""many_images.py UNCORK: 1,000 pictures in one command. Peak memory beside that of 50 pictures, wall time
on all cores beside one thread, runs interleaved. The pictures are made here (needs Pillow and NumPy)."""
import os, resource, statistics, subprocess, sys, tempfile, time

import numpy as np
from PIL import Image

uncork, model = os.path.abspath(sys.argv[1]), os.path.abspath("examples/digits/forest.joblib")
folder = tempfile.mkdtemp(prefix="uncork-pictures.")
r = np.random.RandomState(0)
for i in range(40):
    y, x = np.mgrid[0:480, 0:640]
    a = np.stack([np.sin(x / (20.0 + i + c)) * np.cos(y / (30.0 + c)) * 100 + 128 + r.randint(-20, 21, (480, 640)) for c in range(3)], -1)
    Image.fromarray(a.clip(0, 255).astype(np.uint8)).save("%s/%02d.jpg" % (folder, i), quality=90)
for count in (50, 1000):
    with open("%s/list%d.txt" % (folder, count), "w") as f:
        f.writelines("%s/%02d.jpg\n" % (folder, i % 40) for i in range(count))


def run(count, threads):
    t = time.perf_counter()
    p = subprocess.Popen([uncork, "predict", model, "@%s/list%d.txt" % (folder, count), "--quiet", "--threads", str(threads)],
                         stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    assert status == 0, status
    return time.perf_counter() - t, usage.ru_maxrss / 1024.0


cores = os.cpu_count()
small = max(run(50, cores)[1] for _ in range(3))
ones, alls = [], []
for _ in range(5):
    ones.append(run(1000, 1))
    alls.append(run(1000, cores))
big = max(m for _, m in alls)
ratio = statistics.median(a[0] for a in alls) / statistics.median(o[0] for o in ones)
print("1,000 pictures of 640 x 480: peak %.1f MB at 1,000, %.1f MB at 50; wall %.2f s on %d threads, %.2f s on one: %.2f (best pair %.2f)"
      % (big, small, statistics.median(a[0] for a in alls), cores, statistics.median(o[0] for o in ones), ratio,
         min(a[0] / o[0] for a, o in zip(alls, ones))))
