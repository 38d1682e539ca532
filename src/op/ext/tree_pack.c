/* Checks the attributes of uncork.TreeEnsemble and lays the trees out breadth first.
 *
 * What must hold of a tree from a file: every child lies in its tree, no node is reached twice (so no
 * cycle), every feature a reached node asks for exists, sets of categories lie in their words. Nodes
 * that are never reached are left out (xgboost keeps deleted ones). */
#include "op/ext/tree_pack.h"

#include <math.h>

typedef struct pack_input { /* the attributes */
    int64_t tree_count, node_count;
    const int64_t *first; /* [tree_count + 1] */
    const int32_t *left, *right, *feature;
    const double *threshold;
    const uint8_t *flags; /* NULL: default_flags everywhere */
    uint32_t default_flags;
    bool strict;
    const int32_t *set;  /* [node_count] or NULL */
    const int64_t *sets; /* [set_count, 4] */
    int64_t set_count;
    const uint32_t *words;
    int64_t word_count;
    const uc_tensor *value;
    const double *weight;        /* [tree_count] or NULL */
    const int64_t *linear_first; /* [node_count + 1] or NULL */
    const double *linear_const;
    int64_t linear_count;
} pack_input;

typedef struct pack_state { /* what breadth first order found */
    int32_t *order;         /* [node_count]: node of the attributes at each new place */
    int32_t *new_left;      /* [node_count]: inside the tree, by new place */
    int32_t *first;         /* [tree_count + 1] */
    int32_t *depth;
    int64_t used;
    int64_t largest; /* nodes of the largest tree */
} pack_state;

static const uc_tensor *tensor_attr(uc_call *call, const char *name)
{
    const uc_attr *attr = uc_call_attr(call, name);
    return attr && attr->kind == UC_ATTR_TENSOR ? attr->tensor : NULL;
}

/* Data of an attribute that must be dense, of this type and count; NULL when it isn't there. */
static const void *data_attr(uc_call *call, const char *name, uncork_dtype dtype, int64_t count,
                             bool required, uncork_status *status)
{
    const uc_tensor *t = tensor_attr(call, name);
    if (*status || (!t && !required)) {
        return NULL;
    }
    if (!t || t->dtype != dtype || !uc_tensor_is_dense(t)) {
        *status = uc_call_fail(call, UNCORK_MALFORMED, "attribute %s must be a dense %s tensor",
                               name, uc_dtype_name(dtype));
        return NULL;
    }
    if (count >= 0 && uc_tensor_count(t) != count) {
        *status = uc_call_fail(call, UNCORK_MALFORMED, "attribute %s has %lld elements, not %lld",
                               name, (long long)uc_tensor_count(t), (long long)count);
        return NULL;
    }
    return t->data;
}

uncork_status uc_tree_pack_shape(uc_call *call, uc_tree_output *output, uncork_dtype *dtype,
                                 int64_t *columns)
{
    uc_str name = uc_call_str(call, "output", "sum");
    const uc_tensor *value = tensor_attr(call, "value");
    const uc_tensor *first = tensor_attr(call, "tree_nodes");
    *output = uc_str_is(name, "leaf")   ? UC_TREE_OUTPUT_LEAF
              : uc_str_is(name, "each") ? UC_TREE_OUTPUT_EACH
                                        : UC_TREE_OUTPUT_SUM;
    if (!first || uc_tensor_count(first) < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "attribute tree_nodes is missing");
    }
    *dtype = UNCORK_INT64;
    *columns = uc_tensor_count(first) - 1;
    if (*output == UC_TREE_OUTPUT_LEAF) {
        return UNCORK_OK;
    }
    if (!value || (value->dtype != UNCORK_FLOAT32 && value->dtype != UNCORK_FLOAT64)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "attribute value must be float32 or float64");
    }
    *dtype = value->dtype;
    if (*output == UC_TREE_OUTPUT_SUM) {
        *columns = value->rank == 2 ? value->shape[1] : uc_call_int(call, "columns", 1);
    }
    if (*columns < 0 || *columns > INT32_MAX / 16) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%lld columns", (long long)*columns);
    }
    return UNCORK_OK;
}

