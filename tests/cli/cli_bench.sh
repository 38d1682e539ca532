#!/bin/sh
# bench prints latency, memory and every operator's share, as text and as one JSON object
. tests/mission/lib.sh
model=examples/digits/forest.joblib
"$uncork" bench "$model" >"$work/text"
for word in latency throughput start memory machine operator share step; do
    grep -q "$word" "$work/text" || fail "the report says nothing of $word"
done
"$uncork" bench "$model" --json >"$work/json"
python3 -c "import json, sys; b = json.load(open(sys.argv[1])); assert b['runs'] >= 3 and b['best_ms'] <= b['median_ms'] <= b['p99_ms'] and b['steps']" "$work/json"
"$uncork" bench "$model" --threads 2 --batch 2 --quiet --disable-pass layout,fuse_elementwise >/dev/null
status=0
"$uncork" bench >/dev/null 2>"$work/error" || status=$?
[ $status = 2 ] || fail "bench without a model ends with $status"
