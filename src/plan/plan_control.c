/* Runs the bodies of If, Loop, Scan and SequenceMap. A body is a program with runners of its own, made
 * at its first run and kept, plans included, with the runner of the graph around it.
 *
 * Memory: a body's results stay where its runner left them until that runner runs again. A loop has two
 * runners and uses them in turn, so one iteration reads what the other wrote and nothing is copied.
 * What is no tensor is kept by the outer runner: items that live there or further out are shared. */
#include "op/shape.h"
#include "plan/plan_parts.h"

#include <inttypes.h>

/* ---- programs and runners ----------------------------------------------------------------- */

static const char *const body_names[5][2] = {[UC_CONTROL_IF] = {"else_branch", "then_branch"},
                                             [UC_CONTROL_LOOP] = {"body", NULL},
                                             [UC_CONTROL_SCAN] = {"body", NULL},
                                             [UC_CONTROL_MAP] = {"body", NULL}};

uncork_status uc_control_prepare(const uc_node *node, const uc_call *call, uc_arena *arena,
                                 uc_budget *budget, const uc_bodies **bodies, uncork_error *error)
{
    uc_bodies *b = UC_NEW(arena, uc_bodies, 1);
    if (!b) return uc_arena_status(arena, error);
    const uc_tensor *decided = node->op->control == UC_CONTROL_IF ? uc_call_in(call, 0) : NULL;
    for (int i = 0; i < 2; i++) {
        const char *name = body_names[node->op->control][i];
        if (!name) continue;
        const uc_graph *g = uc_node_body(node, name);
        if (decided && decided->data && (*(const uint8_t *)decided->data != 0) != i) continue;
        if (g && g->finished) {
            UC_TRY(uc_program_new(g, arena, budget, &b->programs[i], error));
        }
    }
    *bodies = b;
    return UNCORK_OK;
}

static uncork_status get_runner(uc_runner *r, const uc_step *step, const uc_program *program,
                                int side, uc_runner **runner)
{
    if (!program) return uc_fail_memory(r->error); /* only a branch never taken has none */
    if (!r->children) {
        r->children = UC_NEW(r->arena, uc_runner *, 2 * r->program->graph->node_count);
        if (!r->children) return uc_fail_memory(r->error);
    }
    uc_runner **place = &r->children[2 * step->node + (size_t)side];
    if (!*place) {
        if (uc_runner_new(program, r->pool, place)) return uc_fail_memory(r->error);
        (*place)->parent = r;
    }
    *runner = *place;
    return UNCORK_OK;
}

/* ---- results ------------------------------------------------------------------------------ */

/* Output i is `from`, wherever it lies. */
static uncork_status give(uc_call *call, size_t i, const uc_value *from)
{
    uc_value *to = call->out[i];
    if (!to) return UNCORK_OK;
    if (uc_value_is_shaped(to)) { /* others are planned for this shape */
        const uc_tensor *a = &to->tensor, *b = &from->tensor;
        bool same = from->kind == UC_TENSOR && a->dtype == b->dtype && a->rank == b->rank;
        for (int d = 0; same && d < a->rank; d++) {
            same = a->shape[d] == b->shape[d];
        }
        if (!same) {
            return uc_call_fail(call, UNCORK_MALFORMED, "output %zu came out in another shape", i);
        }
    }
    to->kind = from->kind;
    to->item_kind = from->item_kind;
    to->tensor = from->tensor;
    to->items = from->items;
    to->item_count = from->item_count;
    return UNCORK_OK;
}

static void *take_memory(void *context, size_t bytes) { return uc_runner_memory(context, bytes); }

/* Whether memory of `home` outlives what runner r holds between its iterations. */
static bool outlives(const uc_runner *r, const void *home)
{
    for (; r; r = r->parent) {
        if (home == r) return true;
    }
    return false;
}

