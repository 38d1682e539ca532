/* Which size a library resizes to, where it cuts and how it pads: whole numbers only, each rule with
 * its library's own rounding. Sizes are width, height. */
#ifndef UC_IMAGE_FIT_H
#define UC_IMAGE_FIT_H

#include "image/resize.h"

typedef struct uc_size {
    int width, height;
} uc_size;

/* torchvision Resize(shorter, max_size), timm's 'center', and transformers' shortest_edge. max_size 0:
 * none; shorter 0: Resize(None, max_size), the longer side becomes max_size. */
uc_size uc_fit_shorter(uc_size from, int shorter, int max_size);
/* timm's ResizeKeepRatio: longest 0 covers `to` (crop_mode 'center' of a rectangle), 1 fits within it
 * ('border'). */
uc_size uc_fit_timm(uc_size from, uc_size to, double longest);
/* transformers' DETR family: {"shortest_edge", "longest_edge"}. */
uc_size uc_fit_detr(uc_size from, int shorter, int longest);
/* Image.thumbnail(size); `from` itself when it is no larger. */
uc_size uc_fit_thumbnail(uc_size from, double width, double height);
/* ImageOps.contain and ImageOps.cover. */
uc_size uc_fit_contain(uc_size from, uc_size to);
uc_size uc_fit_cover(uc_size from, uc_size to);

typedef enum uc_center_rule {
    UC_CENTER_TORCHVISION,      /* CenterCrop, and timm's 'border': half to even */
    UC_CENTER_TRANSFORMERS,     /* center_crop of transformers' processors */
    UC_CENTER_TRANSFORMERS_PIL, /* of their Pil (NumPy) twins */
    UC_CENTER_KERAS,            /* layers.CenterCrop, where the picture is large enough */
    UC_CENTER_TENSORFLOW,       /* tf.image.resize_with_crop_or_pad */
} uc_center_rule;

/* Where a window of `to` begins in a picture of `from`; negative: so much padding comes before it. */
void uc_center(uc_center_rule rule, uc_size from, uc_size to, int *left, int *top);
/* tf.image.central_crop(fraction): the window. */
void uc_central_crop(uc_size from, double fraction, int *left, int *top, uc_size *to);

/* The window of a picture, which may lie outside of it in part or in whole: there it holds fill[c],
 * in the picture's dtype; NULL: zeros. This is every crop and every constant pad. */
uncork_status uc_pixels_window(const uc_pixels *from, int left, int top, uc_size size,
                               const double *fill, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error);

/* tf.image.resize_with_pad(picture, height, width, method, antialias). */
uncork_status uc_resize_with_pad(const uc_pixels *from, uc_size to,
                                 const uc_tensorflow_resize *options, uc_arena *arena,
                                 uc_pixels *pixels, uncork_error *error);

#endif
