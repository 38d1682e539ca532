#!/bin/sh
# LogisticRegression of every solver, binary and multinomial, predicts identically
. tests/mission/lib.sh
exec "$(dirname "$uncork")/test_estimators" LogisticRegression
