"""The Python that inspect prints for steps gives the tensor that preprocess gives, bit for bit.

    recipe_python.py UNCORK [torch|numpy|all]

For the specs of tests/fixtures/preprocess/pipelines.json: genuine Pillow, NumPy, OpenCV, TensorFlow, Keras or
torchvision run the printed code. A library that isn't there leaves its specs out. Prints how many agreed.
"""
import json
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

uncork = os.path.abspath(sys.argv[1])
group = sys.argv[2] if len(sys.argv) > 2 else "all"
model = "tests/fixtures/preprocess/free.onnx"
cases = json.load(open("tests/fixtures/preprocess/pipelines.json"))["cases"]
seen, agreed, unsaid, absent, wrong = set(), 0, [], 0, []
with tempfile.TemporaryDirectory() as work:
    for c in cases:
        if group not in ("all", c["group"]) or not c["image"].startswith("tests/"):
            continue
        key = (c["spec"], c["image"])
        if key in seen:
            continue
        seen.add(key)
        done = subprocess.run([uncork, "inspect", model, "--preprocess", c["spec"], "--json"], capture_output=True, text=True)
        report = json.loads(done.stdout)
        code = report.get("preprocessing_python")
        if not code:
            unsaid.append(c["spec"])
            continue
        place = {}
        try:
            exec(code, place)
            got = place["preprocess"](c["image"])
        except ImportError:
            absent += 1
            continue
        except Exception as e:
            wrong.append(f"{c['spec']} of {c['image']}: {e!r}\n{code}")
            continue
        out = os.path.join(work, str(len(seen)))
        subprocess.run([uncork, "preprocess", c["image"], "--preprocess", c["spec"], "-o", out], check=True, capture_output=True)
        want = np.load(next(os.path.join(out, n) for n in sorted(os.listdir(out)) if n.endswith(".npy")))
        if want.dtype != got.dtype:  # the model's own type, which preprocess alone doesn't know
            want = want.astype(got.dtype)
        if got.shape == want.shape and got.tobytes() == np.ascontiguousarray(want).tobytes():
            agreed += 1
        else:
            far = np.abs(got.astype(float) - want.astype(float)).max() if got.shape == want.shape else "shapes"
            wrong.append(f"{c['spec']} of {c['image']}: {got.shape} {got.dtype}, {want.shape} {want.dtype}, {far}\n{code}")
print(f"{agreed} of {agreed + len(wrong)} programs give the same bits; {len(set(unsaid))} specs have no short form, "
      f"{absent} programs need a library that isn't here")
for line in wrong[:20] + sorted(set(unsaid))[:20]:
    print(" ", line)
sys.exit(bool(wrong))
