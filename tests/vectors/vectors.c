/* vectors [INDEX [IMAGES]]: computes every vector of an index.json, or of the one in a folder, and compares
 * with what the genuine library gave: the array in its file, or a CRC-32 (the short form that
 * decode_vectors.py --short writes). Pictures lie in
 * IMAGES, beside the index without it. Names what fails, one line each, and ends with `N of M vectors hold`; exit status 0 only
 * when all hold but the exceptions below. */
#include "vectors.h"

#include "base/dtype.h"
#include "base/file.h"
#include "container/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

#define DEFAULT_FOLDER "../shared/vectors/preprocess"

static const struct {
    const char *id, *why;
} exceptions[] = {
    {"pil-0313",
     "the last bit of a float sum hangs on the order in which Pillow's build evaluates the "
     "mks2013 polynomial"},
};

typedef struct runner {
    const char *folder, *images;
    int total, held, failed, excepted;
} runner;

/* Parameters. */

uc_str vector_text(const vector *v, const char *name, const char *otherwise)
{
    return uc_json_str(uc_json_get(v->params, name), otherwise);
}

double vector_number(const vector *v, const char *name, double otherwise)
{
    return uc_json_f64(uc_json_get(v->params, name), otherwise);
}

bool vector_flag(const vector *v, const char *name, bool otherwise)
{
    return uc_json_bool(uc_json_get(v->params, name), otherwise);
}

bool vector_has(const vector *v, const char *name)
{
    const uc_json *j = uc_json_get(v->params, name);
    return j && j->kind != UC_JSON_NULL;
}

uncork_status vector_unknown(const vector *v, const char *name)
{
    uc_str s = vector_text(v, name, "");
    return uc_fail(v->error, UNCORK_USAGE, UC_NO_OFFSET,
                   "the runner doesn't know this value of '%s': '%.*s'", name, (int)s.size, s.data);
}

uncork_status vector_doubles(const vector *v, const char *name, double *to, size_t n)
{
    size_t count = 0;
    const double *values = uc_json_f64s(uc_json_get(v->params, name), v->arena, &count);
    if (!values || count != n) return vector_unknown(v, name);
    memcpy(to, values, n * sizeof *to);
    return UNCORK_OK;
}

uncork_status vector_ints(const vector *v, const char *name, int *to, size_t n)
{
    size_t count = 0;
    const int64_t *values = uc_json_i64s(uc_json_get(v->params, name), v->arena, &count);
    if (!values || count != n) return vector_unknown(v, name);
    for (size_t i = 0; i < n; i++) {
        to[i] = (int)values[i];
    }
    return UNCORK_OK;
}

int vector_major(const vector *v)
{
    int major = 0;
    for (size_t i = 0;
         i < v->version.size && v->version.data[i] >= '0' && v->version.data[i] <= '9'; i++) {
        major = major * 10 + (v->version.data[i] - '0');
    }
    return major;
}

uncork_status vector_open(const vector *v, uc_image *image)
{
    return uc_image_decode(v->file, v->arena, image, v->error);
}

uncork_status vector_rgb(const vector *v, uc_pixels *pixels)
{
    uc_image image;
    UC_TRY(vector_open(v, &image));
    UC_TRY(uc_image_convert(&image, UC_IMAGE_RGB, v->arena, &image, v->error));
    return uc_pixels_of_image(&image, v->arena, pixels, v->error);
}

/* Results. */

uncork_status vector_give(vector *v, uncork_dtype dtype, int rank, const int64_t *shape, void *data)
{
    v->result = UC_NEW(v->arena, uc_tensor, 1);
    if (!v->result) return uc_arena_status(v->arena, v->error);
    uc_tensor_set(v->result, dtype, rank, shape);
    v->result->data = data;
    return UNCORK_OK;
}

uncork_status vector_give_pixels(vector *v, const uc_pixels *pixels)
{
    int64_t shape[] = {pixels->height, pixels->width, pixels->channels};
    return vector_give(v, pixels->dtype, 3, shape, pixels->data);
}

