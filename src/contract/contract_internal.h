/* A contract's steps and what runs them; only contract/ sees these. A step is one row of
 * step_table.c: how it is written, printed and run. */
#ifndef UC_CONTRACT_CONTRACT_INTERNAL_H
#define UC_CONTRACT_CONTRACT_INTERNAL_H

#include "contract/contract.h"
#include "contract/geometry.h"
#include "image/pixels.h"

/* Whose arithmetic. */
typedef enum uc_library {
    UC_LIB_PILLOW,
    UC_LIB_OPENCV,
    UC_LIB_TENSORFLOW,
    UC_LIB_TORCHVISION,
    UC_LIB_KERAS,
    UC_LIB_SKIMAGE,
    UC_LIB_MATPLOTLIB,
    UC_LIB_HF, /* transformers: crops alone; its resizes are Pillow's and torchvision's */
    UC_LIB_COUNT,
} uc_library;

#define UC_PILLOW_NEWEST 13

/* Words that switch something on, one bit each; step_words.c names them. */
enum {
    UC_FLAG_ANTIALIAS = 1 << 0,
    UC_FLAG_NO_ANTIALIAS = 1 << 1,
    UC_FLAG_ALIGN_CORNERS = 1 << 2,
    UC_FLAG_V1 = 1 << 3, /* TensorFlow's legacy resizes, torchvision's transforms before v2 */
    UC_FLAG_CROP_TO_ASPECT = 1 << 4,
    UC_FLAG_PAD_TO_ASPECT = 1 << 5,
    UC_FLAG_PRESERVE_RANGE = 1 << 6,
    UC_FLAG_IGNORE_ORIENTATION = 1 << 7,
    UC_FLAG_ACCURATE = 1 << 8,
    UC_FLAG_PLAIN = 1 << 9,
    UC_FLAG_RECOVER = 1 << 10,
    UC_FLAG_FIT = 1 << 11,          /* the whole picture inside WIDTHxHEIGHT */
    UC_FLAG_COVER = 1 << 12,        /* WIDTHxHEIGHT all covered */
    UC_FLAG_LONGEST_EDGE = 1 << 13, /* written longest_edge=N */
    UC_FLAG_IMAGEOPS_FIT = 1 << 14, /* Pillow's ImageOps.fit */
};

/* What a decoder gives. */
typedef enum uc_colours {
    UC_COLOURS_UNCHANGED,
    UC_COLOURS_GRAY,
    UC_COLOURS_GRAY_ALPHA,
    UC_COLOURS_COLOR,
    UC_COLOURS_RGBA,
    UC_COLOURS_ANYDEPTH,
} uc_colours;

typedef struct uc_step_row uc_step_row;

typedef struct uc_step {
    const uc_step_row *row;
    uc_library library;
    int version;                  /* of Pillow: its major number */
    int filter;                   /* of the library's own enum */
    unsigned flags;               /* UC_FLAG_* */
    int width, height, left, top; /* resize: height 0: the shorter side becomes `width` */
    int right, bottom;            /* of a pad */
    int longest;                  /* max_size; 0: none */
    int variant;                  /* decode: the colours; TensorFlow's operator in `filter` */
    int ratio;                    /* decode: 2, 4, 8 */
    uncork_dtype dtype;
    double value[4];
    int value_count;
    const char *text; /* a ratio as written, "16/255"; NULL otherwise */
} uc_step;

struct uc_contract {
    uc_step *steps;
    size_t count, capacity;
    const char *from; /* what it was inferred from; NULL: it was given */
};

/* ---- reading ---- */

typedef struct uc_spec {
    const char *source; /* "--preprocess": what messages begin with */
    const char *text;   /* where characters are counted from */
    uc_arena *arena;
    uncork_error *error;
    uc_contract *contract;
    uc_library library; /* what steps follow that name none: the decoder's */
    int version;
    bool keras; /* decoded as load_img does, whose resize is nearest by default */
} uc_spec;

/* USAGE, with the word and where it stands. */
uncork_status uc_spec_wrong(const uc_spec *spec, uc_str word, const char *why);
/* The same for a word of no list (ends with NULL), naming the nearest that there is. */
uncork_status uc_spec_unknown(const uc_spec *spec, uc_str word, const char *what,
                              const char *const *known);
