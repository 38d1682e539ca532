/* The layers that a network's text may name: torch.nn's, with its arguments and defaults.
 * Source: torch 2.15, torch/nn/modules. */
#include "import/pytorch/zoo/zoo_text.h"

typedef struct reading {
    uc_zoo *z;
    const char **groups; /* layers of the state dict, in order */
    size_t group_count, next;
    int depth;
    bool begun; /* the input is declared */
    uc_zv x;
    int rank;     /* of x, 0: not known */
    int64_t step; /* strides so far */
} reading;

/* ---- arguments -------------------------------------------------------------------------------- */

static const uc_z_arg *argument(const uc_z_call *c, size_t at, const char *key)
{
    size_t place = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->args[i].key ? strcmp(c->args[i].key, key) == 0 : place++ == at) return &c->args[i];
    }
    return NULL;
}

static double number(const uc_z_call *c, size_t at, const char *key, double otherwise)
{
    const uc_z_arg *a = argument(c, at, key);
    return a && a->kind == UC_Z_NUMBERS && a->count == 1 ? a->numbers[0] : otherwise;
}

static int64_t whole(const uc_z_call *c, size_t at, const char *key, int64_t otherwise)
{
    return (int64_t)number(c, at, key, (double)otherwise);
}

static const char *text(const uc_z_call *c, size_t at, const char *key, const char *otherwise)
{
    const uc_z_arg *a = argument(c, at, key);
    return a && a->kind == UC_Z_WORD ? a->word : otherwise;
}

/* One number for every axis, or a tuple of them. */
static void axes(const uc_z_call *c, size_t at, const char *key, int rank, const int64_t *otherwise,
                 int64_t out[3])
{
    const uc_z_arg *a = argument(c, at, key);
    for (int i = 0; i < rank; i++) {
        const bool said = a && a->kind == UC_Z_NUMBERS && a->count > 0;
        out[i] = said ? (int64_t)a->numbers[a->count > i ? i : 0] : otherwise[i];
    }
}

static void same(const uc_z_call *c, size_t at, const char *key, int rank, int64_t otherwise,
                 int64_t out[3])
{
    const int64_t all[] = {otherwise, otherwise, otherwise};
    axes(c, at, key, rank, all, out);
}

/* ---- weights ---------------------------------------------------------------------------------- */

/* The state dict's next layer; where it has none, one that is missing. */
static const char *next_layer(reading *r, const char *class_name)
{
    if (r->next < r->group_count) return r->groups[r->next++];
    return uc_z_key(r->z, "a layer for %s", class_name);
}

static const char *key_of(reading *r, const char *layer, const char *name)
{
    return *layer ? uc_z_key(r->z, "%s.%s", layer, name) : name;
}

static uc_ref weight(reading *r, const char *layer, const char *name, int rank, const int64_t *dims)
{
    return uc_z_param(r->z, key_of(r, layer, name), rank, dims);
}

static uc_ref vector(reading *r, const char *layer, const char *name, int64_t n)
{
    return weight(r, layer, name, 1, &n);
}

static void begin(reading *r, int rank, int64_t channels)
{
    static const int64_t any[] = {-1, -1, -1, -1, -1};
    int64_t shape[5];
    if (r->begun) return;
    r->begun = true;
    memcpy(shape, any, sizeof shape);
    shape[rank > 2 ? 1 : rank - 1] = channels > 0 ? channels : -1;
    r->rank = rank;
    r->x =
        (uc_zv){uc_graph_input(r->z->build->graph, "input", UNCORK_FLOAT32, rank, shape), channels};
}

/* ---- layers ----------------------------------------------------------------------------------- */

/* The digit in front of a final 'd': Conv2d. */
static int spatial(const char *name)
{
    const size_t n = strlen(name);
    const int rank = n > 2 && name[n - 1] == 'd' ? name[n - 2] - '0' : 2;
    return rank >= 1 && rank <= 3 ? rank : 2;
}

