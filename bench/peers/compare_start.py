#!/usr/bin/env python3
"""From exec to the first output in a fresh process, and peak resident memory: uncork on the ONNX file and on
its artifact beside the least C program over ONNX Runtime's library (start_onnxruntime.c) and Python's
onnxruntime, openvino and litert, where they are installed. One thread reads, two compute.
Run: compare_start.py MODEL.onnx [--uncork build/release/uncork] [--tflite M.tflite] [--rounds 15]"""
import argparse, os, statistics, subprocess, sys, tempfile, time

PEERS = {
    "onnxruntime": """
import numpy, onnxruntime
s = onnxruntime.InferenceSession(PATH, providers=["CPUExecutionProvider"])
i = s.get_inputs()[0]
s.run(None, {i.name: numpy.zeros([d if isinstance(d, int) else 1 for d in i.shape], "float32")})""",
    "openvino": """
import numpy, openvino
m = openvino.Core().compile_model(PATH, "CPU")
m([numpy.zeros([d.get_length() if d.is_static else 1 for d in m.input(0).partial_shape], "float32")])""",
    "litert": """
import numpy
from ai_edge_litert.interpreter import Interpreter
i = Interpreter(TFLITE, num_threads=2)
i.allocate_tensors()
i.set_tensor(i.get_input_details()[0]["index"], numpy.zeros(i.get_input_details()[0]["shape"], "float32"))
i.invoke()""",
}


# Runs in a process of its own: a child's peak counts what its parent held when it was made.
PREPARE = """
import os, sys, numpy
work, model, *shape = sys.argv[1:]
numpy.save(work + "/input.npy", numpy.zeros([int(d) for d in shape], "float32"))
import onnxruntime
capi = os.path.join(os.path.dirname(onnxruntime.__file__), "capi")
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
library = [f for f in os.listdir(capi) if f.startswith("libonnxruntime.so")]
print(os.path.join(capi, library[0]), session.get_inputs()[0].name, session.get_outputs()[0].name, sep="\\n")"""


def c_program(work, model, shape):
    """The command of start_onnxruntime.c over the library of onnxruntime's wheel; None without it."""
    found = subprocess.run([sys.executable, "-c", PREPARE, work, model, *shape], capture_output=True, text=True)
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "start_onnxruntime.c")
    if found.returncode or subprocess.run(["cc", "-O2", "-o", f"{work}/start", source]).returncode:
        return None
    library, inputs, outputs = found.stdout.split("\n")[:3]
    return [f"{work}/start", library, model, inputs, outputs, *shape]


def once(command):
    """Seconds and peak kilobytes of one fresh process."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - begin, usage.ru_maxrss, status


def main():
    parse = argparse.ArgumentParser()
    parse.add_argument("model")
    parse.add_argument("--uncork", default="build/release/uncork")
    parse.add_argument("--tflite")
    parse.add_argument("--rounds", type=int, default=15)
    parse.add_argument("--shape", default="1,3,224,224")
    options = parse.parse_args()
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([options.uncork, "pack", options.model, "-o", f"{work}/m.cork", "--quiet"], check=True)
        in_c = c_program(work, options.model, options.shape.split(","))
        run = lambda model: [options.uncork, "run", model, "--input", f"{work}/input.npy",
                             "--output", f"{work}/out", "--threads", "2", "--quiet"]
        commands = {"uncork .onnx": run(options.model), "uncork .cork": run(f"{work}/m.cork")}
        if in_c:
            commands["onnxruntime C"] = in_c
        for name, text in PEERS.items():
            if name == "litert" and not options.tflite:
                continue
            commands[name] = [sys.executable, "-c", f"PATH, TFLITE = {options.model!r}, {options.tflite!r}\n{text}"]
        commands = {name: c for name, c in commands.items() if once(c)[2] == 0}
        found = {name: [] for name in commands}
        for _ in range(options.rounds):  # interleaved: all meet the same machine
            for name, command in commands.items():
                found[name].append(once(command))
        for name, runs in found.items():
            times = [1000 * r[0] for r in runs]
            print(f"{name:14} best {min(times):7.1f} ms  median {statistics.median(times):7.1f} ms  "
                  f"peak {statistics.median(r[1] for r in runs) / 1024:6.1f} MB")


main()
