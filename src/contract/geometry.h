/* How a picture lies in the model's input: one scale and one shift an axis, which every resize, crop
 * and pad gives. Undone to say where a box is in the picture. */
#ifndef UC_CONTRACT_GEOMETRY_H
#define UC_CONTRACT_GEOMETRY_H

#include "contract/contract.h"

/* input = picture * scale + shift, in pixels whose edges are whole numbers. */
typedef struct uc_geometry {
    int picture_width, picture_height; /* upright, as it is shown */
    int input_width, input_height;     /* what the model sees */
    double scale_x, scale_y, shift_x, shift_y;
} uc_geometry;

/* The whole picture squeezed into the input, no pads and no crop. */
uc_geometry uc_geometry_squash(int picture_width, int picture_height, int input_width,
                               int input_height);
/* The picture scaled by one factor into the middle of the input, pads around it: LetterBox of
 * Ultralytics (ultralytics/data/augment.py), whose sides and pads are rounded. `centre` false: pads
 * right and below only, as YOLOX does. */
uc_geometry uc_geometry_letterbox(int picture_width, int picture_height, int input_width,
                                  int input_height, bool centre);
/* The steps of a pipeline, one after the other. */
uc_geometry uc_geometry_resize(uc_geometry g, int width, int height);
uc_geometry uc_geometry_crop(uc_geometry g, int left, int top, int width, int height);
/* From the input to the picture, in float32 as the libraries divide. */
float uc_geometry_x(const uc_geometry *g, float x);
float uc_geometry_y(const uc_geometry *g, float y);
/* Whether it is a plain resize of the whole picture. */
bool uc_geometry_is_squash(const uc_geometry *g);

#endif