static bool conv(reading *r, const uc_z_call *c)
{
    const bool transposed = strncmp(c->name, "ConvTranspose", 13) == 0;
    if (!transposed && strncmp(c->name, "Conv", 4) != 0) return false;
    const int rank = spatial(c->name);
    int64_t kernel[3], stride[3], padding[3], dilation[3], extra[3];
    const int64_t in = whole(c, 0, "in_channels", 0), out = whole(c, 1, "out_channels", 0);
    same(c, 2, "kernel_size", rank, 1, kernel);
    same(c, 3, "stride", rank, 1, stride);
    same(c, 4, "padding", rank, 0, padding);
    same(c, transposed ? 8 : 5, "dilation", rank, 1, dilation);
    same(c, 5, "output_padding", rank, 0, extra);
    const int64_t groups = whole(c, 6, "groups", 1);
    const bool bias = whole(c, 7, "bias", 1) != 0;
    if (strcmp(text(c, 4, "padding", ""), "same") == 0) {
        for (int i = 0; i < rank; i++) {
            padding[i] = dilation[i] * (kernel[i] - 1) / 2;
        }
    }
    if (groups < 1 || in < 1 || out < 1 || in % groups || out % groups) {
        uc_z_unlike(r->z, "%s of %d to %d channels in %d groups", c->name, (int)in, (int)out,
                    (int)groups);
        return true;
    }
    begin(r, rank + 2, in);
    const char *layer = next_layer(r, c->name);
    int64_t dims[5] = {transposed ? in : out, (transposed ? out : in) / groups};
    memcpy(dims + 2, kernel, sizeof kernel);
    const uc_ref w = weight(r, layer, "weight", rank + 2, dims);
    const uc_ref b = bias ? vector(r, layer, "bias", out) : 0;
    r->x.ref = transposed ? uc_t_conv_transpose(r->z->build, r->x.ref, w, b, rank, stride, padding,
                                                extra, dilation, groups)
                          : uc_t_conv(r->z->build, r->x.ref, w, b, rank, stride, padding, dilation,
                                      groups);
    r->x.c = out;
    return true;
}

static bool dense(reading *r, const uc_z_call *c)
{
    if (strcmp(c->name, "Linear") != 0) return false;
    const int64_t dims[] = {whole(c, 1, "out_features", 0), whole(c, 0, "in_features", 0)};
    begin(r, 2, dims[1]);
    const char *layer = next_layer(r, c->name);
    const uc_ref w = weight(r, layer, "weight", 2, dims);
    const uc_ref b = whole(c, 2, "bias", 1) ? vector(r, layer, "bias", dims[0]) : 0;
    r->x = (uc_zv){uc_t_linear(r->z->build, r->x.ref, w, b), dims[0]};
    return true;
}

static void batch_norm(reading *r, const char *layer, int64_t n, double eps, bool affine)
{
    const uc_ref w = affine ? vector(r, layer, "weight", n) : 0;
    const uc_ref b = affine ? vector(r, layer, "bias", n) : 0;
    const uc_ref mean = vector(r, layer, "running_mean", n);
    const uc_ref var = vector(r, layer, "running_var", n);
    uc_z_skip(r->z, key_of(r, layer, "num_batches_tracked"));
    r->x.ref = uc_t_batch_norm(r->z->build, r->x.ref, w, b, mean, var, eps);
}

static bool norm(reading *r, const uc_z_call *c)
{
    uc_t_build *b = r->z->build;
    const bool batch = strncmp(c->name, "BatchNorm", 9) == 0;
    const bool layer_norm = strcmp(c->name, "LayerNorm") == 0;
    const bool group = strcmp(c->name, "GroupNorm") == 0;
    if (!batch && !layer_norm && !group) return false;
    const int64_t n = whole(c, group ? 1 : 0,
                            batch        ? "num_features"
                            : layer_norm ? "normalized_shape"
                                         : "num_channels",
                            0);
    const double eps = number(c, group ? 2 : 1, "eps", 1e-5);
    const int rank = batch && spatial(c->name) > 1 ? spatial(c->name) + 2 : group ? 4 : 2;
    begin(r, rank, n);
    const char *layer = next_layer(r, c->name);
    if (batch) {
        batch_norm(r, layer, n, eps, whole(c, 3, "affine", 1) != 0);
        return true;
    }
    const uc_ref w = vector(r, layer, "weight", n), bias = vector(r, layer, "bias", n);
    r->x.ref = layer_norm
                   ? uc_t_layer_norm(b, r->x.ref, 1, w, bias, eps)
                   : uc_t_group_norm(b, r->x.ref, whole(c, 0, "num_groups", 1), w, bias, eps);
    return true;
}

static bool pool(reading *r, const uc_z_call *c)
{
    uc_t_build *b = r->z->build;
    const int rank = spatial(c->name);
    int64_t kernel[3], stride[3], padding[3], dilation[3];
    const bool max = strncmp(c->name, "MaxPool", 7) == 0;
    if (strncmp(c->name, "AdaptiveAvgPool", 15) == 0 ||
        strncmp(c->name, "AdaptiveMaxPool", 15) == 0) {
        same(c, 0, "output_size", rank, 1, kernel);
        begin(r, rank + 2, 0);
        r->x.ref = c->name[8] == 'A' ? uc_t_adaptive_avg_pool(b, r->x.ref, rank, kernel)
                                     : uc_t_adaptive_max_pool(b, r->x.ref, rank, kernel, NULL);
        return true;
    }
    if (!max && strncmp(c->name, "AvgPool", 7) != 0) return false;
    begin(r, rank + 2, 0);
    same(c, 0, "kernel_size", rank, 2, kernel);
    axes(c, 1, "stride", rank, kernel, stride);
    same(c, 2, "padding", rank, 0, padding);
    same(c, 3, "dilation", rank, 1, dilation);
    const bool ceil = whole(c, max ? 5 : 3, "ceil_mode", 0) != 0;
    r->x.ref = max ? uc_t_max_pool(b, r->x.ref, rank, kernel, stride, padding, dilation, ceil, NULL)
                   : uc_t_avg_pool(b, r->x.ref, rank, kernel, stride, padding, ceil,
                                   whole(c, 4, "count_include_pad", 1) != 0, 0);
    return true;
}

