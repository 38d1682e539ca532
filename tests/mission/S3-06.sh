#!/bin/sh
# doctor says how far answers move with a small mistake in mean or scale
. tests/mission/lib.sh
sick=tests/fixtures/doctor
run "$uncork" doctor "$sick/shapes.h5" "$sick/shapes"
expect 1 'a mean of 0.50 against 0.51'
expect 1 'values larger by 1 %'
grep -q 'change [0-9]* of 30 answers, and the answers. probability by 0\.[0-9]* on average' "$work/out" ||
    fail "no figures: $(cat "$work/out")"
