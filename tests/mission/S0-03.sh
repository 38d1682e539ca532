#!/bin/sh
# Pillow's default filter: bicubic, nearest for 1 and P; the old default selectable
. tests/mission/lib.sh
exec python3 "$here/pipelines.py" "$uncork" palette-nearest old-default tutorial-one_bit tutorial-rgb
