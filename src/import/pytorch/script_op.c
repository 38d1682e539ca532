/* TorchScript's operators on values of the host: lists, dicts, texts and numbers reach them as
 * `torch.append(x, y)` or `torch.gt(a, b)`. */
#include "import/pytorch/script_eval.h"

#include <math.h>

static bool any_tensor(const uc_py_args *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].kind == UC_PV_TENSOR) return true;
    }
    return false;
}

static const struct {
    const char *name;
    uc_py_op op;
} binary[] = {{"add", UC_PY_ADD},
              {"sub", UC_PY_SUB},
              {"mul", UC_PY_MUL},
              {"floordiv", UC_PY_FLOORDIV},
              {"remainder", UC_PY_MOD},
              {"pow", UC_PY_POW},
              {"__and__", UC_PY_AND},
              {"__or__", UC_PY_OR},
              {"__xor__", UC_PY_XOR},
              {"__lshift__", UC_PY_SHL},
              {"__rshift__", UC_PY_SHR},
              {"bitwise_and", UC_PY_AND},
              {"bitwise_or", UC_PY_OR},
              {"bitwise_xor", UC_PY_XOR},
              {"div", UC_PY_DIV},
              {"eq", UC_PY_EQ},
              {"ne", UC_PY_NE},
              {"lt", UC_PY_LT},
              {"le", UC_PY_LE},
              {"gt", UC_PY_GT},
              {"ge", UC_PY_GE},
              {"__is__", UC_PY_IS},
              {"__isnot__", UC_PY_IS_NOT},
              {"add_", UC_PY_ADD},
              {"percentFormat", UC_PY_MOD}};

static uc_pv list_add(uc_py_eval *ev, const uc_py_args *a)
{
    /* add_ of lists: in place */
    if (a->count != 2 || a->items[0].kind != UC_PV_LIST) return UC_PV(UC_PV_UNSET);
    uc_pv self = a->items[0];
    uc_pv rest = a->items[1];
    uc_py_value_method(ev, self, "extend", &(uc_py_args){.items = &rest, .count = 1});
    return self;
}

static uc_pv of_container(uc_py_eval *ev, const char *name, const uc_py_args *a)
{
    static const char *const methods[] = {
        "append", "extend",     "pop",   "insert",     "clear",    "remove", "reverse",
        "sort",   "index",      "count", "keys",       "values",   "items",  "get",
        "update", "setdefault", "find",  "startswith", "endswith", "lower",  "upper",
        "join",   "replace",    "strip", "split"};
    if (strcmp(name, "list") == 0 || strcmp(name, "dict") == 0) return uc_py_builtin(ev, name, a);
    if (a->count == 0) return UC_PV(UC_PV_UNSET);
    const uc_pv self = a->items[0];
    const uc_py_args rest = {.items = a->items + 1, .count = a->count - 1};
    if (strcmp(name, "__getitem__") == 0 && a->count == 2)
        return uc_py_index(ev, self, a->items[1]);
    if (strcmp(name, "_set_item") == 0 && a->count == 3) {
        uc_py_set_index(ev, self, a->items[1], a->items[2]);
        return uc_pv_none();
    }
    if (strcmp(name, "__contains__") == 0 && a->count == 2)
        return uc_py_compare(ev, UC_PY_IN, a->items[1], self);
    if (strcmp(name, "Delete") == 0 && a->count == 2)
        return uc_py_call_method(ev, self, "pop", a->items + 1, 1);
    if (strcmp(name, "copy") == 0 && !any_tensor(a))
        return uc_py_value_method(ev, self, "copy", &rest);
    if (strcmp(name, "slice") == 0 && (uc_pv_is_list(self) || self.kind == UC_PV_TEXT)) {
        uc_pv *p = UC_NEW(ev->arena, uc_pv, 3);
        if (!p) return uc_pv_none();
        for (size_t i = 0; i < 3; i++)
            p[i] = uc_py_arg(a, i + 1, i == 0 ? "start" : i == 1 ? "end" : "step");
        for (size_t i = 0; i < 3; i++)
            if (p[i].kind == UC_PV_UNSET) p[i] = uc_pv_none();
        if (p[2].kind == UC_PV_NONE) p[2] = uc_pv_int(1);
        return uc_py_index(ev, self, (uc_pv){.kind = UC_PV_SLICE, .slice = p});
    }
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(name, methods[i]) == 0 && self.kind != UC_PV_TENSOR)
            return uc_py_value_method(ev, self, name, &rest);
    }
    return UC_PV(UC_PV_UNSET);
}

