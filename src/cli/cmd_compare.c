/* uncork compare: two models on the same input, where they first differ and where they differ most. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "doctor/match.h"
#include "model/recipe.h"

#include <math.h>

/* One of the two. */
typedef struct side {
    const char *path;
    uncork_file *file;
    uncork_model *model;
    uncork_session *session;
    uncork_value **values; /* [inputs] */
    int inputs, outputs;   /* by itself */
    uc_layer_seen *layers;
    size_t layer_count;
} side;

typedef struct comparison {
    const cli_options *options;
    uc_arena *arena;
    side a, b;
    const char *fed; /* what both were given */
    uc_layer_match match;
    size_t first, worst; /* of the pairs; match.count: none */
    bool differ;         /* an output does */
} comparison;

/* ---- opening and feeding ---- */

static int open_side(const comparison *c, side *s, const char *path)
{
    cli_options own = *c->options;
    own.arguments = &path;
    own.argument_count = 1;
    s->path = path;
    int status = cli_open(&own, &s->file);
    if (status) return status;
    const uncork_prepare_options prepare = {.size = sizeof prepare,
                                            .limits = own.limits,
                                            .raw = own.raw || own.scaled,
                                            .disable_pass = own.disable_pass};
    uncork_error error = {.size = sizeof error};
    const char *entry = own.signature ? own.signature : own.method;
    if (uc_prepare_layers(s->file, entry, &prepare, &s->model, &error))
        return cli_fail_model(&error);
    s->inputs = uncork_model_input_count(s->model);
    s->layer_count = uc_model_layer_count(s->model);
    s->outputs =
        s->layer_count ? uc_model_layer(s->model, 0)->output : uncork_model_output_count(s->model);
    s->values = UC_NEW(c->arena, uncork_value *, (size_t)s->inputs + 1);
    s->layers = UC_NEW(c->arena, uc_layer_seen, s->layer_count + 1);
    return s->values && s->layers ? EXIT_OK : cli_usage("memory is out");
}

/* A picture the way A takes it. */
static uncork_status read_picture(const comparison *c, const char *path, cli_arrays *arrays,
                                  uncork_error *error)
{
    uc_recipe recipe;
    uc_contract *own = NULL;
    uc_bytes bytes;
    uc_tensor *t;
    UC_TRY(uc_recipe_of(c->a.file, c->arena, &recipe, error));
    if (c->options->preprocess)
        UC_TRY(uc_contract_parse(c->options->preprocess, c->arena, &own, error));
    UC_TRY(uc_file_read(path, false, c->arena, &bytes, error));
    UC_TRY(
        uc_contract_apply(own ? own : recipe.contract, bytes, &recipe.want, c->arena, &t, error));
    int64_t shape[UNCORK_MAX_RANK] = {1};
    memcpy(shape + 1, t->shape, (size_t)t->rank * sizeof *shape);
    uc_tensor *batch = UC_NEW(c->arena, uc_tensor, 1);
    cli_array *item = UC_NEW(c->arena, cli_array, 1);
    if (!batch || !item) return uc_fail_memory(error);
    *batch = uc_tensor_reshaped(t, t->rank + 1, shape);
    *item = (cli_array){.path = path, .tensor = batch};
    *arrays = (cli_arrays){.items = item, .count = 1, .capacity = 1};
    return UNCORK_OK;
}

static uncork_status read_inputs(comparison *c, cli_arrays *arrays, uncork_error *error)
{
    const cli_options *o = c->options;
    if (o->argument_count > 2) {
        c->fed = o->arguments[2];
        return read_picture(c, o->arguments[2], arrays, error);
    }
    if (!o->input_count) {
        c->fed = "random numbers";
        return cli_make_inputs(c->a.model, o->batch, c->arena, arrays, error);
    }
    uc_budget budget;
    uc_budget_init(&budget, &o->limits, 0);
    c->fed = "the arrays given";
    for (size_t i = 0; i < o->input_count; i++) {
        UC_TRY(cli_read_input(o->inputs[i], NULL, c->arena, &budget, arrays, error));
    }
    return UNCORK_OK;
}

