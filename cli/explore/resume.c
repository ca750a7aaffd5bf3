#include "explore/resume.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MOST = EXPLORE_REPLAY_MOST + 256 };

static bool has_line(FILE* file, char line[LINE_MOST]) {
    if (fgets(line, LINE_MOST, file) == NULL) return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

bool resume_open(const char* path, const char* question) {
    static char line[LINE_MOST];
    FILE* file = fopen(path, "re");
    if (file != NULL) {
        const bool same = has_line(file, line) && strcmp(line, question) == 0;
        fclose(file);
        if (!same) usage_error("%s belongs to another search; give another file, or remove it", path);
        return same;
    }
    file = errno == ENOENT ? fopen(path, "we") : NULL;
    const bool written = file != NULL && fprintf(file, "%s\n", question) > 0;
    if ((file != NULL && fclose(file) != 0) || !written) {
        usage_error("cannot write %s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static bool parse(const char* line, const char* scenario, uint64_t part, struct explore_result* r) {
    char name[64];
    uint64_t number;
    *r = (struct explore_result){.complete = true};
    return sscanf(line, "%63s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %u %lf %" SCNx64 " %" SCNx64, name,
                  &number, &r->schedules, &r->pruned, &r->ends, &r->bound, &r->seconds, &r->words, &r->steps) == 9 &&
           strcmp(name, scenario) == 0 && number == part;
}

bool resume_has(const char* path, const char* scenario, uint64_t part, struct explore_result* result) {
    static char line[LINE_MOST];
    FILE* file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL) return false;
    bool found = false;
    has_line(file, line);
    while (!found && has_line(file, line)) found = parse(line, scenario, part, result);
    fclose(file);
    return found;
}

bool resume_position(const char* path, const char* scenario, uint64_t part, char* position, size_t size) {
    static char line[LINE_MOST];
    char name[64];
    uint64_t number;
    int length = 0;
    bool found = false;
    FILE* file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL) return false;
    while (has_line(file, line)) {
        if (sscanf(line, "%63s %" SCNu64 " at %n", name, &number, &length) != 2 || length == 0) continue;
        if (strcmp(name, scenario) != 0 || number != part) continue;
        found = (size_t)snprintf(position, size, "%s", line + length) < size;
    }
    fclose(file);
    return found;
}

void resume_add(const char* path, const char* scenario, uint64_t part, const struct explore_worker* worker) {
    const struct explore_result* r = &worker->result;
    if (path == NULL || (!r->complete && worker->position[0] == '\0')) return;
    FILE* file = fopen(path, "ae");
    if (file == NULL) return;
    if (r->complete)
        fprintf(file, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %.2f %" PRIx64 " %" PRIx64 "\n", scenario,
                part, r->schedules, r->pruned, r->ends, r->bound, r->seconds, r->words, r->steps);
    else
        fprintf(file, "%s %" PRIu64 " at %s\n", scenario, part, worker->position);
    if (fclose(file) != 0) missing_error("cannot write %s: %s", path, strerror(errno));
}
