#!/usr/bin/env python3
"""Writes tests/hostile/pickle/: crafted pickles, one behaviour each, and manifest.txt.

A line of the manifest: file, what the reader makes of it, a global it must report ("-": none), why.
  data       read; every call in it is there as data, none was made
  dropped    the same, and the reader tells of a call whose result the stream throws away
  malformed, unsupported, limit, io    refused with that status
Run from the source root with any Python 3; nothing here is ever unpickled."""
import os
import pickle
import struct
import zlib
from pathlib import Path

OUT = Path("tests/hostile/pickle")
rows = []


def add(name, expect, symbol, why, data):
    (OUT / name).write_bytes(data)
    rows.append("\t".join((name, expect, symbol, why)))


# ---- an assembler ----------------------------------------------------------------------------------


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def text(s):
    data = s.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def raw(data):
    return b"B" + struct.pack("<I", len(data)) + data


def integer(n):
    return pickle.dumps(n, 2)[2:-1]


def tup(*items):
    return b"(" + b"".join(items) + b"t"


def call(module, name, *args):
    return glob(module, name) + tup(*args) + b"R"


def stack_global(module, name):
    return text(module) + text(name) + b"\x93"


def p(body, protocol=4):
    return b"\x80" + bytes([protocol]) + body + b"."


CMD = text("touch PWNED")


def estimator(extra):
    """A LogisticRegression whose state has one value more."""
    return (glob("sklearn.linear_model._logistic", "LogisticRegression") + b")\x81}(" + text("C") +
            b"G?\xf0\0\0\0\0\0\0" + text("extra") + extra + b"ub")


# ---- code execution: one way each ------------------------------------------------------------------


