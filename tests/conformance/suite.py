"""The cases of the onnx wheel: the node cases that its scripts generate, the stored ones (simple,
pytorch-converted, pytorch-operator) and the light models, as plain objects that pickle."""
import collections
import dataclasses
import os
import pathlib
import pickle
import re
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

GROUPS = ["node", "simple", "pytorch-converted", "pytorch-operator", "light", "generated"]
DATA = pathlib.Path(onnx.__file__).parent / "backend/test/data"
# An output of these can't be told beforehand: type, shape and range are compared.
RANDOM = {"Bernoulli", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial"}


@dataclasses.dataclass
class Case:
    name: str
    group: str
    operator: str  # the one it is about: see `about`
    source: object  # the model's bytes, or its path under DATA
    data_sets: list  # [(inputs, outputs)]; None: read from the folder when run
    rtol: float
    atol: float
    random: bool = False

    def model(self):
        if isinstance(self.source, bytes):
            return onnx.load_model_from_string(self.source)
        return onnx.load(self.path())

    def path(self):
        return DATA / self.source


def plain(x):
    """What a data set holds, as an array, list or None."""
    if isinstance(x, onnx.TensorProto):
        return numpy_helper.to_array(x)
    if isinstance(x, (list, tuple)):
        return [plain(i) for i in x]
    return x if x is None or isinstance(x, dict) else np.asarray(x)


def read(path, kind):
    """One stored value; `kind` is its TypeProto."""
    if kind.HasField("sequence_type"):
        return [plain(i) for i in numpy_helper.to_list(onnx.SequenceProto.FromString(path.read_bytes()))]
    if kind.HasField("optional_type"):
        return plain(numpy_helper.to_optional(onnx.OptionalProto.FromString(path.read_bytes())))
    return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))


def fed(model):
    """The graph inputs that a caller gives: those without an initializer."""
    constants = {t.name for t in model.graph.initializer} | {t.values.name for t in model.graph.sparse_initializer}
    return [i for i in model.graph.input if i.name not in constants]


def stored(folder, model):
    """The data sets beside a model.onnx."""
    inputs, outputs = fed(model), model.graph.output
    for where in sorted(folder.glob("test_data_set_*")):
        count = lambda kind: len(list(where.glob(f"{kind}_*.pb")))
        yield ([read(where / f"input_{i}.pb", inputs[i].type) for i in range(count("input"))],
               [read(where / f"output_{i}.pb", outputs[i].type) for i in range(count("output"))])


def light(path, model):
    """The data set that onnx's own runner makes for a light model: Runner.generate_dummy_data."""
    inputs = []
    for i in fed(model):
        shape = [d.dim_value or 1 for d in i.type.tensor_type.shape.dim]
        n = int(np.prod(shape))
        inputs.append((np.arange(n).reshape(shape) / n).astype(np.float32))
    outputs = [numpy_helper.to_array(onnx.TensorProto.FromString(path.with_name(f"{path.stem}_output_{i}.pb").read_bytes()))
               for i in range(len(model.graph.output))]
    return [(inputs, outputs)]


def data_of(case):
    """The data sets of a case, stored ones read now."""
    if case.data_sets is not None:
        return case.data_sets
    path, model = case.path(), case.model()
    return light(path, model) if case.group == "light" else list(stored(path.parent, model))


def operators(model):
    return [f"{n.domain}.{n.op_type}" if n.domain not in ("", "ai.onnx") else n.op_type for n in model.graph.node]


def about(found, totals):
    """The operator of a case: of several, the one that the fewest cases use."""
    return min(found, key=lambda op: (totals[op], op)) if found else "(none)"


def is_random(model):
    """Random operators, and Dropout in training with a ratio that isn't zero."""
    return any(n.op_type in RANDOM or n.op_type == "Dropout" and len(n.input) > 2 for n in model.graph.node)


def collect():
    warnings.filterwarnings("ignore")
    from onnx.backend.test.case import model as models, node as nodes
    from onnx.backend.test.loader import load_model_tests

    rows = []  # (group, TestCase, model, source)
    for t in nodes.collect_testcases(None):
        rows.append(("node", t, t.model, t.model.SerializeToString()))
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for t in load_model_tests(kind=kind):
            path = pathlib.Path(t.model_dir) / "model.onnx"
            rows.append((kind, t, onnx.load(path), str(path.relative_to(DATA))))
    for t in load_model_tests(kind="real"):
        path = DATA / "light" / pathlib.Path(t.url).name
        rows.append(("light", t, onnx.load(path), str(path.relative_to(DATA))))
    for t in models.collect_testcases():
        if t.model is not None and t.data_sets is not None:
            rows.append(("generated", t, t.model, t.model.SerializeToString()))
    totals = collections.Counter(op for _, _, m, _ in rows for op in set(operators(m)))
    cases = []
    for group, t, m, source in rows:
        data = [([plain(x) for x in i], [plain(x) for x in o]) for i, o in t.data_sets] if isinstance(source, bytes) else None
        cases.append(Case(t.name, group, about(set(operators(m)), totals), source, data, t.rtol, t.atol, is_random(m)))
    named = {c.name: c.operator for c in cases if c.group == "node"}
    for c in cases:  # an expanded body is about the operator it spells out
        c.operator = named.get(re.sub(r"_expanded(_ver\d+)?$", "", c.name), c.operator)
    return sorted(cases, key=lambda c: (GROUPS.index(c.group), c.name))


def load(cache):
    """All cases; collecting takes a quarter of a minute, so they are kept beside the build."""
    path = pathlib.Path(cache) / f"cases-{onnx.__version__}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
    cases = collect()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_bytes(pickle.dumps(cases))
    part.rename(path)
    return cases