/* Numbers alone. */
static uc_pv of_ranges(uc_py_eval *ev, const char *name, const uc_py_args *a)
{
    if (a->count != 3) return UC_PV(UC_PV_UNSET);
    if (strcmp(name, "__derive_index") == 0)
        return uc_py_binary(ev, UC_PY_ADD, a->items[1],
                            uc_py_binary(ev, UC_PY_MUL, a->items[0], a->items[2]));
    if (strcmp(name, "__range_length") != 0) return UC_PV(UC_PV_UNSET);
    int64_t step = 1;
    if (!uc_py_int(ev, a->items[2], &step)) return uc_pv_none();
    if (step == 0) return uc_py_fail(ev, "a range's step is 0");
    /* ceil((end - begin) / step), not below 0 */
    const uc_pv gap = uc_py_binary(ev, UC_PY_SUB, a->items[1], a->items[0]);
    const uc_pv less =
        uc_py_binary(ev, UC_PY_FLOORDIV, uc_py_unary(ev, UC_PY_NEG, gap), a->items[2]);
    uc_pv pair[] = {uc_py_unary(ev, UC_PY_NEG, less), uc_pv_int(0)};
    return uc_py_builtin(ev, "max", &(uc_py_args){.items = pair, .count = 2});
}

static uc_pv of_numbers(uc_py_eval *ev, const char *name, const uc_py_args *a)
{
    static const char *const builtin[] = {"len", "ord",   "sum",  "min", "max",    "abs", "round",
                                          "int", "float", "bool", "str", "sorted", "all", "any"};
    static const char *const maths[] = {"sqrt", "exp",   "log",   "ceil", "floor", "sin",
                                        "cos",  "tan",   "tanh",  "log2", "log10", "log1p",
                                        "fabs", "isinf", "isnan", "pow"};
    if (strcmp(name, "add_") == 0) return list_add(ev, a);
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++) {
        if (a->count != 2 || strcmp(name, binary[i].name) != 0) continue;
        if (binary[i].op >= UC_PY_EQ)
            return uc_py_compare(ev, binary[i].op, a->items[0], a->items[1]);
        return uc_py_binary(ev, binary[i].op, a->items[0], a->items[1]);
    }
    if (a->count == 1 && (strcmp(name, "neg") == 0)) return uc_py_unary(ev, UC_PY_NEG, a->items[0]);
    if (a->count == 1 && strcmp(name, "__not__") == 0)
        return uc_py_unary(ev, UC_PY_NOT, a->items[0]);
    if (a->count == 1 && strcmp(name, "bitwise_not") == 0)
        return uc_py_unary(ev, UC_PY_INVERT, a->items[0]);
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++) {
        if (strcmp(name, builtin[i]) == 0) return uc_py_builtin(ev, name, a);
    }
    for (size_t i = 0; i < sizeof maths / sizeof *maths; i++) {
        if (strcmp(name, maths[i]) == 0)
            return uc_py_call_path(ev, uc_arena_printf(ev->arena, "math.%s", name), a);
    }
    if (strcmp(name, "floordiv") == 0) return UC_PV(UC_PV_UNSET);
    if (strcmp(name, "mathremainder") == 0 && a->count == 2)
        return uc_py_binary(ev, UC_PY_MOD, a->items[0], a->items[1]);
    return UC_PV(UC_PV_UNSET);
}

