/* Colours of classes. */
#include "image/draw.h"

/* STANDARD_COLORS of the Object Detection API (object_detection/utils/visualization_utils.py), as
 * Pillow's ImageColor reads the names, in its order: AliceBlue, Chartreuse, Aqua, ... */
static const uc_color standard_colors[126] = {
    {240, 248, 255}, {127, 255, 0},   {0, 255, 255},   {127, 255, 212}, {240, 255, 255},
    {245, 245, 220}, {255, 228, 196}, {255, 235, 205}, {138, 43, 226},  {222, 184, 135},
    {95, 158, 160},  {250, 235, 215}, {210, 105, 30},  {255, 127, 80},  {100, 149, 237},
    {255, 248, 220}, {220, 20, 60},   {0, 255, 255},   {0, 139, 139},   {184, 134, 11},
    {169, 169, 169}, {189, 183, 107}, {255, 140, 0},   {153, 50, 204},  {233, 150, 122},
    {143, 188, 143}, {0, 206, 209},   {148, 0, 211},   {255, 20, 147},  {0, 191, 255},
    {30, 144, 255},  {178, 34, 34},   {255, 250, 240}, {34, 139, 34},   {255, 0, 255},
    {220, 220, 220}, {248, 248, 255}, {255, 215, 0},   {218, 165, 32},  {250, 128, 114},
    {210, 180, 140}, {240, 255, 240}, {255, 105, 180}, {205, 92, 92},   {255, 255, 240},
    {240, 230, 140}, {230, 230, 250}, {255, 240, 245}, {124, 252, 0},   {255, 250, 205},
    {173, 216, 230}, {240, 128, 128}, {224, 255, 255}, {250, 250, 210}, {211, 211, 211},
    {211, 211, 211}, {144, 238, 144}, {255, 182, 193}, {255, 160, 122}, {32, 178, 170},
    {135, 206, 250}, {119, 136, 153}, {119, 136, 153}, {176, 196, 222}, {255, 255, 224},
    {0, 255, 0},     {50, 205, 50},   {250, 240, 230}, {255, 0, 255},   {102, 205, 170},
    {186, 85, 211},  {147, 112, 219}, {60, 179, 113},  {123, 104, 238}, {0, 250, 154},
    {72, 209, 204},  {199, 21, 133},  {245, 255, 250}, {255, 228, 225}, {255, 228, 181},
    {255, 222, 173}, {253, 245, 230}, {128, 128, 0},   {107, 142, 35},  {255, 165, 0},
    {255, 69, 0},    {218, 112, 214}, {238, 232, 170}, {152, 251, 152}, {175, 238, 238},
    {219, 112, 147}, {255, 239, 213}, {255, 218, 185}, {205, 133, 63},  {255, 192, 203},
    {221, 160, 221}, {176, 224, 230}, {128, 0, 128},   {255, 0, 0},     {188, 143, 143},
    {65, 105, 225},  {139, 69, 19},   {0, 128, 0},     {244, 164, 96},  {46, 139, 87},
    {255, 245, 238}, {160, 82, 45},   {192, 192, 192}, {135, 206, 235}, {106, 90, 205},
    {112, 128, 144}, {112, 128, 144}, {255, 250, 250}, {0, 255, 127},   {70, 130, 180},
    {173, 255, 47},  {0, 128, 128},   {216, 191, 216}, {255, 99, 71},   {64, 224, 208},
    {238, 130, 238}, {245, 222, 179}, {255, 255, 255}, {245, 245, 245}, {255, 255, 0},
    {154, 205, 50},
};

/* Hue in degrees, saturation and value in percent to RGB, in whole numbers. */
static uc_color of_hsv(unsigned hue, unsigned saturation, unsigned value)
{
    const unsigned most = value * 255 / 100, least = most * (100 - saturation) / 100;
    const unsigned part = hue % 60, rise = least + (most - least) * part / 60;
    const unsigned fall = least + (most - least) * (60 - part) / 60;
    const uint8_t m = (uint8_t)most, l = (uint8_t)least, r = (uint8_t)rise, f = (uint8_t)fall;
    switch (hue / 60 % 6) {
    case 0: return (uc_color){m, r, l};
    case 1: return (uc_color){f, m, l};
    case 2: return (uc_color){l, m, r};
    case 3: return (uc_color){l, f, m};
    case 4: return (uc_color){r, l, m};
    default: return (uc_color){m, l, f};
    }
}

uc_color uc_draw_color(uc_draw_look look, int64_t id)
{
    const uint64_t i = id < 0 ? (uint64_t) - (id + 1) : (uint64_t)id;
    if (look == UC_LOOK_OD) return standard_colors[i % 126];
    /* 137 degrees, the golden angle, keeps neighbours apart and meets every whole degree once in
     * 360 classes; each round of about 21 hues changes its brightness too. */
    static const uint8_t shades[4][2] = {{85, 95}, {55, 100}, {90, 65}, {60, 80}};
    const unsigned shade = (unsigned)(i / 21 % 4);
    return of_hsv((unsigned)((i * 137 + 8) % 360), shades[shade][0], shades[shade][1]);
}

/* A channel's part of the relative luminance (WCAG 2.1): sRGB's curve within 0.006. */
static double linear(uint8_t v)
{
    const double s = v / 255.0;
    return s * s * (0.74 + 0.26 * s);
}

uc_color uc_draw_ink(uc_color ground)
{
    const double light =
        0.2126 * linear(ground.red) + 0.7152 * linear(ground.green) + 0.0722 * linear(ground.blue);
    /* where both contrast alike: 1.05 / (L + 0.05) = (L + 0.05) / 0.05 */
    return light > 0.179 ? (uc_color){0, 0, 0} : (uc_color){255, 255, 255};
}
