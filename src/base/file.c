/* The only code that opens files. Everything is opened without blocking and looked at afterwards,
 * through the descriptor: what was checked is what is read. */
#define _GNU_SOURCE /* O_PATH's neighbours: O_NOFOLLOW, O_DIRECTORY, openat2 through syscall() */
#include "base/file.h"

#include "base/limits.h"
#include "base/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__) && __has_include(<linux/openat2.h>)
#    include <linux/openat2.h>
#    include <sys/syscall.h>
#endif

enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* Why opening or reading `path` failed, in words. */
static uncork_status fail_errno(uncork_error *error, int code, const char *verb, const char *path)
{
    const char *why = NULL;
    switch (code) {
    case ENOENT: why = "there is no such file or folder"; break;
    case EACCES:
    case EPERM: why = "no permission"; break;
    case EISDIR: why = "it is a folder"; break;
    case ENOTDIR: why = "a part of its path is a file, not a folder"; break;
    case ELOOP:
        why = "its path goes through a link that isn't followed, or through too many";
        break;
    case EXDEV: why = "it is a link that leaves the folder"; break;
    case ENAMETOOLONG: why = "the name is too long"; break;
    case EMFILE:
    case ENFILE: why = "too many files are open"; break;
    case ENOSPC: why = "the disk is full"; break;
    case EFBIG: why = "it is larger than files may be here (ulimit -f)"; break;
    case EROFS: why = "the disk is read-only"; break;
    case ENXIO: why = "it is a device or FIFO with nobody at the other end"; break;
    case EIO: why = "the disk reports an error"; break;
    default: break;
    }
    if (why) return uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "can't %s '%s': %s", verb, path, why);
    return uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "can't %s '%s': system error %d", verb, path,
                   code);
}

typedef struct mapping {
    void *address;
    size_t size;
} mapping;

static void unmap(void *object)
{
    const mapping *m = object;
    (void)munmap(m->address, m->size);
}

static uncork_status map_bytes(int fd, size_t size, const char *path, uc_arena *arena,
                               uc_bytes *bytes, uncork_error *error)
{
    mapping *m = UC_NEW(arena, mapping, 1);
    if (!m) return uc_arena_status(arena, error);
    void *address = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED) return fail_errno(error, errno, "map", path);
    m->address = address;
    m->size = size;
    if (!uc_arena_defer(arena, unmap, m)) {
        unmap(m);
        return uc_arena_status(arena, error);
    }
    *bytes = (uc_bytes){address, size};
    return UNCORK_OK;
}

void uc_file_seen(uc_bytes bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)bytes.data,
                    first = (from + page - 1) / page * page,
                    last = (from + bytes.size) / page * page;
    if (last > first) (void)madvise((void *)first, last - first, MADV_DONTNEED);
}

static uncork_status copy_bytes(int fd, size_t size, const char *path, uc_arena *arena,
                                uc_bytes *bytes, uncork_error *error)
{
    uint8_t *data = uc_arena_alloc_raw(arena, size);
    if (!data) return uc_arena_status(arena, error);
    size_t have = 0;
    while (have < size) {
        const ssize_t n = read(fd, data + have, size - have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(error, errno, "read", path);
        if (n == 0) {
            return uc_fail(error, UNCORK_IO, have,
                           "'%s' became shorter while it was read: %zu bytes of %zu are there",
                           path, have, size);
        }
        have += (size_t)n;
    }
    *bytes = (uc_bytes){data, size};
    return UNCORK_OK;
}

/* Takes the open descriptor: reads or maps the whole file when it is a regular one, and closes. */
static uncork_status read_taken(int fd, const char *path, bool copy, bool one_name, uc_arena *arena,
                                uc_bytes *bytes, uncork_error *error)
{
    static const uint8_t nothing[1];
    struct stat st;
    uncork_status status = UNCORK_OK;
    if (fstat(fd, &st)) {
        status = fail_errno(error, errno, "read", path);
    } else if (S_ISDIR(st.st_mode)) {
        status = fail_errno(error, EISDIR, "read", path);
    } else if (!S_ISREG(st.st_mode)) {
        status = uc_fail(error, UNCORK_IO, UC_NO_OFFSET,
                         "can't read '%s': it is a FIFO, socket or device, not a file", path);
    } else if (one_name && st.st_nlink != 1) {
        status =
            uc_fail(error, UNCORK_IO, UC_NO_OFFSET,
                    "can't read '%s': it is a hard link, which may be a file of elsewhere", path);
    } else if (st.st_size <= 0) {
        *bytes = (uc_bytes){nothing, 0};
    } else if ((uintmax_t)st.st_size > PTRDIFF_MAX) {
        status = uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET, "'%s' has %jd bytes, too many to map",
                         path, (intmax_t)st.st_size);
    } else {
        const size_t size = (size_t)st.st_size;
        status = copy ? copy_bytes(fd, size, path, arena, bytes, error)
                      : map_bytes(fd, size, path, arena, bytes, error);
    }
    (void)close(fd);
    return status;
}