def gadgets():
    add("reduce_p0.pkl", "data", "os.system", "GLOBAL and REDUCE, protocol 0",
        b"cos\nsystem\n(S'touch PWNED'\ntR.")
    add("reduce_p4.pkl", "data", "os.system", "STACK_GLOBAL and REDUCE",
        p(stack_global("os", "system") + CMD + b"\x85R"))
    add("inst.pkl", "data", "os.system", "INST", b"(S'touch PWNED'\nios\nsystem\n.")
    add("obj.pkl", "data", "os.system", "OBJ", p(b"(" + glob("os", "system") + CMD + b"o", 1))
    add("newobj.pkl", "data", "subprocess.Popen", "NEWOBJ",
        p(glob("subprocess", "Popen") + tup(CMD) + b"\x81", 2))
    add("newobj_ex.pkl", "data", "_io.FileIO", "NEWOBJ_EX with keywords",
        p(glob("_io", "FileIO") + tup(text("PWNED")) + b"}" + text("mode") + text("w") + b"s\x92"))
    add("newobj_of_call.pkl", "data", "builtins.type", "a class made by a call",
        p(call("builtins", "type", text("X"), b")", b"}") + b")\x81"))
    for name, module, function in (
            ("posix", "posix", "system"), ("nt", "nt", "system"), ("popen", "subprocess", "Popen"),
            ("spawn", "pty", "spawn"), ("eval", "builtins", "eval"), ("exec", "builtins", "exec"),
            ("eval2", "__builtin__", "eval"), ("execfile", "__builtin__", "execfile"),
            ("compile", "builtins", "compile"), ("open", "builtins", "open"),
            ("import", "builtins", "__import__"), ("importlib", "importlib", "import_module"),
            ("codecs_open", "codecs", "open"), ("methodcaller", "operator", "methodcaller"),
            ("attrgetter", "operator", "attrgetter"), ("partial", "functools", "partial"),
            ("numpy_load", "numpy", "load"), ("numpy_loads", "numpy", "loads"),
            ("numpy_fromfile", "numpy", "fromfile"), ("joblib_load", "joblib", "load"),
            ("joblib_dump", "joblib", "dump"), ("pickle_loads", "pickle", "loads"),
            ("cpickle_loads", "cPickle", "loads"), ("marshal", "marshal", "loads"),
            ("pandas", "pandas", "read_pickle"), ("torch_load", "torch", "load"),
            ("timeit", "timeit", "timeit"), ("runpy", "runpy", "run_path"),
            ("rmtree", "shutil", "rmtree"), ("cdll", "ctypes", "CDLL"),
            ("socket", "socket", "create_connection"), ("url", "urllib.request", "urlopen"),
            ("pip", "pip", "main"), ("cloudpickle", "cloudpickle.cloudpickle", "_make_function"),
            ("f2py", "numpy.f2py.crackfortran", "myeval"), ("runstring", "numpy.testing._private.utils",
                                                            "runstring")):
        add("call_%s.pkl" % name, "data", module + "." + function, "a call of %s.%s" % (module, function),
            p(call(module, function, CMD)))
    getattr_os = call("builtins", "getattr", call("builtins", "__import__", text("os")), text("system"))
    add("getattr_chain.pkl", "data", "builtins.getattr", "getattr(__import__('os'), 'system')(...)",
        p(getattr_os + tup(CMD) + b"R"))
    add("dotted_name.pkl", "data", "numpy.os.system", "os reached through another module's name",
        p(stack_global("numpy", "os.system") + tup(CMD) + b"R"))
    add("module_space.pkl", "data", "os .system", "a module name with a space", p(call("os ", "system", CMD)))
    add("module_crlf.pkl", "data", "os\r.system\r", "lines that end in CR LF",
        b"cos\r\nsystem\r\n(S'touch PWNED'\ntR.")
    add("look_alike.pkl", "data", "b\u0443iltins.eval", "a Cyrillic letter in the module's name",
        p(stack_global("b\u0443iltins", "eval") + tup(CMD) + b"R"))
    inner = p(call("os", "system", CMD))
    add("nested_loads.pkl", "data", "pickle.loads", "a pickle in a pickle's bytes",
        p(call("pickle", "loads", raw(inner))))
    add("memo_order.pkl", "data", "os.system", "a function put into the memo, popped, fetched later",
        p(glob("os", "system") + b"q\x050" + b"N0h\x05" + tup(CMD) + b"R"))
    add("dup.pkl", "data", "os.system", "DUP of a function", p(b"(" + glob("os", "system") + b"2" + tup(CMD) +
                                                               b"Rt"))
    evil = call("os", "system", CMD)
    add("in_estimator.pkl", "data", "os.system", "a call in an estimator's state", p(estimator(evil)))
    add("in_dict_items.pkl", "data", "os.system", "a call as the key of an OrderedDict",
        p(call("collections", "OrderedDict") + b"(" + evil + b"Nu"))
    add("in_default_factory.pkl", "data", "os.system", "defaultdict's factory",
        p(call("collections", "defaultdict", glob("os", "system")) + b"(" + text("k") + b"Nu"))
    add("in_object_items.pkl", "data", "os.system", "SETITEMS on an object runs its __setitem__",
        p(glob("sklearn.utils._bunch", "Bunch") + b")\x81(" + text("k") + evil + b"u"))
    add("in_object_list.pkl", "data", "os.system", "APPENDS on an object runs its extend",
        p(glob("collections", "deque") + b")\x81(" + evil + b"e"))
    add("in_slots.pkl", "data", "os.system", "a call in the slots of a state",
        p(glob("m", "C") + b")\x81" + tup(b"N", b"}" + text("s") + evil + b"s") + b"b"))
    add("in_setstate.pkl", "data", "os.system", "a state that is a call", p(glob("m", "C") + b")\x81" + evil + b"b"))
    add("in_kwargs.pkl", "data", "os.system", "a call in keywords",
        p(glob("m", "C") + b")" + b"}" + text("k") + evil + b"s\x92"))
    add("in_set.pkl", "data", "os.system", "a call in a set", p(b"\x8f(" + evil + b"\x90"))
    add("in_persistent.pkl", "data", "os.system", "a call in a persistent id", p(evil + b"Q"))
    add("reconstructor.pkl", "data", "os.system", "copyreg._reconstructor of a function",
        p(call("copyreg", "_reconstructor", glob("os", "system"), glob("builtins", "object"), b"N")))
    add("newobj_function.pkl", "data", "os.system", "copyreg.__newobj__ of a function",
        p(call("copyreg", "__newobj__", glob("os", "system"), CMD)))
    add("ordered_of_call.pkl", "data", "os.system", "OrderedDict of a call",
        p(call("collections", "OrderedDict", evil)))
    add("dtype_of_call.pkl", "data", "os.system", "numpy.dtype of a call",
        p(call("numpy", "dtype", evil, b"\x89", b"\x88")))
    add("encode_codec.pkl", "data", "_codecs.encode", "_codecs.encode with another codec",
        p(call("_codecs", "encode", text("x"), text("os.system"))))
    add("scalar_object.pkl", "data", "os.system", "numpy scalar of object dtype",
        p(call("numpy.core.multiarray", "scalar", dtype("O8"), evil)))
    add("subclass.pkl", "data", "os.system", "an array whose subclass is a function",
        p(call("numpy.core.multiarray", "_reconstruct", glob("os", "system"), tup(integer(0)), raw(b"b")) +
          tup(integer(1), tup(integer(1)), dtype("u1"), b"\x89", raw(b"\7")) + b"b"))
    add("object_array.pkl", "data", "os.system", "a call in an object array",
        p(ndarray(dtype("O8"), [1], b"](" + evil + b"e")))
    add("joblib_object_array.joblib", "data", "os.system", "a call in the pickle inside a joblib array",
        p(wrapper(dtype("O8"), [1], p(ndarray(dtype("O8"), [1], b"](" + evil + b"e"), 5)), 4))
    add("zipped.joblib", "data", "os.system", "a call in a compressed file", zlib.compress(p(evil)))
    add("popped.pkl", "dropped", "os.system", "a call before the value, its result popped",
        p(evil + b"0" + estimator(b"N")))
    add("pop_mark.pkl", "dropped", "os.system", "a call thrown away with POP_MARK", p(b"(" + evil + b"1N"))

    class Setter:
        def __reduce__(self):
            return (dict, (), {"a": 1}, None, None, os.path.join)

    setter = pickle.dumps(Setter(), 4).replace(b"posixpath", b"posixpatx")
    add("state_setter.pkl", "dropped", "posixpatx.join", "a __reduce__ of six: the state setter is called", setter)


