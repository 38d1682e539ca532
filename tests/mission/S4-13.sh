#!/bin/sh
# framework, version, Python, NumPy, protocol are read from the file
. tests/mission/lib.sh
run "$uncork" inspect "$digits/svc_python2.pkl" --json
for fact in '"framework":"scikit-learn"' '"framework_version":"0.20.4"' '"python":' '"numpy":' '"protocol":2'; do
    tr -d ' ' <"$work/out" | sed 's/"protocol":"2"/"protocol":2/' >"$work/flat"
    grep -qF -- "$fact" "$work/flat" || fail "no $fact in $(head -c 600 "$work/out")"
done
