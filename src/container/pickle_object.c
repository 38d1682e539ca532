/* Opcodes about globals and objects: a global is a name, a call is kept and not made. */
#include "base/limits.h"
#include "container/pickle_machine.h"

static void note_numpy(uc_pickle_machine *m, uc_str module)
{
    static const char two[] = "numpy._core", one[] = "numpy.core";
    if (module.size >= sizeof two - 1 && !memcmp(module.data, two, sizeof two - 1)) {
        m->numpy_major = 2;
    } else if (module.size >= sizeof one - 1 && !memcmp(module.data, one, sizeof one - 1)) {
        m->numpy_major = 1;
    }
}

/* The one SYMBOL of a module and name. */
static uncork_status intern(uc_pickle_machine *m, uc_str module, uc_str name, uc_pickle **symbol)
{
    if (module.size > UC_LIMIT_PICKLE_NAME || name.size > UC_LIMIT_PICKLE_NAME) {
        return uc_fail(m->error, UNCORK_LIMIT, m->op_offset, "%s has a name of %zu bytes",
                       m->op_name, module.size > name.size ? module.size : name.size);
    }
    char key[2 * UC_LIMIT_PICKLE_NAME + 1];
    memcpy(key, module.data, module.size);
    key[module.size] = '\n';
    memcpy(key + module.size + 1, name.data, name.size);
    const uc_str look = {key, module.size + 1 + name.size};
    *symbol = (uc_pickle *)uc_table_find(m->symbol_table, look);
    if (*symbol) {
        return UNCORK_OK;
    }
    const uc_str kept = {uc_arena_copy(m->arena, key, look.size), look.size};
    *symbol = uc_pickle_node(m, UC_PICKLE_SYMBOL);
    uc_pickle **symbols = (uc_pickle **)uc_arena_grow(m->arena, m->symbols, &m->symbol_capacity,
                                                      m->symbol_count + 1, sizeof *symbols);
    if (!kept.data || !*symbol || !symbols || !uc_table_put(m->symbol_table, kept, *symbol)) {
        return uc_pickle_out_of_memory(m);
    }
    (*symbol)->module = (uc_str){kept.data, module.size};
    (*symbol)->text = (uc_str){kept.data + module.size + 1, name.size};
    (*symbol)->integer = uc_pickle_builder_id(uc_pickle_builder_find(module, name));
    m->symbols = symbols;
    m->symbols[m->symbol_count++] = *symbol;
    note_numpy(m, module);
    return UNCORK_OK;
}

static uncork_status take_global(uc_pickle_machine *m, uc_pickle **symbol)
{
    uc_str module, name;
    UC_TRY(uc_pickle_line(m, &module));
    UC_TRY(uc_pickle_line(m, &name));
    return intern(m, module, name, symbol);
}

uncork_status uc_pickle_op_global(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle *symbol = NULL;
    UC_TRY(take_global(m, &symbol));
    return uc_pickle_push(m, symbol);
}

uncork_status uc_pickle_op_stack_global(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle *module, *name, *symbol = NULL;
    UC_TRY(uc_pickle_pop(m, &name));
    UC_TRY(uc_pickle_pop(m, &module));
    if (name->kind != UC_PICKLE_TEXT || module->kind != UC_PICKLE_TEXT) {
        return UC_PICKLE_FAIL(m, "STACK_GLOBAL of a %s and a %s, not of two str",
                              uc_pickle_type_name(module, m->scratch),
                              uc_pickle_type_name(name, m->scratch));
    }
    UC_TRY(intern(m, module->text, name->text, &symbol));
    return uc_pickle_push(m, symbol);
}

/* ---- objects -------------------------------------------------------------------------------- */

/* An instance of, or a call of, `callee`, which must be a global or what another call gave. */
static uncork_status new_object(uc_pickle_machine *m, uc_pickle *callee, uc_pickle *args,
                                bool is_call, uc_pickle **object)
{
    const bool is_symbol = callee->kind == UC_PICKLE_SYMBOL;
    if (!is_symbol && callee->kind != UC_PICKLE_OBJECT && callee->kind != UC_PICKLE_PERSISTENT) {
        return UC_PICKLE_FAIL(m, "%s of a %s, which is no class and no function", m->op_name,
                              uc_pickle_type_name(callee, m->scratch));
    }
    *object = uc_pickle_node(m, UC_PICKLE_OBJECT);
    if (!*object) {
        return uc_pickle_out_of_memory(m);
    }
    if (is_symbol) {
        (*object)->module = callee->module;
        (*object)->text = callee->text;
        (*object)->integer = callee->integer;
        callee->boolean = callee->boolean || is_call;
    } else {
        (*object)->callee = callee;
    }
    (*object)->args = args;
    (*object)->is_call = is_call;
    return UNCORK_OK;
}

static uncork_status push_object(uc_pickle_machine *m, uc_pickle *callee, uc_pickle **items,
                                 size_t count)
{
    uc_pickle *args = uc_pickle_node(m, UC_PICKLE_TUPLE), *object = NULL;
    if (!args) {
        return uc_pickle_out_of_memory(m);
    }
    UC_TRY(uc_pickle_extend(m, args, items, count));
    UC_TRY(new_object(m, callee, args, false, &object));
    callee->boolean = callee->boolean || callee->kind == UC_PICKLE_SYMBOL; /* these call */
    return uc_pickle_push(m, object);
}

uncork_status uc_pickle_op_inst(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle **items, *symbol = NULL;
    size_t count;
    UC_TRY(take_global(m, &symbol));
    UC_TRY(uc_pickle_pop_mark(m, &items, &count));
    return push_object(m, symbol, items, count);
}

