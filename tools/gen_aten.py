#!/usr/bin/env python3
"""Writes src/import/pytorch/aten_schema.def and aten_emit.def: for every operator of aten_table.def the overloads that torch
itself registers, in torch's order, without those that write into `out` or take names of axes.

    python3 tools/gen_aten.py          (with torch and torchvision installed)
"""
import pathlib
import re
import sys

import torch
import torchvision  # noqa: F401  registers its operators

ROOT = pathlib.Path(__file__).resolve().parent.parent / "src/import/pytorch"
# What Python's own functions take beyond the registered operators.
EXTRA = {
    "as_tensor": ["t[] data, *, ScalarType? dtype=None, Device? device=None", "Tensor data, *, ScalarType? dtype=None, Device? device=None",
                  "Scalar data, *, ScalarType? dtype=None, Device? device=None"],
    "tensor": ["Tensor data, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False",
               "Scalar data, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False"],
    "rms_norm": [], "tolist": ["Tensor self"], "fill": [], "unfold": [],
    "to": ["Tensor self, Device device", "Tensor self"],
    "copy": ["Tensor self, Tensor src, bool non_blocking=False"],
    "new_full": [], "cpu": ["Tensor self"], "cuda": ["Tensor self, Device? device=None", "Tensor self"], "float": ["Tensor self"],
    "double": ["Tensor self"], "half": ["Tensor self"], "bfloat16": ["Tensor self"], "long": ["Tensor self"],
    "int": ["Tensor self"], "short": ["Tensor self"], "char": ["Tensor self"], "byte": ["Tensor self"],
    "bool": ["Tensor self"], "Int": ["Tensor a"], "Float": ["Tensor a"], "Bool": ["Tensor a"],
    "repeat_interleave": ["Tensor self, int repeats, int? dim=None, *, int? output_size=None"],
    "tensordot": ["Tensor self, Tensor other, int[] dims_self, int[] dims_other"],
    "einsum": ["str equation, Tensor[] tensors"], "conj": ["Tensor self"], "real": ["Tensor self"],
    "normal": [], "pin_memory": ["Tensor self"], "positive": ["Tensor self"],
    "flatten": [], "size": [], "dim": ["Tensor self"], "numel": ["Tensor self"], "item": ["Tensor self"],
    "is_floating_point": ["Tensor self"], "is_complex": ["Tensor self"], "is_signed": ["Tensor self"],
    "is_contiguous": ["Tensor self"], "numpy_T": ["Tensor self"], "mT": ["Tensor self"], "mH": ["Tensor self"],
    "ScalarImplicit": ["Tensor a"], "_index_put_impl": ["Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False, bool unsafe=False"],
    "_softmax": ["Tensor self, int dim, bool half_to_float"], "prim::data": ["Tensor self"], "prim::NumToTensor": ["Scalar a", "bool a"],
    "special_log_sigmoid": ["Tensor self"],
}


def names():
    text = (ROOT / "aten_table.def").read_text()
    found = [("aten", n) for n in re.findall(r"^ATEN\((\w+),", text, re.M)]
    return found + re.findall(r"^OTHER\((\w+), (\w+),", text, re.M)


def arguments(schema):
    text = str(schema)
    depth, begin = 0, text.index("(")
    for i in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            break
    return re.sub(r"\([a-z!|> *-]+\)", "", text[begin + 1:i])


def wanted(text):
    first = text.split(",")[0]
    if "Dimname" in text or re.search(r"\bout\b", text) or "out0" in text or "hacked" in text:
        return False
    if re.search(r"\*,.*Tensor max", text):
        return False
    return not re.match(r"(str|bool|int|float|complex|t|Any|Scalar)(\[\])? (a|self|el|x|l)\b", first) or "Tensor" in text


def main():
    schemas = {}
    for s in torch._C._jit_get_all_schemas():
        schemas.setdefault(s.name, []).append(s)
    rows, missing = [], []
    for space, name in names():
        key = name if space == "aten" else f"{space}::{name}"
        texts = []
        plain = schemas.get(f"{space}::{name}", []) or schemas.get(f"{space}::{name}_", [])
        for s in plain:
            if "out" in s.overload_name.split("_") or s.overload_name.endswith("hacked_twin"):
                continue
            text = arguments(s)
            if wanted(text) and text not in texts:
                texts.append(text)
        for text in EXTRA.get(key, []):
            if text not in texts:
                texts.append(text)
        if not texts:
            missing.append(key)
        rows += [(key, t) for t in texts]
    rows.sort(key=lambda r: r[0])
    lines = ['SCHEMA("%s", "%s")' % (k, t.replace("\\", "\\\\").replace('"', '\\"')) for k, t in rows]
    head = "/* Written by tools/gen_aten.py from torch %s. */\n" % torch.__version__.split("+")[0]
    (ROOT / "aten_schema.def").write_text(head + "\n".join(lines) + "\n")
    table = (ROOT / "aten_table.def").read_text()
    emitters = re.findall(r"^ATEN\(\w+, (\w+),", table, re.M) + re.findall(r"^OTHER\(\w+, \w+, (\w+),", table, re.M)
    text = "/* Written by tools/gen_aten.py: the emitters of aten_table.def. */\n"
    (ROOT / "aten_emit.def").write_text(text + "".join("EMIT(%s)\n" % e for e in sorted(set(emitters))))
    print(len(rows), "overloads;", "without any:", missing, file=sys.stderr)


main()
