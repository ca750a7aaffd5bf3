#include "compare/command_run.h"

#include "base/error.h"
#include "binary/exports.h"
#include "compare/proof.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESULT_FILE = 3 };

static void describe_end(const struct row* row, int status, int errors, char* out, size_t size) {
    char said[512] = "", text[128];
    if (errors >= 0) last_line(errors, said, sizeof said);
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "status %d", WEXITSTATUS(status));
    snprintf(out, size, "%s ended with %s%s%s", row->command[0], text, said[0] != '\0' ? ": " : "", said);
}

static enum worker_end cannot_run(const struct row* row, int error) {
    missing_error("cannot run %s: %s", row->command[0], strerror(error));
    return WORKER_MISSING;
}

// hakstress-launcher VARIABLES -- COMMAND

static char** make_arguments(const struct row* row, const struct subject* subject) {
    static char preload[PATH_MAX + 16], program[] = "hakstress-launcher", dashes[] = "--";
    size_t used = 0, words = 0;
    while (row->command[words] != NULL) words++;
    char** arguments = calloc(words + VARIABLES_MAX + 4, sizeof *arguments);
    if (arguments == NULL) return NULL;
    arguments[used++] = program;
    for (size_t i = 0; subject->variables[i] != NULL; i++) arguments[used++] = subject->variables[i];
    const char* library = command_preload(subject);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library != NULL ? library : "");
    if (library != NULL) arguments[used++] = preload;
    arguments[used++] = dashes;
    for (size_t i = 0; i < words; i++) arguments[used++] = row->command[i];
    return arguments;
}

static int spawn(const struct comparison* comparison, const struct row* row, const struct subject* subject, int result,
                 int errors, pid_t* pid) {
    posix_spawn_file_actions_t actions;
    char** arguments = make_arguments(row, subject);
    char** environment = worker_environment(NULL, subject->variables);
    int error = arguments == NULL || environment == NULL ? ENOMEM : posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (error == 0 && errors >= 0) error = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
        if (error == 0 && errors >= 0)
            error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        if (error == 0 && errors < 0)
            error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);  // stdout has results
        if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, result, RESULT_FILE);
        if (comparison->pinned) worker_bind(&row->processors);
        if (error == 0) error = posix_spawn(pid, comparison->launcher, &actions, NULL, arguments, environment);
        if (comparison->pinned) worker_bind(NULL);
        posix_spawn_file_actions_destroy(&actions);
    }
    free(arguments);
    free(environment);
    return error;
}

// False: the user stopped it, or its time is over.
static bool read_result(const struct comparison* comparison, int fd, char* line, size_t size) {
    const double deadline = comparison->timeout > 0 ? workload_clock() + comparison->timeout : INFINITY;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    line[0] = '\0';
    while (!*comparison->stopped && workload_clock() < deadline) {
        if (poll(&ready, 1, 100) <= 0) continue;
        ssize_t got = read(fd, line, size - 1);
        line[got > 0 ? got : 0] = '\0';
        return true;
    }
    return false;
}

static bool parse(const char* line, struct sample* sample, int* error, int* status) {
    return sscanf(line,
                  "error=%d status=%d seconds=%lf user=%lf system=%lf rss_peak_kib=%" SCNu64 " minor_faults=%" SCNu64
                  " major_faults=%" SCNu64,
                  error, status, &sample->seconds, &sample->user_seconds, &sample->system_seconds,
                  &sample->rss_peak_kib, &sample->minor_faults, &sample->major_faults) == 8;
}

