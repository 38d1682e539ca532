/* Average precision. Source: pycocotools/cocoeval.py (evaluateImg, accumulate) and maskApi.c (bbIou),
 * area range "all". */
#include "contract/map.h"

#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define MOST_A_PICTURE 100 /* maxDets */
#define RECALL_POINTS  101

typedef struct item {
    size_t class, image;
    double box[4]; /* x, y, width, height */
    double score;  /* of what was found */
    bool crowd;
    size_t order;
} item;

typedef struct image {
    int64_t id;
    uc_str name;
    bool seen;
} image;

typedef struct category {
    int64_t id;
    uc_str name;
} category;

struct uc_map {
    uc_arena *arena;
    image *images; /* by id */
    size_t image_count;
    category *classes; /* by id */
    size_t class_count;
    item *truths, *found;
    size_t truth_count, found_count, found_capacity;
};

/* ---- reading ------------------------------------------------------------------------------- */

static int by_image_id(const void *a, const void *b)
{
    const image *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_class_id(const void *a, const void *b)
{
    const category *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static size_t find_class_id(const uc_map *m, int64_t id)
{
    const category key = {.id = id};
    const category *c =
        m->class_count ? bsearch(&key, m->classes, m->class_count, sizeof key, by_class_id) : NULL;
    return c ? (size_t)(c - m->classes) : SIZE_MAX;
}

static size_t find_image_id(const uc_map *m, int64_t id)
{
    const image key = {.id = id};
    const image *i =
        m->image_count ? bsearch(&key, m->images, m->image_count, sizeof key, by_image_id) : NULL;
    return i ? (size_t)(i - m->images) : SIZE_MAX;
}

static uncork_status missing(uncork_error *error, const char *what)
{
    uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the true boxes have no %s", what);
    return uc_fix(error, "they are COCO's JSON: images, annotations, categories");
}

static uncork_status read_annotation(uc_map *m, const uc_json *json, item *to, uncork_error *error)
{
    size_t n = 0;
    const double *box = uc_json_f64s(uc_json_get(json, "bbox"), m->arena, &n);
    *to = (item){.class = find_class_id(m, uc_json_i64(uc_json_get(json, "category_id"), -1)),
                 .image = find_image_id(m, uc_json_i64(uc_json_get(json, "image_id"), -1)),
                 .crowd = uc_json_i64(uc_json_get(json, "iscrowd"), 0) != 0};
    if (!box || n != 4) return missing(error, "bbox of four numbers in one of the annotations");
    memcpy(to->box, box, sizeof to->box);
    if (to->class == SIZE_MAX || to->image == SIZE_MAX)
        return missing(error, "image or category that an annotation names");
    for (int k = 0; k < 4; k++) {
        if (!isfinite(box[k])) return missing(error, "finite bbox in one of the annotations");
    }
    return UNCORK_OK;
}

uncork_status uc_map_read(uc_bytes json, uc_arena *arena, uc_map **map, uncork_error *error)
{
    const uc_json *root = uc_json_read(json, 0, arena, error);
    if (!root) return error && error->status ? error->status : UNCORK_MALFORMED;
    const uc_json *images = uc_json_get(root, "images"), *truths = uc_json_get(root, "annotations"),
                  *classes = uc_json_get(root, "categories");
    if (!uc_json_count(images)) return missing(error, "images");
    if (!uc_json_count(classes)) return missing(error, "categories");
    if (!truths || truths->kind != UC_JSON_ARRAY) return missing(error, "annotations");
    uc_map *m = UC_NEW(arena, uc_map, 1);
    if (!m) return uc_arena_status(arena, error);
    *m = (uc_map){.arena = arena,
                  .image_count = uc_json_count(images),
                  .class_count = uc_json_count(classes),
                  .truth_count = uc_json_count(truths)};
    m->images = UC_NEW(arena, image, m->image_count);
    m->classes = UC_NEW(arena, category, m->class_count);
    m->truths = UC_NEW(arena, item, m->truth_count);
    if (!m->images || !m->classes || !m->truths) return uc_arena_status(arena, error);
    for (size_t i = 0; i < m->image_count; i++) {
        const uc_json *j = uc_json_at(images, i);
        m->images[i] = (image){.id = uc_json_i64(uc_json_get(j, "id"), -1),
                               .name = uc_json_str(uc_json_get(j, "file_name"), "")};
    }
    for (size_t i = 0; i < m->class_count; i++) {
        const uc_json *j = uc_json_at(classes, i);
        m->classes[i] = (category){.id = uc_json_i64(uc_json_get(j, "id"), -1),
                                   .name = uc_json_str(uc_json_get(j, "name"), "")};
    }
    qsort(m->images, m->image_count, sizeof *m->images, by_image_id);
    qsort(m->classes, m->class_count, sizeof *m->classes, by_class_id);
    for (size_t i = 0; i < m->truth_count; i++) {
        UC_TRY(read_annotation(m, uc_json_at(truths, i), &m->truths[i], error));
        m->truths[i].order = i;
    }
    *map = m;
    return UNCORK_OK;
}

/* ---- looking up ---------------------------------------------------------------------------- */

size_t uc_map_image_count(const uc_map *map) { return map->image_count; }

uc_str uc_map_image(const uc_map *map, size_t i) { return map->images[i].name; }

static uc_str last_part(uc_str path)
{
    for (size_t i = path.size; i > 0; i--) {
        if (path.data[i - 1] == '/') return (uc_str){path.data + i, path.size - i};
    }
    return path;
}

size_t uc_map_find_image(const uc_map *map, const char *path)
{
    const uc_str name = last_part(uc_str_of(path));
    for (size_t i = 0; i < map->image_count; i++) {
        if (uc_str_equal(last_part(map->images[i].name), name)) return i;
    }
    return SIZE_MAX;
}

size_t uc_map_class_count(const uc_map *map) { return map->class_count; }

uc_str uc_map_class(const uc_map *map, size_t i, int64_t *id)
{
    if (id) *id = map->classes[i].id;
    return map->classes[i].name;
}

size_t uc_map_find_class(const uc_map *map, uc_str name, int64_t id)
{
    for (size_t i = 0; name.size && i < map->class_count; i++) {
        if (uc_str_equal(map->classes[i].name, name)) return i;
    }
    return find_class_id(map, id);
}

void uc_map_see(uc_map *map, size_t picture) { map->images[picture].seen = true; }

uncork_status uc_map_add(uc_map *map, size_t picture, size_t class, double score,
                         const double box[4], uncork_error *error)
{
    if (!isfinite(score) || !isfinite(box[0] + box[1] + box[2] + box[3])) return UNCORK_OK;
    item *items = uc_arena_grow(map->arena, map->found, &map->found_capacity, map->found_count + 1,
                                sizeof *items);
    if (!items) return uc_arena_status(map->arena, error);
    map->found = items;
    items[map->found_count] = (item){.class = class,
                                     .image = picture,
                                     .box = {box[0], box[1], box[2] - box[0], box[3] - box[1]},
                                     .score = score,
                                     .order = map->found_count};
    map->found_count++;
    map->images[picture].seen = true;
    return UNCORK_OK;
}

/* ---- evaluating ------------------------------------------------------------------------------ */

/* By category, then picture; what was found best first, truths crowds last; else as they came. */
static int by_place(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->class != y->class) return x->class < y->class ? -1 : 1;
    if (x->image != y->image) return x->image < y->image ? -1 : 1;
    if (x->crowd != y->crowd) return x->crowd ? 1 : -1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static double overlap(const double *d, const double *t, bool crowd)
{
    const double w = fmin(d[2] + d[0], t[2] + t[0]) - fmax(d[0], t[0]);
    const double h = fmin(d[3] + d[1], t[3] + t[1]) - fmax(d[1], t[1]);
    if (w <= 0 || h <= 0) return 0;
    const double both = w * h, area = d[2] * d[3];
    return both / (crowd ? area : area + t[2] * t[3] - both);
}

/* One found box of a category, ready to be counted. */
typedef struct hit {
    double score;
    size_t order;                    /* pictures one after the other */
    uint8_t kind[UC_MAP_THRESHOLDS]; /* 0: false, 1: true, 2: lies on a crowd */
} hit;

/* Matches a picture's boxes of one category at one IoU. */
static void match(const item *found, size_t n, const item *truths, size_t count, double iou, int at,
                  bool *taken, hit *hits)
{
    memset(taken, 0, count * sizeof *taken);
    for (size_t d = 0; d < n; d++) {
        double best = fmin(iou, 1 - 1e-10);
        size_t chosen = SIZE_MAX;
        for (size_t t = 0; t < count; t++) {
            if (taken[t] && !truths[t].crowd) continue;
            if (chosen != SIZE_MAX && !truths[chosen].crowd && truths[t].crowd) break;
            const double o = overlap(found[d].box, truths[t].box, truths[t].crowd);
            if (o < best) continue;
            best = o;
            chosen = t;
        }
        hits[d].kind[at] = chosen == SIZE_MAX ? 0 : truths[chosen].crowd ? 2 : 1;
        if (chosen != SIZE_MAX) taken[chosen] = true;
    }
}

static int by_score(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Average precision at one IoU of `n` hits, best first; *recall is what was reached. */
static double average(const hit *hits, size_t n, int at, size_t truths, double *precision,
                      double *recalls, double *recall)
{
    size_t count = 0;
    double right = 0, wrong = 0;
    for (size_t i = 0; i < n; i++) {
        if (hits[i].kind[at] == 2) continue;
        right += hits[i].kind[at] == 1;
        wrong += hits[i].kind[at] == 0;
        recalls[count] = right / (double)truths;
        precision[count++] = right / (wrong + right + DBL_EPSILON);
    }
    *recall = count ? recalls[count - 1] : 0;
    for (size_t i = count; i-- > 1;) {
        if (precision[i] > precision[i - 1]) precision[i - 1] = precision[i];
    }
    double sum = 0;
    size_t k = 0;
    for (int r = 0; r < RECALL_POINTS; r++) { /* numpy.linspace(0, 1, 101) */
        const double point = r == RECALL_POINTS - 1 ? 1 : r * 0.01;
        while (k < count && recalls[k] < point) {
            k++;
        }
        if (k < count) sum += precision[k];
    }
    return sum / RECALL_POINTS;
}

typedef struct span {
    size_t begin, end;
} span;

/* Items of one category from *at on. */
static span class_span(const item *items, size_t count, size_t class, size_t *at)
{
    span s = {*at, *at};
    while (s.end < count && items[s.end].class == class) {
        s.end++;
    }
    *at = s.end;
    return s;
}

static size_t image_end(const item *items, span s, size_t picture)
{
    while (s.begin < s.end && items[s.begin].image == picture) {
        s.begin++;
    }
    return s.begin;
}

/* Every picture of one category; returns the number of hits. */
static size_t match_class(const uc_map *m, span found, span truths, bool *taken, hit *hits,
                          size_t *counted)
{
    size_t n = 0;
    *counted = 0;
    for (size_t i = 0; i < m->image_count; i++) {
        const size_t d = image_end(m->found, found, i), t = image_end(m->truths, truths, i);
        const size_t all = d - found.begin, some = all < MOST_A_PICTURE ? all : MOST_A_PICTURE;
        if (m->images[i].seen) {
            for (size_t k = truths.begin; k < t; k++) {
                *counted += !m->truths[k].crowd;
            }
            for (size_t k = 0; k < some; k++) {
                hits[n + k] = (hit){.score = m->found[found.begin + k].score, .order = n + k};
            }
            for (int at = 0; at < UC_MAP_THRESHOLDS; at++) {
                match(m->found + found.begin, some, m->truths + truths.begin, t - truths.begin,
                      0.5 + 0.05 * at, at, taken, hits + n);
            }
            n += some;
        }
        found.begin = d;
        truths.begin = t;
    }
    if (n) qsort(hits, n, sizeof *hits, by_score);
    return n;
}

static void add_up(uc_map_figures *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (!f->classes[i].truths) continue;
        f->ap += f->classes[i].ap;
        f->ap50 += f->classes[i].ap50;
        f->ap75 += f->classes[i].ap75;
        f->recall += f->classes[i].recall;
        n++;
    }
    const double by = n ? (double)n : (double)NAN;
    f->ap /= by;
    f->ap50 /= by;
    f->ap75 /= by;
    f->recall /= by;
}

uncork_status uc_map_evaluate(uc_map *map, uc_arena *arena, uc_map_figures *figures,
                              uncork_error *error)
{
    *figures = (uc_map_figures){.count = map->class_count};
    figures->classes = UC_NEW(arena, uc_map_class_figures, map->class_count);
    hit *hits = UC_NEW(arena, hit, map->found_count);
    double *numbers = UC_NEW(arena, double, 2 * map->found_count);
    bool *taken = UC_NEW(arena, bool, map->truth_count);
    if (!figures->classes || !hits || !numbers || !taken) return uc_arena_status(arena, error);
    if (map->found_count) qsort(map->found, map->found_count, sizeof *map->found, by_place);
    if (map->truth_count) qsort(map->truths, map->truth_count, sizeof *map->truths, by_place);
    size_t found_at = 0, truth_at = 0;
    for (size_t c = 0; c < map->class_count; c++) {
        uc_map_class_figures *f = &figures->classes[c];
        const span found = class_span(map->found, map->found_count, c, &found_at);
        const span truths = class_span(map->truths, map->truth_count, c, &truth_at);
        const size_t n = match_class(map, found, truths, taken, hits, &f->truths);
        f->found = n;
        if (!f->truths) {
            f->ap = f->ap50 = f->ap75 = f->recall = (double)NAN;
            continue;
        }
        for (int at = 0; at < UC_MAP_THRESHOLDS; at++) {
            double recall;
            const double ap =
                average(hits, n, at, f->truths, numbers, numbers + map->found_count, &recall);
            f->ap += ap / UC_MAP_THRESHOLDS;
            f->recall += recall / UC_MAP_THRESHOLDS;
            if (at == 0) f->ap50 = ap;
            if (at == 5) f->ap75 = ap;
        }
    }
    add_up(figures);
    return UNCORK_OK;
}
