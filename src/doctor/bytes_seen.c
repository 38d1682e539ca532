/* See bytes_seen.h. One pass over the bytes, and the first of what they wrap. */
#include "doctor/bytes_seen.h"

#include "base/text.h"
#include "container/codec.h"

#define HEAD 4096

/* ---- what bytes begin like ---- */

static const char *content_of(uc_bytes b, const char **ending)
{
    static const struct {
        size_t at;
        const char *bytes;
        size_t size;
        const char *name, *ending;
    } kinds[] = {
        {0, "\x89HDF", 4, "an HDF5 file (Keras)", ".h5"},
        {4, "TFL3", 4, "a TensorFlow Lite file", ".tflite"},
        {0, "PK\3\4", 4, "a zip archive", ".zip"},
        {257, "ustar", 5, "a tar archive", ".tar"},
        {0, "\x1f\x8b", 2, "a gzip file", ".gz"},
        {0, "BZh", 3, "a bzip2 file", ".bz2"},
        {0,
         "\xfd"
         "7zXZ",
         5, "an xz file", ".xz"},
        {0, "GGUF", 4, "a GGUF language model", ".gguf"},
        {0, "RDX", 3, "R's own data (.rds, .RData)", ".RData"},
        {0, "X\n\0\0\0", 5, "R's own data (.rds)", ".rds"},
        {0, "\x93NUMPY", 6, "a NumPy array", ".npy"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (b.size < kinds[i].at + kinds[i].size) continue;
        if (memcmp(b.data + kinds[i].at, kinds[i].bytes, kinds[i].size) != 0) continue;
        *ending = kinds[i].ending;
        return kinds[i].name;
    }
    if (b.size > 2 && b.data[0] == 0x80 && b.data[1] >= 2 && b.data[1] <= 5) {
        *ending = ".pkl";
        return "a pickle";
    }
    if (b.size > 9 && b.data[8] == '{' && b.data[7] == 0 && b.data[6] == 0) {
        *ending = ".safetensors";
        return "a safetensors file";
    }
    if (b.size > 2 && b.data[0] == 8 && b.data[1] > 2 && b.data[1] < 16 &&
        (b.data[2] == 0x12 || b.data[2] == 0x3a)) {
        *ending = ".onnx";
        return "an ONNX file";
    }
    return NULL;
}

/* ---- what they wrap ---- */

static int value_of(uint8_t c, bool hex)
{
    if (c >= '0' && c <= '9') return hex ? c - '0' : c - '0' + 52;
    if (hex) return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* The first bytes of base64 (6 bits a character) or hexadecimal (4). */
static size_t decode(uc_bytes from, bool hex, uint8_t *out, size_t size)
{
    const unsigned width = hex ? 4 : 6;
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < from.size && n < size; i++) {
        const int v = value_of(from.data[i], hex);
        if (v < 0) continue;
        held = (held << width) | (uint32_t)v;
        bits += width;
        if (bits < 8) continue;
        bits -= 8;
        out[n++] = (uint8_t)(held >> bits);
    }
    return n;
}

static bool is_space(uint8_t c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; }

static bool all_of(uc_bytes b, bool hex)
{
    for (size_t i = 0; i < b.size; i++) {
        const uint8_t c = b.data[i];
        if (!is_space(c) && value_of(c, hex) < 0 && !(c == '=' && !hex && i + 4 > b.size - 4))
            return false;
    }
    return b.size > 40;
}

static void look_inside(uc_bytes bytes, uc_bytes_seen *seen)
{
    uint8_t head[HEAD];
    const uc_codec codec = uc_codec_of(bytes);
    uc_bytes inside = {head, 0};
    if (codec == UC_CODEC_GZIP || codec == UC_CODEC_BZ2 || codec == UC_CODEC_XZ ||
        codec == UC_CODEC_LZ4) {
        seen->codec = uc_codec_name(codec);
        inside.size = uc_codec_peek(codec, bytes, head, sizeof head);
    } else if (seen->high == 0 && seen->zeros == 0) {
        seen->hex = all_of(bytes, true);
        seen->base64 = !seen->hex && all_of(bytes, false);
        if (seen->hex || seen->base64) inside.size = decode(bytes, seen->hex, head, sizeof head);
    }
    if (inside.size) seen->inner = content_of(inside, &seen->ending);
}

void uc_bytes_look(uc_bytes bytes, uc_bytes_seen *seen)
{
    const char *ending;
    *seen = (uc_bytes_seen){.size = bytes.size};
    for (size_t i = 0; i < bytes.size; i++) {
        const uint8_t c = bytes.data[i];
        seen->zeros += c == 0;
        seen->high += c > 127;
        seen->returns += c == '\r';
        seen->lines += c == '\n';
        seen->crlf += c == '\n' && i && bytes.data[i - 1] == '\r';
        seen->replaced +=
            c == 0xbd && i > 1 && bytes.data[i - 1] == 0xbf && bytes.data[i - 2] == 0xef;
    }
    while (seen->zero_tail < bytes.size && bytes.data[bytes.size - 1 - seen->zero_tail] == 0) {
        seen->zero_tail++;
    }
    seen->utf8 = uc_utf8_valid((uc_str){(const char *)bytes.data, bytes.size}, true);
    seen->stripped = bytes.size > 5 && memcmp(bytes.data, "\x89HDF\n", 5) == 0;
    seen->content = content_of(bytes, &ending);
    look_inside(bytes, seen);
}
