/* Presets: names that stand for steps. "torchvision:resnet50" and "torchvision:resnet50:IMAGENET1K_V2",
 * "keras:mobilenet_v2", "timm:NAME[.WEIGHTS]", "hf:CLASS". Case, '-' and '_' don't matter. */
#include "contract/contract_internal.h"

#include "base/text.h"

#include <stdio.h>

#define STEPS(text) text,
#define PRESET(name, index)
static const char *const pipelines[] = {
#include "contract/preset_table.def"
};
#undef STEPS
#undef PRESET

static const struct {
    const char *name;
    uint16_t pipeline;
} presets[] = {
#define STEPS(text)
#define PRESET(name, index) {name, index},
#include "contract/preset_table.def"
#undef STEPS
#undef PRESET
};

#define PRESET_COUNT (sizeof presets / sizeof presets[0])

static bool counts(char c) { return c != '-' && c != '_'; }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool is_same(uc_str a, const char *b)
{
    size_t i = 0;
    for (;;) {
        while (i < a.size && !counts(a.data[i]))
            i++;
        while (*b && !counts(*b))
            b++;
        if (i == a.size || !*b) return i == a.size && !*b;
        if (lower(a.data[i++]) != lower(*b++)) return false;
    }
}

/* What people call the libraries; torchvision and timm write "name.weights" or "name:weights". */
static uc_str usual_name(uc_str name, char *text, size_t size)
{
    static const struct {
        const char *other, *usual;
    } prefixes[] = {
        {"tv:", "torchvision:"},   {"torch:", "torchvision:"},        {"tf:", "keras:"},
        {"tensorflow:", "keras:"}, {"keras.applications:", "keras:"}, {"huggingface:", "hf:"},
        {"transformers:", "hf:"},
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t n = strlen(prefixes[i].other);
        if (name.size < n || memcmp(name.data, prefixes[i].other, n) != 0) continue;
        int used =
            snprintf(text, size, "%s%.*s", prefixes[i].usual, (int)(name.size - n), name.data + n);
        return (uc_str){text, used < (int)size ? (size_t)used : size - 1};
    }
    return name;
}

const char *uc_preset_find(uc_str name)
{
    char text[128];
    if (name.size >= sizeof text) return NULL;
    const uc_str usual = usual_name(name, text, sizeof text);
    for (size_t i = 0; i < PRESET_COUNT; i++) {
        if (is_same(usual, presets[i].name)) return pipelines[presets[i].pipeline];
    }
    return NULL;
}

bool uc_contract_is_preset(const char *spec)
{
    return uc_preset_find(uc_text_trim(uc_str_of(spec))) != NULL;
}

void uc_preset_nearest(uc_nearest *nearest)
{
    char text[128];
    if (nearest->word.size >= sizeof text) return;
    const uc_str asked = nearest->word;
    nearest->word = usual_name(asked, text, sizeof text);
    for (size_t i = 0; i < PRESET_COUNT; i++) {
        uc_nearest_offer(nearest, presets[i].name);
    }
    nearest->word = asked;
}

bool uc_contract_preset_at(size_t i, const char **name, const char **steps)
{
    if (i >= PRESET_COUNT) return false;
    *name = presets[i].name;
    *steps = pipelines[presets[i].pipeline];
    return true;
}
