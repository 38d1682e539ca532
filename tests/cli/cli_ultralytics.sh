#!/bin/sh
# a checkpoint of Ultralytics says how pictures are prepared, what its classes are called and how many points it has
. tests/mission/lib.sh
python3 - "$work" <<'PYTHON'
import sys, zipfile
for part in "678":
    with zipfile.ZipFile(f"tests/fixtures/pytorch/zoo_small_{part}.zip") as z:
        for name in z.namelist():
            if name.startswith("yolo") and name.endswith("/model"):
                open(f"{sys.argv[1]}/{name.split('/')[0]}.pt", "wb").write(z.read(name))
PYTHON
# the size of its training, 96 pixels
run "$uncork" inspect "$work/yolov8.pt" --json
expect 0 'letterbox=96x96,114' "dog's bowl"
run "$uncork" inspect "$work/yolov8-pose.pt" --json
expect 0 '"metadata.kpt_shape":"[4, 2]"'
run "$uncork" inspect "$work/yolov8-cls.pt" --json
expect 0 'resize=96,bilinear,pillow | center_crop=96x96'
