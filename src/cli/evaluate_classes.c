/* A classifier's classes, as evaluate and doctor count its answers by them. */
#include "cli/evaluate.h"

#include "base/text.h"

int evaluate_classifier(const cli_answers *a)
{
    for (int i = 0; i < a->count; i++) {
        if (a->readings[i].kind == UC_POST_CLASSIFY) return i;
    }
    return -1;
}

uncork_status evaluate_names(const cli_answers *a, int reading, size_t count, uc_arena *arena,
                             uc_str **names, bool *named, uncork_error *error)
{
    char own[32];
    uc_str *made = UC_NEW(arena, uc_str, count + 1);
    *named = false;
    if (!made) return uc_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        const uc_str name = reading >= 0 ? cli_class_name(a, &a->readings[reading], (int64_t)i, own)
                                         : cli_table_class(a, (int64_t)i, own);
        const char *copy = uc_arena_copy(arena, name.data, name.size);
        if (!copy) return uc_fail_memory(error);
        made[i] = (uc_str){copy, name.size};
        int64_t number;
        *named = *named || !uc_text_i64(made[i], &number);
    }
    *names = made;
    return UNCORK_OK;
}