uncork_status uc_file_read(const char *path, bool copy, uc_arena *arena, uc_bytes *bytes,
                           uncork_error *error)
{
    *bytes = (uc_bytes){NULL, 0};
    const int fd = open(path, OPEN_FLAGS);
    if (fd < 0) return fail_errno(error, errno, "open", path);
    return read_taken(fd, path, copy, false, arena, bytes, error);
}

const char *uc_file_name_flaw(uc_str name)
{
    if (name.size == 0) return "is empty";
    if (memchr(name.data, '\0', name.size)) return "holds a zero byte";
    if (memchr(name.data, '\\', name.size)) return "holds a backslash";
    if (name.data[0] == '/') return "is absolute";
    if (name.size >= 2 && name.data[1] == ':') return "begins with a drive letter";
    for (size_t begin = 0; begin <= name.size;) {
        const char *slash = memchr(name.data + begin, '/', name.size - begin);
        const size_t end = slash ? (size_t)(slash - name.data) : name.size;
        const uc_str part = {name.data + begin, end - begin};
        if (part.size == 0) return "has an empty part";
        if (uc_str_is(part, "..") || uc_str_is(part, ".")) return "has a part '.' or '..'";
        begin = end + 1;
    }
    return NULL;
}

/* For a name that goes through a link: the kernel follows it as long as it stays beneath. */
static int open_beneath_by_kernel(int folder, const char *name)
{
#ifdef SYS_openat2
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = OPEN_FLAGS;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const long fd = syscall(SYS_openat2, folder, name, &how, sizeof how);
    if (fd >= 0 || errno != ENOSYS) return (int)fd;
#else
    (void)folder;
    (void)name;
#endif
    errno = ELOOP;
    return -1;
}

/* Part by part, no link followed: nobody can swap a folder for a link meanwhile. `name` is cut up. */
static int open_beneath(int folder, const char *name, char *parts)
{
    int at = folder;
    for (char *part = parts; part;) {
        char *slash = strchr(part, '/');
        if (slash) *slash = '\0';
        const int next = openat(at, part, OPEN_FLAGS | O_NOFOLLOW | (slash ? O_DIRECTORY : 0));
        int code = errno;
        if (next < 0 && code == ENOTDIR && slash) {
            struct stat st;
            if (fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)) {
                code = ELOOP;
            }
        }
        if (at != folder) (void)close(at);
        if (next < 0) {
            errno = code;
            return code == ELOOP ? open_beneath_by_kernel(folder, name) : -1;
        }
        at = next;
        part = slash ? slash + 1 : NULL;
    }
    return at;
}

static uncork_status read_beneath(const char *folder, const char *name, bool copy, bool one_name,
                                  uc_arena *arena, uc_bytes *bytes, uncork_error *error)
{
    *bytes = (uc_bytes){NULL, 0};
    const char *flaw = uc_file_name_flaw(uc_str_of(name));
    if (flaw) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "the name '%s' %s: only files inside the folder are read", name, flaw);
    }
    char *parts = uc_arena_str(arena, name);
    const char *path = uc_arena_printf(arena, "%s/%s", folder, name);
    if (!parts || !path) return uc_arena_status(arena, error);
    const int root = open(folder, OPEN_FLAGS | O_DIRECTORY);
    if (root < 0) return fail_errno(error, errno, "open", folder);
    const int fd = open_beneath(root, name, parts);
    const int code = errno;
    (void)close(root);
    if (fd < 0) return fail_errno(error, code, "open", path);
    return read_taken(fd, path, copy, one_name, arena, bytes, error);
}

