/* What a contract gives, as far as its steps fix it, against what the model takes. */
#include "contract/contract_internal.h"

#include <stdio.h>

/* The channels that a step leaves; `before` where it keeps them. */
static int64_t channels_after(const uc_step *s, int64_t before)
{
    const char *name = s->row->name;
    if (strcmp(name, "decode") == 0) {
        switch ((uc_colours)s->variant) {
        case UC_COLOURS_GRAY: return 1;
        case UC_COLOURS_GRAY_ALPHA: return 2;
        case UC_COLOURS_COLOR: return 3;
        case UC_COLOURS_RGBA: return 4;
        case UC_COLOURS_UNCHANGED:
        case UC_COLOURS_ANYDEPTH: return -1;
        }
    }
    if (strcmp(name, "gray") == 0 || strcmp(name, "float") == 0) return 1;
    if (strcmp(name, "rgb") == 0) return 3;
    if (strcmp(name, "rgba") == 0) return 4;
    if (s->row->kind == UC_KIND_VALUES && s->value_count > 1 && before < 0) return s->value_count;
    return before;
}

static void size_after(const uc_step *s, uc_contract_shape *r)
{
    const char *name = s->row->name;
    bool exact =
        strcmp(name, "resize") == 0 && s->height && !(s->flags & (UC_FLAG_FIT | UC_FLAG_COVER));
    if (exact || strcmp(name, "center_crop") == 0 || strcmp(name, "crop") == 0 ||
        strcmp(name, "crop_or_pad") == 0 || strcmp(name, "letterbox") == 0) {
        r->width = s->width;
        r->height = s->height;
        return;
    }
    if (strcmp(name, "pad") == 0 && r->width > 0) {
        r->width += s->left + s->right;
        r->height += s->top + s->bottom;
        return;
    }
    if (strcmp(name, "resize") == 0 || strcmp(name, "central_crop") == 0 ||
        strcmp(name, "pad_to_multiple") == 0 || strcmp(name, "exif") == 0) {
        r->width = r->height = -1;
    }
}

uc_contract_shape uc_contract_result(const uc_contract *contract)
{
    uc_contract_shape r = {-1, -1, -1, false, false, false};
    for (size_t i = 0; i < contract->count; i++) {
        const uc_step *s = &contract->steps[i];
        r.channels = channels_after(s, r.channels);
        if (s->row->kind == UC_KIND_PICTURE) size_after(s, &r);
        if (strcmp(s->row->name, "decode") == 0)
            r.bgr = s->library == UC_LIB_OPENCV && r.channels != 1;
        if (strcmp(s->row->name, "rgb") == 0) r.bgr = false;
        if (s->row->kind == UC_KIND_ORDER) r.bgr = true;
        if (s->row->kind != UC_KIND_LAYOUT) continue;
        if (s->row->extra == UC_PLACE_FIRST) r.first = true;
        if (s->row->extra == UC_PLACE_LAST) r.first = false;
        if (s->row->extra == UC_PLACE_FLAT) r.flat = true;
    }
    return r;
}

bool uc_contract_is_bgr(const uc_contract *contract) { return uc_contract_result(contract).bgr; }

static bool is_shape(const uc_contract_want *want, int64_t a, int64_t b, int64_t c)
{
    const int64_t shape[3] = {a, b, c};
    for (int d = 0; d < 3; d++) {
        if (want->rank != 3 || (want->shape[d] >= 0 && shape[d] >= 0 && want->shape[d] != shape[d]))
            return false;
    }
    return true;
}

static bool fits(const uc_contract_want *want, const uc_contract_shape *r)
{
    int64_t h = r->height, w = r->width, c = r->channels;
    if (want->rank == 3) {
        if (c == 1 && (is_shape(want, 1, h, w) || is_shape(want, h, w, 1))) return true;
        return r->first ? is_shape(want, c, h, w) : is_shape(want, h, w, c);
    }
    if (c < 0 || w < 0 || h < 0) return true; /* told by each picture */
    int64_t flat = c * w * h, expected = 1;
    for (int d = 0; d < want->rank; d++) {
        if (want->shape[d] < 0) return true;
        if (__builtin_mul_overflow(expected, want->shape[d], &expected)) return false;
    }
    return flat == expected;
}

static void number_or_any(int64_t v, char *text, size_t size)
{
    if (v < 0) {
        snprintf(text, size, "any");
    } else {
        snprintf(text, size, "%lld", (long long)v);
    }
}

uncork_status uc_contract_check(const uc_contract *contract, const uc_contract_want *want,
                                uncork_error *error)
{
    const uc_contract_shape r = uc_contract_result(contract);
    if (fits(want, &r)) return UNCORK_OK;
    char wanted[128], w[24], h[24], c[24], values[64] = "";
    uc_shape_text(want->shape, want->rank, wanted, sizeof wanted);
    number_or_any(r.width, w, sizeof w);
    number_or_any(r.height, h, sizeof h);
    number_or_any(r.channels, c, sizeof c);
    if (r.width > 0 && r.height > 0 && r.channels > 0) {
        snprintf(values, sizeof values, " (%lld values)",
                 (long long)(r.width * r.height * r.channels));
    }
    uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
            "--preprocess gives %s x %s pixels of %s channels%s, channels %s; the model takes %s",
            w, h, c, values, r.first ? "first" : "last", wanted);
    bool other = r.first ? is_shape(want, r.height, r.width, r.channels)
                         : is_shape(want, r.channels, r.height, r.width);
    if (want->rank == 3 && other && !r.flat) {
        return uc_fix(error, r.first ? "channels come last: leave nchw out of --preprocess"
                                     : "channels come first: put nchw at the end of --preprocess");
    }
    return uc_fix(error, "change resize=, gray or rgb so that both sides agree");
}
