#!/bin/sh
# grey, 28 x 28, float32, /255, one row: the tensor is bit-equal to Python's
. tests/mission/lib.sh
exec python3 "$here/pipelines.py" "$uncork" tutorial-