uncork_status vector_give_image(vector *v, const uc_image *image)
{
    uc_pixels pixels;
    UC_TRY(uc_pixels_of_image(image, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

/* Comparison. */

static int squeeze(const int64_t *shape, int rank, int64_t *to)
{
    int n = 0;
    for (int i = 0; i < rank; i++) {
        if (shape[i] != 1) to[n++] = shape[i];
    }
    return n;
}

static bool same_form(const uc_tensor *got, const uc_tensor *want, char *why, size_t size)
{
    int64_t a[UNCORK_MAX_RANK], b[UNCORK_MAX_RANK];
    int n = squeeze(got->shape, got->rank, a), m = squeeze(want->shape, want->rank, b);
    char got_text[128], want_text[128];
    /* some vectors keep bool as 0 and 1 of uint8 */
    bool same =
        got->dtype == want->dtype || (got->dtype == UNCORK_BOOL && want->dtype == UNCORK_UINT8);
    if (same && n == m && memcmp(a, b, (size_t)n * sizeof *a) == 0) return true;
    snprintf(why, size, "is %s %s, expected %s %s", uc_dtype_name(got->dtype),
             uc_shape_text(got->shape, got->rank, got_text, sizeof got_text),
             uc_dtype_name(want->dtype),
             uc_shape_text(want->shape, want->rank, want_text, sizeof want_text));
    return false;
}

static double value_at(const uc_tensor *t, size_t i)
{
    if (t->dtype == UNCORK_UINT8 || t->dtype == UNCORK_BOOL) return ((const uint8_t *)t->data)[i];
    if (t->dtype == UNCORK_UINT16) return ((const uint16_t *)t->data)[i];
    if (t->dtype == UNCORK_INT32) return ((const int32_t *)t->data)[i];
    if (t->dtype == UNCORK_FLOAT32) return (double)((const float *)t->data)[i];
    return t->dtype == UNCORK_FLOAT64 ? ((const double *)t->data)[i] : NAN;
}

/* Where element i lies: "[2, 3, 0]". */
static const char *place(const uc_tensor *t, size_t i, char *text, size_t size)
{
    int64_t index[UNCORK_MAX_RANK];
    for (int d = t->rank; d-- > 0;) {
        index[d] = (int64_t)(i % (size_t)t->shape[d]);
        i /= (size_t)t->shape[d];
    }
    return uc_shape_text(index, t->rank, text, size);
}

typedef struct difference {
    size_t count, first;
    double largest;
} difference;

static difference differences(const uc_tensor *got, const uc_tensor *want, size_t n, double within)
{
    difference d = {0};
    for (size_t i = 0; i < n; i++) {
        double a = value_at(got, i), b = value_at(want, i), off = fabs(a - b);
        if (a == b || (isnan(a) && isnan(b))) continue;
        if (!(off <= d.largest)) d.largest = off;
        if (off <= within) continue;
        if (d.count++ == 0) d.first = i;
    }
    return d;
}

static bool same_values(const uc_tensor *got, const uc_tensor *want, const uc_json *compare,
                        char *why, size_t size)
{
    size_t bytes = 0, n = (size_t)uc_tensor_count(want);
    if (!uc_shape_bytes(want->dtype, want->shape, want->rank, &bytes)) return false;
    if (memcmp(got->data, want->data, bytes) == 0) return true;
    const uc_json *atol = uc_json_get(compare, "atol"), *max_abs = uc_json_get(compare, "max_abs");
    double within = atol ? uc_json_f64(atol, 0) : 0;
    difference d = differences(got, want, n, within);
    if (atol && d.count == 0) return true;
    double allowed = uc_json_f64(uc_json_get(compare, "max_frac"), 0) * (double)n;
    if (max_abs && d.largest <= uc_json_f64(max_abs, 0) && (double)d.count <= allowed) return true;
    if (d.count == 0) { /* -0 or another NaN */
        snprintf(why, size, "its values are equal, their bytes aren't");
        return false;
    }
    char at[128];
    snprintf(why, size, "%s is %.9g, expected %.9g; %zu of %zu differ, by %.3g at most",
             place(got, d.first, at, sizeof at), value_at(got, d.first), value_at(want, d.first),
             d.count, n, d.largest);
    return false;
}

/* Running. */

static vector_fn find_row(const vector *v)
{
    static const vector_row *const tables[] = {vectors_pillow,
                                               vectors_opencv,
                                               vectors_tensorflow,
                                               vectors_readers,
                                               vectors_resize_opencv,
                                               vectors_resize_tensorflow,
                                               vectors_resize_torchvision,
                                               vectors_resize_keras,
                                               vectors_resize_skimage};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const vector_row *r = tables[t]; r->library; r++) {
            if (uc_str_is(v->library, r->library) && uc_str_is(v->op, r->op)) return r->run;
        }
    }
    return NULL;
}

static uncork_status read_in(const vector *v, const char *folder, uc_str name, uc_bytes *bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.size, name.data);
    return uc_file_read(path, false, v->arena, bytes, v->error);
}

