"""libuncork through ctypes, as much as the conformance and model checks need: open, prepare, run; NumPy
arrays, lists (sequences), dicts (maps), Optional(...) and strings in and out. Types below 8 bits and
the short floats travel as ml_dtypes arrays here and as dense bytes there, low bits first."""
import ctypes as C
import os

import ml_dtypes
import numpy as np

# Numbers of uncork_dtype, which are those of ONNX TensorProto.DataType.
STRING = 8
DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64,
          9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64, 14: np.complex64,
          15: np.complex128, 16: ml_dtypes.bfloat16, 17: ml_dtypes.float8_e4m3fn, 18: ml_dtypes.float8_e4m3fnuz,
          19: ml_dtypes.float8_e5m2, 20: ml_dtypes.float8_e5m2fnuz, 21: ml_dtypes.uint4, 22: ml_dtypes.int4,
          23: ml_dtypes.float4_e2m1fn, 24: ml_dtypes.float8_e8m0fnu, 25: ml_dtypes.uint2, 26: ml_dtypes.int2}
NUMBERS = {np.dtype(t): n for n, t in DTYPES.items()}
PACKED = {21: 4, 22: 4, 23: 4, 25: 2, 26: 2}  # bits of the types below 8
TENSOR, SEQUENCE, MAP, OPTIONAL = 1, 2, 3, 4  # uncork_kind
MAX_RANK = 16


class Optional:
    """An optional value: `item` or, when None, nothing."""

    def __init__(self, item=None):
        self.item = item

    def __repr__(self):
        return f"Optional({self.item!r})"


class Failure(Exception):
    """A call of the library that failed: its status number and what, where, fix in one line."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Error(C.Structure):
    _fields_ = [("size", C.c_size_t), ("status", C.c_int), ("offset", C.c_uint64),
                ("what", C.c_char * 256), ("where", C.c_char * 256), ("fix", C.c_char * 256)]


class Limits(C.Structure):
    _fields_ = [("size", C.c_size_t), ("max_memory_bytes", C.c_uint64), ("max_macs", C.c_uint64),
                ("timeout_ms", C.c_uint64), ("cancel", C.c_void_p)]


class PrepareOptions(C.Structure):
    _fields_ = [("size", C.c_size_t), ("limits", Limits), ("input_dtype", C.c_int), ("raw", C.c_bool),
                ("disable_pass", C.c_char_p)]


P = C.c_void_p
SIGNATURES = {  # name: (result, arguments)
    "uncork_status_text": (C.c_char_p, [C.c_int]),
    "uncork_value_new_strings": (C.c_int, [C.c_int, P, P, P, P]),
    "uncork_value_new": (C.c_int, [C.c_int, C.c_int, P, P]),
    "uncork_value_wrap_items": (C.c_int, [C.c_int, P, C.c_int64, P]),
    "uncork_value_kind": (C.c_int, [P]),
    "uncork_value_item_count": (C.c_int64, [P]),
    "uncork_value_item": (P, [P, C.c_int64]),
    "uncork_value_free": (None, [P]),
    "uncork_value_dtype": (C.c_int, [P]),
    "uncork_value_rank": (C.c_int, [P]),
    "uncork_value_shape": (C.POINTER(C.c_int64), [P]),
    "uncork_value_count": (C.c_int64, [P]),
    "uncork_value_data": (P, [P]),
    "uncork_value_string": (P, [P, C.c_int64, P]),
    "uncork_open": (C.c_int, [C.c_char_p, P, P, P]),
    "uncork_open_memory": (C.c_int, [P, C.c_size_t, C.c_char_p, P, P, P]),
    "uncork_file_close": (None, [P]),
    "uncork_prepare": (C.c_int, [P, C.c_char_p, P, P, P]),
    "uncork_model_free": (None, [P]),
    "uncork_model_input_count": (C.c_int, [P]),
    "uncork_model_input_name": (C.c_char_p, [P, C.c_int]),
    "uncork_model_output_count": (C.c_int, [P]),
    "uncork_model_output_name": (C.c_char_p, [P, C.c_int]),
    "uncork_pool_new": (C.c_int, [C.c_int, P]),
    "uncork_session_new": (C.c_int, [P, P, P]),
    "uncork_session_free": (None, [P]),
    "uncork_session_run": (C.c_int, [P, P, C.c_int, P, P]),
    "uncork_session_output": (P, [P, C.c_int]),
}


def load(path):
    """The library at `path` with its signatures set."""
    lib = C.CDLL(os.path.abspath(path))
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


def pack(array, bits):
    """Dense bytes of a type below 8 bits, low bits first."""
    flat = array.reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    per = 8 // bits
    flat = np.concatenate([flat, np.zeros(-len(flat) % per, np.uint8)]).reshape(-1, per)
    return np.bitwise_or.reduce(flat << (np.arange(per, dtype=np.uint8) * bits), axis=1).astype(np.uint8)


def unpack(data, count, number):
    """The reverse of pack, as an array of the type's ml_dtypes counterpart."""
    bits = PACKED[number]
    per = 8 // bits
    raw = (data[:, None] >> (np.arange(per, dtype=np.uint8) * bits)) & ((1 << bits) - 1)
    raw = raw.reshape(-1)[:count].astype(np.uint8)
    if number in (22, 26):  # signed: the C type is widened by its sign
        return raw.astype(np.int8).astype(np.int16).__sub__(((raw >> (bits - 1)).astype(np.int16)) << bits).astype(np.int8).astype(DTYPES[number])
    return raw.astype(DTYPES[number]) if number != 23 else raw.view(DTYPES[number])


