#!/bin/sh
# a missing model file: one clear message and its own exit status
. tests/mission/lib.sh
run "$uncork" predict "$work/none.pkl" "$digits/digit_7.png"
expect 4 'none.pkl'
one_line
