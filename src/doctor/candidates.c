/* The axes and their choices, likeliest first. What people do wrong and what the presets do: scales and
 * orders of the Keras, torchvision, timm and transformers presets (contract/preset_table.def), the usual
 * statistics of MNIST and CIFAR, the resizes of the libraries that read pictures. */
#include "doctor/candidates.h"

typedef struct choice {
    const char *name, *steps;
} choice;

static const choice values_of_three[] = {
    {"0 to 1", "float32 | scale=1/255"},
    {"0 to 255", "float32"},
    {"-1 to 1", "float32 | scale=1/127.5 | add=-1"},
    {"ImageNet's mean and deviation", "float32 | scale=1/255 | normalize=imagenet"},
    {"ImageNet's means taken off, 0 to 255 (Caffe)", "float32 | mean=@CAFFE@"},
    {"CLIP's mean and deviation", "float32 | scale=1/255 | normalize=clip"},
    {"each picture's own mean and deviation", "float32 | standardize"},
    {"CIFAR's mean and deviation",
     "float32 | scale=1/255 | normalize=0.4914,0.4822,0.4465/0.2470,0.2435,0.2616"},
    {"-0.5 to 0.5", "float32 | scale=1/255 | add=-0.5"},
    {"ImageNet's mean and deviation of 0 to 255 values without scaling",
     "float32 | mean=123.675,116.28,103.53 | std=58.395,57.12,57.375"},
};

static const choice values_of_one[] = {
    {"0 to 1", "float32 | scale=1/255"},
    {"0 to 255", "float32"},
    {"-1 to 1", "float32 | scale=1/127.5 | add=-1"},
    {"MNIST's mean and deviation", "float32 | scale=1/255 | mean=0.1307 | std=0.3081"},
    {"0 to 1, dark on light", "invert | float32 | scale=1/255"},
    {"0 to 255, dark on light", "invert | float32"},
    {"-1 to 1, dark on light", "invert | float32 | scale=1/127.5 | add=-1"},
    {"MNIST's mean and deviation, dark on light",
     "invert | float32 | scale=1/255 | mean=0.1307 | std=0.3081"},
    {"0 to 16", "float32 | scale=16/255"},
    {"each picture's own mean and deviation", "float32 | standardize"},
};

static const choice values_of_bytes[] = {{"bytes", ""}, {"bytes, dark on light", "invert"}};

static const choice orders[] = {{"red first", "rgb"}, {"blue first", "rgb | bgr"}};

static const choice greys[] = {{"Pillow's grey", "gray"},
                               {"OpenCV's grey", "rgb | gray=opencv"},
                               {"TensorFlow's grey", "rgb | gray=tensorflow"}};

/* @R@: library and filter; @W@ and @H@: the size; @8/7@, @1/c@: the shorter side before the crop. */
static const choice geometries[] = {
    {"squeezed to the size", "resize=@WH@,@R@"},
    {"the shorter side to 8/7 of the size, then the middle", "resize=@B@,@R@ | center_crop=@WH@"},
    {"the shorter side to the size, then the middle", "resize=@S@,@R@ | center_crop=@WH@"},
    {"the middle 7/8 of the picture, squeezed", "central_crop=0.875 | resize=@WH@,@R@"},
    {"the whole picture between borders", "letterbox=@WH@,0"},
};

static const choice resizes[] = {
    {"Pillow, bilinear", "bilinear,pillow"},
    {"Pillow, bicubic", "bicubic,pillow"},
    {"Pillow, nearest", "nearest,pillow"},
    {"OpenCV, linear", "linear,opencv"},
    {"OpenCV, area", "area,opencv"},
    {"OpenCV, cubic", "cubic,opencv"},
    {"TensorFlow, bilinear", "bilinear,tensorflow"},
    {"TensorFlow, nearest", "nearest,tensorflow"},
    {"Pillow, lanczos", "lanczos,pillow"},
    {"torchvision, bilinear", "bilinear,torchvision"},
    {"torchvision, bilinear without antialias", "bilinear,torchvision,noantialias"},
};

