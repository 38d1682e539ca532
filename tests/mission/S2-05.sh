#!/bin/sh
# torchvision: Resize((224, 224)), Resize(256) and CenterCrop(224), ToTensor, Normalize: the same bits
. tests/mission/lib.sh
exec python3 tests/cli/preprocess_compare.py "$uncork" squash usual mnist "v2 on tensors" decode_image torchvision
