/* Pictures for models that decode them themselves: an input of strings takes the file as it is (Vertex AI's
 * image_bytes, the Object Detection API's encoded_image_string_tensor), or wrapped as a tf.Example
 * (tf_example); an input called key takes the file's name. */
#include "base/file.h"
#include "cli/predict.h"
#include "image/image.h"

#define PICTURE_BYTES ((size_t)1 << 30)

/* ---- which input ------------------------------------------------------------------------------ */

static bool has_word(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(name, words[i])) return true;
    }
    return false;
}
#define HAS_WORD(name, words) has_word((name), (words), sizeof(words) / sizeof(words)[0])

static bool is_text(const uncork_model *model, int i)
{
    return uncork_model_input_dtype(model, i) == UNCORK_STRING;
}

static bool is_key(const char *name)
{
    static const char *const words[] = {"key", "Key"};
    return HAS_WORD(name, words);
}

int predict_bytes_input(const uncork_model *model)
{
    static const char *const words[] = {"image",   "Image", "bytes", "encoded",
                                        "jpeg",    "jpg",   "png",   "photo",
                                        "picture", "img",   "b64",   "input_tensor"};
    static const char *const examples[] = {"example"};
    int64_t shape[UNCORK_MAX_RANK];
    int found = -1, texts = 0;
    for (int i = cli_required_input(model, 0); i >= 0; i = cli_required_input(model, i + 1)) {
        const char *name = uncork_model_input_name(model, i);
        if (!is_text(model, i)) return -1;
        if (is_key(name)) continue;
        if (uncork_model_input_shape(model, i, shape) > 2) return -1;
        texts++;
        if (HAS_WORD(name, words) || HAS_WORD(name, examples)) found = i;
    }
    return texts == 1 ? found : -1;
}

bool predict_takes_example(const uncork_model *model, int input)
{
    static const char *const words[] = {"example"};
    return HAS_WORD(uncork_model_input_name(model, input), words);
}

/* ---- tf.Example ------------------------------------------------------------------------------- */

static void put_varint(uc_writer *w, uint64_t v)
{
    while (v >= 0x80) {
        uc_writer_u8(w, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    uc_writer_u8(w, (uint8_t)v);
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7) {
        n++;
    }
    return n;
}

static size_t field_size(size_t bytes) { return 1 + varint_size(bytes) + bytes; }

static void put_field(uc_writer *w, unsigned number, size_t bytes)
{
    uc_writer_u8(w, (uint8_t)(number << 3 | 2));
    put_varint(w, bytes);
}

/* One entry of Features' map: {1 key, 2 Feature{1 BytesList{1 value}}}. */
static void put_feature(uc_writer *w, const char *key, uc_str value)
{
    const size_t list = field_size(value.size), feature = field_size(list);
    put_field(w, 1, field_size(strlen(key)) + field_size(feature));
    put_field(w, 1, strlen(key));
    uc_writer_text(w, key);
    put_field(w, 2, feature);
    put_field(w, 1, list);
    put_field(w, 1, value.size);
    uc_writer_put(w, value.data, value.size);
}

/* Example{1 Features{1 map}}: names that exporters use, what a graph doesn't ask for is left out by it. */
static uncork_status wrap_example(uc_str picture, uc_arena *arena, uc_str *example,
                                  uncork_error *error)
{
    static const char *const keys[] = {"image/encoded", "image", "image_bytes", "image_raw",
                                       "encoded_image"};
    uc_writer inner, outer;
    uc_writer_init(&inner, (size_t)6 << 30);
    uc_writer_init(&outer, (size_t)6 << 30);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        put_feature(&inner, keys[i], picture);
    }
    const bool png = picture.size > 4 && memcmp(picture.data, "\x89PNG", 4) == 0;
    put_feature(&inner, "image/format", uc_str_of(png ? "png" : "jpeg"));
    put_field(&outer, 1, inner.size);
    uc_writer_put(&outer, uc_writer_string(&inner), inner.size);
    const bool whole = !inner.status && !outer.status;
    const char *copy = whole ? uc_arena_copy(arena, uc_writer_string(&outer), outer.size) : NULL;
    *example = (uc_str){copy, outer.size};
    uc_writer_done(&inner);
    uc_writer_done(&outer);
    return copy ? UNCORK_OK : uc_fail_memory(error);
}

/* ---- a picture -------------------------------------------------------------------------------- */

