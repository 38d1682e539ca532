#!/bin/sh
# every way a network ends is read as ONNX Runtime's numbers say (tests/fixtures/gen/output_models.py)
. tests/mission/lib.sh
python3 tests/cli/readings.py "$uncork" tests/fixtures/outputs
