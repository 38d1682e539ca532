/* Resizes, crops and pads as Python, by the library that each follows. */
#include "contract/python_internal.h"

#include <stdio.h>

/* Width and height of what is there, in the program's own words. */
static void put_sides(uc_python *p)
{
    uc_py_line(p, p->array ? "h, w = x.shape[:2]" : "w, h = img.size");
}

/* The shorter side becomes N: width and height in `size`. Source: torchvision 0.24,
 * transforms/functional.py, _compute_resized_output_size. */
static bool put_shorter(uc_python *p, const uc_step *s)
{
    if (s->flags & UC_FLAG_LONGEST_EDGE) return false;
    put_sides(p);
    uc_py_line(p, "short, long = min(w, h), max(w, h)");
    uc_py_line(p, "short, long = %d, int(%d * long / short)", s->width, s->width);
    if (s->longest)
        uc_py_line(p, "if long > %d: short, long = int(%d * short / long), %d", s->longest,
                   s->longest, s->longest);
    uc_py_line(p, "size = (short, long) if w <= h else (long, short)");
    return true;
}

/* Keras' load_img(keep_aspect_ratio=True): the middle of the target's shape is resized. Source: keras 3.11,
 * utils/image_utils.py, load_img. */
static void put_aspect(uc_python *p, const uc_step *s, const char *filter)
{
    put_sides(p);
    uc_py_line(p, "ch, cw = min(h, w * %d // %d), min(w, h * %d // %d)", s->height, s->width,
               s->width, s->height);
    uc_py_line(p, "left, top = (w - cw) // 2, (h - ch) // 2");
    uc_py_line(p, "img = img.resize((%d, %d), %s, box=[left, top, left + cw, top + ch])", s->width,
               s->height, filter);
}

static bool resize_pillow(uc_python *p, const uc_step *s)
{
    static const char *const names[][2] = {{"nearest", "NEAREST"},   {"box", "BOX"},
                                           {"bilinear", "BILINEAR"}, {"hamming", "HAMMING"},
                                           {"bicubic", "BICUBIC"},   {"lanczos", "LANCZOS"}};
    const char *name = uc_filter_name(s->library, s->filter), *filter = NULL;
    char text[48];
    if ((s->flags & (UC_FLAG_FIT | UC_FLAG_COVER)) || !uc_py_to_pil(p)) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (name && strcmp(names[i][0], name) == 0) filter = names[i][1];
    }
    if (!filter && !(name && strcmp(name, "default") == 0)) return false;
    p->imports |= UC_PY_PIL;
    (void)snprintf(text, sizeof text, "Image.Resampling.%s", filter ? filter : "BICUBIC");
    if (s->flags & UC_FLAG_IMAGEOPS_FIT) {
        p->imports |= UC_PY_OPS;
        uc_py_line(p, "img = ImageOps.fit(img, (%d, %d), %s)", s->width, s->height, text);
    } else if (s->flags & UC_FLAG_CROP_TO_ASPECT) {
        put_aspect(p, s, text);
    } else if (s->height) {
        uc_py_line(p, "img = img.resize((%d, %d)%s%s)", s->width, s->height, filter ? ", " : "",
                   filter ? text : "");
    } else {
        if (!put_shorter(p, s)) return false;
        uc_py_line(p, "img = img.resize(size, %s)", text);
    }
    return true;
}

static bool resize_opencv(uc_python *p, const uc_step *s)
{
    static const char *const names[][2] = {{"linear", "LINEAR"},
                                           {"nearest", "NEAREST"},
                                           {"cubic", "CUBIC"},
                                           {"area", "AREA"},
                                           {"lanczos4", "LANCZOS4"},
                                           {"linear_exact", "LINEAR_EXACT"},
                                           {"nearest_exact", "NEAREST_EXACT"}};
    const char *name = uc_filter_name(s->library, s->filter), *filter = NULL;
    if (s->flags & (UC_FLAG_FIT | UC_FLAG_COVER)) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i][0], name) == 0) filter = names[i][1];
    }
    if (!filter) return false;
    uc_py_to_array(p);
    p->imports |= UC_PY_CV2;
    if (!s->height && !put_shorter(p, s)) return false;
    if (s->height) {
        uc_py_line(p, "x = cv2.resize(x, (%d, %d), interpolation=cv2.INTER_%s)", s->width,
                   s->height, filter);
    } else {
        uc_py_line(p, "x = cv2.resize(x, size, interpolation=cv2.INTER_%s)", filter);
    }
    if (p->channels == 1) p->axis = false; /* OpenCV drops it */
    return true;
}

