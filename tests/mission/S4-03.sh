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
# doctor: what Python says, since which release, and what opens it there
run "$uncork" doctor "$digits/svc_python2.pkl"
expect 0 'scikit-learn 0.24 and later'
expect 0 'it names sklearn.svm.classes.SVC'
expect 0 "pip install scikit-learn==0.20.4 'numpy<1.17' (Python 2.7)"
run "$uncork" doctor "$digits/svc_python2.pkl" --json
expect 0 "ModuleNotFoundError: No module named 'sklearn.svm.classes'"
