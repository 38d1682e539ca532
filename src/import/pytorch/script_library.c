/* Names of libraries: what `torch.nn.functional.relu` and `math.sqrt` stand for. Nothing else of Python's
 * world can be reached. */
#include "import/pytorch/script_eval.h"

#include "import/pytorch/script_prelude.h"

#include <math.h>

/* ---- constants ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t code;
} dtypes[] = {{"uint8", 0},      {"int8", 1},    {"int16", 2},   {"short", 2},     {"int32", 3},
              {"int", 3},        {"int64", 4},   {"long", 4},    {"float16", 5},   {"half", 5},
              {"float32", 6},    {"float", 6},   {"float64", 7}, {"double", 7},    {"bool", 11},
              {"qint8", 12},     {"quint8", 13}, {"qint32", 14}, {"bfloat16", 15}, {"complex64", 9},
              {"complex128", 10}};

static const char *after(const char *path, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(path, prefix, n) == 0 ? path + n : NULL;
}

static bool constant(const char *path, uc_pv *out)
{
    static const struct {
        const char *name;
        double value;
    } numbers[] = {{"math.pi", 3.14159265358979323846},
                   {"torch.pi", 3.14159265358979323846},
                   {"numpy.pi", 3.14159265358979323846},
                   {"math.e", 2.71828182845904523536},
                   {"torch.e", 2.71828182845904523536},
                   {"math.inf", (double)INFINITY},
                   {"torch.inf", (double)INFINITY},
                   {"numpy.inf", (double)INFINITY},
                   {"inf", (double)INFINITY},
                   {"math.nan", (double)NAN},
                   {"torch.nan", (double)NAN},
                   {"numpy.nan", (double)NAN},
                   {"nan", (double)NAN},
                   {"math.tau", 6.28318530717958647692}};
    const char *name = after(path, "torch.");
    for (size_t i = 0; name && i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *out = (uc_pv){.kind = UC_PV_DTYPE, .i = dtypes[i].code};
            return true;
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(path, numbers[i].name) == 0) {
            *out = uc_pv_float(numbers[i].value);
            return true;
        }
    }
    if (strcmp(path, "torch.strided") == 0 || strcmp(path, "torch.contiguous_format") == 0 ||
        strcmp(path, "torch.channels_last") == 0 || strcmp(path, "torch.preserve_format") == 0) {
        *out = uc_pv_int(0);
        return true;
    }
    if (strcmp(path, "numpy.newaxis") == 0) {
        *out = uc_pv_none();
        return true;
    }
    if (strcmp(path, "typing.TYPE_CHECKING") == 0) {
        *out = uc_pv_bool(false);
        return true;
    }
    return false;
}

/* ---- the prelude ----------------------------------------------------------------------------- */

/* The prelude's names that a path may have: torch.nn.modules.conv.Conv2d is torch.nn.Conv2d. */
static const char *prelude_name(uc_py_eval *ev, const char *path, const char *module)
{
    const char *name = after(path, module);
    if (!name || *name != '.') return NULL;
    name++;
    const char *inner = after(name, "modules.");
    if (inner) {
        const char *dot = strrchr(inner, '.');
        name = dot ? dot + 1 : inner;
    }
    if (strcmp(module, "torch.nn") == 0) {
        const char *p = after(name, "parameter.");
        if (p) name = p;
    }
    if (strcmp(module, "einops") == 0) {
        const char *p = after(name, "layers.torch.");
        if (p) name = p;
    }
    return strchr(name, '.') ? NULL : uc_py_id(ev, name);
}

