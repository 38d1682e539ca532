#!/bin/sh
# 224 x 224, /255, -1 to 1, expand_dims, colours: as Pillow, OpenCV, Keras and TensorFlow users write them
. tests/mission/lib.sh
exec python3 tests/cli/preprocess_compare.py "$uncork" "pillow, " teachable "opencv, BGR2RGB" tf.image "keras mobilenet" "keras, "
