#!/bin/sh
# wrong usage is exit 2 with one line that says what is wrong, before any work
. tests/mission/lib.sh
check() {
    text=$1
    shift
    run "$uncork" "$@"
    expect 2 "$text"
    one_line
}
check "no command 'predit'" predit
check "unknown option --tops" predict model.pkl x.png --tops 3
check "--top can't be 'zero'" predict model.pkl x.png --top zero
check "--kernels can't be 'fast'" run model.tflite --input x.npy --output out --kernels fast
check "--batch needs a value" predict model.pkl x.png --batch
check "takes a model and inputs" predict model.pkl
check "takes one model" run
check "needs --output" run model.pkl --input x.npy
check "exclude each other" predict model.pkl x.png --json --csv
check "'resise' (character 8)" predict "$digits/model_and_scaler.pkl" "$digits/digit_5.png" --preprocess 'gray | resise=8x8'
check 'is a filter of another library' predict "$digits/model_and_scaler.pkl" "$digits/digit_5.png" --preprocess 'gray | resize=8x8,area,pillow'
run "$uncork" --help
expect 0 'uncork predict MODEL'
run "$uncork" --version
expect 0 'uncork 0.'
run "$uncork" predict "$digits/forest.joblib" - -
expect 2 "read once"
one_line
