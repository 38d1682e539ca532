#!/usr/bin/env python3
"""Graphs whose control flow goes nowhere: tests/hostile/tensorflow/control_*.pb

    gen_tensorflow_control.py FOLDER        TensorFlow 2.21 (its protos alone)
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from tensorflow.core.framework import graph_pb2, types_pb2 as t

out = sys.argv[1]
FLOAT, INT, BOOL, VARIANT = t.DT_FLOAT, t.DT_INT32, t.DT_BOOL, t.DT_VARIANT


class Graph:
    def __init__(self):
        self.g = graph_pb2.GraphDef()
        self.g.versions.producer = 1800
        self.at = self.g.node

    def node(self, name, op, inputs=(), **attrs):
        n = self.at.add(name=name, op=op, input=list(inputs))
        for key, value in attrs.items():
            a = n.attr[key]
            if isinstance(value, bool):
                a.b = value
            elif isinstance(value, tuple):  # a function
                a.func.name = value[0]
            elif isinstance(value, list):
                a.list.type.extend(value)
            elif isinstance(value, str):
                a.s = value.encode()
            elif key in ("T", "dtype", "element_dtype", "shape_type", "Tcond", "SrcT", "DstT"):
                a.type = value
            else:
                a.i = value
        return name

    def const(self, name, value, dtype=INT):
        self.node(name, "Const", dtype=dtype)
        v = self.at[-1].attr["value"].tensor
        v.dtype = dtype
        {INT: v.int_val, BOOL: v.bool_val, FLOAT: v.float_val}[dtype].append(value)
        return name

    def x(self):
        self.node("x", "Placeholder", dtype=FLOAT)
        self.at[-1].attr["shape"].shape.dim.add().size = 2
        return "x"

    def function(self, name, args, rets, fill):
        f = self.g.library.function.add()
        f.signature.name = name
        for key, dtype in args:
            f.signature.input_arg.add(name=key, type=dtype)
        for key, dtype, source in rets:
            f.signature.output_arg.add(name=key, type=dtype)
            f.ret[key] = source
        self.at = f.node_def
        fill(self)
        self.at = self.g.node

    def save(self, name):
        open(os.path.join(out, f"control_{name}.pb"), "wb").write(self.g.SerializeToString())


def while_graph(name, body, args=(("i", INT), ("y", FLOAT)), condition=None):
    g = Graph()
    g.x()
    g.const("zero", 0)
    g.function("cond", args, [("r", BOOL, "c:output:0")], condition or (lambda g: g.const("c", True, BOOL)))
    body(g)
    g.node("w", "StatelessWhile", ["zero", "x"], T=[INT, FLOAT], cond=("cond",), body=("body",))
    g.node("answer", "Identity", ["w:1"], T=FLOAT)
    g.save(name)


def step(g):
    g.const("one", 1)
    g.node("next", "AddV2", ["i", "one:output:0"], T=INT)
    g.node("z", "Neg", ["y"], T=FLOAT)


while_graph("endless", lambda g: g.function("body", (("i", INT), ("y", FLOAT)),
                                            [("a", INT, "next:z:0"), ("b", FLOAT, "z:y:0")], step))
while_graph("recursion", lambda g: g.function(
    "body", (("i", INT), ("y", FLOAT)), [("a", INT, "w:output:0"), ("b", FLOAT, "w:output:1")],
    lambda g: g.node("w", "StatelessWhile", ["i", "y"], T=[INT, FLOAT], cond=("cond",), body=("body",))))
while_graph("short_body", lambda g: g.function("body", (("i", INT),), [("a", INT, "i")], lambda g: None))
while_graph("no_body", lambda g: None)
while_graph("other_types", lambda g: g.function("body", (("i", INT), ("y", FLOAT)),
                                                [("a", INT, "y"), ("b", FLOAT, "i")], lambda g: None))

g = Graph()
g.x()
g.node("answer", "PartitionedCall", ["x"], Tin=[FLOAT], Tout=[FLOAT], f=("f",))
g.function("f", (("a", FLOAT),), [("r", FLOAT, "c:output:0")],
           lambda g: g.node("c", "PartitionedCall", ["a"], Tin=[FLOAT], Tout=[FLOAT], f=("f",)))
g.save("calls_itself")

for kind in ("If", "Case"):
    g = Graph()
    g.x()
    g.node("p", "Placeholder", dtype=BOOL if kind == "If" else INT)
    functions = dict(then_branch=("f",), else_branch=("f",)) if kind == "If" else {}
    def fill(g, kind=kind, functions=functions):
        g.node("c", kind, ["p", "a"], Tin=[FLOAT], Tout=[FLOAT], **functions)
        if kind == "Case":
            for _ in range(3):
                g.at[-1].attr["branches"].list.func.add(name="f")
    g.node("answer", kind, ["p", "x"], Tin=[FLOAT], Tout=[FLOAT], **functions)
    if kind == "Case":
        for _ in range(3):
            g.at[-1].attr["branches"].list.func.add(name="f")
    g.function("f", (("a", FLOAT),), [("r", FLOAT, "c:output:0")],
               lambda g: (g.const("p", 1, INT) if kind == "Case" else g.const("p", True, BOOL),
                          g.node("c", kind, ["p:output:0", "a"], Tin=[FLOAT], Tout=[FLOAT], **functions),
                          [g.at[-1].attr["branches"].list.func.add(name="f") for _ in range(3 * (kind == "Case"))]))
    g.save("recursive_" + kind.lower())


def frames(name, fill, last="answer"):
    g = Graph()
    g.x()
    g.node("p", "Placeholder", dtype=BOOL)
    fill(g)
    g.save(name)


frames("merge_of_itself", lambda g: g.node("answer", "Merge", ["answer", "answer"], T=FLOAT, N=2))
frames("merge_without_switch", lambda g: g.node("answer", "Merge", ["x", "x"], T=FLOAT, N=2))
frames("condition_of_itself", lambda g: (
    g.node("s", "Switch", ["x", "m"], T=FLOAT), g.node("m", "Merge", ["s", "s:1"], T=BOOL, N=2),
    g.node("answer", "Identity", ["m"], T=FLOAT)))
frames("exit_without_loop", lambda g: g.node("answer", "Exit", ["x"], T=FLOAT))
frames("loop_without_enter", lambda g: (
    g.node("m", "Merge", ["x", "n"], T=FLOAT, N=2), g.node("c", "LoopCond", ["p"]),
    g.node("s", "Switch", ["m", "c"], T=FLOAT), g.node("n", "NextIteration", ["s:1"], T=FLOAT),
    g.node("e", "Exit", ["s"], T=FLOAT), g.node("answer", "Identity", ["e"], T=FLOAT)))


def ring(g, k, source, condition):
    g.node(f"e{k}", "Enter", [source], T=FLOAT, frame_name=f"f{k}")
    g.node(f"m{k}", "Merge", [f"e{k}", f"n{k}"], T=FLOAT, N=2)
    g.node(f"c{k}", "LoopCond", [condition])
    g.node(f"s{k}", "Switch", [f"m{k}", f"c{k}"], T=FLOAT)
    return f"s{k}:1"


def endless(g):
    g.const("yes", True, BOOL)
    y = ring(g, 0, "x", "yes")
    g.node("neg", "Neg", [y], T=FLOAT)
    g.node("n0", "NextIteration", ["neg"], T=FLOAT)
    g.node("q", "Exit", ["s0"], T=FLOAT)
    g.node("answer", "Identity", ["q"], T=FLOAT)


frames("endless_frame", endless)


def nested(depth):
    def fill(g):
        g.const("yes", True, BOOL)
        y = "x"
        for k in range(depth):
            y = ring(g, k, y, "yes")
        for k in reversed(range(depth)):
            g.node(f"n{k}", "NextIteration", [y], T=FLOAT)
            g.node(f"q{k}", "Exit", [f"s{k}"], T=FLOAT)
            y = f"q{k}"
        g.node("answer", "Identity", [y], T=FLOAT)
    return fill


frames("frames_200_deep", nested(200))


def conditions(count, within):
    def fill(g):
        y = "x"
        if within:
            ends = []
            for k in range(count):
                g.node(f"s{k}", "Switch", [y, "p"], T=FLOAT)
                g.node(f"p{k}", "Identity", ["p"], T=BOOL)
                g.node(f"t{k}", "Switch", [y, f"p{k}"], T=FLOAT)
                ends.append(f"t{k}")
                y = f"t{k}:1"
            for k in reversed(range(count)):
                y = g.node(f"m{k}", "Merge", [ends[k], y], T=FLOAT, N=2)
        else:
            for k in range(count):
                g.node(f"s{k}", "Switch", [y, "p"], T=FLOAT)
                g.node(f"a{k}", "Neg", [f"s{k}"], T=FLOAT)
                g.node(f"b{k}", "Exp", [f"s{k}:1"], T=FLOAT)
                y = g.node(f"m{k}", "Merge", [f"a{k}", f"b{k}"], T=FLOAT, N=2)
        g.node("answer", "Identity", [y], T=FLOAT)
    return fill


frames("conditions_within", conditions(200, True))
frames("conditions_behind", conditions(400, False))


def lists(g):
    g.const("size", 2000000000)
    g.const("shape", -1)
    g.const("at", 5)
    g.node("l", "TensorListReserve", ["shape", "size"], element_dtype=FLOAT, shape_type=INT)
    g.node("l2", "TensorListSetItem", ["l", "at", "x"], element_dtype=FLOAT)
    g.node("answer", "TensorListStack", ["l2", "shape"], element_dtype=FLOAT)


frames("huge_list", lists)
frames("list_of_no_handle", lambda g: (g.const("at", 0), g.const("shape", -1), g.node(
    "answer", "TensorListGetItem", ["x", "at", "shape"], element_dtype=FLOAT)))
frames("handle_as_number", lambda g: (g.const("n", 3), g.const("shape", -1), g.node(
    "l", "TensorListReserve", ["shape", "n"], element_dtype=FLOAT, shape_type=INT),
    g.node("answer", "Neg", ["l"], T=FLOAT)))
