#!/usr/bin/env python3
"""Runs the conformance cases of the onnx wheel through libuncork.

    tests/conformance/run.py                        all; a line for each failure, then the sums
    tests/conformance/run.py --filter test_gru -v   some, with what differs
    tests/conformance/run.py --markdown docs/conformance.md
    tests/conformance/run.py --peer onnxruntime     the same cases through ONNX Runtime

Tolerances are the suite's own (onnx/backend/test/runner: Runner.assert_similar_outputs); element type,
shape and kind of value must be equal. Every case runs in a process of its own under a time limit, so
that a crash is one failure."""
import argparse
import collections
import os
import pathlib
import pickle
import re
import select
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def use_environment():
    """Starts again under the Python that `make conformance` made, where this one has no onnx."""
    try:
        import onnx, numpy, ml_dtypes  # noqa: F401
    except ImportError:
        python = ROOT / "build/conformance-venv/bin/python"
        if not python.exists() or pathlib.Path(sys.prefix) == python.parents[1]:
            sys.exit("run.py: onnx isn't installed here; `make conformance` makes an environment with it")
        os.execv(python, [str(python), *sys.argv])


use_environment()
import numpy as np  # noqa: E402

sys.path.insert(0, str(ROOT / "tests/conformance"))
import suite  # noqa: E402
import uncork  # noqa: E402


# What the same harness says of another runtime (--peer onnxruntime, with onnxruntime 1.32.0).
PEER = ("For comparison: ONNX Runtime 1.32.0 passes 1,593 of the node cases and 1,722 of all through its Python interface "
        "(`tests/conformance/run.py --peer onnxruntime`).")

# ---- one case ----------------------------------------------------------------------------------

def typed(x, kind):
    """An input as its declared TypeProto wants it: optionals wrapped, arrays for everything else."""
    if kind.HasField("optional_type"):
        return uncork.Optional(None if x is None else typed(x, kind.optional_type.elem_type))
    if kind.HasField("sequence_type"):
        return [typed(i, kind.sequence_type.elem_type) for i in x]
    return x


def untyped(x, kind):
    """An output as the suite writes it; a kind that isn't the declared one is a failure."""
    if kind.HasField("optional_type"):
        if not isinstance(x, uncork.Optional):
            raise AssertionError(f"{kind_name(x)} where an optional is declared")
        return None if x.item is None else untyped(x.item, kind.optional_type.elem_type)
    for field, python in (("sequence_type", list), ("map_type", dict), ("tensor_type", np.ndarray)):
        if kind.HasField(field) and not isinstance(x, python):
            raise AssertionError(f"{kind_name(x)} where a {field[:-5]} is declared")
    return x


def kind_name(x):
    return {list: "a sequence", dict: "a map", np.ndarray: "a tensor"}.get(type(x), "an optional")


def compare(got, want, rtol, atol, where):
    """Raises AssertionError with one line saying what differs."""
    if want is None or got is None:
        if got is not want:
            raise AssertionError(f"{where}: {'nothing' if got is None else 'something'} where the suite has {'nothing' if want is None else 'something'}")
        return
    if isinstance(want, list):
        if len(got) != len(want):
            raise AssertionError(f"{where}: {len(got)} items, the suite has {len(want)}")
        for i, (g, w) in enumerate(zip(got, want)):
            compare(g, w, rtol, atol, f"{where}[{i}]")
        return
    if isinstance(want, dict):
        if got != want:
            raise AssertionError(f"{where}: {got}, the suite has {want}")
        return
    if want.dtype.kind in "OUS":
        want = want.astype(object)
    if got.dtype != want.dtype:
        raise AssertionError(f"{where}: {got.dtype}, the suite has {want.dtype}")
    if got.shape != want.shape:
        raise AssertionError(f"{where}: shape {list(got.shape)}, the suite has {list(want.shape)}")
    if want.dtype == object:
        text = lambda a: [t.decode() if isinstance(t, bytes) else t for t in a.reshape(-1).tolist()]
        bad = [i for i, (g, w) in enumerate(zip(text(got), text(want))) if g != w]
    else:
        if want.dtype.name == "bfloat16":
            rtol = max(rtol, 2.0 ** -6)
        if want.dtype.kind == "V" or want.dtype.name not in np.sctypeDict:
            got, want = got.astype(np.float32), want.astype(np.float32)
        wide = np.complex128 if want.dtype.kind == "c" else np.float64 if want.dtype.kind == "f" else None
        near = (np.isclose(got.astype(wide), want.astype(wide), rtol=rtol, atol=atol, equal_nan=True) if wide
                else np.isclose(got, want, rtol=rtol, atol=atol) | (got == want))
        bad = np.flatnonzero(~near.reshape(-1))
    if len(bad):
        i = int(bad[0])
        raise AssertionError(f"{where}: {len(bad)} of {want.size} elements differ, first [{i}]: "
                             f"{got.reshape(-1)[i]}, the suite has {want.reshape(-1)[i]}")


