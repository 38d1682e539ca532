"""Packs, verifies and converts every model there is and runs the ONNX with ONNX Runtime.

    convert_models.py --bin build/release/uncork [--filter S] [--jobs 2] [--json FILE] [FOLDER...]

Of each model: `pack` and `verify` succeed, `run` on the artifact writes the bytes that `run` on the model writes,
`convert` writes a model that onnx.checker takes and ONNX Runtime runs to the same answer, within
|got - want| <= 1e-4 |want| + 1e-5 max |want| (text and whole numbers: the same). A folder with a case.json brings its
inputs; other models are fed the inputs of the self-test that `pack` makes. Needs a Python with numpy, onnx and
onnxruntime; without folders: tests/fixtures, and ../shared/cases and ../shared/models where they are."""

import argparse, collections, io, json, multiprocessing, os, re, subprocess, sys, tarfile, tempfile, zipfile
import numpy as np

MODELS = (".onnx", ".h5", ".hdf5", ".keras", ".tflite", ".pt", ".pth", ".pt2", ".pkl", ".joblib", ".pb", ".safetensors",
          ".ubj", ".json", ".txt", ".model", ".sav")
HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tool(a, *words, limit=60):
    try:
        p = subprocess.run([a.bin, *words], capture_output=True, timeout=limit, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return 124, "longer than %d s" % limit
    lines = [l for l in p.stderr.decode(errors="replace").splitlines() if l.strip()]
    wrong = [l for l in lines if l.startswith("uncork: ") and not l.startswith("uncork: note")]
    return p.returncode, (wrong or lines or [""])[-1]


def close(want, got):
    """None, or how they differ"""
    if want.dtype.kind in "SUO" or got.dtype.kind in "SUO":
        text = [[v.decode() if isinstance(v, bytes) else str(v) for v in x.ravel().tolist()] for x in (want, got)]
        return None if text[0] == text[1] else "texts differ"
    if want.shape != got.shape and want.size != got.size:
        return "shape %s, not %s" % (list(got.shape), list(want.shape))
    got = got.reshape(want.shape)
    if want.size == 0:
        return None
    if want.dtype.kind in "biu":
        n = int((want != got).sum())
        return "%d of %d whole numbers differ" % (n, want.size) if n else None
    wide = np.complex128 if want.dtype.kind == "c" else np.float64
    w, g = want.astype(wide), got.astype(wide)
    with np.errstate(all="ignore"):
        finite = np.abs(w[np.isfinite(w)])
        bound = 1e-4 * np.abs(w) + 1e-5 * (finite.max() if finite.size else 0)
        ok = (np.abs(w - g) <= bound) | (w == g) | (np.isnan(w) & np.isnan(g))
        if ok.all():
            return None
        return "values differ by %.3g where the greatest is %.3g" % (np.nanmax(np.abs(w - g)), finite.max() if finite.size else 0)


def arrays(folder):
    return {f[:-4]: np.load(os.path.join(folder, f), allow_pickle=False) for f in sorted(os.listdir(folder)) if f.endswith(".npy")}


def flat(values):
    """ONNX Runtime's outputs as arrays: sequences and maps spread out as `uncork run` does"""
    for name, v in values:
        if isinstance(v, list) and v and isinstance(v[0], dict):
            keys = sorted(v[0])
            yield name, np.array([[row[k] for k in keys] for row in v])
        elif isinstance(v, list):
            for i, item in enumerate(v):
                yield "%s_%d" % (name, i), np.asarray(item)
        elif isinstance(v, np.ndarray) or np.isscalar(v):
            yield name, np.asarray(v)


def feed_of(session, inputs):
    """By name, else in order; in the type that the model declares"""
    types = {"float": "f4", "double": "f8", "int64": "i8", "int32": "i4", "uint8": "u1", "int8": "i1", "bool": "?", "float16": "f2",
             "int16": "i2", "uint16": "u2", "uint32": "u4", "uint64": "u8"}
    feed, rest = {}, dict(inputs)
    wanted = session.get_inputs()
    for i in wanted:
        for k in list(rest):
            if k == i.name or k.split(":")[0] == i.name.split(":")[0]:
                feed[i.name] = rest.pop(k)
                break
    for i in wanted:
        if i.name not in feed and rest:
            feed[i.name] = rest.pop(next(iter(rest)))
    for i in wanted:
        kind = re.sub(r"tensor\((.*)\)", r"\1", i.type)
        if i.name in feed and kind == "string":
            feed[i.name] = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in feed[i.name].ravel().tolist()], object).reshape(feed[i.name].shape)
        elif i.name in feed and kind in types:
            feed[i.name] = feed[i.name].astype(types[kind])
    return feed


