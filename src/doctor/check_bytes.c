/* Causes that the bytes show by themselves: translated line ends, text mode, cleared bits, encodings,
 * compression, a download that stopped. Counts are measured against what chance would give. */
#include "doctor/check.h"

#include <inttypes.h>

/* Whether something is wrong with the bytes at all, and there are enough of them to judge. */
static const uc_bytes_seen *suspect(const uc_attempt *a)
{
    const uc_bytes_seen *s = a->seen;
    if (!a->error || !s || s->size < 24) return NULL;
    if (a->file && a->error->status != UNCORK_MALFORMED) return NULL; /* it was read well */
    return a->error->status == UNCORK_MALFORMED || a->error->status == UNCORK_UNSUPPORTED ? s
                                                                                          : NULL;
}

/* The path with another ending, in quotes where a shell needs them. */
static const char *sibling(const uc_attempt *a, const char *add, const char *ending)
{
    const char *slash = strrchr(a->path, '/');
    const char *dot = strrchr(slash ? slash : a->path, '.');
    const size_t stem = dot && dot != a->path ? (size_t)(dot - a->path) : strlen(a->path);
    return uc_arena_printf(a->arena, "%.*s%s%s", (int)stem, a->path, add,
                           ending ? ending
                           : dot  ? dot
                                  : "");
}

/* COMMAND PATH >NEW && uncork doctor NEW, when the names need no quotes beyond these. */
static void command_into(const uc_attempt *a, uc_diagnosis *d, const char *command, const char *to)
{
    if (!to || strchr(a->path, '\'') || a->path[0] == '-') return;
    d->command =
        uc_arena_printf(a->arena, "%s '%s' >'%s' && uncork doctor '%s'", command, a->path, to, to);
}

bool uc_check_line_ends(const uc_attempt *a, uc_diagnosis *d)
{
    const uc_bytes_seen *s = suspect(a);
    if (!s || !(s->high || s->zeros)) return false;
    if (s->lines > 1 && s->crlf == s->lines) {
        d->evidence = uc_arena_printf(
            a->arena,
            "each of its %" PRIu64
            " line feeds (0A) has a carriage return (0D) before it, by chance 1 in 256 would; %s",
            s->lines, a->error->what);
        d->remedy =
            "get it again without translation (binary in .gitattributes, FTP in binary mode); or take "
            "the carriage returns out again, which restores it where nothing else was changed";
        command_into(a, d, "LC_ALL=C sed 's/\\r$//'", sibling(a, "_restored", NULL));
        return true;
    }
    if (s->stripped) {
        d->evidence =
            "it begins as HDF5 does but for the carriage return (0D) in its signature, which is there to show this";
        return true;
    }
    const double expected = (double)s->lines / 256;
    if (s->returns == 0 && s->size > 4000 && s->high * 20 > s->size && s->lines > 8) {
        d->evidence =
            uc_arena_printf(a->arena, "no carriage return (0D) is left in %" PRIu64 " bytes; %s",
                            s->size, a->error->what);
        return true;
    }
    if (s->crlf == 0 && s->returns && expected > 12) {
        d->evidence = uc_arena_printf(a->arena,
                                      "none of its %" PRIu64
                                      " line feeds has a carriage return before it, by "
                                      "chance %.0f would; %s",
                                      s->lines, expected, a->error->what);
        return true;
    }
    return false;
}

bool uc_check_text_mode(const uc_attempt *a, uc_diagnosis *d)
{
    const uc_bytes_seen *s = suspect(a);
    if (!s || !s->utf8 || !s->zeros || s->high * 50 < s->size) return false;
    d->evidence = uc_arena_printf(
        a->arena, "all of it is valid UTF-8, which bytes of a model never are%s; %s",
        s->replaced ? ", with replacement characters (EF BF BD)" : "", a->error->what);
    if (s->replaced && d->evidence) {
        d->remedy = uc_arena_printf(a->arena,
                                    "%" PRIu64
                                    " bytes are lost: copy it again as bytes (open(path, 'rb') and "
                                    "open(path, 'wb'), a binary body in HTTP, base64 in JSON)",
                                    s->replaced);
    } else {
        command_into(a, d, "iconv -f UTF-8 -t ISO-8859-1", sibling(a, "_restored", NULL));
    }
    return true;
}

bool uc_check_seven_bits(const uc_attempt *a, uc_diagnosis *d)
{
    const uc_bytes_seen *s = suspect(a);
    if (!s || s->high || s->zeros < 16 || s->size - s->zeros < 256) return false;
    d->evidence = uc_arena_printf(a->arena, "none of its %" PRIu64 " bytes is above 127; %s",
                                  s->size, a->error->what);
    return true;
}

bool uc_check_encoded(const uc_attempt *a, uc_diagnosis *d)
{
    const uc_bytes_seen *s = suspect(a);
    if (!s || !(s->base64 || s->hex) || !s->inner) return false;
    d->evidence = uc_arena_printf(a->arena, "it is %s, and decodes to %s",
                                  s->hex ? "hexadecimal" : "base64", s->inner);
    command_into(a, d, s->hex ? "xxd -r -p" : "base64 -d", sibling(a, "_decoded", s->ending));
    return true;
}

bool uc_check_zero_tail(const uc_attempt *a, uc_diagnosis *d)
{
    const uc_bytes_seen *s = suspect(a);
    if (!s || a->error->status != UNCORK_MALFORMED || s->zero_tail == s->size) return false;
    if (s->zero_tail < 4096 || s->zero_tail * 20 < s->size) return false;
    d->evidence =
        uc_arena_printf(a->arena, "from byte %" PRIu64 " on its %" PRIu64 " bytes are zero; %s",
                        s->size - s->zero_tail, s->size, a->error->what);
    return true;
}

static bool is_ours(const char *inner)
{
    return strstr(inner, "HDF5") || strstr(inner, "TensorFlow") || strstr(inner, "ONNX") ||
           strstr(inner, "safetensors") || strstr(inner, "pickle") || strstr(inner, "archive");
}

bool uc_check_compressed(const uc_attempt *a, uc_diagnosis *d)
{
    const uc_bytes_seen *s = suspect(a);
    if (!s || !s->codec || !s->inner || !is_ours(s->inner)) return false;
    if (strstr(s->inner, "pickle")) return false; /* read as it is: something else is wrong */
    d->evidence =
        uc_arena_printf(a->arena, "it begins as %s does, and inside is %s", s->codec, s->inner);
    command_into(a, d,
                 strcmp(s->codec, "gzip") == 0  ? "gzip -dc"
                 : strcmp(s->codec, "bz2") == 0 ? "bzip2 -dc"
                 : strcmp(s->codec, "xz") == 0  ? "xz -dc"
                                                : "lz4 -dc",
                 sibling(a, "_unpacked", s->ending));
    return true;
}

bool uc_check_other_compressed(const uc_attempt *a, uc_diagnosis *d)
{
    const uc_bytes_seen *s = suspect(a);
    if (!s || !s->codec || !s->inner || is_ours(s->inner)) return false;
    d->evidence =
        uc_arena_printf(a->arena, "it begins as %s does, and inside is %s", s->codec, s->inner);
    return true;
}