static bool read_prelude(uc_py_eval *ev)
{
    size_t count = 0;
    const uc_py_prelude *files = uc_py_preludes(&count);
    ev->prelude = UC_NEW(ev->arena, uc_py_module *, count + 1);
    if (!ev->prelude) return false;
    for (size_t i = 0; i < count; i++) {
        uc_py_source *source = UC_NEW(ev->arena, uc_py_source, 1);
        if (!source || uc_py_parse((uc_bytes){files[i].text, files[i].size}, files[i].module,
                                   &ev->names, ev->budget, source, ev->error)) {
            ev->failed = true;
            return false;
        }
        uc_py_module *m = uc_py_module_new(ev, files[i].module, source);
        if (!m) return false;
        m->library = true;
        ev->prelude[i] = m;
        if (!uc_py_run_module(ev, m)) return false;
    }
    return true;
}

static bool from_prelude(uc_py_eval *ev, const char *path, uc_pv *out)
{
    if (!ev->prelude && !read_prelude(ev)) return false;
    for (size_t i = 0; ev->prelude[i]; i++) {
        const char *name = prelude_name(ev, path, ev->prelude[i]->name);
        const uc_pv *found = name ? uc_py_module_get(ev, ev->prelude[i], name) : NULL;
        if (found) {
            *out = *found;
            return true;
        }
    }
    return false;
}

uc_pv uc_py_library(uc_py_eval *ev, const char *path)
{
    uc_pv v = uc_pv_none();
    if (ev->failed) return v;
    if (!path || strlen(path) > 1000) return uc_py_fail(ev, "a name is too long");
    if (constant(path, &v)) return v;
    if (ev->script && ev->host.resolve &&
        (after(path, "__torch__.") || after(path, "CONSTANTS."))) {
        v = ev->host.resolve(ev, ev->host.context, path);
        if (v.kind != UC_PV_UNSET || ev->failed) return v;
        v = uc_pv_none();
    }
    if (!ev->script && strncmp(path, "torch", 5) == 0 && from_prelude(ev, path, &v)) return v;
    if (!ev->script && after(path, "einops.") && from_prelude(ev, path, &v)) return v;
    return ev->failed ? uc_pv_none() : (uc_pv){.kind = UC_PV_PATH, .path = uc_py_id(ev, path)};
}

/* ---- functions of the host's libraries ------------------------------------------------------- */

static uc_pv math_call(uc_py_eval *ev, const char *name, const uc_py_args *a)
{
    static const struct {
        const char *name;
        double (*run)(double);
        const char *op;
    } reals[] = {{"sqrt", sqrt, "Sqrt"}, {"exp", exp, "Exp"},    {"sin", sin, "Sin"},
                 {"cos", cos, "Cos"},    {"tan", tan, "Tan"},    {"tanh", tanh, "Tanh"},
                 {"fabs", fabs, "Abs"},  {"log2", log2, NULL},   {"log10", log10, NULL},
                 {"log1p", log1p, NULL}, {"erf", erf, "Erf"},    {"atan", atan, "Atan"},
                 {"asin", asin, "Asin"}, {"acos", acos, "Acos"}, {"sinh", sinh, "Sinh"},
                 {"cosh", cosh, "Cosh"}};
    double x = 0, y = 0;
    const uc_pv v = a->count ? a->items[0] : uc_pv_none();
    const bool up = strcmp(name, "ceil") == 0, down = strcmp(name, "floor") == 0;
    if (v.symbolic || v.kind == UC_PV_TENSOR) {
        uc_graph *g = ev->level->graph;
        const uc_ref r = uc_py_ref_of(ev, v, UNCORK_FLOAT64);
        if (up || down) return uc_py_symbol(ev, UC_PV_INT, uc_g1(g, up ? "Ceil" : "Floor", r));
        for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
            if (reals[i].op && strcmp(name, reals[i].name) == 0)
                return uc_py_symbol(ev, UC_PV_FLOAT, uc_g1(g, reals[i].op, r));
        }
        return uc_py_fail(ev, "math.%s of a number that only the data decides", name);
    }
    if (strcmp(name, "prod") == 0) {
        const uc_py_list *l = uc_py_elements(ev, v);
        uc_pv product = uc_pv_int(1);
        for (size_t i = 0; l && i < l->count; i++)
            product = uc_py_binary(ev, UC_PY_MUL, product, l->items[i]);
        return product;
    }
    if (!uc_py_float(ev, v, &x)) return uc_pv_none();
    if (up || down) {
        const double r = up ? ceil(x) : floor(x);
        return r > -9.2e18 && r < 9.2e18 ? uc_pv_int((int64_t)r)
                                         : uc_py_fail(ev, "math.%s of %g", name, x);
    }
    if (strcmp(name, "isinf") == 0) return uc_pv_bool(isinf(x));
    if (strcmp(name, "isnan") == 0) return uc_pv_bool(isnan(x));
    if (strcmp(name, "isqrt") == 0) return uc_pv_int((int64_t)sqrt(x));
    if (strcmp(name, "log") == 0 && a->count == 1) return uc_pv_float(log(x));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        if (strcmp(name, reals[i].name) == 0) return uc_pv_float(reals[i].run(x));
    }
    if (a->count < 2 || !uc_py_float(ev, a->items[1], &y)) return UC_PV(UC_PV_UNSET);
    if (strcmp(name, "pow") == 0) return uc_pv_float(pow(x, y));
    if (strcmp(name, "log") == 0) return uc_pv_float(log(x) / log(y));
    if (strcmp(name, "atan2") == 0) return uc_pv_float(atan2(x, y));
    if (strcmp(name, "gcd") == 0) {
        int64_t p = (int64_t)fabs(x), q = (int64_t)fabs(y);
        while (q) {
            const int64_t r = p % q;
            p = q;
            q = r;
        }
        return uc_pv_int(p);
    }
    return UC_PV(UC_PV_UNSET);
}