uncork_status uc_pickle_op_obj(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle **items;
    size_t count;
    UC_TRY(uc_pickle_pop_mark(m, &items, &count));
    if (!count) {
        return UC_PICKLE_FAIL(m, "OBJ without a class");
    }
    return push_object(m, items[0], items + 1, count - 1);
}

/* TorchScript calls an enumeration with its bare value. Source: torch/csrc/jit/serialization/pickler.cpp. */
static bool is_bare(const uc_pickle_machine *m, const uc_pickle *args)
{
    const uc_pickle *callee = m->frame.height > 0 ? m->frame.stack[m->frame.height - 1] : NULL;
    return callee && callee->kind == UC_PICKLE_SYMBOL && callee->module.size >= 9 &&
           memcmp(callee->module.data, "__torch__", 9) == 0 &&
           (args->kind == UC_PICKLE_INT || args->kind == UC_PICKLE_FLOAT ||
            args->kind == UC_PICKLE_TEXT);
}

static uncork_status pop_args(uc_pickle_machine *m, uc_pickle **args)
{
    UC_TRY(uc_pickle_pop(m, args));
    if (is_bare(m, *args)) {
        uc_pickle *tuple = uc_pickle_node(m, UC_PICKLE_TUPLE);
        if (!tuple) return uc_pickle_out_of_memory(m);
        UC_TRY(uc_pickle_extend(m, tuple, args, 1));
        *args = tuple;
    }
    if ((*args)->kind != UC_PICKLE_TUPLE) {
        return UC_PICKLE_FAIL(m, "%s has a %s for arguments, not a tuple", m->op_name,
                              uc_pickle_type_name(*args, m->scratch));
    }
    return UNCORK_OK;
}

uncork_status uc_pickle_op_newobj(uc_pickle_machine *m, int with_kwargs)
{
    uc_pickle *kwargs = NULL, *args, *cls, *object = NULL;
    if (with_kwargs) {
        UC_TRY(uc_pickle_pop(m, &kwargs));
        if (kwargs->kind != UC_PICKLE_DICT) {
            return UC_PICKLE_FAIL(m, "NEWOBJ_EX has a %s for keywords, not a dict",
                                  uc_pickle_type_name(kwargs, m->scratch));
        }
    }
    UC_TRY(pop_args(m, &args));
    UC_TRY(uc_pickle_pop(m, &cls));
    UC_TRY(new_object(m, cls, args, false, &object));
    object->kwargs = kwargs;
    return uc_pickle_push(m, object);
}

uncork_status uc_pickle_op_reduce(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle *args, *callee, *value = NULL;
    UC_TRY(pop_args(m, &args));
    UC_TRY(uc_pickle_pop(m, &callee));
    if (callee->kind == UC_PICKLE_SYMBOL && callee->integer) {
        const uc_pickle_builder *builder = uc_pickle_builder_at(callee->integer);
        if (builder->call) {
            UC_TRY(builder->call(m, args, &value));
        }
    }
    if (!value) {
        UC_TRY(new_object(m, callee, args, true, &value));
    }
    return uc_pickle_push(m, value);
}

/* In place, for the object is in the memo already. */
uncork_status uc_pickle_op_build(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_pickle *state, *top;
    UC_TRY(uc_pickle_pop(m, &state));
    top = uc_pickle_top(m);
    if (!top) {
        return UNCORK_MALFORMED;
    }
    if (top->kind == UC_PICKLE_OBJECT || top->kind == UC_PICKLE_DTYPE) {
        top->state = state;
        const uc_pickle_builder *builder = top->integer ? uc_pickle_builder_at(top->integer) : NULL;
        return builder && builder->build ? builder->build(m, top) : UNCORK_OK;
    }
    if (top->kind == UC_PICKLE_DICT || top->kind == UC_PICKLE_SET || top->kind == UC_PICKLE_ARRAY ||
        top->kind == UC_PICKLE_RECORDS || top->kind == UC_PICKLE_OBJECTS) {
        top->state = state; /* attributes of an OrderedDict or of an array's subclass */
        return UNCORK_OK;
    }
    return UC_PICKLE_FAIL(m, "BUILD on a %s", uc_pickle_type_name(top, m->scratch));
}

uncork_status uc_pickle_op_persistent(uc_pickle_machine *m, int is_line)
{
    uc_pickle *id = NULL, *node;
    if (is_line) {
        uc_str line;
        UC_TRY(uc_pickle_line(m, &line));
        id = uc_pickle_node(m, UC_PICKLE_TEXT);
        if (!id) {
            return uc_pickle_out_of_memory(m);
        }
        id->text = line;
    } else {
        UC_TRY(uc_pickle_pop(m, &id));
    }
    node = uc_pickle_node(m, UC_PICKLE_PERSISTENT);
    if (!node) {
        return uc_pickle_out_of_memory(m);
    }
    UC_TRY(uc_pickle_extend(m, node, &id, 1));
    uc_pickle **all = (uc_pickle **)uc_arena_grow(m->arena, m->persistents, &m->persistent_capacity,
                                                  m->persistent_count + 1, sizeof *all);
    if (!all) {
        return uc_pickle_out_of_memory(m);
    }
    m->persistents = all;
    m->persistents[m->persistent_count++] = node;
    return uc_pickle_push(m, node);
}

uncork_status uc_pickle_op_extension(uc_pickle_machine *m, int width)
{
    (void)width;
    return uc_fail(m->error, UNCORK_UNSUPPORTED, m->op_offset,
                   "%s: an extension code means something only to the program that wrote it",
                   m->op_name);
}
