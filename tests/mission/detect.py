"""detect.py UNCORK: boxes of tests/fixtures/mission/yolov8.onnx against Ultralytics' (yolov8.json).
detect.py UNCORK --published FOLDER: of published models on their own inputs against their libraries'."""
import json, os, subprocess, sys

uncork = sys.argv[1]


def predict(*words):
    run = subprocess.run([uncork, "predict", *words, "--json", "--max-boxes", "1000"], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{words}: exit status {run.returncode}: {run.stderr}")
    return json.loads(run.stdout.splitlines()[0])["boxes"]


def same(what, got, want, side):
    if len(got) != len(want):
        sys.exit(f"{what}: {len(got)} boxes, expected {len(want)}")
    left = list(want)
    for b in got:  # equal scores may stand in any order
        near = [w for w in left if max(abs(x - y) for x, y in zip(b["box"], w)) <= 2e-4 * side and abs(b["score"] - w[4]) <= 2e-4 and b["index"] == w[5]]
        if not near:
            sys.exit(f"{what}: {b} isn't the library's")
        left.remove(near[0])


if len(sys.argv) > 2:
    folder = sys.argv[3]
    for c in json.load(open("tests/fixtures/detect_published.json")):
        options = ["--threshold", str(c["threshold"])] if "threshold" in c else []
        got = predict(os.path.join(folder, c["model"]), os.path.join(folder, c["input"]), *options)
        same(c["model"], got, c["boxes"], 352)
        for b, points in zip(got, c["points"]):
            flat = [v for p in b["points"] for v in p[:2]]
            if max(abs(x - y) for x, y in zip(flat, points)) > 0.05:
                sys.exit(f"{c['model']}: points of {b}")
        print(f"{c['model']}: {len(got)} boxes as {c['by']}")
    sys.exit(0)
suite = json.load(open("tests/fixtures/mission/yolov8.json"))
picture = os.path.join(os.environ["WORK"], "picture.ppm")
for c in suite["cases"]:
    options = ["--threshold", str(c["threshold"]), "--nms", str(c["nms"]), *(["--agnostic"] if c["agnostic"] else [])]
    width, height = c.get("picture", [64, 64])
    with open(picture, "wb") as f:
        f.write(b"P6 %d %d 255\n" % (width, height) + b"\xff" * (3 * width * height))
    run = subprocess.run([uncork, "predict", "tests/fixtures/mission/yolov8.onnx", picture, "--json", "--max-boxes", str(c["max_boxes"]), *options],
                         capture_output=True, text=True)
    got = json.loads(run.stdout)["boxes"]
    same(" ".join([f"{width} x {height}", *options]), got, c["boxes"], 64)
    for b in got:
        if b["label"] != suite["names"][b["index"]]:
            sys.exit(f"{b}: the metadata calls it {suite['names'][b['index']]}")
