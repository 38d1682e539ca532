/* skimage.transform.resize; Pillow's reduce and thumbnail; NumPy on a Pillow picture. */
#include "vectors_resize.h"

#include "image/imageops.h"

static uncork_status resize(vector *v)
{
    size_t n;
    uc_pixels pixels;
    const int64_t *shape = uc_json_i64s(uc_json_get(v->params, "shape"), v->arena, &n);
    if (!shape || n < 2) return vector_unknown(v, "shape");
    UC_TRY(vector_source(v, &pixels));
    const int order = (int)vector_number(v, "order", -1);
    const bool shrinks = shape[0] < pixels.height || shape[1] < pixels.width;
    UC_TRY(uc_resize_skimage(&pixels, (int)shape[1], (int)shape[0], order,
                             vector_flag(v, "anti_aliasing", shrinks && order != 0),
                             vector_flag(v, "preserve_range", false), v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status open_rgb(const vector *v, uc_image *image)
{
    UC_TRY(vector_open(v, image));
    return uc_image_convert(image, UC_IMAGE_RGB, v->arena, image, v->error);
}

static uncork_status reduce(vector *v)
{
    int factor[2];
    uc_image image;
    UC_TRY(vector_ints(v, "factor", factor, 2));
    UC_TRY(open_rgb(v, &image));
    UC_TRY(uc_reduce_pillow(&image, factor[0], factor[1], NULL, v->arena, &image, v->error));
    return vector_give_image(v, &image);
}

static uncork_status thumbnail(vector *v)
{
    int size[2];
    uc_image image;
    UC_TRY(vector_ints(v, "size", size, 2));
    UC_TRY(open_rgb(v, &image));
    UC_TRY(uc_thumbnail_pillow(&image, size[0], size[1], UC_PILLOW_BICUBIC, 2.0, vector_major(v),
                               v->arena, &image, v->error));
    return vector_give_image(v, &image);
}

/* Image.open(file).thumbnail(size): the decoder shrinks by 2, 4 or 8 first. */
static uncork_status thumbnail_from_file(vector *v)
{
    int size[2];
    uc_image whole, image;
    UC_TRY(vector_ints(v, "size", size, 2));
    UC_TRY(vector_open(v, &whole));
    const uc_size from = {whole.width, whole.height}, to = uc_fit_thumbnail(from, size[0], size[1]);
    UC_TRY(uc_decode_pillow_draft(v->file, false, 2 * size[0], 2 * size[1], v->arena, &image,
                                  v->error));
    const int across = from.width / (2 * size[0]), down = from.height / (2 * size[1]),
              least = across < down ? across : down;
    const double by = least >= 8 ? 8 : least >= 4 ? 4 : least >= 2 ? 2 : 1;
    const double box[4] = {0, 0, from.width / by, from.height / by};
    UC_TRY(uc_resize_pillow(&image, to.width, to.height, UC_PILLOW_BICUBIC, box, 2.0,
                            vector_major(v), v->arena, &image, v->error));
    return vector_give_image(v, &image);
}

static uncork_status flat_grey(vector *v)
{
    uc_image image;
    UC_TRY(vector_open(v, &image));
    UC_TRY(uc_image_convert(&image, UC_IMAGE_L, v->arena, &image, v->error));
    UC_TRY(uc_resize_pillow(&image, 28, 28, UC_PILLOW_DEFAULT, NULL, 0, 13, v->arena, &image,
                            v->error));
    double *values = UC_NEW(v->arena, double, 784);
    if (!values) return uc_arena_status(v->arena, v->error);
    for (int i = 0; i < 784; i++) {
        values[i] = ((const uint8_t *)image.data)[i] / 255.0;
    }
    const int64_t shape[2] = {1, 784};
    return vector_give(v, UNCORK_FLOAT64, 2, shape, values);
}

const vector_row vectors_resize_skimage[] = {
    {"skimage", "transform.resize", resize},
    {"Pillow", "reduce", reduce},
    {"Pillow", "thumbnail", thumbnail},
    {"Pillow", "thumbnail_from_file", thumbnail_from_file},
    {"PIL+numpy", "L_28x28_div255_flatten", flat_grey},
    {NULL, NULL, NULL},
};