static bool resize_tensorflow(uc_python *p, const uc_step *s)
{
    const char *name = uc_filter_name(s->library, s->filter);
    const bool nearest = strcmp(name, "nearest") == 0, bilinear = strcmp(name, "bilinear") == 0;
    const char *method = strcmp(name, "gaussian") == 0   ? "gaussian"
                         : strcmp(name, "mitchell") == 0 ? "mitchellcubic"
                                                         : name;
    if (!s->height || (s->flags & (UC_FLAG_FIT | UC_FLAG_COVER | UC_FLAG_CROP_TO_ASPECT)))
        return false;
    uc_py_to_array(p);
    uc_py_axis(p);
    p->imports |= UC_PY_TF;
    if (s->flags & UC_FLAG_V1) {
        uc_py_line(
            p, "x = tf.compat.v1.image.resize_%s(x[None], (%d, %d), align_corners=%s).numpy()[0]",
            nearest ? "nearest_neighbor" : name, s->height, s->width,
            s->flags & UC_FLAG_ALIGN_CORNERS ? "True" : "False");
        if (!nearest && !bilinear && strcmp(name, "bicubic") != 0 && strcmp(name, "area") != 0)
            return false;
    } else if (s->flags & UC_FLAG_PAD_TO_ASPECT) {
        uc_py_line(p, "x = tf.image.resize_with_pad(x, %d, %d, method='%s'%s).numpy()", s->height,
                   s->width, method, s->flags & UC_FLAG_ANTIALIAS ? ", antialias=True" : "");
    } else {
        uc_py_line(p, "x = tf.image.resize(x, (%d, %d), method='%s'%s).numpy()", s->height,
                   s->width, method, s->flags & UC_FLAG_ANTIALIAS ? ", antialias=True" : "");
    }
    if (!nearest) p->dtype = UNCORK_FLOAT32;
    return (s->flags & UC_FLAG_ALIGN_CORNERS) == 0 || (s->flags & UC_FLAG_V1);
}

static bool resize_keras(uc_python *p, const uc_step *s)
{
    if (!s->height) return false;
    uc_py_to_array(p);
    uc_py_axis(p);
    p->imports |= UC_PY_KERAS;
    uc_py_line(
        p,
        "x = np.asarray(keras.layers.Resizing(%d, %d, interpolation='%s'%s%s%s, dtype=x.dtype.name)(x))",
        s->height, s->width, uc_filter_name(s->library, s->filter),
        s->flags & UC_FLAG_CROP_TO_ASPECT ? ", crop_to_aspect_ratio=True" : "",
        s->flags & UC_FLAG_PAD_TO_ASPECT ? ", pad_to_aspect_ratio=True" : "",
        s->flags & UC_FLAG_ANTIALIAS ? ", antialias=True" : "");
    return true;
}

static bool resize_torchvision(uc_python *p, const uc_step *s)
{
    static const char *const names[][2] = {{"bilinear", "BILINEAR"},
                                           {"nearest", "NEAREST"},
                                           {"nearest_exact", "NEAREST_EXACT"},
                                           {"bicubic", "BICUBIC"}};
    const char *name = uc_filter_name(s->library, s->filter), *filter = NULL;
    char size[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i][0], name) == 0) filter = names[i][1];
    }
    if (!filter || (s->flags & (UC_FLAG_FIT | UC_FLAG_COVER | UC_FLAG_LONGEST_EDGE | UC_FLAG_V1)))
        return false;
    uc_py_to_array(p);
    uc_py_axis(p);
    p->imports |= UC_PY_TORCH;
    if (s->height) {
        (void)snprintf(size, sizeof size, "[%d, %d]", s->height, s->width);
    } else if (s->longest) {
        (void)snprintf(size, sizeof size, "[%d], max_size=%d", s->width, s->longest);
    } else {
        (void)snprintf(size, sizeof size, "[%d]", s->width);
    }
    uc_py_line(p, "t = torch.from_numpy(np.ascontiguousarray(x)).permute(2, 0, 1)");
    uc_py_line(
        p, "t = v2.functional.resize(t, %s, interpolation=v2.InterpolationMode.%s, antialias=%s)",
        size, filter, s->flags & UC_FLAG_NO_ANTIALIAS ? "False" : "True");
    uc_py_line(p, "x = t.permute(1, 2, 0).numpy()");
    return true;
}

