/* Any bytes as a pickle or joblib file: no crash, no leak, no read past the end, no unbounded time or
 * memory; what is read is looked at as an importer would. */
#include "container/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Old joblib's side files: the name's own bytes serve as the file. */
static uncork_status read_side(void *context, uc_str name, uc_bytes *bytes, uncork_error *error)
{
    (void)context;
    (void)error;
    *bytes = (uc_bytes){(const uint8_t *)name.data, name.size};
    return UNCORK_OK;
}

static void look(const uc_pickle *v, uc_arena *arena, int depth, int *left)
{
    double number;
    int64_t integer;
    if (!v || depth > 30 || (*left)-- <= 0) {
        return;
    }
    uncork_error error = {0};
    (void)uc_pickle_f64(v, &number);
    (void)uc_pickle_i64(v, &integer);
    (void)uc_pickle_attr(v, "data");
    (void)uc_pickle_type_name(v, arena);
    const uc_tensor *t = uc_pickle_tensor(v, arena, &error);
    if (t && t->dtype != UNCORK_STRING && t->dtype != UNCORK_DTYPE_NONE && uc_tensor_count(t)) {
        (void)uc_dtype_load_f64(t->data, uc_tensor_count(t) - 1, t->dtype);
    }
    for (size_t i = 0; v->kind == UC_PICKLE_RECORDS && i < v->field_count; i++) {
        (void)uc_tensor_count(v->field_tensors[i]);
    }
    const size_t items = v->kind == UC_PICKLE_DICT ? 2 * v->count : v->count;
    for (size_t i = 0; v->items && i < items; i++) {
        look(v->items[i], arena, depth + 1, left);
    }
    look(v->args, arena, depth + 1, left);
    look(v->kwargs, arena, depth + 1, left);
    look(v->state, arena, depth + 1, left);
    look(v->list_items, arena, depth + 1, left);
    look(v->dict_items, arena, depth + 1, left);
    look(v->callee, arena, depth + 1, left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    const uc_pickle_side side = {read_side, NULL};
    const uc_bytes bytes = {data, size};
    uncork_error error = {0};
    uc_budget budget;
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_pickle *root;
    uc_pickle_info info;
    int left = 2000;
    (void)uc_pickle_probe(bytes);
    if (uc_pickle_read(bytes, &side, arena, &budget, &root, &info, &error) == UNCORK_OK) {
        look(root, arena, 0, &left);
    }
    uc_arena_free(arena);
    return 0;
}
