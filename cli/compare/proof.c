#include "compare/proof.h"

#include "binary/exports.h"
#include "process/procmaps.h"
#include "supervise/launch.h"
#include "supervise/tracing.h"
#include "worker/run.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct watch {
    const struct subject* subject;
    struct proof proof;
    pid_t command;
};

const char* command_preload(const struct subject* subject) {
    static Dl_info own;
    if (subject->path[0] != '\0') return subject->path;
    if (own.dli_fname == NULL && dladdr((void*)(uintptr_t)gnu_get_libc_version, &own) == 0) return NULL;
    return own.dli_fname;
}

// Whether the process was started with it: a program may start others with a different environment.
static bool is_preloaded(const struct subject* subject, pid_t process) {
    char file[64], entry[PATH_MAX + 16], *line = NULL;
    size_t size = 0;
    bool found = false;
    snprintf(file, sizeof file, "/proc/%d/environ", (int)process);
    snprintf(entry, sizeof entry, "LD_PRELOAD=%s", command_preload(subject));
    FILE* environment = fopen(file, "re");
    while (environment != NULL && !found && getdelim(&line, &size, '\0', environment) > 0)
        found = strcmp(line, entry) == 0;
    free(line);
    if (environment != NULL) fclose(environment);
    return found;
}

static bool is_c_library(const char* path) {
    const char* name = strrchr(path, '/');
    return name != NULL && (strncmp(name, "/libc.so", 8) == 0 || strncmp(name, "/libc-", 6) == 0);
}

// The path in procmaps may be cut.
static bool is_wanted(const struct subject* subject, const char* path) {
    if (subject->path[0] == '\0') return is_c_library(path);
    return strncmp(path, subject->path, sizeof((struct mapping*)0)->path - 1) == 0;
}

// A program's own malloc comes before a preloaded one. The malloc of a library comes before the C library's if the C
// library was not preloaded. The loader's malloc is for the loader only.
static bool comes_before(const struct subject* subject, pid_t process, const struct mapping* mapping,
                         const char* program) {
    const char* name = strrchr(mapping->path, '/');
    if (name == NULL || mapping->permissions[2] != 'x') return false;
    if (strcmp(mapping->path, program) == 0) return elf_file_exports(program, "malloc");
    bool is_system = is_c_library(mapping->path) || strncmp(name, "/ld-", 4) == 0;
    return subject->path[0] == '\0' && !is_system && elf_file_exports(mapping->path, "malloc") &&
           !is_preloaded(subject, process);
}

static void program_of(pid_t thread, char* out, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)thread);
    ssize_t length = readlink(link, out, size - 1);
    out[length > 0 ? length : 0] = '\0';
}

static bool inspect(struct watch* watch, pid_t process, pid_t thread) {
    struct procmaps maps = {0};
    struct proof* proof = &watch->proof;
    char program[PATH_MAX];
    bool wanted = false;
    if (!procmaps_read(&maps, thread)) return false;
    program_of(thread, program, sizeof program);
    for (size_t i = 0; i < maps.count; i++) {
        const char* path = maps.mappings[i].path;
        wanted = wanted || is_wanted(watch->subject, path);
        if (proof->other[0] == '\0' && comes_before(watch->subject, process, &maps.mappings[i], program)) {
            snprintf(proof->other, sizeof proof->other, "%s", path);
            snprintf(proof->other_program, sizeof proof->other_program, "%s", program);
        }
        if (is_c_library(path) && process == watch->command)
            snprintf(proof->c_library, sizeof proof->c_library, "%s", path);
    }
    procmaps_free(&maps);
    return wanted;
}

static void on_exiting(void* context, pid_t process, pid_t thread, int number) {
    struct watch* watch = context;
    (void)number;
    if (inspect(watch, process, thread))
        watch->proof.loaded++;
    else
        watch->proof.without++;
}

static void on_died(void* context, const struct tracing_death* death) {
    (void)context;
    (void)death;
}

// What the command leaves behind ends with it, as in the measured runs.
static void on_over(void* context, pid_t process, bool execs) {
    (void)execs;
    const struct watch* watch = context;
    if (process == watch->command && kill(process, 0) != 0) raise(SIGTERM);
}

// Without ptrace: until the library is seen or the process has ended. The C library may be seen before another library
// that comes before it.
static void inspect_while_it_runs(struct watch* watch) {
    const bool at_once = watch->subject->path[0] != '\0';
    siginfo_t ended = {0};
    for (int i = 0; i < 5000 && !(at_once && watch->proof.loaded > 0) && watch->proof.other[0] == '\0'; i++) {
        if (waitid(P_PID, (id_t)watch->command, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) return;
        if (inspect(watch, watch->command, watch->command)) watch->proof.loaded++;
        usleep(1000);
    }
}

static bool prepare(const struct comparison* comparison, const struct row* row, const struct subject* subject,
                    int errors) {
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    environ = worker_environment(command_preload(subject), subject->variables);
    if (comparison->pinned) worker_bind(&row->processors);
    return environ != NULL && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0 &&
           dup2(errors, STDERR_FILENO) >= 0;
}

// In a separate process, because the command gets its files and environment.
_Noreturn static void watch_command(const struct comparison* comparison, const struct row* row,
                                    const struct subject* subject, int errors, int result) {
    struct watch watch = {.subject = subject};
    struct launch launched;
    struct tracing tracing = {.context = &watch, .died = on_died, .exiting = on_exiting, .over = on_over};
    if (!prepare(comparison, row, subject, errors) || !launch(&launched, row->command)) _exit(1);
    watch.command = launched.pid;
    if (!launched.traced) inspect_while_it_runs(&watch);
    tracing_watch(&tracing, launched.pid, launched.traced);
    watch.proof.error = launch_error(&launched);
    watch.proof.status = tracing.status;
    _exit(write(result, &watch.proof, sizeof watch.proof) == (ssize_t)sizeof watch.proof ? 0 : 1);
}

static bool read_proof(const struct comparison* comparison, int fd, struct proof* proof) {
    const double deadline = comparison->timeout > 0 ? workload_clock() + comparison->timeout : INFINITY;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (!*comparison->stopped && workload_clock() < deadline) {
        if (poll(&ready, 1, 100) <= 0) continue;
        if (read(fd, proof, sizeof *proof) != (ssize_t)sizeof *proof) proof->error = EPROTO;
        return true;
    }
    return false;
}

bool proof_run(const struct comparison* comparison, const struct row* row, const struct subject* subject, int errors,
               struct proof* proof) {
    int ends[2];
    *proof = (struct proof){.error = 0};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        proof->error = errno;
        return true;
    }
    pid_t watcher = fork();
    if (watcher == 0) watch_command(comparison, row, subject, errors, ends[1]);
    if (watcher < 0) proof->error = errno;
    close(ends[1]);
    bool done = watcher < 0 || read_proof(comparison, ends[0], proof);
    close(ends[0]);
    if (watcher > 0 && !done) kill(watcher, SIGKILL);  // the processes that it traces die with it
    while (watcher > 0 && waitpid(watcher, NULL, 0) < 0 && errno == EINTR) {}
    return done;
}