static uncork_status read_tree_attrs(uc_call *call, pack_input *in)
{
    uncork_status status = UNCORK_OK;
    in->first = data_attr(call, "tree_nodes", UNCORK_INT64, -1, true, &status);
    UC_TRY(status);
    in->tree_count = uc_tensor_count(tensor_attr(call, "tree_nodes")) - 1;
    in->node_count = in->first[in->tree_count];
    if (in->node_count < 0 || in->node_count > UC_TREE_MAX_NODES || in->first[0] != 0) {
        return uc_call_fail(call, UNCORK_LIMIT, "%lld nodes, at most %d are possible",
                            (long long)in->node_count, UC_TREE_MAX_NODES);
    }
    for (int64_t t = 0; t < in->tree_count; t++) {
        if (in->first[t] >= in->first[t + 1] || in->first[t + 1] > in->node_count) {
            return uc_call_fail(call, UNCORK_MALFORMED, "tree %lld has no nodes", (long long)t);
        }
    }
    int64_t n = in->node_count;
    in->left = data_attr(call, "left", UNCORK_INT32, n, true, &status);
    in->right = data_attr(call, "right", UNCORK_INT32, n, true, &status);
    in->feature = data_attr(call, "feature", UNCORK_INT32, n, true, &status);
    in->threshold = data_attr(call, "threshold", UNCORK_FLOAT64, n, true, &status);
    in->flags = data_attr(call, "flags", UNCORK_UINT8, n, false, &status);
    in->set = data_attr(call, "set", UNCORK_INT32, n, false, &status);
    in->default_flags = (uint32_t)uc_call_int(call, "default_flags", UC_TREE_NAN);
    in->strict = uc_call_int(call, "strict", 0) != 0;
    in->weight = data_attr(call, "weight", UNCORK_FLOAT64, in->tree_count, false, &status);
    return status;
}

static uncork_status read_other_attrs(uc_call *call, pack_input *in, uc_tree_pack *pack)
{
    uncork_status status = UNCORK_OK;
    int64_t n = in->node_count;
    const uc_tensor *t = tensor_attr(call, "sets");
    if (in->set) {
        in->sets = data_attr(call, "sets", UNCORK_INT64, -1, true, &status);
        in->words = data_attr(call, "words", UNCORK_UINT32, -1, true, &status);
        UC_TRY(status);
        in->set_count = uc_tensor_count(t) / 4;
        in->word_count = uc_tensor_count(tensor_attr(call, "words"));
    }
    in->linear_first = data_attr(call, "linear_first", UNCORK_INT64, n + 1, false, &status);
    if (in->linear_first) {
        pack->linear_feature = data_attr(call, "linear_feature", UNCORK_INT32, -1, true, &status);
        UC_TRY(status);
        in->linear_count = uc_tensor_count(tensor_attr(call, "linear_feature"));
        pack->linear_coef =
            data_attr(call, "linear_coef", UNCORK_FLOAT64, in->linear_count, true, &status);
        in->linear_const = data_attr(call, "linear_const", UNCORK_FLOAT64, n, true, &status);
    }
    pack->group = data_attr(call, "group", UNCORK_INT32, in->tree_count, false, &status);
    in->value = tensor_attr(call, "value");
    if (pack->output == UC_TREE_OUTPUT_LEAF) {
        return status;
    }
    bool wide = in->value->rank == 2;
    if (!uc_tensor_is_dense(in->value) || in->value->rank < 1 || in->value->rank > 2 ||
        in->value->shape[0] != n) {
        return uc_call_fail(call, UNCORK_MALFORMED, "attribute value must have %lld rows",
                            (long long)n);
    }
    if (wide && (pack->output == UC_TREE_OUTPUT_EACH || pack->group || in->linear_first)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "attribute value must have one column");
    }
    if (in->linear_first && pack->dtype != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "linear leaves are float64");
    }
    pack->width = wide ? (int32_t)in->value->shape[1] : 1;
    const uc_attr *base = uc_call_attr(call, "base");
    if (base && (int64_t)base->count != pack->columns) {
        return uc_call_fail(call, UNCORK_MALFORMED, "attribute base has %zu elements, not %lld",
                            base->count, (long long)pack->columns);
    }
    pack->base = base ? base->floats : NULL;
    pack->base_last = uc_call_int(call, "base_last", 0) != 0;
    pack->divisor = uc_call_float(call, "divisor", 1);
    return status;
}

