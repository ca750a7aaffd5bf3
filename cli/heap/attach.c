#include "heap/attach.h"

#include "base/error.h"
#include "heap/dump_read.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A variable of the environment that the process was started with.
static bool variable_of(pid_t pid, const char* name, char* out, size_t size) {
    char path[64], *entry = NULL;
    size_t room = 0, length = strlen(name);
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    FILE* file = fopen(path, "re");
    if (file == NULL) return false;
    while (!found && getdelim(&entry, &room, '\0', file) > 0) {
        found = strncmp(entry, name, length) == 0 && entry[length] == '=';
        if (found) snprintf(out, size, "%s", entry + length + 1);
    }
    free(entry);
    fclose(file);
    return found;
}

// Without a handler the signal would end the process.
static bool catches(pid_t pid, int number) {
    char path[64], line[256];
    uint64_t caught = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE* file = fopen(path, "re");
    if (file == NULL) return false;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "SigCgt: %" SCNx64, &caught) == 1) break;
    fclose(file);
    return (caught >> (number - 1) & 1) != 0;
}

// The file's name, with the folder in which the process works, and its number.
static void expand(pid_t pid, const char* pattern, char* out, size_t size) {
    size_t at = 0;
    if (pattern[0] != '/') at = (size_t)snprintf(out, size, "/proc/%d/cwd/", (int)pid);
    for (; *pattern != '\0' && at + 16 < size; pattern++) {
        if (pattern[0] == '%' && pattern[1] == 'p') {
            at += (size_t)snprintf(out + at, size - at, "%d", (int)pid);
            pattern++;
        } else {
            out[at++] = *pattern;
        }
    }
    out[at] = '\0';
}

static bool wait_for(pid_t pid, const char* file, size_t before) {
    enum { TRIES = 1000 };
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    for (int i = 0; i < TRIES && kill(pid, 0) == 0; i++) {
        if (heap_dump_moments(file) > before) return true;
        nanosleep(&pause, NULL);
    }
    missing_error("process %d wrote nothing to %s within 10 seconds: it may block the signal", (int)pid, file);
    return false;
}

bool heap_ask(pid_t pid, char* file, size_t size) {
    char on[16] = "", number[16] = "", pattern[PATH_MAX] = "hakmem-profile.%p";
    if (kill(pid, 0) != 0) return missing_error("cannot reach process %d: %s", (int)pid, strerror(errno)), false;
    variable_of(pid, "HAKMEM_PROFILE", on, sizeof on);
    variable_of(pid, "HAKMEM_PROFILE_SIGNAL", number, sizeof number);
    variable_of(pid, "HAKMEM_PROFILE_FILE", pattern, sizeof pattern);
    int asks = (int)strtol(number, NULL, 10);
    if (strcmp(on, "1") != 0 || asks < 1 || asks > 64 || !catches(pid, asks)) {
        missing_error("process %d has no profile to ask for: start it with LD_PRELOAD=libhakmem.so HAKMEM_PROFILE=1 "
                      "HAKMEM_PROFILE_SIGNAL=44",
                      (int)pid);
        return false;
    }
    expand(pid, pattern, file, size);
    size_t before = heap_dump_moments(file);
    if (kill(pid, asks) != 0) return missing_error("cannot signal process %d: %s", (int)pid, strerror(errno)), false;
    return wait_for(pid, file, before);
}