static const struct {
    const char *name, *function;
} functions[] = {
    {"ReLU", "relu"},
    {"ReLU6", "relu6"},
    {"Sigmoid", "sigmoid"},
    {"Tanh", "tanh"},
    {"SiLU", "silu"},
    {"SELU", "selu"},
    {"Mish", "mish"},
    {"Hardswish", "hardswish"},
    {"Hardsigmoid", "hardsigmoid"},
    {"Softplus", "softplus"},
    {"Softsign", "softsign"},
    {"LogSigmoid", "logsigmoid"},
    {"Tanhshrink", "tanhshrink"},
};

static bool activation(reading *r, const uc_z_call *c)
{
    uc_t_build *b = r->z->build;
    uc_ref *x = &r->x.ref;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, c->name) != 0) continue;
        *x = uc_t_act(b, functions[i].function, *x);
        return true;
    }
    if (strcmp(c->name, "GELU") == 0) {
        const bool fast = strcmp(text(c, 0, "approximate", "none"), "tanh") == 0;
        *x = uc_t_act(b, fast ? "gelu_tanh" : "gelu", *x);
    } else if (strcmp(c->name, "LeakyReLU") == 0) {
        *x = uc_t_leaky_relu(b, *x, number(c, 0, "negative_slope", 0.01));
    } else if (strcmp(c->name, "ELU") == 0) {
        *x = uc_t_elu(b, *x, number(c, 0, "alpha", 1), 1, 1);
    } else if (strcmp(c->name, "Softmax") == 0 || strcmp(c->name, "LogSoftmax") == 0) {
        const int64_t dim = whole(c, 0, "dim", 1);
        *x = *c->name == 'S' ? uc_t_softmax(b, *x, dim) : uc_t_log_softmax(b, *x, dim);
    } else if (strcmp(c->name, "PReLU") == 0) {
        *x = uc_t_prelu(
            b, *x, vector(r, next_layer(r, c->name), "weight", whole(c, 0, "num_parameters", 1)));
    } else {
        return false;
    }
    return true;
}

static bool shape(reading *r, const uc_z_call *c)
{
    uc_t_build *b = r->z->build;
    if (strcmp(c->name, "Flatten") == 0) {
        begin(r, 4, 0);
        r->x = (uc_zv){
            uc_t_flatten(b, r->x.ref, whole(c, 0, "start_dim", 1), whole(c, 1, "end_dim", -1)), 0};
        r->rank = 2;
    } else if (strcmp(c->name, "Upsample") == 0) {
        const char *mode = text(c, 2, "mode", "nearest");
        double scale[2];
        scale[0] = scale[1] = number(c, 1, "scale_factor", 2);
        const bool linear = strcmp(mode, "bilinear") == 0;
        r->x.ref = uc_t_interpolate(b, r->x.ref, 2, NULL, scale, linear ? "linear" : mode,
                                    whole(c, 3, "align_corners", 0) != 0, false);
    } else if (strcmp(c->name, "PixelShuffle") == 0) {
        r->x.ref = uc_t_pixel_shuffle(b, r->x.ref, whole(c, 0, "upscale_factor", 2));
    } else {
        return strncmp(c->name, "Dropout", 7) == 0 || strcmp(c->name, "Identity") == 0 ||
               strcmp(c->name, "AlphaDropout") == 0;
    }
    return true;
}

static void layer(reading *r, const uc_z_call *c)
{
    if (strcmp(c->name, "Sequential") == 0) {
        for (size_t i = 0; i < c->count; i++) {
            if (c->args[i].kind == UC_Z_CALL) {
                layer(r, c->args[i].call);
            } else {
                uc_z_unlike(r->z, "a layer in Sequential");
            }
        }
        return;
    }
    if (conv(r, c) || dense(r, c) || norm(r, c) || pool(r, c) || shape(r, c)) return;
    begin(r, 2, 0);
    if (!activation(r, c)) uc_z_unlike(r->z, "%s, which --arch doesn't know,", c->name);
}

void uc_z_describe_text(uc_zoo *z)
{
    const char *why;
    const uc_z_call *c = uc_z_parse(z->want, z->arena, &why);
    reading r = {.z = z};
    r.group_count = uc_z_groups(z->dict, z->arena, &r.groups);
    uc_z_source(z, "--arch", "classification");
    uc_z_arch(z, "%s", "Sequential");
    if (!c) {
        uc_z_unlike(z, "%s", why);
        return;
    }
    layer(&r, c);
    uc_z_output(z, "output", r.x);
}
