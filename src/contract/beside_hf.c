/* transformers' preprocessor_config.json. Source: image_processing_backends.py and the processors of
 * transformers 5 (torchvision's arithmetic on bytes, factor and mean fused in float32) and, for the
 * Pillow backend, their image_processing_pil_*.py. */
#include "contract/beside_internal.h"

#include "base/text.h"

static const char *filter_name(int64_t code)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear",
                                        "bicubic", "box",     "hamming"};
    return code >= 0 && code < 6 ? names[code] : "bilinear";
}

bool uc_beside_numbers(const uc_json *json, double by, uc_writer *out)
{
    size_t count = uc_json_count(json);
    if (!json || count > 4) return false;
    bool one = json->kind == UC_JSON_INT || json->kind == UC_JSON_FLOAT;
    if (!one && (json->kind != UC_JSON_NUMBERS || (count != 1 && count < 3))) return false;
    for (size_t i = 0; i < (one ? 1 : count); i++) {
        double v = one ? json->number
                       : uc_dtype_load_f64(json->numbers->data, (int64_t)i, json->numbers->dtype);
        char text[32];
        if (i) uc_writer_text(out, ",");
        if (by > 0) {
            size_t n = uc_f32_text((float)v * (float)by, text);
            uc_writer_put(out, text, n > 2 && memcmp(text + n - 2, ".0", 2) == 0 ? n - 2 : n);
        } else {
            uc_writer_put(out, text, uc_f64_plain_text(v, text));
        }
    }
    return true;
}

typedef struct processor {
    const uc_json *json;
    uc_str type;
    bool tensor; /* torchvision's arithmetic */
} processor;

static bool told(const processor *p, const char *key, bool otherwise)
{
    return uc_json_bool(uc_json_get(p->json, key), otherwise);
}

static bool is_type(const processor *p, const char *begin)
{
    size_t n = strlen(begin);
    return p->type.size >= n && memcmp(p->type.data, begin, n) == 0;
}

/* One number for a size is the shorter side for these, a square for the others. */
static bool is_shorter_side(const processor *p)
{
    static const char *const types[] = {"CLIP",       "ConvNext", "Levit",     "LeViT",
                                        "PoolFormer", "Bit",      "MobileNet", "MobileViT",
                                        "Chinese",    "Detr",     "DETR"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (is_type(p, types[i])) return true;
    }
    return false;
}

static void put_resize(const processor *p, int64_t w, int64_t h, uc_writer *out)
{
    uc_writer_printf(out, h ? "resize=%lldx%lld" : "resize=%lld", (long long)w, (long long)h);
    uc_writer_printf(out, ",%s,%s", filter_name(uc_json_i64(uc_json_get(p->json, "resample"), 2)),
                     p->tensor ? "torchvision" : "pillow");
}

/* The shorter side, and what ConvNext, PoolFormer and others do with crop_pct. */
static void put_shorter(const processor *p, int64_t edge, int64_t longest, uc_writer *out)
{
    const double crop_pct = uc_json_f64(uc_json_get(p->json, "crop_pct"), 0);
    const bool crops = told(p, "do_center_crop", false);
    if (is_type(p, "Levit") || is_type(p, "LeViT")) edge = (int64_t)(256.0 / 224 * (double)edge);
    if (crop_pct > 0 && (is_type(p, "PoolFormer") || edge < 384)) {
        put_resize(p, (int64_t)((double)edge / crop_pct), 0, out);
        if (!crops)
            uc_writer_printf(out, " | center_crop=%lldx%lld,hf", (long long)edge, (long long)edge);
    } else if (crop_pct > 0 && !crops) {
        put_resize(p, edge, edge, out);
    } else {
        put_resize(p, edge, 0, out);
        if (longest) uc_writer_printf(out, ",longest_edge=%lld", (long long)longest);
    }
}

static bool put_size(const processor *p, uc_writer *out)
{
    const uc_json *size = uc_json_get(p->json, "size");
    if (!told(p, "do_resize", true) || !size) return true;
    uc_writer_text(out, " | ");
    if (size->kind == UC_JSON_INT) {
        if (is_shorter_side(p)) {
            put_shorter(p, size->integer, 0, out);
        } else {
            put_resize(p, size->integer, size->integer, out);
        }
        return true;
    }
    if (size->kind == UC_JSON_NUMBERS && uc_json_count(size) == 2) { /* [width, height], long ago */
        const uc_tensor *t = size->numbers;
        put_resize(p, uc_dtype_load_i64(t->data, 0, t->dtype),
                   uc_dtype_load_i64(t->data, 1, t->dtype), out);
        return true;
    }
    const int64_t edge = uc_json_i64(uc_json_get(size, "shortest_edge"), 0),
                  longest = uc_json_i64(uc_json_get(size, "longest_edge"), 0),
                  w = uc_json_i64(uc_json_get(size, "width"), 0),
                  h = uc_json_i64(uc_json_get(size, "height"), 0);
    if (edge > 0) {
        put_shorter(p, edge, longest, out);
    } else if (w > 0 && h > 0) {
        put_resize(p, w, h, out);
    } else {
        return false;
    }
    return true;
}

static void put_crop(const processor *p, uc_writer *out)
{
    const uc_json *crop = uc_json_get(p->json, "crop_size");
    if (!told(p, "do_center_crop", false) || !crop) return;
    int64_t n = crop->kind == UC_JSON_INT ? crop->integer : 0;
    int64_t w = uc_json_i64(uc_json_get(crop, "width"), n),
            h = uc_json_i64(uc_json_get(crop, "height"), n);
    uc_writer_printf(out, " | center_crop=%lldx%lld,hf", (long long)w, (long long)h);
}

