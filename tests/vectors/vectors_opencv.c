/* cv2.imread. */
#include "vectors.h"

/* Joined by '|': the names of cv2's IMREAD_* constants. */
static uncork_status imread(vector *v)
{
    static const struct {
        const char *name;
        uc_opencv_read flags;
        int reduce;
    } known[] = {{"COLOR", UC_OPENCV_COLOR, 1},
                 {"COLOR_BGR", UC_OPENCV_COLOR, 1},
                 {"COLOR_RGB", UC_OPENCV_COLOR_RGB, 1},
                 {"GRAYSCALE", UC_OPENCV_GRAYSCALE, 1},
                 {"UNCHANGED", UC_OPENCV_UNCHANGED, 1},
                 {"ANYDEPTH", UC_OPENCV_ANYDEPTH, 1},
                 {"ANYCOLOR", UC_OPENCV_ANYCOLOR, 1},
                 {"ANYDEPTH|COLOR", UC_OPENCV_ANYDEPTH_COLOR, 1},
                 {"COLOR|ANYDEPTH", UC_OPENCV_ANYDEPTH_COLOR, 1},
                 {"ANYDEPTH|ANYCOLOR", UC_OPENCV_ANYDEPTH_ANYCOLOR, 1},
                 {"ANYCOLOR|ANYDEPTH", UC_OPENCV_ANYDEPTH_ANYCOLOR, 1},
                 {"REDUCED_COLOR_2", UC_OPENCV_COLOR, 2},
                 {"REDUCED_COLOR_4", UC_OPENCV_COLOR, 4},
                 {"REDUCED_COLOR_8", UC_OPENCV_COLOR, 8},
                 {"REDUCED_GRAYSCALE_2", UC_OPENCV_GRAYSCALE, 2},
                 {"REDUCED_GRAYSCALE_4", UC_OPENCV_GRAYSCALE, 4},
                 {"REDUCED_GRAYSCALE_8", UC_OPENCV_GRAYSCALE, 8}};
    static const char unturned[] = "|IGNORE_ORIENTATION";
    uc_str flags = vector_text(v, "flags", "COLOR");
    size_t n = sizeof unturned - 1;
    bool ignore = flags.size > n && memcmp(flags.data + flags.size - n, unturned, n) == 0;
    uc_pixels pixels;
    if (ignore) flags.size -= n;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!uc_str_is(flags, known[i].name)) continue;
        UC_TRY(uc_decode_opencv(v->file, known[i].flags, ignore, known[i].reduce, v->arena, &pixels,
                                v->error));
        return vector_give_pixels(v, &pixels);
    }
    return vector_unknown(v, "flags");
}

const vector_row vectors_opencv[] = {
    {"opencv", "imread", imread},
    {NULL, NULL, NULL},
};
