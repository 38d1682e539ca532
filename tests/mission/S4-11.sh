#!/bin/sh
# a SavedModel of Keras 2 and the .h5 of the same model give the same answers
. tests/mission/lib.sh
exports
run "$uncork" predict "$exports/twin" "$photo"
expect 0 'photo.jpg: '
grep photo "$work/out" >"$work/folder"
run "$uncork" predict "$exports/twin.h5" "$photo"
expect 0 'photo.jpg: '
grep photo "$work/out" >"$work/file"
cmp -s "$work/folder" "$work/file" || fail "not the same: $(cat "$work/folder" "$work/file")"