static uint32_t node_flags(const pack_input *in, int64_t node)
{
    return in->flags ? in->flags[node] : in->default_flags;
}

static uncork_status check_groups(uc_call *call, const pack_input *in, const uc_tree_pack *pack)
{
    for (int64_t t = 0; pack->group && t < in->tree_count; t++) {
        if (pack->group[t] < 0 || pack->group[t] >= pack->columns) {
            return uc_call_fail(call, UNCORK_MALFORMED, "tree %lld belongs to output %d of %lld",
                                (long long)t, pack->group[t], (long long)pack->columns);
        }
    }
    return UNCORK_OK;
}

static uncork_status check_set(uc_call *call, const pack_input *in, int64_t tree, int64_t node)
{
    int32_t s = in->set ? in->set[node] : -1;
    if (s < 0 || s >= in->set_count) {
        return uc_call_fail(call, UNCORK_MALFORMED, "tree %lld: node %lld has no set of categories",
                            (long long)tree, (long long)(node - in->first[tree]));
    }
    for (int i = 0; i < 4; i += 2) {
        int64_t begin = in->sets[4 * s + i], bits = in->sets[4 * s + i + 1];
        if (begin < 0 || bits < 0 || begin > in->word_count ||
            bits > (in->word_count - begin) * 32) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "tree %lld: categories of node %lld lie outside their words",
                                (long long)tree, (long long)(node - in->first[tree]));
        }
    }
    return UNCORK_OK;
}

/* Appends the children of the node at place `at` of the tree. */
static uncork_status place_children(uc_call *call, const pack_input *in, const uc_tree_pack *pack,
                                    int64_t t, pack_state *state, uint8_t *seen, int64_t at,
                                    int64_t *placed)
{
    int64_t begin = in->first[t], count = in->first[t + 1] - begin;
    int64_t node = state->order[state->used + at];
    int32_t child[2] = {in->left[node], in->right[node]};
    if (child[0] < 0 && child[1] < 0) {
        state->new_left[state->used + at] = (int32_t)at;
        return UNCORK_OK;
    }
    for (int i = 0; i < 2; i++) {
        if (child[i] < 0 || child[i] >= count) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "tree %lld: %s child of node %lld is %d, the tree has %lld nodes",
                                (long long)t, i ? "right" : "left", (long long)(node - begin),
                                child[i], (long long)count);
        }
        if (seen[child[i]]++) {
            return uc_call_fail(call, UNCORK_MALFORMED, "tree %lld: node %d is reached twice",
                                (long long)t, child[i]);
        }
        state->order[state->used + *placed + i] = (int32_t)(begin + child[i]);
    }
    if (in->feature[node] < 0 || in->feature[node] >= pack->features) {
        return uc_call_fail(
            call, UNCORK_MALFORMED, "tree %lld: node %lld asks for feature %d, the model has %lld",
            (long long)t, (long long)(node - begin), in->feature[node], (long long)pack->features);
    }
    state->new_left[state->used + at] = (int32_t)*placed;
    *placed += 2;
    return node_flags(in, node) & UC_TREE_CATEGORY ? check_set(call, in, t, node) : UNCORK_OK;
}

static uncork_status place_tree(uc_call *call, const pack_input *in, const uc_tree_pack *pack,
                                int64_t t, pack_state *state, uint8_t *seen)
{
    int64_t count = in->first[t + 1] - in->first[t], placed = 1, level_end = 1;
    memset(seen, 0, (size_t)count);
    seen[0] = 1;
    state->order[state->used] = (int32_t)in->first[t];
    for (int64_t at = 0; at < placed; at++) {
        if (at == level_end) {
            level_end = placed;
            state->depth[t]++;
        }
        UC_TRY(place_children(call, in, pack, t, state, seen, at, &placed));
    }
    state->first[t] = (int32_t)state->used;
    state->used += placed;
    state->largest = placed > state->largest ? placed : state->largest;
    return UNCORK_OK;
}

