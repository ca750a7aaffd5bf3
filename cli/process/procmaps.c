#include "process/procmaps.h"

#include "base/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_line(struct mapping* mapping, const char* line) {
    *mapping = (struct mapping){0};
    int path_at = 0;
    int fields = sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &mapping->start, &mapping->end,
                        mapping->permissions, &mapping->offset, &path_at);
    if (fields != 4 || path_at == 0) return false;
    snprintf(mapping->path, sizeof mapping->path, "%s", line + path_at);
    return true;
}

static bool append(struct procmaps* maps, size_t* room, const char* line) {
    struct mapping* more = array_room(maps->mappings, maps->count, room, 256, sizeof *more);
    if (more == NULL) return false;
    maps->mappings = more;
    if (parse_line(&maps->mappings[maps->count], line)) maps->count++;
    return true;
}

bool procmaps_parse(struct procmaps* maps, const char* text, size_t bytes) {
    *maps = (struct procmaps){0};
    size_t room = 0;
    while (bytes > 0) {
        const char* newline = memchr(text, '\n', bytes);
        if (newline == NULL) break;  // the text was cut here
        char line[512];
        snprintf(line, sizeof line, "%.*s", (int)(newline - text), text);
        if (!append(maps, &room, line)) break;
        bytes -= (size_t)(newline + 1 - text);
        text = newline + 1;
    }
    return maps->count > 0;
}

bool procmaps_read(struct procmaps* maps, pid_t pid) {
    *maps = (struct procmaps){0};
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE* file = fopen(path, "re");
    if (file == NULL) return false;
    size_t room = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (!append(maps, &room, line)) break;
    }
    fclose(file);
    return maps->count > 0;
}

void procmaps_free(struct procmaps* maps) {
    free(maps->mappings);
    *maps = (struct procmaps){0};
}

const struct mapping* procmaps_find(const struct procmaps* maps, uint64_t address) {
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->mappings[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < maps->count && maps->mappings[low].start <= address ? &maps->mappings[low] : NULL;
}
