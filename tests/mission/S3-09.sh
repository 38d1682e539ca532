#!/bin/sh
# numbers of another type than a TFLite model takes: taken when none is lost, else explained
. tests/mission/lib.sh
exports
models=tests/fixtures/tflite
array() { # array NAME TYPE VALUE: [1, 16, 16, 3] of one number
    "$python" - "$work/$1.npy" "$2" "$3" <<'END'
import struct, sys
letter, size = {"<f8": ("d", 8), "|u1": ("B", 1), "<f4": ("f", 4)}[sys.argv[2]], 0
header = "{'descr': '%s', 'fortran_order': False, 'shape': (1, 16, 16, 3), }" % sys.argv[2]
header += " " * (117 - len(header)) + "\n"
value = float(sys.argv[3]) if letter[0] != "B" else int(sys.argv[3])
data = struct.pack("<768" + letter[0], *[value] * 768)
open(sys.argv[1], "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)
END
}
array doubles '<f8' 0.5
array thirds '<f8' 0.3
array bytes '|u1' 7
run "$uncork" run "$models/cnn_float.tflite" --input "$work/doubles.npy" --output "$work/a"
expect 0 'float64 taken as float32'
run "$uncork" run "$models/cnn_float.tflite" --input "$work/bytes.npy" --output "$work/b"
expect 0 'uint8 taken as float32'
run "$uncork" run "$models/cnn_int8.tflite" --input "$work/thirds.npy" --output "$work/c"
[ "$status" != 0 ] || fail "0.3 was taken as int8"
expect "$status" "takes int8, given float64 that doesn't fit without loss"
one_line