static bool resize(uc_python *p, const uc_step *s)
{
    switch (s->library) {
    case UC_LIB_PILLOW: return resize_pillow(p, s);
    case UC_LIB_OPENCV: return resize_opencv(p, s);
    case UC_LIB_TENSORFLOW: return resize_tensorflow(p, s);
    case UC_LIB_TORCHVISION: return resize_torchvision(p, s);
    case UC_LIB_KERAS: return resize_keras(p, s);
    case UC_LIB_SKIMAGE:
    case UC_LIB_MATPLOTLIB:
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return false;
}

/* A window that may reach outside of the picture. */
static void put_cut(uc_python *p, const char *left, const char *top, int width, int height)
{
    if (p->array) {
        p->imports |= UC_PY_CUT;
        uc_py_line(p, "x = cut(x, %s, %s, %d, %d)", left, top, width, height);
    } else {
        uc_py_line(p, "left, top = %s, %s", left, top);
        uc_py_line(p, "img = img.crop((left, top, left + %d, top + %d))", width, height);
    }
}

static bool center_crop(uc_python *p, const uc_step *s)
{
    char left[120], top[120];
    if (s->value_count) return false;
    put_sides(p);
    if (s->library == UC_LIB_TORCHVISION) {
        (void)snprintf(left, sizeof left, "round((w - %d) / 2) if w >= %d else -((%d - w) // 2)",
                       s->width, s->width, s->width);
        (void)snprintf(top, sizeof top, "round((h - %d) / 2) if h >= %d else -((%d - h) // 2)",
                       s->height, s->height, s->height);
    } else {
        (void)snprintf(left, sizeof left, "int((w - %d) / 2)", s->width);
        (void)snprintf(top, sizeof top, "int((h - %d) / 2)", s->height);
    }
    put_cut(p, left, top, s->width, s->height);
    return true;
}

/* Source: ultralytics 8.3, data/augment.py, LetterBox. */
static bool letterbox(uc_python *p, const uc_step *s)
{
    const int v = (int)s->value[0];
    uc_py_to_array(p);
    p->imports |= UC_PY_CV2;
    put_sides(p);
    uc_py_line(p, "r = min(%d / h, %d / w)", s->height, s->width);
    uc_py_line(p, "nw, nh = round(w * r), round(h * r)");
    uc_py_line(
        p, "if (nw, nh) != (w, h): x = cv2.resize(x, (nw, nh), interpolation=cv2.INTER_LINEAR)");
    uc_py_line(p, "dw, dh = (%d - nw) / 2, (%d - nh) / 2", s->width, s->height);
    uc_py_line(
        p,
        "x = cv2.copyMakeBorder(x, round(dh - 0.1), round(dh + 0.1), round(dw - 0.1), round(dw + 0.1), "
        "cv2.BORDER_CONSTANT, value=(%d, %d, %d))",
        v, v, v);
    return p->channels == 3;
}

static bool pad_to_multiple(uc_python *p, const uc_step *s)
{
    char value[32] = "0";
    if (s->value_count > 1) return false;
    if (s->value_count) (void)snprintf(value, sizeof value, "%.17g", s->value[0]);
    uc_py_to_array(p);
    put_sides(p);
    uc_py_line(
        p,
        "x = np.pad(x, [(0, -h %% %d), (0, -w %% %d)] + [(0, 0)] * (x.ndim - 2), constant_values=%s)",
        s->width, s->width, value);
    return s->width > 0;
}

static bool pad(uc_python *p, const uc_step *s)
{
    if (s->value_count > 1) return false;
    uc_py_to_array(p);
    uc_py_line(
        p, "x = np.pad(x, [(%d, %d), (%d, %d)] + [(0, 0)] * (x.ndim - 2), constant_values=%.17g)",
        s->top, s->bottom, s->left, s->right, s->value_count ? s->value[0] : 0.0);
    return true;
}

bool uc_py_size(uc_python *p, const uc_step *s)
{
    const char *name = s->row->name;
    char left[16], top[16];
    if (p->first || p->flat) return false;
    if (strcmp(name, "resize") == 0) return resize(p, s);
    if (strcmp(name, "center_crop") == 0) return center_crop(p, s);
    if (strcmp(name, "letterbox") == 0) return letterbox(p, s);
    if (strcmp(name, "pad_to_multiple") == 0) return pad_to_multiple(p, s);
    if (strcmp(name, "pad") == 0) return pad(p, s);
    if (strcmp(name, "central_crop") == 0 || strcmp(name, "crop_or_pad") == 0) {
        uc_py_to_array(p);
        uc_py_axis(p);
        p->imports |= UC_PY_TF;
        if (name[1] == 'e')
            uc_py_line(p, "x = tf.image.central_crop(x, %.17g).numpy()", s->value[0]);
        else
            uc_py_line(p, "x = tf.image.resize_with_crop_or_pad(x, %d, %d).numpy()", s->height,
                       s->width);
        return true;
    }
    if (strcmp(name, "crop") != 0) return false;
    (void)snprintf(left, sizeof left, "%d", s->left);
    (void)snprintf(top, sizeof top, "%d", s->top);
    put_cut(p, left, top, s->width, s->height);
    return true;
}
