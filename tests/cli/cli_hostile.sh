#!/bin/sh
# files that once broke a sanitizer's rule: inspect and predict end with a documented status
. tests/mission/lib.sh
for file in tests/hostile/sklearn/*; do
    run "$uncork" inspect "$file" --json
    [ "$status" = 0 ] || [ "$status" = 3 ] || fail "inspect $file: exit status $status: $(cat "$work/err")"
    run "$uncork" predict "$file" "$digits/digit_3.png"
    [ "$status" = 3 ] || fail "predict $file: exit status $status: $(cat "$work/err")"
    one_line
done
