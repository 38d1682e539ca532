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

static const signature signatures[] = {
#define SIGNATURE(at, bytes, status, what, fix) \
    {at, bytes, sizeof(bytes) - 1, UNCORK_##status, what, fix},
#include "import/recognise_bytes.def"
#undef SIGNATURE
};

/* Names inside a folder or archive that tell what it is. */
typedef struct member {
    bool sure;
    const char *suffix, *what, *fix;
} member;

static const member members[] = {
#define MEMBER(sure, suffix, what, fix) {sure, suffix, what, fix},
#include "import/recognise_names.def"
#undef MEMBER
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

static uncork_status by_members(const uc_bundle *bundle, bool sure, uncork_error *error)
{
    for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
        for (size_t i = 0; members[k].sure == sure && i < uc_bundle_count(bundle); i++) {
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
    return by_members(bundle, true, error);
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

/* What stands in a folder or archive that no importer takes. */
static uncork_status other_folder(const uc_bundle *bundle, uncork_error *error)
{
    size_t arrays = 0, archives = 0;
    UC_TRY(by_members(bundle, false, error));
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        arrays += ends_with(name, ".npy");
        archives += ends_with(name, ".zip") || ends_with(name, ".tar") || ends_with(name, ".gz");
        if (ends_with(name, "variables/variables.index") || strcmp(name, "variables.index") == 0) {
            return named(error, UNCORK_UNSUPPORTED,
                         "the folder holds a SavedModel's variables without its saved_model.pb",
                         "copy the whole folder, saved_model.pb with it");
        }
    }
    if (arrays && arrays == uc_bundle_count(bundle)) {
        return named(error, UNCORK_UNSUPPORTED, "this holds NumPy arrays (.npz), no model",
                     "give it as an input instead");
    }
    if (archives) {
        return named(error, UNCORK_UNSUPPORTED, "there is an archive inside this one",
                     "unpack the inner one first and name it");
    }
    return named(error, UNCORK_UNSUPPORTED,
                 "nothing in this folder or archive is a model that uncork knows",
                 "name the model's file itself");
}

uncork_status uc_recognise_bytes(uc_bytes head, uncork_error *error)
{
    for (size_t k = 0; k < sizeof signatures / sizeof signatures[0]; k++) {
        const signature *s = &signatures[k];
        if (head.size >= s->at + s->size && memcmp(head.data + s->at, s->bytes, s->size) == 0) {
            return named(error, s->status, s->what, s->fix);
        }
    }
    if (head.size > 2 && head.data[0] == 0x80 && head.data[1] > 5 && head.data[1] < 16) {
        uc_fail(error, UNCORK_UNSUPPORTED, 1, "a pickle of protocol %d, the newest known is 5",
                head.data[1]);
        return uc_fix(error, "save it with protocol=5 or older");
    }
    return uc_recognise_markup(head, error);
}

uncork_status uc_recognise_other(uc_bytes head, const uc_bundle *bundle, bool maybe,
                                 uncork_error *error)
{
    if (uc_bundle_kind_of(bundle) != UC_BUNDLE_FILE)
        return maybe ? UNCORK_OK : other_folder(bundle, error);
    if (head.size == 0)
        return named(error, UNCORK_MALFORMED, "the file is empty", "copy or download it again");
    if (!all_zero(head)) UC_TRY(uc_recognise_bytes(head, error));
    if (maybe) return UNCORK_OK;
    if (all_zero(head)) {
        return named(error, UNCORK_MALFORMED, "the file begins with nothing but zero bytes",
                     "the copy or download is broken: fetch it again");
    }
    UC_TRY(by_members(bundle, false, error));
    UC_TRY(uc_recognise_text(head, error));
    return named(error, UNCORK_UNSUPPORTED, "the content is of no format that uncork knows",
                 "see uncork formats for what it reads");
}
