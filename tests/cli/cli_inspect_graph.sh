#!/bin/sh
# inspect --graph draws the layers and what leads where; hundreds of layers are folded into blocks
. tests/mission/lib.sh
"$uncork" inspect tests/fixtures/networks/residual.onnx --graph "$work/residual.svg" >"$work/out" || fail "no picture"
python3 - "$work" "$uncork" <<'P' || fail "the picture isn't what it should be"
import subprocess, sys, xml.dom.minidom

work, uncork = sys.argv[1:]


def read(path):
    svg = xml.dom.minidom.parse(path).documentElement
    texts = [t.firstChild.data for t in svg.getElementsByTagName("text")]
    boxes = [r for r in svg.getElementsByTagName("rect") if r.getAttribute("x")]
    edges = [p for p in svg.getElementsByTagName("path") if p.getAttribute("marker-end")]
    return texts, boxes, edges


def apart(boxes):  # no box over another
    placed = [tuple(float(b.getAttribute(k)) for k in ("x", "y", "width", "height")) for b in boxes]
    return all(a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
               for i, a in enumerate(placed) for b in placed[:i])


texts, boxes, edges = read(work + "/residual.svg")
assert "/2/body/body.0/body.0.0/Conv (Conv)" in texts, texts
assert "[?, 16, 16, 16]  272 parameters" in texts and "x" in texts and "y" in texts, texts
assert len(boxes) == 31 and len(edges) == 33, (len(boxes), len(edges))  # as onnx lists nodes and their inputs
assert apart(boxes)

# 600 nodes, written by hand after onnx.proto: names fold into their blocks
def field(number, content):
    size, n = b"", len(content)
    while n > 127:
        size, n = size + bytes([n & 127 | 128]), n >> 7
    return bytes([number << 3 | 2]) + size + bytes([n]) + content


def value(name):
    return field(1, name) + b"\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x03"


nodes = b"".join(field(1, field(1, b"v%d" % i) + field(2, b"v%d" % (i + 1)) +
                       field(3, b"stage.%d/block.%d/relu" % (i // 60, i)) + field(4, b"Relu")) for i in range(600))
graph = nodes + field(2, b"g<&") + field(11, value(b"v0")) + field(12, value(b"v600"))
open(work + "/long.onnx", "wb").write(b"\x08\x09" + field(7, graph) + b"B\x02\x10\x11")
subprocess.run([uncork, "inspect", work + "/long.onnx", "--graph", work + "/long.svg"], check=True, capture_output=True)
texts, boxes, edges = read(work + "/long.svg")
assert 10 <= len(boxes) <= 250 and apart(boxes), len(boxes)
assert "stage.3/block (60 layers)" in texts, texts[:20]
assert len(edges) == len(boxes) - 1
P
run "$uncork" inspect "$work/residual.svg" --graph "$work/none.svg"
expect 3 ''
[ ! -e "$work/none.svg" ] || fail "a picture of nothing"
