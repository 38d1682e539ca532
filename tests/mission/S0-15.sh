#!/bin/sh
# any other failure is told with its cause, never as a bare trace
. tests/mission/lib.sh
: >"$work/empty.pkl"
printf 'hello' >"$work/text.pkl"
printf '\200\004K\001.' >"$work/number.pkl"
mkdir "$work/folder"
for model in empty.pkl text.pkl number.pkl folder; do
    run "$uncork" predict "$work/$model" "$digits/digit_7.png"
    expect 3 "$model"
    one_line
done
run "$uncork" predict "$data/three.pkl" "$digits/digit_7.png"
expect 2 '3 features'
one_line
