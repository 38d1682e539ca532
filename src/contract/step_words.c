/* The words that steps share: sizes, libraries, filters, switches, and the nearest name to one that is
 * none of them. */
#include "contract/contract_internal.h"

#include "base/text.h"
#include "image/resize.h"

uc_str uc_word_cut(uc_str *rest, char separator)
{
    const char *end = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    uc_str part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t used = end ? part.size + 1 : part.size;
    rest->data += used;
    rest->size -= used;
    return uc_text_trim(part);
}

bool uc_word_int(uc_str s, int low, int high, int *value)
{
    int64_t v;
    if (!uc_text_i64(s, &v) || v < low || v > high) return false;
    *value = (int)v;
    return true;
}

bool uc_word_size(uc_str s, int *width, int *height)
{
    uc_str rest = s, first = uc_word_cut(&rest, 'x');
    *height = 0;
    if (!uc_word_int(first, 1, 65535, width)) return false;
    return first.size == s.size || uc_word_int(uc_text_trim(rest), 1, 65535, height);
}

static const struct {
    const char *name;
    uc_library library;
} libraries[] = {
    {"pillow", UC_LIB_PILLOW},
    {"opencv", UC_LIB_OPENCV},
    {"tensorflow", UC_LIB_TENSORFLOW},
    {"torchvision", UC_LIB_TORCHVISION},
    {"keras", UC_LIB_KERAS},
    {"skimage", UC_LIB_SKIMAGE},
    {"matplotlib", UC_LIB_MATPLOTLIB},
    {"hf", UC_LIB_HF},
    {"pil", UC_LIB_PILLOW},
    {"cv2", UC_LIB_OPENCV},
    {"tf", UC_LIB_TENSORFLOW},
    {"torch", UC_LIB_TORCHVISION},
    {"transformers", UC_LIB_HF},
    {"scikit-image", UC_LIB_SKIMAGE},
};

const char *uc_library_name(uc_library library) { return libraries[library].name; }

bool uc_word_library(uc_str s, uc_library *library, int *version)
{
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        if (!uc_str_is(s, libraries[i].name)) continue;
        *library = libraries[i].library;
        return true;
    }
    static const char pillow[] = "pillow"; /* pillow6: as that major version did it */
    size_t n = sizeof pillow - 1;
    if (s.size <= n || memcmp(s.data, pillow, n) != 0 ||
        !uc_word_int((uc_str){s.data + n, s.size - n}, 1, 99, version)) {
        return false;
    }
    *library = UC_LIB_PILLOW;
    return true;
}

void uc_library_print(uc_library library, int version, uc_writer *out)
{
    uc_writer_text(out, uc_library_name(library));
    if (library == UC_LIB_PILLOW && version && version < UC_PILLOW_NEWEST)
        uc_writer_printf(out, "%d", version);
}

/* The first name of a filter is the one printed. */
static const struct {
    const char *name;
    uc_library library;
    int filter;
} filters[] = {
    {"nearest", UC_LIB_PILLOW, UC_PILLOW_NEAREST},
    {"lanczos", UC_LIB_PILLOW, UC_PILLOW_LANCZOS},
    {"antialias", UC_LIB_PILLOW, UC_PILLOW_LANCZOS}, /* its name before Pillow 10 */
    {"bilinear", UC_LIB_PILLOW, UC_PILLOW_BILINEAR},
    {"linear", UC_LIB_PILLOW, UC_PILLOW_BILINEAR},
    {"bicubic", UC_LIB_PILLOW, UC_PILLOW_BICUBIC},
    {"cubic", UC_LIB_PILLOW, UC_PILLOW_BICUBIC},
    {"box", UC_LIB_PILLOW, UC_PILLOW_BOX},
    {"hamming", UC_LIB_PILLOW, UC_PILLOW_HAMMING},
    {"mks2013", UC_LIB_PILLOW, UC_PILLOW_MKS2013},
    {"mks2021", UC_LIB_PILLOW, UC_PILLOW_MKS2021},
    {"default", UC_LIB_PILLOW, UC_PILLOW_DEFAULT},
    {"nearest", UC_LIB_OPENCV, UC_OPENCV_NEAREST},
    {"linear", UC_LIB_OPENCV, UC_OPENCV_LINEAR},
    {"bilinear", UC_LIB_OPENCV, UC_OPENCV_LINEAR},
    {"cubic", UC_LIB_OPENCV, UC_OPENCV_CUBIC},
    {"bicubic", UC_LIB_OPENCV, UC_OPENCV_CUBIC},
    {"area", UC_LIB_OPENCV, UC_OPENCV_AREA},
    {"lanczos4", UC_LIB_OPENCV, UC_OPENCV_LANCZOS4},
    {"lanczos", UC_LIB_OPENCV, UC_OPENCV_LANCZOS4},
    {"linear_exact", UC_LIB_OPENCV, UC_OPENCV_LINEAR_EXACT},
    {"nearest_exact", UC_LIB_OPENCV, UC_OPENCV_NEAREST_EXACT},
    {"nearest_exact4", UC_LIB_OPENCV, UC_OPENCV_NEAREST_EXACT_4},
    {"nearest", UC_LIB_TENSORFLOW, UC_TF_NEAREST},
    {"bilinear", UC_LIB_TENSORFLOW, UC_TF_BILINEAR},
    {"linear", UC_LIB_TENSORFLOW, UC_TF_BILINEAR},
    {"bicubic", UC_LIB_TENSORFLOW, UC_TF_BICUBIC},
    {"cubic", UC_LIB_TENSORFLOW, UC_TF_BICUBIC},
    {"area", UC_LIB_TENSORFLOW, UC_TF_AREA},
    {"lanczos3", UC_LIB_TENSORFLOW, UC_TF_LANCZOS3},
    {"lanczos5", UC_LIB_TENSORFLOW, UC_TF_LANCZOS5},
    {"gaussian", UC_LIB_TENSORFLOW, UC_TF_GAUSSIAN},
    {"mitchell", UC_LIB_TENSORFLOW, UC_TF_MITCHELL},
    {"mitchellcubic", UC_LIB_TENSORFLOW, UC_TF_MITCHELL},
    {"nearest", UC_LIB_TORCHVISION, UC_TORCHVISION_NEAREST},
    {"nearest_exact", UC_LIB_TORCHVISION, UC_TORCHVISION_NEAREST_EXACT},
    {"bilinear", UC_LIB_TORCHVISION, UC_TORCHVISION_BILINEAR},
    {"linear", UC_LIB_TORCHVISION, UC_TORCHVISION_BILINEAR},
    {"bicubic", UC_LIB_TORCHVISION, UC_TORCHVISION_BICUBIC},
    {"cubic", UC_LIB_TORCHVISION, UC_TORCHVISION_BICUBIC},
    {"lanczos", UC_LIB_TORCHVISION, UC_TORCHVISION_LANCZOS},
    {"nearest", UC_LIB_SKIMAGE, 0},
    {"bilinear", UC_LIB_SKIMAGE, 1},
    {"linear", UC_LIB_SKIMAGE, 1},
    {"bicubic", UC_LIB_SKIMAGE, 3},
    {"cubic", UC_LIB_SKIMAGE, 3},
    {"biquadratic", UC_LIB_SKIMAGE, 2},
    {"biquartic", UC_LIB_SKIMAGE, 4},
    {"biquintic", UC_LIB_SKIMAGE, 5},
};