/* One string with the input's number of dimensions. */
static uncork_status give_text(const predictor *p, int input, uc_str text, uc_arena *arena,
                               uncork_value **value, uncork_error *error)
{
    int64_t want[UNCORK_MAX_RANK], one[UNCORK_MAX_RANK];
    int rank = uncork_model_input_shape(p->model, input, want);
    if (rank < 0) rank = 1;
    for (int d = 0; d < rank; d++) {
        one[d] = 1;
        if (want[d] <= 1) continue;
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       "input '%.60s' takes %lld pictures at once",
                       uncork_model_input_name(p->model, input), (long long)want[d]);
    }
    const uc_tensor *t = uc_tensor_strings(arena, &text, rank, one);
    return !t || uc_value_over(t, value) ? uc_fail_memory(error) : UNCORK_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Boxes are told in pixels of the picture. */
static bool needs_size(const predictor *p)
{
    for (int i = 0; i < p->answers.count; i++) {
        if (p->described[i].rank == 3 || strstr(p->answers.names[i], "box")) return true;
    }
    return p->drawer != NULL;
}

static uncork_status read_picture(predictor *p, const char *path, uc_arena *arena, uc_bytes *bytes,
                                  uc_post_place *place, uncork_error *error)
{
    if (strcmp(path, "-") == 0) {
        uc_arena *kept = p->kept_arena ? p->kept_arena : arena;
        UC_TRY(uc_file_read_stdin(PICTURE_BYTES, kept, bytes, error));
        if (p->kept_arena) p->kept = *bytes;
    } else {
        UC_TRY(uc_file_read(path, false, arena, bytes, error));
    }
    if (!bytes->size) return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the file is empty");
    *place = (uc_post_place){.scale_x = 1, .scale_y = 1};
    if (!needs_size(p)) return UNCORK_OK;
    uc_image image;
    UC_TRY(uc_image_decode(*bytes, arena, &image, error));
    place->width = image.width;
    place->height = image.height;
    return UNCORK_OK;
}

static uncork_status feed(predictor *p, int input, const char *path, uc_bytes bytes,
                          uc_arena *arena, uncork_value **values, uncork_error *error)
{
    uc_str picture = {(const char *)bytes.data, bytes.size};
    if (predict_takes_example(p->model, input))
        UC_TRY(wrap_example(picture, arena, &picture, error));
    UC_TRY(give_text(p, input, picture, arena, &values[input], error));
    for (int i = cli_required_input(p->model, 0); i >= 0; i = cli_required_input(p->model, i + 1)) {
        if (i == input) continue;
        UC_TRY(give_text(p, i, uc_str_of(base_name(path)), arena, &values[i], error));
    }
    return UNCORK_OK;
}

static void predict_one(predictor *p, int input, const char *path, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bytes bytes = {0};
    uc_post_place place;
    const int inputs = uncork_model_input_count(p->model);
    uncork_value **values = UC_NEW(arena, uncork_value *, (size_t)inputs);
    uncork_status status = values ? UNCORK_OK : uc_fail_memory(&error);
    if (status == UNCORK_OK) status = read_picture(p, path, arena, &bytes, &place, &error);
    if (status == UNCORK_OK) status = feed(p, input, path, bytes, arena, values, &error);
    if (status) {
        predict_fail(p, path, &error);
    } else {
        const predict_run run = {.values = values,
                                 .height = place.height,
                                 .width = place.width,
                                 .names = &path,
                                 .paths = &path,
                                 .places = place.width ? &place : NULL,
                                 .count = 1,
                                 .batch = 1};
        (void)predict_run_all(p, &run);
    }
    for (int i = 0; values && i < inputs; i++) {
        uncork_value_free(values[i]);
    }
    predict_progress(p);
}

uncork_status predict_bytes(predictor *p, int input, char **paths, size_t count,
                            uncork_error *error)
{
    if (p->options->preprocess) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       "the model decodes pictures itself: leave --preprocess out");
    }
    uc_note(&p->notes, UC_NOTE_CHOSEN, "picture-bytes",
            "input '%.60s' takes the picture's file%s: the graph decodes it",
            uncork_model_input_name(p->model, input),
            predict_takes_example(p->model, input) ? " as a tf.Example" : "");
    uc_arena *arena = uc_arena_new(NULL);
    if (!arena) return uc_fail_memory(error);
    for (size_t i = 0; i < count && !p->stopped && !cli_cancelled; i++) {
        predict_one(p, input, paths[i], arena);
        uc_arena_reset(arena);
    }
    uc_arena_free(arena);
    return UNCORK_OK;
}