class Model:
    """A model file, or its bytes, ready to run. One thread at a time."""

    def __init__(self, lib, source, disable_pass=None, threads=1):
        self.lib, self.keep = lib, source
        error = Error(size=C.sizeof(Error))
        self.file, self.model, self.session, self.pool = P(), P(), P(), P()
        if isinstance(source, bytes):
            status = lib.uncork_open_memory(source, len(source), b"model.onnx", None, C.byref(self.file), C.byref(error))
        else:
            status = lib.uncork_open(os.fsencode(source), None, C.byref(self.file), C.byref(error))
        self.check(status, error, "open")
        options = PrepareOptions(size=C.sizeof(PrepareOptions))
        options.limits.size = C.sizeof(Limits)
        options.disable_pass = disable_pass.encode() if disable_pass else None
        self.check(lib.uncork_prepare(self.file, None, C.byref(options), C.byref(self.model), C.byref(error)), error, "prepare")
        if threads != 1:
            self.check(lib.uncork_pool_new(threads, C.byref(self.pool)), error, "pool")
        self.check(lib.uncork_session_new(self.model, self.pool, C.byref(self.session)), error, "session")
        self.inputs = [lib.uncork_model_input_name(self.model, i).decode() for i in range(lib.uncork_model_input_count(self.model))]
        self.outputs = [(lib.uncork_model_output_name(self.model, i) or b"").decode() for i in range(lib.uncork_model_output_count(self.model))]

    def check(self, status, error, step):
        if status == 0:
            return
        text = lambda b: b.decode("utf-8", "replace")
        line = text(error.what) or f"{step}: {text(self.lib.uncork_status_text(status))}"
        if error.where:
            line = f"{text(error.where)}: {line}"
        if error.fix:
            line = f"{line} ({text(error.fix)})"
        raise Failure(status, line)

    def value(self, x, keep):
        """A library value of x; everything it borrows is appended to `keep`."""
        v = P()
        if isinstance(x, Optional):
            self.holder(OPTIONAL, [] if x.item is None else [x.item], v, keep)
        elif isinstance(x, (list, tuple)):
            self.holder(SEQUENCE, x, v, keep)
        elif isinstance(x, dict):
            texts = lambda a: np.array(a, object) if isinstance(a[0], str) else np.array(a)
            self.holder(MAP, [texts(list(x)), texts(list(x.values()))], v, keep)
        else:
            self.tensor(np.asarray(x), v)
        keep.append(v)
        return v

    def holder(self, kind, items, v, keep):
        values = (P * max(1, len(items)))(*[self.value(i, keep) for i in items])
        self.check(self.lib.uncork_value_wrap_items(kind, values, len(items), C.byref(v)), Error(), "value")

    def tensor(self, x, v):
        shape = (C.c_int64 * max(1, x.ndim))(*x.shape)
        error = Error()
        if x.dtype.kind in "OUS":
            texts = [t if isinstance(t, bytes) else str(t).encode() for t in x.reshape(-1).tolist()]
            sizes = (C.c_size_t * max(1, len(texts)))(*map(len, texts))
            bytes_ = (C.c_char_p * max(1, len(texts)))(*texts)
            self.check(self.lib.uncork_value_new_strings(x.ndim, shape, bytes_, sizes, C.byref(v)), error, "strings")
            return
        number = NUMBERS[x.dtype]
        data = np.ascontiguousarray(x)
        data = pack(data, PACKED[number]) if number in PACKED else data
        self.check(self.lib.uncork_value_new(number, x.ndim, shape, C.byref(v)), error, "tensor")
        if data.nbytes:
            C.memmove(self.lib.uncork_value_data(v), data.ctypes.data, data.nbytes)

    def array(self, v):
        """A value of the library as NumPy array, list, dict or Optional; copied."""
        lib = self.lib
        kind = lib.uncork_value_kind(v)
        if kind != TENSOR:
            items = [self.array(lib.uncork_value_item(v, i)) for i in range(lib.uncork_value_item_count(v))]
            if kind == SEQUENCE:
                return items
            if kind == MAP:
                return dict(zip(items[0].tolist(), items[1].tolist()))
            return Optional(items[0] if items else None)
        number, rank, count = lib.uncork_value_dtype(v), lib.uncork_value_rank(v), lib.uncork_value_count(v)
        shape = tuple(lib.uncork_value_shape(v)[:rank])
        if number == STRING:
            size, out = C.c_size_t(), np.empty(count, object)
            for i in range(count):
                at = lib.uncork_value_string(v, i, C.byref(size))
                out[i] = C.string_at(at, size.value).decode("utf-8", "surrogateescape")
            return out.reshape(shape)
        dtype = np.dtype(DTYPES[number])
        size = (count * PACKED[number] + 7) // 8 if number in PACKED else count * dtype.itemsize
        raw = np.frombuffer(C.string_at(lib.uncork_value_data(v), size) if size else b"", np.uint8)
        return (unpack(raw, count, number) if number in PACKED else raw.view(dtype)).reshape(shape).copy()

    def run(self, feeds):
        """Outputs in the model's order. `feeds`: name -> array, list, dict, Optional."""
        keep = []
        try:
            given = (P * max(1, len(self.inputs)))(*[self.value(feeds[n], keep) if n in feeds else None for n in self.inputs])
            error = Error(size=C.sizeof(Error))
            status = self.lib.uncork_session_run(self.session, given, len(self.inputs), None, C.byref(error))
            self.check(status, error, "run")
            return [self.array(self.lib.uncork_session_output(self.session, i)) for i in range(len(self.outputs))]
        finally:
            for v in reversed(keep):
                self.lib.uncork_value_free(v)

    def close(self):
        self.lib.uncork_session_free(self.session)
        self.lib.uncork_model_free(self.model)
        self.lib.uncork_file_close(self.file)
