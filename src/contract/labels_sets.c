/* Label sets that models say the name of, or that are known by it. */
#include "contract/labels.h"

/* SET(name, labels...) makes one array a set. */
#define SET(name, ...) static const char *const name##_labels[] = {__VA_ARGS__};
#include "contract/labels_sets.inc"
#undef SET

#define ROW(name)                                                            \
    {                                                                        \
#        name, name##_labels, sizeof name##_labels / sizeof name##_labels[0] \
    }
static const struct {
    const char *name;
    const char *const *labels;
    size_t count;
} sets[] = {ROW(imagenet),      ROW(coco),    ROW(coco91),   ROW(voc),           ROW(mnist),
            ROW(fashion_mnist), ROW(cifar10), ROW(cifar100), ROW(coco_keypoints)};

bool uc_labels_set(const char *name, uc_arena *arena, uc_labels *labels)
{
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (strcmp(sets[i].name, name) != 0) continue;
        labels->items = UC_NEW(arena, uc_str, sets[i].count);
        labels->count = labels->items ? sets[i].count : 0;
        for (size_t k = 0; k < labels->count; k++) {
            labels->items[k] = uc_str_of(sets[i].labels[k]);
        }
        return labels->count > 0;
    }
    return false;
}

const char *uc_labels_set_names(void)
{
    return "imagenet, coco, coco91, voc, mnist, fashion_mnist, cifar10, cifar100, coco_keypoints";
}
