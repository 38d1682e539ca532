/* A name that promises another format than the file holds: Python's libraries go by the name, uncork by
 * the content. */
#include "doctor/check.h"

#include <ctype.h>

typedef struct holding {
    const char *format;  /* what the open says it is */
    const char *name;    /* as people say it */
    const char *endings; /* that suit it; the first is the usual one */
    const char *loads;   /* the call that loads it in Python */
    bool zip;            /* it is an archive by itself */
} holding;

static const holding holdings[] = {
    {"hdf5", "a Keras HDF5 file", ".h5 .hdf5 .he5 .keras2", "keras.models.load_model", false},
    {"keras", "a Keras 3 archive", ".keras .zip", "keras.models.load_model", true},
    {"pickle", "a Python pickle",
     ".pkl .pickle .p .pck .pcl .joblib .sav .dump .jbl .dat .model .bin .mdl .obj", "pickle.load",
     false},
    {"joblib", "a joblib file",
     ".joblib .pkl .pickle .jbl .sav .gz .z .xz .bz2 .lz4 .lzma .model .dat .dump .bin",
     "joblib.load", false},
    {"safetensors", "a safetensors file", ".safetensors", "safetensors.torch.load_file", false},
    {"torchscript", "a TorchScript archive", ".pt .pth .ts .torchscript .zip .jit .ptl .ptc",
     "torch.jit.load", true},
    {"torch_export", "a torch.export archive", ".pt2 .pt .zip", "torch.export.load", true},
    {"pytorch", "a PyTorch file",
     ".pt .pth .bin .ckpt .tar .t7 .pyt .model .zip .weights .state_dict .th .torch", "torch.load",
     true},
    {"onnx", "an ONNX model", ".onnx .onnxtxt", "onnxruntime.InferenceSession", false},
    {"tflite", "a TensorFlow Lite model", ".tflite .lite .bin .task", "tf.lite.Interpreter", false},
    {"frozen_pb", "a TensorFlow graph", ".pb .pbtxt .graphdef .prototxt .txt",
     "tf.compat.v1.import_graph_def", false},
};

/* Endings that promise something, and whose. Others promise nothing. */
static const char *const promises[][2] = {
    {".h5", "a Keras HDF5 file"},
    {".hdf5", "a Keras HDF5 file"},
    {".keras", "a Keras 3 archive"},
    {".pkl", "a Python pickle"},
    {".pickle", "a Python pickle"},
    {".joblib", "a joblib file"},
    {".pt", "a PyTorch file"},
    {".pth", "a PyTorch file"},
    {".pt2", "a torch.export archive"},
    {".onnx", "an ONNX model"},
    {".tflite", "a TensorFlow Lite model"},
    {".pb", "a TensorFlow graph"},
    {".safetensors", "a safetensors file"},
};

/* The open's own word for PyTorch's forms: one format, several loaders. */
static const char *format_of(const uncork_file *file)
{
    const uc_facts *facts = &uc_file_import(file)->facts;
    const char *format = uc_fact_get_text(facts, "format"), *form = uc_fact_get_text(facts, "form");
    if (!format || strcmp(format, "pytorch") != 0 || !form) return format;
    if (strcmp(form, "safetensors") == 0) return "safetensors";
    if (strstr(form, "script")) return "torchscript";
    return strstr(form, "export") ? "torch_export" : format;
}

/* Whether " .a .b" holds the ending, in any case. */
static bool suits(const char *endings, const char *ending)
{
    const size_t n = strlen(ending);
    while (*endings) {
        const size_t size = strcspn(endings, " ");
        size_t same = 0;
        while (size == n && same < n && tolower((unsigned char)ending[same]) == endings[same]) {
            same++;
        }
        if (size == n && same == n) return true;
        endings += size + (endings[size] == ' ');
    }
    return false;
}

static const char *promise_of(const char *ending)
{
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
        if (suits(promises[i][0], ending)) return promises[i][1];
    }
    return NULL;
}

bool uc_check_name(const uc_attempt *a, uc_diagnosis *d)
{
    const char *format = a->file ? format_of(a->file) : NULL, *dot = strrchr(a->path, '.');
    const holding *h = NULL;
    if (!format || !dot || strchr(dot, '/') || !a->seen) return false; /* no file, or no ending */
    for (size_t i = 0; !h && i < sizeof holdings / sizeof *holdings; i++) {
        if (strcmp(holdings[i].format, format) == 0) h = &holdings[i];
    }
    const char *promise = h ? promise_of(dot) : NULL;
    const bool archive = a->seen->content && strstr(a->seen->content, "archive") != NULL;
    if (!promise) return false;
    if (!h->zip && archive) {
        d->cause = "the file is an archive with the model inside, and its name doesn't say so";
        d->evidence = uc_arena_printf(a->arena, "named %s, the content is %s that holds %s", dot,
                                      a->seen->content, h->name);
        d->remedy = uc_arena_printf(
            a->arena,
            "uncork opens it as it is; for Python, unpack it and give %s() the file inside",
            h->loads);
        return true;
    }
    if (suits(h->endings, dot)) return false;
    d->evidence = uc_arena_printf(a->arena, "named %s, which promises %s; the content is %s", dot,
                                  promise, h->name);
    d->remedy = uc_arena_printf(
        a->arena, "uncork opens it as it is; for Python rename it and load it with %s()", h->loads);
    const size_t first = strcspn(h->endings, " "), stem = (size_t)(dot - a->path);
    if (!strchr(a->path, '\'') && a->path[0] != '-' && !a->error) {
        d->command = uc_arena_printf(a->arena, "mv -n '%s' '%.*s%.*s' && uncork doctor '%.*s%.*s'",
                                     a->path, (int)stem, a->path, (int)first, h->endings, (int)stem,
                                     a->path, (int)first, h->endings);
    }
    return true;
}
