#!/usr/bin/env python3
"""uncork beside ONNX Runtime, OpenVINO, LiteRT, PyTorch or TensorFlow on the same networks. All runtimes of a case are alive at once
and take turns in short bursts, so that whatever else the machine does meets them alike.

    compare_nets.py LIBUNCORK.so MODELS [--nets A,B] [--kinds float32,int8,fast] [--batch 1,8] [--threads 1,2]
                    [--rounds N] [--burst SECONDS] [--runtimes ort,openvino,litert] [--ending .onnx] [--json FILE]
    compare_nets.py LIBUNCORK.so MODELS --ending .torch --runtimes eager,frozen,compiled --kinds float32
                    --nets resnet18,resnet50,mobilenet_v3_large,vit_b_16
    compare_nets.py LIBUNCORK.so MODELS --ending "" --runtimes tensorflow --kinds float32 --nets keras_mobilenet_v2,keras_lstm

Prints best / median milliseconds of each, ours / the fastest peer by both, and geometric means. A peer whose model
is missing is left out and said so. Outputs are compared with the first peer's on the same input. --ending says which of
a network's files uncork opens.
"""
import argparse, json, math, os, statistics, subprocess, sys, tempfile
import numpy as np
from nets import INT8, SHAPES

HERE = os.path.dirname(os.path.abspath(__file__))


class Worker:
    """A runtime in its own process; None in `error` while it works."""

    def __init__(self, runtime, stem, kind, batch, threads, folder):
        self.name, self.times, self.error = runtime, [], None
        self.out = "%s/%s.npy" % (folder, runtime)
        argv = [sys.executable, HERE + "/worker.py", runtime, stem, kind, str(batch), str(threads), self.out]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.facts = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.error = (self.process.stderr.read().strip().splitlines() or ["it ended without a word"])[-1]
        return None

    def burst(self, seconds):
        if self.error:
            return
        self.process.stdin.write("%g\n" % seconds)
        self.process.stdin.flush()
        self.times += self.answer() or []

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def agreement(ours, theirs, kind):
    """Worst difference as a share of the largest output, and whether it is within the bound."""
    a, b = np.load(ours), np.load(theirs)
    if a.shape != b.shape:
        return math.inf, False
    worst = float(np.max(np.abs(a - b)) / np.max(np.abs(b)))
    bound = np.all(np.abs(a - b) <= 1e-4 * np.abs(b) + 1e-5 * np.max(np.abs(b)))
    return worst, bool(bound) if kind == "float32" else worst < (0.1 if kind == "fast" else 0.15)


def measure(args, net, kind, batch, threads):
    stem = os.path.join(args.models, net)
    runtimes = ["uncork"] + [r for r in args.runtimes if r != "litert" or kind == "float32" and
                             os.path.exists("%s.b%d.tflite" % (stem, batch))]
    if kind == "fast":
        runtimes = ["uncork", "openvino"]
    with tempfile.TemporaryDirectory() as folder:
        workers = [Worker(r, stem, kind, batch, threads, folder) for r in runtimes]
        for turn in range(args.rounds):
            for w in workers[turn % len(workers):] + workers[:turn % len(workers)]:
                w.burst(args.burst)
        row = {"net": net, "kind": kind, "batch": batch, "threads": threads, "ms": {}, "errors": {}}
        for w in workers:
            if w.error or not w.times:
                row["errors"][w.name] = w.error
            else:
                row["ms"][w.name] = [min(w.times), statistics.median(w.times)]
        oracle = next((r for r in runtimes[1:] if r in row["ms"]), None)
        if "uncork" in row["ms"] and oracle:
            row["difference"], row["agrees"] = agreement(workers[0].out, "%s/%s.npy" % (folder, oracle), kind)
            peers = [v for k, v in row["ms"].items() if k != "uncork"]
            row["ratio"] = [row["ms"]["uncork"][i] / min(p[i] for p in peers) for i in (0, 1)]
        for w in workers:
            w.close()
    return row


def show(row):
    cells = "  ".join("%s %8.3f/%8.3f" % (k, *v) for k, v in row["ms"].items())
    ratio = "  best %.3f median %.3f" % tuple(row["ratio"]) if "ratio" in row else ""
    agrees = "" if row.get("agrees", True) else "  OUTPUTS DIFFER by %.2g" % row["difference"]
    print("%-16s %-7s b%d t%d  %s%s%s" % (row["net"], row["kind"], row["batch"], row["threads"], cells, ratio, agrees), flush=True)
    for name, error in row["errors"].items():
        print("    %s: %s" % (name, error))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("models")
    listed = lambda text: text.split(",")
    numbers = lambda text: [int(t) for t in text.split(",")]
    parser.add_argument("--nets", type=listed, default=list(SHAPES))
    parser.add_argument("--kinds", type=listed, default=["float32", "int8", "fast"])
    parser.add_argument("--batch", type=numbers, default=[1, 8])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--burst", type=float, default=0.25)
    parser.add_argument("--runtimes", type=listed, default=["ort", "openvino", "litert"])
    parser.add_argument("--ending")
    parser.add_argument("--json")
    args = parser.parse_args()
    os.environ["UNCORK_LIBRARY"] = os.path.abspath(args.library)
    if args.ending is not None:
        os.environ["UNCORK_ENDING"] = args.ending
    rows = []
    for kind in args.kinds:
        for net in [n for n in args.nets if kind != "int8" or n in INT8]:
            for batch in args.batch:
                for threads in args.threads:
                    rows.append(measure(args, net, kind, batch, threads))
                    show(rows[-1])
        ratios = [r["ratio"] for r in rows if r["kind"] == kind and "ratio" in r]
        if ratios:
            means = [math.exp(statistics.fmean(math.log(r[i]) for r in ratios)) for i in (0, 1)]
            print("%s: ours / fastest peer, geometric mean of %d cases: best %.3f, median %.3f, worst case %.3f"
                  % (kind, len(ratios), *means, max(r[0] for r in ratios)), flush=True)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=1)


main()
