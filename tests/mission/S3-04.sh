#!/bin/sh
# logits get a softmax, probabilities don't, and the answer says which
. tests/mission/lib.sh
exports
run "$uncork" predict "$exports/custom_floats" "$photo"
expect 0 'the graph ends in Softmax'
grep photo "$work/out" >"$work/probabilities"
run "$uncork" predict "$exports/custom_logits" "$photo"
expect 0 'softmax'
grep photo "$work/out" >"$work/logits"
cmp -s "$work/probabilities" "$work/logits" ||
    fail "not the same: $(cat "$work/probabilities" "$work/logits")"
run "$uncork" predict "$exports/custom_logits" "$photo" --activation none
expect 0 'photo.jpg: tulip'
cmp -s "$work/out" "$work/logits" && fail "numbers as they are have become probabilities"
exit 0
