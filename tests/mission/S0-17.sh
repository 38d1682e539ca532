#!/bin/sh
# the conventions of pretrained models are there by name, and give the libraries' own tensors
. tests/mission/lib.sh
python3 tests/cli/preprocess_compare.py "$uncork" "keras " torchvision timm hf || fail "a preset differs from its library"
run "$uncork" predict model.onnx --preprocess list
for name in keras:vgg16 keras:mobilenet_v2 torchvision:resnet50 timm:resnet50 hf:CLIPImageProcessor; do
    expect 0 "$name "
done
