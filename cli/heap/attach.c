#include "heap/attach.h"

#include "base/error.h"
#include "heap/dump_read.h"
#include "process/live_request.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

// By its signal, if it has one: that is answered at once. Else at its next need of memory.
static bool send(const struct live_process* process, int number, const char* file, size_t before) {
    enum { WAIT = 10 };  // seconds
    int pid = (int)process->memory.pid;
    struct request_answer answer;
    if (number != 0 && catches(pid, number)) {
        if (kill(pid, number) == 0) return wait_for(pid, file, before);
        missing_error("cannot signal process %d: %s", pid, strerror(errno));
        return false;
    }
    if (live_request(process, REQUEST_PROFILE, "", WAIT, &answer) == REQUEST_DONE) return wait_for(pid, file, before);
    missing_error("process %d has not answered within %d s: none of its threads needed new memory (or it is stopped); "
                  "give it work, or start it with HAKMEM_PROFILE_SIGNAL=44, which is answered at once",
                  pid, WAIT);
    return false;
}

// Programs write their title over their environment, so the options are read where the library keeps them.
static bool ask_open(const struct live_process* process, char* file, size_t size) {
    HakOptions options;
    int pid = (int)process->memory.pid;
    if (!process_memory_read(&process->memory, (uint64_t)(uintptr_t)process->live.options, &options, sizeof options))
        return missing_error("cannot read the memory of process %d", pid), false;
    if (load_relaxed(&options.profile) == 0)
        return missing_error("the profile of process %d is off: switch it on with hakstress set %d profile=1", pid,
                             pid),
               false;
    options.profile_file[sizeof options.profile_file - 1] = '\0';
    expand(pid, options.profile_file, file, size);
    return send(process, (int)load_relaxed(&options.profile_signal), file, heap_dump_moments(file));
}

bool heap_ask(pid_t pid, char* file, size_t size) {
    struct live_process process;
    char words[256];
    enum live_state state = live_process_open(&process, pid);
    if (state != LIVE_OPEN) {
        live_problem(state, pid, words, sizeof words);
        missing_error("%s", words);
        return false;
    }
    bool asked = ask_open(&process, file, size);
    live_process_close(&process);
    return asked;
}
