#!/bin/sh
# a single different activation, or weight, is found between two models
. tests/mission/lib.sh
twins=tests/fixtures/doctor
run "$uncork" compare "$twins/relu.h5" "$twins/elu.h5"
expect 1 'first difference: c2 float32'
expect 1 'it ends in Relu beside Elu'
expect 1 'the models differ'
run "$uncork" compare "$twins/relu.h5" "$twins/nudged.h5"
expect 1 'first difference: d float32'
expect 1 'their weights or settings are not'
run "$uncork" compare "$twins/relu.h5" "$twins/relu.keras"
expect 0 'output d float32[1, 3]: equal'
expect 0 'the models agree'
# another format, other names: by structure, and through its own axes
"$uncork" convert "$twins/elu.h5" -o "$work/elu.onnx" || fail "not converted"
run "$uncork" compare "$twins/elu.h5" "$work/elu.onnx"
expect 0 'the models agree'
run "$uncork" compare "$twins/relu.h5" "$work/elu.onnx" --json
expect 1 '"same":false'
run "$uncork" compare "$twins/relu.h5"
expect 2 'compare takes two models'