/* CRC-32 over type, dimensions other than 1, and bytes, as decode_vectors.py puts it. */
static bool same_crc(const vector *v, int64_t want, char *why, size_t size)
{
    int64_t shape[UNCORK_MAX_RANK];
    char dimensions[128], text[256];
    size_t bytes;
    const uc_tensor *got = v->result;
    if (!got || !uc_shape_bytes(got->dtype, got->shape, got->rank, &bytes)) return false;
    int rank = squeeze(got->shape, got->rank, shape);
    snprintf(text, sizeof text, "%s %s %lu", uc_dtype_name(got->dtype),
             uc_shape_text(shape, rank, dimensions, sizeof dimensions),
             crc32(0, got->data, (uInt)bytes));
    snprintf(why, size, "is %s, which isn't what is expected", text);
    return (int64_t)crc32(0, (const Bytef *)text, (uInt)strlen(text)) == want;
}

typedef struct expectation {
    bool refused;
    const uc_json *json; /* with "expected" and "compare"; or */
    int64_t crc;
} expectation;

static bool same(const runner *r, vector *v, const expectation *e, char *why, size_t size)
{
    uc_bytes bytes;
    uc_npy npy;
    uc_str name = uc_json_str(uc_json_get(e->json, "expected"), "");
    if (!e->json) return same_crc(v, e->crc, why, size);
    if (read_in(v, r->folder, name, &bytes) || uc_npy_read(bytes, 0, v->arena, &npy, v->error)) {
        snprintf(why, size, "fails: %s", v->error->what);
        return false;
    }
    return v->result && npy.tensor && same_form(v->result, npy.tensor, why, size) &&
           same_values(v->result, npy.tensor, uc_json_get(e->json, "compare"), why, size);
}

static bool check(const runner *r, vector *v, const expectation *e, char *why, size_t size)
{
    vector_fn run = find_row(v);
    if (!run) {
        snprintf(why, size, "no row carries out this operation");
        return false;
    }
    uncork_status status = read_in(v, r->images, v->image, &v->file);
    if (!status) status = run(v);
    snprintf(why, size, status ? "fails: %s" : "isn't refused, as the library does",
             v->error->what);
    if (e->refused) return status && status != UNCORK_USAGE && status != UNCORK_NO_MEMORY;
    return !status && same(r, v, e, why, size);
}

static const char *exception_of(uc_str id)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        if (uc_str_is(id, exceptions[i].id)) return exceptions[i].why;
    }
    return NULL;
}

