#!/bin/sh
# a .pkl scikit-learn classifier predicts a class for one image file
. tests/mission/lib.sh
run "$uncork" predict "$digits/model_and_scaler.pkl" "$digits/digit_7.png" --json
expect 0 '"label":7'
run "$uncork" predict "$digits/model_and_scaler.pkl" "$digits/digit_7.png"
expect 0 'digit_7.png: 7 '
