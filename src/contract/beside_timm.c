/* timm's config.json, Teachable Machine's metadata.json, Ultralytics' metadata. */
#include "contract/beside_internal.h"

#include "base/text.h"

#include <math.h>

static void put_scale(uc_writer *out) { uc_writer_text(out, " | float32 | scale=1/255"); }

/* transforms_imagenet_eval of timm 1.0.31 (data/transforms_factory.py). */
static bool put_timm(const uc_json *cfg, int64_t h, int64_t w, uc_writer *out)
{
    const double pct = uc_json_f64(uc_json_get(cfg, "crop_pct"), 0.875);
    const uc_str filter = uc_json_str(uc_json_get(cfg, "interpolation"), "bicubic"),
                 mode = uc_json_str(uc_json_get(cfg, "crop_mode"), "center");
    if (!(pct > 0.01) || pct > 1 || h < 1 || w < 1 || h > 65535 || w > 65535) return false;
    const long long sh = (long long)floor((double)h / pct), sw = (long long)floor((double)w / pct);
    const bool border = uc_str_is(mode, "border"), square = sh == sw;
    uc_writer_text(out, "rgb | ");
    if (!uc_str_is(mode, "squash") && !border && square) {
        uc_writer_printf(out, "resize=%lld", sh);
    } else {
        uc_writer_printf(out, "resize=%lldx%lld", sw, sh);
    }
    uc_writer_printf(out, ",%.*s,pillow%s", (int)(filter.size < 20 ? filter.size : 20), filter.data,
                     border                                ? ",fit"
                     : square || uc_str_is(mode, "squash") ? ""
                                                           : ",cover");
    uc_writer_printf(out, " | center_crop=%lldx%lld", (long long)w, (long long)h);
    const uc_json *mean = uc_json_get(cfg, "mean");
    for (size_t c = 0; border && mean && mean->kind == UC_JSON_NUMBERS && c < 3; c++) {
        if (c >= uc_json_count(mean)) return false;
        double v = uc_dtype_load_f64(mean->numbers->data, (int64_t)c, mean->numbers->dtype);
        uc_writer_printf(out, ",%.0f", nearbyint(255 * v));
    }
    put_scale(out);
    uc_writer_text(out, " | mean=");
    if (!uc_beside_numbers(mean, 0, out)) return false;
    uc_writer_text(out, " | std=");
    if (!uc_beside_numbers(uc_json_get(cfg, "std"), 0, out)) return false;
    uc_writer_text(out, " | nchw");
    return true;
}

bool uc_beside_timm(const uc_json *json, uc_writer *spec)
{
    const uc_json *cfg = uc_json_get(json, "pretrained_cfg");
    if (!cfg && uc_json_get(json, "crop_pct")) cfg = json; /* before timm 0.9 */
    const uc_json *size = uc_json_get(cfg, "input_size");
    if (!size || size->kind != UC_JSON_NUMBERS || uc_json_count(size) != 3) return false;
    const uc_tensor *t = size->numbers;
    return put_timm(cfg, uc_dtype_load_i64(t->data, 1, t->dtype),
                    uc_dtype_load_i64(t->data, 2, t->dtype), spec);
}

/* The code that Teachable Machine hands out with a Keras model: ImageOps.fit by LANCZOS, / 127.5 - 1. */
bool uc_beside_teachable(const uc_json *json, uc_writer *spec)
{
    const uc_str package = uc_json_str(uc_json_get(json, "packageName"), "");
    const int64_t n = uc_json_i64(uc_json_get(json, "imageSize"), 224);
    if (!uc_str_is(package, "@teachablemachine/image") || n < 1 || n > 4096) return false;
    uc_writer_printf(spec,
                     "rgb | resize=%lldx%lld,lanczos,pillow,imageops_fit | float32 | "
                     "scale=1/127.5 | add=-1 | nhwc",
                     (long long)n, (long long)n);
    return true;
}

/* "[640, 640]": height, width. */
static bool parse_pair(const char *text, int64_t *a, int64_t *b)
{
    if (*text != '[') return false;
    const char *comma = strchr(text, ','), *end = strchr(text, ']');
    if (!comma || !end || end < comma) return false;
    return uc_text_i64(uc_text_trim((uc_str){text + 1, (size_t)(comma - text - 1)}), a) &&
           uc_text_i64(uc_text_trim((uc_str){comma + 1, (size_t)(end - comma - 1)}), b) && *a > 0 &&
           *b > 0 && *a <= 65535 && *b <= 65535;
}

/* Ultralytics reads with OpenCV. Detectors take LetterBox (data/augment.py), classifiers torchvision's
 * transforms on a PIL picture (classify_transforms: mean 0, deviation 1). */
bool uc_beside_ultralytics(const uc_facts *facts, uc_writer *spec)
{
    const char *author = uc_fact_get_text(facts, "metadata.author"),
               *task = uc_fact_get_text(facts, "metadata.task"),
               *size = uc_fact_get_text(facts, "metadata.imgsz");
    int64_t h, w;
    if (!author || strcmp(author, "Ultralytics") != 0 || !task || !size ||
        !parse_pair(size, &h, &w)) {
        return false;
    }
    uc_writer_text(spec, "decode=opencv | rgb | ");
    if (strcmp(task, "classify") == 0) {
        uc_writer_printf(spec, "resize=%lld,bilinear,pillow | center_crop=%lldx%lld",
                         (long long)(h < w ? h : w), (long long)w, (long long)h);
    } else {
        uc_writer_printf(spec, "letterbox=%lldx%lld,114", (long long)w, (long long)h);
    }
    put_scale(spec);
    uc_writer_text(spec, " | nchw");
    return true;
}
