#!/bin/sh
# weights that don't fit: the closest network is named, with the keys missing, unexpected and of another shape
. tests/mission/lib.sh
for python in python3 /usr/bin/python3; do
    "$python" -m zipfile -e tests/fixtures/doctor/sick.zip "$work/sick" 2>/dev/null && break
done
sick=$work/sick/torch # genuine torchvision resnet18 state dicts, each changed in one way
[ -d "$sick" ] || fail "nothing unpacked"
run "$uncork" doctor "$sick/resnet18_missing_block.pth"
expect 1 'the closest architecture is resnet18; missing (4): layer3.1.bn2.'
run "$uncork" doctor "$sick/resnet18_extra_key.pth"
expect 1 'the closest architecture is resnet18; unexpected (1): attention.gamma'
expect 1 '--code FILE.py:CLASS'
run "$uncork" doctor "$sick/resnet18_other_width.pth"
expect 1 'the closest architecture is resnet18; of another shape (5): layer2.0.'
expect 1 "the weights don't fit the network"
# the whole list is in --json of inspect
run "$uncork" inspect "$sick/resnet18_missing_block.pth" --json
expect 0 '"architecture":"resnet18","missing":["layer3.1.bn2.'
# predict says it in one line
run "$uncork" predict "$sick/resnet18_extra_key.pth" tests/fixtures/image/rgb.png
expect 3 "resnet18 has 0 keys missing, 1 unexpected, 0 of another shape, first 'attention.gamma'"
one_line
# weights of a network of its own: layers in order are proposed, and the proposal runs
run "$uncork" doctor "$sick/unknown_net.pth"
expect 1 "--arch 'Sequential(Linear(4, 3))'"
run "$uncork" doctor "$sick/unknown_net.pth" --arch 'Sequential(Linear(4, 3))'
expect 0 'nothing wrong found'
