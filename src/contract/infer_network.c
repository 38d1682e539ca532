/* From facts, the graph and the input's shape to a contract, for networks that take pictures. What the
 * file says comes first, then the preset of an architecture it names, then what the shape allows; the
 * reason and what else it could be are noted (docs/preprocessing.md, "What predict assumes"). */
#include "contract/contract_internal.h"
#include "contract/evidence.h"
#include "contract/infer_detector.h"

/* Where the model leaves the size free and nothing else is known: what most classifiers were trained on. */
#define USUAL_SIDE 224

typedef struct inference {
    const uc_facts *facts;
    const uc_graph *graph; /* NULL: not known */
    size_t input;
    const uc_contract_want *want;
    uc_evidence evidence;
    uc_arena *arena;
    uc_findings *findings;
    uncork_error *error;
    uc_contract **contract;
} inference;

/* The input as a picture. */
typedef struct picture_input {
    bool first;
    int64_t channels, width, height;
    bool free_size;
} picture_input;

static bool is_channels(int64_t n) { return n == 1 || n == 3 || n == 4; }

static bool read_shape(const inference *in, picture_input *p)
{
    const uc_contract_want *w = in->want;
    if (w->rank == 2) {
        *p = (picture_input){.channels = 1, .height = w->shape[0], .width = w->shape[1]};
    } else if (w->rank == 3) {
        const bool first = is_channels(w->shape[0]), last = is_channels(w->shape[2]);
        p->first = first == last && in->evidence.told ? in->evidence.first : first || !last;
        const int64_t *s = w->shape;
        p->channels = p->first ? s[0] : s[2];
        p->height = p->first ? s[1] : s[0];
        p->width = p->first ? s[2] : s[1];
    } else {
        return false;
    }
    if (p->channels < 0 && in->evidence.told) p->channels = in->evidence.channels;
    if (p->channels < 0) p->channels = 3;
    p->free_size = p->height < 0 || p->width < 0;
    if (p->height < 0 && p->width < 0) {
        const bool ask = in->graph && in->want->dtype != UNCORK_UINT8;
        p->height = ask ? uc_graph_side(in->graph, in->input, p->first, p->channels) : USUAL_SIDE;
    }
    if (p->height < 0) p->height = p->width;
    if (p->width < 0) p->width = p->height;
    return is_channels(p->channels) && p->width <= 65535 && p->height <= 65535;
}

static uncork_status take(const inference *in, const char *spec, const char *source)
{
    if (!spec) return uc_arena_status(in->arena, in->error);
    return uc_contract_read(spec, source, in->arena, in->contract, in->error);
}

/* The steps as they are printed, with where they come from. */
static uncork_status chosen(const inference *in, const char *from)
{
    uc_writer w;
    uc_writer_init(&w, 65536);
    (*in->contract)->from = from;
    uc_contract_text(*in->contract, &w);
    uc_note(in->findings, UC_NOTE_CHOSEN, "preprocess", "preprocessing: %s (%s)",
            uc_writer_string(&w), from);
    uc_writer_done(&w);
    return UNCORK_OK;
}

/* ---- what the file says, what its architecture is ---- */

/* Whether the text is a contract for this input; a misfit is noted with both sides. */
static bool fits(const inference *in, const char *spec, const char *source, const char *code)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (uc_contract_read(spec, source, in->arena, in->contract, &error) == UNCORK_OK &&
        uc_contract_check(*in->contract, in->want, &error) == UNCORK_OK) {
        return true;
    }
    const char *what = error.what;
    static const char option[] = "--preprocess ";
    if (strncmp(what, option, sizeof option - 1) == 0) what += sizeof option - 1;
    uc_note(in->findings, UC_NOTE_IGNORED, code, "%s is not taken: it %s", source, what);
    return false;
}

