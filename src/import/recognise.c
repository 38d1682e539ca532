/* Signatures of what people hand to uncork by mistake or too early, with the advice that helps.
 * Sources: the formats' own specifications; names of Hugging Face, TensorFlow and Keras folders. */
#include "import/recognise.h"

typedef struct signature {
    size_t at;
    const char *bytes;
    size_t size;
    uncork_status status;
    const char *what, *fix;
} signature;

#define SIGNATURE(at, bytes, status, what, fix)                  \
    {                                                            \
        at, bytes, sizeof(bytes) - 1, UNCORK_##status, what, fix \
    }

static const signature signatures[] = {
    SIGNATURE(0, "version https://git-lfs", MALFORMED, "this is a Git LFS pointer, not the model",
              "fetch the model itself: git lfs pull"),
    SIGNATURE(0, "<!DOCTYPE", MALFORMED, "this is a web page saved as a model",
              "download the file itself, not the page that shows it"),
    SIGNATURE(0, "<!doctype", MALFORMED, "this is a web page saved as a model",
              "download the file itself, not the page that shows it"),
    SIGNATURE(0, "<html", MALFORMED, "this is a web page saved as a model",
              "download the file itself, not the page that shows it"),
    SIGNATURE(0, "<HTML", MALFORMED, "this is a web page saved as a model",
              "download the file itself, not the page that shows it"),
    SIGNATURE(4, "ORTM", UNSUPPORTED, "this is an ONNX Runtime model (.ort)",
              "give the .onnx file that it was made from"),
    SIGNATURE(0, "GGUF", UNSUPPORTED, "this is a GGUF language model",
              "uncork doesn't run language models; llama.cpp reads it"),
    SIGNATURE(0, "CBM1", UNSUPPORTED, "this is a CatBoost model",
              "save it from CatBoost with format=\"onnx\""),
    SIGNATURE(0, "<?xml", UNSUPPORTED, "this is an XML file (PMML or OpenVINO IR)",
              "use the model in its original format"),
    SIGNATURE(0, "\x93NUMPY", UNSUPPORTED, "this is a NumPy array, not a model",
              "give it as an input instead"),
    SIGNATURE(0, "\x89PNG", UNSUPPORTED, "this is a PNG picture, not a model",
              "give the model first, then the pictures"),
    SIGNATURE(0, "\xff\xd8\xff", UNSUPPORTED, "this is a JPEG picture, not a model",
              "give the model first, then the pictures"),
    SIGNATURE(0, "Rar!", UNSUPPORTED, "this is a RAR archive", "unpack it first"),
    SIGNATURE(0, "7z\xbc\xaf\x27\x1c", UNSUPPORTED, "this is a 7z archive", "unpack it first"),
    SIGNATURE(0, "RDX2\n", UNSUPPORTED, "this is R's own data format",
              "save the model from Python"),
};

/* Names inside a folder or archive that tell what it is. */
typedef struct member {
    const char *suffix, *what, *fix;
} member;

static const member members[] = {
    {"schema.json", "this is a skops file", "load it with skops and save it with joblib"},
    {"coremldata.bin", "this is a Core ML model", "use the model it was converted from"},
    {"model.mlmodel", "this is a Core ML model", "use the model it was converted from"},
    {"model.json", "this is a TensorFlow.js model", "use the model it was converted from"},
};

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && memcmp(name + n - m, suffix, m) == 0 &&
           (suffix[0] == '.' || n == m || name[n - m - 1] == '/');
}

/* torch.export's archives name their program model.json too. */
static bool is_torch_export(const uc_bundle *bundle)
{
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        if (ends_with(uc_bundle_name(bundle, i), "archive_format")) return true;
    }
    return false;
}

static uncork_status by_members(const uc_bundle *bundle, uncork_error *error)
{
    for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
        for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
            if (ends_with(uc_bundle_name(bundle, i), members[k].suffix)) {
                uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "%s", members[k].what);
                uc_where(error, "member %s", uc_bundle_name(bundle, i));
                return uc_fix(error, "%s", members[k].fix);
            }
        }
    }
    return UNCORK_OK;
}

uncork_status uc_recognise_archive(const uc_bundle *bundle, uncork_error *error)
{
    if (uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE || is_torch_export(bundle)) return UNCORK_OK;
    return by_members(bundle, error);
}

static bool all_zero(uc_bytes head)
{
    for (size_t i = 0; i < head.size; i++) {
        if (head.data[i]) return false;
    }
    return true;
}

static uncork_status named(uncork_error *error, uncork_status status, const char *what,
                           const char *fix)
{
    uc_fail(error, status, status == UNCORK_MALFORMED ? 0 : UC_NO_OFFSET, "%s", what);
    return uc_fix(error, "%s", fix);
}

uncork_status uc_recognise_other(uc_bytes head, const uc_bundle *bundle, bool maybe,
                                 uncork_error *error)
{
    if (uc_bundle_kind_of(bundle) != UC_BUNDLE_FILE) {
        if (maybe) return UNCORK_OK;
        return named(error, UNCORK_UNSUPPORTED,
                     "nothing in this folder or archive is a model that uncork knows",
                     "name the model's file itself");
    }
    if (head.size == 0)
        return named(error, UNCORK_MALFORMED, "the file is empty", "copy or download it again");
    for (size_t k = 0; k < sizeof signatures / sizeof signatures[0]; k++) {
        const signature *s = &signatures[k];
        if (head.size >= s->at + s->size && memcmp(head.data + s->at, s->bytes, s->size) == 0) {
            return named(error, s->status, s->what, s->fix);
        }
    }
    if (maybe) return UNCORK_OK;
    if (all_zero(head)) {
        return named(error, UNCORK_MALFORMED, "the file begins with nothing but zero bytes",
                     "the copy or download is broken: fetch it again");
    }
    return named(error, UNCORK_UNSUPPORTED, "the content is of no format that uncork knows",
                 "see uncork formats for what it reads");
}
