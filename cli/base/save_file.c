#include "base/save_file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Closes the file in any case.
static bool finish(FILE* file, save_writer write, const void* what) {
    bool written = write(file, what) && fflush(file) == 0 && !ferror(file);
    int error = errno;
    if (fclose(file) == 0) {
        errno = error;
        return written;
    }
    if (!written) errno = error;
    return false;
}

// The mode that a plain open would have given. mkstemp makes files that only their owner can read.
static mode_t usual_mode(const char* path) {
    struct stat status;
    if (stat(path, &status) == 0) return status.st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool replace(const char* path, save_writer write, const void* what) {
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof beside) {
        errno = ENAMETOOLONG;
        return false;
    }
    int descriptor = mkstemp(beside);
    if (descriptor < 0) return false;
    FILE* file = fdopen(descriptor, "w");
    if (file == NULL) close(descriptor);
    bool saved = file != NULL && fchmod(descriptor, usual_mode(path)) == 0;
    if (file != NULL) saved = finish(file, write, what) && saved;
    if (saved && rename(beside, path) == 0) return true;
    int error = errno;
    unlink(beside);
    errno = error;
    return false;
}

static bool write_through(const char* path, save_writer write, const void* what) {
    FILE* file = fopen(path, "we");
    return file != NULL && finish(file, write, what);
}

bool save_file(const char* path, save_writer write, const void* what) {
    struct stat status;
    char behind_links[PATH_MAX];
    bool there = stat(path, &status) == 0, named = realpath(path, behind_links) != NULL;
    if (there && (!named || !S_ISREG(status.st_mode))) return write_through(path, write, what);
    const char* target = there ? behind_links : path;
    return replace(target, write, what) || (there && errno == EACCES && write_through(path, write, what));
}