/* `way` has library, op, version and params. */
static void run_vector(runner *r, const uc_json *way, uc_str id, uc_str image, const expectation *e)
{
    uncork_error error;
    uc_error_init(&error);
    vector v = {.arena = uc_arena_new(NULL), .error = &error, .image = image};
    v.library = uc_json_str(uc_json_get(way, "library"), "");
    v.op = uc_json_str(uc_json_get(way, "op"), "");
    v.version = uc_json_str(uc_json_get(way, "version"), "");
    v.params = uc_json_get(way, "params");
    char why[600] = "fails";
    bool ok = check(r, &v, e, why, sizeof why);
    const char *excepted = ok ? NULL : exception_of(id);
    r->total++;
    r->held += ok;
    r->excepted += excepted != NULL;
    r->failed += !ok && !excepted;
    if (!ok) {
        printf("%s %.*s  %.*s %.*s  %.*s: %s\n", excepted ? "known" : "FAILS", (int)id.size,
               id.data, (int)v.library.size, v.library.data, (int)v.op.size, v.op.data,
               (int)v.image.size, v.image.data, excepted ? excepted : why);
    }
    uc_arena_free(v.arena);
}

static void run_vectors(runner *r, const uc_json *all)
{
    for (size_t i = 0; i < uc_json_count(all); i++) {
        const uc_json *v = uc_json_at(all, i);
        uc_str compare = uc_json_str(uc_json_get(v, "compare"), "");
        run_vector(r, v, uc_json_str(uc_json_get(v, "id"), ""),
                   uc_json_str(uc_json_get(v, "image"), ""),
                   &(expectation){.refused = uc_str_is(compare, "error"), .json = v});
    }
}

/* The short form: "files" has for every picture the CRC-32s and which of the "ways" give each; 0 is a
 * refusal. */
static void run_short(runner *r, const uc_json *ways, const uc_json *files, uc_arena *arena)
{
    for (size_t f = 0; files && f < files->count; f++) {
        const uc_json *results = uc_json_at(files, f);
        for (size_t k = 0; k < results->count; k++) {
            size_t n;
            const int64_t *which = uc_json_i64s(uc_json_at(results, k), arena, &n);
            char text[16] = "";
            memcpy(text, results->keys[k].data,
                   results->keys[k].size < 15 ? results->keys[k].size : 15);
            int64_t crc = strtoll(text, NULL, 10);
            for (size_t i = 0; which && i < n; i++) {
                const uc_json *way = uc_json_at(ways, (size_t)which[i]);
                char id[64];
                snprintf(id, sizeof id, "way-%lld", (long long)which[i]);
                run_vector(r, way, (uc_str){id, strlen(id)}, files->keys[f],
                           &(expectation){.refused = crc == 0, .crc = crc});
            }
        }
    }
}

/* Runs the index at `path`; the exit status. */
static int run_index(runner *r, const char *path, uc_arena *arena)
{
    uncork_error error;
    uc_bytes bytes;
    const uc_json *index = NULL;
    uc_error_init(&error);
    if (uc_file_read(path, true, arena, &bytes, &error) == UNCORK_OK)
        index = uc_json_read(bytes, 0, arena, &error);
    const uc_json *all = uc_json_get(index, "vectors"), *files = uc_json_get(index, "files");
    if (!all && !files) {
        fprintf(stderr, "%s: %s\n", path, error.status ? error.what : "it has no 'vectors'");
        return 2;
    }
    run_vectors(r, all);
    run_short(r, uc_json_get(index, "ways"), files, arena);
    if (r->excepted) printf("known exceptions that don't hold: %d\n", r->excepted);
    printf("%d of %d vectors hold\n", r->held, r->total);
    return r->failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    runner r = {.folder = argc > 1 ? argv[1] : DEFAULT_FOLDER};
    char path[1024];
    bool folder = uc_file_kind_of(r.folder) != UC_FILE_REGULAR;
    snprintf(path, sizeof path, folder ? "%s/index.json" : "%s", r.folder);
    r.images = argc > 2 ? argv[2] : r.folder;
    if (argc < 2 && uc_file_kind_of(path) != UC_FILE_REGULAR) {
        printf("skipped: %s isn't here\n", path);
        return 77;
    }
    if (argc > 2 && uc_file_kind_of(r.images) != UC_FILE_FOLDER) {
        printf("skipped: %s isn't here\n", r.images);
        return 77;
    }
    uc_arena *arena = uc_arena_new(NULL);
    const int status = run_index(&r, path, arena);
    uc_arena_free(arena);
    return status;
}
