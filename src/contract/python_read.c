/* How a picture is read and which channels it has, as Python. */
#include "contract/python_internal.h"

static bool decode_opencv(uc_python *p, const uc_step *s)
{
    const char *flag = s->variant == UC_COLOURS_GRAY        ? "cv2.IMREAD_GRAYSCALE"
                       : s->variant == UC_COLOURS_UNCHANGED ? "cv2.IMREAD_UNCHANGED"
                       : s->variant == UC_COLOURS_COLOR     ? "cv2.IMREAD_COLOR"
                                                            : NULL;
    if (!flag || s->ratio) return false;
    p->imports |= UC_PY_CV2;
    uc_py_line(p, "x = cv2.imread(path, %s%s)", flag,
               s->flags & UC_FLAG_IGNORE_ORIENTATION ? " | cv2.IMREAD_IGNORE_ORIENTATION" : "");
    p->bgr = s->variant != UC_COLOURS_GRAY;
    p->axis = false;
    return true;
}

static int channels_of(int variant)
{
    return variant == UC_COLOURS_GRAY    ? 1
           : variant == UC_COLOURS_COLOR ? 3
           : variant == UC_COLOURS_RGBA  ? 4
                                         : 0;
}

static bool decode_tensorflow(uc_python *p, const uc_step *s)
{
    uc_writer words;
    uc_writer_init(&words, 400);
    s->row->print(s, &words);
    const char *text = uc_writer_string(&words);
    const bool jpeg = strstr(text, ",jpeg") != NULL, png = strstr(text, ",png") != NULL,
               bmp = strstr(text, ",bmp") != NULL, gif = strstr(text, ",gif") != NULL;
    uc_writer_done(&words);
    if (gif || s->ratio || s->dtype != UNCORK_DTYPE_NONE || (s->flags & UC_FLAG_RECOVER))
        return false;
    p->imports |= UC_PY_TF;
    uc_py_line(p, "data = tf.io.read_file(path)");
    if (jpeg) {
        uc_py_line(p, "x = tf.io.decode_jpeg(data, channels=%d%s%s).numpy()",
                   channels_of(s->variant),
                   s->flags & UC_FLAG_ACCURATE ? ", dct_method='INTEGER_ACCURATE'" : "",
                   s->flags & UC_FLAG_PLAIN ? ", fancy_upscaling=False" : "");
    } else if (png || bmp) {
        uc_py_line(p, "x = tf.io.decode_%s(data, channels=%d).numpy()", png ? "png" : "bmp",
                   channels_of(s->variant));
    } else {
        uc_py_line(p, "x = tf.io.decode_image(data, channels=%d, expand_animations=False).numpy()",
                   channels_of(s->variant));
    }
    p->axis = true;
    return true;
}

static bool decode_torchvision(uc_python *p, const uc_step *s)
{
    const char *mode = s->variant == UC_COLOURS_GRAY        ? "GRAY"
                       : s->variant == UC_COLOURS_COLOR     ? "RGB"
                       : s->variant == UC_COLOURS_RGBA      ? "RGB_ALPHA"
                       : s->variant == UC_COLOURS_UNCHANGED ? "UNCHANGED"
                                                            : NULL;
    if (!mode) return false;
    p->imports |= UC_PY_TORCH;
    uc_py_line(p, "x = torchvision.io.decode_image(path, mode='%s').permute(1, 2, 0).numpy()",
               mode);
    p->axis = true;
    return true;
}

