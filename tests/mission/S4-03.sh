#!/bin/sh
# what AttributeError would hide: the attribute is named, and the version that has it
. tests/mission/lib.sh
python3 - "$work" <<'P'
import sys
data = open("tests/fixtures/mission/three.pkl", "rb").read()
open(sys.argv[1] + "/no_coef.pkl", "wb").write(data.replace(b"coef_", b"kaef_"))
P
run "$uncork" predict "$work/no_coef.pkl" tests/fixtures/mission/table.csv
expect 3 'coef_'
one_line
run "$uncork" predict "$digits/svc_python2.pkl" "$digits/digit_3.png"
expect 0 'since 0.22: _n_support'
