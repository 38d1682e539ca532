#!/bin/sh
# the annotated picture is written, PNG or JPEG as the input is, whole or not at all
. tests/mission/lib.sh
fixtures=tests/fixtures/draw
magic() { head -c 4 "$1" | od -An -tx1 | tr -d ' \n'; }
run "$uncork" predict "$fixtures/od_boxes.onnx" "$fixtures/small.jpg" "$fixtures/grey.png" \
    --labels "$fixtures/labels.pbtxt" --quiet --draw "$work/drawn"
expect 0 'small.jpg: person 0.9800'
case $(magic "$work/drawn/small.jpg") in
ffd8ff*) ;;
*) fail "small.jpg isn't a JPEG" ;;
esac
[ "$(magic "$work/drawn/grey.png")" = 89504e47 ] || fail "grey.png isn't a PNG"
# it can be read again, and has the input's size: the boxes of the same model lie where they lay
run "$uncork" predict "$fixtures/od_boxes.onnx" "$fixtures/small.jpg" --json --quiet
grep -o '"box":\[[^]]*\]' "$work/out" >"$work/before"
run "$uncork" predict "$fixtures/od_boxes.onnx" "$work/drawn/small.jpg" --json --quiet
grep -o '"box":\[[^]]*\]' "$work/out" >"$work/after"
[ -s "$work/before" ] || fail "no boxes"
cmp -s "$work/before" "$work/after" || fail "another size: $(head -1 "$work/before") $(head -1 "$work/after")"
# what was asked for and can't be written is an error, and nothing half is left
mkdir "$work/closed"
: >"$work/closed/small.jpg"
chmod 500 "$work/closed"
if [ "$(id -u)" != 0 ]; then
    run "$uncork" predict "$fixtures/od_boxes.onnx" "$fixtures/small.jpg" --quiet --draw "$work/closed"
    [ "$status" = 1 ] || fail "exit status $status for a folder that can't be written"
fi
mkdir -p "$work/taken/small.jpg"
run "$uncork" predict "$fixtures/od_boxes.onnx" "$fixtures/small.jpg" --quiet --draw "$work/taken"
expect 1 'small.jpg'
[ "$(ls "$work/taken")" = small.jpg ] || fail "left behind: $(ls "$work/taken")"