/* A value that is no tensor, kept beyond the body's next run. */
static const uc_value *keep(uc_runner *r, const uc_value *v)
{
    if (v->kind == UC_TENSOR) return v;
    uc_value *kept = uc_runner_memory(r, sizeof *kept);
    uc_value **items = uc_runner_memory(r, v->item_count * sizeof *items);
    if (!kept || !items) return NULL;
    *kept = *v;
    kept->items = items;
    for (size_t i = 0; i < v->item_count; i++) {
        bool stays = outlives(r, v->items[i]->home);
        items[i] = stays ? v->items[i] : uc_value_copy(v->items[i], take_memory, r, r);
        if (!items[i]) return NULL;
    }
    return kept;
}

static uncork_status read_condition(uc_runner *r, uc_call *call, const uc_value *v, bool *condition)
{
    (void)r;
    const uc_tensor *t = &v->tensor;
    if (v->kind != UC_TENSOR || t->dtype != UNCORK_BOOL || uc_tensor_count(t) != 1) {
        return uc_call_fail(call, UNCORK_INPUT, "the condition isn't one bool");
    }
    *condition = *(const uint8_t *)t->data != 0;
    return UNCORK_OK;
}

/* Each iteration costs a step of the budget: a loop without an end reaches it. */
static uncork_status next_iteration(uc_runner *r, uc_call *call)
{
    UC_TRY(uc_budget_check(r->budget, r->error));
    uncork_error ignored;
    uc_error_init(&ignored);
    if (uc_budget_nodes(r->budget, 1, "a loop", &ignored) == UNCORK_OK) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_LIMIT,
                        "this run has gone through as many iterations as it may");
}

/* ---- stacks of results -------------------------------------------------------------------- */

/* What the iterations give for one output, laid side by side along an axis. */
typedef struct stack {
    uc_runner *r;
    uc_call *call;
    size_t output;
    int64_t axis_given, room, count; /* room and count in slices */
    bool started;
    uc_tensor slice;
    int axis;
    size_t outer, inner, width; /* a slice is [outer, inner] elements of `width` bytes */
    char *data;                 /* [outer, room, inner]; of strings: uc_str */
} stack;

static uncork_status grow_stack(stack *s, int64_t room)
{
    size_t bytes = 0;
    bool fits = uc_mul_size((size_t)room, s->inner * s->width, &bytes) &&
                uc_mul_size(bytes, s->outer, &bytes);
    char *data = fits ? uc_runner_memory(s->r, bytes) : NULL;
    if (!data) return uc_fail_memory(s->r->error);
    if (s->data && s->count) { /* grows along the first axis alone: outer is 1 */
        memcpy(data, s->data, (size_t)s->count * s->inner * s->width);
    }
    s->data = data;
    s->room = room;
    return UNCORK_OK;
}

static uncork_status start_stack(stack *s, const uc_value *v)
{
    const uc_tensor *t = &v->tensor;
    if (v->kind != UC_TENSOR || uc_dtype_bits(t->dtype) % 8) {
        return uc_call_fail(s->call, UNCORK_UNSUPPORTED, "a stack of %s for output %zu isn't done",
                            v->kind == UC_TENSOR ? uc_dtype_name(t->dtype) : uc_kind_name(v->kind),
                            s->output);
    }
    if (t->rank >= UNCORK_MAX_RANK) {
        return uc_call_fail(s->call, UNCORK_LIMIT, "output %zu has more than %d dimensions",
                            s->output, UNCORK_MAX_RANK);
    }
    UC_TRY(uc_axis(s->call, s->axis_given, t->rank + 1, &s->axis));
    s->slice = *t;
    s->outer = s->inner = 1;
    for (int d = 0; d < t->rank; d++) {
        *(d < s->axis ? &s->outer : &s->inner) *= (size_t)t->shape[d];
    }
    s->width = t->dtype == UNCORK_STRING ? sizeof(uc_str) : uc_dtype_size(t->dtype);
    s->started = true;
    return grow_stack(s, s->room);
}