/* A deep copy of modules and lists; tensors are new ones of the same value. */
static uc_pv deep_copy(uc_py_eval *ev, uc_pv v, int depth)
{
    if (depth > 60 || !uc_py_step(ev))
        return uc_py_fail_as(ev, UNCORK_LIMIT, "a copy nests too deep");
    if (v.kind == UC_PV_TENSOR) {
        uc_pt *t = UC_NEW(ev->arena, uc_pt, 1);
        if (t) *t = *v.tensor;
        return t ? uc_pv_tensor(t) : v;
    }
    if (uc_pv_is_list(v)) {
        uc_pv copy = uc_pv_list(ev, v.kind, v.list->items, v.list->count);
        for (size_t i = 0; uc_pv_is_list(copy) && i < copy.list->count; i++)
            copy.list->items[i] = deep_copy(ev, copy.list->items[i], depth + 1);
        if (uc_pv_is_list(copy)) copy.list->class = v.list->class;
        return copy;
    }
    if (v.kind == UC_PV_DICT) {
        uc_py_dict *d = uc_py_dict_new(ev);
        for (size_t i = 0; d && i < v.dict->count; i++)
            uc_py_dict_put(ev->arena, d, v.dict->keys[i],
                           deep_copy(ev, v.dict->values[i], depth + 1));
        return d ? (uc_pv){.kind = v.kind, .dict = d} : v;
    }
    if (v.kind == UC_PV_OBJECT) {
        uc_py_object *o = uc_py_object_new(ev, v.object->class);
        for (size_t i = 0; o && i < v.object->attrs.count && !ev->failed; i++) {
            if (v.object->attrs.keys[i])
                uc_py_map_put(ev->arena, &o->attrs, v.object->attrs.keys[i],
                              deep_copy(ev, v.object->attrs.values[i], depth + 1));
        }
        return o ? (uc_pv){.kind = UC_PV_OBJECT, .object = o} : v;
    }
    return v;
}

