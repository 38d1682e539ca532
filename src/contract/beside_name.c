/* Architectures by name: which preset's name stands in a text. */
#include "contract/beside_internal.h"
#include "contract/contract.h"

#define NAME_MAX_LENGTH 96
#define NAME_MIN_LENGTH 5

static bool is_separator(char c) { return c == '-' || c == '_' || c == ' '; }

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* Letters of `name` at the beginning of text, separators skipped in both; how many of text's. */
static size_t match_at(uc_str text, const char *name, size_t size)
{
    size_t i = 0, k = 0;
    while (k < size) {
        if (is_separator(name[k])) {
            k++;
        } else if (i && i < text.size && is_separator(text.data[i])) {
            i++;
        } else if (i < text.size && lower(text.data[i]) == lower(name[k])) {
            i++;
            k++;
        } else {
            return 0;
        }
    }
    return i;
}

static bool stands_in(uc_str text, const char *name, size_t size)
{
    for (size_t i = 0; i < text.size; i++) {
        if (i && is_word(text.data[i - 1])) continue;
        size_t n = match_at((uc_str){text.data + i, text.size - i}, name, size);
        if (n && (i + n == text.size || !is_word(text.data[i + n]))) return true;
    }
    return false;
}

/* Length of a name's part between the library and the weights: "resnet50" of "timm:resnet50.a1_in1k". */
static size_t model_part(const char *name, const char **begin)
{
    const char *colon = strchr(name, ':');
    *begin = colon ? colon + 1 : name;
    return strcspn(*begin, ":.");
}

static const char *const libraries[] = {"torchvision:", "keras:", "timm:"};

bool uc_beside_architecture(uc_str text, bool channels_last, const char **preset,
                            const char **other, uc_arena *arena)
{
    const char *found[3] = {NULL, NULL, NULL}, *name, *steps;
    size_t longest[3] = {0, 0, 0};
    if (text.size > 512) text.size = 512;
    for (size_t i = 0; uc_contract_preset_at(i, &name, &steps); i++) {
        const char *begin;
        size_t size = model_part(name, &begin);
        if (size < NAME_MIN_LENGTH || size > NAME_MAX_LENGTH) continue;
        for (int l = 0; l < 3; l++) {
            if (strncmp(name, libraries[l], strlen(libraries[l])) != 0 || size <= longest[l])
                continue;
            if (!stands_in(text, begin, size)) continue;
            longest[l] = size;
            found[l] = uc_arena_copy(arena, name, (size_t)(begin - name) + size);
        }
    }
    size_t most = 0;
    for (int l = 0; l < 3; l++) {
        if (longest[l] > most) most = longest[l];
    }
    const int order[2][3] = {{0, 2, 1}, {1, 0, 2}};
    *preset = *other = NULL;
    for (int k = 0; k < 3 && most; k++) {
        int l = order[channels_last][k];
        if (!found[l] || longest[l] < most) continue;
        if (!*preset) {
            *preset = found[l];
        } else if (!*other) {
            *other = found[l];
        }
    }
    return *preset != NULL;
}