static uncork_status check_slice(stack *s, const uc_tensor *t)
{
    bool same = t->dtype == s->slice.dtype && t->rank == s->slice.rank;
    for (int d = 0; same && d < t->rank; d++) {
        same = t->shape[d] == s->slice.shape[d];
    }
    if (same) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(s->call, UNCORK_INPUT,
                        "output %zu is %s%.60s in one iteration, %s%.60s in another", s->output,
                        uc_dtype_name(s->slice.dtype),
                        uc_shape_text(s->slice.shape, s->slice.rank, a, sizeof a),
                        uc_dtype_name(t->dtype), uc_shape_text(t->shape, t->rank, b, sizeof b));
}

static uncork_status put_strings(stack *s, const uc_tensor *t, int64_t at)
{
    uc_str *to = (uc_str *)(void *)s->data;
    for (size_t k = 0; k < s->outer * s->inner; k++) {
        uc_str from = uc_tensor_string(t, (int64_t)k);
        char *bytes = uc_runner_memory(s->r, from.size);
        if (!bytes) return uc_fail_memory(s->r->error);
        if (from.size) memcpy(bytes, from.data, from.size);
        size_t o = k / s->inner, i = k % s->inner;
        to[(o * (size_t)s->room + (size_t)at) * s->inner + i] = (uc_str){bytes, from.size};
    }
    return UNCORK_OK;
}

/* Slice `at` of the stack. */
static uncork_status put_slice(stack *s, const uc_value *v, int64_t at)
{
    if (!s->started) UC_TRY(start_stack(s, v));
    UC_TRY(check_slice(s, &v->tensor));
    if (at >= s->room) UC_TRY(grow_stack(s, s->room * 2));
    s->count++;
    if (v->tensor.dtype == UNCORK_STRING) return put_strings(s, &v->tensor, at);
    size_t bytes = s->inner * s->width;
    const char *from = v->tensor.data;
    for (size_t o = 0; bytes && o < s->outer; o++) {
        memcpy(s->data + (o * (size_t)s->room + (size_t)at) * bytes, from + o * bytes, bytes);
    }
    return UNCORK_OK;
}

/* The type of a stack that got no slice: as far as the body's type tells, 0 where it doesn't. */
static void empty_slice(stack *s, const uc_graph *body, size_t output)
{
    const uc_graph_value *v = &body->values[body->outputs[output]];
    s->slice = (uc_tensor){.dtype = v->dtype};
    s->slice.rank = v->rank < 0 ? 0 : v->rank;
    for (int d = 0; d < v->rank; d++) {
        s->slice.shape[d] = v->shape[d] < 0 ? 0 : v->shape[d];
    }
    if (s->slice.rank >= UNCORK_MAX_RANK) s->slice.rank = 0;
    int64_t axis = s->axis_given < 0 ? s->axis_given + s->slice.rank + 1 : s->axis_given;
    s->axis = axis < 0 || axis > s->slice.rank ? 0 : (int)axis;
}

static uncork_status string_stack(stack *s, uc_tensor *t, size_t count)
{
    const uc_str *from = (const uc_str *)(const void *)s->data;
    uint64_t *offsets = uc_runner_memory(s->r, (count + 1) * sizeof *offsets), at = 0;
    if (!offsets) return uc_fail_memory(s->r->error);
    for (size_t i = 0; i < count; i++) {
        offsets[i] = at;
        at += from[i].size; /* each of them is in memory */
    }
    offsets[count] = at;
    char *bytes = uc_runner_memory(s->r, (size_t)at);
    if (!bytes) return uc_fail_memory(s->r->error);
    for (size_t i = 0; i < count; i++) {
        if (from[i].size) memcpy(bytes + offsets[i], from[i].data, from[i].size);
    }
    t->strings = (uc_strings){.offsets = offsets, .bytes = bytes};
    return UNCORK_OK;
}

