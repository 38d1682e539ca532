#!/bin/sh
# the class, its name and every probability can be had
. tests/mission/lib.sh
exports
run "$uncork" predict "$exports/vertex_bytes" "$photo" --top 1
expect 0 'photo.jpg: tulip 0.9997'
grep -q daisy "$work/out" && fail "more than one: $(cat "$work/out")"
run "$uncork" predict "$exports/vertex_bytes" "$photo" --json
expect 0 '"label":"tulip","index":2,"score":0.9997'
for name in daisy rose tulip; do
    grep -q "\"label\":\"$name\"" "$work/out" || fail "no $name in $(cat "$work/out")"
done
run "$uncork" predict "$exports/vertex_bytes" "$photo" --csv
expect 0 'label,index,score'