// A shell command before or after a run. False after a note in `failure`.
static bool run_shell(const struct comparison* comparison, const char* option, const char* command, char* failure,
                      size_t failure_size) {
    static char shell[] = "sh", flag[] = "-c";
    char* arguments[] = {shell, flag, (char*)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    if (command == NULL || *comparison->stopped) return true;
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (error == 0 && comparison->show_output)
            error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
        else if (error == 0)
            error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        if (error == 0) error = posix_spawn(&child, "/bin/sh", &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    while (error == 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (error == 0 && status == 0) return true;
    snprintf(failure, failure_size, "--%s ended with %s %d", option, WIFSIGNALED(status) ? "signal" : "status",
             error != 0            ? 127
             : WIFSIGNALED(status) ? WTERMSIG(status)
                                   : WEXITSTATUS(status));
    return false;
}

bool command_prepare(const struct comparison* comparison, const struct row* row, char* failure, size_t failure_size) {
    return run_shell(comparison, "prepare", row->prepare, failure, failure_size);
}

bool command_cleanup(const struct comparison* comparison, const struct row* row, char* failure, size_t failure_size) {
    return run_shell(comparison, "cleanup", row->cleanup, failure, failure_size);
}

enum worker_end command_measure(const struct comparison* comparison, const struct row* row,
                                const struct subject* subject, struct sample* sample, char* failure,
                                size_t failure_size) {
    char line[512];
    pid_t launcher;
    int ends[2], error, command_error = 0, status = 0, ignored;
    int errors = comparison->show_output ? -1 : memfd_create("stderr", MFD_CLOEXEC);
    if (pipe2(ends, O_CLOEXEC) != 0) return cannot_run(row, errno);
    *sample = (struct sample){.present = false};
    error = spawn(comparison, row, subject, ends[1], errors, &launcher);
    close(ends[1]);
    bool timely = error == 0 && read_result(comparison, ends[0], line, sizeof line);
    close(ends[0]);
    if (error == 0 && !timely) kill(launcher, SIGTERM);  // the launcher ends the command first
    while (error == 0 && waitpid(launcher, &ignored, 0) < 0 && errno == EINTR) {}
    enum worker_end end = WORKER_OK;
    if (*comparison->stopped) {
        end = WORKER_STOPPED;
    } else if (error != 0) {
        end = cannot_run(row, error);
    } else if (!timely) {
        snprintf(failure, failure_size, "%s had not ended after %g s", row->command[0], comparison->timeout);
        end = WORKER_FAILED;
    } else if (!parse(line, sample, &command_error, &status) || command_error != 0) {
        end = cannot_run(row, command_error != 0 ? command_error : EPROTO);
    } else if (status != 0) {
        describe_end(row, status, errors, failure, failure_size);
        end = WORKER_FAILED;
    }
    sample->present = end == WORKER_OK;
    if (errors >= 0) close(errors);
    return end;
}

// The proof

static enum worker_end not_its_malloc(const struct subject* subject, const struct proof* proof) {
    if (strcmp(proof->other, proof->other_program) == 0)
        missing_error("%s has its own malloc, which no library replaces, so nothing was measured under %s",
                      proof->other, subject->name);
    else
        missing_error(
            "the malloc of %s comes from %s, not from the C library, even without LD_PRELOAD, so nothing was measured "
            "under %s; leave it out (--allocators, --baseline)",
            proof->other_program, proof->other, subject->name);
    return WORKER_MISSING;
}

static enum worker_end no_malloc_of_it(const struct subject* subject) {
    missing_error("%s: %s has no malloc, so nothing was measured", subject->name, subject->path);
    return WORKER_MISSING;
}

static enum worker_end judge(const struct row* row, struct subject* subject, const struct proof* proof) {
    if (proof->error != 0) return cannot_run(row, proof->error);
    if (elf_file_lacks(subject->path, "malloc")) return no_malloc_of_it(subject);
    if (proof->other[0] != '\0') return not_its_malloc(subject, proof);
    if (proof->loaded > 0) {
        const char* loaded = subject->path[0] != '\0' ? subject->path : proof->c_library;
        snprintf(subject->loaded_from, sizeof subject->loaded_from, "%s", loaded);
        return WORKER_OK;
    }
    if (proof->c_library[0] == '\0')
        missing_error("%s is linked statically, so no library can be preloaded into it: %s was not loaded, and the "
                      "malloc is the program's own",
                      row->command[0], subject->name);
    else
        missing_error("%s was not loaded into %s (set-user-id, or not a library for this program?): the malloc comes "
                      "from %s",
                      subject->path, row->command[0], proof->c_library);
    return WORKER_MISSING;
}

enum worker_end command_prove(const struct comparison* comparison, const struct row* row, struct subject* subject,
                              char* failure, size_t failure_size) {
    struct proof proof;
    int errors = memfd_create("stderr", MFD_CLOEXEC);
    bool done = proof_run(comparison, row, subject, errors, &proof);
    enum worker_end end = WORKER_STOPPED;
    if (*comparison->stopped) {
        end = WORKER_STOPPED;
    } else if (!done) {
        snprintf(failure, failure_size, "%s had not ended after %g s", row->command[0], comparison->timeout);
        end = WORKER_FAILED;
    } else {
        end = judge(row, subject, &proof);
        if (end == WORKER_OK && proof.status != 0) {
            describe_end(row, proof.status, errors, failure, failure_size);
            end = WORKER_FAILED;
        }
    }
    if (errors >= 0) close(errors);
    return end;
}
