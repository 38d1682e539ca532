/* Does it begin like a pickle? Protocols 2 to 5 say so; 0 and 1 are told by their first opcodes. */
#include "container/codec.h"
#include "container/pickle.h"

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* PUT "p0\n", BINPUT "q\0", LONG_BINPUT, or what may follow a value at once. */
static bool may_follow(uc_bytes b, size_t at)
{
    if (at >= b.size) {
        return false;
    }
    return b.data[at] == 'p' ? at + 1 < b.size && is_digit(b.data[at + 1])
                             : memchr("qr()]}.cNKU", b.data[at], 11) != NULL;
}

/* "module\nname\n" of GLOBAL and INST. */
static bool is_global(uc_bytes b, size_t at)
{
    for (int line = 0; line < 2; line++) {
        const size_t begin = at;
        for (; at < b.size && b.data[at] != '\n'; at++) {
            const uint8_t c = b.data[at], lower = c | 0x20;
            if (!is_digit(c) && !(lower >= 'a' && lower <= 'z') && c != '_' && c != '.' &&
                c < 0x80) {
                return false;
            }
        }
        if (at == begin || at - begin > 300 || at == b.size) {
            return false;
        }
        at++;
    }
    return may_follow(b, at);
}

/* "12\n" and "-1.5e3\n" */
static bool is_number_line(uc_bytes b, size_t at)
{
    const size_t begin = at;
    while (at < b.size && at - begin < 30 &&
           (is_digit(b.data[at]) || memchr("+-.eL", b.data[at], 5))) {
        at++;
    }
    return at > begin && at < b.size && b.data[at] == '\n';
}

static bool is_old_pickle(uc_bytes b)
{
    size_t at = 0;
    while (at < 8 && at < b.size && b.data[at] == '(') {
        at++;
    }
    if (at >= b.size) {
        return false;
    }
    switch (b.data[at]) {
    case 'c':
    case 'i': return is_global(b, at + 1);
    case 'd':
    case 'l':
    case 't': return at > 0 && may_follow(b, at + 1);
    case ']':
    case '}':
    case ')': return may_follow(b, at + 1);
    case 'I':
    case 'L':
    case 'F': return is_number_line(b, at + 1);
    case 'S': return at + 1 < b.size && (b.data[at + 1] == '\'' || b.data[at + 1] == '"');
    case 'N': return at + 2 == b.size && b.data[at + 1] == '.';
    default: return false;
    }
}

bool uc_pickle_probe(uc_bytes bytes)
{
    if (bytes.size > 2 && bytes.data[0] == 0x80 && bytes.data[1] <= 5) {
        return true;
    }
    return uc_codec_of(bytes) != UC_CODEC_NONE || is_old_pickle(bytes);
}
