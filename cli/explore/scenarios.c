#include "explore/scenarios.h"

#include "base/error.h"
#include "base/nearest.h"
#include "base/path.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".scenario"
#define RANDOM "random-"

// Relative to the folder of the program: build/cli of a source tree, a build elsewhere, and bin.
static const char* const places[] = {"../../tests/explore", "../explore/scenarios", "../share/hakmem/scenarios"};
enum { PLACES = sizeof places / sizeof places[0] };

// The program's own folder; "": unknown.
static void own_folder(char* path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    path[length > 0 ? length : 0] = '\0';
    char* slash = strrchr(path, '/');
    if (slash != NULL) *slash = '\0';
}

static void set_name(struct scenario_file* file, const char* path) {
    const char* base = path_file_name(path);
    const size_t length = path_has_suffix(base, SUFFIX) ? strlen(base) - (sizeof SUFFIX - 1) : strlen(base);
    snprintf(file->name, sizeof file->name, "%.*s", (int)length, base);
}

static int by_name(const void* a, const void* b) {
    return strcmp(((const struct scenario_file*)a)->name, ((const struct scenario_file*)b)->name);
}

static size_t read_folder(const char* path, struct scenario_file out[EXPLORE_SCENARIOS_MOST]) {
    size_t count = 0;
    bool too_many = false;
    DIR* folder = opendir(path);
    if (folder == NULL) return 0;
    for (struct dirent* entry; !too_many && (entry = readdir(folder)) != NULL;) {
        if (!path_has_suffix(entry->d_name, SUFFIX)) continue;
        too_many = count == EXPLORE_SCENARIOS_MOST;
        if (too_many) continue;
        int written = snprintf(out[count].path, sizeof out[count].path, "%s/%s", path, entry->d_name);
        if (written < 0 || (size_t)written >= sizeof out[count].path) continue;
        set_name(&out[count], entry->d_name);
        count++;
    }
    closedir(folder);
    if (too_many) missing_error("%s has more than %d scenarios", path, EXPLORE_SCENARIOS_MOST);
    return too_many ? 0 : count;
}

// The first of the places that has any.
size_t scenarios_all(struct scenario_file out[EXPLORE_SCENARIOS_MOST]) {
    char self[PATH_MAX], path[PATH_MAX];
    size_t count = 0;
    own_folder(self, sizeof self);
    for (size_t i = 0; i < PLACES && count == 0; i++) {
        int written = snprintf(path, sizeof path, "%s/%s", self, places[i]);
        if (written > 0 && (size_t)written < sizeof path) count = read_folder(path, out);
    }
    qsort(out, count, sizeof *out, by_name);
    return count;
}

static bool no_such_scenario(const char* name, const struct scenario_file* all, size_t count) {
    struct nearest nearest = {.typed = name};
    for (size_t i = 0; i < count; i++) nearest_offer(&nearest, all[i].name);
    if (nearest.best[0] != '\0')
        usage_error("there is no scenario '%s'; did you mean '%s'? See: hakstress list scenarios", name, nearest.best);
    else
        usage_error("there is no scenario '%s'; see: hakstress list scenarios", name);
    return false;
}

static bool find_random(const char* name, struct scenario_file* out) {
    const char* number = name + sizeof RANDOM - 1;
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->path, sizeof out->path, "%s", name);
    if (*number != '\0' && strlen(number) < 20 && number[strspn(number, "0123456789")] == '\0') return true;
    usage_error("a random scenario is random-N with a whole number N, not '%s'", name);
    return false;
}

static bool find_file(const char* path, struct scenario_file* out) {
    int written = snprintf(out->path, sizeof out->path, "%s", path);
    set_name(out, path);
    out->by_path = true;
    if (written >= 0 && (size_t)written < sizeof out->path && access(path, R_OK) == 0) return true;
    usage_error("cannot read scenario %s", path);
    return false;
}

bool scenario_find(const char* name, struct scenario_file* out) {
    static struct scenario_file all[EXPLORE_SCENARIOS_MOST];
    if (strncmp(name, RANDOM, sizeof RANDOM - 1) == 0) return find_random(name, out);
    if (strchr(name, '/') != NULL || path_has_suffix(name, SUFFIX)) return find_file(name, out);
    size_t count = scenarios_all(all);
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0) {
            *out = all[i];
            return true;
        }
    return no_such_scenario(name, all, count);
}

// FNV-1a.
void scenario_key(const struct scenario_file* file, char* out, size_t size) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    FILE* text = fopen(file->path, "re");
    for (int byte; text != NULL && (byte = getc(text)) != EOF;)
        hash = (hash ^ (uint64_t)byte) * UINT64_C(0x100000001b3);
    if (text != NULL) fclose(text);
    snprintf(out, size, "%s@%016" PRIx64, file->name, hash);
}

void scenario_about(const struct scenario_file* file, char* out, size_t size) {
    FILE* text = fopen(file->path, "re");
    out[0] = '\0';
    if (text == NULL) return;
    if (fgets(out, (int)size, text) == NULL) out[0] = '\0';
    fclose(text);
    out[strcspn(out, "\n")] = '\0';
    size_t skip = strspn(out, "# ");
    memmove(out, out + skip, strlen(out + skip) + 1);
}
