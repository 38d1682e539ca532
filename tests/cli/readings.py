"""readings.py UNCORK FOLDER: every case of FOLDER/cases.json through predict --json."""
import json, math, os, subprocess, sys

uncork, folder = sys.argv[1:3]
suite = json.load(open(os.path.join(folder, "cases.json")))
bad = 0


def differ(got, want, tolerance, path=""):
    if isinstance(want, dict):
        if not isinstance(got, dict) or set(got) != set(want):
            return f"{path}: keys {sorted(got) if isinstance(got, dict) else got}, expected {sorted(want)}"
        for key in want:
            if key == "error" and want[key] in got[key]:
                continue
            if found := differ(got[key], want[key], tolerance, f"{path}.{key}"):
                return found
    elif isinstance(want, list):
        if len(got) != len(want):
            return f"{path}: {len(got)} items, expected {len(want)}"
        for i, (g, w) in enumerate(zip(got, want)):
            if found := differ(g, w, tolerance, f"{path}[{i}]"):
                return found
    elif isinstance(want, float):
        if not math.isclose(got, want, rel_tol=tolerance, abs_tol=tolerance):
            return f"{path}: {got}, expected {want}"
    elif got != want:
        return f"{path}: {got!r}, expected {want!r}"
    return None


for case in suite["cases"]:
    pictures = [os.path.join(folder, name) for name in sorted(case["expected"])]
    command = [uncork, "predict", os.path.join(folder, case["model"] + ".onnx"), *pictures, "--json", "--top", "all", "--preprocess", suite["preprocess"], *case["options"]]
    run = subprocess.run(command, capture_output=True, text=True)
    name = " ".join([case["model"], *case["options"]])
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    failed = any("error" in e for e in case["expected"].values())
    problem = None
    if run.returncode != int(failed) or len(lines) != len(pictures):
        problem = f"exit status {run.returncode}, {len(lines)} lines: {run.stderr}"
    for path, line in zip(pictures, lines):
        want = dict(case["expected"][os.path.basename(path)], input=path)
        problem = problem or differ(line, want, case["tolerance"])
    if not problem and case["note"] and case["note"] not in run.stderr:
        problem = f"no note '{case['note']}' in: {run.stderr}"
    if problem:
        bad += 1
        print(f"{name}: {problem}")
print(f"{len(suite['cases']) - bad} of {len(suite['cases'])} readings hold")
sys.exit(bad > 0)
