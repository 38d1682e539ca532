/* Categories by their hashes. Source: keras/src/layers/preprocessing/hashing.py, hashed_crossing.py (3.15);
 * tf_keras/src/layers/preprocessing/hashing.py, hashed_crossing.py. */
#include "import/keras/keras.h"

#include <inttypes.h>

/* As text: numbers as TensorFlow's AsString writes them. */
static uc_ref as_text(uc_k_call *c, uc_ref x)
{
    const uncork_dtype dtype = uc_k_dtype(c, x);
    if (dtype == UNCORK_STRING) return x;
    if (uc_dtype_is_float(dtype)) x = uc_g_cast(c->graph, x, UNCORK_INT64);
    return uc_g1(c->graph, "uncork.TfAsString", x);
}

/* Where x is the value that stands for nothing; 0: there is none. */
static uc_ref nothing(uc_k_call *c, uc_ref x)
{
    uc_graph *g = c->graph;
    const uc_json *mask = uc_k_get(c->layer, "mask_value");
    if (!mask) return 0;
    if (mask->kind != UC_JSON_STRING) {
        const uc_ref value = uc_g_cast(g, uc_graph_i64(g, uc_json_i64(mask, 0)), uc_k_dtype(c, x));
        return uc_g2(g, "Equal", x, value);
    }
    const uc_tensor *t = uc_tensor_strings(g->arena, &mask->string, 0, NULL);
    if (!t) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a text");
    return uc_g2(g, "Equal", x, uc_graph_const(g, t));
}

void uc_k_hashing(uc_k_call *c)
{
    uc_graph *g = c->graph;
    uc_ref x = uc_k_plain(c, c->in[0]);
    int64_t key[2], bins = uc_k_int(c->layer, "num_bins", 0);
    const uc_json *salt = uc_k_get(c->layer, "salt");
    if (bins < 1 || (salt && !uc_k_ints(salt, key, 2))) {
        uc_k_fail(c, "%" PRId64 " bins, or a salt that isn't two numbers", bins);
        return;
    }
    const int64_t depth = bins;
    const uc_ref none = bins > 1 ? nothing(c, x) : 0;
    const uc_ref text = as_text(c, x);
    uc_node *n = uc_graph_node(
        g, salt ? "uncork.TfStringToHashBucketStrong" : "uncork.TfStringToHashBucketFast", &text, 1,
        1);
    uc_node_int(g, n, "num_buckets", none ? bins - 1 : bins);
    if (salt) uc_node_ints(g, n, "key", key, 2);
    x = uc_node_out(n, 0);
    if (none) {
        x = uc_g2(g, "Add", x, uc_graph_i64(g, 1));
        x = uc_g_where(g, none, uc_graph_i64(g, 0), x);
    }
    uc_k_give_ids(c, x, depth);
}

void uc_k_hashed_crossing(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const int64_t bins = uc_k_int(c->layer, "num_bins", 0);
    uc_ref *in = UC_NEW(g->arena, uc_ref, c->in_count);
    if (!in || bins < 1) {
        uc_k_fail(c, "%" PRId64 " bins", bins);
        return;
    }
    for (size_t i = 0; i < c->in_count; i++) {
        in[i] = uc_k_plain(c, c->in[i]);
        if (uc_k_dtype(c, in[i]) != UNCORK_STRING) in[i] = uc_g_cast(g, in[i], UNCORK_INT64);
    }
    uc_node *n = uc_graph_node(g, "uncork.TfCrossHashed", in, c->in_count, 1);
    uc_node_int(g, n, "num_buckets", bins);
    uc_k_give_ids(c, uc_node_out(n, 0), bins);
}
