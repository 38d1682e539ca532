/* What a model is called by those who ought to know: --arch, timm's config.json, the name of the file or of
 * the folders that it lies in. Variants that no key tells apart are told apart by that. */
#include "import/pytorch/zoo/zoo_build.h"

enum { NAME = 100, FOLDERS = 4 };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

static bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

/* Whether text at i goes on as `start` does, '-' and '_' being one. */
static bool goes_on(uc_str text, size_t i, uc_str start)
{
    for (size_t k = 0; k < start.size; k++) {
        const char c = i + k < text.size ? lower(text.data[i + k]) : 0;
        if (c != start.data[k] && !(c == '-' && start.data[k] == '_')) return false;
    }
    return true;
}

/* The word at i, dashes as they are written in names: "efficientnet-b0" is "efficientnet_b0". */
static const char *word_at(uc_zoo *z, uc_str text, size_t i, size_t least)
{
    char name[NAME];
    size_t n = 0;
    for (; i + n < text.size && n + 1 < sizeof name; n++) {
        const char c = lower(text.data[i + n]);
        if (!is_word(c) && !(c == '-' && n < least)) break;
        name[n] = c == '-' ? '_' : c;
    }
    name[n] = 0;
    return uc_arena_str(z->arena, name);
}

/* The first of the words that begins as one of `starts` does. */
static const char *name_in(uc_zoo *z, uc_str text, const char *starts)
{
    for (size_t i = 0; i < text.size; i++) {
        if (i && is_letter(text.data[i - 1])) continue;
        for (const char *s = starts; *s;) {
            const size_t n = strcspn(s, " ");
            if (goes_on(text, i, (uc_str){s, n})) return word_at(z, text, i, n);
            s += n + (s[n] == ' ');
        }
    }
    return NULL;
}

static const char *name_in_path(uc_zoo *z, const char *starts)
{
    const char *path = z->file;
    size_t end = path ? strlen(path) : 0;
    for (int i = 0; i < FOLDERS && end > 0; i++) {
        size_t begin = end;
        while (begin > 0 && path[begin - 1] != '/') {
            begin--;
        }
        const char *name = name_in(z, (uc_str){path + begin, end - begin}, starts);
        if (name) return name;
        end = begin > 0 ? begin - 1 : 0;
    }
    return NULL;
}

const char *uc_z_said(uc_zoo *z, const char *starts)
{
    if (z->want) return name_in(z, uc_str_of(z->want), starts) == NULL ? NULL : z->want;
    const uc_str config = uc_json_str(uc_json_get(z->config, "architecture"), "");
    const char *name = name_in(z, config, starts);
    if (!name) name = name_in_path(z, starts);
    return name;
}

bool uc_z_say(uc_zoo *z, const char *starts, const char *otherwise)
{
    const char *name = uc_z_said(z, starts);
    uc_z_arch(z, "%s", name ? name : otherwise);
    return name != NULL;
}

/* ---- config.json ------------------------------------------------------------------------------ */

int64_t uc_z_setting(const uc_zoo *z, const char *name, int64_t otherwise)
{
    const double v = uc_json_f64(uc_json_get(z->config, name), 0);
    return v > 0 && v < (1 << 24) ? (int64_t)v : otherwise;
}

bool uc_z_flag(const uc_zoo *z, const char *name, bool otherwise)
{
    return uc_json_bool(uc_json_get(z->config, name), otherwise);
}

const char *uc_z_act_setting(uc_zoo *z, const char *name, const char *otherwise)
{
    static const char *const names[][2] = {
        {"gelu", "gelu"},
        {"gelu_new", "gelu_tanh"},
        {"gelu_fast", "gelu_tanh"},
        {"gelu_pytorch_tanh", "gelu_tanh"},
        {"relu", "relu"},
        {"relu6", "relu6"},
        {"silu", "silu"},
        {"swish", "silu"},
        {"quick_gelu", "quick_gelu"},
        {"selu", "selu"},
        {"tanh", "tanh"},
        {"mish", "mish"},
        {"sigmoid", "sigmoid"},
        {"leaky_relu", "leaky_relu"},
        {"hardswish", "hardswish"},
    };
    const uc_str said = uc_json_str(uc_json_get(z->config, name), "");
    if (!said.size) return otherwise;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (uc_str_equal(said, uc_str_of(names[i][0]))) return names[i][1];
    }
    uc_z_unlike(z, "%s that is '%.*s'", name, (int)said.size, said.data);
    return otherwise;
}
