#!/bin/sh
# a cut or corrupt file: the offset is told
. tests/mission/lib.sh
size=$(wc -c <"$digits/model_and_scaler.pkl")
for n in 10 500 5000 $((size - 1)); do
    head -c "$n" "$digits/model_and_scaler.pkl" >"$work/cut.pkl"
    run "$uncork" predict "$work/cut.pkl" "$digits/digit_7.png"
    expect 3 'byte '
    one_line
done
head -c 60000 "$digits/forest.joblib" >"$work/cut.joblib"
run "$uncork" predict "$work/cut.joblib" "$digits/digit_7.png"
expect 3 'cut short'
one_line
# the member that is damaged is named
python3 - "$work" <<'P'
import sys
data = bytearray(open("tests/fixtures/keras/two.keras", "rb").read())
at = data.index(b"config.json") + 40
data[at:at + 8] = bytes(b ^ 0x5A for b in data[at:at + 8])
open(sys.argv[1] + "/flipped.keras", "wb").write(data)
open(sys.argv[1] + "/cut.h5", "wb").write(open("tests/fixtures/keras/two.h5", "rb").read()[:-3000])
P
run "$uncork" doctor "$work/flipped.keras"
expect 1 "zip entry 'config.json' is damaged"
run "$uncork" doctor "$work/cut.h5"
expect 1 'the file is cut: it says 19000 bytes, 16000 are there, at byte'
