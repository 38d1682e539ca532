/* Text that was handed over as a model: pages and replies that a download brought instead, other
 * programs' configurations, source code. The first words decide. */
#include "import/recognise.h"

#include "base/text.h"

/* What a text says of itself; NULL at the end of a row. All words must stand in it. */
typedef struct mark {
    const char *words[3];
    uncork_status status;
    const char *what, *fix;
} mark;

static bool same_letters(const uint8_t *bytes, const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t c = bytes[i] >= 'A' && bytes[i] <= 'Z' ? (uint8_t)(bytes[i] + 32) : bytes[i];
        if (c != (uint8_t)word[i]) return false;
    }
    return true;
}

/* `word` in small letters, the text in any. */
static bool has(uc_bytes text, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.size; i++) {
        if (same_letters(text.data + i, word, n)) return true;
    }
    return false;
}

static bool begins(uc_bytes text, const char *word)
{
    return text.size >= strlen(word) && same_letters(text.data, word, strlen(word));
}

/* Behind a byte order mark and white space; a kilobyte of it. */
static uc_bytes body_of(uc_bytes head)
{
    if (head.size > 3 && memcmp(head.data, "\xef\xbb\xbf", 3) == 0) {
        head.data += 3;
        head.size -= 3;
    }
    while (head.size && (*head.data == ' ' || (*head.data >= 9 && *head.data <= 13))) {
        head.data++;
        head.size--;
    }
    if (head.size > 1024) head.size = 1024;
    return head;
}

static uncork_status says(uncork_error *error, const mark *m)
{
    uc_fail(error, m->status, m->status == UNCORK_MALFORMED ? 0 : UC_NO_OFFSET, "%s", m->what);
    return uc_fix(error, "%s", m->fix);
}

static uncork_status first_of(const mark *marks, size_t count, uc_bytes text, uncork_error *error)
{
    for (size_t i = 0; i < count; i++) {
        bool all = true;
        for (size_t k = 0; k < 3 && marks[i].words[k]; k++) {
            all = all && has(text, marks[i].words[k]);
        }
        if (all) return says(error, &marks[i]);
    }
    return UNCORK_OK;
}

uncork_status uc_recognise_markup(uc_bytes head, uncork_error *error)
{
    static const mark page = {{NULL},
                              UNCORK_MALFORMED,
                              "this is a web page saved as a model",
                              "download the file itself, not the page that shows it"};
    static const mark xml[] = {
        {{"<error", "<code>"},
         UNCORK_MALFORMED,
         "this is a storage service's error reply, not the model",
         "look at its text: it says why the download was refused; then download again"},
        {{"<pmml"},
         UNCORK_UNSUPPORTED,
         "this is a PMML model",
         "save the model from its own library, or as ONNX"},
        {{"<net"},
         UNCORK_UNSUPPORTED,
         "this is an OpenVINO IR model",
         "use the model it was converted from"},
        {{NULL},
         UNCORK_UNSUPPORTED,
         "this is an XML file, not a model",
         "use the model in its original format"}};
    const uc_bytes text = body_of(head);
    if (begins(text, "<!doctype html") || begins(text, "<html") || begins(text, "<head"))
        return says(error, &page);
    if (begins(text, "<!--") && has(text, "<html")) return says(error, &page);
    if (begins(text, "<?xml") && has(text, "<html")) return says(error, &page);
    if (begins(text, "<?xml") || begins(text, "<error>"))
        return first_of(xml, sizeof xml / sizeof *xml, text, error);
    return UNCORK_OK;
}

/* Whether nothing but text stands there: no byte below a tab, few beyond ASCII. */
static bool is_text(uc_bytes head)
{
    size_t high = 0;
    for (size_t i = 0; i < head.size; i++) {
        const uint8_t c = head.data[i];
        if (c < 9 || (c > 13 && c < 32 && c != 27) || c == 127) return false;
        high += c > 127;
    }
    return head.size && high * 4 < head.size;
}

static const mark json_marks[] = {
    {{"\"nbformat\""},
     UNCORK_UNSUPPORTED,
     "this is a Jupyter notebook, not the model that it makes",
     "run the notebook, save the model, give that file"},
    {{"\"mxnet_version\""},
     UNCORK_UNSUPPORTED,
     "this is an MXNet model",
     "export the model to ONNX from MXNet"},
    {{"\"arg_nodes\""},
     UNCORK_UNSUPPORTED,
     "this is an MXNet model",
     "export the model to ONNX from MXNet"},
    {{"\"modeltopology\""},
     UNCORK_UNSUPPORTED,
     "this is a TensorFlow.js model",
     "use the model it was converted from"},
    {{"\"weightsmanifest\""},
     UNCORK_UNSUPPORTED,
     "this is a TensorFlow.js model",
     "use the model it was converted from"},
    {{"\"class_name\"", "\"config\""},
     UNCORK_UNSUPPORTED,
     "this is a Keras model's architecture (to_json) without its weights",
     "put its weights beside it as .h5 and give that file: the JSON of the same name is read with it"},
    {{"\"error\""},
     UNCORK_MALFORMED,
     "this is a server's error reply, not the model",
     "look at its text: it says why the download was refused; then download again"},
    {{"\"message\""},
     UNCORK_MALFORMED,
     "this is a server's error reply, not the model",
     "look at its text: it says why the download was refused; then download again"},
    {{"\"detail\""},
     UNCORK_MALFORMED,
     "this is a server's error reply, not the model",
     "look at its text: it says why the download was refused; then download again"},
    {{"\"architectures\""},
     UNCORK_UNSUPPORTED,
     "this is a model's config.json, not its weights",
     "give the folder that it stands in, or the weights' file"},
};

static const mark text_marks[] = {
    {{"layer", "name:", "type:"},
     UNCORK_UNSUPPORTED,
     "this is a Caffe model (.prototxt)",
     "convert it to ONNX: the formats' own converters do"},
    {{"model_checkpoint_path:"},
     UNCORK_UNSUPPORTED,
     "this is the list of a TensorFlow folder's checkpoints, not one of them",
     "give the .meta file that it names"},
};

/* A short line as servers send it: "Not Found", "Invalid username or password." */
static bool is_refusal(uc_bytes text)
{
    static const char *const words[] = {
        "not found", "forbidden",  "denied", "unauthorized", "invalid username", "error",
        "login",     "rate limit", "quota",  "gateway",      "expired",          "gated"};
    if (text.size > 300) return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (has(text, words[i])) return true;
    }
    return false;
}

uncork_status uc_recognise_text(uc_bytes head, uncork_error *error)
{
    static const mark reply = {
        {NULL},
        UNCORK_MALFORMED,
        "this is a server's error reply, not the model",
        "look at its text: it says why the download was refused; then download again"};
    if (!is_text(head)) return UNCORK_OK;
    const uc_bytes text = body_of(head);
    const bool json = text.size && (*text.data == '{' || *text.data == '[');
    if (json) {
        UC_TRY(first_of(json_marks, sizeof json_marks / sizeof *json_marks, text, error));
    } else {
        UC_TRY(first_of(text_marks, sizeof text_marks / sizeof *text_marks, text, error));
        if (is_refusal(text)) return says(error, &reply);
    }
    size_t line = 0;
    while (line < text.size && line < 60 && text.data[line] != '\n' && text.data[line] != '\r') {
        line++;
    }
    uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "this is %s, not a model: it begins '%.*s'",
            json ? "a JSON file" : "a text file", (int)line, (const char *)text.data);
    return uc_fix(error, "give the model's own file");
}