static uncork_status give_stack(stack *s, const uc_graph *body, size_t body_output)
{
    uc_value v = {.kind = UC_TENSOR};
    int64_t shape[UNCORK_MAX_RANK];
    size_t count = 0;
    if (!s->started) empty_slice(s, body, body_output);
    for (int d = 0; d <= s->slice.rank; d++) {
        shape[d] =
            d < s->axis ? s->slice.shape[d] : (d == s->axis ? s->count : s->slice.shape[d - 1]);
    }
    int rank = s->slice.rank + 1;
    if (!uc_shape_is_sane(s->slice.dtype, rank, shape) || !uc_shape_count(shape, rank, &count)) {
        return uc_call_fail(s->call, UNCORK_LIMIT, "output %zu is more than memory can hold",
                            s->output);
    }
    uc_tensor_set(&v.tensor, s->slice.dtype, rank, shape);
    v.tensor.data = s->data ? s->data : uc_runner_memory(s->r, 1);
    if (!v.tensor.data) return uc_fail_memory(s->r->error);
    if (s->slice.dtype == UNCORK_STRING) {
        v.tensor.data = NULL;
        UC_TRY(string_stack(s, &v.tensor, count));
    }
    return give(s->call, s->output, &v);
}

/* ---- If ----------------------------------------------------------------------------------- */

static uncork_status run_if(uc_runner *r, uc_step *step, const uc_bodies *bodies)
{
    uc_call *call = &step->call;
    bool condition = false;
    uc_runner *runner = NULL;
    UC_TRY(read_condition(r, call, call->in[0], &condition));
    UC_TRY(get_runner(r, step, bodies->programs[condition], condition, &runner));
    UC_TRY(uc_budget_check(r->budget, r->error));
    UC_TRY(uc_runner_run(runner, call->in + 1, call->in_count - 1, r->budget, r->error));
    for (size_t i = 0; i < call->out_count; i++) {
        UC_TRY(give(call, i, uc_runner_output(runner, i)));
    }
    return UNCORK_OK;
}

/* ---- what loops share --------------------------------------------------------------------- */

typedef struct loop {
    uc_runner *r;
    uc_step *step;
    uc_call *call;
    const uc_program *program;
    uc_control_parts parts;
    const uc_value **feed;   /* [inputs of the body] */
    size_t first_in;         /* of the carried values among the body's inputs */
    size_t first_out;        /* and among its outputs */
    size_t carried, stacked; /* how many values go on, how many outputs are stacks */
    stack *stacks;
    int64_t done; /* iterations */
} loop;

static uncork_status open_loop(loop *l, const uc_bodies *bodies, size_t first_in, size_t carried,
                               size_t first_out)
{
    l->program = bodies->programs[0];
    l->first_in = first_in;
    l->carried = carried;
    l->first_out = first_out;
    l->stacked = l->call->out_count - carried; /* inference has compared these */
    l->feed = uc_runner_memory(l->r, l->call->in_count * sizeof *l->feed);
    l->stacks = uc_runner_memory(l->r, l->stacked * sizeof *l->stacks);
    if (!l->feed || !l->stacks || !l->program) return uc_fail_memory(l->r->error);
    memcpy(l->feed, l->call->in, l->call->in_count * sizeof *l->feed);
    for (size_t i = 0; i < l->stacked; i++) {
        l->stacks[i] = (stack){.r = l->r, .call = l->call, .output = carried + i};
    }
    return UNCORK_OK;
}

/* What goes on as the body takes it: an optional when it began as one. */
static const uc_value *carry(loop *l, size_t i, const uc_runner *runner, const uc_value *v)
{
    const uc_graph *g = l->program->graph;
    const uc_value *kept = keep(l->r, v);
    bool wraps = g->values[g->inputs[l->first_in + i]].kind == UC_OPTIONAL;
    if (!kept || !wraps || kept->kind == UC_OPTIONAL) return kept;
    uc_value *optional = uc_runner_memory(l->r, 2 * sizeof *optional);
    uc_value **items = uc_runner_memory(l->r, sizeof *items);
    if (!optional || !items) return NULL;
    optional[1] = *kept;
    optional[1].home = runner; /* a tensor's elements are still there */
    items[0] = &optional[1];
    optional[0] = (uc_value){.kind = UC_OPTIONAL, .item_kind = kept->kind};
    optional[0].tensor = (uc_tensor){.rank = -1};
    optional[0].items = items;
    optional[0].item_count = 1;
    return optional;
}

