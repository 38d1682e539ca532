#!/bin/sh
# eval() always: dropout does nothing, batch norms use their running statistics, alone or in a batch
. tests/mission/lib.sh
python3 - "$uncork" tests/fixtures/pytorch "$work" <<'P' || exit 1
import array, ast, io, os, struct, subprocess, sys, zipfile
uncork, folder, work = sys.argv[1:]

def read(data):
    """The numbers of a .npy file of float32."""
    size = struct.unpack("<H", data[8:10])[0]
    head = ast.literal_eval(data[10:10 + size].decode())
    assert head["descr"] == "<f4" and not head["fortran_order"], head
    return array.array("f", data[10 + size:]), head["shape"]

def write(path, numbers, shape):
    head = repr({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    head += b" " * (-(10 + len(head) + 1) % 64) + b"\n"
    open(path, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + numbers.tobytes())

seen = 0
for name in ("nested", "bn2_stats", "dropout2", "bn1_stats"):
    for k in range(3):
        pack = zipfile.ZipFile(f"{folder}/modules_{k}.zip")
        if name + "/model.pt" not in pack.namelist():
            continue
        seen += 1
        open(work + "/model.pt", "wb").write(pack.read(name + "/model.pt"))
        want, shape = read(pack.read(name + "/out_0.npy"))
        given, given_shape = read(pack.read(name + "/in_0.npy"))
        rows = given_shape[0]
        for first, last in [(0, rows)] + [(i, i + 1) for i in range(rows)]:
            part = given[first * len(given) // rows:last * len(given) // rows]
            write(work + "/x.npy", part, (last - first,) + tuple(given_shape[1:]))
            done = subprocess.run([uncork, "run", work + "/model.pt", "--input", work + "/x.npy", "--output", work + "/out"], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            got = read(open(work + "/out/output.npy", "rb").read())[0]
            wanted = want[first * len(want) // rows:last * len(want) // rows]
            largest = max(map(abs, want))
            for g, w in zip(got, wanted, strict=True):
                assert abs(g - w) <= 1e-5 * abs(w) + 1e-6 * largest, (name, g, w)
assert seen >= 3, seen
P
