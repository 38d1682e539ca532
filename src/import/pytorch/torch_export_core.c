/* Operators of core ATen that stand for others: copies of views, results with statistics beside them.
 * Source: torch 2.15, torch/_decomp/decompositions.py, torch/_refs. */
#include "import/pytorch/torch_export_core.h"

#include <stdio.h>

static uc_pv run(uc_py_eval *ev, const char *name, const uc_py_args *args)
{
    return uc_aten_run(ev, "aten", name, args);
}

/* value and things that nobody reads in eval(). */
static uc_pv with_nothing(uc_py_eval *ev, uc_pv value, size_t count)
{
    uc_pv items[4] = {value};
    for (size_t i = 1; i < count; i++) {
        items[i] = uc_pv_none();
    }
    return ev->failed ? uc_pv_none() : uc_pv_list(ev, UC_PV_TUPLE, items, count);
}

/* (input, weight, bias, running_mean, running_var, momentum, eps) */
static uc_pv batch_norm(uc_py_eval *ev, const uc_py_args *a)
{
    uc_pv items[9];
    if (a->count != 7) return uc_py_fail(ev, "a batch norm of %zu arguments", a->count);
    memcpy(items, a->items, 5 * sizeof *items);
    items[5] = uc_pv_bool(false); /* training */
    items[6] = a->items[5];
    items[7] = a->items[6];
    items[8] = uc_pv_bool(false);
    const uc_py_args args = {.items = items, .count = 9};
    return with_nothing(ev, run(ev, "batch_norm", &args), 3);
}

static uc_pv first(uc_py_eval *ev, const uc_py_args *a)
{
    return a->count ? a->items[0] : uc_py_fail(ev, "it has no arguments");
}

/* _to_copy(self, *, dtype, layout, device, ...) */
static uc_pv to_copy(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv dtype = uc_py_keyword(a, "dtype");
    uc_pv items[2] = {first(ev, a), dtype};
    if (ev->failed || dtype.kind == UC_PV_UNSET || dtype.kind == UC_PV_NONE) return items[0];
    return run(ev, "to", &(uc_py_args){.items = items, .count = 2});
}

static uc_pv dropout(uc_py_eval *ev, const uc_py_args *a)
{
    return with_nothing(ev, first(ev, a), 2);
}

/* _embedding_bag(...): the output, and three that only training reads. */
static uc_pv embedding_bag(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv all = run(ev, "embedding_bag", a);
    if (all.kind == UC_PV_TENSOR) return with_nothing(ev, all, 4);
    return all;
}

uc_pv uc_export_core(uc_py_eval *ev, const char *name, const uc_py_args *args)
{
    static const struct {
        const char *name;
        uc_pv (*run)(uc_py_eval *, const uc_py_args *);
    } rows[] = {
        {"_native_batch_norm_legit_no_training", batch_norm},
        {"_to_copy", to_copy},
        {"lift_fresh_copy", first},
        {"lift_fresh", first},
        {"native_dropout", dropout},
        {"_embedding_bag", embedding_bag},
        {"_embedding_bag_forward_only", embedding_bag},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, name) == 0) return rows[i].run(ev, args);
    }
    if (strcmp(name, "_local_scalar_dense") == 0) return run(ev, "item", args);
    char plain[80]; /* view_copy, permute_copy, ... */
    const size_t n = strlen(name);
    if (n < 6 || n >= sizeof plain || strcmp(name + n - 5, "_copy") != 0) return UC_PV(UC_PV_UNSET);
    memcpy(plain, name, n - 5);
    plain[n - 5] = 0;
    return run(ev, plain, args);
}