static bool from_file(const inference *in, uncork_status *status)
{
    const char *spec = uc_fact_get_text(in->facts, "preprocess");
    const char *from = uc_fact_get_text(in->facts, "preprocess_from");
    if (!spec || !fits(in, spec, from ? from : "the file", "preprocess-misfit")) return false;
    *status = chosen(in, from ? from : "the file says so");
    return true;
}

/* "architecture_preset" and "architecture_other" are what beside.c recognised. */
static bool from_architecture(const inference *in, uncork_status *status)
{
    static const char *const keys[] = {"architecture_preset", "architecture_other"};
    const char *from = uc_fact_get_text(in->facts, "architecture_from");
    for (int i = 0; i < 2; i++) {
        const char *name = uc_fact_get_text(in->facts, keys[i]);
        if (!name || !fits(in, name, name, "preset-misfit")) continue;
        const char *other = i == 0 ? uc_fact_get_text(in->facts, keys[1]) : NULL;
        const char *why =
            uc_arena_printf(in->arena, "preset %s: %s names it", name, from ? from : "the file");
        *status = why ? chosen(in, why) : uc_arena_status(in->arena, in->error);
        uc_note(in->findings, UC_NOTE_ASSUMED, "picture-preset",
                "assumed that the model was trained as %s%s%s", name,
                other ? "; it could also be as " : ": give --preprocess if it wasn't",
                other ? other : "");
        return true;
    }
    return false;
}

/* ---- what its outputs are ---- */

/* Detectors take pictures as their family's own code gives them. Only floats that the graph doesn't
 * scale, three channels first. */
static bool from_detector(const inference *in, const uc_graph *graph, const picture_input *p,
                          uncork_status *status)
{
    if (!graph || !p->first || p->channels != 3 || !uc_dtype_is_float(in->want->dtype) ||
        in->evidence.scaling != UC_SCALING_NONE) {
        return false;
    }
    const char *who = NULL,
               *spec = uc_infer_detector(graph, in->facts, p->width, p->height, in->arena, &who);
    if (!spec || !who || !fits(in, spec, who, "preset-misfit")) return false;
    *status = chosen(in, who);
    uc_note(in->findings, UC_NOTE_ASSUMED, "picture-scale",
            "assumed from the %s: --preprocess says it for sure", who);
    return true;
}

/* ---- what the shape allows ---- */

/* How values are scaled where nothing says it: as each framework's own tutorials do. */
static const char *scale_steps(const inference *in, const picture_input *p, const char **text,
                               const char **why, const char **other)
{
    const uncork_dtype dtype = in->want->dtype;
    *other = NULL;
    if (dtype == UNCORK_UINT8) {
        *text = "0 to 255, as bytes";
        *why = "the model takes uint8";
        return "";
    }
    if (dtype == UNCORK_INT8) {
        *text = "-128 to 127 (add=-128)";
        *why = "the model takes int8";
        return " | add=-128 | int8";
    }
    if (in->evidence.scaling == UC_SCALING_BYTES) {
        *text = "0 to 255 (no scale)";
        *why = uc_arena_printf(in->arena, "the graph scales them itself (%s)", in->evidence.what);
        return " | float32";
    }
    if (in->evidence.scaling == UC_SCALING_UNIT) {
        *text = "0 to 1 (scale=1/255)";
        *why =
            uc_arena_printf(in->arena, "the graph normalises them itself (%s)", in->evidence.what);
        return " | float32 | scale=1/255";
    }
    *why = "nothing in the file says it";
    if (p->channels == 3 && p->first) {
        *text = "ImageNet's mean and deviation, as PyTorch's models take them";
        *other = "0 to 1 (scale=1/255 alone)";
        return " | float32 | scale=1/255 | mean=0.485,0.456,0.406 | std=0.229,0.224,0.225";
    }
    *text = "0 to 1 (scale=1/255)";
    *other = p->channels == 3 ? "-1 to 1 (scale=1/127.5 | add=-1), or 0 to 255 (no scale)"
                              : "0 to 255 (no scale)";
    return " | float32 | scale=1/255";
}

