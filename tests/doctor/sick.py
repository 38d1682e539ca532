"""Models that will not load, each with its known cause: sick.py UNCORK [--show]

Made here, from genuine files of tests/fixtures: cut, translated, renamed, wrapped, parted from what belongs
beside them. Doctor must name the true cause first in at least 95 of 100; where its remedy is a command, the
command is run as printed, and the model it names must then load. --show prints what doctor said of each.
"""
import base64
import bz2
import gzip
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

FIXTURES = "tests/fixtures"
DIGITS = "examples/digits"
CASES = []


def case(want, name, *more):
    """Registers a maker: it gets the path of what doctor is given. `more`: arguments behind the model."""

    def add(make):
        CASES.append((want, name, make, more))
        return make

    return add


def data(path):
    with open(path, "rb") as f:
        return f.read()


def put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())


def inside(archive, member):
    path = f"{FIXTURES}/{archive}"
    if archive.endswith(".zip"):
        return zipfile.ZipFile(path).read(member)
    return tarfile.open(path).extractfile(member).read()


def sick(member):
    return inside("doctor/sick.zip", member)


def folder_of(archive, prefix, path, leave=lambda name: False):
    """The members below prefix, as a folder, but those to leave."""
    z = zipfile.ZipFile(f"{FIXTURES}/{archive}")
    for name in z.namelist():
        if name.startswith(prefix) and not name.endswith("/") and not leave(name):
            put(os.path.join(path, name[len(prefix):]), z.read(name))


def simple(want, name, make):
    case(want, name)(lambda path: put(path, make()))


KERAS_H5 = lambda: sick("keras/model.h5")
KERAS_V3 = lambda: sick("keras/model.keras")
TORCH = lambda: data(f"{FIXTURES}/pytorch/resnet18_model.pth")
SCRIPT = lambda: data(f"{FIXTURES}/pytorch/script_if.pt")
PICKLE = lambda: data(f"{DIGITS}/model_and_scaler.pkl")
SVC2 = lambda: data(f"{DIGITS}/svc_python2.pkl")
ONNX = lambda: data(f"{FIXTURES}/networks/dense.onnx")
TFLITE = lambda: data(f"{FIXTURES}/tflite/cnn_float.tflite")
SAFE = lambda: inside("pytorch/shards.zip", "lone/model.safetensors")
FROZEN = lambda: data(f"{FIXTURES}/tensorflow/frozen.pb")
XGB_JSON = lambda: data(f"{FIXTURES}/containers/booster.json")

PAGE = "<!DOCTYPE html>\n<html><head><title>Google Drive - Virus scan warning</title></head><body>...</body></html>\n"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4cac19622f\nsize 102967424\n"

# ---- not the model at all ----
case("no-such-file", "none.h5")(lambda path: None)
case("no-such-file", "folder/none.pkl")(lambda path: os.makedirs(os.path.dirname(path)))
simple("empty-file", "empty.pkl", lambda: b"")
simple("empty-file", "empty.onnx", lambda: b"")
for ending in ("h5", "pt", "safetensors", "onnx"):
    simple("lfs-pointer", f"pointer.{ending}", lambda: POINTER)
case("lfs-pointer", "lfs_folder")(lambda path: (
    folder_of("pytorch/shards.zip", "sharded/", path), put(f"{path}/model-00002-of-00002.safetensors", POINTER)))
simple("web-page", "page.h5", lambda: PAGE)
simple("web-page", "page.pkl", lambda: "\n\n" + PAGE.lower())
simple("web-page", "page.pt", lambda: "<html><head><title>404</title>")
simple("error-reply", "reply.pt", lambda: '{"error": {"code": 403, "message": "Forbidden"}}')
simple("error-reply", "reply.tflite", lambda: '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
       '<Message>Access Denied</Message></Error>')
