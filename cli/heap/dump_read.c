#include "heap/dump_read.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char begins[] = "hakmem-profile 1 ";

enum { UNITS = 1024, DEPTH_MAX = 64, FROM_FILE = 6 };

// A moment: from its first line to its "end".
struct moment {
    char** lines;
    size_t count;
};

static void moment_free(struct moment* moment) {
    for (size_t i = 0; i < moment->count; i++) free(moment->lines[i]);
    free(moment->lines);
    *moment = (struct moment){0};
}

static void moment_add(struct moment* moment, const char* line) {
    moment->lines = heap_more(moment->lines, moment->count, sizeof *moment->lines);
    moment->lines[moment->count++] = heap_text(line);
}

// Keeps the first and the last complete moment of a file; they may be the same, and then `first` is empty.
static size_t read_moments(FILE* file, struct moment* first, struct moment* last) {
    struct moment now = {0};
    char* line = NULL;
    size_t size = 0, count = 0;
    while (getline(&line, &size, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        bool is_head = strncmp(line, begins, strlen(begins)) == 0;
        if (is_head) moment_free(&now);
        if (!is_head && now.count == 0) continue;
        if (strcmp(line, "end") != 0) {
            moment_add(&now, line);
            continue;
        }
        struct moment* older = count == 1 ? first : last;
        if (count == 1)
            *older = *last;
        else
            moment_free(older);
        *last = now;
        now = (struct moment){0};
        count++;
    }
    moment_free(&now);
    free(line);
    return count;
}

// --- one moment

struct placed {
    struct heap_module module;
    size_t index;
};

struct places {
    struct placed* list;
    size_t count;
};

static void read_module(struct heap_profile* profile, struct places* places, const char* line) {
    struct placed placed = {.index = 0};
    char id[80];
    int path = 0;
    if (sscanf(line, "module %" SCNx64 " %" SCNx64 " %" SCNx64 " %79s %n", &placed.module.start, &placed.module.end,
               &placed.module.bias, id, &path) < 4 ||
        path == 0)
        return;
    placed.module.build_id = id;
    placed.module.path = (char*)line + path;
    placed.index = heap_module_of(profile, &placed.module);
    places->list = heap_more(places->list, places->count, sizeof *places->list);
    places->list[places->count++] = placed;
}

static size_t frame_at(struct heap_profile* profile, const struct places* places, uint64_t pc) {
    static const struct heap_module unknown = {.path = "?", .build_id = "-", .end = UINT64_MAX};
    for (size_t i = 0; i < places->count; i++) {
        const struct placed* placed = &places->list[i];
        if (pc > placed->module.start && pc <= placed->module.end)
            return heap_frame_of(profile, placed->index, pc - placed->module.bias);
    }
    return heap_frame_of(profile, heap_module_of(profile, &unknown), pc);
}

static void read_site(struct heap_profile* profile, const struct places* places, const char* line, bool is_first) {
    int64_t values[FROM_FILE];
    size_t frames[DEPTH_MAX], depth = 0;
    char* at = (char*)line + strlen("site ");
    for (int i = 0; i < FROM_FILE; i++) values[i] = strtoll(at, &at, 10);
    for (char* end; depth < DEPTH_MAX; at = end) {
        uint64_t pc = strtoull(at, &end, 16);
        if (end == at) break;
        frames[depth++] = frame_at(profile, places, pc);
    }
    struct heap_stack* stack = heap_stack_of(profile, frames, depth);
    for (int i = 0; i < FROM_FILE; i++) {
        bool is_blocks = i % 2 == 0;
        int64_t value = is_blocks ? (values[i] + UNITS / 2) / UNITS : values[i];
        if (!is_first)
            stack->values[i] += value;
        else if (i <= HEAP_LIVE_BYTES)
            stack->values[HEAP_FIRST_BLOCKS + i] += value;
    }
}

static uint64_t number_of(const char* line, const char* key) {
    const char* at = strstr(line, key);
    return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void read_moment(struct heap_profile* profile, const struct moment* moment, bool is_first) {
    struct places places = {0};
    for (size_t i = 0; i < moment->count; i++)
        if (strncmp(moment->lines[i], "module ", 7) == 0) read_module(profile, &places, moment->lines[i]);
    for (size_t i = 0; i < moment->count; i++)
        if (strncmp(moment->lines[i], "site ", 5) == 0) read_site(profile, &places, moment->lines[i], is_first);
    free(places.list);
    const char* head = moment->count > 0 ? moment->lines[0] : "";
    profile->rate = number_of(head, " rate=");
    if (is_first) profile->first_ms = number_of(head, " ms=");
    if (is_first) return;
    profile->last_ms = number_of(head, " ms=");
    profile->lost += number_of(head, " lost=");
}

bool heap_dump_read(struct heap_profile* profile, const char* path) {
    FILE* file = fopen(path, "re");
    if (file == NULL) {
        usage_error("cannot read %s: %s", path, strerror(errno));
        return false;
    }
    struct moment first = {0}, last = {0};
    size_t moments = read_moments(file, &first, &last);
    fclose(file);
    if (moments > 0) {
        read_moment(profile, moments > 1 ? &first : &last, true);
        read_moment(profile, &last, false);
        profile->processes++;
        if (moments > profile->moments) profile->moments = moments;
    }
    moment_free(&first);
    moment_free(&last);
    return true;
}

bool heap_dump_read_folder(struct heap_profile* profile, const char* path) {
    DIR* folder = opendir(path);
    bool done = folder != NULL;
    if (!done) usage_error("cannot read %s: %s", path, strerror(errno));
    for (struct dirent* entry; done && (entry = readdir(folder)) != NULL;) {
        char file[PATH_MAX];
        if (entry->d_name[0] == '.') continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        done = heap_dump_read(profile, file);
    }
    if (folder != NULL) closedir(folder);
    return done;
}

size_t heap_dump_moments(const char* path) {
    FILE* file = fopen(path, "re");
    if (file == NULL) return 0;
    struct moment first = {0}, last = {0};
    size_t moments = read_moments(file, &first, &last);
    fclose(file);
    moment_free(&first);
    moment_free(&last);
    return moments;
}