def targets():
    evil = call("os", "system", CMD)
    add("build_on_global.pkl", "malformed", "os.environ", "BUILD on a global sets its attributes",
        p(glob("os", "environ") + b"}" + text("a") + evil + b"sb"))
    add("setitem_on_global.pkl", "malformed", "sys.modules", "SETITEM on a global",
        p(glob("sys", "modules") + text("os") + b"Ns"))
    add("append_on_global.pkl", "malformed", "sys.path", "APPEND to a global", p(glob("sys", "path") + CMD + b"a"))
    add("additems_on_list.pkl", "malformed", "-", "ADDITEMS on a list", p(b"](Nb\x90".replace(b"b", b"")))
    add("setitem_on_list.pkl", "malformed", "-", "SETITEM on a list", p(b"]" + integer(0) + b"Ns"))
    add("append_on_dict.pkl", "malformed", "-", "APPEND to a dict", p(b"}Na"))
    add("append_on_array.pkl", "malformed", "-", "APPEND to an array", p(ndarray(dtype("u1"), [1], raw(b"a")) + b"Na"))
    add("build_on_tuple.pkl", "malformed", "-", "BUILD on a tuple", p(b")}b"))
    add("reduce_text.pkl", "malformed", "-", "REDUCE of a text", p(text("os.system") + tup(CMD) + b"R"))
    add("reduce_array.pkl", "malformed", "-", "REDUCE of an array",
        p(ndarray(dtype("u1"), [1], raw(b"a")) + tup(CMD) + b"R"))
    add("reduce_args_list.pkl", "malformed", "os.system", "REDUCE with a list", p(glob("os", "system") + b"]R"))
    add("ext1.pkl", "unsupported", "-", "EXT1", p(b"\x82\x01", 2))
    add("ext2.pkl", "unsupported", "-", "EXT2", p(b"\x83\x01\x01", 2))
    add("ext4.pkl", "unsupported", "-", "EXT4", p(b"\x84\x01\x01\x01\x01", 2))
    add("persid.pkl", "data", "-", "PERSID", b"P../../etc/passwd\n.")
    add("next_buffer.pkl", "malformed", "-", "a buffer kept elsewhere", p(b"\x97", 5))
    add("protocol_6.pkl", "unsupported", "-", "a protocol to come", p(b"N", 6))


