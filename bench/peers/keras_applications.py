#!/usr/bin/env python3
"""keras_applications.py UNCORK [NAME...]

keras.applications with random weights at the smallest picture each takes, saved as .h5 and .keras by the genuine
Keras and answered by uncork: within 1e-4 |want| + 1e-5 max|want| and the same best class. Run with a Python that
has keras and tensorflow. Minutes: not among the tests.
"""
import os, subprocess, sys, tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

SMALLEST = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75, "NASNetLarge": 32, "NASNetMobile": 32}
uncork, names = sys.argv[1], sys.argv[2:]
every = [n for n in dir(keras.applications) if n[0].isupper() and callable(getattr(keras.applications, n))]
good = count = 0
with tempfile.TemporaryDirectory() as work:
    for name in names or every:
        side = SMALLEST.get(name, 32)
        model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=10)
        r = np.random.RandomState(1)
        for v in model.weights:
            if "variance" in v.path:
                v.assign(r.rand(*v.shape) * 0.5 + 0.75)
        x = r.rand(2, side, side, 3).astype("float32") * 255
        np.save(work + "/x.npy", x)
        want = np.array(model(x, training=False))
        for ending in ("h5", "keras"):
            path, count = "%s/model.%s" % (work, ending), count + 1
            model.save(path)
            out = work + "/" + ending + name
            run = subprocess.run([uncork, "run", path, "--input", work + "/x.npy", "--output", out, "-q"], capture_output=True, text=True)
            if run.returncode:
                print(name, ending, run.stderr.strip()[-200:])
                continue
            got = np.load(out + "/" + os.listdir(out)[0])
            holds = (np.abs(got - want) <= 1e-4 * np.abs(want) + 1e-5 * np.abs(want).max()).all() and (got.argmax(-1) == want.argmax(-1)).all()
            good += bool(holds)
            if not holds:
                print(name, ending, "off by", np.abs(got - want).max())
        keras.backend.clear_session()
        print(name, side, "done", flush=True)
print(good, "of", count, "hold")
sys.exit(good != count)
