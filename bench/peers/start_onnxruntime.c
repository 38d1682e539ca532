/* The least a C program does with ONNX Runtime's library: open a model, run it once on zeros. For
 * compare_start.py, which measures it as a process.
 *
 *     start_onnxruntime LIBRARY MODEL INPUT OUTPUT DIM...
 *
 * ONNX Runtime's wheel brings the library without its header; its table of functions only ever grows, so
 * the few that are needed are taken by their place in it (OrtApi, version 1). */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum place {
    GET_ERROR_MESSAGE = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    RUN = 9,
    CREATE_SESSION_OPTIONS = 10,
    SET_INTRA_OP_THREADS = 24,
    CREATE_TENSOR_WITH_DATA = 49,
    GET_TENSOR_DATA = 51,
    CREATE_CPU_MEMORY_INFO = 69,
};

typedef struct api_base {
    void *const *(*get)(uint32_t version);
    const char *(*version)(void);
} api_base;

static void *const *api;

static void must(void *status)
{
    if (!status) return;
    fprintf(stderr, "%s\n", ((const char *(*)(const void *))api[GET_ERROR_MESSAGE])(status));
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 13) return 2;
    void *library = dlopen(argv[1], RTLD_NOW);
    const api_base *(*base)(void) =
        library ? (const api_base *(*)(void))dlsym(library, "OrtGetApiBase") : NULL;
    if (!base || !(api = base()->get(1))) {
        fprintf(stderr, "%s is no ONNX Runtime\n", argv[1]);
        return 1;
    }
    void *env, *options, *session, *memory, *in, *out = NULL;
    int64_t shape[8];
    size_t count = 1, rank = (size_t)argc - 5;
    for (size_t d = 0; d < rank; d++) {
        shape[d] = strtoll(argv[5 + d], NULL, 10);
        count *= (size_t)shape[d];
    }
    float *zeros = calloc(count, sizeof *zeros), *data;
    if (!zeros) return 1;
    must(((void *(*)(int, const char *, void **))api[CREATE_ENV])(3, "start", &env));
    must(((void *(*)(void **))api[CREATE_SESSION_OPTIONS])(&options));
    must(((void *(*)(void *, int))api[SET_INTRA_OP_THREADS])(options, 2));
    must(((void *(*)(void *, const char *, void *, void **))api[CREATE_SESSION])(
        env, argv[2], options, &session));
    must(((void *(*)(int, int, void **))api[CREATE_CPU_MEMORY_INFO])(1, 0, &memory));
    must(((void *(*)(void *, void *, size_t, const int64_t *, size_t, int,
                     void **))api[CREATE_TENSOR_WITH_DATA])(memory, zeros, count * sizeof *zeros,
                                                            shape, rank, 1, &in));
    must(((void *(*)(void *, void *, const char *const *, const void *const *, size_t,
                     const char *const *, size_t, void **))api[RUN])(
        session, NULL, (const char *const[]){argv[3]}, (const void *const[]){in}, 1,
        (const char *const[]){argv[4]}, 1, &out));
    must(((void *(*)(void *, void **))api[GET_TENSOR_DATA])(out, (void **)&data));
    printf("%g\n", (double)data[0]);
    return 0;
}
