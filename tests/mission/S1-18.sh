#!/bin/sh
# invalid image formats are handled gracefully
. tests/mission/lib.sh
models=tests/fixtures/outputs
# every beginning of a picture, and bytes of other kinds, give an answer or a line, never a crash
python3 - "$work" "$models/noise.png" <<'P'
import os, random, sys
work, source = sys.argv[1:]
data = open(source, "rb").read()
rng = random.Random(1)
os.mkdir(work + "/odd")
for i in range(0, len(data), max(1, len(data) // 40)):
    open(f"{work}/odd/cut{i:05}.png", "wb").write(data[:i])
for i in range(40):
    broken = bytearray(data)
    for _ in range(4):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    open(f"{work}/odd/broken{i:02}.png", "wb").write(broken)
for name, start in {"webp": b"RIFF\xff\xff\xff\xffWEBP", "jpg": b"\xff\xd8\xff\xe0", "bmp": b"BM", "gif": b"GIF89a", "tif": b"II*\0", "pnm": b"P6 9 9 255\n"}.items():
    open(f"{work}/odd/head.{name}", "wb").write(start + bytes(rng.randrange(256) for _ in range(64)))
P
run "$uncork" predict "$models/softmax.onnx" "$work/odd" --preprocess 'rgb | resize=32x32 | scale=1/255 | nchw' --json --quiet
[ "$status" = 1 ] || fail "exit status $status: $(tail -3 "$work/err")"
python3 - "$work" <<'P' || exit 1
import json, os, sys
work = sys.argv[1]
lines = [json.loads(line) for line in open(work + "/out")]
assert len(lines) == len(os.listdir(work + "/odd")), len(lines)
failed = [line for line in lines if "error" in line]
assert all(line["error"] for line in failed)
told = open(work + "/err").read().splitlines()
assert len(told) == len(failed) and all(t.startswith("uncork: " + work) for t in told), told[:3]
P
# a photograph format that isn't read is named
printf '\0\0\0\030ftypheic\0\0\0\0mif1heic' >"$work/photo.heic"
run "$uncork" predict "$models/softmax.onnx" "$work/photo.heic" --preprocess 'rgb | resize=32x32 | scale=1/255 | nchw'
expect 1 'HEI'
one_line
