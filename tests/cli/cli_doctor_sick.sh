#!/bin/sh
# doctor names the true cause of models that don't load first, and the commands it prints mend them
set -u
python3 tests/doctor/sick.py "${UNCORK_BIN:-build/release/uncork}"