/* Whether a tensor fits what an input takes. */
static bool fits(const uncork_model *model, int i, const uc_tensor *t)
{
    int64_t want[UNCORK_MAX_RANK];
    const int rank = uncork_model_input_shape(model, i, want);
    bool fit = rank < 0 || rank == t->rank;
    for (int k = 0; fit && k < rank; k++) {
        fit = want[k] < 0 || want[k] == t->shape[k];
    }
    return fit;
}

/* B may take channels first what A takes channels last. */
static uncork_status turn_inputs(const comparison *c, cli_arrays *arrays, uncork_error *error)
{
    for (size_t i = 0; i < arrays->count && (int)i < c->b.inputs; i++) {
        const uc_tensor *t = arrays->items[i].tensor;
        if (!t || t->rank != 4 || fits(c->b.model, (int)i, t)) continue;
        for (int last = 0; last < 2; last++) {
            const int order[2][4] = {{0, 3, 1, 2}, {0, 2, 3, 1}};
            uc_tensor turned = *t;
            for (int k = 0; k < 4; k++) {
                turned.shape[k] = t->shape[order[last][k]];
                turned.stride[k] = t->stride[order[last][k]];
            }
            if (!fits(c->b.model, (int)i, &turned)) continue;
            arrays->items[i].tensor = uc_tensor_dense(c->arena, &turned);
            if (!arrays->items[i].tensor) return uc_fail_memory(error);
            cli_note(c->options, "input %zu is turned to channels %s for %s", i,
                     last ? "last" : "first", c->b.path);
            break;
        }
    }
    return UNCORK_OK;
}

static uncork_status run_side(const comparison *c, side *s, const cli_arrays *arrays,
                              uncork_pool *pool, uncork_error *error)
{
    UC_TRY(cli_bind(c->options, s->model, arrays, c->arena, s->values, error));
    if (uncork_session_new(s->model, pool, &s->session)) return uc_fail_memory(error);
    UC_TRY(uncork_session_run(s->session, (const uncork_value *const *)s->values, s->inputs,
                              &c->options->limits, error));
    for (size_t i = 0; i < s->layer_count; i++) {
        const uc_layer *layer = uc_model_layer(s->model, i);
        const uncork_value *v = uncork_session_output(s->session, layer->output);
        s->layers[i] = (uc_layer_seen){.layer = layer};
        if (v && uncork_value_kind(v) == UNCORK_TENSOR) s->layers[i].value = uc_value_tensor(v);
    }
    return UNCORK_OK;
}

static uncork_status run_both(comparison *c, uncork_pool *pool, uncork_error *error)
{
    cli_arrays arrays = {0};
    UC_TRY(read_inputs(c, &arrays, error));
    UC_TRY(run_side(c, &c->a, &arrays, pool, error));
    UC_TRY(turn_inputs(c, &arrays, error));
    UC_TRY(run_side(c, &c->b, &arrays, pool, error));
    UC_TRY(uc_layers_match(c->a.layers, c->a.layer_count, c->b.layers, c->b.layer_count, c->arena,
                           &c->match, error));
    c->first = c->worst = c->match.count;
    for (size_t i = 0; i < c->match.count; i++) {
        const uc_difference *d = &c->match.pairs[i].difference;
        if (!d->beyond) continue;
        if (c->first == c->match.count) c->first = i;
        if (c->worst == c->match.count || d->share > c->match.pairs[c->worst].difference.share)
            c->worst = i;
    }
    return UNCORK_OK;
}

/* ---- telling ---- */

static void put_difference(uc_writer *out, const uc_difference *d)
{
    if (!d->comparable) {
        uc_writer_text(out, "of different shapes");
    } else if (d->largest <= 0) {
        uc_writer_text(out, "equal");
    } else {
        uc_writer_printf(out, "largest difference %.3g (%.3g of the largest value)%s", d->largest,
                         d->share, d->beyond ? "" : ": the same but for rounding");
    }
}

