#!/usr/bin/env python3
"""Makes docs/ops.md: every operator that the engine runs, and which of ONNX's it doesn't.

    build/release/list_ops > build/ops.tsv
    tests/conformance/run.py --results build/conformance/results.tsv
    tools/gen_ops_table.py build/ops.tsv build/conformance/results.tsv > docs/ops.md

Needs onnx, for the list of operators with their versions. Sources: the operator table (list_ops), the upgrades
(src/import/onnx/onnx_upgrade_table.def), the conformance run: types are those of inputs and outputs in cases
that pass, so a type that isn't listed may work all the same."""
import collections
import pathlib
import re
import sys

import onnx
import onnx.defs

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/conformance"))
import suite  # noqa: E402

DOMAINS = [("", "ai.onnx"), ("ai.onnx.ml", "ai.onnx.ml"), ("ai.onnx.preview", "ai.onnx.preview"),
           ("ai.onnx.preview.training", "ai.onnx.preview.training"), ("ai.onnx.training", "ai.onnx.training"),
           ("com.microsoft", "com.microsoft"), ("uncork", "uncork")]
SHORT = {"FLOAT": "f32", "DOUBLE": "f64", "FLOAT16": "f16", "BFLOAT16": "bf16", "STRING": "string", "BOOL": "bool",
         "COMPLEX64": "c64", "COMPLEX128": "c128", "FLOAT8E4M3FN": "f8e4m3fn", "FLOAT8E4M3FNUZ": "f8e4m3fnuz",
         "FLOAT8E5M2": "f8e5m2", "FLOAT8E5M2FNUZ": "f8e5m2fnuz", "FLOAT8E8M0": "f8e8m0", "FLOAT4E2M1": "f4e2m1"}
# by the importer itself: src/import/onnx/onnx_gradient.c, onnx_flex_attention.c
SPELLED_OUT = {("ai.onnx.preview.training", "Gradient"), ("ai.onnx.preview", "FlexAttention")}
NOTES = {"ai.onnx": "The graph is of opset 28; nodes of older opsets are upgraded while reading (*how* tells which versions changed "
                    "more than types, and are rewritten).",
         "com.microsoft": "What exporters and quantisers write beside the standard.",
         "uncork": "What ONNX lacks: classic machine learning, and fusions that passes make. No file can name them."}


def type_name(number):
    name = onnx.TensorProto.DataType.Name(number)
    return SHORT.get(name, name.lower().replace("uint", "u").replace("int", "i"))


def tensors(kind):
    """Element types inside a TypeProto."""
    for field in ("sequence_type", "optional_type"):
        if kind.HasField(field):
            return tensors(getattr(kind, field).elem_type)
    return {kind.tensor_type.elem_type} if kind.HasField("tensor_type") and kind.tensor_type.elem_type else set()


def seen_types(results):
    """(domain, operator) -> element types at graph inputs and outputs of its passing one-node cases."""
    passed = {tuple(line.split("\t")[:2]) for line in pathlib.Path(results).read_text().splitlines() if line.split("\t")[2] == "pass"}
    found = collections.defaultdict(set)
    for case in suite.load(ROOT / "build/conformance"):
        if (case.group, case.name) not in passed:
            continue
        graph = case.model().graph
        if len(graph.node) == 1:
            node = graph.node[0]
            for value in (*graph.input, *graph.output):
                found["" if node.domain == "ai.onnx" else node.domain, node.op_type] |= tensors(value.type)
    return found


def failing(results):
    count = collections.Counter()
    for line in pathlib.Path(results).read_text().splitlines():
        group, name, result, operator = line.split("\t")[:4]
        if result != "pass":
            domain, _, op = operator.rpartition(".")
            count[domain, op] += 1
    return count


def history():
    """(domain, operator) -> its versions, deprecated ones marked."""
    found = collections.defaultdict(list)
    for s in onnx.defs.get_all_schemas_with_history():
        found[s.domain, s.name].append((s.since_version, s.deprecated))
    return {k: sorted(v) for k, v in found.items()}


def main():
    rows = {}
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
        domain, name, inputs, outputs = line.split("\t")
        rows[domain, name] = (inputs, outputs)
    table = (ROOT / "src/import/onnx/onnx_upgrade_table.def").read_text()
    steps = collections.defaultdict(list)
    for domain, name, version in re.findall(r'UPGRADE\("([^"]*)", "(\w+)", (\d+), \w+\)', table):
        steps[domain, name].append(int(version))
    versions, types, bad = history(), seen_types(sys.argv[2]), failing(sys.argv[2])
    print("# Operators\n\nWritten by `make conformance`. Types are those of passing conformance cases: others may work. A type that an operator")
    print("doesn't take is refused with one line when the model is prepared.")
    for domain, title in DOMAINS:
        names = sorted({n for d, n in [*rows, *versions, *steps] if d == domain})
        if not names:
            continue
        have = [n for n in names if (domain, n) in rows]
        gone = lambda n: (domain, n) not in versions or versions[domain, n][-1][1]
        known = [n for n in names if (domain, n) in rows or (domain, n) in SPELLED_OUT or (steps.get((domain, n)) and gone(n))]
        print(f"\n## {title}\n\n{len(have)} operators run here" + (f", {len(known) - len(have)} more are rewritten into them" if len(known) > len(have) else "")
              + ". " + NOTES.get(title, ""))
        missing = [n for n in names if n not in known]
        if missing:
            print(f"\nMissing: {', '.join(missing)}.")
        ours = domain in ("uncork", "com.microsoft")
        head = ["operator", "inputs", "outputs"] if ours else ["operator", "versions", "how", "inputs", "outputs", "types", "missing"]
        print("\n| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
        for n in known:
            inputs, outputs = rows.get((domain, n), ("", ""))
            if ours:
                print(f"| {n} | {inputs} | {outputs} |")
                continue
            history_text = ", ".join(str(v) + (" (deprecated)" if old else "") for v, old in versions.get((domain, n), []))
            how = "rewritten before " + ", ".join(map(str, steps[domain, n])) if steps.get((domain, n)) else ""
            if (domain, n) in SPELLED_OUT:
                how = "rewritten"
            if not history_text:
                history_text = "1 (experimental)"
            seen = ", ".join(type_name(t) for t in sorted(types.get((domain, n), ())))
            lacks = f"{bad[domain, n]} conformance cases" if bad.get((domain, n)) else ""
            print(f"| {n} | {history_text} | {how} | {inputs} | {outputs} | {seen} | {lacks} |")


if __name__ == "__main__":
    main()
