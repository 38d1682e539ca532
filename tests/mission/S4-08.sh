#!/bin/sh
# a file of another framework is named for what it is
. tests/mission/lib.sh
python3 - "$work" <<'P'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/model.pkl", "w") as z:
    z.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    z.writestr("archive/version", b"3\n")
open(sys.argv[1] + "/lite.pkl", "wb").write(b"\x1c\0\0\0TFL3" + bytes(100))
P
run "$uncork" predict "$work/model.pkl" "$digits/digit_7.png"
expect 3 'PyTorch'
one_line
run "$uncork" predict "$work/lite.pkl" "$digits/digit_7.png"
expect 3 'TensorFlow Lite'
one_line
