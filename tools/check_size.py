#!/usr/bin/env python3
"""Prints outliers of size, the comment share and undocumented public functions, for a reviewer. Only an undocumented public function fails. Needs universal-ctags."""
import pathlib, re, subprocess, sys

LIMIT = {"function lines": 100, "file lines": 600}
root = pathlib.Path(__file__).resolve().parent.parent
files = sorted(p for d in ("include", "src") for p in (root / d).rglob("*.[ch]"))
bad, lengths, code, comment = 0, [], 0, 0
for path in files:
    text = path.read_text()
    name = path.relative_to(root)
    lines = text.count("\n")
    comments = sum(m[0].count("\n") + 1 for m in re.finditer(r"/\*.*?\*/|//[^\n]*", text, re.S))
    comment += comments
    code += sum(1 for l in text.splitlines() if l.strip()) - comments
    if lines > LIMIT["file lines"]:
        print(f"{name}: {lines} lines, over {LIMIT['file lines']}")
    out = subprocess.run(["ctags", "-x", "--_xformat=%n %e %N", "--kinds-C=f", str(path)],
                         capture_output=True, text=True, check=True).stdout
    for row in out.splitlines():
        start, end, function = row.split(" ", 2)
        length = int(end) - int(start) + 1
        lengths.append(length)
        if length > LIMIT["function lines"]:
            print(f"{name}:{start}: {function} is {length} lines, over {LIMIT['function lines']}")
header = (root / "include/uncork.h").read_text().splitlines()
public = [i for i, l in enumerate(header) if l.startswith("UNCORK_API")]
bare = [header[i] for i in public if not header[i - 1].rstrip().endswith("*/")]
for line in bare:
    print(f"include/uncork.h: no comment above: {line}"); bad += 1
lengths.sort()
print(f"{len(files)} files, {len(lengths)} functions: median {lengths[len(lengths)//2]}, p90 {lengths[int(len(lengths)*.9)]}, "
      f"longest {lengths[-1]}; comments {100*comment//(code+comment)}%; documented {len(public)-len(bare)}/{len(public)}")
sys.exit(bad != 0)
