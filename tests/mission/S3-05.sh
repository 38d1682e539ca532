#!/bin/sh
# names of classes: the graph's own strings, a file beside the model, one that is given
. tests/mission/lib.sh
exports
run "$uncork" predict "$exports/vertex_bytes" "$photo"
expect 0 'tulip 0.9997'
run "$uncork" predict "$exports/custom_floats" "$photo"
expect 0 'tulip'
expect 0 'labels.txt beside the model'
printf 'un\ndeux\ntrois\n' >"$work/names.txt"
run "$uncork" predict "$exports/vertex_bytes" "$photo" --labels "$work/names.txt"
expect 0 'trois 0.9997'
run "$uncork" predict "$exports/custom_floats" "$photo" --labels "$work/names.txt"
expect 0 'trois'
