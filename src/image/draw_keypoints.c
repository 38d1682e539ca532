/* Keypoints: discs, joined where there are the 17 of COCO's person. */
#include "image/draw.h"

#include <math.h>

/* The skeleton of COCO's person_keypoints annotations (categories[0].skeleton, from 0): which points
 * a limb joins, and whose side it is on. */
enum { LEFT, RIGHT, MIDDLE };
static const struct {
    uint8_t from, to, side;
} limbs[] = {
    {15, 13, LEFT}, {13, 11, LEFT}, {16, 14, RIGHT}, {14, 12, RIGHT}, {11, 12, MIDDLE},
    {5, 11, LEFT},  {6, 12, RIGHT}, {5, 6, MIDDLE},  {5, 7, LEFT},    {6, 8, RIGHT},
    {7, 9, LEFT},   {8, 10, RIGHT}, {1, 2, MIDDLE},  {0, 1, LEFT},    {0, 2, RIGHT},
    {1, 3, LEFT},   {2, 4, RIGHT},  {3, 5, LEFT},    {4, 6, RIGHT},
};
#define COCO_POINTS 17

static const uc_color sides[] = {{0, 200, 80}, {255, 128, 0}, {40, 150, 255}};

static bool shown(const double point[3], double threshold)
{
    return isfinite(point[0]) && isfinite(point[1]) && !(point[2] < threshold);
}

void uc_draw_keypoints(const uc_pixels *canvas, const double (*points)[3], size_t count,
                       double threshold)
{
    const double width = uc_draw_line_width(canvas) * 1.5;
    for (size_t i = 0; count == COCO_POINTS && i < sizeof limbs / sizeof limbs[0]; i++) {
        const double *a = points[limbs[i].from], *b = points[limbs[i].to];
        if (!shown(a, threshold) || !shown(b, threshold)) continue;
        uc_draw_line(canvas, a[0], a[1], b[0], b[1], width, sides[limbs[i].side]);
    }
    for (size_t i = 0; i < count; i++) {
        if (!shown(points[i], threshold)) continue;
        const uc_color color = count == COCO_POINTS ? sides[i == 0  ? MIDDLE
                                                            : i % 2 ? LEFT
                                                                    : RIGHT]
                                                    : uc_draw_color(UC_LOOK_DEFAULT, (int64_t)i);
        uc_draw_disc(canvas, points[i][0], points[i][1], width * 1.5, (uc_color){255, 255, 255});
        uc_draw_disc(canvas, points[i][0], points[i][1], width * 1.1, color);
    }
}
