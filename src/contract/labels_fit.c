/* N labels against M classes: what is surely a shift by one is undone, what only looks like one is said. */
#include "contract/labels.h"

#include <stdio.h>

static bool is_background(uc_str s)
{
    static const char *const words[] = {"background", "__background__", "_background_", "bg",
                                        "???",        "dummy",          "unlabeled",    "none"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (uc_str_is(s, words[i])) return true;
    }
    return false;
}

/* ImageNet's first class under any of its names: "tench", "tench, Tinca tinca", "n01440764". */
static bool is_tench(uc_str s)
{
    return (s.size >= 5 && memcmp(s.data, "tench", 5) == 0) || uc_str_is(s, "n01440764");
}

uc_labels_fit uc_labels_fit_to(uc_labels *labels, int64_t classes, uc_arena *arena, char *text,
                               size_t size)
{
    int64_t n = (int64_t)labels->count;
    uc_str first = n ? labels->items[0] : (uc_str){0};
    text[0] = 0;
    if (n == classes) return UC_LABELS_EXACT;
    if (n == classes + 1 && (first.size == 0 || is_background(first))) {
        labels->items++;
        labels->count--;
        snprintf(text, size, "%lld labels for %lld classes: %s", (long long)n, (long long)classes,
                 first.size ? "the background's is left out" : "the labels count from 1");
        return UC_LABELS_SHIFTED;
    }
    if (n == classes - 1 && is_tench(first)) {
        uc_str *items = UC_NEW(arena, uc_str, (size_t)classes);
        if (!items) return UC_LABELS_FEW;
        memcpy(items + 1, labels->items, labels->count * sizeof *items);
        items[0] = uc_str_of("background");
        *labels = (uc_labels){items, (size_t)classes};
        snprintf(text, size, "%lld labels for %lld classes: class 0 is taken as the background",
                 (long long)n, (long long)classes);
        return UC_LABELS_SHIFTED;
    }
    if (n == classes - 1) {
        snprintf(text, size,
                 "%lld labels for %lld classes: label 1 is taken for class 0; if class 0 is a "
                 "background, put a line for it first",
                 (long long)n, (long long)classes);
        return UC_LABELS_ODD;
    }
    snprintf(text, size, "%lld labels for %lld classes%s", (long long)n, (long long)classes,
             n > classes ? ": the first are taken" : "");
    return n > classes ? UC_LABELS_ODD : UC_LABELS_FEW;
}
