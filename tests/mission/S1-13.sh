#!/bin/sh
# boxes are drawn as the Object Detection API does: score above 0.5, at most 200, agnostic mode, "name: 87%"
. tests/mission/lib.sh
fixtures=tests/fixtures/draw
photo="$fixtures/grey.png"
labels="--labels $fixtures/labels.pbtxt"

# 30 boxes, 25 of them above 0.5 (0.98, 0.96, ..., 0.50 is not above)
run "$uncork" predict "$fixtures/od_boxes.onnx" "$photo" $labels --json --quiet --draw "$work/all"
expect 0 '"label":"person"'
count() { grep -o '"box"' "$work/out" | grep -c .; }
[ "$(count)" = 24 ] || fail "$(count) boxes above 0.5: $(cat "$work/out")"
run "$uncork" predict "$fixtures/od_boxes.onnx" "$photo" $labels --json --quiet --threshold 0.91 --draw "$work/sure"
[ "$(count)" = 4 ] || fail "$(count) boxes above 0.91"
run "$uncork" predict "$fixtures/od_boxes.onnx" "$photo" $labels --json --quiet --max-boxes 7 --draw "$work/few"
[ "$(count)" = 7 ] || fail "$(count) boxes of 7"

# what is drawn follows: other boxes, another look, another picture
run "$uncork" predict "$fixtures/od_boxes.onnx" "$photo" $labels --quiet --draw "$work/od" --draw-style od
expect 0 ''
run "$uncork" predict "$fixtures/od_boxes.onnx" "$photo" $labels --quiet --draw "$work/agnostic" --draw-style od,agnostic
expect 0 ''
for a in all sure few od agnostic; do
    for b in all sure few od agnostic; do
        [ "$a" = "$b" ] || ! cmp -s "$work/$a/grey.png" "$work/$b/grey.png" || fail "$a is drawn as $b"
    done
done

# the colours of visualization_utils.py: class 1 is Chartreuse, class 18 DarkCyan; agnostic DarkOrange
colours() {
    python3 - "$1" <<'PY'
import struct, sys, zlib
data, at, idat = open(sys.argv[1], "rb").read(), 8, b""
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at:at + 8])
    if kind == b"IHDR": width, height = struct.unpack(">II", data[at + 8:at + 16])
    if kind == b"IDAT": idat += data[at + 8:at + 8 + size]
    at += 12 + size
raw, seen, before = zlib.decompress(idat), {}, bytes(width * 3)
for y in range(height):
    kind, row = raw[y * (width * 3 + 1)], bytearray(raw[y * (width * 3 + 1) + 1:(y + 1) * (width * 3 + 1)])
    for i in range(width * 3):
        a, b = (row[i - 3] if i > 2 else 0), before[i]
        c = before[i - 3] if i > 2 else 0
        p = a + b - c
        near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        row[i] = (row[i] + (0, a, b, (a + b) // 2, near)[kind]) & 255
    for x in range(width):
        c = tuple(row[3 * x:3 * x + 3])
        seen[c] = seen.get(c, 0) + 1
    before = row
names = {(127, 255, 0): "Chartreuse", (0, 139, 139): "DarkCyan", (255, 140, 0): "DarkOrange"}
print(" ".join(sorted(n for c, n in names.items() if seen.get(c, 0) > 500)))
PY
}
if command -v python3 >/dev/null; then
    [ "$(colours "$work/od/grey.png")" = "Chartreuse DarkCyan" ] || fail "od: $(colours "$work/od/grey.png")"
    [ "$(colours "$work/agnostic/grey.png")" = DarkOrange ] || fail "agnostic: $(colours "$work/agnostic/grey.png")"
fi
