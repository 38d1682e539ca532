#!/bin/sh
# rows that weren't scaled as in training are noticed
. tests/mission/lib.sh
forest=tests/fixtures/doctor/scaled.pkl
run "$uncork" doctor "$forest" tests/fixtures/doctor/raw_rows.csv
expect 1 "a scaler is missing in front of the model"
expect 1 'the model saw 0 to 1'
run "$uncork" doctor "$forest" tests/fixtures/doctor/scaled_rows.csv
expect 0 'nothing wrong found'