/* Reads steps onto the contract's end. */
uncork_status uc_spec_read(uc_spec *spec, uc_str text);
bool uc_contract_add(uc_contract *contract, uc_arena *arena, uc_step step);

/* Takes the text up to `separator` off the front, trimmed. */
uc_str uc_word_cut(uc_str *rest, char separator);
/* "224", "320x200": WIDTHxHEIGHT; height 0 when there is one number. */
bool uc_word_size(uc_str s, int *width, int *height);
bool uc_word_int(uc_str s, int low, int high, int *value);
/* "pillow", "pillow6", "opencv". */
bool uc_word_library(uc_str s, uc_library *library, int *version);
bool uc_word_flag(uc_str s, unsigned *flags);
/* A filter's name in a library; -1 when it has none of it. */
int uc_word_filter(uc_str s, uc_library library);
const char *uc_library_name(uc_library library);
const char *uc_filter_name(uc_library library, int filter);
/* ",antialias,v1" for the flags set. */
void uc_flags_print(unsigned flags, uc_writer *out);
void uc_library_print(uc_library library, int version, uc_writer *out);
/* Shortest number: 255 rather than 255.0. */
void uc_number_print(double v, uc_writer *out);

/* The candidate nearest to the word in letters changed, NULL when none is near. */
typedef struct uc_nearest {
    uc_str word;
    const char *best;
    size_t distance;
} uc_nearest;
void uc_nearest_offer(uc_nearest *n, const char *candidate);

/* ---- running ---- */

/* A picture on its way. */
typedef struct uc_state {
    uc_arena *arena;
    uncork_error *error;
    bool is_array; /* `pixels` holds it; else `image`, a Pillow picture */
    uc_image image;
    uc_pixels pixels; /* laid [channels, height, width] when `first` */
    bool first;
    bool bgr;  /* blue comes first */
    bool axis; /* one channel is an axis too, as TensorFlow and layouts have it */
    bool flat, batch;
    uc_geometry place; /* of the picture in what it is now */
} uc_state;

/* numpy.asarray of a Pillow picture; nothing when it is an array already. */
uncork_status uc_state_array(uc_state *s);
/* A Pillow picture of it, INPUT naming `step` where Pillow has none. */
uncork_status uc_state_image(uc_state *s, const char *step);
/* Channels last again, for steps that see pixels. */
uncork_status uc_state_last(uc_state *s);
uncork_status uc_state_first(uc_state *s); /* or first, as an array */
int uc_state_width(const uc_state *s);
int uc_state_height(const uc_state *s);
int uc_state_channels(const uc_state *s);

typedef enum uc_step_kind {
    UC_KIND_PICTURE, /* changes pixels' places or needs them */
    UC_KIND_VALUES,  /* each value by itself, by its channel */
    UC_KIND_ORDER,   /* channels change places */
    UC_KIND_LAYOUT,
    UC_KIND_ALIAS, /* another row's name: `form` */
} uc_step_kind;

struct uc_step_row {
    const char *name;
    uc_step_kind kind;
    int extra;        /* a mode, a dtype: the row's own */
    const char *form; /* what stands behind the name, for help; NULL: nothing */
    uncork_status (*parse)(uc_spec *spec, uc_str arguments, uc_step *step); /* NULL: no arguments */
    void (*print)(const uc_step *step, uc_writer *out);                     /* behind '=' */
    uncork_status (*run)(uc_state *s, const uc_step *step);
};

/* The row of a name, aliases resolved; NULL: none. */
const uc_step_row *uc_step_find(uc_str name);
const uc_step_row *uc_step_at(size_t i); /* NULL behind the last */

/* What a row of values does, in `extra` and then in the step's `variant`. */
enum { UC_VALUES_ADD, UC_VALUES_SUBTRACT, UC_VALUES_MULTIPLY, UC_VALUES_DIVIDE };
enum { UC_PLACE_FIRST, UC_PLACE_LAST, UC_PLACE_FLAT, UC_PLACE_BATCH };

