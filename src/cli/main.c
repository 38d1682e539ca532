/* The command: finds the subcommand, installs Ctrl-C, hands over. */
#include "cli/cli.h"

#include <signal.h>
#include <stdlib.h>

volatile int cli_cancelled;

static const cli_command commands[] = {
#define COMMAND(name, usage, summary) {#name, cmd_##name, usage, summary},
#include "cli/command_table.def"
#undef COMMAND
};

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (cli_cancelled) _Exit(EXIT_INTERRUPTED); /* the second one doesn't wait */
    cli_cancelled = 1;
}

static void print_help(FILE *out)
{
    fprintf(out, "uncork %s: opens saved models and predicts, without the framework\n\n",
            uncork_version());
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fprintf(out, "  %-52s %s\n", commands[i].usage, commands[i].summary);
    }
    fputs(
        "\nOptions (the same words everywhere):\n"
        "  --top K|all          classes printed (5)\n"
        "  --draw DIR           pictures with their answers on them; --draw-style od|agnostic\n"
        "  --sheet FILE         thumbnails of all pictures with their answers, .png or .jpg\n"
        "  --labels FILE|SET    names of the classes: text, one a line; index label; JSON; CSV; .pbtxt;\n"
        "                       or imagenet, coco, coco91, voc, mnist, fashion_mnist, cifar10, cifar100\n"
        "  --threshold T        classes or boxes with a score above it; --max-boxes N (200)\n"
        "  --nms IOU            of boxes that overlap by more the best stays; --agnostic: of all classes\n"
        "  --task NAME          what a network's outputs are: classify, multilabel, regress, detect, segment,\n"
        "                       keypoints, embed, image, tensor; --activation softmax|sigmoid|exp|none\n"
        "  --output DIR, -o     masks, pictures and vectors of the answers as files\n"
        "  --method NAME        predict, predict_proba, predict_log_proba, decision_function,\n"
        "                       transform, score_samples, kneighbors\n"
        "  --signature NAME     which of a model's signatures; inspect lists them\n"
        "  --arch NAME          the network that PyTorch weights belong to, or its layers:\n"
        "                       'Sequential(Conv2d(1, 8, 3), ReLU(), Flatten(), Linear(5408, 10))'\n"
        "  --preprocess SPEC    steps in front of the model, e.g. 'gray | resize=8x8,bicubic,pillow | scale=1/16',\n"
        "                       or a preset such as torchvision:resnet50; list prints all presets\n"
        "  --sign KEY.pem       pack: signs the artifact (Ed25519, OpenSSL); --key PUB.pem: verify checks it\n"
        "  --raw, --scaled      leave out a scaler found beside the model: the input is scaled already\n"
        "  --batch N            pictures or rows run at a time\n"
        "  --threads N          threads in all (one a core)\n"
        "  --kernels SET        whose rounding an integer TFLite model follows: xnnpack (the\n"
        "                       interpreter's default), builtin, reference\n"
        "  --precision fast     bfloat16 inside float32 networks where the machine has it (exact)\n"
        "  --max-memory SIZE    refuse what needs more; --max-macs N; --timeout SECONDS\n"
        "  --json, --csv        one object or record a line\n"
        "  --timing             what the time went into, on standard error\n"
        "  --dump-graph FILE    the graph the model became; --disable-pass NAME leaves one out on the way\n"
        "  --quiet              no notes\n"
        "  --version, --help\n\n"
        "Exit status: 0 all well; 1 an input failed; 2 wrong usage; 3 the model can't be used;\n"
        "4 there is no such model file, or it can't be read.\n",
        out);
}

static int run_command(const cli_command *command, int argc, char **argv)
{
    uc_arena *arena = uc_arena_new(NULL);
    if (!arena) return cli_usage("memory is out");
    cli_options options;
    int status = cli_parse(argc, argv, arena, &options);
    if (status == EXIT_OK) {
        if (options.help) {
            print_help(stdout);
        } else if (options.preprocess && strcmp(options.preprocess, "list") == 0) {
            status = cli_list_presets(&options);
        } else if (options.version) {
            status = cmd_formats(&options, arena);
        } else {
            status = command->run(&options, arena);
        }
    }
    uc_arena_free(arena);
    return cli_cancelled ? EXIT_INTERRUPTED : status;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE,
           SIG_IGN); /* a closed pipe is an error of the write, not the end of the process */
    signal(SIGXFSZ, SIG_IGN); /* and so is a limit on the size of files */
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(word, "--version") == 0) word = "formats";
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    }
    return cli_usage("there is no command '%s'; uncork --help lists them", word);
}
