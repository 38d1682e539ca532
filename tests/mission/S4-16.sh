#!/bin/sh
# doctor names the versions that open a file in Python
. tests/mission/lib.sh
run "$uncork" doctor tests/fixtures/doctor/scaled.pkl
expect 0 'pip install scikit-learn==1.'
run "$uncork" doctor tests/fixtures/mission/custom.pkl
expect 1 'cause: '
expect 1 'remedy: '
run "$uncork" doctor "$work/none.pkl"
expect 1 "there is no such file"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n' >"$work/m.h5"
run "$uncork" doctor "$work/m.h5"
expect 1 'remedy: fetch the model itself: git lfs pull'
