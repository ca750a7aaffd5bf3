#include "args/profile.h"

#include "base/error.h"
#include "base/nearest.h"
#include "base/path.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".profile"

// Relative to the directory of the program. In a source tree that is build/cli. In a build elsewhere, copies lie beside
// the program. When installed, it is bin.
static const char* const places[] = {"../../profiles", ".", "../share/hakmem/profiles"};
enum { PLACES = sizeof places / sizeof places[0] };

static bool place_path(size_t place, char* out, size_t size) {
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) return false;
    self[length] = '\0';
    char* slash = strrchr(self, '/');
    if (slash == NULL) return false;
    *slash = '\0';
    int written = snprintf(out, size, "%s/%s", self, places[place]);
    return written > 0 && (size_t)written < size;
}

static FILE* open_profile(const char* name, char* path, size_t size) {
    if (strchr(name, '/') != NULL) {
        snprintf(path, size, "%s", name);
        return fopen(path, "re");
    }
    for (size_t i = 0; i < PLACES; i++) {
        char place[PATH_MAX];
        if (!place_path(i, place, sizeof place)) continue;
        int written = snprintf(path, size, "%s/%s" SUFFIX, place, name);
        if (written < 0 || (size_t)written >= size) continue;
        FILE* file = fopen(path, "re");
        if (file != NULL) return file;
    }
    return NULL;
}

static void offer_name(void* context, const char* name, const char* summary) {
    (void)summary;
    nearest_offer(context, name);
}

static int no_such_profile(const char* name) {
    if (strchr(name, '/') != NULL) return usage_error("cannot read profile %s: %s", name, strerror(errno));
    struct nearest nearest = {.typed = name};
    profile_each(offer_name, &nearest);
    if (nearest.best[0] == '\0') return usage_error("there is no profile '%s'; see: hakstress list profiles", name);
    return usage_error("there is no profile '%s'; did you mean '%s'? See: hakstress list profiles", name, nearest.best);
}

static char* trimmed(char* text) {
    while (isspace((unsigned char)*text)) text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) text[--length] = '\0';
    return text;
}

static int read_lines(FILE* file, const char* path, profile_setting setting, void* context) {
    char line[1024];
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        char* text = trimmed(line);
        if (number == 1 && *text != '#')
            return usage_error("%s:1: the first line of a profile must be a comment that says what the profile is for",
                               path);
        if (*text == '#' || *text == '\0') continue;
        char where[PATH_MAX + 16];
        snprintf(where, sizeof where, "%s:%u", path, number);
        char* equals = strchr(text, '=');
        if (equals == NULL || equals == text) return usage_error("%s: '%s' is not of the form KEY=VALUE", where, text);
        *equals = '\0';
        if (!setting(context, trimmed(text), trimmed(equals + 1), where)) return STATUS_USAGE;
    }
    return ferror(file) ? missing_error("cannot read %s: %s", path, strerror(errno)) : STATUS_OK;
}

int profile_read(const char* name, profile_setting setting, void* context) {
    char path[PATH_MAX];
    FILE* file = open_profile(name, path, sizeof path);
    if (file == NULL) return no_such_profile(name);
    int status = read_lines(file, path, setting, context);
    fclose(file);
    return status;
}

static int is_profile(const struct dirent* entry) {
    return path_has_suffix(entry->d_name, SUFFIX);
}

static void visit(const char* name, profile_entry entry, void* context) {
    char path[PATH_MAX], line[512] = "";
    FILE* file = open_profile(name, path, sizeof path);
    if (file == NULL) return;
    if (fgets(line, sizeof line, file) == NULL) line[0] = '\0';
    fclose(file);
    entry(context, name, trimmed(line + strspn(line, "# ")));
}

void profile_each(profile_entry entry, void* context) {
    for (size_t i = 0; i < PLACES; i++) {
        char place[PATH_MAX];
        struct dirent** found;
        int count = place_path(i, place, sizeof place) ? scandir(place, &found, is_profile, alphasort) : 0;
        if (count <= 0) continue;
        for (int j = 0; j < count; j++) {
            found[j]->d_name[strlen(found[j]->d_name) - strlen(SUFFIX)] = '\0';
            visit(found[j]->d_name, entry, context);
            free(found[j]);
        }
        free(found);
        return;  // the first directory that has profiles
    }
}