def run_onnx(path, inputs, want):
    import onnx, onnxruntime

    model = onnx.load(path)
    own = sorted({n.domain + "." + n.op_type for n in model.graph.node if n.domain not in ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")})
    if own:
        return "checker", "not standard: " + ", ".join(own)
    try:
        onnx.checker.check_model(model)
    except Exception as e:
        # The checker wants a rank of every input and output; without one ONNX Runtime takes any.
        if "com.microsoft" not in str(e) and "Field 'shape' of 'type'" not in str(e):
            return "checker", str(e).splitlines()[0]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as e:
        return "load", str(e).splitlines()[0]
    names = [o.name for o in session.get_outputs()]
    try:
        values = session.run(None, feed_of(session, inputs))
    except Exception as e:
        return "run", str(e).splitlines()[0]
    got = dict(flat(zip(names, values)))
    safe = {re.sub("[/:]", "_", k): v for k, v in got.items()}
    if set(safe) != set(want) and len(safe) == len(want):
        safe = dict(zip(want, safe.values()))
    for name, w in want.items():
        if name not in safe:
            return "answer", "output %s is missing" % name
        why = close(w, safe[name])
        if why:
            return "answer", "%s: %s" % (name, why)
    return None


def one(a, model, words, inputs, folder):
    """(stage, reason) of the first that fails; None: all well; ("none", reason): nothing that runs"""
    cork, onnx = os.path.join(folder, "m.cork"), os.path.join(folder, "m.onnx")
    code, why = tool(a, "pack", model, *words, "-o", cork)
    if code:
        refused = inputs is None and "the packed model" not in why  # it can't be run either
        return "none" if refused else "pack", why
    code, why = tool(a, "verify", cork)
    archive = zipfile.ZipFile(cork)
    reason = json.loads(archive.read("provenance.json")).get("no_selftest")
    if code and not reason:
        return "verify", why
    if inputs is None:
        if reason:
            return "none", "no self-test: " + reason
        inputs = {}
        test = json.loads(archive.read("selftest/selftest.json"))
        for k, name in enumerate(test["inputs"]):
            entry = "selftest/input_%d.npy" % k
            if entry in archive.namelist():
                name = name["name"] if isinstance(name, dict) else name
                inputs[name] = np.load(io.BytesIO(archive.read(entry)), allow_pickle=False)
    feed = []
    for k, (name, value) in enumerate(inputs.items()):
        np.save(os.path.join(folder, "in%d.npy" % k), value)
        feed += ["--input", name + "=" + os.path.join(folder, "in%d.npy" % k)]
    results = []
    for path in (model, cork):
        out = os.path.join(folder, "out%d" % len(results))
        code, why = tool(a, "run", path, *feed, *(words if path == model else ()), "--output", out)
        if code:
            return "run" if path == cork else "none", why
        results.append({f: open(os.path.join(out, f), "rb").read() for f in sorted(os.listdir(out))})
    if results[0] != results[1] and reason != "the model draws random numbers":
        return "bits", "the artifact's outputs are other bytes"
    code, why = tool(a, "convert", model, *words, "-o", onnx)
    if code:
        return "convert", why
    if reason == "the model draws random numbers":
        return None
    return run_onnx(onnx, inputs, arrays(os.path.join(folder, "out0")))


def runs_of(folder):
    """(words, inputs) of a case folder, one for each method and signature"""
    case = json.load(open(os.path.join(folder, "case.json")))
    seen = set()
    for r in case["runs"]:
        if r.get("expect") == "refuse":
            continue
        words = []
        for key in ("method", "signature"):
            if r.get(key):
                words += ["--" + key, r[key]]
        if tuple(words) in seen:
            continue
        seen.add(tuple(words))
        inputs = {}
        for i in r["inputs"]:
            try:
                inputs[i["name"]] = np.load(os.path.join(folder, i["file"]), allow_pickle=False)
            except ValueError:
                inputs = None
                break
        if inputs is not None:
            model = os.path.join(folder, case["model"]) if case.get("model") else folder
            yield model, words, inputs


def try_item(a, item):
    path, kind = item
    results = []
    with tempfile.TemporaryDirectory() as folder:
        if kind == "case":
            tar = os.path.join(path, "files.tar.xz")
            if os.path.exists(tar):
                with tarfile.open(tar) as z:
                    z.extractall(os.path.join(folder, "case"), filter="fully_trusted")
                case = os.path.join(folder, "case")
                os.path.exists(os.path.join(case, "case.json")) or os.symlink(os.path.join(path, "case.json"), os.path.join(case, "case.json"))
            else:
                case = path
            for k, (model, words, inputs) in enumerate(runs_of(case)):
                sub = os.path.join(folder, "run%d" % k)
                os.mkdir(sub)
                results.append((" ".join([os.path.relpath(path, HERE), *words[1:]]), one(a, model, words, inputs, sub)))
        else:
            results.append((os.path.relpath(path, HERE), one(a, path, [], None, folder)))
    return results


def items_of(folder):
    found = []
    for root, folders, files in os.walk(folder):
        folders.sort()
        if "case.json" in files:
            found.append((root, "case"))
            folders[:] = []
        elif "saved_model.pb" in files or "saved_model.pbtxt" in files:
            found.append((root, "model"))
            folders[:] = []
        else:
            found += [(os.path.join(root, f), "model") for f in sorted(files) if f.endswith(MODELS) and f not in ("MANIFEST.json",)]
    return found


def child(a, item, pipe):
    try:
        pipe.send(try_item(a, item))
    except Exception as e:
        pipe.send([(os.path.relpath(item[0], HERE), ("runner", "%s: %s" % (type(e).__name__, e)))])


def run_all(a, items):
    """Each in a process of its own: a runtime that falls takes one model with it"""
    waiting, running, results = collections.deque(items), [], []
    while waiting or running:
        while waiting and len(running) < a.jobs:
            ours, theirs = multiprocessing.Pipe(False)
            p = multiprocessing.Process(target=child, args=(a, waiting[0], theirs))
            p.start()
            theirs.close()
            running.append((p, ours, waiting.popleft()))
        multiprocessing.connection.wait([r[1] for r in running])
        for r in list(running):
            if not r[1].poll():
                continue
            try:
                got = r[1].recv()
            except EOFError:
                r[0].join()
                got = [(os.path.relpath(r[2][0], HERE), ("crash", "the process ended with %s" % r[0].exitcode))]
            r[0].join()
            running.remove(r)
            results += got
            for name, why in got:
                if why and (why[0] != "none" or a.verbose):
                    print("%-9s %s: %s" % (why[0], name, why[1]), flush=True)
    return sorted(results)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", default=os.path.join(HERE, "build/release/uncork"))
    p.add_argument("--filter", default="")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--every", default="1/1", help="K/N: one part of N")
    p.add_argument("--json")
    p.add_argument("-v", "--verbose", action="store_true")
    p.add_argument("folders", nargs="*")
    a = p.parse_args()
    a.bin = os.path.abspath(a.bin)
    shared = os.path.join(os.path.dirname(HERE), "shared")
    folders = a.folders or [os.path.join(HERE, "tests/fixtures"), *(os.path.join(shared, f) for f in ("cases", "models"))]
    import onnx, onnxruntime, multiprocessing.connection

    items = [i for f in folders if os.path.isdir(f) for i in items_of(os.path.abspath(f)) if a.filter in i[0]]
    part, of = map(int, a.every.split("/"))
    results = run_all(a, items[part - 1 :: of])
    stages = collections.Counter(why[0] if why else "well" for _, why in results)
    print("ONNX Runtime %s: " % onnxruntime.__version__ + ", ".join("%s %d" % s for s in stages.most_common()))
    if a.json:
        json.dump(results, open(a.json, "w"), indent=0)
    return any(why and why[0] not in ("none", "convert") for _, why in results)


if __name__ == "__main__":
    sys.exit(main())
