#!/bin/sh
# bytes, float32 and float64 become what the model expects
. tests/mission/lib.sh
python3 "$here/pipelines.py" "$uncork" bytes || exit 1
python3 - "$work" <<'P'
import struct, sys
def npy(path, descr, data, shape):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    open(path, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data)
for name, descr, code in (("u1", "|u1", "B"), ("f4", "<f4", "f"), ("f8", "<f8", "d"), ("i8", "<i8", "q"), ("f4be", ">f4", ">f")):
    order = code if code[0] in "<>" else "<" + code
    npy(sys.argv[1] + "/%s.npy" % name, descr, b"".join(struct.pack(order[0] + order[-1], v) for v in (1, 2, 3)), "(1, 3)")
P
for type in u1 f4 f8 i8 f4be; do
    run "$uncork" predict "$data/three.pkl" "$work/$type.npy" --json
    expect 0 '"label":0'
done