/* functools.partial and friends: a method named "partial" whose self is what is bound. */
static uc_pv partial(uc_py_eval *ev, const uc_py_args *a)
{
    uc_py_method *m = UC_NEW(ev->arena, uc_py_method, 1);
    uc_py_dict *named = uc_py_dict_new(ev);
    if (!m || !named || a->count == 0) return uc_pv_none();
    for (size_t i = 0; i < a->named; i++)
        uc_py_dict_put(ev->arena, named, uc_pv_text(ev->arena, uc_str_of(a->names[i])),
                       a->values[i]);
    const uc_pv parts[] = {a->items[0],
                           uc_pv_list(ev, UC_PV_TUPLE, a->items + 1, a->count - 1),
                           {.kind = UC_PV_DICT, .dict = named}};
    *m = (uc_py_method){.self = uc_pv_list(ev, UC_PV_TUPLE, parts, 3),
                        .name = uc_py_id(ev, "__partial__")};
    return (uc_pv){.kind = UC_PV_METHOD, .method = m};
}

static uc_pv attrs_of(uc_py_eval *ev, uc_pv v)
{
    return v.kind == UC_PV_OBJECT ? uc_py_attr(ev, v, uc_py_id(ev, "__dict__")) : uc_pv_none();
}

/* What the prelude asks of the evaluator. */
static uc_pv own_call(uc_py_eval *ev, const char *name, const uc_py_args *a)
{
    const uc_pv v = a->count ? a->items[0] : uc_pv_none();
    if (strcmp(name, "attrs") == 0) return attrs_of(ev, v);
    if (strcmp(name, "is_tensor") == 0) return uc_pv_bool(v.kind == UC_PV_TENSOR);
    if (strcmp(name, "is_module") == 0) {
        const uc_pv module = uc_py_library(ev, "torch.nn.Module");
        return uc_pv_bool(v.kind == UC_PV_OBJECT && module.kind == UC_PV_CLASS &&
                          uc_py_class_is(v.object->class, module.class));
    }
    if (strcmp(name, "parameter") == 0 && v.kind == UC_PV_TENSOR) {
        const uc_pv copy = deep_copy(ev, v, 0);
        if (copy.kind == UC_PV_TENSOR) copy.tensor->parameter = true;
        return copy;
    }
    if (strcmp(name, "parameter") == 0) return v;
    if (strcmp(name, "is_parameter") == 0)
        return uc_pv_bool(v.kind == UC_PV_TENSOR && v.tensor->parameter);
    if (strcmp(name, "new") == 0 && v.kind == UC_PV_CLASS) {
        uc_py_object *o = uc_py_object_new(ev, v.class);
        return o ? (uc_pv){.kind = UC_PV_OBJECT, .object = o} : uc_pv_none();
    }
    if (strcmp(name, "fail") == 0)
        return uc_py_fail(ev, "%s", v.kind == UC_PV_TEXT ? uc_py_text(ev, v) : "?");
    return uc_pv_none(); /* _uncork.nothing */
}

static uc_pv last_of(const uc_py_args *a, size_t i)
{
    return a->count > i ? a->items[i] : a->count ? a->items[0] : uc_pv_none();
}

