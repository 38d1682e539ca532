#!/bin/sh
# published pickles, some of which today's scikit-learn refuses or gets wrong, give the reference answers
. tests/mission/lib.sh
published published.py sklearn