/* One iteration over l->feed; stack i gets its slice at `at[i]` (NULL: behind the last). */
static uncork_status iterate(loop *l, const int64_t *at, uc_runner **runner)
{
    UC_TRY(next_iteration(l->r, l->call));
    UC_TRY(get_runner(l->r, l->step, l->program, (int)(l->done & 1), runner));
    UC_TRY(uc_runner_run(*runner, l->feed, l->call->in_count, l->r->budget, l->r->error));
    for (size_t i = 0; i < l->carried; i++) {
        const uc_value *v = carry(l, i, *runner, uc_runner_output(*runner, l->first_out + i));
        if (!v) return uc_fail_memory(l->r->error);
        l->feed[l->first_in + i] = v;
    }
    for (size_t i = 0; i < l->stacked; i++) {
        if (!l->call->out[l->carried + i]) continue;
        const uc_value *v = uc_runner_output(*runner, l->first_out + l->carried + i);
        UC_TRY(put_slice(&l->stacks[i], v, at ? at[i] : l->done));
    }
    l->done++;
    return UNCORK_OK;
}

static uncork_status give_results(loop *l)
{
    for (size_t i = 0; i < l->carried; i++) {
        const uc_value *v = l->feed[l->first_in + i];
        /* Without an iteration the values that entered go out; their memory may be reused. */
        if (l->done == 0) v = uc_value_copy(v, take_memory, l->r, l->r);
        if (!v) return uc_fail_memory(l->r->error);
        const uc_value *to = l->call->out[i];
        bool unwraps = to && to->kind != UC_OPTIONAL && v->kind == UC_OPTIONAL && v->item_count;
        UC_TRY(give(l->call, i, unwraps ? v->items[0] : v));
    }
    for (size_t i = 0; i < l->stacked; i++) {
        if (!l->call->out[l->carried + i]) continue;
        UC_TRY(give_stack(&l->stacks[i], l->program->graph, l->first_out + l->carried + i));
    }
    return UNCORK_OK;
}

/* ---- Loop --------------------------------------------------------------------------------- */

static uncork_status read_trips(uc_call *call, int64_t *trips)
{
    const uc_tensor *m = uc_call_in(call, 0);
    *trips = INT64_MAX;
    if (!m) return UNCORK_OK;
    if (uc_tensor_count(m) != 1) {
        return uc_call_fail(call, UNCORK_INPUT, "the trip count has %" PRId64 " elements, not one",
                            uc_tensor_count(m));
    }
    *trips = uc_dtype_load_i64(m->data, 0, m->dtype);
    return UNCORK_OK;
}

static uncork_status run_loop(uc_runner *r, uc_step *step, const uc_bodies *bodies)
{
    loop l = {.r = r, .step = step, .call = &step->call};
    int64_t trips = 0, index = 0;
    uint8_t going = 1;
    bool condition = true;
    uc_runner *runner = NULL;
    uc_control_split(l.call, &l.parts);
    UC_TRY(open_loop(&l, bodies, 2, l.parts.formal - 2, 1));
    UC_TRY(read_trips(l.call, &trips));
    if (l.call->in[1]) UC_TRY(read_condition(r, l.call, l.call->in[1], &condition));
    uc_value index_value = {.kind = UC_TENSOR}, going_value = {.kind = UC_TENSOR};
    uc_tensor_set(&index_value.tensor, UNCORK_INT64, 0, NULL);
    uc_tensor_set(&going_value.tensor, UNCORK_BOOL, 0, NULL);
    index_value.tensor.data = &index;
    going_value.tensor.data = &going;
    l.feed[0] = &index_value;
    l.feed[1] = &going_value;
    for (size_t i = 0; i < l.stacked; i++) {
        l.stacks[i].room = trips < 1 ? 1 : (trips < 16 ? trips : 16);
    }
    while (condition && l.done < trips) {
        index = l.done;
        UC_TRY(iterate(&l, NULL, &runner));
        UC_TRY(read_condition(r, l.call, uc_runner_output(runner, 0), &condition));
    }
    return give_results(&l);
}