simple("error-reply", "reply.pkl", lambda: "Not Found")
simple("error-reply", "invalid.onnx", lambda: "Invalid username or password.")
simple("all-zero", "zeros.h5", lambda: bytes(5000))
simple("array", "weights.npy", lambda: data(f"{FIXTURES}/containers/m_f4.npy"))
simple("array", "model.npz", lambda: data(f"{FIXTURES}/containers/two.npz"))
simple("picture", "model.png", lambda: data(f"{DIGITS}/digit_7.png"))
simple("picture", "cat.h5", lambda: inside("tensorflow/exports.zip", "photo.jpg"))
simple("text", "train.py", lambda: "import torch\nmodel = torch.load('model.pt')\n")
simple("text", "notebook.pkl", lambda: '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
simple("mac-shadow", "._model.h5", lambda: bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(60))
simple("no-model", "bundle.pkl", lambda: data(f"{FIXTURES}/bundles/no_model.pkl"))

# ---- damaged on the way ----
simple("truncated", "cut.pkl", lambda: PICKLE()[:5000])
simple("truncated", "cut.joblib", lambda: data(f"{DIGITS}/forest.joblib")[:60000])
simple("truncated", "cut.h5", lambda: KERAS_H5()[:-3000])
simple("truncated", "cut.keras", lambda: KERAS_V3()[:-900])
simple("truncated", "cut.pth", lambda: TORCH()[:-5000])
simple("truncated", "cut.ts", lambda: SCRIPT()[:-100])
simple("truncated", "cut.onnx", lambda: ONNX()[:-777])
simple("truncated", "cut.tflite", lambda: TFLITE()[:-2048])
simple("truncated", "cut.safetensors", lambda: SAFE()[:-7])
simple("truncated", "head.safetensors", lambda: SAFE()[:100])
simple("truncated", "cut.pb", lambda: FROZEN()[:-100])
simple("truncated", "cut.ubj", lambda: data(f"{FIXTURES}/containers/booster.ubj")[:-30])
simple("truncated", "cut.json", lambda: XGB_JSON()[:-30])
case("truncated", "saved_cut")(lambda path: (
    folder_of("tensorflow/keras3.zip", "", path),
    put(f"{path}/variables/variables.data-00000-of-00001",
        inside("tensorflow/keras3.zip", "variables/variables.data-00000-of-00001")[:200])))
simple("truncated", "cut.pkl.gz", lambda: gzip.compress(PICKLE())[:-500])
for name, make in (("m.pkl", PICKLE), ("m.h5", KERAS_H5), ("m.onnx", ONNX), ("m.keras", KERAS_V3), ("m.pth", TORCH),
                   ("m.tflite", TFLITE)):
    simple("line-ends", f"crlf_{name}", lambda make=make: make().replace(b"\n", b"\r\n"))
simple("line-ends", "lf.h5", lambda: KERAS_H5().replace(b"\r\n", b"\n"))
simple("text-mode", "utf8.pkl", lambda: PICKLE().decode("utf-8", "replace").encode())
simple("text-mode", "utf8.h5", lambda: KERAS_H5().decode("utf-8", "replace").encode())
simple("text-mode", "latin.pth", lambda: TORCH().decode("latin-1").encode())
simple("seven-bits", "seven.h5", lambda: bytes(b & 127 for b in KERAS_H5()))
simple("base64", "m.b64", lambda: base64.encodebytes(KERAS_H5()))
simple("base64", "m.hex", lambda: KERAS_H5().hex())
simple("zero-tail", "partly.pth", lambda: TORCH()[:90000] + bytes(len(TORCH()) - 90000))
simple("zero-tail", "partly.h5", lambda: KERAS_H5()[:6000] + bytes(len(KERAS_H5()) - 6000))
simple("corrupt", "flipped.keras", lambda: flip(KERAS_V3(), b"config.json"))


def flip(content, member):
    at = content.index(member) + 40
    return content[:at] + bytes(b ^ 0x5A for b in content[at:at + 24]) + content[at + 24:]


# ---- wrapped ----
def encrypted():
    """A zip whose entry says that it is encrypted (general purpose bit 0, APPNOTE 4.4.4)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("model.h5", KERAS_H5())
    content = bytearray(out.getvalue())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


def tar_of(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zip_of(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in members:
            z.writestr(name, content)
    return out.getvalue()


simple("encrypted", "locked.zip", encrypted)
simple("compressed", "gzipped.h5", lambda: gzip.compress(KERAS_H5()))
simple("wrong-name", "zipped.pkl", lambda: zip_of(("model.pkl", PICKLE())))
simple("wrong-name", "tarred.h5", lambda: tar_of(("model.h5", KERAS_H5())))
simple("compressed", "bz2.tflite", lambda: bz2.compress(TFLITE()))
simple("nested-archive", "nested.zip", lambda: zip_of(("inner.zip", zip_of(("model.h5", KERAS_H5()))), ("notes.txt", b"see inner.zip")))
simple("no-model-inside", "pictures.zip", lambda: zip_of(("a.txt", b"hello"), ("b.csv", b"1,2\n")))
simple("other-archive", "model.rar", lambda: b"Rar!\x1a\x07\x01\x00" + bytes(100))
simple("other-archive", "model.7z", lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100))
simple("other-archive", "model.zst", lambda: b"\x28\xb5\x2f\xfd" + bytes(range(100)))

# ---- another framework's ----
simple("wrong-name", "torch.h5", SCRIPT)
simple("wrong-name", "torch_state.pkl", TORCH)
simple("wrong-name", "keras.pkl", KERAS_H5)
simple("wrong-name", "keras.pt", KERAS_V3)
simple("wrong-name", "hdf5.keras", KERAS_H5)
simple("wrong-name", "sklearn.pt", PICKLE)
simple("wrong-name", "onnx.pb", ONNX)
simple("wrong-name", "tflite.h5", TFLITE)
simple("wrong-name", "keras3.h5", KERAS_V3)
simple("wrong-name", "frozen.tflite", FROZEN)

# ---- something beside it is missing ----
simple("weights-only", "model.weights.h5", lambda: sick("keras/model.weights.h5"))
simple("weights-only", "renamed.h5", lambda: sick("keras/model.weights.h5"))
simple("architecture-only", "model.json", lambda: sick("keras/architecture.json"))
case("external-data", "external.onnx")(lambda path: put(path, data(f"{FIXTURES}/onnx/external.onnx")))
case("external-data", "moved/external.onnx")(lambda path: (
    put(path, data(f"{FIXTURES}/onnx/external.onnx")),
    put(os.path.join(os.path.dirname(path), "external (1).bin"), data(f"{FIXTURES}/onnx/external.bin"))))
case("shard-missing", "sharded")(lambda path: folder_of(
    "pytorch/shards.zip", "sharded/", path, lambda n: "00002" in n))
case("shard-missing", "lone_index/model.safetensors.index.json")(lambda path: put(
    path, inside("pytorch/shards.zip", "sharded/model.safetensors.index.json")))
case("variables-missing", "bare_saved")(lambda path: folder_of(
    "tensorflow/keras3.zip", "", path, lambda n: "variables" in n))
case("variables-missing", "alone/saved_model.pb")(lambda path: put(
    path, inside("tensorflow/keras3.zip", "saved_model.pb")))
case("variables-missing", "no_data")(lambda path: folder_of(
    "tensorflow/keras3.zip", "", path, lambda n: "data-" in n))
case("graph-missing", "only_variables")(lambda path: folder_of(
    "tensorflow/keras3.zip", "", path, lambda n: "saved_model" in n))
case("variables-missing", "meta/model.ckpt-3.meta")(lambda path: put(
    path, inside("tensorflow/ckpt_v2.zip", "model.ckpt-3.meta")))
case("graph-missing", "data/model.ckpt-3.index")(lambda path: folder_of(
    "tensorflow/ckpt_v2.zip", "", os.path.dirname(path), lambda n: n.endswith(".meta")))
case("graph-missing", "data2/model.ckpt-3.data-00000-of-00001")(lambda path: folder_of(
    "tensorflow/ckpt_v2.zip", "", os.path.dirname(path), lambda n: n.endswith(".meta")))
case("graph-missing", "objects")(lambda path: folder_of("doctor/sick.zip", "keras/objects/", path))
case("joblib-parts", "parts.joblib")(lambda path: put(path, data(f"{FIXTURES}/pickle/py27-joblib084-0.joblib")))

# ---- code that isn't in the file ----
simple("custom-class", "custom.pkl", lambda: data(f"{FIXTURES}/mission/custom.pkl"))
simple("custom-class", "step.pkl", lambda: data(f"{FIXTURES}/bundles/custom_step.pkl"))
simple("custom-layer", "custom.keras", lambda: sick("keras/custom.keras"))
simple("custom-layer", "custom.h5", lambda: sick("keras/custom.h5"))
simple("custom-layer", "odd.keras", lambda: data(f"{FIXTURES}/keras/unknown.keras"))
simple("lambda", "lambda.keras", lambda: sick("keras/lambda.keras"))
simple("lambda", "lambda.h5", lambda: sick("keras/lambda.h5"))
simple("custom-module", "whole.pt", lambda: sick("torch/whole_module.pt"))
simple("custom-module", "whole_legacy.pt", lambda: sick("torch/whole_module_legacy.pt"))
simple("unsafe-pickle", "evil.pkl", lambda: b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00trueq\x00\x85q\x01Rq\x02.")
case("foreign-operator", "asks_python")(lambda path: folder_of("doctor/sick.zip", "keras/asks_python/", path))
case("foreign-operator", "asks_reads")(lambda path: folder_of("doctor/sick.zip", "keras/asks_reads/", path))
case("no-signature", "no_signature")(lambda path: folder_of("doctor/sick.zip", "keras/no_signature/", path))

# ---- weights without their network ----
simple("unknown-network", "unknown.pth", lambda: sick("torch/unknown_net.pth"))
simple("keys-misfit", "missing.pth", lambda: sick("torch/resnet18_missing_block.pth"))
simple("keys-misfit", "extra.pth", lambda: sick("torch/resnet18_extra_key.pth"))
simple("keys-misfit", "width.pth", lambda: sick("torch/resnet18_other_width.pth"))
simple("optimizer-only", "optimizer.pt", lambda: sick("torch/optimizer_only.pt"))
simple("optimizer-only", "checkpoint.pt", lambda: sick("torch/checkpoint_without_model.pt"))
simple("no-model", "tensor.pt", lambda: sick("torch/one_tensor.pt"))
simple("no-model", "log.pt", lambda: sick("torch/no_tensors.pt"))


def safetensors(tensors, **metadata):
    head, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, shape in tensors.items():
        n = 4
        for d in shape:
            n *= d
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + n]}
        at += n
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


simple("adapter", "adapter_model.safetensors", lambda: safetensors({
    "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": [4, 8],
    "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": [8, 4]}))
simple("adapter", "style.safetensors", lambda: safetensors({
    "lora_unet_down_blocks_0_attentions_0_proj_in.alpha": [1],
    "lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": [4, 8],
    "lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight": [8, 4]}))
simple("language-model", "llama.safetensors", lambda: safetensors({
    "model.embed_tokens.weight": [16, 8], "model.layers.0.self_attn.q_proj.weight": [8, 8],
    "model.layers.0.mlp.gate_proj.weight": [8, 8], "model.norm.weight": [8], "lm_head.weight": [16, 8]}))


# ---- operators ----
def onnx_with(content, old, new):
    assert len(old) == len(new) and old in content
    return content.replace(old, new)


simple("unsupported-operator", "odd.onnx", lambda: onnx_with(ONNX(), b"\x22\x04Conv", b"\x22\x04Cnov"))
simple("too-new", "opset.onnx", lambda: re.sub(rb"B\x02\x10[\x01-\x1c]$", b"B\x02\x10\x7f", opset_last()))


def opset_last():
    """A model of one node, Relu, written by hand: ModelProto of onnx.proto, opset_import last."""
    node = b"\x0a\x01x\x12\x01y\x22\x04Relu"
    def value(name):
        return b"\x0a\x01" + name + b"\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x03"
    graph = b"\x0a" + bytes([len(node)]) + node + b"\x12\x01g" + b"".join(
        tag + bytes([len(value(n))]) + value(n) for tag, n in ((b"\x5a", b"x"), (b"\x62", b"y")))
    return b"\x08\x09" + b"\x3a" + bytes([len(graph)]) + graph + b"B\x02\x10\x11"


simple("too-new", "protocol.pkl", lambda: b"\x80\x09}q\x00.")

# ---- other programs' files ----
simple("other-format", "model.gguf", lambda: b"GGUF\x03\x00\x00\x00" + bytes(64))
simple("other-format", "model.cbm", lambda: b"CBM1" + bytes(64))
simple("other-format", "model.pmml", lambda: '<?xml version="1.0"?>\n<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">')
simple("other-format", "model.xml", lambda: '<?xml version="1.0"?>\n<net name="torch_jit" version="11">\n<layers>')
simple("other-format", "model.rds", lambda: gzip.compress(b"X\n\x00\x00\x00\x03\x00\x04\x02\x01\x00\x03\x05\x00" + bytes(64)))
simple("other-format", "model.mat", lambda: b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x01IM" + bytes(64))
simple("other-format", "yolo.cfg", lambda: "[net]\nbatch=1\nwidth=416\nheight=416\n\n[convolutional]\nfilters=32\n")
simple("other-format", "yolov3.weights", lambda: struct.pack("<iiiq", 0, 2, 0, 32013312) + b"\x11\x22\x33\x3d" * 64)
simple("other-format", "deploy.prototxt", lambda: 'name: "LeNet"\nlayer {\n  name: "data"\n  type: "Input"\n  top: "data"\n}\n')
simple("other-format", "model.param", lambda: "7767517\n75 83\nInput            data             0 1 data\n")
simple("other-format", "model.ort", lambda: b"\x20\x00\x00\x00ORTM" + bytes(64))
simple("other-format", "model.engine", lambda: b"ftrt" + bytes(4) + bytes(range(64)))
case("other-format", "Model.mlpackage")(lambda path: (
    put(f"{path}/Manifest.json", '{"fileFormatVersion": "1.0.0", "itemInfoEntries": {}}'),
    put(f"{path}/Data/com.apple.CoreML/model.mlmodel", b"\x08\x07\x12\x10")))
case("other-format", "tfjs")(lambda path: (
    put(f"{path}/model.json", '{"format": "layers-model", "modelTopology": {}, "weightsManifest": []}'),
    put(f"{path}/group1-shard1of1.bin", bytes(64))))
case("other-format", "paddle")(lambda path: (
    put(f"{path}/inference.pdmodel", b"\x0a\x10\x08\x00"), put(f"{path}/inference.pdiparams", bytes(64))))
case("other-format", "spark")(lambda path: (
    put(f"{path}/metadata/part-00000", '{"class":"org.apache.spark.ml.PipelineModel"}'),
    put(f"{path}/metadata/_SUCCESS", b"")))
case("other-format", "mxnet/net-symbol.json")(lambda path: put(
    path, '{"nodes": [{"op": "null", "name": "data", "inputs": []}], "arg_nodes": [0], "heads": [[0, 0, 0]], '
    '"attrs": {"mxnet_version": ["int", 10700]}}'))

# ---- opens here, but not in today's Python ----
simple("old-release", "svc.pkl", SVC2)


def archive_case(archive, word):
    """The first model in a tar of fixtures whose name has the word."""
    with tarfile.open(f"{FIXTURES}/{archive}") as t:
        for m in t.getmembers():
            if word in m.name and m.name.endswith(("model.pkl", "model.joblib")):
                return t.extractfile(m).read()
    raise KeyError(word)


for release, word in (("0.18.2", "tree"), ("0.20.4", "logistic"), ("0.21.3", "forest"), ("1.2.2", "tree")):
    simple("old-release", f"{word}_{release}.pkl", lambda r=release, w=word: archive_case(f"sklearn/{r}.tar.xz", w))


# ---- run ----
def mends(report, path, work, uncork):
    """Runs the command that doctor prints for the first cause; True when the model then loads, None without one."""
    command = report["causes"][0].get("command")
    if not command:
        return None
    env = dict(os.environ, PATH=os.path.dirname(os.path.abspath(uncork)) + ":" + os.environ["PATH"])
    return subprocess.run(command, shell=True, cwd=work, env=env, capture_output=True, timeout=60).returncode == 0


def main():
    uncork, show = os.path.abspath(sys.argv[1]), "--show" in sys.argv
    first, mended, commands, wrong = 0, 0, 0, []
    with tempfile.TemporaryDirectory() as base:
        for i, (want, name, make, more) in enumerate(CASES):
            work = os.path.join(base, str(i))
            path = os.path.join(work, name)
            os.makedirs(work)
            make(path)
            done = subprocess.run([uncork, "doctor", name, "--json", *more], cwd=work, capture_output=True, text=True, timeout=60)
            try:
                report = json.loads(done.stdout)
            except ValueError:
                report = {"causes": [], "error": done.stderr}
            causes = report["causes"]
            said = causes[0].get("id") if causes else None
            good = said == want
            first += good
            if not good:
                wrong.append(f"{name}: {want}, not {said}: {json.dumps(causes[:2]) if causes else report.get('error', '')[:300]}")
            if show:
                print(f"{'ok ' if good else 'BAD'} {want:20} {name:34}", json.dumps(causes[:1])[:600])
            fixed = mends(report, path, work, uncork) if good else None
            if fixed is not None:
                commands += 1
                mended += fixed
                if not fixed:
                    wrong.append(f"{name}: the remedy doesn't mend it: {causes[0]['command']}")
            shutil.rmtree(work)
    print(f"{first} of {len(CASES)} causes named first; {mended} of {commands} remedies that are commands mend")
    for line in wrong:
        print(" ", line)
    sys.exit(len(CASES) < 60 or first < 0.95 * len(CASES) or mended < commands)


if __name__ == "__main__":
    main()
