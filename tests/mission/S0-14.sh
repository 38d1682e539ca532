#!/bin/sh
# a missing or unreadable picture: a clear message, the others go on
. tests/mission/lib.sh
printf 'not a picture' >"$work/bad.png"
: >"$work/empty.jpg"
run "$uncork" predict "$digits/model_and_scaler.pkl" "$work/none.png" "$digits/digit_3.png" "$work/bad.png" "$work/empty.jpg" --quiet
expect 1 'digit_3.png: 3 '
for name in none.png bad.png empty.jpg; do
    grep -q "$name" "$work/err" || fail "no line for $name: $(cat "$work/err")"
done
[ "$(grep -c . "$work/err")" = 3 ] || fail "three lines expected: $(cat "$work/err")"
