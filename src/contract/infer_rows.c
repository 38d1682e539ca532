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
    const char *steps; /* " | scale=1/255"; "" for none */
    const char *text, *why, *other;
} scale_guess;

static scale_guess guess_scale(const uc_facts *facts, const size_guess *size)
{
    double low = uc_fact_get_number(facts, "seen_min", (double)NAN),
           high = uc_fact_get_number(facts, "seen_max", (double)NAN);
    const scale_guess unit = {.steps = " | scale=1/255", .text = "0 to 1 (scale=1/255)"};
    if (isnan(low) || isnan(high)) {
        scale_guess g = unit;
        g.why = "the model doesn't show the range it was trained on";
        g.other = "0 to 255 (no scale)";
        return g;
    }
    if (low < 0 && low >= -0.5 && high <= 0.5) {
        return (scale_guess){.steps = " | scale=1/255 | add=-0.5",
                             .text = "-0.5 to 0.5 (scale=1/255, add=-0.5)",
                             .why = "it was trained on values of at most 0.5 on both sides of 0"};
    }
    if (low < 0 && low >= -1.5 && high <= 1.5) {
        return (scale_guess){.steps = " | scale=1/127.5 | add=-1",
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
        return (scale_guess){.steps = " | scale=16/255",
                             .text = "0 to 16 (scale=16/255), as in scikit-learn's digits",
                             .why = "it was trained on values up to 16"};
    }
    return (scale_guess){
        .steps = "", .text = "0 to 255 (no scale)", .why = "it was trained on values above 1"};
}

uncork_status uc_infer_rows(const uc_facts *facts, const uc_contract_want *want, uc_arena *arena,
                            uc_findings *findings, uc_contract **contract, uncork_error *error)
{
    int64_t n = want->shape[0];
    size_guess size;
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
    const scale_guess scale = guess_scale(facts, &size);
    const char *spec =
        uc_arena_printf(arena, "%s | resize=%dx%d,bicubic,pillow%s | flatten",
                        size.channels == 1 ? "gray" : "rgb", size.width, size.height, scale.steps);
    if (!spec) return uc_arena_status(arena, error);
    UC_TRY(uc_contract_read(spec, "what is assumed", arena, contract, error));
    const char *from = uc_fact_get_text(facts, "seen_from");
    uc_note(findings, UC_NOTE_ASSUMED, "picture-size",
            "assumed %s pictures of %d x %d pixels, row by row: %s",
            size.channels == 1 ? "grey" : "RGB", size.width, size.height, size.why);
    uc_note(findings, UC_NOTE_ASSUMED, "picture-scale", "assumed pixel values of %s: %s%s%s%s%s%s",
            scale.text, scale.why, from ? " (" : "", from ? from : "", from ? ")" : "",
            scale.other ? "; it could also be " : "", scale.other ? scale.other : "");
    uc_note(findings, UC_NOTE_CHOSEN, "preprocess", "preprocessing: %s", spec);
    return UNCORK_OK;
}
