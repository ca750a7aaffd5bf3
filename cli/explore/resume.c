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

// Cuts the end mark off.
static bool is_whole(char* line) {
    const size_t length = strlen(line);
    if (length < 2 || strcmp(line + length - 2, " .") != 0) return false;
    line[length - 2] = '\0';
    return true;
}

static enum resume_state parse_done(const char* text, struct explore_result* r) {
    *r = (struct explore_result){.complete = true};
    const int found = sscanf(text, "done %" SCNu64 " %" SCNu64 " %" SCNu64 " %u %lf %" SCNx64 " %" SCNx64,
                             &r->schedules, &r->pruned, &r->ends, &r->bound, &r->seconds, &r->words, &r->steps);
    return found == 7 ? RESUME_DONE : RESUME_NEW;
}

// The text after KEY and PART; NULL: the line is of another part.
static const char* text_of(const char* line, const struct resume_part* part) {
    const size_t length = strlen(part->scenario);
    uint64_t number;
    int at = 0;
    if (strncmp(line, part->scenario, length) != 0 || line[length] != ' ') return NULL;
    if (sscanf(line + length, " %" SCNu64 " %n", &number, &at) != 1 || number != part->part) return NULL;
    return line + length + at;
}

enum resume_state resume_read(const char* path, const struct resume_part* part, struct explore_result* result,
                              char position[EXPLORE_REPLAY_MOST]) {
    static char line[LINE_MOST];
    enum resume_state state = RESUME_NEW;
    FILE* file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL) return RESUME_NEW;
    has_line(file, line);
    while (has_line(file, line)) {
        const char* text = is_whole(line) ? text_of(line, part) : NULL;
        if (text == NULL) continue;
        const bool stands = strncmp(text, "at ", 3) == 0;
        if (stands && (size_t)snprintf(position, EXPLORE_REPLAY_MOST, "%s", text + 3) >= EXPLORE_REPLAY_MOST) continue;
        state = stands ? RESUME_AT : parse_done(text, result);
    }
    fclose(file);
    return state;
}

// Something may have ended in the middle of the last line.
static bool begin_line(FILE* file) {
    if (fseek(file, -1, SEEK_END) != 0 || getc(file) == '\n') return true;
    return fseek(file, 0, SEEK_END) == 0 && putc('\n', file) != EOF;
}

static bool write_part(FILE* file, const struct resume_part* part, const struct explore_worker* worker) {
    const struct explore_result* r = &worker->result;
    if (!begin_line(file) || fseek(file, 0, SEEK_END) != 0) return false;
    if (!r->complete)
        return fprintf(file, "%s %" PRIu64 " at %s .\n", part->scenario, part->part, worker->position) > 0;
    return fprintf(file, "%s %" PRIu64 " done %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %.2f %" PRIx64 " %" PRIx64 " .\n",
                   part->scenario, part->part, r->schedules, r->pruned, r->ends, r->bound, r->seconds, r->words,
                   r->steps) > 0;
}

bool resume_add(const char* path, const struct resume_part* part, const struct explore_worker* worker) {
    if (path == NULL || (!worker->result.complete && worker->position[0] == '\0')) return true;
    FILE* file = fopen(path, "a+e");
    bool written = file != NULL && write_part(file, part, worker);
    if (file != NULL && fclose(file) != 0) written = false;
    if (!written) missing_error("cannot write --resume %s: %s", path, strerror(errno));
    return written;
}
