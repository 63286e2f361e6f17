/* A preloaded library that makes a folder look as if it lay on a poorer file system.
 *
 * FILESYSTEM_BELOW names the folder, FILESYSTEM_LACKS what is missing below it, words with commas
 * between: see the table. Calls about all other files, and all other calls, pass unchanged.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

enum lack {
    SHARED_MEMORY, // memory that processes share through a file: no such device
    RECORD_LOCKS,  // fcntl: no locks available
    ALL_LOCKS,     // fcntl and flock: not implemented
    HANGING_LOCKS, // fcntl and flock never return
    FOLDER_SYNC,   // fsync of a folder: invalid
    RENAME_OVER,   // a rename never replaces a file
    LINKS,         // neither hard nor symbolic links
    SOCKETS,       // no sockets
    REWRITES,      // files only grow, as in a store of objects: operation not supported
    LACKS
};

static const char* const WORDS[LACKS] = {
    "shared-memory", "record-locks", "all-locks", "hanging-locks", "folder-sync",
    "rename-over",   "links",        "sockets",   "rewrites",
};

static bool lacks(enum lack lack) {
    const char* all = getenv("FILESYSTEM_LACKS");
    const size_t length = strlen(WORDS[lack]);
    for (const char* word = all; word != NULL && *word != '\0';) {
        const char* end = strchrnul(word, ',');
        if ((size_t)(end - word) == length && strncmp(word, WORDS[lack], length) == 0) return true;
        word = *end == ',' ? end + 1 : end;
    }
    return false;
}

static bool is_below(const char* path) {
    const char* folder = getenv("FILESYSTEM_BELOW");
    return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static bool file_is_below(int file) {
    char link[64], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, PATH_MAX);
    if (length < 0) return false;
    path[length] = '\0';
    return is_below(path);
}

static bool name_is_below(int folder, const char* name) {
    if (name[0] == '/') return is_below(name);
    if (folder != AT_FDCWD) return file_is_below(folder);
    char path[PATH_MAX];
    return getcwd(path, sizeof path) != NULL && is_below(path);
}

static int fail(int number) {
    errno = number;
    return -1;
}

static bool is_lock_request(int command) {
    switch (command) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return true;
    default:
        return false;
    }
}

static int any_fcntl(const char* name, int file, int command, void* argument) {
    if (is_lock_request(command) && file_is_below(file)) {
        if (lacks(HANGING_LOCKS))
            for (;;) pause();
        if (lacks(ALL_LOCKS)) return fail(ENOSYS);
        if (lacks(RECORD_LOCKS)) return fail(ENOLCK);
    }
    int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
    return next(file, command, argument);
}

#define FCNTL(name)                                                                                \
    SEEN int name(int file, int command, ...) {                                                    \
        va_list rest;                                                                              \
        va_start(rest, command);                                                                   \
        void* argument = va_arg(rest, void*);                                                      \
        va_end(rest);                                                                              \
        return any_fcntl(#name, file, command, argument);                                          \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

SEEN int flock(int file, int operation) {
    if ((operation & LOCK_UN) == 0 && file_is_below(file)) {
        if (lacks(HANGING_LOCKS))
            for (;;) pause();
        if (lacks(ALL_LOCKS)) return fail(EOPNOTSUPP);
    }
    int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    return next(file, operation);
}

static void* any_mmap(const char* name, void* at, size_t size, int protection, int flags, int file,
                      off_t offset) {
    if ((flags & MAP_SHARED) != 0 && file >= 0 && lacks(SHARED_MEMORY) && file_is_below(file)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    void* (*next)(void*, size_t, int, int, int, off_t) =
        (void* (*)(void*, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, name);
    return next(at, size, protection, flags, file, offset);
}

SEEN void* mmap(void* at, size_t size, int protection, int flags, int file, off_t offset) {
    return any_mmap("mmap", at, size, protection, flags, file, offset);
}

SEEN void* mmap64(void* at, size_t size, int protection, int flags, int file, off_t offset) {
    return any_mmap("mmap64", at, size, protection, flags, file, offset);
}

SEEN int fsync(int file) {
    struct stat found;
    if (lacks(FOLDER_SYNC) && fstat(file, &found) == 0 && S_ISDIR(found.st_mode) &&
        file_is_below(file))
        return fail(EINVAL);
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return next(file);
}

static ssize_t any_pwrite(const char* name, int file, const void* bytes, size_t size, off_t at) {
    struct stat found;
    if (lacks(REWRITES) && fstat(file, &found) == 0 && at < found.st_size && file_is_below(file))
        return fail(EOPNOTSUPP);
    ssize_t (*next)(int, const void*, size_t, off_t) =
        (ssize_t (*)(int, const void*, size_t, off_t))dlsym(RTLD_NEXT, name);
    return next(file, bytes, size, at);
}

SEEN ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
    return any_pwrite("pwrite", file, bytes, size, at);
}

SEEN ssize_t pwrite64(int file, const void* bytes, size_t size, off_t at) {
    return any_pwrite("pwrite64", file, bytes, size, at);
}

static int any_rename(int old_folder, const char* old, int new_folder, const char* new) {
    if (lacks(RENAME_OVER) && name_is_below(new_folder, new) &&
        faccessat(new_folder, new, F_OK, 0) == 0)
        return fail(EEXIST);
    int (*next)(int, const char*, int, const char*) =
        (int (*)(int, const char*, int, const char*))dlsym(RTLD_NEXT, "renameat");
    return next(old_folder, old, new_folder, new);
}

SEEN int rename(const char* old, const char* new) {
    return any_rename(AT_FDCWD, old, AT_FDCWD, new);
}

SEEN int renameat(int old_folder, const char* old, int new_folder, const char* new) {
    return any_rename(old_folder, old, new_folder, new);
}

SEEN int linkat(int old_folder, const char* old, int new_folder, const char* new, int flags) {
    if (lacks(LINKS) && name_is_below(new_folder, new)) return fail(EPERM);
    int (*next)(int, const char*, int, const char*, int) =
        (int (*)(int, const char*, int, const char*, int))dlsym(RTLD_NEXT, "linkat");
    return next(old_folder, old, new_folder, new, flags);
}

SEEN int link(const char* old, const char* new) {
    return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

SEEN int symlinkat(const char* target, int folder, const char* name) {
    if (lacks(LINKS) && name_is_below(folder, name)) return fail(EPERM);
    int (*next)(const char*, int, const char*) =
        (int (*)(const char*, int, const char*))dlsym(RTLD_NEXT, "symlinkat");
    return next(target, folder, name);
}

SEEN int symlink(const char* target, const char* name) {
    return symlinkat(target, AT_FDCWD, name);
}

SEEN int bind(int file, const struct sockaddr* address, socklen_t length) {
    const struct sockaddr_un* local = (const struct sockaddr_un*)address;
    if (lacks(SOCKETS) && address->sa_family == AF_UNIX && length > sizeof address->sa_family &&
        is_below(local->sun_path))
        return fail(EPERM);
    int (*next)(int, const struct sockaddr*, socklen_t) =
        (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "bind");
    return next(file, address, length);
}
