/* The steps of a contract; only contract/ sees them. */
#ifndef UC_CONTRACT_CONTRACT_INTERNAL_H
#define UC_CONTRACT_CONTRACT_INTERNAL_H

#include "contract/contract.h"
#include "image/image.h"

typedef enum uc_step_kind {
    UC_STEP_EXIF,    /* turn upright by the EXIF orientation */
    UC_STEP_CONVERT, /* to mode */
    UC_STEP_BGR,     /* swap red and blue */
    UC_STEP_RESIZE,  /* width x height; height 0: shorter side to width */
    UC_STEP_CENTER_CROP,
    UC_STEP_CROP, /* left, top, width, height */
    UC_STEP_CAST, /* to dtype */
    UC_STEP_DIVIDE,
    UC_STEP_MULTIPLY,
    UC_STEP_ADD,
    UC_STEP_MEAN,   /* subtract, one value or one a channel */
    UC_STEP_STD,    /* divide, likewise */
    UC_STEP_INVERT, /* 255 - x */
    UC_STEP_NCHW,
    UC_STEP_NHWC,
    UC_STEP_FLATTEN,
} uc_step_kind;

typedef struct uc_step {
    uc_step_kind kind;
    uc_image_mode mode;
    int width, height, left, top;
    uc_pillow_filter filter;
    int version; /* of Pillow */
    uncork_dtype dtype;
    double value[4];
    int value_count;
    const char *value_text; /* as written: "1/255" */
} uc_step;

struct uc_contract {
    uc_step *steps;
    size_t count, capacity;
};

const char *uc_pillow_filter_name(uc_pillow_filter filter);
/* Adds a step; false when the arena is out. */
bool uc_contract_add(uc_contract *contract, uc_arena *arena, uc_step step);
/* The size of what comes out when the steps fix it: channels, height, width (-1: free), and whether
 * the last layout is channels first or flat. */
typedef struct uc_contract_shape {
    int64_t channels, height, width;
    bool first, flat;
} uc_contract_shape;
uc_contract_shape uc_contract_result(const uc_contract *contract);

#endif
