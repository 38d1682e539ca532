/* Boxes with captions, in the project's look or the Object Detection API's
 * (visualize_boxes_and_labels_on_image_array: lines of 4, a colour of its list a class, "name: 87%",
 * with agnostic_mode all in DarkOrange and "87%" alone). */
#include "image/draw.h"

#include <math.h>

#define OD_LINE 4

/* Boxes that a caption would hide: up to three letters high or wide. */
static void find_small(uc_captions *captions, const uc_draw_box *boxes, size_t count)
{
    captions->small = (double(*)[4])uc_arena_alloc(captions->arena, count, sizeof *captions->small);
    captions->small_count = 0;
    for (size_t i = 0; captions->small && i < count; i++) {
        const double *b = boxes[i].box, most = 3.0 * captions->size;
        if (!(b[2] - b[0] <= most || b[3] - b[1] <= most)) continue;
        memcpy(captions->small[captions->small_count++], b, sizeof *captions->small);
    }
}

void uc_draw_boxes(uc_captions *captions, const uc_draw_box *boxes, size_t count,
                   const uc_draw_style *style)
{
    const double width = style->look == UC_LOOK_OD ? OD_LINE : uc_draw_line_width(captions->canvas);
    for (size_t i = count; i-- > 0;) { /* all lines first: captions lie on them */
        uc_draw_outline(captions->canvas, boxes[i].box, width,
                        style->agnostic ? UC_DRAW_AGNOSTIC
                                        : uc_draw_color(style->look, boxes[i].id));
    }
    find_small(captions, boxes, count);
    for (size_t i = 0; i < count; i++) { /* the best has the first choice of a place */
        const uc_draw_box *b = &boxes[i];
        uc_caption_box(captions, b->box, style->agnostic ? (uc_str){"", 0} : b->name, b->score,
                       style->agnostic ? UC_DRAW_AGNOSTIC : uc_draw_color(style->look, b->id));
    }
    uc_captions_end(captions);
}