/* Libraries around torch whose functions have a value here. */
static uc_pv other_call(uc_py_eval *ev, const char *path, const uc_py_args *a)
{
    const char *name;
    if ((name = after(path, "_uncork."))) return own_call(ev, name, a);
    if ((name = after(path, "math.")) || (name = after(path, "numpy.")))
        return math_call(ev, name, a);
    if (strcmp(path, "copy.deepcopy") == 0 || strcmp(path, "copy.copy") == 0)
        return deep_copy(ev, last_of(a, 9), 0);
    if (strcmp(path, "functools.partial") == 0) return partial(ev, a);
    if (strcmp(path, "functools.reduce") == 0 && a->count >= 2) {
        const uc_py_list *l = uc_py_elements(ev, a->items[1]);
        size_t i = a->count == 2 ? 1 : 0;
        if (!l || (a->count == 2 && l->count == 0)) return uc_pv_none();
        uc_pv v = a->count == 2 ? l->items[0] : a->items[2];
        for (; i < l->count && !ev->failed; i++) {
            uc_pv pair[] = {v, l->items[i]};
            v = uc_py_call(ev, a->items[0], &(uc_py_args){.items = pair, .count = 2});
        }
        return v;
    }
    if (strcmp(path, "collections.OrderedDict") == 0 || strcmp(path, "typing.OrderedDict") == 0)
        return uc_py_builtin(ev, "dict", a);
    if (strcmp(path, "collections.defaultdict") == 0) {
        const uc_pv d = uc_py_builtin(ev, "dict", &(uc_py_args){0});
        if (d.kind == UC_PV_DICT) d.dict->fallback = last_of(a, 9);
        return d;
    }
    if (strcmp(path, "itertools.repeat") == 0 && a->count == 2)
        return uc_py_binary(ev, UC_PY_MUL, uc_pv_list(ev, UC_PV_LIST, a->items, 1), a->items[1]);
    if (strcmp(path, "itertools.chain") == 0 ||
        strcmp(path, "itertools.chain.from_iterable") == 0) {
        uc_py_list *out = uc_py_list_new(ev, 0);
        const bool one = strlen(path) > 16 && a->count == 1;
        const uc_py_list *rows = one ? uc_py_elements(ev, a->items[0]) : NULL;
        const uc_py_list given = {.items = a->items, .count = a->count};
        if (!one) rows = &given;
        for (size_t i = 0; rows && out && i < rows->count; i++) {
            const uc_py_list *l = uc_py_elements(ev, rows->items[i]);
            for (size_t k = 0; l && k < l->count; k++)
                uc_py_list_add(ev->arena, out, l->items[k]);
        }
        return (uc_pv){.kind = UC_PV_LIST, .list = out};
    }
    if (strcmp(path, "typing.cast") == 0) return last_of(a, 1);
    if (after(path, "typing.") || after(path, "warnings.") || after(path, "logging.") ||
        after(path, "abc."))
        return uc_pv_none();
    return UC_PV(UC_PV_UNSET);
}

/* ---- torch ----------------------------------------------------------------------------------- */

/* What changes no prediction: modes, devices, seeds, checks. */
static bool is_idle(const char *name, uc_pv *value)
{
    static const struct {
        const char *name;
        int value; /* 0 None, 1 False, 2 True, 3 the first argument */
    } idle[] = {{"no_grad", 0},
                {"enable_grad", 0},
                {"inference_mode", 0},
                {"set_grad_enabled", 0},
                {"manual_seed", 0},
                {"autocast", 0},
                {"amp.autocast", 0},
                {"cuda.amp.autocast", 0},
                {"autograd.set_detect_anomaly", 0},
                {"_C._log_api_usage_once", 0},
                {"_assert", 0},
                {"cuda.is_available", 1},
                {"is_grad_enabled", 1},
                {"jit.is_scripting", 1},
                {"jit.is_tracing", 1},
                {"cuda.device_count", 1},
                {"backends.mps.is_available", 1},
                {"is_autocast_enabled", 1},
                {"onnx.is_in_onnx_export", 1},
                {"compiler.is_compiling", 1},
                {"jit.script", 3},
                {"jit.ignore", 3},
                {"jit.unused", 3},
                {"jit.export", 3},
                {"compile", 3},
                {"fx.wrap", 3},
                {"set_default_dtype", 0},
                {"set_float32_matmul_precision", 0},
                {"autograd.Variable", 3},
                {"utils.checkpoint.checkpoint_sequential", 0},
                {"warn", 0},
                {"random.seed", 0},
                {"cuda.manual_seed", 0},
                {"cuda.manual_seed_all", 0},
                {"_C._get_tracing_state", 0},
                {"nn.utils.weight_norm", 3},
                {"nn.utils.spectral_norm", 3},
                {"nn.utils.parametrizations.weight_norm", 3},
                {"nn.utils.parametrizations.spectral_norm", 3},
                {"special.none", 0},
                {"manual_seed_all", 0},
                {"set_printoptions", 0},
                {"profiler.record_function", 0},
                {"jit._overload_method", 3}};
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
        if (strcmp(name, idle[i].name) != 0) continue;
        if (idle[i].value == 1 || idle[i].value == 2)
            *value = uc_pv_bool(idle[i].value == 2);
        else if (idle[i].value == 0)
            *value = uc_pv_none();
        return true;
    }
    return strncmp(name, "backends.", 9) == 0;
}

