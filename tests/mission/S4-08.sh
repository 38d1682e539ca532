#!/bin/sh
# a file of another framework is named for what it is
. tests/mission/lib.sh
python3 - "$work" <<'P'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/model.pkl", "w") as z:
    z.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    z.writestr("archive/version", b"3\n")
open(sys.argv[1] + "/keras.pkl", "wb").write(b"\x89HDF\r\n\x1a\n" + bytes(100))
P
run "$uncork" predict "$work/model.pkl" "$digits/digit_7.png"
expect 3 'PyTorch'
one_line
run "$uncork" predict "$work/keras.pkl" "$digits/digit_7.png"
expect 3 'HDF5'
one_line