/* keras.layers.Resizing calls tf.image.resize. */
static uc_library filter_library(uc_library library)
{
    return library == UC_LIB_KERAS ? UC_LIB_TENSORFLOW : library;
}

int uc_word_filter(uc_str s, uc_library library)
{
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (filters[i].library == filter_library(library) && uc_str_is(s, filters[i].name))
            return filters[i].filter;
    }
    return -1;
}

const char *uc_filter_name(uc_library library, int filter)
{
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (filters[i].library == filter_library(library) && filters[i].filter == filter)
            return filters[i].name;
    }
    return "?";
}

static const struct {
    const char *name;
    unsigned flag;
} flag_names[] = {
    {"antialias", UC_FLAG_ANTIALIAS},
    {"noantialias", UC_FLAG_NO_ANTIALIAS},
    {"align_corners", UC_FLAG_ALIGN_CORNERS},
    {"v1", UC_FLAG_V1},
    {"crop_to_aspect", UC_FLAG_CROP_TO_ASPECT},
    {"pad_to_aspect", UC_FLAG_PAD_TO_ASPECT},
    {"preserve_range", UC_FLAG_PRESERVE_RANGE},
    {"ignore_orientation", UC_FLAG_IGNORE_ORIENTATION},
    {"accurate", UC_FLAG_ACCURATE},
    {"plain", UC_FLAG_PLAIN},
    {"recover", UC_FLAG_RECOVER},
    {"fit", UC_FLAG_FIT},
    {"cover", UC_FLAG_COVER},
    {"imageops_fit", UC_FLAG_IMAGEOPS_FIT},
};

bool uc_word_flag(uc_str s, unsigned *flags)
{
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        if (!uc_str_is(s, flag_names[i].name)) continue;
        *flags |= flag_names[i].flag;
        return true;
    }
    return false;
}

void uc_flags_print(unsigned flags, uc_writer *out)
{
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        if (flags & flag_names[i].flag) uc_writer_printf(out, ",%s", flag_names[i].name);
    }
}

void uc_number_print(double v, uc_writer *out)
{
    char text[32];
    uc_writer_put(out, text, uc_f64_plain_text(v, text));
}

/* Letters alike whatever their case; '-' and '_' alike. */
static char folded(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c + 32);
    return c == '-' ? '_' : c;
}

#define NEAREST_LENGTH 96

/* Levenshtein's distance, one row kept. */
static size_t distance(uc_str a, const char *b)
{
    size_t row[NEAREST_LENGTH + 1], n = strlen(b);
    if (a.size > NEAREST_LENGTH || n > NEAREST_LENGTH) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = diagonal + (folded(a.data[i]) != folded(b[j]));
            diagonal = row[j + 1];
            size_t shorter = row[j] < diagonal ? row[j] + 1 : diagonal + 1;
            row[j + 1] = change < shorter ? change : shorter;
        }
    }
    return row[n];
}

void uc_nearest_offer(uc_nearest *n, const char *candidate)
{
    const size_t length = strlen(candidate), most = 1 + n->word.size / 3;
    if (length > n->word.size + most || n->word.size > length + most) return;
    const size_t d = distance(n->word, candidate);
    if (d > most || (n->best && d >= n->distance)) return;
    n->best = candidate;
    n->distance = d;
}
