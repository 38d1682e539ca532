#!/bin/sh
# framework, version, Python, NumPy, protocol are read from the file
. tests/mission/lib.sh
run "$uncork" inspect "$digits/svc_python2.pkl" --json
for fact in '"framework":"scikit-learn"' '"framework_version":"0.20.4"' '"python":' '"numpy":' '"protocol":2'; do
    tr -d ' ' <"$work/out" | sed 's/"protocol":"2"/"protocol":2/' >"$work/flat"
    grep -qF -- "$fact" "$work/flat" || fail "no $fact in $(head -c 600 "$work/out")"
done
# other frameworks: who wrote it, and with which version
run "$uncork" inspect tests/fixtures/keras/two.h5 --json
expect 0 '"framework":"keras","framework_version":"3.15.1"'
run "$uncork" inspect tests/fixtures/onnx/if_00.onnx --json
expect 0 '"producer":'
expect 0 '"opsets":{"ai.onnx":'