# ---- sizes, memory, NumPy --------------------------------------------------------------------------


def dtype(code, state=None, swap="<"):
    end = "|" if code[1:] in ("1", "8") and code[0] in "buO" and code != "u8" else swap
    default = tup(integer(3), text(end), b"N", b"N", b"N", integer(-1), integer(-1), integer(0))
    return call("numpy", "dtype", text(code), b"\x89", b"\x88") + (state or default) + b"b"


def shape_of(shape):
    return tup(*[integer(n) for n in shape])


def ndarray(kind, shape, data, fortran=b"\x89"):
    return (call("numpy.core.multiarray", "_reconstruct", glob("numpy", "ndarray"), tup(integer(0)), raw(b"b")) +
            tup(integer(1), shape_of(shape), kind, fortran, data) + b"b")


def wrapper(kind, shape, data, module="joblib.numpy_pickle", align=None):
    state = (b"}(" + text("subclass") + glob("numpy", "ndarray") + text("shape") + shape_of(shape) + text("order") +
             text("C") + text("dtype") + kind + text("allow_mmap") + b"\x88")
    if align:
        state += text("numpy_array_alignment_bytes") + integer(align)
    return glob(module, "NumpyArrayWrapper") + b")\x81" + state + b"ub" + data


def fields(item_size, offset, inner, names=("a",)):
    return dtype("V%d" % max(item_size, 0),
                 tup(integer(3), text("|"), b"N", tup(*[text(n) for n in names]),
                     b"}" + b"".join(text(n) + tup(inner, integer(offset)) + b"s" for n in names), integer(item_size),
                     integer(1), integer(16)))