/* Bytes of any size: a detector of the Object Detection API, which resizes by itself. */
static bool takes_any_size(const inference *in, const picture_input *p)
{
    return p->free_size && !p->first && in->want->dtype == UNCORK_UINT8;
}

/* Channels first: PyTorch's shorter side and centre crop, at the usual 224 of 256. */
static const char *size_steps(const inference *in, const picture_input *p)
{
    if (takes_any_size(in, p)) return "";
    const bool square = p->width == p->height;
    if (p->first && p->channels == 3 && square && p->width >= 96) {
        return uc_arena_printf(in->arena, "resize=%lld,bilinear,pillow | center_crop=%lldx%lld",
                               (long long)(p->width * 8 / 7), (long long)p->width,
                               (long long)p->height);
    }
    return uc_arena_printf(in->arena, "resize=%lldx%lld,bilinear,pillow", (long long)p->width,
                           (long long)p->height);
}

static uncork_status from_shape(const inference *in, const picture_input *p)
{
    const char *text, *why, *other;
    const char *scale = scale_steps(in, p, &text, &why, &other), *size = size_steps(in, p);
    const char *colour = p->channels == 1 ? "gray" : p->channels == 3 ? "rgb" : "rgba";
    const char *layout = in->want->rank == 2 ? "" : p->first ? " | nchw" : " | nhwc";
    if (!size || !why) return uc_arena_status(in->arena, in->error);
    if (p->channels == 4 && other) scale = " | float32 | scale=1/255";
    UC_TRY(take(
        in,
        uc_arena_printf(in->arena, "%s%s%s%s%s", colour, *size ? " | " : "", size, scale, layout),
        "what is assumed"));
    if (takes_any_size(in, p)) {
        uc_note(in->findings, UC_NOTE_ASSUMED, "picture-size",
                "assumed RGB pictures of any size, as bytes: the model takes uint8 and leaves the "
                "size free");
        return chosen(in, "assumed from the input's shape; --preprocess says it for sure");
    }
    uc_note(in->findings, UC_NOTE_ASSUMED, "picture-size",
            "assumed %s pictures of %lld x %lld pixels, channels %s%s",
            p->channels == 1   ? "grey"
            : p->channels == 3 ? "RGB"
                               : "RGBA",
            (long long)p->width, (long long)p->height, p->first ? "first" : "last",
            !p->free_size ? ", as the model's input has it"
            : p->height == USUAL_SIDE
                ? ": the model leaves the size free"
                : ": the model leaves the size free, and its layers fit these");
    uc_note(in->findings, UC_NOTE_ASSUMED, "picture-scale", "assumed pixel values of %s: %s%s%s",
            text, why, other ? "; it could also be " : "", other ? other : "");
    return chosen(in, "assumed from the input's shape; --preprocess says it for sure");
}

uncork_status uc_infer_network(const uc_facts *facts, const uc_graph *graph, size_t input,
                               const uc_contract_want *want, uc_arena *arena, uc_findings *findings,
                               uc_contract **contract, uncork_error *error)
{
    inference in = {.facts = facts,
                    .graph = graph,
                    .input = input,
                    .want = want,
                    .evidence = {.channels = -1},
                    .arena = arena,
                    .findings = findings,
                    .error = error,
                    .contract = contract};
    if (graph) in.evidence = uc_graph_evidence(graph, input, arena);
    uncork_status status = UNCORK_OK;
    if (from_file(&in, &status) || from_architecture(&in, &status)) return status;
    picture_input p = {0};
    if (read_shape(&in, &p))
        return from_detector(&in, graph, &p, &status) ? status : from_shape(&in, &p);
    char shape[128];
    uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
            "the model takes %s of a picture and doesn't say how a picture becomes that",
            uc_shape_text(want->shape, want->rank, shape, sizeof shape));
    return uc_fix(error, "say it with --preprocess, as in 'rgb | resize=224x224,bilinear,pillow "
                         "| scale=1/255 | nchw'");
}
