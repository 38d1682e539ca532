#!/bin/sh
# predict latency percentiles reported by a bench command
. tests/mission/lib.sh
run "$uncork" bench tests/fixtures/networks/mobile.onnx --threads 1 --json
expect 0 '"p99'
run "$uncork" bench tests/fixtures/networks/mobile.onnx --threads 1
expect 0 'median'
expect 0 'p90'
