#!/bin/sh
# throughput for large image sets: loading overlaps with the model, memory stays bounded
. tests/mission/lib.sh
models=tests/fixtures/outputs
# pictures through a network that costs nothing: all of the time is the input pipeline's. Its threads are
# counted rather than its seconds: other work on the machine changes those.
python3 - "$uncork" "$work" "$models" <<'P' || exit $?
import os, re, resource, subprocess, sys
uncork, work, models = sys.argv[1:]
os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=0"  # freed memory is given back
with open(work + "/big.ppm", "wb") as f:
    f.write(b"P6 1600 1200 255\n" + os.urandom(4800) * 1200)
def predict(count):
    with open(work + "/list.txt", "w") as f:
        f.write((work + "/big.ppm\n") * count)
    command = [uncork, "predict", models + "/softmax.onnx", "@" + work + "/list.txt", "--preprocess", "rgb | resize=32x32,bilinear,pillow | scale=1/255 | nchw", "--quiet", "--timing", "--threads", "3"]
    told = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return int(re.search(r"loaded by (\d+) threads", told)[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
_, few = predict(10)
threads, many = predict(100)
assert many <= few + 20 * 1024, f"{many} kB for 100 pictures of 5.8 MB, {few} kB for 10"
for attempt in range(4):  # a busy machine may give one thread all of a short run
    if threads < 3:
        threads = max(threads, predict(100)[0])
assert threads > 1, "one thread loaded all pictures"
def preprocess(threads):
    command = [uncork, "preprocess"] + [work + "/big.ppm"] * 24 + ["--preprocess", "rgb | resize=64x64,bilinear,pillow", "-o", f"{work}/by{threads}", "--timing", "--quiet", "--threads", str(threads)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return told.stdout.replace(f"by{threads}", ""), int(re.search(r"in (\d+) threads", told.stderr)[1])
alone, one = preprocess(1)
for attempt in range(5):
    together, threads = preprocess(3)
    assert together == alone, "the order changes with the threads"
    if threads > 1: break
assert one == 1 and threads > 1, f"preprocess used {threads} threads"
P
