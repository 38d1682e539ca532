/* Ways a picture may have been prepared for a model: what doctor tries one after another. Each is one
 * choice on each axis; the text that --preprocess takes is composed from them. */
#ifndef UC_DOCTOR_CANDIDATES_H
#define UC_DOCTOR_CANDIDATES_H

#include "contract/contract.h"

typedef enum uc_axis {
    UC_AXIS_VALUES,   /* scale, mean, deviation */
    UC_AXIS_CHANNELS, /* order, or the formula of grey */
    UC_AXIS_GEOMETRY, /* squeezed, cropped, letterboxed */
    UC_AXIS_RESIZE,   /* library and filter */
    UC_AXIS_DECODER,  /* and EXIF */
    UC_AXIS_COUNT,
} uc_axis;

/* What differs, as people say it: "scale and offset". */
const char *uc_axis_name(uc_axis axis);

/* What the model takes. */
typedef struct uc_candidate_size {
    int64_t width, height, channels;
    bool channels_last;
    bool bytes; /* integers go in: nothing is scaled */
    bool flat;  /* a row of numbers */
} uc_candidate_size;

/* False when it takes no pictures of 1 or 3 channels. A free side is 224; a row is a square. */
bool uc_candidate_size_of(const uc_contract_want *want, uc_candidate_size *size);

typedef struct uc_candidate {
    uint8_t choice[UC_AXIS_COUNT];
} uc_candidate;

/* How many choices an axis has for this model. */
size_t uc_axis_choices(const uc_candidate_size *size, uc_axis axis);
/* What the choice is: "0 to 1", "blue first", ...; may be NULL for the first. */
const char *uc_axis_choice_name(const uc_candidate_size *size, uc_axis axis, size_t i);
/* The choice whose steps stand in a SPEC; the number of choices when none does. */
size_t uc_axis_choice_in(const uc_candidate_size *size, uc_axis axis, const char *spec,
                         uc_arena *arena);
/* The SPEC; NULL when memory is out. */
const char *uc_candidate_spec(const uc_candidate_size *size, const uc_candidate *candidate,
                              uc_arena *arena);

#endif
