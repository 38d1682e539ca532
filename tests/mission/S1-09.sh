#!/bin/sh
# label_map.pbtxt: display_name, use of it, ids from 1, ids with gaps
. tests/mission/lib.sh
models=tests/fixtures/outputs
steps='rgb | scale=1/255 | nchw'
cat >"$work/map.pbtxt" <<'M'
item {
  name: "/m/01g317"
  id: 1
  display_name: "person"
}
item { id: 2 name: "bird" }
# ids may leave numbers out and stand in any order
item {
  display_name: 'dog'
  id: 4
  name: '/m/0bt9lr'
}
item { name: "cat" id: 5 }
M
# ids count from 1: id 4 is output 3
run "$uncork" predict "$models/logits.onnx" "$models/noise.png" --preprocess "$steps" --labels "$work/map.pbtxt" --top all --json
expect 0 '"label":"dog","index":3'
expect 0 'the labels count from 1'
python3 - "$work/out" <<'P' || exit 1
import json, sys
names = {t["index"]: t["label"] for t in json.load(open(sys.argv[1]))["top"]}
assert names == {0: "person", 1: "bird", 2: "2", 3: "dog", 4: "cat"}, names
P
maps=../shared/models/label_maps
if [ -d "$maps" ]; then
    for map in "$maps"/*.pbtxt; do
        run "$uncork" predict "$models/two_outputs.onnx" "$models/noise.png" --preprocess "$steps" --labels "$map" --quiet
        [ "$status" = 0 ] || fail "$map: $(cat "$work/err")"
    done
else
    echo "published label maps skipped: no $maps"
fi
