#!/bin/sh
# run: names, casts, outputs under their names, nothing left behind on failure
. tests/mission/lib.sh
printf '[[1,2,3],[4,5,6.5]]' >"$work/x.json"
run "$uncork" run "$data/three.pkl" --input "X=$work/x.json" --output "$work/a/b"
expect 0 ''
[ "$(cd "$work/a/b" && ls | tr '\n' ' ')" = "label.npy probabilities.npy " ] || fail "outputs: $(ls "$work/a/b")"
run "$uncork" run "$data/three.pkl" --input "$work/x.json" --method predict --output "$work/c"
[ "$(ls "$work/c")" = predict.npy ] || fail "outputs: $(ls "$work/c")"
run "$uncork" run "$data/three.pkl" --input "$work/none.npy" --output "$work/d"
expect 1 'none.npy'
[ ! -e "$work/d" ] || [ -z "$(ls "$work/d")" ] || fail "something is left behind"
printf '[[1,2]]' >"$work/two.json"
run "$uncork" run "$data/three.pkl" --input "$work/two.json" --output "$work/d"
expect 1 '3'
[ ! -e "$work/d" ] || [ -z "$(ls "$work/d")" ] || fail "something is left behind"
# an input beyond a limit is the input's failure too, and what a terminal obeys is escaped
printf '%060000d' 0 | tr 0 '[' >"$work/deep.json"
run "$uncork" run "$data/three.pkl" --input "$work/deep.json" --output "$work/d"
expect 1 'deeper than 200'
run "$uncork" run "$data/three.pkl" "--no$(printf '\033')[2J"
expect 2 'unknown option'
grep -q "$(printf '\033')" "$work/err" && fail "an escape reached the terminal"
true

# a model trained on a table takes its columns one by one, by name
python3 - "$work" <<'P'
import struct, sys
for name, values in (("sl", (5.1, 6.2)), ("sw", (3.5, 2.9)), ("pl", (1.4, 4.3)), ("pw", (0.2, 1.3))):
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    open("%s/%s.npy" % (sys.argv[1], name), "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack("<2d", *values))
P
run "$uncork" run "$digits/iris_boosting.pkl" --input "petal_width=$work/pw.npy" --input "sepal_length=$work/sl.npy" \
    --input "sepal_width=$work/sw.npy" --input "petal_length=$work/pl.npy" --method predict --output "$work/table"
expect 0 ''
[ -s "$work/table/predict.npy" ] || fail "no output"
# a model none of whose inputs is given says which it misses
run "$uncork" run tests/fixtures/onnx/layers.onnx --output "$work/none"
expect 2 "input 'x' is not given; run takes --input"
one_line
run "$uncork" run tests/fixtures/onnx/layers.onnx --input "$digits/digit_5.png" --output "$work/none"
expect 1 "this is a picture"
one_line
