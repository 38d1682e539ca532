#!/bin/sh
# mean average precision is pycocotools' for the same boxes (tests/fixtures/gen/evaluate_boxes.py)
. tests/mission/lib.sh
fixtures=tests/fixtures/evaluate
model=tests/fixtures/draw/od_boxes.onnx
pictures=tests/fixtures/draw
labels="--labels tests/fixtures/draw/labels.pbtxt"

run "$uncork" evaluate "$model" "$fixtures/boxes.json" "$pictures" $labels
expect 0 '2 pictures, 39 objects of 2 classes'
expect 0 'mAP 0.4605 (IoU 0.50 to 0.95), 0.6366 (0.50), 0.5582 (0.75), recall 0.6806'
expect 0 'dog               0.3620  0.5360  0.4260  0.6278       18       30'
expect 0 'note: boxes with a score above 0.001 (--threshold)'

run "$uncork" evaluate "$model" "$fixtures/boxes.json" "$pictures" $labels --json --output "$work/report"
expect 0 '"map":0.460520'
cmp -s "$work/out" "$work/report/report.json" || fail "report.json isn't what --json prints"
if command -v python3 >/dev/null; then
    python3 - "$work/out" "$fixtures/boxes_expected.json" <<'PY' || fail "not pycocotools' figures: $(cat "$work/out")"
import json, sys
got, want = (json.load(open(p)) for p in sys.argv[1:])
def same(a, b):
    if isinstance(b, dict): return all(same(a[k], v) for k, v in b.items())
    if isinstance(b, list): return len(a) == len(b) and all(map(same, a, b))
    return abs(a - b) <= 1e-14 if isinstance(b, float) else a == b
sys.exit(not same(got, want))
PY
fi
run "$uncork" evaluate "$model" "$fixtures/boxes.json" "$pictures" $labels --csv --quiet
expect 0 'label,ap,ap_50,ap_75,recall,objects,found'

# a missing picture is said and counted; one of a name that leaves the folder is refused
sed 's/grey.png/gone.png/' "$fixtures/boxes.json" >"$work/gone.json"
run "$uncork" evaluate "$model" "$work/gone.json" "$pictures" $labels --quiet
expect 1 'gone.png'
expect 1 '1 pictures, 18 objects of 2 classes, 1 more failed'
sed 's/grey.png/..\/draw\/grey.png/' "$fixtures/boxes.json" >"$work/leaves.json"
run "$uncork" evaluate "$model" "$work/leaves.json" "$pictures" $labels
expect 2 "has a part '.' or '..'"
one_line

# no detector, no truth
run "$uncork" evaluate "$fixtures/tree.pkl" "$fixtures/boxes.json" "$pictures"
expect 2 'this model is none; a classifier is evaluated on a folder'
one_line
run "$uncork" evaluate "$model" "$fixtures/expected.json" "$pictures"
expect 2 "they are COCO's JSON: images, annotations, categories"
one_line