static uncork_status place_trees(uc_call *call, const pack_input *in, uc_tree_pack *pack,
                                 pack_state *state)
{
    int64_t largest = 0;
    for (int64_t t = 0; t < in->tree_count; t++) {
        int64_t count = in->first[t + 1] - in->first[t];
        largest = count > largest ? count : largest;
    }
    state->order = UC_NEW(call->arena, int32_t, (size_t)in->node_count);
    state->new_left = UC_NEW(call->arena, int32_t, (size_t)in->node_count);
    state->first = UC_NEW(call->arena, int32_t, (size_t)in->tree_count + 1);
    state->depth = UC_NEW(call->arena, int32_t, (size_t)in->tree_count);
    uint8_t *seen = UC_NEW(call->arena, uint8_t, (size_t)largest);
    UC_TRY(uc_arena_status(call->arena, call->error));
    for (int64_t t = 0; t < in->tree_count; t++) {
        UC_TRY(place_tree(call, in, pack, t, state, seen));
        pack->steps += (uint64_t)state->depth[t];
    }
    state->first[in->tree_count] = (int32_t)state->used;
    return UNCORK_OK;
}

/* The largest v of x's type for which the node's question is true, so that it reads x <= v; NaN when
 * it never is. */
static double threshold_for(double t, bool strict, uncork_dtype x_dtype)
{
    if (strict && t == -HUGE_VAL) {
        return (double)NAN;
    }
    if (x_dtype == UNCORK_FLOAT64) {
        return strict ? nextafter(t, -HUGE_VAL) : t;
    }
    float f = (float)t;
    bool above = strict ? (double)f >= t : (double)f > t;
    return (double)(above ? nextafterf(f, -INFINITY) : f);
}

static bool is_leaf(const pack_state *state, int32_t tree_first, int64_t at)
{
    return state->new_left[at] == at - tree_first;
}

/* NaN's side as one bit; a node for which NaN isn't missing sees 0 (lightgbm, missing type None). */
static bool nan_goes_left(uint32_t flags, double threshold)
{
    return flags & UC_TREE_NAN ? (flags & UC_TREE_MISSING_LEFT) != 0 : 0 <= threshold;
}

static int bits_for(int64_t count)
{
    int bits = 1;
    while (((int64_t)1 << bits) < count) {
        bits++;
    }
    return bits;
}

static bool can_pack(const pack_input *in, const pack_state *state, int64_t features)
{
    for (int64_t i = 0; in->flags && i < state->used; i++) {
        if (in->flags[state->order[i]] & (UC_TREE_ZERO | UC_TREE_CATEGORY)) {
            return false;
        }
    }
    return !(!in->flags && in->default_flags & (UC_TREE_ZERO | UC_TREE_CATEGORY)) &&
           1 + bits_for(features) + bits_for(state->largest) <= 32;
}

static uncork_status pack_nodes(uc_call *call, const pack_input *in, const pack_state *state,
                                uncork_dtype x_dtype, uc_tree_pack *pack)
{
    bool is_f32 = x_dtype == UNCORK_FLOAT32;
    int feature_bits = bits_for(pack->features);
    size_t count = (size_t)state->used + UC_TREE_PADDING;
    uc_tree_node_f32 *f32 = is_f32 ? UC_NEW(call->arena, uc_tree_node_f32, count) : NULL;
    uc_tree_node_f64 *f64 = is_f32 ? NULL : UC_NEW(call->arena, uc_tree_node_f64, count);
    UC_TRY(uc_arena_status(call->arena, call->error));
    pack->is_packed = true;
    pack->trees = (uc_trees){
        .f32 = f32,
        .f64 = f64,
        .first = state->first,
        .depth = state->depth,
        .count = pack->tree_count,
        .left_shift = 1 + feature_bits,
        .feature_mask = (1u << feature_bits) - 1,
    };
    for (int32_t t = 0; t < pack->tree_count; t++) {
        for (int32_t i = state->first[t]; i < state->first[t + 1]; i++) {
            int32_t node = state->order[i];
            bool leaf = is_leaf(state, state->first[t], i);
            double threshold =
                leaf ? HUGE_VAL : threshold_for(in->threshold[node], in->strict, x_dtype);
            bool nan_left = leaf || nan_goes_left(node_flags(in, node), threshold);
            uint32_t feature = leaf ? 0 : (uint32_t)in->feature[node];
            uint32_t meta = (uint32_t)state->new_left[i] << pack->trees.left_shift | feature << 1 |
                            (uint32_t)nan_left;
            if (is_f32) {
                f32[i] = (uc_tree_node_f32){(float)threshold, meta};
            } else {
                f64[i] = (uc_tree_node_f64){threshold, meta, 0};
            }
        }
    }
    return UNCORK_OK;
}