uncork_status uc_file_read_beneath(const char *folder, const char *name, bool copy, uc_arena *arena,
                                   uc_bytes *bytes, uncork_error *error)
{
    return read_beneath(folder, name, copy, false, arena, bytes, error);
}

uncork_status uc_file_read_own(const char *folder, const char *name, bool copy, uc_arena *arena,
                               uc_bytes *bytes, uncork_error *error)
{
    return read_beneath(folder, name, copy, true, arena, bytes, error);
}

static void writer_release(void *object) { uc_writer_done(object); }

uncork_status uc_file_read_stdin(size_t ceiling, uc_arena *arena, uc_bytes *bytes,
                                 uncork_error *error)
{
    enum { CHUNK = 1 << 16 };
    *bytes = (uc_bytes){NULL, 0};
    uc_writer *w = UC_NEW(arena, uc_writer, 1);
    if (!w) return uc_arena_status(arena, error);
    uc_writer_init(w, SIZE_MAX);
    if (!uc_arena_defer(arena, writer_release, w)) return uc_arena_status(arena, error);
    for (;;) {
        uint8_t *room = uc_writer_room(w, CHUNK);
        if (!room) return uc_fail_memory(error);
        const ssize_t n = read(STDIN_FILENO, room, CHUNK);
        w->size -= CHUNK;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(error, errno, "read", "standard input");
        if (n == 0) break;
        w->size += (size_t)n;
        if (w->size > ceiling) {
            return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                           "standard input has more than %zu bytes", ceiling);
        }
    }
    *bytes = (uc_bytes){w->data, w->size};
    return UNCORK_OK;
}

uc_file_kind uc_file_kind_of(const char *path)
{
    struct stat st;
    if (stat(path, &st)) return UC_FILE_MISSING;
    return S_ISREG(st.st_mode)   ? UC_FILE_REGULAR
           : S_ISDIR(st.st_mode) ? UC_FILE_FOLDER
                                 : UC_FILE_OTHER;
}

uint64_t uc_file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* ---- listing ------------------------------------------------------------------------------ */

/* Folders inside folders that are looked into. */
enum { MAX_FOLDER_DEPTH = 64 };

typedef struct listing {
    const char *root;
    bool recurse;
    uc_arena *arena;
    uncork_error *error;
    char **names;
    size_t count, capacity;
    size_t seen; /* folders too */
} listing;

static uncork_status list_open(listing *l, int fd, const char *prefix, int depth);

static uncork_status list_entry(listing *l, int fd, const char *prefix, const char *name, int depth)
{
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW)) return UNCORK_OK; /* it went meanwhile */
    if (++l->seen > UC_LIMIT_BUNDLE_ENTRIES) {
        return uc_fail(l->error, UNCORK_LIMIT, UC_NO_OFFSET, "'%s' holds more than %d entries",
                       l->root, UC_LIMIT_BUNDLE_ENTRIES);
    }
    if (S_ISLNK(st.st_mode) && (fstatat(fd, name, &st, 0) || !S_ISREG(st.st_mode)))
        return UNCORK_OK;
    const bool folder = S_ISDIR(st.st_mode);
    if (!(S_ISREG(st.st_mode) || (folder && l->recurse))) return UNCORK_OK;
    char *path = uc_arena_printf(l->arena, "%s%s%s", prefix, *prefix ? "/" : "", name);
    if (!path) return uc_arena_status(l->arena, l->error);
    if (folder) {
        if (depth >= MAX_FOLDER_DEPTH) {
            return uc_fail(l->error, UNCORK_LIMIT, UC_NO_OFFSET,
                           "'%s' holds folders nested deeper than %d", l->root, MAX_FOLDER_DEPTH);
        }
        const int sub = openat(fd, name, OPEN_FLAGS | O_DIRECTORY | O_NOFOLLOW);
        if (sub < 0) return fail_errno(l->error, errno, "list", path);
        return list_open(l, sub, path, depth + 1);
    }
    char **names = uc_arena_grow(l->arena, l->names, &l->capacity, l->count + 1, sizeof *l->names);
    if (!names) return uc_arena_status(l->arena, l->error);
    l->names = names;
    l->names[l->count++] = path;
    return UNCORK_OK;
}

/* Takes the descriptor of a folder. */
static uncork_status list_open(listing *l, int fd, const char *prefix, int depth)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        const int code = errno;
        (void)close(fd);
        return fail_errno(l->error, code, "list", *prefix ? prefix : l->root);
    }
    uncork_status status = UNCORK_OK;
    const struct dirent *entry;
    while (status == UNCORK_OK && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = list_entry(l, fd, prefix, entry->d_name, depth);
    }
    (void)closedir(dir);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

