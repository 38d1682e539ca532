#!/bin/sh
# bytes with a key, a tf.Example and plain floats all work
. tests/mission/lib.sh
exports
run "$uncork" predict "$exports/vertex_bytes" "$photo" --json
expect 0 '"label":"tulip"'
run "$uncork" predict "$exports/custom_floats" "$photo"
expect 0 'photo.jpg: tulip'
expect 0 'float32'