bool uc_py_decode(uc_python *p, const uc_step *s)
{
    p->started = true;
    p->array = true;
    p->dtype = UNCORK_UINT8;
    p->channels = channels_of(s->variant);
    switch (s->library) {
    case UC_LIB_PILLOW:
        p->imports |= UC_PY_PIL;
        p->array = false;
        p->channels = 0;
        uc_py_line(p, "img = Image.open(path)");
        return s->variant == UC_COLOURS_UNCHANGED;
    case UC_LIB_OPENCV: return decode_opencv(p, s);
    case UC_LIB_TENSORFLOW: return decode_tensorflow(p, s);
    case UC_LIB_TORCHVISION: return decode_torchvision(p, s);
    case UC_LIB_KERAS:
        p->imports |= UC_PY_KERAS;
        p->array = false;
        uc_py_line(p, "img = keras.utils.load_img(path, color_mode='%s')",
                   p->channels == 1   ? "grayscale"
                   : p->channels == 4 ? "rgba"
                                      : "rgb");
        return true;
    case UC_LIB_SKIMAGE:
        p->imports |= UC_PY_SKIMAGE;
        p->channels = 0;
        uc_py_line(p, "x = skimage.io.imread(path)");
        return true;
    case UC_LIB_MATPLOTLIB:
    case UC_LIB_HF:
    case UC_LIB_COUNT: break;
    }
    return false;
}

static bool array_rgb(uc_python *p)
{
    if (p->channels == 3 && p->bgr) uc_py_line(p, "x = np.ascontiguousarray(x[..., ::-1])");
    if (p->channels == 4)
        uc_py_line(p, p->bgr ? "x = np.ascontiguousarray(x[..., 2::-1])" : "x = x[..., :3]");
    if (p->channels == 1) {
        uc_py_axis(p);
        uc_py_line(p, "x = np.repeat(x, 3, axis=2)");
    }
    p->bgr = false;
    const bool known = p->channels != 0;
    p->channels = 3;
    return known;
}

static bool array_gray(uc_python *p, uc_library library)
{
    if (p->channels == 1) return true;
    if (p->channels != 3) return false;
    p->channels = 1;
    p->axis = false;
    if (library == UC_LIB_OPENCV) {
        p->imports |= UC_PY_CV2;
        uc_py_line(p, "x = cv2.cvtColor(x, cv2.COLOR_%s2GRAY)", p->bgr ? "BGR" : "RGB");
    } else if (library == UC_LIB_TENSORFLOW && !p->bgr) {
        p->imports |= UC_PY_TF;
        uc_py_line(p, "x = tf.image.rgb_to_grayscale(x).numpy()");
        p->axis = true;
    } else if (library == UC_LIB_SKIMAGE && !p->bgr) {
        p->imports |= UC_PY_SKIMAGE;
        uc_py_line(p, "x = skimage.color.rgb2gray(x)");
        p->dtype = UNCORK_FLOAT64;
    } else if (library == UC_LIB_TORCHVISION && !p->bgr) {
        p->imports |= UC_PY_TORCH;
        uc_py_line(
            p,
            "x = v2.functional.rgb_to_grayscale(torch.from_numpy(x).permute(2, 0, 1)).permute(1, 2, 0).numpy()");
        p->axis = true;
    } else {
        return false;
    }
    p->bgr = false;
    return true;
}

bool uc_py_color(uc_python *p, const uc_step *s)
{
    const char *name = s->row->name;
    if (strcmp(name, "exif") == 0) {
        if (p->array) return false;
        p->imports |= UC_PY_OPS | UC_PY_PIL;
        uc_py_line(p, "img = ImageOps.exif_transpose(img)");
        return true;
    }
    if (strcmp(name, "bgr") == 0) {
        uc_py_to_array(p);
        if (!p->bgr) uc_py_line(p, "x = np.ascontiguousarray(x[..., ::-1])");
        p->bgr = true;
        return p->channels == 3 && !p->first;
    }
    const bool gray = strcmp(name, "gray") == 0, rgb = strcmp(name, "rgb") == 0;
    if (p->array && gray) return !p->first && array_gray(p, s->library);
    if (p->array) return rgb && !p->first && array_rgb(p);
    if (gray && s->library != UC_LIB_PILLOW) {
        if (p->channels != 3) return false;
        uc_py_to_array(p);
        return array_gray(p, s->library);
    }
    uc_py_line(p, "img = img.convert('%s')",
               gray                        ? "L"
               : rgb                       ? "RGB"
               : strcmp(name, "rgba") == 0 ? "RGBA"
                                           : "F");
    p->channels = gray || strcmp(name, "float") == 0 ? 1 : rgb ? 3 : 4;
    if (strcmp(name, "float") == 0) p->dtype = UNCORK_FLOAT32;
    return true;
}
