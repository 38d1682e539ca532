/* The calls that libtiff reads and complains through. */
#include "image/tiff_file.h"

#include <stdio.h>

/* What libtiff may take in one piece beside the file: a dictionary, a row of a codec. */
#define LIBRARY_BYTES (64 << 20)

#if defined(__clang__)
#    pragma clang diagnostic ignored "-Wformat-nonliteral" /* the library's own format */
#endif
static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list values)
{
    uc_tiff_file *d = user;
    (void)tiff;
    (void)module;
    if (!d->message[0]) vsnprintf(d->message, sizeof d->message, format, values);
    return 1; /* said: the global handler, which prints, stays out */
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format,
                      va_list values)
{
    (void)tiff;
    (void)user;
    (void)module;
    (void)format;
    (void)values;
    return 1;
}

static tmsize_t on_read(thandle_t handle, void *to, tmsize_t n)
{
    uc_tiff_file *d = handle;
    uint64_t left = d->at < d->bytes.size ? d->bytes.size - d->at : 0;
    if (n < 0) return 0;
    if ((uint64_t)n > left) n = (tmsize_t)left;
    if (n > 0) memcpy(to, d->bytes.data + d->at, (size_t)n);
    d->at += (uint64_t)n;
    return n;
}

static tmsize_t on_write(thandle_t handle, void *from, tmsize_t n)
{
    (void)handle;
    (void)from;
    (void)n;
    return 0;
}

static toff_t on_seek(thandle_t handle, toff_t offset, int whence)
{
    uc_tiff_file *d = handle;
    uint64_t base = whence == SEEK_CUR ? d->at : whence == SEEK_END ? d->bytes.size : 0;
    d->at = base + offset; /* past the end is a short read later */
    return d->at;
}

static int on_close(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t on_size(thandle_t handle) { return ((uc_tiff_file *)handle)->bytes.size; }

/* The file is in memory already: libtiff reads from it without buffers of its own. */
static int on_map(thandle_t handle, void **base, toff_t *size)
{
    const uc_tiff_file *d = handle;
    union {
        const void *read;
        void *map;
    } view = {.read = d->bytes.data}; /* opened for reading: nothing is written there */
    *base = view.map;
    *size = d->bytes.size;
    return 1;
}

static void on_unmap(thandle_t handle, void *base, toff_t size)
{
    (void)handle;
    (void)base;
    (void)size;
}

uncork_status uc_tiff_file_broken(const uc_tiff_file *d, const char *what, uncork_error *error)
{
    return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "broken TIFF: %s",
                   d->message[0] ? d->message : what);
}

TIFF *uc_tiff_file_open(uc_tiff_file *file, uc_bytes bytes)
{
    *file = (uc_tiff_file){.bytes = bytes};
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, LIBRARY_BYTES + (tmsize_t)bytes.size);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, file);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, file);
    TIFF *tiff = TIFFClientOpenExt("picture", "r", file, on_read, on_write, on_seek, on_close,
                                   on_size, on_map, on_unmap, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}
