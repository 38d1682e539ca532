/* Texts are inflated into a buffer that is thrown away: only their size counts, and the one that
 * ImageMagick keeps EXIF in. Source: Pillow 13.0.0, PngImagePlugin.py (_safe_zlib_decompress, chunk_zTXt,
 * chunk_iTXt, chunk_iCCP, load_end) and Image.getexif. */
#include "image/png_text.h"
#include "image/exif.h"

#include "base/limits.h"

#include <zlib.h>

typedef struct walk {
    uc_arena *arena;
    uncork_error *error;
    uint64_t total, one, all; /* bytes so far; limits of one and of all */
    int *orientation;
} walk;

static uncork_status too_large(const walk *w, uint64_t limit)
{
    uc_fail(w->error, UNCORK_LIMIT, UC_NO_OFFSET,
            "a text inside the PNG inflates to more than %llu bytes", (unsigned long long)limit);
    return uc_fix(w->error, "give more memory by name (--max-memory) if it has to be");
}

/* The inflated size, at most one byte over the limit; up to `room` bytes of it are kept. Broken data
 * counts as far as it goes. */
static uint64_t inflated(const walk *w, uc_bytes from, uint8_t *kept, size_t room, size_t *size)
{
    uint8_t buffer[16384];
    z_stream z = {0};
    uint64_t n = 0;
    union {
        const uint8_t *read;
        uint8_t *next;
    } in = {.read = from.data};
    *size = 0;
    if (inflateInit(&z) != Z_OK) return 0;
    z.next_in = in.next;
    z.avail_in = (uInt)from.size;
    int code = Z_OK;
    while (code == Z_OK && n <= w->one) {
        z.next_out = buffer;
        z.avail_out = sizeof buffer;
        code = inflate(&z, Z_NO_FLUSH);
        size_t got = sizeof buffer - z.avail_out, keep = room - *size;
        if (keep > got) keep = got;
        if (keep) memcpy(kept + *size, buffer, keep);
        *size += keep;
        n += got;
        if (got == 0 && z.avail_in == 0) break;
    }
    inflateEnd(&z);
    return n;
}

/* Behind the first zero; empty without one. */
static uc_bytes behind_zero(uc_bytes b)
{
    const uint8_t *zero = b.size ? memchr(b.data, 0, b.size) : NULL;
    if (!zero) return (uc_bytes){0};
    size_t skipped = (size_t)(zero - b.data) + 1;
    return (uc_bytes){b.data + skipped, b.size - skipped};
}

static uc_bytes skip(uc_bytes b, size_t n)
{
    return b.size < n ? (uc_bytes){0} : (uc_bytes){b.data + n, b.size - n};
}

/* "\nexif\n    1234\n" and hexadecimal digits in lines. */
static void read_exif_text(const walk *w, const uint8_t *text, size_t size)
{
    uint8_t *to = uc_arena_alloc(w->arena, size / 2 + 1, 1);
    size_t n = 0;
    int lines = 0;
    for (size_t i = 0; to && i < size; i++) {
        unsigned c = text[i];
        if (c == '\n') lines++;
        unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                : 16;
        if (lines < 3 || digit > 15) continue;
        to[n / 2] = (uint8_t)(to[n / 2] << 4 | digit);
        n++;
    }
    if (to && *w->orientation == 1) *w->orientation = uc_exif_orientation(to, n / 2);
}

static uncork_status check_text(walk *w, const uint8_t *kind, uc_bytes data)
{
    static const char key[] = "Raw profile type exif";
    uc_bytes value = behind_zero(data);
    bool exif = data.size > sizeof key && memcmp(data.data, key, sizeof key) == 0;
    bool packed = memcmp(kind, "tEXt", 4) != 0;
    if (memcmp(kind, "iTXt", 4) == 0) {
        packed = value.size > 0 && value.data[0] != 0;
        value = behind_zero(behind_zero(skip(value, 2)));
    } else if (packed) {
        value = skip(value, 1); /* zTXt, iCCP: the method */
    }
    uint64_t size = value.size;
    if (packed) {
        size_t kept;
        size_t room = exif ? (size_t)1 << 20 : 0;
        uint8_t *text = uc_arena_alloc(w->arena, room, 1);
        if (!text) return uc_arena_status(w->arena, w->error);
        size = inflated(w, value, text, room, &kept);
        if (size > w->one) return too_large(w, w->one);
        if (exif) read_exif_text(w, text, kept);
    } else if (exif) {
        read_exif_text(w, value.data, value.size);
    }
    w->total += size;
    return w->total > w->all ? too_large(w, w->all) : UNCORK_OK;
}

uncork_status uc_png_check_texts(uc_bytes bytes, size_t pixels, uc_arena *arena, int *orientation,
                                 uncork_error *error)
{
    uint64_t asked = uc_arena_asked(arena) / 8;
    walk w = {.arena = arena,
              .error = error,
              .one = asked > UC_LIMIT_PNG_TEXT ? asked : UC_LIMIT_PNG_TEXT,
              .all = asked > UC_LIMIT_PNG_TEXTS ? asked : UC_LIMIT_PNG_TEXTS,
              .orientation = orientation};
    for (size_t at = 8; at <= bytes.size && bytes.size - at >= 8;) {
        uint32_t size = uc_load_u32be(bytes.data + at);
        const uint8_t *kind = bytes.data + at + 4;
        if (memcmp(kind, "IEND", 4) == 0) break;
        if (size > bytes.size - at - 8) {
            if (at < pixels) break; /* no more of it was needed */
            uc_fail(error, UNCORK_MALFORMED, bytes.size,
                    "the PNG is cut short: its %zu bytes end behind the picture", bytes.size);
            return uc_fix(error, "copy or download it again");
        }
        if (memcmp(kind, "tEXt", 4) == 0 || memcmp(kind, "zTXt", 4) == 0 ||
            memcmp(kind, "iTXt", 4) == 0 || memcmp(kind, "iCCP", 4) == 0)
            UC_TRY(check_text(&w, kind, (uc_bytes){bytes.data + at + 8, size}));
        at += 8 + (size_t)size + 4;
    }
    return UNCORK_OK;
}
