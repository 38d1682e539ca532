#!/usr/bin/env python3
"""Every #include goes to the same folder or to one this folder may use. Run: tools/check_layers.py"""
import pathlib, re, sys

# folder: what it may include. The order is the way a file's bytes travel; nothing points back.
USES = {
    "base": [],
    "container": ["base"],
    "kernel": ["base"],
    "image": ["base", "kernel"],
    "op": ["base", "container", "kernel", "image"],
    "graph": ["base", "op"],
    "import": ["base", "container", "op", "graph"],
    "pass": ["base", "op", "graph"],
    "plan": ["base", "kernel", "op", "graph"],
    "contract": ["base", "container", "kernel", "image", "graph"],
    "model": ["base", "container", "op", "graph", "import", "pass", "plan", "contract"],
    "doctor": ["base", "container", "graph", "contract", "model"],
    "pack": ["base", "container", "op", "graph", "pass", "plan", "contract", "model"],
    "serve": ["base", "container", "graph", "contract", "model"],
    "cli": ["base", "container", "image", "graph", "contract", "model", "doctor", "pack", "serve"],
}
# The only crossings between importers: (from, to, the one header it goes through).
CROSSINGS = {("keras", "tensorflow", "tf_op.h"), ("tflite", "tensorflow", "tf_op.h"), ("sklearn", "boosting", "boosting.h")}

root = pathlib.Path(__file__).resolve().parent.parent / "src"
bad = []
for file in sorted(f for e in ("*.c", "*.h", "*.inc", "*.def") for f in root.rglob(e)):
    rel = file.relative_to(root)
    folder = rel.parts[0]
    for n, line in enumerate(file.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not m or m[1] == "uncork.h":
            continue
        to = pathlib.PurePosixPath(m[1]).parts
        if len(to) < 2:
            bad.append(f"src/{rel}:{n}: an include names its room: {m[1]}")
        elif to[0] != folder and to[0] not in USES[folder]:
            bad.append(f"src/{rel}:{n}: {folder} may not use {to[0]}")
        elif folder == to[0] == "import" and len(to) > 2 and len(rel.parts) > 2 and rel.parts[1] != to[1]:
            if (rel.parts[1], to[1], to[-1]) not in CROSSINGS:
                bad.append(f"src/{rel}:{n}: import/{rel.parts[1]} may not use {m[1]}")
print("\n".join(bad) or "layers hold")
sys.exit(bool(bad))