/* ---- Scan --------------------------------------------------------------------------------- */

typedef struct scanned {
    const uc_tensor *whole;
    uc_value slice;
    size_t outer, inner, width;
    int64_t length;
    bool backwards;
} scanned;

static uncork_status open_scanned(loop *l, size_t i, scanned *s)
{
    int axis = 0;
    const uc_tensor *t = &l->call->in[l->carried + i]->tensor;
    UC_TRY(uc_axis(l->call, uc_control_entry(l->call, "scan_input_axes", i), t->rank, &axis));
    *s = (scanned){.whole = t, .slice = {.kind = UC_TENSOR}, .outer = 1, .inner = 1};
    s->length = t->shape[axis];
    s->backwards = uc_control_entry(l->call, "scan_input_directions", i) != 0;
    int64_t shape[UNCORK_MAX_RANK];
    for (int d = 0; d < t->rank; d++) {
        if (d != axis) *(d < axis ? &s->outer : &s->inner) *= (size_t)t->shape[d];
        if (d != axis) shape[d - (d > axis)] = t->shape[d];
    }
    uc_tensor_set(&s->slice.tensor, t->dtype, t->rank - 1, shape);
    s->width = uc_dtype_size(t->dtype);
    bool strings = t->dtype == UNCORK_STRING;
    if ((strings && s->outer != 1) || uc_dtype_bits(t->dtype) % 8) {
        return uc_call_fail(l->call, UNCORK_UNSUPPORTED, "slices of %s along axis %d aren't done",
                            uc_dtype_name(t->dtype), axis);
    }
    if (s->outer == 1) return UNCORK_OK;
    s->slice.tensor.data = uc_runner_memory(l->r, s->outer * s->inner * s->width);
    return s->slice.tensor.data ? UNCORK_OK : uc_fail_memory(l->r->error);
}

static void set_slice(scanned *s, int64_t at)
{
    size_t bytes = s->inner * s->width, step = (size_t)s->length * bytes;
    if (s->backwards) at = s->length - 1 - at;
    uc_tensor *slice = &s->slice.tensor;
    if (s->whole->dtype == UNCORK_STRING) {
        slice->strings = s->whole->strings;
        slice->strings.offsets += (size_t)at * s->inner;
        return;
    }
    char *from = (char *)s->whole->data + (size_t)at * bytes;
    if (s->outer == 1) {
        slice->data = from;
        return;
    }
    for (size_t o = 0; bytes && o < s->outer; o++) {
        memcpy((char *)slice->data + o * bytes, from + o * step, bytes);
    }
}

