#!/usr/bin/env python3
"""Writes tests/hostile/keras: HDF5 and Keras files that lie. Run from the source root; needs h5py 3.14."""
import json
import pathlib
import struct

import h5py
import numpy as np

OUT = pathlib.Path("tests/hostile/keras")
DENSE = {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "linear", "use_bias": False,
                                           "batch_input_shape": [None, 3]}}


def model(name, config, kernel=(3, 2), names=(b"d/kernel:0",), group="d"):
    with h5py.File(OUT / name, "w") as f:
        f.attrs["keras_version"] = "2.15.0"
        f.attrs["model_config"] = json.dumps(config)
        w = f.create_group("model_weights")
        w.attrs["layer_names"] = [b"d", b"e"]
        w.attrs["backend"] = "tensorflow"
        g = w.create_group(group)
        g.attrs["weight_names"] = list(names)
        g["d/kernel:0"] = np.zeros(kernel, "f4")
        if config["class_name"] == "Functional":
            w["e"] = g


def sequential(*layers):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def functional(nodes_a, nodes_b):
    def layer(name, nodes):
        c = json.loads(json.dumps(DENSE))
        c["config"]["name"] = c["name"] = name
        return c | {"inbound_nodes": nodes}
    return {"class_name": "Functional", "config": {"name": "f", "layers": [
        {"class_name": "InputLayer", "name": "i", "config": {"name": "i", "batch_input_shape": [None, 3]},
         "inbound_nodes": []}, layer("d", nodes_a), layer("e", nodes_b)],
        "input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}}


def patched(name, source, find, put, count=1):
    data = bytearray((OUT / source).read_bytes())
    at = -1
    for _ in range(count):
        at = data.index(find, at + 1)
    data[at:at + len(put)] = put
    (OUT / name).write_bytes(data)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    model("sound.h5", sequential(DENSE))
    model("kernel_shape.h5", sequential(DENSE), kernel=(3, 5))
    model("no_weight.h5", sequential(DENSE), names=(b"d/other:0",))
    model("too_many_weights.h5", sequential(DENSE), names=(b"d/kernel:0", b"d/kernel:0"))
    model("no_group.h5", sequential(DENSE), group="x")
    negative = json.loads(json.dumps(DENSE))
    negative["config"]["units"] = -5
    model("negative_units.h5", sequential(negative))
    deep = DENSE
    for _ in range(45):
        deep = sequential(deep)
    model("deep.h5", deep)
    model("cycle.h5", functional([[["e", 0, 0, {}]]], [[["d", 0, 0, {}]]]))
    model("itself.h5", functional([[["d", 0, 0, {}]]], [[["i", 0, 0, {}]]]))
    model("no_layers.h5", sequential())
    huge = json.loads(json.dumps(DENSE))
    huge["config"]["batch_input_shape"] = [2**40, 2**40]
    model("huge_input.h5", sequential(huge))
    with h5py.File(OUT / "group_cycle.h5", "w") as f:
        f.create_group("a/b")
        f["a/b/c"] = f["a"]
    with h5py.File(OUT / "sparse.h5", "w") as f:
        f.attrs["model_config"] = json.dumps(sequential(DENSE))
        g = f.create_group("model_weights")
        g.attrs["layer_names"] = [b"d"]
        d = g.create_group("d")
        d.attrs["weight_names"] = [b"k"]
        d.create_dataset("k", shape=(2**20, 2**20), dtype="f4", chunks=(1024, 1024), compression="gzip")
    patched("heap_beyond.h5", "sound.h5", b"HEAP", b"HEAP\0\0\0\0" + struct.pack("<Q", 2**60))
    patched("tree_loop.h5", "sound.h5", b"TREE", b"TREE\0\xff")


main()