uncork_status uc_file_list(const char *folder, bool recurse, uc_arena *arena, char ***names,
                           size_t *count, uncork_error *error)
{
    *names = NULL;
    *count = 0;
    const int fd = open(folder, OPEN_FLAGS | O_DIRECTORY);
    if (fd < 0) {
        if (errno == ENOTDIR && uc_file_kind_of(folder) == UC_FILE_REGULAR) {
            return uc_fail(error, UNCORK_IO, UC_NO_OFFSET,
                           "can't list '%s': it is a file, not a folder", folder);
        }
        return fail_errno(error, errno, "list", folder);
    }
    listing l = {.root = folder, .recurse = recurse, .arena = arena, .error = error};
    UC_TRY(list_open(&l, fd, "", 0));
    if (l.count > 0) qsort(l.names, l.count, sizeof *l.names, by_name);
    *names = l.names;
    *count = l.count;
    return UNCORK_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

uncork_status uc_file_make_folder(const char *path, uncork_error *error)
{
    char part[PATH_MAX];
    const size_t size = strlen(path);
    if (size == 0 || size >= sizeof part) return fail_errno(error, ENAMETOOLONG, "make", path);
    memcpy(part, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        const char kept = part[i];
        part[i] = '\0';
        if (mkdir(part, 0777) && errno != EEXIST) return fail_errno(error, errno, "make", part);
        part[i] = kept;
    }
    if (uc_file_kind_of(path) == UC_FILE_FOLDER) return UNCORK_OK;
    return uc_fail(error, UNCORK_IO, UC_NO_OFFSET,
                   "can't make the folder '%s': a file of that name is there", path);
}

static int write_all(int fd, uc_bytes bytes)
{
    size_t done = 0;
    while (done < bytes.size) {
        const ssize_t n = write(fd, bytes.data + done, bytes.size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        done += (size_t)n;
    }
    return 0;
}

/* Into what is no regular file (/dev/null, a FIFO): nothing may be renamed over it. */
static uncork_status write_into(const char *path, uc_bytes bytes, uncork_error *error)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return fail_errno(error, errno, "write", path);
    int code = write_all(fd, bytes);
    if (close(fd) && code == 0) code = errno;
    return code ? fail_errno(error, code, "write", path) : UNCORK_OK;
}

/* A new file beside `path`: its name into temp[size]. */
static int open_temporary(const char *path, mode_t mode, char *temp, size_t size)
{
    static _Atomic unsigned serial; /* two threads of this process never share a name */
    for (int i = 0; i < 100; i++) {
        const int n = snprintf(temp, size, "%s.%ld-%u.tmp", path, (long)getpid(), serial++);
        if (n < 0 || (size_t)n >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        const int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

static uncork_status write_beside(const char *path, mode_t mode, uc_bytes bytes,
                                  uncork_error *error)
{
    char temp[PATH_MAX];
    const int fd = open_temporary(path, mode, temp, sizeof temp);
    if (fd < 0) return fail_errno(error, errno, "write", path);
    int code = write_all(fd, bytes);
    if (close(fd) && code == 0) code = errno;
    if (code == 0 && rename(temp, path)) code = errno;
    if (code == 0) return UNCORK_OK;
    (void)unlink(temp);
    return fail_errno(error, code, "write", path);
}

uncork_status uc_file_replace(const char *path, uc_bytes bytes, uncork_error *error)
{
    struct stat st;
    const bool plain = lstat(path, &st) == 0 && S_ISREG(st.st_mode);
    return write_beside(path, plain ? st.st_mode & 0777 : 0666, bytes, error);
}

uncork_status uc_file_write(const char *path, uc_bytes bytes, uncork_error *error)
{
    char target[PATH_MAX];
    mode_t mode = 0666; /* less the umask, as any program's */
    struct stat st;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) return fail_errno(error, EISDIR, "write", path);
        if (!S_ISREG(st.st_mode)) return write_into(path, bytes, error);
        if (realpath(path, target)) path = target; /* a link stays one: its target is replaced */
        mode = st.st_mode & 0777;
    }
    return write_beside(path, mode, bytes, error);
}