static uc_pv torch_call(uc_py_eval *ev, const char *name, const uc_py_args *a)
{
    static const struct {
        const char *prefix, *to;
    } spaces[] = {{"Tensor.", ""},  {"linalg.", "linalg_"}, {"special.", "special_"},
                  {"fft.", "fft_"}, {"nn.functional.", ""}, {"_C._nn.", ""},
                  {"ops.aten.", ""}};
    uc_pv v = last_of(a, SIZE_MAX - 1);
    if (is_idle(name, &v)) return v;
    if (strcmp(name, "device") == 0) return UC_PV(UC_PV_DEVICE);
    if (strcmp(name, "Size") == 0) return uc_py_builtin(ev, "tuple", a);
    if (strcmp(name, "is_tensor") == 0) return uc_pv_bool(v.kind == UC_PV_TENSOR);
    if (strcmp(name, "Generator") == 0) return uc_pv_none();
    if (strcmp(name, "get_default_dtype") == 0) return (uc_pv){.kind = UC_PV_DTYPE, .i = 6};
    if (after(name, "nn.init.") || after(name, "nn.utils.clip_grad")) return v;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        const char *rest = after(name, spaces[i].prefix);
        if (rest)
            return uc_aten_run(ev, "aten", uc_arena_printf(ev->arena, "%s%s", spaces[i].to, rest),
                               a);
    }
    const char *op = after(name, "ops.torchvision.");
    if (op) return uc_aten_run(ev, "torchvision", op, a);
    op = after(name, "ops.quantized.");
    if (op) return uc_aten_run(ev, "quantized", op, a);
    static const struct {
        const char *name;
        int code;
    } old[] = {{"FloatTensor", 6},  {"LongTensor", 4},  {"IntTensor", 3},
               {"DoubleTensor", 7}, {"BoolTensor", 11}, {"Tensor", 6}};
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        if (strcmp(name, old[i].name) != 0) continue;
        const bool sizes = a->count > 0 && a->items[0].kind == UC_PV_INT;
        uc_py_args with = *a;
        const char *names[] = {uc_py_id(ev, "dtype")};
        uc_pv type[] = {{.kind = UC_PV_DTYPE, .i = old[i].code}};
        with.names = names;
        with.values = type;
        with.named = 1;
        return uc_aten_run(ev, "aten", sizes || a->count == 0 ? "zeros" : "tensor", &with);
    }
    if (strchr(name, '.')) return UC_PV(UC_PV_UNSET);
    return uc_aten_run(ev, "aten", name, a);
}

uc_pv uc_py_call_path(uc_py_eval *ev, const char *path, const uc_py_args *args)
{
    const char *name;
    uc_pv v = UC_PV(UC_PV_UNSET);
    if (ev->script && (name = after(path, "torch."))) v = uc_py_script_op(ev, name, args);
    if (ev->failed || v.kind != UC_PV_UNSET) return v;
    if ((name = after(path, "torch.")))
        v = torch_call(ev, name, args);
    else if ((name = after(path, "ops.aten.")))
        v = torch_call(ev, name, args);
    else if ((name = after(path, "ops.")))
        v = uc_py_script_space(ev, name, args);
    else if (!strchr(path, '.'))
        v = uc_py_builtin(ev, path, args);
    else
        v = other_call(ev, path, args);
    if (ev->failed || v.kind != UC_PV_UNSET || (ev->script && strcmp(path, "uninitialized") == 0))
        return v;
    return uc_py_fail(ev, "%.200s isn't supported", path);
}
