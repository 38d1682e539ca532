"""One runtime with one network in one process. Writes its first outputs to a file, prints a line of JSON, then
answers each line "SECONDS" on standard input with the latencies in milliseconds it measured in that time.

    worker.py RUNTIME MODEL_STEM KIND BATCH THREADS OUT.npy     RUNTIME: uncork, ort, openvino, litert, eager, compiled,
                                                                         frozen, tensorflow
                                                                KIND: float32, fast, int8
UNCORK_LIBRARY names the shared library, UNCORK_ENDING what uncork opens: MODEL_STEM.onnx unless it says otherwise.
PyTorch's runtimes (eager, torch.compile, TorchScript traced and frozen) build the network and load MODEL_STEM.torch;
TensorFlow calls the SavedModel in MODEL_STEM, whose pictures are channels last.
"""
import ctypes, json, os, sys, time

runtime, stem, kind, batch, threads, out = sys.argv[1:7]
batch, threads = int(batch), int(threads)
os.environ["OMP_NUM_THREADS"] = str(threads)
import numpy as np
from nets import EVERY

x = np.random.RandomState(7).randn(batch, *EVERY[os.path.basename(stem)]).astype("f")
onnx = stem + (".int8.onnx" if kind == "int8" else ".onnx")
ours = stem + os.environ["UNCORK_ENDING"] if "UNCORK_ENDING" in os.environ else onnx


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("status", ctypes.c_int), ("offset", ctypes.c_uint64),
                ("what", ctypes.c_char * 256), ("where", ctypes.c_char * 256), ("fix", ctypes.c_char * 256)]


class Limits(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("memory", ctypes.c_uint64), ("macs", ctypes.c_uint64),
                ("timeout", ctypes.c_uint64), ("cancel", ctypes.c_void_p)]


class PrepareOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("limits", Limits), ("input_dtype", ctypes.c_int), ("raw", ctypes.c_bool),
                ("disable_pass", ctypes.c_char_p), ("precision", ctypes.c_int)]


def uncork():
    lib = ctypes.CDLL(os.environ["UNCORK_LIBRARY"])
    error = Error(size=ctypes.sizeof(Error))

    def check(status):
        if status:
            sys.exit("%s: %s" % (error.where.decode(), error.what.decode()))

    file, model, pool, session, value = (ctypes.c_void_p() for _ in range(5))
    p, ref = ctypes.c_void_p, ctypes.byref
    for name in ("uncork_session_output", "uncork_value_data", "uncork_value_shape"):
        getattr(lib, name).restype = p
        getattr(lib, name).argtypes = [p, ctypes.c_int][:2 if "output" in name else 1]
    check(lib.uncork_open(ours.encode(), None, ref(file), ref(error)))
    options = PrepareOptions(size=ctypes.sizeof(PrepareOptions), precision=1 if kind == "fast" else 0)
    options.limits.size = ctypes.sizeof(Limits)
    check(lib.uncork_prepare(file, None, ref(options), ref(model), ref(error)))
    if threads > 1:
        check(lib.uncork_pool_new(threads, ref(pool)))
    check(lib.uncork_session_new(model, pool, ref(session)))
    shape = (ctypes.c_int64 * x.ndim)(*x.shape)
    check(lib.uncork_value_wrap(1, x.ndim, shape, x.ctypes.data_as(p), ref(value)))
    inputs, run, shared = (p * 1)(value), lib.uncork_session_run, ref(error)
    run.argtypes = [p, p, ctypes.c_int, p, p]

    def once():
        if run(session, inputs, 1, None, shared):
            check(1)

    def outputs():
        y = lib.uncork_session_output(session, 0)
        rank = lib.uncork_value_rank(p(y))
        shape = (ctypes.c_int64 * rank).from_address(lib.uncork_value_shape(y))[:]
        data = (ctypes.c_float * int(np.prod(shape))).from_address(lib.uncork_value_data(y))
        return np.ctypeslib.as_array(data).reshape(shape)
    return once, outputs


def ort():
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    feed = {"x": x}
    return (lambda: session.run(None, feed)), (lambda: session.run(None, feed)[0])


def openvino():
    import openvino as ov
    core = ov.Core()
    model = core.read_model(onnx)
    model.reshape({"x": list(x.shape)})
    config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    if kind != "fast":  # by default it computes in bfloat16 where the machine can
        config["INFERENCE_PRECISION_HINT"] = "f32"
    request = core.compile_model(model, "CPU", config).create_infer_request()
    request.set_input_tensor(ov.Tensor(x))
    return request.infer, lambda: np.array(request.get_output_tensor(0).data)


def litert():
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter("%s.b%d.tflite" % (stem, batch), num_threads=threads)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))

    def once():
        interpreter.set_tensor(entry, last)
        interpreter.invoke()
        return interpreter.get_tensor(result)
    return once, lambda: np.array(once())


def torch_net(make):
    import torch
    from nets import empty
    torch.set_num_threads(threads)
    net = empty(os.path.basename(stem))
    net.load_state_dict(torch.load(stem + ".torch"))
    entry = torch.from_numpy(x)
    with torch.inference_mode():
        net = make(torch, net.eval(), entry)

    def once():
        with torch.inference_mode():
            return net(entry)
    for _ in range(3):  # compilers and profiling executors settle
        once()
    return once, lambda: once().numpy()


def eager():
    return torch_net(lambda torch, net, entry: net)


def compiled():
    return torch_net(lambda torch, net, entry: torch.compile(net))


def frozen():
    return torch_net(lambda torch, net, entry: torch.jit.freeze(torch.jit.trace(net, entry)))


def tensorflow():
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = tf.saved_model.load(stem)
    call, entry = model.signatures["serving_default"], tf.constant(x)
    (name,) = call.structured_input_signature[1]
    return (lambda: call(**{name: entry})), lambda: next(iter(call(**{name: entry}).values())).numpy()


def main():
    begin = time.perf_counter()
    once, outputs = globals()[runtime]()
    loaded = time.perf_counter()
    once()
    first = time.perf_counter()
    np.save(out, outputs())
    print(json.dumps({"load_ms": (loaded - begin) * 1e3, "first_ms": (first - loaded) * 1e3}), flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while not times or time.perf_counter() < end:
            begin = time.perf_counter()
            once()
            times.append((time.perf_counter() - begin) * 1e3)
        print(json.dumps(times), flush=True)


main()
