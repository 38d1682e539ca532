#!/bin/sh
# cv2.imread, BGR2RGB, cv2.resize: the same bits
. tests/mission/lib.sh
exec python3 tests/cli/preprocess_compare.py "$uncork" "opencv, BGR2RGB" "blobFromImage, swapRB"
