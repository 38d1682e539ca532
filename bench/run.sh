#!/bin/sh
# Kernels against the machine's own peak, then models against their frameworks in the same run.
# PYTHON names a Python with scikit-learn (and xgboost, treelite, Pillow where they are to be compared).
# NET_PYTHON names one with torch, torchvision, onnx, onnxruntime and openvino: the neural networks are built
# once under build/bench-models and timed beside those runtimes. For LiteRT as well, run
# bench/peers/nets.py --tflite build/bench-models with a Python that has litert-torch, and put ai-edge-litert
# into the first.
set -eu
cd "$(dirname "$0")/.."
make build/release/uncork >/dev/null
build/release/bench_kernel
"${PYTHON:-python3}" bench/peers/compare.py build/release/bench_model
"${PYTHON:-python3}" bench/many_images.py build/release/uncork
if [ -z "${NET_PYTHON:-}" ]; then
    echo "neural networks are left out: NET_PYTHON names no Python with onnxruntime and openvino"
    exit 0
fi
models=build/bench-models
[ -e $models/vit_b_16.onnx ] || "$NET_PYTHON" bench/peers/nets.py $models
[ -e $models/resnet50.int8.onnx ] || "$NET_PYTHON" bench/peers/nets.py --int8 $models
"$NET_PYTHON" bench/peers/compare_nets.py build/release/libuncork.so $models --json build/bench-nets.json
