#!/usr/bin/env python3
"""Small ONNX models that lie: tests/hostile/onnx. Run: tests/hostile/gen_onnx.py (needs onnx, numpy)

Files named good_* must be answered, survive_* may be, all others must be refused."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

OUT = pathlib.Path(__file__).resolve().parent / "onnx"
OUT.mkdir(exist_ok=True)
F = T.FLOAT


def value(name, dtype=F, shape=(2,)):
    return h.make_tensor_value_info(name, dtype, shape)


def model(nodes, inputs=("x",), outputs=("y",), initial=(), opset=22, ir=10, functions=(), sparse=(), opsets=None):
    graph = h.make_graph(list(nodes), "g", [value(i) if isinstance(i, str) else i for i in inputs],
                         [value(o) if isinstance(o, str) else o for o in outputs], list(initial),
                         sparse_initializer=list(sparse))
    opsets = opsets if opsets is not None else [("", opset), ("f", 1)]
    m = h.make_model(graph, opset_imports=[h.make_opsetid(d, v) for d, v in opsets], functions=list(functions))
    m.ir_version = ir
    return m


def put(name, m):
    data = m if isinstance(m, bytes) else m.SerializeToString()
    (OUT / f"{name}.onnx").write_bytes(data)


n = h.make_node
add = n("Add", ["x", "w"], ["y"])


def with_tensor(t, nodes=(add,)):
    t.name = t.name or "w"
    return model(nodes, initial=[t])


def raw(dims, data, dtype=F, **fields):
    t = T()
    t.name, t.data_type = "w", dtype
    t.dims.extend(dims)
    t.raw_data = data
    for k, v in fields.items():
        setattr(t, k, v)
    return t


put("good_small", model([n("Relu", ["x"], ["t"]), n("Add", ["t", "w"], ["y"])],
                        initial=[nh.from_array(np.ones(2, np.float32), "w")]))

# ---- graphs -------------------------------------------------------------------------------------
put("cycle", model([n("Add", ["x", "b"], ["a"]), n("Relu", ["a"], ["b"]), n("Neg", ["b"], ["y"])]))
put("cycle_self", model([n("Add", ["x", "y"], ["y"])]))
put("cycle_body", model([n("If", ["y"], ["y"], then_branch=h.make_graph([n("Neg", ["y"], ["q"])], "b", [], [value("q")]),
                           else_branch=h.make_graph([n("Neg", ["x"], ["q"])], "b", [], [value("q")]))]))
put("input_undefined", model([n("Add", ["x", "nothing"], ["y"])]))
put("output_undefined", model([n("Relu", ["x"], ["z"])]))
put("output_unnamed", model([n("Relu", ["x"], ["y"])], outputs=["y", ""]))
put("input_unnamed", model([n("Relu", ["x"], ["y"])], inputs=["x", ""]))
put("inputs_same_name", model([n("Relu", ["x"], ["y"])], inputs=["x", "x"]))
put("outputs_same_name", model([n("Relu", ["x"], ["y"])], outputs=["y", "y"]))
put("two_producers", model([n("Relu", ["x"], ["y"]), n("Neg", ["x"], ["y"])]))
put("producer_of_input", model([n("Relu", ["x"], ["x"]), n("Neg", ["x"], ["y"])]))
put("producer_of_initializer", model([n("Relu", ["x"], ["w"]), n("Neg", ["w"], ["y"])],
                                     initial=[nh.from_array(np.ones(2, np.float32), "w")]))
one = nh.from_array(np.ones(2, np.float32), "w")
put("initializers_same_name", model([add], initial=[one, one]))
put("initializer_unnamed", model([n("Relu", ["x"], ["y"])], initial=[nh.from_array(np.ones(2, np.float32), "")]))
put("no_nodes_no_outputs", model([], outputs=[]))
put("required_input_left_out", model([n("Add", ["x", ""], ["y"])]))
put("too_many_inputs", model([n("Relu", ["x", "x"], ["y"])]))
put("too_many_outputs", model([n("Relu", ["x"], ["y", "z"])]))
put("no_inputs_given", model([n("Add", [], ["y"])]))
put("operator_unknown", model([n("NoSuchThing", ["x"], ["y"])]))
put("operator_empty", model([n("", ["x"], ["y"])]))
put("operators_unknown", model([n(f"Odd{i}", ["x"], [f"y{i}"]) for i in range(5)], outputs=["y1"]))
put("operator_dotted", model([n("uncork.Link", ["x"], ["y"])]))
put("domain_internal", model([n("Link", ["x"], ["y"], domain="uncork")]))
put("domain_unknown", model([n("Relu", ["x"], ["y"], domain="nobody")]))
put("no_opset", model([n("Relu", ["x"], ["y"])], opsets=[]))
put("opset_zero", model([n("Relu", ["x"], ["y"])], opset=0))
put("opset_negative", model([n("Relu", ["x"], ["y"])], opset=-3))
put("opset_newer", model([n("Relu", ["x"], ["y"])], opset=29))
put("opset_ml_newer", model([n("Relu", ["x"], ["y"])], opsets=[("", 22), ("ai.onnx.ml", 6)]))
put("ir_newer", model([n("Relu", ["x"], ["y"])], ir=15))
put("ir_older", model([n("Relu", ["x"], ["y"])], ir=2))
put("ir_negative", model([n("Relu", ["x"], ["y"])], ir=-1))
put("no_graph", h.make_model(h.make_graph([], "g", [], [])).SerializeToString()[:2] + b"\x42\x02\x10\x16")
put("types_clash", model([n("Add", ["x", "i"], ["y"])], inputs=["x", value("i", T.INT64)]))
put("ranks_clash", model([n("MatMul", ["x", "w"], ["y"])], initial=[nh.from_array(np.ones((3, 4, 5), np.float32), "w")]))
put("input_type_unknown", model([n("Relu", ["x"], ["y"])], inputs=[value("x", 99)]))
put("input_rank_17", model([n("Relu", ["x"], ["y"])], inputs=[value("x", F, [1] * 17)]))
m = model([n("Relu", ["x"], ["y"])])
m.graph.input[0].type.Clear()
m.graph.input[0].type.sparse_tensor_type.elem_type = F
put("input_sparse", m)

# ---- tensors ------------------------------------------------------------------------------------
put("raw_short", with_tensor(raw([2], bytes(7))))
put("raw_long", with_tensor(raw([2], bytes(12))))
put("dims_negative", with_tensor(raw([-2], bytes(8))))
put("dims_overflow", with_tensor(raw([2**32, 2**32], bytes(8))))
put("dims_overflow_to_zero", with_tensor(raw([2**62, 4], b"")))
put("dims_huge_empty", with_tensor(raw([2**40, 0], b"")))
put("dims_17", with_tensor(raw([1] * 17, bytes(4))))
put("type_unknown", with_tensor(raw([2], bytes(8), 27)))
put("type_zero", with_tensor(raw([2], bytes(8), 0)))
put("type_negative", with_tensor(raw([2], bytes(8), -1)))
put("strings_raw", with_tensor(raw([2], bytes(8), T.STRING)))
t = raw([2], bytes(8))
t.float_data.extend([1, 2])
put("raw_and_typed", with_tensor(t))
t = T(name="w", data_type=F, dims=[3])
t.float_data.extend([1, 2])
put("typed_short", with_tensor(t))
t = T(name="w", data_type=F, dims=[1 << 28])
t.float_data.extend([1, 2])
put("typed_much_too_short", with_tensor(t))
t = T(name="w", data_type=F, dims=[2])
t.int64_data.extend([1, 2])
put("typed_other_field", with_tensor(t))
t = T(name="w", data_type=T.INT4, dims=[5])
t.int32_data.extend([1, 2])
put("packed_short", with_tensor(t, [n("Cast", ["w"], ["c"], to=F), n("Add", ["x", "c"], ["y"])]))
t = raw([2], bytes(8))
t.segment.begin, t.segment.end = 0, 1
put("segment", with_tensor(t))


def sparse(values, indices, dims, ishape=None):
    s = onnx.SparseTensorProto()
    s.values.CopyFrom(nh.from_array(np.array(values, np.float32), "w"))
    i = np.array(indices, np.int64)
    s.indices.CopyFrom(nh.from_array(i.reshape(ishape) if ishape else i, "i"))
    s.dims.extend(dims)
    return model([add], sparse=[s])


put("good_sparse", sparse([1], [1], [2]))
put("sparse_index_beyond", sparse([1], [2], [2]))
put("sparse_index_negative", sparse([1], [-1], [2]))
put("sparse_index_count", sparse([1, 2], [0], [2]))
put("sparse_coordinates", sparse([1], [0, 5], [2, 2], (1, 2)))
put("sparse_rank", sparse([1], [0, 1, 1], [2, 2], (1, 3)))
put("sparse_huge", sparse([1], [1], [2**31, 2]))
put("sparse_overflow", sparse([1], [1], [2**40, 2**40]))
put("sparse_negative", sparse([1], [1], [-2]))
put("sparse_no_dims", sparse([1], [0], []))

# ---- external data ------------------------------------------------------------------------------


def external(**entries):
    t = T(name="w", data_type=F, dims=[2], data_location=T.EXTERNAL)
    for k, v in entries.items():
        e = t.external_data.add()
        e.key, e.value = k, v
    return with_tensor(t)


(OUT / "good_data.bin").write_bytes(np.ones(2, np.float32).tobytes())
put("good_external", external(location="good_data.bin"))
put("external_absent", external(location="not_there.bin"))
put("external_no_location", external(offset="0"))
put("external_up", external(location="../gen_onnx.py"))
put("external_up_inside", external(location="sub/../good_data.bin"))
put("good_external_dot", external(location="./good_data.bin"))
put("external_absolute", external(location="/etc/passwd"))
put("external_backslash", external(location="..\\x"))
put("external_drive", external(location="C:x"))
put("external_zero_byte", external(location="good_data.bin\0x"))
put("external_folder", external(location="."))
put("external_offset_beyond", external(location="good_data.bin", offset="9"))
put("external_length_beyond", external(location="good_data.bin", offset="4", length="8"))
put("external_length_huge", external(location="good_data.bin", length="18446744073709551615"))
put("external_offset_negative", external(location="good_data.bin", offset="-4"))
put("external_offset_text", external(location="good_data.bin", offset="x"))
put("external_length_short", external(location="good_data.bin", length="4"))
m = external(location="good_data.bin")
m.graph.initializer[0].raw_data = bytes(8)
put("external_and_raw", m)

# ---- attributes, Constant -----------------------------------------------------------------------
put("constant_without_value", model([n("Constant", [], ["w"]), add]))
put("constant_two_values", model([n("Constant", [], ["w"], value_float=1.0, value_int=2), add]))
put("constant_no_output", model([n("Constant", [], [], value_float=1.0), n("Relu", ["x"], ["y"])]))
c = n("Constant", [], ["w"])
a = c.attribute.add()
a.name, a.type = "value", onnx.AttributeProto.TENSOR
put("constant_type_without_value", model([c, add]))
c = n("Softmax", ["x"], ["y"], axis=0)
c.attribute.append(h.make_attribute("axis", 0))
put("attribute_twice", model([c]))
c = n("Softmax", ["x"], ["y"])
c.attribute.append(h.make_attribute("axis", [nh.from_array(np.zeros(1))]))
put("attribute_tensors", model([c]))
put("reference_outside_function", model([n("Softmax", ["x"], ["z"]), c, ]))
put("axis_beyond", model([n("Softmax", ["x"], ["y"], axis=5)]))

# ---- functions ----------------------------------------------------------------------------------


def function(name, nodes, inputs=("x",), outputs=("y",), **kw):
    return h.make_function("f", name, list(inputs), list(outputs), nodes,
                           [h.make_opsetid("", 22), h.make_opsetid("f", 1)], **kw)


def call(name, ins, outs, **kw):
    return n(name, ins, outs, domain="f", **kw)


put("function_itself", model([call("A", ["x"], ["y"])], functions=[function("A", [call("A", ["x"], ["y"])])]))
put("functions_each_other", model([call("A", ["x"], ["y"])],
                                  functions=[function("A", [call("B", ["x"], ["y"])]),
                                             function("B", [call("A", ["x"], ["y"])])]))
bomb = [function("F0", [n("Neg", ["x"], ["y"])])]
for k in range(1, 60):
    bomb.append(function(f"F{k}", [call(f"F{k-1}", ["x"], ["t"]), call(f"F{k-1}", ["t"], ["y"])]))
put("function_bomb", model([call("F59", ["x"], ["y"])], functions=bomb))
put("good_function_chain", model([call("F5", ["x"], ["y"])], functions=bomb[:6]))
deep = [function("F0", [n("Neg", ["x"], ["y"])])]
for k in range(1, 80):
    deep.append(function(f"F{k}", [call(f"F{k-1}", ["x"], ["y"])]))
put("function_deep", model([call("F79", ["x"], ["y"])], functions=deep))
branch = h.make_graph([call("A", ["x"], ["q"])], "b", [], [value("q")])
put("function_itself_in_body", model([call("A", ["x"], ["y"])], functions=[
    function("A", [n("If", ["x"], ["y"], then_branch=branch, else_branch=branch)])]))
put("function_too_many_inputs", model([call("A", ["x", "x"], ["y"])], functions=[function("A", [n("Neg", ["x"], ["y"])])]))
put("function_too_many_outputs", model([call("A", ["x"], ["y", "z"])], functions=[function("A", [n("Neg", ["x"], ["y"])])]))
put("function_input_left_out", model([call("A", [], ["y"])], functions=[function("A", [n("Neg", ["x"], ["y"])])]))
put("function_undefined", model([call("A", ["x"], ["y"])], functions=[function("A", [n("Neg", ["outer"], ["y"])])]))
put("function_no_output", model([call("A", ["x"], ["y"])], functions=[function("A", [n("Neg", ["x"], ["z"])])]))
put("function_cycle", model([call("A", ["x"], ["y"])], functions=[
    function("A", [n("Add", ["x", "y"], ["z"]), n("Neg", ["z"], ["y"])])]))
put("function_opset_newer", model([call("A", ["x"], ["y"])], functions=[
    h.make_function("f", "A", ["x"], ["y"], [n("Neg", ["x"], ["y"])], [h.make_opsetid("", 29)])]))

# ---- nesting ------------------------------------------------------------------------------------


def nested(levels):
    """Ifs inside each other, one in each branch on the way down."""
    graph = h.make_graph([n("Neg", ["x"], ["q"])], "b", [], [h.make_empty_tensor_value_info("q")])
    for _ in range(levels):
        graph = h.make_graph([n("If", ["c"], ["q"], then_branch=graph,
                                else_branch=h.make_graph([n("Abs", ["x"], ["q"])], "e", [],
                                                         [h.make_empty_tensor_value_info("q")]))],
                             "b", [], [h.make_empty_tensor_value_info("q")])
    return model([n("If", ["c"], ["y"], then_branch=graph, else_branch=graph)] if levels < 4 else
                 [n("If", ["c"], ["y"], then_branch=graph,
                    else_branch=h.make_graph([n("Abs", ["x"], ["q"])], "e", [], [h.make_empty_tensor_value_info("q")]))],
                 inputs=["x", value("c", T.BOOL, [])])


put("good_if_29", nested(29))
(OUT / "if_40.onnx").write_bytes(b"")  # python's protobuf can't write that deep: made by hand below


def field(number, data):
    out, n_ = bytearray(), number << 3 | 2
    for v in (n_, len(data)):
        while v > 127:
            out.append(v & 127 | 128)
            v >>= 7
        out.append(v)
    return bytes(out) + data


graph = field(1, field(1, b"x") + field(2, b"q") + field(4, b"Neg"))
for _ in range(40):
    graph = field(1, field(1, b"c") + field(2, b"q") + field(4, b"If") + field(5, field(1, b"then_branch") + field(6, graph)))
put("if_40", b"\x08\x0a" + field(7, graph) + field(8, b"\x10\x16"))
deep = b""
for _ in range(200):
    deep = field(4, field(1, deep))  # a sequence of a sequence of ...
put("type_deep", b"\x08\x0a" + field(7, field(11, field(1, b"x") + field(2, deep))) + field(8, b"\x10\x16"))
put("groups_deep", b"\x08\x0a" + field(7, b"\x0a\x00") + b"\x5b" * 5000 + b"\x5c" * 5000)
put("group_unclosed", b"\x08\x0a" + field(7, b"\x0a\x00") + b"\x5b")
put("group_end_alone", b"\x08\x0a" + field(7, b"\x0a\x00") + b"\x5c")
put("varint_long", b"\x08\x0a" + field(7, b"\x0a\x00") + b"\x28" + b"\xff" * 11 + b"\x01")
put("field_zero", b"\x08\x0a" + field(7, b"\x0a\x00") + b"\x00\x00")
put("wire_wrong", b"\x08\x0a" + field(7, b"\x0a\x00") + field(1, b"xx"))
put("length_beyond", b"\x08\x0a" + field(8, b"\x10\x16") + b"\x3a\xff\xff\xff\xff\x0f")
put("length_2_64", b"\x08\x0a" + field(8, b"\x10\x16") + b"\x3a" + b"\xff" * 9 + b"\x01")
put("nodes_empty", b"\x08\x0a" + field(8, b"\x10\x16") + field(7, b"\x0a\x00" * 5000))
