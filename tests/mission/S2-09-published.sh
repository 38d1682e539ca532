#!/bin/sh
# published ONNX networks give their reference outputs, every output by its name
. tests/mission/lib.sh
published published_onnx.py onnx