/* The fused form of the torchvision backend: (x - mean * 255) / (std * 255), all in float32. */
static bool put_fused(const processor *p, double factor, uc_writer *out)
{
    uc_writer_text(out, " | float32 | mean=");
    if (!uc_beside_numbers(uc_json_get(p->json, "image_mean"), 1.0 / factor, out)) return false;
    uc_writer_text(out, " | std=");
    return uc_beside_numbers(uc_json_get(p->json, "image_std"), 1.0 / factor, out);
}

static bool put_values(const processor *p, uc_writer *out)
{
    const double factor = uc_json_f64(uc_json_get(p->json, "rescale_factor"), 1.0 / 255);
    /* Before transformers 4.27 nothing said it: what is normalised was scaled. */
    const bool normalize = told(p, "do_normalize", true) && uc_json_get(p->json, "image_mean"),
               rescale = told(p, "do_rescale", true) && factor > 0;
    if (told(p, "do_flip_channel_order", false)) uc_writer_text(out, " | bgr");
    if (p->tensor && normalize && rescale) return put_fused(p, factor, out);
    if (rescale && !p->tensor) {
        uc_writer_printf(out, " | scale=%.17g | float32", factor);
    } else {
        uc_writer_text(out, " | float32");
        if (rescale) uc_writer_printf(out, " | scale=%.17g", factor);
    }
    if (!normalize) return true;
    uc_writer_text(out, " | mean=");
    if (!uc_beside_numbers(uc_json_get(p->json, "image_mean"), 0, out)) return false;
    uc_writer_text(out, " | std=");
    return uc_beside_numbers(uc_json_get(p->json, "image_std"), 0, out);
}

static bool put_all(const processor *p, uc_writer *out)
{
    uc_writer_text(out, "rgb");
    if (!put_size(p, out)) return false;
    put_crop(p, out);
    if (!put_values(p, out)) return false;
    if (is_type(p, "EfficientNet") && told(p, "include_top", true)) {
        uc_writer_text(out, " | std=");
        if (!uc_beside_numbers(uc_json_get(p->json, "image_std"), 0, out)) return false;
    }
    const int64_t divisor = uc_json_i64(uc_json_get(p->json, "size_divisor"), 0);
    if (divisor > 0) uc_writer_printf(out, " | pad_to_multiple=%lld", (long long)divisor);
    uc_writer_text(out, " | nchw");
    return true;
}

static bool ends_with(uc_str s, const char *end)
{
    size_t n = strlen(end);
    return s.size >= n && memcmp(s.data + s.size - n, end, n) == 0;
}

/* What these do to a picture isn't a matter of their settings alone (tools/gen_presets.py has the same
 * list): no steps are better than others'. */
static bool has_its_own_way(const processor *p)
{
    static const char *const types[] = {"Donut", "Swin2SR", "Siglip2", "Yolos", "Mask2Former"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (is_type(p, types[i])) return true;
    }
    return false;
}

bool uc_beside_hf(const uc_json *json, uc_writer *spec, uc_writer *other)
{
    processor p = {.json = json,
                   .type = uc_json_str(uc_json_get(json, "image_processor_type"), "")};
    bool extractor = false;
    if (!p.type.size) {
        p.type = uc_json_str(uc_json_get(json, "feature_extractor_type"), "");
        extractor = p.type.size > 0;
    }
    /* audio has the same file's name and none of these */
    if (!uc_json_get(json, "image_mean") && !uc_json_get(json, "size") &&
        !uc_json_get(json, "do_rescale")) {
        return false;
    }
    if (has_its_own_way(&p)) return false;
    const bool fast = ends_with(p.type, "Fast"), pillow = extractor || ends_with(p.type, "Pil");
    p.tensor = !pillow;
    if (!put_all(&p, spec)) return false;
    if (fast || pillow) return true;
    p.tensor = false;
    return put_all(&p, other);
}

const char *uc_beside_hf_preset(uc_str model_type)
{
    static const char *const table[][2] = {
        {"vit", "hf:ViTImageProcessor"},
        {"swin", "hf:ViTImageProcessor"},
        {"deit", "hf:DeiTImageProcessor"},
        {"beit", "hf:BeitImageProcessor"},
        {"convnext", "hf:ConvNextImageProcessor"},
        {"convnextv2", "hf:ConvNextImageProcessor"},
        {"resnet", "hf:ConvNextImageProcessor"},
        {"regnet", "hf:ConvNextImageProcessor"},
        {"clip", "hf:CLIPImageProcessor"},
        {"siglip", "hf:SiglipImageProcessor"},
        {"dinov2", "hf:BitImageProcessor"},
        {"bit", "hf:BitImageProcessor"},
        {"efficientnet", "hf:EfficientNetImageProcessor"},
        {"mobilenet_v1", "hf:MobileNetV1ImageProcessor"},
        {"mobilenet_v2", "hf:MobileNetV2ImageProcessor"},
        {"mobilevit", "hf:MobileViTImageProcessor"},
        {"levit", "hf:LevitImageProcessor"},
        {"poolformer", "hf:PoolFormerImageProcessor"},
        {"pvt", "hf:PvtImageProcessor"},
        {"segformer", "hf:SegformerImageProcessor"},
        {"dpt", "hf:DPTImageProcessor"},
        {"detr", "hf:DetrImageProcessor"},
        {"rt_detr", "hf:RTDetrImageProcessor"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (uc_str_is(model_type, table[i][0])) return table[i][1];
    }
    return NULL;
}
