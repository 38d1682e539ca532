"""The networks that are timed, built once with random weights: batch norm gets statistics of random data and
transformers keep their initial scale, so that no activation underflows or grows.

    nets.py FOLDER [NAME...]            ONNX opset 17, batch free; NAME.torch beside it
    nets.py --int8 FOLDER [NAME...]     NAME.int8.onnx: quantise/dequantise pairs, uint8 activations, int8 weights
                                        a channel (onnxruntime.quantization), calibrated on random data
    nets.py --tflite FOLDER [NAME...]   NAME.b1.tflite and NAME.b8.tflite, channels last (needs litert-torch)
    nets.py --torch FOLDER [NAME...]    NAME.torch alone
    nets.py --savedmodel FOLDER [NAME...]  NAME, a SavedModel, and NAME.h5 (needs tensorflow and keras)
"""
import os, sys

SHAPES = {"mobilenet_v2": (3, 224, 224), "efficientnet_b0": (3, 224, 224), "resnet50": (3, 224, 224),
          "digit": (1, 28, 28), "vit_b_16": (3, 224, 224)}
INT8 = ("mobilenet_v2", "resnet50")
TORCH = {"resnet18": (3, 224, 224), "mobilenet_v3_large": (3, 224, 224)}  # beside PyTorch only
KERAS = {"keras_mobilenet_v2": (224, 224, 3), "keras_efficientnet_b0": (224, 224, 3), "keras_resnet50": (224, 224, 3),
         "keras_digit": (28, 28, 1), "keras_lstm": (50, 64)}
EVERY = {**SHAPES, **TORCH, **KERAS}


def digit_net():
    from torch import nn
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
                         nn.Softmax(1))


def empty(name):
    import torchvision
    return digit_net() if name == "digit" else getattr(torchvision.models, name)(weights=None)


def build(name):
    import torch
    torch.manual_seed(0)
    net = empty(name)
    if name == "vit_b_16":  # torchvision leaves the head at zero
        torch.nn.init.normal_(net.heads[-1].weight, std=0.02)
    for part in net.modules():
        # What a block adds is small beside what it was given, as training leaves it; with weights all random
        # float32 itself is further from float64 than outputs may differ.
        if type(part).__name__ == "Bottleneck":
            torch.nn.init.constant_(part.bn3.weight, 0.25)
    net.train()
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None  # the mean over all batches
        if type(part).__name__ in ("Dropout", "StochasticDepth"):
            part.eval()
    if any(isinstance(part, torch.nn.BatchNorm2d) for part in net.modules()):
        with torch.no_grad():
            for _ in range(2):
                net(torch.randn(16, *EVERY[name]))
    return net.eval()


def state(folder, name):
    import torch
    torch.save(build(name).state_dict(), "%s/%s.torch" % (folder, name))


def keras_net(name):
    import keras
    from keras import layers
    entry = keras.Input(KERAS[name])
    if name == "keras_digit":
        x = layers.MaxPool2D()(layers.Conv2D(32, 3, activation="relu")(entry))
        x = layers.Flatten()(layers.MaxPool2D()(layers.Conv2D(64, 3, activation="relu")(x)))
        return keras.Model(entry, layers.Dense(10, activation="softmax")(layers.Dense(128, activation="relu")(x)))
    if name == "keras_lstm":
        x = layers.LSTM(128)(layers.LSTM(128, return_sequences=True)(entry))
        return keras.Model(entry, layers.Dense(10, activation="softmax")(x))
    make = {"mobilenet_v2": "MobileNetV2", "efficientnet_b0": "EfficientNetB0", "resnet50": "ResNet50"}[name[6:]]
    return getattr(keras.applications, make)(weights=None)


def saved_model(folder, name):
    import keras
    keras.utils.set_random_seed(0)
    net = keras_net(name)
    net.save("%s/%s.h5" % (folder, name))
    net.export("%s/%s" % (folder, name))


def export(folder, name):
    import torch
    path = "%s/%s.onnx" % (folder, name)
    net = build(name)
    torch.save(net.state_dict(), "%s/%s.torch" % (folder, name))
    torch.onnx.export(net, (torch.randn(2, *SHAPES[name]),), path, dynamo=False, opset_version=17, input_names=["x"],
                      output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})


def quantise(folder, name):
    import numpy as np
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(q.CalibrationDataReader):
        def __init__(self):
            random = np.random.RandomState(1)
            self.left = iter([{"x": random.randn(1, *SHAPES[name]).astype("f")} for _ in range(4)])

        def get_next(self):
            return next(self.left, None)

    ready = "%s/%s.ready.onnx" % (folder, name)
    quant_pre_process("%s/%s.onnx" % (folder, name), ready, skip_symbolic_shape=True)
    q.quantize_static(ready, "%s/%s.int8.onnx" % (folder, name), Pictures(), quant_format=q.QuantFormat.QDQ,
                      per_channel=True, activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8)
    os.remove(ready)


def tflite(folder, name):
    import litert_torch
    import torch
    net = build(name)
    net.load_state_dict(torch.load("%s/%s.torch" % (folder, name)))
    net = litert_torch.to_channel_last_io(net, args=[0])
    for batch in (1, 8):
        c, h, w = SHAPES[name]
        path = "%s/%s.b%d.tflite" % (folder, name, batch)
        litert_torch.convert(net, (torch.randn(batch, h, w, c),)).export(path)


def main():
    words = sys.argv[1:]
    step = {"--int8": quantise, "--tflite": tflite, "--torch": state, "--savedmodel": saved_model}.get(words[0])
    folder, *names = words[1:] if step else words
    os.makedirs(folder, exist_ok=True)
    for name in names or {quantise: INT8, state: TORCH, saved_model: KERAS}.get(step, SHAPES):
        print((step or export).__name__, name, flush=True)
        (step or export)(folder, name)


if __name__ == "__main__":
    main()