static uncork_status run_scan(uc_runner *r, uc_step *step, const uc_bodies *bodies)
{
    loop l = {.r = r, .step = step, .call = &step->call};
    uc_runner *runner = NULL;
    uc_control_split(l.call, &l.parts);
    size_t scans = (size_t)uc_call_int(l.call, "num_scan_inputs", 1); /* as inference found it */
    UC_TRY(open_loop(&l, bodies, 0, l.parts.formal - scans, 0));
    scanned *in = uc_runner_memory(r, scans * sizeof *in);
    int64_t *at = uc_runner_memory(r, l.stacked * sizeof *at);
    if (!in || !at) return uc_fail_memory(r->error);
    for (size_t i = 0; i < scans; i++) {
        UC_TRY(open_scanned(&l, i, &in[i]));
        l.feed[l.carried + i] = &in[i].slice;
        if (in[i].length == in[0].length) continue;
        return uc_call_fail(l.call, UNCORK_INPUT,
                            "scan input %zu has %" PRId64 " slices, the first %" PRId64, i,
                            in[i].length, in[0].length);
    }
    int64_t length = in[0].length;
    for (size_t i = 0; i < l.stacked; i++) {
        l.stacks[i].room = length;
        l.stacks[i].axis_given = uc_control_entry(l.call, "scan_output_axes", i);
    }
    for (int64_t k = 0; k < length; k++) {
        for (size_t i = 0; i < scans; i++) {
            set_slice(&in[i], k);
        }
        for (size_t i = 0; i < l.stacked; i++) {
            bool back = uc_control_entry(l.call, "scan_output_directions", i) != 0;
            at[i] = back ? length - 1 - k : k;
        }
        UC_TRY(iterate(&l, at, &runner));
    }
    return give_results(&l);
}

/* ---- SequenceMap -------------------------------------------------------------------------- */

static uncork_status run_map(uc_runner *r, uc_step *step, const uc_bodies *bodies)
{
    uc_call *call = &step->call;
    uc_control_parts parts = {0};
    uc_runner *runner = NULL;
    uc_control_split(call, &parts);
    size_t count = call->in[0]->item_count;
    const uc_value **feed = uc_runner_memory(r, call->in_count * sizeof *feed);
    uc_value **out = uc_runner_memory(r, call->out_count * sizeof *out);
    if (!feed || !out) return uc_fail_memory(r->error);
    memcpy(feed, call->in, call->in_count * sizeof *feed);
    for (size_t i = 0; i < parts.formal; i++) {
        if (call->in[i]->kind != UC_SEQUENCE || call->in[i]->item_count == count) continue;
        return uc_call_fail(call, UNCORK_INPUT, "input %zu has %zu items, the first %zu", i,
                            call->in[i]->item_count, count);
    }
    for (size_t i = 0; i < call->out_count; i++) {
        out[i] = uc_runner_memory(r, sizeof *out[i]);
        if (!out[i]) return uc_fail_memory(r->error);
        *out[i] = (uc_value){.kind = UC_SEQUENCE, .item_count = count, .tensor = {.rank = -1}};
        out[i]->items = uc_runner_memory(r, count * sizeof *out[i]->items);
        if (!out[i]->items) return uc_fail_memory(r->error);
    }
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < parts.formal; i++) {
            if (call->in[i]->kind == UC_SEQUENCE) feed[i] = call->in[i]->items[k];
        }
        UC_TRY(next_iteration(r, call));
        UC_TRY(get_runner(r, step, bodies->programs[0], 0, &runner));
        UC_TRY(uc_runner_run(runner, feed, call->in_count, r->budget, r->error));
        for (size_t i = 0; i < call->out_count; i++) {
            out[i]->items[k] = uc_value_copy(uc_runner_output(runner, i), take_memory, r, r);
            if (!out[i]->items[k]) return uc_fail_memory(r->error);
        }
    }
    for (size_t i = 0; i < call->out_count; i++) {
        UC_TRY(give(call, i, out[i]));
    }
    return UNCORK_OK;
}

uncork_status uc_control_run(uc_runner *r, uc_step *step)
{
    const uc_bodies *bodies = step->call.prepared;
    switch (step->call.op->control) {
    case UC_CONTROL_IF: return run_if(r, step, bodies);
    case UC_CONTROL_LOOP: return run_loop(r, step, bodies);
    case UC_CONTROL_SCAN: return run_scan(r, step, bodies);
    case UC_CONTROL_MAP: return run_map(r, step, bodies);
    case UC_CONTROL_NONE: break;
    }
    return UNCORK_OK;
}

void uc_control_free(uc_runner *r)
{
    for (size_t i = 0; r->children && i < 2 * r->program->graph->node_count; i++) {
        uc_runner_free(r->children[i]);
    }
}
