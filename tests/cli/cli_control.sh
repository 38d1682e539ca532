#!/bin/sh
# a loop without an end stops at --timeout, an assertion that doesn't hold says its message
. tests/mission/lib.sh
array() { # array FILE TYPE SHAPE FORMAT NUMBERS
    python3 - "$@" <<'END'
import struct, sys
header = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (sys.argv[2], sys.argv[3])
header += " " * (117 - len(header)) + "\n"
numbers = [float(v) for v in sys.argv[5].split()]
data = struct.pack("<%d%s" % (len(numbers), sys.argv[4]), *numbers)
open(sys.argv[1], "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)
END
}
array "$work/x.npy" '<f4' '(2,)' f '1 2'
for loop in endless endless_frame; do
    run "$uncork" run "tests/hostile/tensorflow/control_$loop.pb" --input x="$work/x.npy" --output "$work/none" --timeout 0.1
    expect 3 'the time given is over'
    one_line
done
python3 -m zipfile -e tests/fixtures/tensorflow/functions.zip "$work/functions"
python3 -m zipfile -e tests/fixtures/tensorflow/frames.zip "$work/frames"
array "$work/small.npy" '<f4' '(1, 4)' f '1 2 -11 4'
array "$work/large.npy" '<f4' '(1, 4)' f '1 2 11 4'
run "$uncork" run "$work/functions/asserts" --input x="$work/large.npy" --output "$work/none"
expect 1 'assertion failed: [a value is 10 or more'
one_line
run "$uncork" run "$work/functions/asserts" --input x="$work/small.npy" --output "$work/none"
expect 1 'assertion failed: [too small:] [1 2 -11'
run "$uncork" run "$work/frames/v1_asserts" --input x="$work/large.npy" --output "$work/none"
expect 1 'assertion failed: [too large:] [1 2 11'
