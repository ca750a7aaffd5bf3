#include "base/beside.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Sets errno if there is no such file.
static bool resolve(const char* folder, const char* name, char* out, size_t size) {
    char self[PATH_MAX], path[PATH_MAX + 256], resolved[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) return false;
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(path, sizeof path, "%s/%s%s", self, folder, name);
    if (realpath(path, resolved) == NULL) return false;
    if (strlen(resolved) >= size) errno = ENAMETOOLONG;
    return (size_t)snprintf(out, size, "%s", resolved) < size;
}

static bool is_missing(const char* name) {
    char self[2];
    if (readlink("/proc/self/exe", self, sizeof self) < 0) {
        missing_error("cannot read /proc/self/exe: %s; hakstress needs /proc to be mounted", strerror(errno));
        return false;
    }
    missing_error("no %s beside hakstress: %s; build it first: scripts/build.sh", name, strerror(errno));
    return false;
}

// The first of the folders that has the file; the last one is NULL.
static bool find(const char* const* folders, const char* name, char* out, size_t size) {
    for (; *folders != NULL; folders++)
        if (resolve(*folders, name, out, size)) return true;
    return false;
}

bool worker_beside(const char* name, char* out, size_t size) {
    static const char* const folders[] = {"", "../" HAKSTRESS_LIBEXECDIR "/", NULL};
    return find(folders, name, out, size) || is_missing(name);
}

bool library_find_beside(const char* name, char* out, size_t size) {
    static const char* const folders[] = {
        "../lib/", "", "../" HAKSTRESS_LIBDIR "/hakmem/", "../" HAKSTRESS_LIBDIR "/", NULL,
    };
    return find(folders, name, out, size);
}

bool library_beside(const char* name, char* out, size_t size) {
    return library_find_beside(name, out, size) || is_missing(name);
}
