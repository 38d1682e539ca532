#!/bin/sh
# many images in one command: a list, a result each, one bad file does not stop the rest
. tests/mission/lib.sh
models=tests/fixtures/outputs
printf 'GIF89a' >"$work/broken.gif"
printf '%s\n' "$models/noise.png" "$work/broken.gif" "$models/slope.png" "$work/missing.jpg" "$models/dark.png" >"$work/list.txt"
run "$uncork" predict "$models/softmax.onnx" "@$work/list.txt" --preprocess 'rgb | scale=1/255 | nchw' --top 1 --quiet
[ "$status" = 1 ] || fail "exit status $status, some inputs failed"
printf '%s\n' "$models/noise.png: dog 0.9670" "$models/slope.png: dog 0.9801" "$models/dark.png: person 0.8425" >"$work/want"
cmp -s "$work/out" "$work/want" || fail "other answers: $(cat "$work/out")"
[ "$(grep -c . "$work/err")" = 2 ] || fail "not a line for each failure: $(cat "$work/err")"
