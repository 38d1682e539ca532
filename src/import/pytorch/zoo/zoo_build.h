/* What descriptions of architectures are written with. A description is run twice: while matching,
 * over a graph that takes nothing, to count keys that are missing, unexpected or of another shape,
 * and then to build. It names its weights, reads from their shapes what these tell, and knows the
 * rest (strides, epsilons, activations) as the family does. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_BUILD_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_BUILD_H

#include "import/pytorch/zoo/zoo.h"

#define UC_Z_PATH 480
#define UC_Z_DIMS 6

typedef struct uc_zoo {
    uc_t_build *build; /* of a graph that has failed while matching */
    uc_arena *arena;   /* of the names, as long as the report */
    const uc_t_state *dict;
    const uc_json *config; /* beside the file, or NULL */
    const char *file;      /* its path, or NULL: names are evidence */
    bool matching;
    uint8_t *seen; /* [dict->count] how a key was read */
    char path[UC_Z_PATH];
    size_t path_size;
    size_t misspelt;  /* keys too long to be in the file */
    const char *want; /* architecture that was asked for, or NULL */
    uc_zoo_report *report;
} uc_zoo;

/* A value on its way and how many channels it has: axis 1 of pictures, the last of tokens. */
typedef struct uc_zv {
    uc_ref ref;
    int64_t c;
} uc_zv;

/* ---- keys (zoo_reading.c) ---- */

/* Keys below are relative to the path. Returns what uc_z_leave takes. */
size_t uc_z_enter(uc_zoo *z, const char *format, ...) UC_PRINTF(2, 3);
void uc_z_leave(uc_zoo *z, size_t mark);
/* A key made of pieces; lives as long as the report. */
const char *uc_z_key(uc_zoo *z, const char *format, ...) UC_PRINTF(2, 3);
/* The same of a format with one %d that isn't known when it is compiled. */
const char *uc_z_numbered(uc_zoo *z, const char *format, int number);
bool uc_z_has(const uc_zoo *z, const char *key);
/* Whether any key starts with the path and `start`. */
bool uc_z_has_under(const uc_zoo *z, const char *start);
/* A dimension of a tensor, 0 when there is no such key or axis; its rank, -1 when there is no key. */
int64_t uc_z_dim(const uc_zoo *z, const char *key, int axis);
int uc_z_rank(const uc_zoo *z, const char *key);
/* How many keys there are of a format with one %d, from 0, or from `first`, upwards. */
int uc_z_count(uc_zoo *z, const char *format);
int uc_z_count_from(uc_zoo *z, const char *format, int first);
/* The tensor of a key, noted as read. Dimensions that are 0 may be anything. NULL: missing or of another
 * shape, which is counted. */
const uc_tensor *uc_z_tensor(uc_zoo *z, const char *key, int rank, const int64_t *dims);
/* Notes keys that need no reading: buffers, heads of training. */
void uc_z_skip(uc_zoo *z, const char *key);
void uc_z_skip_under(uc_zoo *z, const char *start);
/* What was found: an architecture's name, preset, task. */
void uc_z_arch(uc_zoo *z, const char *format, ...) UC_PRINTF(2, 3);
void uc_z_preset(uc_zoo *z, const char *format, ...) UC_PRINTF(2, 3); /* NULL: none */
void uc_z_source(uc_zoo *z, const char *source,
                 const char *task); /* else torchvision, classification */
/* Something that no key tells. */
void uc_z_assume(uc_zoo *z, const char *format, ...) UC_PRINTF(2, 3);
/* Everything fits, but there are several such models: says which, and counts as one missing key. */
void uc_z_ask(uc_zoo *z, const char *format, ...) UC_PRINTF(2, 3);
/* The description doesn't fit: counted as one missing key. */
void uc_z_unlike(uc_zoo *z, const char *format, ...) UC_PRINTF(2, 3);

/* ---- names (zoo_said.c) ---- */

/* What --arch, config.json or the file's own name says it is, if that begins as one of `starts` (with
 * spaces between) does; else NULL. */
const char *uc_z_said(uc_zoo *z, const char *starts);
/* The same as the architecture's name, `otherwise` when nothing says it. Returns whether something did. */
bool uc_z_say(uc_zoo *z, const char *starts, const char *otherwise);

