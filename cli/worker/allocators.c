#include "worker/allocators.h"

#include "base/beside.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define TRIPLET "x86_64-linux-gnu"
#define SCUDO "libclang_rt.scudo_standalone-x86_64.so"
#else
#define TRIPLET "aarch64-linux-gnu"
#define SCUDO "libclang_rt.scudo_standalone-aarch64.so"
#endif
#define SCUDO_FOLDER "clang/*/lib/linux/"

// Where libraries are, in search order. File names have wildcards for versions.
static const char* const folders[] = {"/usr/local/lib", ("/usr/lib/" TRIPLET), "/usr/lib64", "/usr/lib"};

static const struct {
    const char* name;
    const char* files[4];
} known[] = {
    {"jemalloc", {"libjemalloc.so.2"}},
    {"mimalloc", {"libmimalloc.so.[0-9]*"}},
    {"tcmalloc", {"libtcmalloc_minimal.so.[0-9]*", "libtcmalloc.so.[0-9]*"}},
    {"rpmalloc", {"librpmallocwrap.so", "librpmalloc.so"}},
    {"snmalloc", {"libsnmallocshim.so"}},
    {"scudo", {SCUDO, ("llvm-*/lib/" SCUDO_FOLDER SCUDO), (SCUDO_FOLDER SCUDO)}},
};

// The matching file that sorts last, which is usually the newest.
static bool last_match(const char* folder, const char* file, char* out) {
    char pattern[PATH_MAX];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/%s", folder, file);
    if (glob(pattern, 0, NULL, &found) != 0) return false;
    bool resolved = realpath(found.gl_pathv[found.gl_pathc - 1], out) != NULL;
    globfree(&found);
    return resolved;
}

static bool find(const char* const files[], char* out) {
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        for (size_t j = 0; j < 4 && files[j] != NULL; j++)
            if (last_match(folders[i], files[j], out)) return true;
    return false;
}

size_t allocators_find(struct allocator out[ALLOCATORS_MOST]) {
    size_t count = 0;
    out[count++] = (struct allocator){.name = "glibc"};
    out[count].name = "hakmem";
    if (library_find_beside(LIBHAKMEM, out[count].path, sizeof out[count].path)) count++;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && count < ALLOCATORS_MOST; i++) {
        out[count].name = known[i].name;
        if (find(known[i].files, out[count].path)) count++;
    }
    return count;
}