static uncork_status lay_general(uc_call *call, const pack_input *in, const pack_state *state,
                                 uncork_dtype x_dtype, uc_tree_pack *pack)
{
    uc_tree_node *nodes = UC_NEW(call->arena, uc_tree_node, (size_t)state->used);
    UC_TRY(uc_arena_status(call->arena, call->error));
    pack->general = (uc_tree_general){
        .nodes = nodes, .words = in->words, .first = state->first, .depth = state->depth};
    for (int32_t t = 0; t < pack->tree_count; t++) {
        for (int32_t i = state->first[t]; i < state->first[t + 1]; i++) {
            int32_t node = state->order[i];
            bool leaf = is_leaf(state, state->first[t], i);
            nodes[i] = (uc_tree_node){
                .threshold = threshold_for(in->threshold[node], in->strict, x_dtype),
                .left = state->new_left[i],
                .right = state->new_left[i] + !leaf,
                .feature = leaf ? 0 : in->feature[node],
                .flags = node_flags(in, node),
            };
            if (!leaf && nodes[i].flags & UC_TREE_CATEGORY) {
                const int64_t *set = in->sets + 4 * (int64_t)in->set[node];
                nodes[i].set = (uint32_t)set[0];
                nodes[i].set_bits = (uint32_t)set[1];
                nodes[i].known = (uint32_t)set[2];
                nodes[i].known_bits = (uint32_t)set[3];
            }
        }
    }
    return UNCORK_OK;
}

/* One number a node; the weight multiplies in the value's own type, as the libraries do. */
static uncork_status lay_narrow(uc_call *call, const pack_input *in, const pack_state *state,
                                uc_tree_pack *pack)
{
    bool is_f32 = pack->dtype == UNCORK_FLOAT32;
    float *v32 = is_f32 ? UC_NEW(call->arena, float, (size_t)state->used) : NULL;
    double *v64 = is_f32 ? NULL : UC_NEW(call->arena, double, (size_t)state->used);
    UC_TRY(uc_arena_status(call->arena, call->error));
    for (int32_t t = 0; t < pack->tree_count; t++) {
        double weight = in->weight ? in->weight[t] : 1;
        for (int32_t i = state->first[t]; i < state->first[t + 1]; i++) {
            int32_t node = state->order[i];
            if (is_f32) {
                float v = ((const float *)in->value->data)[node];
                v32[i] = in->weight ? (float)weight * v : v;
            } else {
                double v = ((const double *)in->value->data)[node];
                v64[i] = in->weight ? weight * v : v;
            }
        }
    }
    pack->value32 = v32;
    pack->value64 = v64;
    return UNCORK_OK;
}

static uncork_status lay_wide(uc_call *call, const pack_input *in, const pack_state *state,
                              uc_tree_pack *pack)
{
    bool is_f32 = pack->dtype == UNCORK_FLOAT32;
    size_t leaves = ((size_t)state->used + (size_t)pack->tree_count + 1) / 2,
           width = (size_t)pack->width;
    size_t count, at = 0;
    if (!uc_mul_size(leaves, width, &count)) {
        return uc_call_fail(call, UNCORK_LIMIT, "%zu leaves of %zu values", leaves, width);
    }
    int32_t *slot = UC_NEW(call->arena, int32_t, (size_t)state->used);
    float *v32 = is_f32 ? UC_NEW(call->arena, float, count) : NULL;
    double *v64 = is_f32 ? NULL : UC_NEW(call->arena, double, count);
    UC_TRY(uc_arena_status(call->arena, call->error));
    for (int32_t t = 0; t < pack->tree_count; t++) {
        double weight = in->weight ? in->weight[t] : 1;
        for (int32_t i = state->first[t]; i < state->first[t + 1]; i++) {
            if (!is_leaf(state, state->first[t], i)) {
                continue;
            }
            size_t from = (size_t)state->order[i] * width;
            for (size_t k = 0; k < width; k++) {
                if (is_f32) {
                    v32[at * width + k] =
                        (float)weight * ((const float *)in->value->data)[from + k];
                } else {
                    v64[at * width + k] = weight * ((const double *)in->value->data)[from + k];
                }
            }
            slot[i] = (int32_t)at++;
        }
    }
    pack->slot = slot;
    pack->value32 = v32;
    pack->value64 = v64;
    return UNCORK_OK;
}

