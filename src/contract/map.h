/* Mean average precision of a detector, as pycocotools' COCOeval computes it for boxes: IoU 0.50 to 0.95
 * by 0.05, 101 recall points, at most 100 boxes a picture and class. */
#ifndef UC_CONTRACT_MAP_H
#define UC_CONTRACT_MAP_H

#include "base/arena.h"

#define UC_MAP_THRESHOLDS 10

typedef struct uc_map uc_map; /* truth and what was found; lives in its arena */

/* COCO's JSON: "images" (id, file_name), "annotations" (image_id, category_id, bbox as x, y, width,
 * height, iscrowd), "categories" (id, name). MALFORMED says what is missing. */
uncork_status uc_map_read(uc_bytes json, uc_arena *arena, uc_map **map, uncork_error *error);
/* The picture of this file name (the last part of a path), or SIZE_MAX. */
size_t uc_map_find_image(const uc_map *map, const char *path);
size_t uc_map_image_count(const uc_map *map);
/* File name of picture i. */
uc_str uc_map_image(const uc_map *map, size_t i);
/* Categories in the order of their ids; `id` may be NULL. */
size_t uc_map_class_count(const uc_map *map);
uc_str uc_map_class(const uc_map *map, size_t i, int64_t *id);
/* The category of this name, else of this id (name empty: of the id alone), or SIZE_MAX. */
size_t uc_map_find_class(const uc_map *map, uc_str name, int64_t id);

/* One box found in picture `picture` of category `class`: x1, y1, x2, y2 in its pixels. */
uncork_status uc_map_add(uc_map *map, size_t picture, size_t class, double score,
                         const double box[4], uncork_error *error);
/* The picture counts: those that were never seen don't. */
void uc_map_see(uc_map *map, size_t picture);

typedef struct uc_map_class_figures {
    size_t truths; /* that count: no crowds */
    size_t found;
    double ap, ap50, ap75; /* NaN: no truths */
    double recall;         /* mean over IoU of the largest */
} uc_map_class_figures;

typedef struct uc_map_figures {
    double ap, ap50, ap75, recall; /* mean over categories with truths; NaN: none has any */
    uc_map_class_figures *classes;
    size_t count;
} uc_map_figures;

uncork_status uc_map_evaluate(uc_map *map, uc_arena *arena, uc_map_figures *figures,
                              uncork_error *error);

#endif
