#!/bin/sh
# a mismatch of the pixels' range is detected by doctor, and its remedy mends it
. tests/mission/lib.sh
sick=tests/fixtures/doctor
run "$uncork" doctor "$sick/shapes.h5" "$sick/shapes"
expect 1 'scale, mean and deviation: it wants -1 to 1, it gets 0 to 1'
expect 1 'order of channels: it wants blue first, it gets red first'
spec=$(sed -n "s/^remedy: --preprocess '\(.*\)'$/\1/p" "$work/out" | head -n 1)
right=$(sed -n 's/.*"right": \([0-9]*\),.*/\1/p' "$sick/truth.json" | head -n 1)
total=$(sed -n 's/.*"pictures": \([0-9]*\),.*/\1/p' "$sick/truth.json")
# as many right as the genuine preparation has, by the remedy as printed
"$uncork" evaluate "$sick/shapes.h5" "$sick/shapes" --preprocess "$spec" --json >"$work/json" 2>"$work/err" || fail "no evaluation"
python3 - "$work/json" "$right" "$total" <<'P' || fail "the remedy doesn't mend it: $spec"
import json, sys
report = json.load(open(sys.argv[1]))
sys.exit(report["accuracy"] < int(sys.argv[2]) / int(sys.argv[3]) - 1e-9)
P
# without labels the network's own statistics are evidence
run "$uncork" doctor "$sick/shapes.h5" "$sick"/shapes/*/1.jpg
expect 1 'it wants -1 to 1, it gets 0 to 1'
expect 1 'first batch normalisation'
# a right preparation is no finding
run "$uncork" doctor "$sick/shapes.h5" "$sick/shapes" --preprocess "$spec"
expect 0 'nothing wrong found'
