#!/bin/sh
# Kernels against the machine's own peak, then models against scikit-learn in the same run.
# PYTHON names a Python with scikit-learn (and xgboost, treelite, Pillow where they are to be compared).
set -eu
cd "$(dirname "$0")/.."
make build/release/uncork >/dev/null
build/release/bench_kernel
"${PYTHON:-python3}" bench/peers/compare.py build/release/bench_model
"${PYTHON:-python3}" bench/many_images.py build/release/uncork
