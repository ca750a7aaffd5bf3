#include "explore/resume.h"

#include "base/error.h"
#include "workload/trace_file.h"

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

// --- the mark at the end of a line: a checksum of what stands before it, and a dot

enum { MARK = sizeof " 01234567 ." - 1 };

static void make_mark(const char* line, size_t length, char mark[MARK + 1]) {
    snprintf(mark, MARK + 1, " %08" PRIx32 " .", (uint32_t)trace_checksum(TRACE_CHECKSUM_START, line, length));
}

// Was it written to its end?
static bool has_end(const char* line) {
    const size_t length = strlen(line);
    return length > MARK && strcmp(line + length - 2, " .") == 0;
}

// Cuts the mark off. false: the line has changed since.
static bool is_whole(char* line) {
    char mark[MARK + 1];
    const size_t length = strlen(line) - MARK;
    make_mark(line, length, mark);
    if (strcmp(line + length, mark) != 0) return false;
    line[length] = '\0';
    return true;
}

static bool are_whole(FILE* file, const char* path) {
    static char line[LINE_MOST];
    for (unsigned number = 2; has_line(file, line); number++) {
        if (!has_end(line) || is_whole(line)) continue;
        usage_error("line %u of %s is damaged; remove that line, or the file", number, path);
        return false;
    }
    return true;
}

// --- the file

bool resume_open(const char* path, const char* question) {
    static char line[LINE_MOST];
    FILE* file = fopen(path, "re");
    if (file != NULL) {
        const bool same = has_line(file, line) && strcmp(line, question) == 0;
        if (!same) usage_error("%s belongs to another search; give another file, or remove it", path);
        const bool whole = same && are_whole(file, path);
        fclose(file);
        return whole;
    }
    file = errno == ENOENT ? fopen(path, "we") : NULL;
    const bool written = file != NULL && fprintf(file, "%s\n", question) > 0;
    if ((file != NULL && fclose(file) != 0) || !written) {
        usage_error("cannot write %s: %s", path, strerror(errno));
        return false;
    }
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
        const char* text = has_end(line) && is_whole(line) ? text_of(line, part) : NULL;
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

static size_t format_part(const struct resume_part* part, const struct explore_worker* worker, char line[LINE_MOST]) {
    const struct explore_result* r = &worker->result;
    const int length =
        r->complete ? snprintf(line, LINE_MOST,
                               "%s %" PRIu64 " done %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %.2f %" PRIx64 " %" PRIx64,
                               part->scenario, part->part, r->schedules, r->pruned, r->ends, r->bound, r->seconds,
                               r->words, r->steps)
                    : snprintf(line, LINE_MOST, "%s %" PRIu64 " at %s", part->scenario, part->part, worker->position);
    return (size_t)length;
}

static bool write_part(FILE* file, const struct resume_part* part, const struct explore_worker* worker) {
    static char line[LINE_MOST];
    char mark[MARK + 1];
    make_mark(line, format_part(part, worker, line), mark);
    return begin_line(file) && fseek(file, 0, SEEK_END) == 0 && fprintf(file, "%s%s\n", line, mark) > 0;
}

bool resume_add(const char* path, const struct resume_part* part, const struct explore_worker* worker) {
    if (path == NULL || (!worker->result.complete && worker->position[0] == '\0')) return true;
    FILE* file = fopen(path, "a+e");
    bool written = file != NULL && write_part(file, part, worker);
    if (file != NULL && fclose(file) != 0) written = false;
    if (!written) missing_error("cannot write --resume %s: %s", path, strerror(errno));
    return written;
}