uc_pv uc_py_script_op(uc_py_eval *ev, const char *name, const uc_py_args *a)
{
    if (strcmp(name, "__is__") == 0 || strcmp(name, "__isnot__") == 0)
        return a->count == 2 ? uc_pv_bool(uc_pv_same(a->items[0], a->items[1]) == (name[4] == '_'))
                             : uc_pv_none();
    if (strcmp(name, "format") == 0) {
        uc_pv text = uc_py_str(ev, a->count ? a->items[0] : uc_pv_none(), 0);
        for (size_t i = 1; i < a->count && text.kind == UC_PV_TEXT; i++) {
            const uc_pv space[] = {text, uc_pv_text(ev->arena, uc_str_of(" "))};
            text = uc_py_binary(ev, UC_PY_ADD, space[0], space[1]);
            text = uc_py_binary(ev, UC_PY_ADD, text, uc_py_str(ev, a->items[i], 0));
        }
        return text;
    }
    if (strcmp(name, "warn") == 0 || strcmp(name, "manual_seed") == 0) return uc_pv_none();
    if (strcmp(name, "len") == 0) return uc_py_builtin(ev, "len", a);
    const uc_pv range = of_ranges(ev, name, a);
    if (range.kind != UC_PV_UNSET || ev->failed) return range;
    const uc_pv v = of_container(ev, name, a);
    if (v.kind != UC_PV_UNSET || ev->failed) return v;
    return any_tensor(a) ? UC_PV(UC_PV_UNSET) : of_numbers(ev, name, a);
}

/* ops.prim.x, ops.quantized.x, ops.torchvision.x */
uc_pv uc_py_script_space(uc_py_eval *ev, const char *path, const uc_py_args *a)
{
    static const char *const attrs[] = {
        "dtype",     "device",        "layout",  "requires_grad", "is_cuda",   "is_quantized",
        "is_mkldnn", "is_sparse",     "shape",   "grad",          "is_mps",    "is_xla",
        "is_nested", "type",          "is_ipu",  "is_maia",       "is_vulkan", "is_hpu",
        "is_xpu",    "is_sparse_csr", "is_mtia", "is_meta",       "T",         "mT",
        "itemsize",  "index",         "name"};
    const char *dot = strchr(path, '.');
    if (!dot) return UC_PV(UC_PV_UNSET);
    const char *space = uc_arena_copy(ev->arena, path, (size_t)(dot - path)), *name = dot + 1;
    if (!space) return uc_pv_none();
    if (strcmp(space, "prim") != 0) return uc_aten_run(ev, space, name, a);
    for (size_t i = 0; i < sizeof attrs / sizeof *attrs && a->count == 1; i++) {
        if (strcmp(name, attrs[i]) == 0) return uc_py_attr(ev, a->items[0], uc_py_id(ev, name));
    }
    if (strcmp(name, "RaiseException") == 0) {
        const uc_pv text = uc_py_str(ev, a->count ? a->items[0] : uc_pv_none(), 0);
        ev->raised = !ev->failed;
        return uc_py_fail(ev, "the model raises an exception: %.300s",
                          text.kind == UC_PV_TEXT ? uc_py_text(ev, text) : "");
    }
    if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0) return uc_py_builtin(ev, name, a);
    if (strcmp(name, "abs") == 0) return uc_py_builtin(ev, "abs", a);
    if (strcmp(name, "unchecked_unwrap_optional") == 0 || strcmp(name, "rangelist") == 0 ||
        strcmp(name, "tolist") == 0) {
        if (strcmp(name, "rangelist") == 0) return uc_py_builtin(ev, "range", a);
        if (strcmp(name, "tolist") == 0)
            return uc_aten_run(ev, "aten", "tolist", &(uc_py_args){.items = a->items, .count = 1});
        return a->count ? a->items[0] : uc_pv_none();
    }
    if (strcmp(name, "isinstance") == 0) return uc_py_builtin(ev, "isinstance", a);
    if (strcmp(name, "Print") == 0 || strcmp(name, "AddStatValue") == 0) return uc_pv_none();
    return uc_aten_run(ev, "prim", name, a);
}
