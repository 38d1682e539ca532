#!/bin/sh
# --json is one object a line, --csv has a header, --top and --labels do what they say
. tests/mission/lib.sh
model=$digits/model_and_scaler.pkl
run "$uncork" predict "$model" "$digits/digit_5.png" "$work/none.png" --json --quiet
[ "$status" = 1 ] || fail "exit status $status"
python3 - "$work/out" <<'P' || exit 1
import json, sys
good, bad = [json.loads(line) for line in open(sys.argv[1])]
if "error" in good:
    good, bad = bad, good
assert good["label"] == 5 and len(good["probabilities"]) == 10 and len(good["top"]) == 5, good
assert good["top"][0] == {"label": "5", "index": 5, "score": good["probabilities"][5]}, good["top"]
assert set(bad) == {"input", "error"}, bad
P
run "$uncork" predict "$model" "$digits/digit_5.png" --csv --quiet
head -1 "$work/out" | grep -q '^input,label,probabilities_0,' || fail "header: $(head -1 "$work/out")"
[ "$(grep -c . "$work/out")" = 2 ] || fail "two lines"
printf 'zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n' >"$work/labels.txt"
printf '{"0":"zero","1":"one","2":"two","3":"three","4":"four","5":"five","6":"six","7":"seven","8":"eight","9":"nine"}' >"$work/labels.json"
for labels in labels.txt labels.json; do
    run "$uncork" predict "$model" "$digits/digit_5.png" --labels "$work/$labels" --top 1
    expect 0 'digit_5.png: five '
done
printf 'zero\none\n' >"$work/short.txt"
run "$uncork" predict "$model" "$digits/digit_5.png" --labels "$work/short.txt"
expect 2 '2 labels for 10 classes'
grep -q 'short.txt: 2 labels' "$work/err" || fail "which labels: $(cat "$work/err")"
if [ -w /dev/full ]; then
    "$uncork" predict "$model" "$digits/digit_5.png" >/dev/full 2>"$work/err" && fail "a full disk passes"
    grep -q '^uncork: standard output: ' "$work/err" || fail "a full disk: $(cat "$work/err")"
fi
run "$uncork" predict "$model" "$digits/digit_5.png" --top all --quiet
[ "$(tr -cd ',' <"$work/out" | wc -c)" = 9 ] || fail "--top all: $(cat "$work/out")"
run "$uncork" predict "$model" "$digits/digit_5.png" --method decision_function
expect 0 'digit_5.png: 5 '
run "$uncork" predict "$model" "$digits/digit_5.png" --method transform
expect 2 'has no method transform'
# a regressor is one, whatever methods its class had in old releases
run "$uncork" inspect tests/fixtures/bundles/target_scaler.pkl --json
expect 0 '"task":"regression"'
# --labels names the columns of a network that says nothing of its classes
network=tests/fixtures/onnx/layers.onnx
printf '[[1,2,3,4]]' >"$work/row.json"
run "$uncork" predict "$network" "$work/row.json" --quiet
expect 0 'row.json:1: 2 0.5231'
run "$uncork" predict "$network" "$work/row.json" --quiet --task tensor
expect 0 'row.json:1: y='
printf 'ant\nbee\ncow\n' >"$work/three.txt"
run "$uncork" predict "$network" "$work/row.json" --labels "$work/three.txt" --quiet --threshold 0
for name in ant bee cow; do
    expect 0 "$name 0."
done
run "$uncork" predict "$network" "$work/row.json" --labels "$work/three.txt" --top 1 --json --quiet
expect 0 '"top":[{"label":"'
