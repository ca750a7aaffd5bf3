#include "binary/module_file.h"

#include "base/path.h"
#include "binary/build_id.h"
#include "binary/debug_download.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_build(const char* path, const char* build_id) {
    char found[BUILD_ID_TEXT_MAX];
    if (build_id[0] == '\0') return access(path, R_OK) == 0;
    return build_id_of_file(path, found, sizeof found) && strcmp(found, build_id) == 0;
}

static bool by_build_id(const char* folder, const char* build_id, char* out, size_t size) {
    if (strlen(build_id) < 3) return false;
    snprintf(out, size, "%s/.build-id/%.2s/%s.debug", folder, build_id, build_id + 2);
    return access(out, R_OK) == 0;
}

static bool in_folder(const char* folder, const char* path, const char* build_id, char* out, size_t size) {
    static const char* const ends[] = {"", ".debug"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(out, size, "%s/%s%s", folder, path_file_name(path), ends[i]);
        if (is_build(out, build_id)) return true;
    }
    return by_build_id(folder, build_id, out, size);
}

bool module_file_find(const char* path, const char* build_id, const struct module_search* search, int place, char* out,
                      size_t size) {
    if (path[0] == '\0') return false;
    switch (place) {
    case 0: return search->folder != NULL && in_folder(search->folder, path, build_id, out, size);
    case 1: return snprintf(out, size, "%s", path) < (int)size && is_build(path, build_id);
    case 2: return by_build_id("/usr/lib/debug", build_id, out, size);
    default: return search->download && debug_download(build_id, out, size);
    }
}
