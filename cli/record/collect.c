#include "record/collect.h"

#include "base/error.h"
#include "record/merge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_MAX = PATH_MAX + 32 };

static bool cannot_write(const char* file, const char* why) {
    missing_error("cannot write %s: %s", file, why);
    return false;
}

static void part_of(const char* file, char part[PART_MAX]) {
    snprintf(part, PART_MAX, "%s.part-%d", file, (int)getpid());
}

// A file of that name that is not a trace must not be replaced.
static bool is_free(const char* file) {
    struct stat status;
    char magic[8] = {0};
    if (stat(file, &status) != 0) return errno == ENOENT || cannot_write(file, strerror(errno));
    if (!S_ISREG(status.st_mode)) return cannot_write(file, "it is a directory, device or pipe");
    if (status.st_size == 0) return true;
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_write(file, strerror(errno));
    const ssize_t got = read(fd, magic, sizeof magic);
    close(fd);
    if (got == (ssize_t)sizeof magic && memcmp(magic, TRACE_MAGIC, sizeof magic) == 0) return true;
    return cannot_write(file, "a file with that name exists and is not a trace");
}

bool collect_can_write(const char* file) {
    char part[PART_MAX];
    if (strlen(file) > PATH_MAX - 64) return cannot_write(file, strerror(ENAMETOOLONG));
    if (!is_free(file)) return false;
    part_of(file, part);
    const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return cannot_write(file, strerror(errno));
    close(fd);
    unlink(part);
    return true;
}

// Writes the whole file or nothing: there is never half a trace under its name.
static bool save(struct trace* trace, const char* file) {
    char part[PART_MAX];
    if (!is_free(file)) return false;
    part_of(file, part);
    FILE* out = fopen(part, "wxe");
    if (out == NULL) return cannot_write(file, strerror(errno));
    bool done = trace_write(trace, out);
    int error = errno;
    if (fclose(out) != 0 && done) {
        done = false;
        error = errno;
    }
    if (done && rename(part, file) == 0) return true;
    if (done) error = errno;
    unlink(part);
    return cannot_write(file, strerror(error));
}

// Names

struct raw_name {
    int pid;
    unsigned image;
};

static int by_process(const void* a, const void* b) {
    const struct raw_name *x = a, *y = b;
    if (x->pid != y->pid) return x->pid < y->pid ? -1 : 1;
    return (x->image > y->image) - (x->image < y->image);
}

// By process number, and the programs of a process in their order.
static struct raw_name* list(const struct raw_dir* dir, size_t* count) {
    struct raw_name* names = NULL;
    size_t room = 0;
    DIR* stream = opendir(dir->path);
    *count = 0;
    if (stream == NULL) {
        missing_error("cannot read %s: %s", dir->path, strerror(errno));
        return NULL;
    }
    for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
        struct raw_name name;
        if (sscanf(entry->d_name, "%d.%u", &name.pid, &name.image) != 2) continue;
        if (*count == room) {
            room = room != 0 ? 2 * room : 64;
            struct raw_name* more = realloc(names, room * sizeof *names);
            if (more == NULL) break;  // the rest of so many processes does not matter
            names = more;
        }
        names[(*count)++] = name;
    }
    closedir(stream);
    if (*count > 0) qsort(names, *count, sizeof *names, by_process);
    return names;
}

static void name_trace(const char* file, const struct raw_name* name, bool is_last, bool is_own, char* out) {
    if (is_last && is_own)
        snprintf(out, PATH_MAX, "%s", file);
    else if (is_last)
        snprintf(out, PATH_MAX, "%s.%d", file, name->pid);
    else
        snprintf(out, PATH_MAX, "%s.%d.%u", file, name->pid, name->image);
}

// The words of the command, separated by spaces.
static void take_command(struct recording* recording, struct trace* trace) {
    struct record_header* header = &recording->header;
    uint32_t length = header->command_bytes;
    while (length > 0 && header->command[length - 1] == '\0') length--;
    for (uint32_t i = 0; i < length; i++)
        if (header->command[i] == '\0') header->command[i] = ' ';
    trace->header.command_bytes = length;
    trace->command = header->command;
}

static bool convert(const char* raw, struct collected* out) {
    struct recording recording;
    struct trace trace;
    if (!recording_load(&recording, raw)) return false;
    bool done = merge(&recording, &trace);
    if (done) {
        take_command(&recording, &trace);
        done = trace.header.allocations == 0 || save(&trace, out->path);
        out->header = trace.header;
        out->stopped = recording.header.stopped;
    }
    trace_free(&trace);
    recording_free(&recording);
    return done;
}

static bool add(struct collection* collection, const struct collected* collected, bool is_own) {
    struct collected* traces = realloc(collection->traces, (collection->count + 1) * sizeof *traces);
    if (traces == NULL) {
        missing_error("out of memory");
        return false;
    }
    collection->traces = traces;
    traces[collection->count++] = *collected;
    traces[collection->count - 1].is_own = is_own;
    return true;
}

// The command's own trace first, the others by size: a large trace of what a script started is often the one that is
// wanted.
static int by_importance(const void* a, const void* b) {
    const struct collected *x = a, *y = b;
    if (x->is_own != y->is_own) return x->is_own ? -1 : 1;
    return (x->header.events < y->header.events) - (x->header.events > y->header.events);
}

bool collect(const struct raw_dir* dir, pid_t command, const char* file, struct collection* out) {
    static struct collected collected;
    char raw[PATH_MAX];
    size_t count;
    *out = (struct collection){0};
    struct raw_name* names = list(dir, &count);
    bool done = names != NULL || count == 0;
    for (size_t i = 0; names != NULL && i < count; i++) {
        const bool is_last = i + 1 == count || names[i + 1].pid != names[i].pid;
        const bool is_own = names[i].pid == command;
        collected = (struct collected){0};
        name_trace(file, &names[i], is_last, is_own, collected.path);
        snprintf(raw, sizeof raw, "%s/%d.%u", dir->path, names[i].pid, names[i].image);
        const bool saved =
            convert(raw, &collected) && (collected.header.allocations == 0 || add(out, &collected, is_last && is_own));
        done = done && saved;
        unlink(raw);
    }
    free(names);
    if (out->count > 0) qsort(out->traces, out->count, sizeof *out->traces, by_importance);
    return done;
}

void collection_free(struct collection* collection) {
    free(collection->traces);
    *collection = (struct collection){0};
}
