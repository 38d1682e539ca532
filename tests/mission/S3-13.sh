#!/bin/sh
# a picture that can't be read fails alone, in one line; the others are answered
. tests/mission/lib.sh
exports
head -c 200 "$photo" >"$work/cut.jpg"
echo 'no picture at all' >"$work/text.jpg"
: >"$work/empty.jpg"
for model in vertex_bytes custom_floats od2_ssd_encoded od2_ssd; do
    for bad in text empty missing; do
        run "$uncork" predict "$exports/$model" "$work/$bad.jpg" "$photo"
        [ "$status" != 0 ] || fail "$model took $bad.jpg"
        [ "$status" -lt 126 ] || fail "$model: status $status"
        grep -q "$bad.jpg" "$work/err" || fail "$model: no word of $bad.jpg: $(cat "$work/err")"
        grep -q 'photo.jpg: ' "$work/out" || fail "$model: the other picture has no answer"
    done
done
run "$uncork" predict "$exports/vertex_bytes" "$work/cut.jpg"
[ "$status" -lt 126 ] || fail "status $status"