static void json_difference(uc_json_writer *json, const uc_difference *d)
{
    uc_json_key(json, "comparable");
    uc_json_put_bool(json, d->comparable);
    uc_json_key(json, "differs");
    uc_json_put_bool(json, d->beyond || !d->comparable);
    if (!d->comparable) return;
    uc_json_key(json, "largest");
    uc_json_put_f64(json, d->largest);
    uc_json_key(json, "share");
    uc_json_put_f64(json, d->share);
}

static void put_shape(uc_writer *out, const uc_tensor *t)
{
    char text[256];
    uc_writer_printf(out, "%s%s", uc_dtype_name(t->dtype),
                     uc_shape_text(t->shape, t->rank, text, sizeof text));
}

static const uc_tensor *output_of(const side *s, int i)
{
    const uncork_value *v = i < s->outputs ? uncork_session_output(s->session, i) : NULL;
    return v && uncork_value_kind(v) == UNCORK_TENSOR ? uc_value_tensor(v) : NULL;
}

/* The output of B that goes with the i-th of A: of its name, else in order. */
static int partner_of(const comparison *c, int i)
{
    const char *name = uncork_model_output_name(c->a.model, i);
    for (int k = 0; name && k < c->b.outputs; k++) {
        const char *other = uncork_model_output_name(c->b.model, k);
        if (other && strcmp(name, other) == 0) return k;
    }
    return i;
}

static uncork_status put_outputs(comparison *c, uc_writer *out, uc_json_writer *json,
                                 uncork_error *error)
{
    for (int i = 0; i < c->a.outputs; i++) {
        const int k = partner_of(c, i);
        const uc_tensor *x = output_of(&c->a, i), *y = output_of(&c->b, k);
        uc_difference d = {0};
        if (x && y) UC_TRY(uc_difference_of(x, y, &d, error));
        c->differ = c->differ || d.beyond || !d.comparable;
        const char *name = uncork_model_output_name(c->a.model, i);
        if (json) {
            uc_json_begin_object(json);
            uc_json_key(json, "name");
            uc_json_put_text(json, name ? name : "");
            json_difference(json, &d);
            uc_json_end_object(json);
            continue;
        }
        uc_writer_text(out, "output ");
        uc_text_escape(out, uc_str_of(name ? name : ""));
        uc_writer_text(out, " ");
        if (x) put_shape(out, x);
        uc_writer_text(out, ": ");
        put_difference(out, &d);
        uc_writer_text(out, "\n");
    }
    c->differ = c->differ || c->a.outputs != c->b.outputs;
    if (!json && c->a.outputs != c->b.outputs)
        uc_writer_printf(out, "%d outputs beside %d\n", c->a.outputs, c->b.outputs);
    return UNCORK_OK;
}

static void put_pair(const comparison *c, const char *title, size_t i, uc_writer *out)
{
    const uc_layer_pair *p = &c->match.pairs[i];
    const uc_layer *a = c->a.layers[p->a].layer, *b = c->b.layers[p->b].layer;
    uc_writer_printf(out, "%s: ", title);
    uc_text_escape(out, uc_layer_short_name(a->name));
    if (!uc_str_equal(uc_layer_short_name(a->name), uc_layer_short_name(b->name))) {
        uc_writer_text(out, " and ");
        uc_text_escape(out, uc_layer_short_name(b->name));
    }
    uc_writer_text(out, " ");
    put_shape(out, c->a.layers[p->a].value);
    uc_writer_text(out, ", ");
    put_difference(out, &p->difference);
    uc_writer_printf(out, "; %.7g beside %.7g at element %lld", p->difference.a, p->difference.b,
                     (long long)p->difference.at);
    if (strcmp(a->op, b->op) != 0) {
        uc_writer_printf(out, "; it ends in %s beside %s", a->op, b->op);
    } else if (a->is_quantized != b->is_quantized) {
        uc_writer_printf(out, "; %s rounds to integers there", a->is_quantized ? "A" : "B");
    } else {
        uc_writer_text(out, "; the operators are the same, their weights or settings are not");
    }
    uc_writer_text(out, "\n");
}

