#!/usr/bin/env python3
"""preprocess_compare.py COMMAND [PART...]: what `uncork preprocess` writes against what the genuine libraries
made of the same pictures (tests/fixtures/gen/preprocess_cases.py), equal to the last bit. PART chooses cases
whose name begins with it. Photographs of ../shared/images are skipped where they aren't there."""
import ast, json, os, re, struct, subprocess, sys, tempfile, zlib

command, parts = sys.argv[1], sys.argv[2:]
cases = json.load(open("tests/fixtures/preprocess/pipelines.json"))["cases"]
cases = [c for c in cases if not parts or any(c["name"].startswith(p) for p in parts)]
photos = "../shared/images/photos/"
if not os.path.isdir(photos):  # a worktree beside it
    photos = os.environ.get("UNCORK_PHOTOS", photos)


def read_npy(path):
    data = open(path, "rb").read()
    size, = struct.unpack("<H", data[8:10])
    head = ast.literal_eval(data[10:10 + size].decode())
    names = {"<f4": "float32", "<f8": "float64", "|u1": "uint8", "<f2": "float16", "<i4": "int32"}
    return names.get(head["descr"], head["descr"]), list(head["shape"]), data[10 + size:]


failed, tried, skipped = [], 0, 0
groups = {}
for c in cases:
    groups.setdefault((c["name"], c["spec"]), []).append(c)
for (name, spec), group in groups.items():
    files = []
    for c in group:
        path = c["image"].replace("photos/", photos, 1) if c["image"].startswith("photos/") else c["image"]
        if os.path.exists(path):
            files.append((path, c))
        else:
            skipped += 1
    if not files:
        continue
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([command, "preprocess"] + [p for p, _ in files] + ["--preprocess", spec, "-o", folder, "-q"],
                              capture_output=True, text=True)
        for path, c in files:
            tried += 1
            out = os.path.join(folder, re.sub(r"\.[^.]*$", "", os.path.basename(path)) + ".npy")
            if not os.path.exists(out):
                failed.append("%s, %s: %s" % (name, c["image"], done.stderr.strip()[:200]))
                continue
            dtype, shape, data = read_npy(out)
            if dtype != c["dtype"] or shape != c["shape"]:
                failed.append("%s, %s: %s %s, expected %s %s" % (name, c["image"], dtype, shape, c["dtype"], c["shape"]))
            elif "%08x" % zlib.crc32(data) != c["crc32"]:
                failed.append("%s, %s: other values (%s)" % (name, c["image"], spec))
for line in failed:
    print(line)
print("%d of %d tensors equal%s" % (tried - len(failed), tried, ", %d skipped: no ../shared/images" % skipped if skipped else ""))
sys.exit(1 if failed or not tried else 0)
