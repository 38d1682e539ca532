#!/bin/sh
# an export as AutoML and Vertex AI write it decodes and resizes in the graph: the picture's file goes in
. tests/mission/lib.sh
exports
run "$uncork" predict "$exports/vertex_bytes" "$photo"
expect 0 'photo.jpg: tulip 0.9997, daisy 0.0003'
expect 0 "input 'image_bytes' takes the picture's file"
run "$uncork" predict "$exports/top_two" "$photo"
expect 0 'photo.jpg: tulip 0.9997, daisy 0.0003'