/* step_decode.c */
uncork_status uc_step_decode_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_decode_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_decode_run(uc_bytes bytes, const uc_step *step, uc_state *s);
/* step_resize.c */
uncork_status uc_step_resize_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_resize_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_resize_run(uc_state *s, const uc_step *step);
uncork_status uc_step_letterbox_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_letterbox_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_letterbox_run(uc_state *s, const uc_step *step);
/* step_crop.c */
uncork_status uc_step_center_crop_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_center_crop_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_center_crop_run(uc_state *s, const uc_step *step);
uncork_status uc_step_central_crop_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_central_crop_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_central_crop_run(uc_state *s, const uc_step *step);
uncork_status uc_step_crop_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_crop_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_crop_run(uc_state *s, const uc_step *step);
uncork_status uc_step_pad_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_pad_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_pad_run(uc_state *s, const uc_step *step);
uncork_status uc_step_crop_or_pad_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_crop_or_pad_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_crop_or_pad_run(uc_state *s, const uc_step *step);
uncork_status uc_step_pad_to_multiple_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_pad_to_multiple_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_pad_to_multiple_run(uc_state *s, const uc_step *step);
/* Cuts the rectangle, which may reach outside: there it is `fill`, one value or red, green, blue; none
 * is zero. */
uncork_status uc_state_window(uc_state *s, int left, int top, int width, int height,
                              const double *fill, int count);
/* step_color.c */
uncork_status uc_step_exif_run(uc_state *s, const uc_step *step);
uncork_status uc_step_gray_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_gray_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_gray_run(uc_state *s, const uc_step *step);
uncork_status uc_step_color_run(uc_state *s, const uc_step *step);
uncork_status uc_step_bgr_run(uc_state *s, const uc_step *step);
/* step_values.c */
uncork_status uc_step_scale_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_scale_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_values_parse(uc_spec *spec, uc_str arguments, uc_step *step);
void uc_step_values_print(const uc_step *step, uc_writer *out);
uncork_status uc_step_normalize_parse(uc_spec *spec, uc_str arguments, uc_step *step);
uncork_status uc_step_values_run(uc_state *s, const uc_step *step);
uncork_status uc_step_cast_run(uc_state *s, const uc_step *step);
uncork_status uc_step_invert_run(uc_state *s, const uc_step *step);
uncork_status uc_step_standardize_run(uc_state *s, const uc_step *step);
/* step_layout.c */
uncork_status uc_step_layout_run(uc_state *s, const uc_step *step);
/* pre.c: the steps behind decoding; the tail over bytes gives `dtype` (NONE: its own). */
uncork_status uc_steps_run(uc_state *s, const uc_step *steps, size_t count, uncork_dtype dtype);
/* pre_bytes.c: the tail of a contract over bytes in one pass, in `dtype` (NONE: its own). *done tells
 * whether it could. */
uncork_status uc_bytes_tail(uc_state *s, const uc_step *steps, size_t count, uncork_dtype dtype,
                            bool *done);

/* The size of what comes out when the steps fix it: channels, height, width (-1: free), and whether
 * the last layout is channels first or flat. */
typedef struct uc_contract_shape {
    int64_t channels, height, width;
    bool first, flat, bgr;
} uc_contract_shape;
uc_contract_shape uc_contract_result(const uc_contract *contract);

/* ---- inference ---- */

/* For models of flat rows: infer_rows.c. */
uncork_status uc_infer_rows(const uc_facts *facts, const uc_contract_want *want, uc_arena *arena,
                            uc_findings *findings, uc_contract **contract, uncork_error *error);

/* For networks: infer_network.c. `graph` may be NULL. */
uncork_status uc_infer_network(const uc_facts *facts, const uc_graph *graph, size_t input,
                               const uc_contract_want *want, uc_arena *arena, uc_findings *findings,
                               uc_contract **contract, uncork_error *error);

/* ---- presets ---- */

/* The steps of "torchvision:resnet50" in canonical form; NULL when there is none of it. */
const char *uc_preset_find(uc_str name);
/* Offers every name to a search for the nearest. */
void uc_preset_nearest(uc_nearest *nearest);

#endif
