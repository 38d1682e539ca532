/* Runs a contract: decodes, runs step by step in each step's own arithmetic, and gives what comes out
 * the shape and type that the model takes. */
#include "contract/contract_internal.h"

/* Height, width and channels in the layout that the state has; its rank. */
static int shape_of(const uc_state *s, int64_t shape[4])
{
    const int64_t h = s->pixels.height, w = s->pixels.width, c = s->pixels.channels;
    int rank = 0;
    if (s->batch) shape[rank++] = 1;
    if (s->flat) {
        shape[rank++] = h * w * c;
        return rank;
    }
    if (s->first) shape[rank++] = c;
    shape[rank++] = h;
    shape[rank++] = w;
    if (!s->first && (c > 1 || s->axis)) shape[rank++] = c;
    return rank;
}

static bool fits(const uc_contract_want *want, const int64_t *shape, int rank)
{
    if (want->rank != rank) return false;
    for (int d = 0; d < rank; d++) {
        if (want->shape[d] >= 0 && want->shape[d] != shape[d]) return false;
    }
    return true;
}

/* The shape among those the values can take that the model wants; its rank, or -1. */
static int wanted_shape(const uc_state *s, const uc_contract_want *want, int64_t shape[4])
{
    const int64_t h = s->pixels.height, w = s->pixels.width, c = s->pixels.channels;
    if (want->rank < 0) return shape_of(s, shape);
    if (want->rank == 1 && (want->shape[0] < 0 || want->shape[0] == h * w * c)) {
        shape[0] = h * w * c;
        return 1;
    }
    if (want->rank == 0) return h * w * c == 1 ? 0 : -1;
    const int64_t forms[4][3] = {
        {s->first ? c : h, s->first ? h : w, s->first ? w : c}, {h, w}, {1, h, w}, {h, w, 1}};
    static const int ranks[4] = {3, 2, 3, 3};
    for (int i = 0; i < (c == 1 ? 4 : 1); i++) { /* one channel is first and last at once */
        if (!fits(want, forms[i], ranks[i])) continue;
        memcpy(shape, forms[i], sizeof forms[i]);
        return ranks[i];
    }
    return -1;
}

/* Whether channels, rows and columns are those wanted, but in the other order. */
static bool is_other_layout(const uc_state *s, const uc_contract_want *want)
{
    const int64_t h = s->pixels.height, w = s->pixels.width, c = s->pixels.channels;
    const int64_t other[3] = {s->first ? h : c, s->first ? w : h, s->first ? c : w};
    return fits(want, other, 3);
}

static uncork_status misfit(const uc_state *s, const uc_contract_want *want)
{
    char wanted[128], given[128];
    int64_t shape[4];
    const uc_pixels *p = &s->pixels;
    uc_shape_text(want->shape, want->rank, wanted, sizeof wanted);
    uc_shape_text(shape, shape_of(s, shape), given, sizeof given);
    uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET,
            "the picture gives %d x %d pixels of %d channels (%s, %lld values), the model takes %s",
            p->width, p->height, p->channels, given, (long long)p->width * p->height * p->channels,
            wanted);
    if (is_other_layout(s, want)) {
        return uc_fix(s->error, s->first
                                    ? "channels come last: leave nchw out of --preprocess"
                                    : "channels come first: put nchw at the end of --preprocess");
    }
    return uc_fix(s->error, "put resize=WIDTHxHEIGHT and gray or rgb into --preprocess");
}

/* The tensor itself, in the wanted type; a copy only where the type differs. */
static uncork_status finish(uc_state *s, const uc_contract_want *want, uc_tensor **tensor)
{
    int64_t shape[4] = {0};
    int rank = wanted_shape(s, want, shape);
    if (rank < 0) return misfit(s, want);
    uncork_dtype dtype = want->dtype == UNCORK_DTYPE_NONE ? s->pixels.dtype : want->dtype;
    uc_tensor *t = UC_NEW(s->arena, uc_tensor, 1);
    if (!t) return uc_arena_status(s->arena, s->error);
    uc_tensor_set(t, dtype, rank, shape);
    t->data = s->pixels.data;
    if (dtype != s->pixels.dtype) {
        size_t n = uc_pixels_count(&s->pixels);
        t->data = uc_arena_alloc_raw(s->arena, n * uc_dtype_size(dtype));
        if (!t->data) return uc_arena_status(s->arena, s->error);
        if (!uc_dtype_convert(t->data, dtype, s->pixels.data, s->pixels.dtype, (int64_t)n))
            return uc_fail(s->error, UNCORK_INPUT, UC_NO_OFFSET, "the model takes %s, not numbers",
                           uc_dtype_name(dtype));
    }
    *tensor = t;
    return UNCORK_OK;
}

uncork_status uc_steps_run(uc_state *s, const uc_step *steps, size_t count, uncork_dtype dtype)
{
    bool done = false;
    for (size_t i = 0; i < count; i++) {
        UC_TRY(uc_bytes_tail(s, steps + i, count - i, dtype, &done));
        if (done) break;
        UC_TRY(steps[i].row->run(s, &steps[i]));
    }
    return UNCORK_OK;
}

uncork_status uc_contract_apply_placed(const uc_contract *contract, uc_bytes image,
                                       const uc_contract_want *want, uc_arena *arena,
                                       uc_tensor **tensor, uc_geometry *place, uncork_error *error)
{
    uc_state s = {.arena = arena, .error = error};
    const uc_step *steps = contract->steps;
    size_t n = contract->count;
    const bool decodes = n && !steps[0].row->run;
    UC_TRY(uc_step_decode_run(image, decodes ? &steps[0] : NULL, &s));
    const int w = uc_state_width(&s), h = uc_state_height(&s);
    s.place = uc_geometry_squash(w, h, w, h);
    UC_TRY(uc_steps_run(&s, steps + decodes, n - decodes, want->dtype));
    UC_TRY(uc_state_array(&s));
    if (place) *place = s.place;
    return finish(&s, want, tensor);
}

uncork_status uc_contract_apply(const uc_contract *contract, uc_bytes image,
                                const uc_contract_want *want, uc_arena *arena, uc_tensor **tensor,
                                uncork_error *error)
{
    return uc_contract_apply_placed(contract, image, want, arena, tensor, NULL, error);
}