static uncork_status lay_linear(uc_call *call, const pack_input *in, const pack_state *state,
                                uc_tree_pack *pack)
{
    uc_tree_linear *linear = UC_NEW(call->arena, uc_tree_linear, (size_t)state->used);
    UC_TRY(uc_arena_status(call->arena, call->error));
    for (int64_t i = 0; i < in->linear_count; i++) {
        if (pack->linear_feature[i] < 0 || pack->linear_feature[i] >= pack->features) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "a linear leaf asks for feature %d, the model has %lld",
                                pack->linear_feature[i], (long long)pack->features);
        }
    }
    for (int64_t i = 0; i < state->used; i++) {
        int32_t node = state->order[i];
        int64_t begin = in->linear_first[node], end = in->linear_first[node + 1];
        if (begin < 0 || end < begin || end > in->linear_count) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "linear leaf %d lies outside its coefficients", node);
        }
        linear[i] = (uc_tree_linear){in->linear_const[node], begin, end - begin};
    }
    pack->linear = linear;
    return UNCORK_OK;
}

static uncork_status lay_ids(uc_call *call, const pack_input *in, const pack_state *state,
                             uc_tree_pack *pack)
{
    int32_t *id = UC_NEW(call->arena, int32_t, (size_t)state->used);
    UC_TRY(uc_arena_status(call->arena, call->error));
    for (int32_t t = 0; t < pack->tree_count; t++) {
        for (int32_t i = state->first[t]; i < state->first[t + 1]; i++) {
            id[i] = state->order[i] - (int32_t)in->first[t];
        }
    }
    pack->id = id;
    return UNCORK_OK;
}

static uncork_status pack_all(uc_call *call, uncork_dtype x_dtype, uc_tree_pack *pack)
{
    pack_input in = {0};
    pack_state state = {0};
    UC_TRY(uc_tree_pack_shape(call, &pack->output, &pack->dtype, &pack->columns));
    pack->features = uc_call_int(call, "features", 0);
    if (pack->features < 1 || pack->features > INT32_MAX) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%lld features", (long long)pack->features);
    }
    UC_TRY(read_tree_attrs(call, &in));
    UC_TRY(read_other_attrs(call, &in, pack));
    pack->tree_count = (int32_t)in.tree_count;
    UC_TRY(check_groups(call, &in, pack));
    UC_TRY(place_trees(call, &in, pack, &state));
    UC_TRY(can_pack(&in, &state, pack->features) ? pack_nodes(call, &in, &state, x_dtype, pack)
                                                 : lay_general(call, &in, &state, x_dtype, pack));
    if (pack->output == UC_TREE_OUTPUT_LEAF) {
        return lay_ids(call, &in, &state, pack);
    }
    if (in.linear_first) {
        UC_TRY(lay_linear(call, &in, &state, pack));
    }
    return in.value->rank == 2 ? lay_wide(call, &in, &state, pack)
                               : lay_narrow(call, &in, &state, pack);
}

const uc_tree_pack *uc_tree_pack_new(uc_call *call, uncork_dtype x_dtype)
{
    uc_tree_pack *pack = UC_NEW(call->arena, uc_tree_pack, 1);
    if (!pack) {
        uc_arena_status(call->arena, call->error);
        return NULL;
    }
    return pack_all(call, x_dtype, pack) == UNCORK_OK ? pack : NULL;
}
