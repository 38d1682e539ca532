#!/bin/sh
# a Keras model stored under the name .pkl is recognised by content and loaded
. tests/mission/lib.sh
cp tests/fixtures/keras/picture.h5 "$work/model.pkl"
cp tests/fixtures/keras/two.keras "$work/two.pkl"
python3 - "$work" <<'P'
import sys, zipfile
with zipfile.ZipFile("tests/fixtures/keras/picture.h5.npz") as z:
    open(sys.argv[1] + "/x.npy", "wb").write(z.read("x0.npy"))
P
run "$uncork" run "$work/model.pkl" --input "$work/x.npy" --output "$work/y"
[ "$status" = 0 ] || run "$uncork" run "$work/model.pkl" --input picture="$work/x.npy" --output "$work/y"
expect 0 ''
[ -f "$work/y/class.npy" ] || fail "no class.npy"
[ -f "$work/y/value.npy" ] || fail "no value.npy"
run "$uncork" inspect "$work/two.pkl"
expect 0 'framework: keras'
