/* The command line: one table of options, the same words for every command. */
#include "cli/cli.h"

#include "base/text.h"

#include <math.h>
#include <stddef.h>

typedef enum option_kind {
    FLAG,
    TEXT,
    COUNT,
    SIZE,
    SECONDS,
    TOP,
    NUMBER,
    INPUT,
    PRECISION,
    KERNELS
} option_kind;

typedef struct option {
    const char *name;
    option_kind kind;
    size_t at; /* of the member in cli_options */
} option;

#define AT(member) offsetof(cli_options, member)

static const option options_table[] = {
    {"--input", INPUT, AT(inputs)},
    {"-i", INPUT, AT(inputs)},
    {"--output", TEXT, AT(output)},
    {"-o", TEXT, AT(output)},
    {"--top", TOP, AT(top)},
    {"--threshold", NUMBER, AT(threshold)},
    {"--nms", NUMBER, AT(nms)},
    {"--max-boxes", COUNT, AT(max_boxes)},
    {"--agnostic", FLAG, AT(agnostic)},
    {"--task", TEXT, AT(task)},
    {"--activation", TEXT, AT(activation)},
    {"--draw", TEXT, AT(draw)},
    {"--sheet", TEXT, AT(sheet)},
    {"--draw-style", TEXT, AT(draw_style)},
    {"--labels", TEXT, AT(labels)},
    {"--method", TEXT, AT(method)},
    {"--signature", TEXT, AT(signature)},
    {"--preprocess", TEXT, AT(preprocess)},
    {"--code", TEXT, AT(code)},
    {"--arch", TEXT, AT(arch)},
    {"--model", TEXT, AT(model)},
    {"--batch", COUNT, AT(batch)},
    {"--threads", COUNT, AT(threads)},
    {"--max-memory", SIZE, AT(limits.max_memory_bytes)},
    {"--max-macs", SIZE, AT(limits.max_macs)},
    {"--timeout", SECONDS, AT(limits.timeout_ms)},
    {"--precision", PRECISION, AT(fast)},
    {"--kernels", KERNELS, AT(kernels)},
    {"--disable-pass", TEXT, AT(disable_pass)},
    {"--sign", TEXT, AT(sign)},
    {"--key", TEXT, AT(key)},
    {"--dump-graph", TEXT, AT(dump_graph)},
    {"--graph", TEXT, AT(graph)},
    {"--json", FLAG, AT(json)},
    {"--csv", FLAG, AT(csv)},
    {"--quiet", FLAG, AT(quiet)},
    {"-q", FLAG, AT(quiet)},
    {"--timing", FLAG, AT(timing)},
    {"--raw", FLAG, AT(raw)},
    {"--scaled", FLAG, AT(scaled)},
    {"--help", FLAG, AT(help)},
    {"-h", FLAG, AT(help)},
    {"--version", FLAG, AT(version)},
};

/* The option a word names; *value is what stands behind its '=', NULL when there is none. */
static const option *find_option(const char *word, const char **value)
{
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    *value = equals ? equals + 1 : NULL;
    for (size_t i = 0; i < sizeof options_table / sizeof options_table[0]; i++) {
        const option *o = &options_table[i];
        if (strlen(o->name) == n && memcmp(o->name, word, n) == 0) return o;
    }
    return NULL;
}

static bool parse_kernels(const char *text, uncork_kernels *out)
{
    static const char *const names[] = {"xnnpack", "builtin", "reference"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (uncork_kernels)i;
        return true;
    }
    return false;
}

/* "2G", "500M", "64k", "1000" */
static bool parse_size(const char *text, uint64_t *out)
{
    size_t n = strlen(text);
    if (n && (text[n - 1] == 'B' || text[n - 1] == 'b')) n--;
    unsigned shift = 0;
    if (n) {
        static const char units[] = "kmgt";
        const char *u = strchr(units, text[n - 1] | 0x20);
        if (u && *u) {
            shift = 10 * (unsigned)(u - units + 1);
            n--;
        }
    }
    double v;
    if (!uc_text_f64((uc_str){text, n}, &v) || !(v > 0) ||
        v * (double)(UINT64_C(1) << shift) >= 0x1p63) {
        return false;
    }
    *out = (uint64_t)(v * (double)(UINT64_C(1) << shift));
    return true;
}

static bool set_value(const option *o, const char *value, cli_options *options)
{
    char *member = (char *)options + o->at;
    int64_t i;
    double d;
    switch (o->kind) {
    case TEXT: *(const char **)(void *)member = value; return true;
    case COUNT:
        if (!uc_text_i64(uc_str_of(value), &i) || i < 1 || i > 1000000) return false;
        *(int64_t *)(void *)member = i;
        return true;
    case NUMBER:
        if (!uc_text_f64(uc_str_of(value), &d) || isnan(d)) return false;
        *(double *)(void *)member = d;
        return true;
    case TOP:
        options->top_given = true;
        if (strcmp(value, "all") == 0) {
            options->top = 0;
            return true;
        }
        if (!uc_text_i64(uc_str_of(value), &i) || i < 1) return false;
        options->top = i;
        return true;
    case SIZE: return parse_size(value, (uint64_t *)(void *)member);
    case SECONDS:
        if (!uc_text_f64(uc_str_of(value), &d) || !(d > 0) || d > 1e9) return false;
        options->limits.timeout_ms = (uint64_t)(d * 1000 + 0.5);
        return true;
    case PRECISION:
        options->fast = strcmp(value, "fast") == 0;
        return options->fast || strcmp(value, "exact") == 0;
    case KERNELS: return parse_kernels(value, &options->kernels);
    case INPUT: options->inputs[options->input_count++] = value; return true;
    case FLAG: break;
    }
    return false;
}

static int parse_option(char **argv, int argc, int *i, cli_options *options)
{
    const char *value;
    const option *o = find_option(argv[*i], &value);
    if (!o) {
        return cli_usage("unknown option %s; uncork %s --help lists them", argv[*i],
                         options->command);
    }
    if (o->kind == FLAG) {
        if (value) return cli_usage("%s takes no value", o->name);
        *((bool *)options + o->at) = true;
        return EXIT_OK;
    }
    if (!value) {
        if (*i + 1 >= argc) return cli_usage("%s needs a value", o->name);
        value = argv[++*i];
    }
    if (!set_value(o, value, options)) return cli_usage("%s can't be '%s'", o->name, value);
    return EXIT_OK;
}

int cli_parse(int argc, char **argv, uc_arena *arena, cli_options *options)
{
    *options = (cli_options){
        .command = argc > 0 ? argv[0] : "", .top = 5, .threshold = (double)NAN, .nms = (double)NAN};
    options->limits.size = sizeof options->limits;
    options->limits.cancel = &cli_cancelled;
    options->arguments = UC_NEW(arena, const char *, (size_t)argc + 1);
    options->inputs = UC_NEW(arena, const char *, (size_t)argc + 1);
    if (!options->arguments || !options->inputs) return cli_usage("memory is out");
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!only_arguments && strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && word[0] == '-' && word[1]) {
            int status = parse_option(argv, argc, &i, options);
            if (status) return status;
        } else {
            options->arguments[options->argument_count++] = word;
        }
    }
    if (options->raw && options->scaled)
        return cli_usage("--raw and --scaled say the same: give one");
    if (options->json && options->csv) return cli_usage("--json and --csv exclude each other");
    return EXIT_OK;
}
