/* From facts to a contract, for models of flat rows: size and mode from the number of features, scale
 * from the range the model was trained on. What it assumed is noted; where two readings differ both
 * are named and the documented one is taken (docs/preprocessing.md, "What predict assumes"). */
#include "contract/contract_internal.h"

#include <math.h>

typedef struct size_guess {
    int width, height, channels;
    const char *why;
} size_guess;

/* Well-known sets whose pictures are no squares: scikit-learn's LFW at its two usual scales. */
static const size_guess known_sizes[] = {
    {37, 50, 1, "the size of LFW faces at resize=0.4"},
    {47, 62, 1, "the size of LFW faces at resize=0.5"},
    {94, 125, 1, "the size of LFW faces"},
};

static int64_t square_root(int64_t n)
{
    int64_t r = (int64_t)llround(sqrt((double)n));
    return r * r == n ? r : 0;
}

static bool guess_size(int64_t n, size_guess *guess)
{
    int64_t side = square_root(n), colour = n % 3 == 0 ? square_root(n / 3) : 0;
    if (side >= 4) {
        *guess = (size_guess){(int)side, (int)side, 1, "the number of features is a square"};
        return true;
    }
    if (colour >= 4) {
        *guess = (size_guess){(int)colour, (int)colour, 3,
                              "the number of features is three times a square"};
        return true;
    }
    for (size_t i = 0; i < sizeof known_sizes / sizeof known_sizes[0]; i++) {
        if ((int64_t)known_sizes[i].width * known_sizes[i].height * known_sizes[i].channels == n) {
            *guess = known_sizes[i];
            return true;
        }
    }
    return false;
}

typedef struct scale_guess {
    uc_step step[2];
    int count;
    const char *text, *why, *other;
} scale_guess;

static scale_guess guess_scale(const uc_facts *facts, const size_guess *size)
{
    double low = uc_fact_get_number(facts, "seen_min", (double)NAN),
           high = uc_fact_get_number(facts, "seen_max", (double)NAN);
    const scale_guess unit = {.step = {{.kind = UC_STEP_DIVIDE, .value = {255}, .value_count = 1}},
                              .count = 1,
                              .text = "0 to 1 (scale=1/255)"};
    if (isnan(low) || isnan(high)) {
        scale_guess g = unit;
        g.why = "the model doesn't show the range it was trained on";
        g.other = "0 to 255 (no scale)";
        return g;
    }
    if (low < 0 && low >= -0.5 && high <= 0.5) {
        return (scale_guess){.step = {{.kind = UC_STEP_DIVIDE, .value = {255}, .value_count = 1},
                                      {.kind = UC_STEP_ADD, .value = {-0.5}, .value_count = 1}},
                             .count = 2,
                             .text = "-0.5 to 0.5 (scale=1/255, add=-0.5)",
                             .why = "it was trained on values of at most 0.5 on both sides of 0"};
    }
    if (low < 0 && low >= -1.5 && high <= 1.5) {
        return (scale_guess){.step = {{.kind = UC_STEP_DIVIDE, .value = {127.5}, .value_count = 1},
                                      {.kind = UC_STEP_ADD, .value = {-1}, .value_count = 1}},
                             .count = 2,
                             .text = "-1 to 1 (scale=1/127.5, add=-1)",
                             .why = "it was trained on values on both sides of 0"};
    }
    if (low < 0 || high > 256) {
        scale_guess g = unit;
        g.why = "it was trained on standardised values";
        g.other = "another scale: give --preprocess";
        return g;
    }
    if (high <= 1.0) {
        scale_guess g = unit;
        g.why = "it was trained on values up to 1";
        return g;
    }
    if (high <= 16.0 && size->width == 8 && size->height == 8) {
        return (scale_guess){.step = {{.kind = UC_STEP_MULTIPLY,
                                       .value = {16.0 / 255.0},
                                       .value_count = 1,
                                       .value_text = "16/255"}},
                             .count = 1,
                             .text = "0 to 16 (scale=16/255), as in scikit-learn's digits",
                             .why = "it was trained on values up to 16"};
    }
    return (scale_guess){
        .count = 0, .text = "0 to 255 (no scale)", .why = "it was trained on values above 1"};
}

uncork_status uc_contract_infer(const uc_facts *facts, const uc_contract_want *want,
                                uc_arena *arena, uc_findings *findings, uc_contract **contract,
                                uncork_error *error)
{
    int64_t n = want->rank == 1 ? want->shape[0] : -1;
    size_guess size;
    if (want->rank > 1) {
        char shape[128];
        uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                "the model takes %s of a picture and doesn't say how a picture becomes that",
                uc_shape_text(want->shape, want->rank, shape, sizeof shape));
        return uc_fix(error,
                      "say it with --preprocess, as in 'rgb | resize=224x224,bilinear,pillow "
                      "| scale=1/255 | nchw'");
    }
    if (n < 0) {
        uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                "the model doesn't say how many features it takes");
        return uc_fix(error, "say how a picture becomes them with --preprocess");
    }
    if (!guess_size(n, &size)) {
        uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                "the model takes %lld features, which are no square picture, grey or colour",
                (long long)n);
        return uc_fix(
            error,
            "give rows (.csv, .json, .npy), or --preprocess 'gray | resize=WIDTHxHEIGHT | ...'");
    }
    uc_contract *c = UC_NEW(arena, uc_contract, 1);
    scale_guess scale = guess_scale(facts, &size);
    bool ok =
        c && uc_contract_add(c, arena,
                             (uc_step){.kind = UC_STEP_CONVERT,
                                       .mode = size.channels == 1 ? UC_IMAGE_L : UC_IMAGE_RGB});
    ok = ok && uc_contract_add(c, arena,
                               (uc_step){.kind = UC_STEP_RESIZE,
                                         .width = size.width,
                                         .height = size.height,
                                         .filter = UC_PILLOW_BICUBIC,
                                         .version = 13});
    for (int i = 0; ok && i < scale.count; i++) {
        ok = uc_contract_add(c, arena, scale.step[i]);
    }
    ok = ok && uc_contract_add(c, arena, (uc_step){.kind = UC_STEP_FLATTEN});
    if (!ok) return uc_arena_status(arena, error);
    const char *from = uc_fact_get_text(facts, "seen_from");
    uc_note(findings, UC_NOTE_ASSUMED, "picture-size",
            "assumed %s pictures of %d x %d pixels, row by row: %s",
            size.channels == 1 ? "grey" : "RGB", size.width, size.height, size.why);
    uc_note(findings, UC_NOTE_ASSUMED, "picture-scale", "assumed pixel values of %s: %s%s%s%s%s%s",
            scale.text, scale.why, from ? " (" : "", from ? from : "", from ? ")" : "",
            scale.other ? "; it could also be " : "", scale.other ? scale.other : "");
    uc_writer w;
    uc_writer_init(&w, 4096);
    uc_contract_text(c, &w);
    uc_note(findings, UC_NOTE_CHOSEN, "preprocess", "preprocessing: %s", uc_writer_string(&w));
    uc_writer_done(&w);
    *contract = c;
    return UNCORK_OK;
}