def sizes():
    add("empty.pkl", "malformed", "-", "no byte", b"")
    add("only_proto.pkl", "malformed", "-", "nothing after PROTO", b"\x80\x04")
    add("binbytes_4g.pkl", "malformed", "-", "BINBYTES of 4 GiB", p(b"B\xff\xff\xff\xffabc"))
    add("binunicode8.pkl", "malformed", "-", "BINUNICODE8 of 2^63", p(b"\x8d\0\0\0\0\0\0\0\x80abc"))
    add("bytearray8.pkl", "malformed", "-", "BYTEARRAY8 of 2^60", p(b"\x96\0\0\0\0\0\0\0\x10abc", 5))
    add("long4_negative.pkl", "malformed", "-", "LONG4 of -1 bytes", p(b"\x8b\xff\xff\xff\xff"))
    add("binstring_negative.pkl", "malformed", "-", "BINSTRING of -1 bytes", p(b"T\xff\xff\xff\xff"))
    add("long_digits.pkl", "limit", "-", "LONG of 5,000 digits", b"L" + b"9" * 5000 + b"L\n.")
    add("int_text.pkl", "malformed", "-", "INT that is no number", b"Iabc\n.")
    add("float_text.pkl", "malformed", "-", "FLOAT that is no number", b"Fabc\n.")
    add("bad_utf8.pkl", "malformed", "-", "BINUNICODE that isn't UTF-8", p(b"X\x02\0\0\0\xff\xfe"))
    add("bad_escape.pkl", "malformed", "-", "STRING with half an escape", b"S'\\x1'\n.")
    add("memo_huge_put.pkl", "data", "-", "PUT at 2^32-1 takes no memory", p(b"]" + b"r\xff\xff\xff\xff"))
    add("memo_sparse.pkl", "data", "-", "PUTs far apart",
        p(b"N" + b"".join(b"r" + struct.pack("<I", i * 7919 + 5000) for i in range(3000))))
    add("memo_missing.pkl", "malformed", "-", "GET of nothing", p(b"j\xff\xff\xff\xff"))
    add("memo_negative.pkl", "malformed", "-", "PUT at -1", b"Np-1\n.")
    add("stack_empty.pkl", "malformed", "-", "APPEND on nothing", b"a.")
    add("mark_missing.pkl", "malformed", "-", "SETITEMS without MARK", b"}NNu.")
    add("mark_fence.pkl", "malformed", "-", "TUPLE3 across a MARK", b"\x80\x02NN(N\x87.")
    add("dict_odd.pkl", "malformed", "-", "DICT of three", b"(NNNd.")
    add("name_long.pkl", "limit", "-", "a global's name of 2,000 characters", b"c" + b"m" * 2000 + b"\nx\n.")
    add("list_of_itself.pkl", "data", "-", "a list that holds itself", p(b"]q\0h\0a"))
    add("tuples_deep.pkl", "data", "-", "20,000 tuples inside each other", p(b"N" + b"\x85" * 20000))
    add("laughs.pkl", "data", "-", "lists of lists of ... 10^20 elements",
        p(b"]q\0" + b"".join(b"](" + b"h" + bytes([i]) + (b"h" + bytes([i])) * 9 + b"eq" + bytes([i + 1]) for i in range(20))))
    many = p(b"](" + b"K\x01" * 500 + b"eq\0" + glob("builtins", "set") + b"q\x01" + b"h\x01h\0\x85R0" * 500 + b"N")
    add("copies.pkl", "data", "-", "a long list copied into sets again and again", many)


def numpy_sizes():
    add("shape_short.pkl", "malformed", "-", "2^40 doubles, 8 bytes", p(ndarray(dtype("f8"), [2**40], raw(b"x" * 8))))
    add("shape_overflow.pkl", "malformed", "-", "a shape whose product overflows",
        p(ndarray(dtype("f8"), [2**32, 2**32], raw(b""))))
    add("shape_negative.pkl", "malformed", "-", "a negative dimension", p(ndarray(dtype("f8"), [-1], raw(b"x" * 8))))
    add("shape_text.pkl", "malformed", "-", "a text in the shape",
        p(ndarray(dtype("f8"), [], raw(b"")).replace(b"(t", b"(Nt")))
    add("shape_rank.pkl", "limit", "-", "40 dimensions", p(ndarray(dtype("u1"), [1] * 40, raw(b"x"))))
    add("data_long.pkl", "malformed", "-", "more data than the shape", p(ndarray(dtype("f8"), [1], raw(b"x" * 16))))
    add("data_list.pkl", "data", "-", "a list where bytes are due: stays opaque", p(ndarray(dtype("f8"), [1], b"]")))
    add("data_number.pkl", "malformed", "-", "a number where bytes are due", p(ndarray(dtype("f8"), [1], integer(5))))
    add("empty_items.pkl", "malformed", "-", "10^12 items of no bytes", p(ndarray(dtype("V0"), [10**12], raw(b""))))
    add("objects_short.pkl", "malformed", "-", "an object array of 5, 1 item", p(ndarray(dtype("O8"), [5], b"](Ne")))
    add("field_outside.pkl", "malformed", "-", "a field beyond its record", p(fields(8, 4, dtype("f8"))))
    add("field_negative.pkl", "malformed", "-", "a field before its record", p(fields(8, -8, dtype("f8"))))
    add("field_overflow.pkl", "malformed", "-", "a field at 2^63-1", p(fields(8, 2**63 - 1, dtype("u1"))))
    add("fields_missing.pkl", "malformed", "-", "a name without a field",
        p(dtype("V8", tup(integer(3), text("|"), b"N", tup(text("a")), b"N", integer(8), integer(1), integer(0)))))
    add("sub_array_huge.pkl", "malformed", "-", "a sub-array larger than memory",
        p(dtype("V8", tup(integer(3), text("|"), tup(dtype("f8"), shape_of([2**61])), b"N", b"N", integer(8),
                          integer(1), integer(0)))))
    add("item_size_negative.pkl", "malformed", "-", "strings of 2^40 bytes",
        p(dtype("S5", tup(integer(3), text("|"), b"N", b"N", b"N", integer(2**40), integer(1), integer(0)))))
    add("dtype_state.pkl", "malformed", "-", "a dtype's state of two", p(dtype("f8", tup(b"N", b"N"))))
    add("dtype_self.pkl", "malformed", "-", "a dtype that is its own field",
        p(call("numpy", "dtype", text("V8"), b"\x89", b"\x88") + b"q\x07" +
          tup(integer(3), text("|"), b"N", tup(text("a")), b"}" + text("a") + tup(b"h\x07", integer(4)) + b"s",
              integer(8), integer(1), integer(0)) + b"b"))
    add("text_beyond.pkl", "malformed", "-", "a character beyond Unicode",
        p(ndarray(dtype("U1", tup(integer(3), text("<"), b"N", b"N", b"N", integer(4), integer(4), integer(0))), [1],
                  raw(b"\xff\xff\xff\x7f"))))
    add("frombuffer_short.pkl", "malformed", "-", "_frombuffer with too few bytes",
        p(call("numpy.core.numeric", "_frombuffer", raw(b"abc"), dtype("f8"), shape_of([2]), text("C"))))
    add("scalar_short.pkl", "malformed", "-", "a scalar of three bytes",
        p(call("numpy.core.multiarray", "scalar", dtype("f8"), raw(b"abc"))))