static void put_text(const comparison *c, uc_writer *out)
{
    const size_t matched = c->match.count;
    uc_writer_printf(out, "layers: %zu matched by %s, %zu only in A, %zu only in B\n", matched,
                     c->match.by_name ? "name" : "structure", c->a.layer_count - matched,
                     c->b.layer_count - matched);
    if (c->first == matched) return;
    put_pair(c, "first difference", c->first, out);
    if (c->worst != c->first) put_pair(c, "worst difference", c->worst, out);
}

static void put_json_layers(const comparison *c, uc_json_writer *json)
{
    uc_json_key(json, "matched_by");
    uc_json_put_text(json, c->match.by_name ? "name" : "structure");
    uc_json_key(json, "layers");
    uc_json_begin_array(json);
    for (size_t i = 0; i < c->match.count; i++) {
        const uc_layer_pair *p = &c->match.pairs[i];
        const uc_layer *a = c->a.layers[p->a].layer, *b = c->b.layers[p->b].layer;
        uc_json_begin_object(json);
        uc_json_key(json, "a");
        uc_json_put_text(json, a->name);
        uc_json_key(json, "b");
        uc_json_put_text(json, b->name);
        uc_json_key(json, "operators");
        uc_json_begin_array(json);
        uc_json_put_text(json, a->op);
        uc_json_put_text(json, b->op);
        uc_json_end_array(json);
        json_difference(json, &p->difference);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

static uncork_status tell(comparison *c, uncork_error *error)
{
    uc_writer out;
    uc_json_writer json = {.out = &out};
    uc_writer_init(&out, (size_t)1 << 28);
    const bool as_json = c->options->json;
    if (as_json) {
        uc_json_begin_object(&json);
        uc_json_key(&json, "input");
        uc_json_put_text(&json, c->fed);
        uc_json_key(&json, "outputs");
        uc_json_begin_array(&json);
    } else {
        uc_writer_text(&out, "input: ");
        uc_text_escape(&out, uc_str_of(c->fed));
        uc_writer_text(&out, "\n");
    }
    uncork_status status = put_outputs(c, &out, as_json ? &json : NULL, error);
    if (as_json) {
        uc_json_end_array(&json);
        put_json_layers(c, &json);
        uc_json_key(&json, "same");
        uc_json_put_bool(&json, !c->differ);
        uc_json_end_object(&json);
        uc_writer_text(&out, "\n");
    } else {
        put_text(c, &out);
        uc_writer_text(&out, c->differ ? "the models differ\n" : "the models agree\n");
    }
    if (status == UNCORK_OK && !cli_flush(&out))
        status = uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "standard output can't be written");
    uc_writer_done(&out);
    return status;
}

/* ---- the command ---- */

static void close_side(side *s)
{
    uncork_session_free(s->session);
    for (int i = 0; s->values && i < s->inputs; i++) {
        uncork_value_free(s->values[i]);
    }
    uncork_model_free(s->model);
    uncork_file_close(s->file);
}

static int compare(comparison *c)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uncork_pool *pool = NULL;
    int status = open_side(c, &c->a, c->options->arguments[0]);
    if (status == EXIT_OK) status = open_side(c, &c->b, c->options->arguments[1]);
    if (status) return status;
    if (c->options->threads > 1 && uncork_pool_new((int)c->options->threads, &pool))
        return cli_usage("memory is out");
    uncork_status done = run_both(c, pool, &error);
    if (done == UNCORK_OK) done = tell(c, &error);
    if (done != UNCORK_OK) {
        cli_print_error(&error);
        status = done == UNCORK_USAGE ? EXIT_USAGE : cli_model_exit(&error);
    } else if (c->differ) {
        status = EXIT_INPUT;
    }
    uncork_session_free(c->a.session); /* before the pool they use */
    uncork_session_free(c->b.session);
    c->a.session = c->b.session = NULL;
    uncork_pool_free(pool);
    return status;
}

int cmd_compare(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count < 2 || options->argument_count > 3) {
        return cli_usage("compare takes two models: uncork compare A B [IMAGE] "
                         "[--input [NAME=]X...]");
    }
    comparison c = {.options = options, .arena = arena};
    const int status = compare(&c);
    close_side(&c.a);
    close_side(&c.b);
    return status;
}