def check_random(case, model, inputs, got, want):
    """Type, shape and range of outputs that no one can tell beforehand."""
    for i, (g, w) in enumerate(zip(got, want)):
        compare(g, np.asarray(g).astype(w.dtype) if g.dtype == w.dtype and g.shape == w.shape else w, 0, 0, f"output {i}")
    if any(n.op_type == "Dropout" for n in model.graph.node):
        x, ratio = inputs[0], float(np.asarray(inputs[1]).reshape(-1)[0])
        kept = got[1] if len(got) > 1 else got[0] != 0
        np.testing.assert_allclose(got[0], np.where(kept, x / (1 - ratio), 0), rtol=case.rtol)
    else:
        assert set(np.unique(got[0].astype(np.float64))) <= {0.0, 1.0}, "output 0: neither 0 nor 1"


def check_case(case, runner):
    """Raises when the case fails."""
    model = case.model()
    inputs, outputs = suite.fed(model), model.graph.output
    run = runner(case, model)
    for given, want in suite.data_of(case):
        feeds = {i.name: typed(x, i.type) for i, x in zip(inputs, given)}
        got = run(feeds)
        got = [untyped(g, o.type) for g, o in zip(got, outputs)]
        if len(got) != len(want):
            raise AssertionError(f"{len(got)} outputs, the suite has {len(want)}")
        try:
            for i, (g, w) in enumerate(zip(got, want)):
                compare(g, w, case.rtol, case.atol, f"output {i}")
        except AssertionError:
            if not case.random:
                raise
            check_random(case, model, given, got, want)


def uncork_runner(library, options):
    lib = uncork.load(library)

    def start(case, model):
        net = uncork.Model(lib, case.source if isinstance(case.source, bytes) else case.path(), options.disable_pass, options.threads)

        def run(feeds):
            got = dict(zip(net.outputs, net.run(feeds)))
            return [got[o.name] for o in model.graph.output]
        return run
    return start


def onnxruntime_runner():
    import onnxruntime
    onnxruntime.set_default_logger_severity(4)

    def bare(x):
        return (None if x.item is None else bare(x.item)) if isinstance(x, uncork.Optional) else x

    def start(case, model):
        net = onnxruntime.InferenceSession(case.source if isinstance(case.source, bytes) else case.path(), providers=["CPUExecutionProvider"])

        def run(feeds):
            got = net.run(None, {n: bare(x) for n, x in feeds.items()})
            return [uncork.Optional(g) if o.type.HasField("optional_type") else np.asarray(g) if not isinstance(g, (list, dict)) else g
                    for g, o in zip(got, model.graph.output)]
        return run
    return start


# ---- many cases --------------------------------------------------------------------------------

def child(case, runner, out):
    try:
        check_case(case, runner)
        answer = "pass", ""
    except uncork.Failure as e:
        answer = "refused", str(e)
    except Exception as e:
        lines = [line.strip() for line in str(e).splitlines() if line.strip()]
        answer = "differs" if isinstance(e, AssertionError) else "refused", " ".join(lines[:3])[:400] or type(e).__name__
    os.write(out, pickle.dumps(answer)[:60000])
    os._exit(0)


def run_all(cases, runner, jobs, limit_s, tell):
    """name, group -> (result, reason), each case in a fork of this process."""
    waiting, running, results = list(reversed(cases)), {}, {}
    while waiting or running:
        while waiting and len(running) < jobs:
            case = waiting.pop()
            read_end, write_end = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(read_end)
                child(case, runner, write_end)
            os.close(write_end)
            running[read_end] = case, pid, time.monotonic() + limit_s
        ready, _, _ = select.select(list(running), [], [], 0.5)
        now = time.monotonic()
        for fd in list(running):
            case, pid, deadline = running[fd]
            if fd in ready:
                data = os.read(fd, 65536)
                _, status = os.waitpid(pid, 0)
                died = f"crash: {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else "crash"
                result = pickle.loads(data) if data else ("crash", died)
            elif now > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                result = "crash", f"more than {limit_s} s"
            else:
                continue
            os.close(fd)
            del running[fd]
            results[case.group, case.name] = result
            tell(case, result)
    return results


# ---- what people see ---------------------------------------------------------------------------

def known_failures():
    """name -> reason, of the cases that truly can't be."""
    path = ROOT / "tests/conformance/known.txt"
    lines = [line.split(None, 1) for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]
    return {name: reason for name, reason in lines}


def table(head, rows):
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|"] + [f"| {' | '.join(map(str, r))} |" for r in rows]