static const choice decoders[] = {
    {"Pillow", ""},
    {"OpenCV", "decode=opencv"},
    {"TensorFlow", "decode=tensorflow"},
    {"Pillow, turned upright by EXIF", "exif"},
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

const char *uc_axis_name(uc_axis axis)
{
    static const char *const names[UC_AXIS_COUNT] = {"scale, mean and deviation",
                                                     "order of channels", "resize and crop",
                                                     "resize filter", "decoder"};
    return names[axis];
}

bool uc_candidate_size_of(const uc_contract_want *want, uc_candidate_size *size)
{
    const int64_t *s = want->shape;
    for (int64_t n = 1, c = 1; want->rank == 1 && n * n * c <= s[0]; n += c == 3, c = 4 - c) {
        if (n * n * c != s[0]) continue;
        *size = (uc_candidate_size){n, n, c, .channels_last = true, .flat = true};
        return true;
    }
    if (want->rank != 3 && want->rank != 2) return false;
    const bool plain = want->rank == 2; /* no axis of channels */
    const bool last = !plain && (s[2] == 1 || s[2] == 3) && s[0] != 1 && s[0] != 3;
    const int64_t channels = plain ? 1 : last ? s[2] : s[0];
    if (channels != 1 && channels != 3) return false;
    const int64_t height = s[plain || last ? 0 : 1], width = s[plain || last ? 1 : 2];
    *size = (uc_candidate_size){.width = width > 0 ? width : 224,
                                .height = height > 0 ? height : 224,
                                .channels = channels,
                                .channels_last = last || plain,
                                .bytes = want->dtype == UNCORK_UINT8};
    return true;
}

#define ALL(table) (*count = COUNT(table), (table))

static const choice *choices_of(const uc_candidate_size *size, uc_axis axis, size_t *count)
{
    const bool one = size->channels == 1;
    *count = 0;
    switch (axis) {
    case UC_AXIS_VALUES:
        if (size->bytes) {
            *count = one ? COUNT(values_of_bytes) : 1;
            return values_of_bytes;
        }
        return one ? ALL(values_of_one) : ALL(values_of_three);
    case UC_AXIS_CHANNELS: return one ? ALL(greys) : ALL(orders);
    case UC_AXIS_GEOMETRY: return ALL(geometries);
    case UC_AXIS_RESIZE: return ALL(resizes);
    case UC_AXIS_DECODER: return ALL(decoders);
    case UC_AXIS_COUNT: break;
    }
    return NULL;
}

size_t uc_axis_choices(const uc_candidate_size *size, uc_axis axis)
{
    size_t count;
    (void)choices_of(size, axis, &count);
    return count;
}

const char *uc_axis_choice_name(const uc_candidate_size *size, uc_axis axis, size_t i)
{
    size_t count;
    return choices_of(size, axis, &count)[i].name;
}

/* The template with its @WORDS@ replaced. */
static void put_steps(uc_writer *out, const char *steps, const uc_candidate_size *size,
                      const char *filter, bool bgr)
{
    const int64_t shorter = size->width < size->height ? size->width : size->height;
    while (*steps) {
        if (strncmp(steps, "@WH@", 4) == 0) {
            uc_writer_printf(out, "%lldx%lld", (long long)size->width, (long long)size->height);
            steps += 4;
        } else if (strncmp(steps, "@B@", 3) == 0) {
            uc_writer_printf(out, "%lld", (long long)((shorter * 8 + 3) / 7));
            steps += 3;
        } else if (strncmp(steps, "@S@", 3) == 0) {
            uc_writer_printf(out, "%lld", (long long)shorter);
            steps += 3;
        } else if (strncmp(steps, "@R@", 3) == 0) {
            uc_writer_text(out, filter);
            steps += 3;
        } else if (strncmp(steps, "@CAFFE@", 7) == 0) {
            uc_writer_text(out, bgr ? "103.939,116.779,123.68" : "123.68,116.779,103.939");
            steps += 7;
        } else {
            uc_writer_put(out, steps++, 1);
        }
    }
}

static const char *steps_of(const uc_candidate_size *size, uc_axis axis, size_t i, bool bgr,
                            const char *filter, uc_arena *arena)
{
    size_t count;
    const char *steps = choices_of(size, axis, &count)[i].steps;
    if (size->flat && strncmp(steps, "float32 | ", 10) == 0) steps += 10; /* rows are float64 */
    uc_writer w;
    uc_writer_init(&w, 1000);
    put_steps(&w, steps, size, filter, bgr);
    const char *text = uc_arena_str(arena, uc_writer_string(&w));
    uc_writer_done(&w);
    return text;
}

/* Whether the steps stand in the SPEC as whole steps. */
static bool stands_in(const char *steps, const char *spec)
{
    const size_t n = strlen(steps);
    for (const char *at = n ? strstr(spec, steps) : NULL; at; at = strstr(at + 1, steps)) {
        if ((at == spec || at[-1] == ' ' || at[-1] == ',') && (!at[n] || at[n] == ' ')) return true;
    }
    return false;
}

size_t uc_axis_choice_in(const uc_candidate_size *size, uc_axis axis, const char *spec,
                         uc_arena *arena)
{
    size_t count, found, longest = 0;
    (void)choices_of(size, axis, &count);
    found = count;
    for (size_t i = 0; i < count; i++) {
        const char *steps = steps_of(size, axis, i, strstr(spec, "bgr") != NULL, "", arena);
        const size_t n = steps ? strlen(steps) : 0;
        if (n <= longest || !stands_in(steps, spec)) continue;
        found = i;
        longest = n;
    }
    return found;
}

const char *uc_candidate_spec(const uc_candidate_size *size, const uc_candidate *candidate,
                              uc_arena *arena)
{
    /* The order people write them in: the decoder, colours, size, numbers, layout. */
    static const uc_axis order[] = {UC_AXIS_DECODER, UC_AXIS_CHANNELS, UC_AXIS_GEOMETRY,
                                    UC_AXIS_VALUES};
    size_t count;
    const choice *filters = choices_of(size, UC_AXIS_RESIZE, &count);
    const char *filter = filters[candidate->choice[UC_AXIS_RESIZE]].steps;
    const bool bgr = size->channels == 3 && candidate->choice[UC_AXIS_CHANNELS] == 1;
    uc_writer w;
    uc_writer_init(&w, 1000);
    for (size_t i = 0; i < COUNT(order); i++) {
        const char *steps =
            steps_of(size, order[i], candidate->choice[order[i]], bgr, filter, arena);
        if (steps && *steps && w.size) uc_writer_text(&w, " | ");
        if (steps) uc_writer_text(&w, steps);
    }
    if (!size->channels_last) uc_writer_text(&w, " | nchw");
    if (size->flat) uc_writer_text(&w, " | flatten");
    const char *spec = uc_arena_str(arena, uc_writer_string(&w));
    uc_writer_done(&w);
    return spec;
}
