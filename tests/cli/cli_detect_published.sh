#!/bin/sh
# published detectors find what their own libraries find (tests/fixtures/gen/detect_models.py)
. tests/mission/lib.sh
models=../shared/models/onnx
[ -d "$models" ] || {
    echo "skipped: no published models beside the repository"
    exit 77
}
python3 tests/mission/detect.py "$uncork" --published "$models"
