/* Scales and shifts of a picture on its way to the model. */
#include "contract/geometry.h"

#include <math.h>

uc_geometry uc_geometry_squash(int picture_width, int picture_height, int input_width,
                               int input_height)
{
    const uc_geometry whole = {.picture_width = picture_width,
                               .picture_height = picture_height,
                               .input_width = picture_width,
                               .input_height = picture_height,
                               .scale_x = 1,
                               .scale_y = 1};
    return uc_geometry_resize(whole, input_width, input_height);
}

uc_geometry uc_geometry_resize(uc_geometry g, int width, int height)
{
    const double x = (double)width / g.input_width, y = (double)height / g.input_height;
    g.scale_x *= x;
    g.shift_x *= x;
    g.scale_y *= y;
    g.shift_y *= y;
    g.input_width = width;
    g.input_height = height;
    return g;
}

uc_geometry uc_geometry_crop(uc_geometry g, int left, int top, int width, int height)
{
    g.shift_x -= left;
    g.shift_y -= top;
    g.input_width = width;
    g.input_height = height;
    return g;
}

/* round() of Python: halves to even. */
static int side(int n, double gain)
{
    const double r = nearbyint(n * gain);
    return r < 1 ? 1 : (int)r;
}

uc_geometry uc_geometry_letterbox(int picture_width, int picture_height, int input_width,
                                  int input_height, bool centre)
{
    const double gx = (double)input_width / picture_width,
                 gy = (double)input_height / picture_height, gain = gx < gy ? gx : gy;
    const int w = side(picture_width, gain), h = side(picture_height, gain);
    /* ultralytics/utils/ops.py, scale_boxes: the half pixel of an odd pad goes right and below. */
    const int left = centre ? (int)nearbyint((input_width - w) / 2.0 - 0.1) : 0;
    const int top = centre ? (int)nearbyint((input_height - h) / 2.0 - 0.1) : 0;
    uc_geometry g = uc_geometry_squash(picture_width, picture_height, w, h);
    if (!centre)
        g.scale_x = g.scale_y = gain; /* yolox/evaluators/coco_evaluator.py divides by it */
    return uc_geometry_crop(g, -left, -top, input_width, input_height);
}

float uc_geometry_x(const uc_geometry *g, float x)
{
    return (x - (float)g->shift_x) / (float)g->scale_x;
}

float uc_geometry_y(const uc_geometry *g, float y)
{
    return (y - (float)g->shift_y) / (float)g->scale_y;
}

bool uc_geometry_is_squash(const uc_geometry *g)
{
    const double w = g->scale_x * g->picture_width, h = g->scale_y * g->picture_height;
    return g->shift_x == 0 && g->shift_y == 0 && fabs(w - g->input_width) < 1e-6 * w &&
           fabs(h - g->input_height) < 1e-6 * h;
}
