#!/usr/bin/env python3
"""uncork beside LiteRT on .tflite files: latencies in turns, outputs compared (equal bytes for integers, 1e-4 and 1e-5
for float32), load and first prediction in a fresh process.

Run: compare_tflite.py UNCORK_BINARY MODEL.tflite... [--threads 1,2] [--rounds 3] [--burst SECONDS] [--start]
Needs ai_edge_litert and numpy. One turn of each per round; the best and the median of all are printed."""
import argparse, json, math, os, statistics, subprocess, sys, tempfile, time
import numpy as np

LITERT = """
import sys, time
begin = time.perf_counter()
import numpy as np
from ai_edge_litert.interpreter import Interpreter
path, x, threads, out = sys.argv[1:5]
it = Interpreter(path, num_threads=int(threads))
it.allocate_tensors()
x = np.load(x)
entry, result = it.get_input_details()[0]["index"], it.get_output_details()[0]["index"]
def once():
    it.set_tensor(entry, x)
    it.invoke()
    return it.get_tensor(result)
np.save(out, once())
if len(sys.argv) > 5:
    times, end = [], time.perf_counter() + float(sys.argv[5])
    while time.perf_counter() < end:
        begin = time.perf_counter()
        once()
        times.append((time.perf_counter() - begin) * 1e3)
    print(min(times), sorted(times)[len(times) // 2])
"""


def litert(model, x, threads, out, seconds=None):
    command = [sys.executable, "-c", LITERT, model, x, str(threads), out] + ([str(seconds)] if seconds else [])
    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [float(w) for w in words]


def uncork(binary, model, threads):
    text = subprocess.run([binary, "bench", model, "--threads", str(threads), "--json"], capture_output=True, text=True,
                          check=True).stdout
    found = json.loads(text.splitlines()[0])
    latency = found.get("latency_ms", found.get("latency", found))
    return [latency.get("best", latency.get("best_ms")), latency.get("median", latency.get("median_ms"))]


def feed(model, folder):
    from ai_edge_litert.interpreter import Interpreter
    it = Interpreter(model)
    d = it.get_input_details()[0]
    rng = np.random.default_rng(7)
    integer = np.issubdtype(d["dtype"], np.integer)
    x = rng.integers(np.iinfo(d["dtype"]).min, np.iinfo(d["dtype"]).max, d["shape"]) if integer else rng.normal(size=d["shape"])
    path = os.path.join(folder, "x.npy")
    np.save(path, x.astype(d["dtype"]))
    return path


def agreement(binary, model, x, theirs, folder):
    subprocess.run([binary, "run", model, "--input", x, "--output", folder], check=True, capture_output=True)
    want = np.load(theirs)
    for name in sorted(os.listdir(folder)):
        got = np.load(os.path.join(folder, name)) if name.endswith(".npy") and name not in ("x.npy", "litert.npy") else None
        if got is None or got.shape != want.shape:
            continue
        if np.issubdtype(want.dtype, np.integer):
            return "equal" if (got == want).all() else "%d of %d DIFFER" % ((got != want).sum(), want.size)
        bad = np.abs(got - want) > 1e-4 * np.abs(want) + 1e-5 * np.abs(want).max()
        return "close" if not bad.any() else "%d of %d DIFFER" % (bad.sum(), want.size)
    return "no output of that shape"


def fresh(command, rounds):
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append((time.perf_counter() - begin) * 1e3)
    return min(times)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("binary")
    p.add_argument("models", nargs="+")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--burst", type=float, default=1)
    p.add_argument("--start", action="store_true")
    a = p.parse_args()
    ratios = []
    for model in a.models:
        with tempfile.TemporaryDirectory() as folder:
            x, theirs = feed(model, folder), os.path.join(folder, "litert.npy")
            for threads in a.threads.split(","):
                ours, peer = [], []
                for _ in range(a.rounds):
                    ours.append(uncork(a.binary, model, threads))
                    peer.append(litert(model, x, threads, theirs, a.burst))
                u = [min(t[0] for t in ours), statistics.median(t[1] for t in ours)]
                l = [min(t[0] for t in peer), statistics.median(t[1] for t in peer)]
                ratios.append(u[1] / l[1])
                print("%-28s t%s  uncork %8.3f/%8.3f  litert %8.3f/%8.3f  best %.3f median %.3f  %s" % (
                    os.path.basename(model), threads, *u, *l, u[0] / l[0], ratios[-1],
                    agreement(a.binary, model, x, theirs, folder)), flush=True)
            if a.start:
                mine = fresh([a.binary, "run", model, "--input", x, "--output", folder], 5)
                other = fresh([sys.executable, "-c", LITERT, model, x, "1", theirs], 5)
                print("%-28s fresh process: uncork %.1f ms, litert %.1f ms, %.3f" % (
                    os.path.basename(model), mine, other, mine / other), flush=True)
    print("geometric mean of medians: %.3f" % math.exp(sum(map(math.log, ratios)) / len(ratios)))


main()
