#!/bin/sh
# doctor finds how pictures were prepared for a TorchScript model, which declares no shape of its input
. tests/mission/lib.sh
model=tests/fixtures/doctor/blue_first.pt
run "$uncork" doctor "$model" tests/fixtures/doctor/blue
expect 1 "it wants blue first"
steps=$(sed -n "s/^remedy: --preprocess '\(.*\)'\$/\1/p" "$work/out" | head -n 1)
run "$uncork" evaluate "$model" tests/fixtures/doctor/blue --preprocess "$steps" --quiet
expect 0 "100"
