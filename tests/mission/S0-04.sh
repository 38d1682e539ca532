#!/bin/sh
# the order of steps, casts and divisions is kept
. tests/mission/lib.sh
exec python3 "$here/pipelines.py" "$uncork" normalise-first resize-before-gray gray-before-resize float64- float32-divide mean-std
