#include "heap/start.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// --- the environment of this process, which starts nothing but the command

static bool set(const char* name, const char* value) {
    if (setenv(name, value, 1) == 0) return true;
    missing_error("out of memory");
    return false;
}

static bool set_number(const char* name, uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return set(name, text);
}

static bool set_preload(const char* library) {
    const char* others = getenv("LD_PRELOAD");
    char* preload = NULL;
    bool more = others != NULL && *others != '\0';
    if (asprintf(&preload, "%s%s%s", library, more ? ":" : "", more ? others : "") < 0) preload = NULL;
    bool done = preload != NULL && set("LD_PRELOAD", preload);
    free(preload);
    return done;
}

static bool set_environment(const struct heap_start* start) {
    char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/%%p", start->folder);
    return set_preload(start->library) && set("HAKMEM_PROFILE", "1") && set("HAKMEM_PROFILE_FILE", file) &&
           set_number("HAKMEM_PROFILE_RATE", start->rate) && set_number("HAKMEM_PROFILE_EVERY", start->every_ms) &&
           set_number("HAKMEM_PROFILE_SIGNAL", HEAP_SIGNAL);
}

// --- the command

static volatile pid_t child;

static void pass_on(int number) {
    if (child > 0) kill(child, number);
}

static const struct {
    int number;
    void (*handler)(int);
} ours[] = {{SIGINT, SIG_IGN}, {SIGQUIT, SIG_IGN}, {SIGTERM, pass_on}, {SIGHUP, pass_on}};
enum { OURS = sizeof ours / sizeof ours[0] };

static void note_signals(struct sigaction old[OURS]) {
    for (size_t i = 0; i < OURS; i++) {
        const struct sigaction action = {.sa_handler = ours[i].handler, .sa_flags = SA_RESTART};
        sigaction(ours[i].number, NULL, &old[i]);  // cannot fail: the number is valid
        if (old[i].sa_handler != SIG_IGN) sigaction(ours[i].number, &action, NULL);
    }
}

static void become_command(const struct sigaction old[OURS], int failure, char** command) {
    for (size_t i = 0; i < OURS; i++) sigaction(ours[i].number, &old[i], NULL);
    execvp(command[0], command);
    const int error = errno;
    (void)!write(failure, &error, sizeof error);  // a failure here cannot be handled
    _exit(127);
}

bool heap_run(struct heap_start* start, char** command) {
    struct sigaction old[OURS];
    int failure[2];
    if (!set_environment(start)) return false;
    if (pipe2(failure, O_CLOEXEC) != 0) return missing_error("cannot make a pipe: %s", strerror(errno)), false;
    note_signals(old);
    const pid_t pid = fork();
    if (pid == 0) become_command(old, failure[1], command);
    close(failure[1]);
    if (pid < 0) return missing_error("cannot start a process: %s", strerror(errno)), false;
    child = pid;
    if (read(failure[0], &start->exec_error, sizeof start->exec_error) < 0) start->exec_error = errno;
    close(failure[0]);
    while (waitpid(pid, &start->status, 0) < 0 && errno == EINTR) continue;
    child = 0;
    return true;
}
