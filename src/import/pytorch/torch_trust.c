/* What a pickle's globals would do when Python loads it. Nothing is called here, whatever they are; but a
 * file that calls functions that don't build data was made to do something, and isn't run. */
#include "import/pytorch/torch.h"

/* Modules whose mere mention is a sign. */
static const char *const denied[] = {
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "shutil",
    "socket",
    "ctypes",
    "runpy",
    "importlib",
    "imp",
    "pty",
    "platform",
    "code",
    "codeop",
    "webbrowser",
    "commands",
    "popen2",
    "pip",
    "timeit",
    "trace",
    "pdb",
    "bdb",
    "cProfile",
    "profile",
    "asyncio",
    "multiprocessing",
    "threading",
    "signal",
    "tempfile",
    "urllib",
    "requests",
    "http",
    "ftplib",
    "smtplib",
    "idlelib",
    "doctest",
    "unittest",
    "venv",
    "ensurepip",
    "distutils",
    "setuptools",
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "dill",
    "cloudpickle",
    "operator",
    "_operator",
    "inspect",
    "gc",
    "atexit",
    "aifc",
    "torch.hub",
    "torch.utils.cpp_extension",
    "torch.package",
};

static const char *const denied_names[] = {
    "eval",    "exec",    "execfile", "compile", "open",       "__import__", "getattr",
    "setattr", "delattr", "input",    "globals", "locals",     "vars",       "breakpoint",
    "map",     "filter",  "apply",    "reduce",  "memoryview",
};

/* Functions that only build data: "module.name", a '*' at the end takes every ending. */
static const char *const builders[] = {
    "torch._utils._rebuild_*",
    "torch._tensor._rebuild_*",
    "torch.tensor._rebuild_*",
    "torch.serialization._get_layout",
    "torch.storage._load_from_bytes",
    "torch.jit._pickle.*",
    "torch.device",
    "torch.Size",
    "torch.Generator",
    "torch.nn.modules.*",
    "torch._C._nn.*",
    "torch.distributed.*",
    "torch.ao.*",
    "torch.quantization.*",
    "torch.optim.*",
    "numpy._core.multiarray.*",
    "numpy.core.multiarray.*",
    "numpy._core.numeric._frombuffer",
    "numpy.core.numeric._frombuffer",
    "numpy.random._pickle.*",
    "numpy.dtype",
    "_codecs.encode",
    "copyreg.*",
    "copy_reg.*",
    "builtins.*",
    "__builtin__.*",
    "collections.*",
    "datetime.*",
    "pathlib.*",
    "decimal.*",
    "fractions.*",
    "functools.partial",
    "re._compile",
    "types.SimpleNamespace",
    "uuid.*",
    "enum.*",
    "array._array_reconstructor",
    "pandas._libs.*",
    "pandas.core.*",
    "sklearn.*",
    "omegaconf.*",
};

static bool begins(uc_str s, const char *prefix, size_t n)
{
    return s.size >= n && memcmp(s.data, prefix, n) == 0;
}

/* Whether `module` is `name` or lies inside of it. */
static bool is_within(uc_str module, const char *name)
{
    const size_t n = strlen(name);
    return begins(module, name, n) && (module.size == n || module.data[n] == '.');
}

static bool matches(const char *pattern, uc_str module, uc_str name)
{
    const size_t n = strlen(pattern);
    const bool open = n && pattern[n - 1] == '*';
    const size_t fixed = open ? n - 1 : n;
    char text[300];
    if (module.size + 1 + name.size >= sizeof text) return false;
    memcpy(text, module.data, module.size);
    text[module.size] = '.';
    memcpy(text + module.size + 1, name.data, name.size);
    const uc_str all = {text, module.size + 1 + name.size};
    return begins(all, pattern, fixed) && (open || all.size == fixed);
}

/* "Net", "_Outer.Inner": every part begins like a class. */
static bool is_class_name(uc_str name)
{
    bool first = true;
    if (!name.size) return false;
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        if (c == '.') {
            first = true;
        } else if (first && c != '_') {
            if (c < 'A' || c > 'Z') return false;
            first = false;
        }
    }
    return !first;
}

static bool is_denied(uc_str module, uc_str name)
{
    const bool builtin = uc_str_is(module, "builtins") || uc_str_is(module, "__builtin__");
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++) {
        if (is_within(module, denied[i])) return true;
    }
    for (size_t i = 0; builtin && i < sizeof denied_names / sizeof denied_names[0]; i++) {
        if (uc_str_is(name, denied_names[i])) return true;
    }
    if (uc_str_is(module, "torch") && (uc_str_is(name, "load") || uc_str_is(name, "save")))
        return true;
    /* a way through a module's own imports: torch.serialization, os.system */
    return memchr(name.data, '.', name.size) && !is_class_name(name);
}

static bool only_builds(const uc_pickle *symbol)
{
    if (is_denied(symbol->module, symbol->text)) return false;
    if (!symbol->boolean || is_class_name(symbol->text)) return true;
    if (uc_str_is(symbol->module, "numpy")) return true; /* types: numpy.float64(...) */
    for (size_t i = 0; i < sizeof builders / sizeof builders[0]; i++) {
        if (matches(builders[i], symbol->module, symbol->text)) return true;
    }
    return false;
}

void uc_t_check_globals(uc_t_file *f, const uc_pickle_info *info)
{
    for (size_t i = 0; i < info->symbol_count; i++) {
        const uc_pickle *s = info->symbols[i];
        if (only_builds(s)) continue;
        const int m = (int)(s->module.size < 80 ? s->module.size : 80);
        const int n = (int)(s->text.size < 80 ? s->text.size : 80);
        f->unsafe = true;
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "the file %s %.*s.%.*s when Python loads it",
                  s->boolean ? "calls" : "mentions", m, s->module.data, n, s->text.data);
        (void)uc_fix(&f->flaw, "such a file was made to run code: don't load it in Python either; "
                               "'uncork inspect' shows what it holds");
        return;
    }
    const uc_pickle *d = info->dropped;
    const bool tensor = d && (uc_t_is_tensor(d) || uc_str_is(d->module, "collections"));
    if (d && !tensor && d->is_call && !is_class_name(d->text) && d->text.size) {
        f->unsafe = true;
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "the file calls %.*s.%.*s and drops what it gives",
                  (int)(d->module.size < 80 ? d->module.size : 80), d->module.data,
                  (int)(d->text.size < 80 ? d->text.size : 80), d->text.data);
    }
}
