# einops as the evaluator sees it: patterns are read here, tensors move by torch's own operators.
# Source: einops 0.8, its documentation of rearrange, reduce, repeat, einsum and parse_shape.
import torch
import torch.nn as nn


def _axes(side, sizes, mark):
    """"b (h 2) 1 c" as [["b"], ["h", "2.0l"], [], ["c"]]: a number is an axis of its own, 1 is none."""
    out = []
    group = None
    for token in side.replace("(", " ( ").replace(")", " ) ").split():
        if token.isdigit() and token != "1":
            name = token + "." + str(len(sizes)) + mark
            sizes[name] = int(token)
            token = name
        if token == "(":
            group = []
        elif token == ")":
            out.append(group)
            group = None
        elif group is not None:
            if token != "1":
                group.append(token)
        else:
            out.append([] if token == "1" else [token])
    return out


def _spread(side, names):
    """The ellipsis as the axes it stands for; within brackets too."""
    out = []
    for group in side:
        if group == ["..."]:
            out.extend([[n] for n in names])
        elif "..." in group:
            wide = []
            for n in group:
                wide.extend(names if n == "..." else [n])
            out.append(wide)
        else:
            out.append(group)
    return out


def _product(names, sizes):
    n = 1
    for name in names:
        n = n * sizes[name]
    return n


def _split(x, left, sizes):
    """x with every named axis of its own; their names, and all sizes."""
    names = []
    shape = []
    for i, group in enumerate(left):
        size = x.shape[i]
        unknown = [n for n in group if n not in sizes]
        if len(unknown) > 1:
            raise ValueError("sizes of " + " and ".join(unknown) + " aren't known")
        if unknown:
            known = _product([n for n in group if n in sizes], sizes)
            sizes[unknown[0]] = size if len(group) == 1 else size // known
        for n in group:
            names.append(n)
            shape.append(sizes[n])
    if all([len(group) == 1 for group in left]):
        return x, names
    return x.reshape(shape), names


def _apply(x, pattern, sizes, reduction=None):
    if isinstance(x, (list, tuple)):
        x = torch.stack(list(x))
    sides = pattern.split("->")
    left = _axes(sides[0], sizes, "l")
    right = _axes(sides[1], sizes, "r")
    around = ["..." + str(i) for i in range(x.dim() - len(left) + 1)] if ["..."] in left else []
    left = _spread(left, around)
    right = _spread(right, around)
    if len(left) != x.dim():
        raise ValueError("a pattern of %d axes for %d" % (len(left), x.dim()))
    x, names = _split(x, left, sizes)
    wanted = [n for group in right for n in group]
    gone = [n for n in names if n not in wanted]
    if gone:
        dims = [names.index(n) for n in gone]
        if reduction == "mean":
            x = x.mean(dims)
        elif reduction == "sum":
            x = x.sum(dims)
        elif reduction == "max":
            x = torch.amax(x, dims)
        elif reduction == "min":
            x = torch.amin(x, dims)
        elif callable(reduction):
            x = reduction(x, tuple(dims))
        else:
            raise ValueError("axes that are left out, and no reduction")
        names = [n for n in names if n in wanted]
    here = [n for n in wanted if n in names]
    order = [names.index(n) for n in here]
    if order != list(range(len(order))):
        x = x.permute(order)
    if len(here) < len(wanted):
        x = x.reshape([sizes[n] if n in names else 1 for n in wanted]).expand([sizes[n] for n in wanted])
    if all([len(group) == 1 for group in right]):
        return x
    return x.reshape([_product(group, sizes) for group in right])


def rearrange(tensor, pattern, **axes_lengths):
    return _apply(tensor, pattern, dict(axes_lengths))


def repeat(tensor, pattern, **axes_lengths):
    return _apply(tensor, pattern, dict(axes_lengths))


def reduce(tensor, pattern, reduction, **axes_lengths):
    return _apply(tensor, pattern, dict(axes_lengths), reduction)


def einsum(*args):
    """Names of any length become letters."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    names = {}
    text = ""
    for token in args[-1].replace(",", " , ").replace("->", " -> ").split():
        if token in (",", "->", "..."):
            text = text + token
        else:
            if token not in names:
                names[token] = letters[len(names)]
            text = text + names[token]
    return torch.einsum(text, list(args[:-1]))


def parse_shape(x, pattern):
    return {n: x.shape[i] for i, n in enumerate(pattern.split()) if n != "_"}


class Rearrange(nn.Module):
    def __init__(self, pattern, **axes_lengths):
        super().__init__()
        self.pattern = pattern
        self.axes_lengths = axes_lengths

    def forward(self, x):
        return _apply(x, self.pattern, dict(self.axes_lengths))


class Reduce(nn.Module):
    def __init__(self, pattern, reduction, **axes_lengths):
        super().__init__()
        self.pattern = pattern
        self.reduction = reduction
        self.axes_lengths = axes_lengths

    def forward(self, x):
        return _apply(x, self.pattern, dict(self.axes_lengths), self.reduction)