/* A positive number, a flag, a word of config.json; `otherwise` when it isn't there. */
int64_t uc_z_setting(const uc_zoo *z, const char *name, int64_t otherwise);
bool uc_z_flag(const uc_zoo *z, const char *name, bool otherwise);
/* "hidden_act" and the like as uc_z_act's name; one that isn't known doesn't fit. */
const char *uc_z_act_setting(uc_zoo *z, const char *name, const char *otherwise);

/* ---- layers (zoo_layer.c) ---- */

/* The picture fed to the network, [N, channels, rows, columns]; 0: any. */
uc_zv uc_z_picture(uc_zoo *z, int64_t channels, int64_t rows, int64_t columns);
void uc_z_output(uc_zoo *z, const char *name, uc_zv v);

/* A weight in float32; UC_Z_P(z, "gamma", 1, c). */
uc_ref uc_z_param(uc_zoo *z, const char *key, int rank, const int64_t *dims);
#define UC_Z_P(z, key, ...)                                                           \
    uc_z_param((z), (key), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
               (int64_t[]){__VA_ARGS__})

typedef struct uc_z_window {
    int64_t out;      /* 0: as the file has it */
    int64_t kernel;   /* 0: as the file has it */
    int64_t stride;   /* 0: 1 */
    int64_t pad;      /* 0: half of the kernel, dilated */
    int64_t dilation; /* 0: 1 */
    int64_t groups;   /* 0: 1; UC_Z_DEPTHWISE; UC_Z_GROUPED: from the shape */
    bool valid;       /* no padding */
    bool bias;
    bool maybe_bias; /* where the file has one */
    bool same;       /* as TensorFlow pads */
} uc_z_window;

#define UC_Z_DEPTHWISE (-1)
#define UC_Z_GROUPED   (-2)

/* Conv2d: uc_z_conv(z, "conv1", x, (uc_z_window){.out = 64, .stride = 2}). */
uc_zv uc_z_conv(uc_zoo *z, const char *name, uc_zv x, uc_z_window w);
uc_zv uc_z_conv_transpose(uc_zoo *z, const char *name, uc_zv x, int64_t out, int64_t stride,
                          int64_t pad);
uc_zv uc_z_batch_norm(uc_zoo *z, const char *name, uc_zv x, double eps);
uc_zv uc_z_layer_norm(uc_zoo *z, const char *name, uc_zv x, double eps);
/* Over the channels of a picture. */
uc_zv uc_z_layer_norm2d(uc_zoo *z, const char *name, uc_zv x, double eps);
/* out 0: as the file has it; the bias is there when `bias`. */
uc_zv uc_z_linear(uc_zoo *z, const char *name, uc_zv x, int64_t out, bool bias);
uc_zv uc_z_act(uc_zoo *z, const char *function, uc_zv x);
uc_zv uc_z_max_pool(uc_zoo *z, uc_zv x, int64_t size, int64_t stride, int64_t pad, bool ceil);
uc_zv uc_z_avg_pool(uc_zoo *z, uc_zv x, int64_t size, int64_t stride, int64_t pad, bool ceil,
                    bool count_pad);
uc_zv uc_z_adaptive_avg_pool(uc_zoo *z, uc_zv x, int64_t rows, int64_t columns);
/* Mean over rows and columns, which stay as 1 or go. */
uc_zv uc_z_global_avg_pool(uc_zoo *z, uc_zv x, bool keep);
/* [N, C, H, W] to [N, C * cells]. */
uc_zv uc_z_flatten(uc_zoo *z, uc_zv x, int64_t cells);
uc_zv uc_z_add(uc_zoo *z, uc_zv a, uc_zv b);
uc_zv uc_z_mul(uc_zoo *z, uc_zv a, uc_zv b);
uc_zv uc_z_scale(uc_zoo *z, uc_zv a, double factor);
/* Along channels. */
uc_zv uc_z_cat(uc_zoo *z, const uc_zv *parts, size_t count);
uc_zv uc_z_slice(uc_zoo *z, uc_zv x, int axis, int64_t begin, int64_t end, int64_t channels);
uc_zv uc_z_permute(uc_zoo *z, uc_zv x, int rank, const int64_t *perm);
uc_zv uc_z_reshape(uc_zoo *z, uc_zv x, int rank, const int64_t *shape, int64_t channels);

/* A family is one function; its row says which key, whatever stands in front of it, is looked for. */
#define ZOO(name, anchor) void uc_zoo_##name(uc_zoo *z);
#define ZOO_ALSO(name, anchor)
#include "import/pytorch/zoo/zoo_table.def"
#undef ZOO
#undef ZOO_ALSO

#endif
