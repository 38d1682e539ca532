#!/bin/sh
# OpenCV: imread, BGR kept as BGR, INTER_LINEAR, float32, /255: the same bits
. tests/mission/lib.sh
exec python3 tests/cli/preprocess_compare.py "$uncork" "opencv, BGR kept" "opencv, float64" "opencv, grey" blobFromImage