def joblib():
    add("joblib_short.joblib", "malformed", "-", "an array that the file ends in",
        p(wrapper(dtype("f8"), [4], b"x" * 10)))
    add("joblib_huge.joblib", "malformed", "-", "an array of 2^50", p(wrapper(dtype("u1"), [2**50], b"x" * 10)))
    add("joblib_padding.joblib", "malformed", "-", "padding beyond the end",
        p(wrapper(dtype("u1"), [1], b"\xff\xff", align=16)))
    add("joblib_no_dtype.joblib", "malformed", "-", "a wrapper without dtype",
        p(glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}" + text("shape") + b")sb"))
    nested = p(ndarray(dtype("O8"), [1], b"](Ne"))
    for _ in range(6):
        nested = p(wrapper(dtype("O8"), [1], nested))
    add("joblib_nested.joblib", "limit", "-", "pickles inside pickles inside pickles", nested)
    for name, path in (("parent", "../secret.npy"), ("absolute", "/etc/passwd"), ("backslash", "..\\x.npy"),
                       ("dots", ".."), ("nul", "a\0.npy")):
        add("side_%s.joblib" % name, "malformed", "-", "a side file elsewhere: " + name,
            p(glob("joblib.numpy_pickle", "NDArrayWrapper") + b")\x81}" + text("filename") + text(path) + b"sb"))
    add("side_missing.joblib", "io", "-", "a side file that isn't there",
        p(glob("joblib.numpy_pickle", "NDArrayWrapper") + b")\x81}" + text("filename") + text("no_such_01.npy") + b"sb"))
    add("not_a_pickle.html", "malformed", "-", "a web page", b"<!DOCTYPE html><html><body>404</body></html>")
    add("git_lfs.pkl", "malformed", "-", "a Git LFS pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n")
    add("zeros.pkl", "malformed", "-", "zeros", bytes(64))


OUT.mkdir(parents=True, exist_ok=True)
for old in OUT.iterdir():
    old.unlink()
gadgets()
targets()
sizes()
numpy_sizes()
joblib()
(OUT / "manifest.txt").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
print(len(rows), "files,", sum(f.stat().st_size for f in OUT.iterdir()), "bytes")