def markdown(cases, results, known, onnx_version):
    passed = lambda some: sum(results[c.group, c.name][0] == "pass" for c in some)
    lines = ["# ONNX conformance", "",
             f"Written by `make conformance`: every case of the onnx {onnx_version} wheel's backend suite through libuncork, with the suite's own",
             "tolerances; element type, shape and kind of value must be equal.", ""]
    rows = [(g, len(s), passed(s)) for g in suite.GROUPS if (s := [c for c in cases if c.group == g])]
    lines += table(["group", "cases", "passed"], rows + [("all", len(cases), passed(cases))])
    lines += ["", PEER, ""]
    failing = [c for c in cases if results[c.group, c.name][0] != "pass"]
    lines += ["## Failing", ""]
    lines += table(["case", "operator", "reason"], [(c.name, c.operator, known.get(c.name) or results[c.group, c.name][1].replace("|", "\\|"))
                                                     for c in failing]) if failing else ["None."]
    random = sorted(c.name for c in cases if c.random)
    lines += ["", "## Random by definition", "",
              "Compared by type, shape and range where the values differ: " + ", ".join(random) + ".", ""]
    by = collections.defaultdict(list)
    for c in cases:
        by[c.operator].append(c)
    lines += ["## Operator by operator", "", "A case with several operators counts for the rarest of them.", ""]
    lines += table(["operator", "cases", "passed"], [(op, len(s), passed(s)) for op, s in sorted(by.items())])
    return "\n".join(lines) + "\n"


def group_reason(text):
    """A reason without names and numbers, so that equal causes meet."""
    return re.sub(r"'[^']*'", "'...'", re.sub(r"\d+", "N", re.sub(r"^\S*?: ", "", text)))[:110]


def report(cases, results, known):
    failing = [c for c in cases if results[c.group, c.name][0] != "pass"]
    by = collections.defaultdict(list)
    for c in failing:
        result, reason = results[c.group, c.name]
        by[c.operator, result, group_reason(reason)].append(c.name)
    for (operator, result, reason), names in sorted(by.items(), key=lambda kv: (-len(kv[1]), kv[0])):
        print(f"{len(names):5} {operator}: {result}: {reason}  e.g. {names[0]}")
    for g in suite.GROUPS:
        some = [c for c in cases if c.group == g]
        if some:
            print(f"{g}: {sum(results[c.group, c.name][0] == 'pass' for c in some)} of {len(some)}")
    print(f"all: {len(cases) - len(failing)} of {len(cases)}, {sum(c.name not in known for c in failing)} unexpected failures")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--filter", default="", help="a regular expression over case names and operators")
    p.add_argument("--group", choices=suite.GROUPS)
    p.add_argument("--lib", default=None, help="libuncork.so; build/release's, else build/dev's")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--timeout", type=int, default=60, help="seconds a case")
    p.add_argument("--disable-pass", default=None)
    p.add_argument("--peer", choices=["onnxruntime"])
    p.add_argument("--markdown", help="the file to write")
    p.add_argument("--results", help="a file to write, a line a case: group, name, result, operator, reason")
    p.add_argument("--save", help="writes the model and data of the chosen cases into this folder instead")
    p.add_argument("-v", action="store_true", help="a line a case")
    options = p.parse_args()
    cases = [c for c in suite.load(ROOT / "build/conformance")
             if (not options.group or c.group == options.group) and (re.search(options.filter, c.name) or options.filter == c.operator)]
    if options.save:
        return save(cases, pathlib.Path(options.save))
    built = [ROOT / "build" / b / "libuncork.so" for b in ("release", "dev")]
    library = options.lib or next((b for b in built if b.exists()), built[0])
    runner = onnxruntime_runner() if options.peer else uncork_runner(library, options)

    def tell(case, result):
        if options.v:
            print(f"{result[0]:8}{case.name} ({case.operator}) {result[1]}", flush=True)
    known = {} if options.peer else known_failures()
    results = run_all(cases, runner, options.jobs, options.timeout, tell)
    report(cases, results, known)
    if options.results:
        lines = ["\t".join((c.group, c.name, results[c.group, c.name][0], c.operator, results[c.group, c.name][1])) for c in cases]
        pathlib.Path(options.results).write_text("\n".join(lines) + "\n")
    if options.markdown:
        import onnx
        pathlib.Path(options.markdown).write_text(markdown(cases, results, known, onnx.__version__))
    return any(results[c.group, c.name][0] != "pass" and c.name not in known for c in cases)


def save(cases, folder):
    """model.onnx of each case, and its arrays, for a look at one by hand."""
    for c in cases:
        at = folder / c.name
        at.mkdir(parents=True, exist_ok=True)
        model = c.model()
        (at / "model.onnx").write_bytes(model.SerializeToString())
        for k, (inputs, outputs) in enumerate(suite.data_of(c)):
            for kind, values in (("input", inputs), ("output", outputs)):
                for i, x in enumerate(values):
                    if isinstance(x, np.ndarray) and x.dtype != object:
                        np.save(at / f"{kind}_{k}_{i}.npy", x)
    return 0


if __name__ == "__main__":
    sys.exit(main())
