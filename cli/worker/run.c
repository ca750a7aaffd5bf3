#include "worker/run.h"

#include "base/error.h"
#include "binary/exports.h"
#include "results/results.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = WORKLOAD_PARAMS_MAX + 12, ARGUMENT_SIZE = 64, VARIABLES_MOST = 16 };

struct arguments {
    char* vector[ARGUMENTS_MAX + 1];
    char text[ARGUMENTS_MAX][ARGUMENT_SIZE];
    size_t count;
};

struct child {
    pid_t pid;
    int input;   // closing it lets the worker end
    int output;  // its lines
    int errors;  // a file for its stderr; -1: ours
    double began, deadline;
};

struct outcome {
    bool complete;  // everything requested has arrived
    bool timely;    // otherwise it was killed
    int status;
};

static char* next_argument(struct arguments* arguments) {
    char* text = arguments->text[arguments->count];
    arguments->vector[arguments->count++] = text;
    return text;
}

static void add_number(struct arguments* arguments, const char* key, uint64_t value) {
    snprintf(next_argument(arguments), ARGUMENT_SIZE, "%s=%" PRIu64, key, value);
}

static void make_arguments(const struct worker_job* job, struct arguments* arguments) {
    snprintf(next_argument(arguments), ARGUMENT_SIZE, "hakstress-worker");
    arguments->vector[arguments->count++] = (char*)job->workload->name;  // the name of a trace can be long
    snprintf(next_argument(arguments), ARGUMENT_SIZE, "seconds=%.9g", job->seconds);
    if (job->workload->own_threads == 0) add_number(arguments, "threads", job->threads);
    add_number(arguments, "count", job->count);
    add_number(arguments, "seed", job->seed);
    add_number(arguments, "hold", 1);
    if (job->latency) add_number(arguments, "latency", 1);
    for (size_t i = 0; job->workload->params[i].name != NULL; i++)
        add_number(arguments, job->workload->params[i].name, job->params[i]);
    for (size_t i = 0; i < 3 && job->keys[i] != NULL; i++)
        snprintf(next_argument(arguments), ARGUMENT_SIZE, "%s", job->keys[i]);
}

static bool is_set_by(const char* entry, char* const* variables) {
    const size_t length = strcspn(entry, "=") + 1;
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i++)
        if (strncmp(entry, variables[i], length) == 0) return true;
    return false;
}

char** worker_environment(const char* library, char* const* variables) {
    static const char preload[] = "LD_PRELOAD=";
    static char entry[sizeof preload + PATH_MAX];
    size_t count = 0, more = 0, used = 0;
    while (environ[count] != NULL) count++;
    while (variables != NULL && variables[more] != NULL) more++;
    char** environment = calloc(count + more + 2, sizeof *environment);
    if (environment == NULL) return NULL;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], preload, sizeof preload - 1) != 0 && !is_set_by(environ[i], variables))
            environment[used++] = environ[i];
    for (size_t i = 0; i < more; i++) environment[used++] = variables[i];
    snprintf(entry, sizeof entry, "%s%s", preload, library != NULL ? library : "");
    if (library != NULL) environment[used] = entry;
    return environment;
}

void worker_bind(const cpu_set_t* processors) {
    static cpu_set_t all;
    static bool known;
    if (!known) known = sched_getaffinity(0, sizeof all, &all) == 0;
    if (processors != NULL)
        (void)sched_setaffinity(0, sizeof *processors, processors);
    else if (known)
        (void)sched_setaffinity(0, sizeof all, &all);
}

// posix_spawn, so that no copied page of ours is counted as the worker's.
static int spawn(const struct worker_job* job, char** environment, const int input[2], const int output[2], int errors,
                 pid_t* pid) {
    struct arguments arguments = {.count = 0};
    make_arguments(job, &arguments);
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    if (error == 0 && errors >= 0) error = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (job->processors != NULL) worker_bind(job->processors);
    if (error == 0) error = posix_spawn(pid, job->worker, &actions, NULL, arguments.vector, environment);
    if (job->processors != NULL) worker_bind(NULL);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static bool start(const struct worker_job* job, struct child* child) {
    int input[2] = {-1, -1}, output[2] = {-1, -1};
    char** environment = worker_environment(job->library, job->variables);
    child->errors = job->failure != NULL ? memfd_create("stderr", MFD_CLOEXEC) : -1;
    int error = environment == NULL ? ENOMEM : 0;
    if (error == 0 && (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0)) error = errno;
    if (error == 0) error = spawn(job, environment, input, output, child->errors, &child->pid);
    free(environment);
    if (input[0] >= 0) close(input[0]);
    if (output[1] >= 0) close(output[1]);
    if (error == 0) {
        child->input = input[1];
        child->output = output[0];
        child->began = workload_clock();
        child->deadline = job->timeout > 0 ? workload_clock() + job->timeout : INFINITY;
        return true;
    }
    if (input[1] >= 0) close(input[1]);
    if (output[0] >= 0) close(output[0]);
    if (child->errors >= 0) close(child->errors);
    missing_error("cannot start %s: %s", job->worker, strerror(error));
    return false;
}

static bool must_end(const struct worker_job* job, const struct child* child) {
    return *job->stopped || workload_clock() >= child->deadline;
}

// The run as a command line; it then runs without a process that reads its figures.
static void describe_again(const struct worker_job* job, char* out, size_t size) {
    struct arguments arguments = {.count = 0};
    char preload[PATH_MAX + 16], *words[2 * VARIABLES_MOST + 3];
    int count = 0;
    make_arguments(job, &arguments);
    words[count++] = (char*)(uintptr_t) "env";
    for (size_t i = 0; job->variables != NULL && job->variables[i] != NULL && i < VARIABLES_MOST; i++)
        words[count++] = job->variables[i];
    for (size_t i = 0; environ[i] != NULL && count < 2 * VARIABLES_MOST; i++)
        if (strncmp(environ[i], "HAKMEM_", 7) == 0 && !is_set_by(environ[i], job->variables))
            words[count++] = environ[i];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", job->library != NULL ? job->library : "");
    if (job->library != NULL) words[count++] = preload;
    out[0] = '\0';
    result_quote(words, count, out, size);
    arguments.vector[0] = (char*)(uintptr_t)job->worker;
    size_t kept = 0;
    for (size_t i = 0; i < arguments.count; i++)
        if (strcmp(arguments.vector[i], "hold=1") != 0) arguments.vector[kept++] = arguments.vector[i];
    result_quote(arguments.vector, (int)kept, out, size);
}

// A line that tells of a crash, and not of figures.
static bool note_crash(const struct worker_job* job, const struct child* child, const char* line) {
    char again[4096];
    struct worker_crash crash = {.process = child->pid,
                                 .after = workload_clock() - child->began,
                                 .workload = job->workload->name,
                                 .again = again};
    if (sscanf(line, "crash signal=%d thread=%d info=0x%" SCNx64 " context=0x%" SCNx64, &crash.signal, &crash.thread,
               &crash.info, &crash.context) != 4)
        return false;
    describe_again(job, again, sizeof again);
    if (job->crashed != NULL) job->crashed(job->crash_context, &crash);
    return true;
}

// Reads the next part of its output. 0: there is no more, or it must end.
static size_t read_some(const struct worker_job* job, const struct child* child, char* out, size_t size) {
    struct pollfd ready = {.fd = child->output, .events = POLLIN};
    while (!must_end(job, child)) {
        if (poll(&ready, 1, 100) <= 0) continue;
        ssize_t got = read(child->output, out, size);
        if (got >= 0 || errno != EINTR) return got > 0 ? (size_t)got : 0;
    }
    return 0;
}

// Reads a line without its newline. False if the worker ended, or must end, before the line was complete.
static bool read_line(const struct worker_job* job, const struct child* child, char* line, size_t size) {
    for (size_t used = 0; used + 1 < size && read_some(job, child, line + used, 1) > 0; used++) {
        if (line[used] != '\n') continue;
        line[used] = '\0';
        return !note_crash(job, child, line);
    }
    return false;
}

static bool parse_line(const char* line, struct worker_figures* figures, uintptr_t* malloc_at) {
    return sscanf(line,
                  "ops=%" SCNu64 " seconds=%lf ops_per_sec=%lf rss_peak_kib=%" SCNu64 " rss_freed_kib=%" SCNu64
                  " malloc_at=%" SCNxPTR,
                  &figures->ops, &figures->seconds, &figures->ops_per_sec, &figures->rss_peak_kib,
                  &figures->rss_freed_kib, malloc_at) == 6;
}

// The file that is mapped at an address of a process; "" if there is none. False after a message.
static bool mapped_file(pid_t pid, uintptr_t address, char* path, size_t size) {
    char name[64], line[PATH_MAX + 128];
    snprintf(name, sizeof name, "/proc/%d/maps", (int)pid);
    FILE* maps = fopen(name, "re");
    if (maps == NULL) {
        missing_error("cannot read %s: %s, so it is not known which malloc the worker used", name, strerror(errno));
        return false;
    }
    path[0] = '\0';
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from, to;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) != 2 || address < from || address >= to) continue;
        const char* file = strchr(line, '/');
        if (file != NULL) snprintf(path, size, "%.*s", (int)strcspn(file, "\n"), file);
    }
    fclose(maps);
    return true;
}

static bool is_c_library(const char* path) {
    const char* name = strrchr(path, '/');
    return name != NULL &&
           (strncmp(name, "/libc.so", 8) == 0 || strncmp(name, "/libc-", 6) == 0 || strncmp(name, "/ld-musl-", 9) == 0);
}

void last_line(int file, char* out, size_t size) {
    char text[1024];
    off_t end = lseek(file, 0, SEEK_END);
    ssize_t got = pread(file, text, sizeof text - 1, end > (off_t)sizeof text ? end - (off_t)sizeof text + 1 : 0);
    text[got > 0 ? got : 0] = '\0';
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n') text[--length] = '\0';
    const char* start = strrchr(text, '\n');
    snprintf(out, size, "%s", start != NULL ? start + 1 : text);
}

static bool right_library(const struct worker_job* job, const struct child* child, uintptr_t malloc_at, char* path,
                          size_t size) {
    char said[512] = "";
    if (!mapped_file(child->pid, malloc_at, path, size)) return false;
    if (job->library != NULL ? strcmp(path, job->library) == 0 : is_c_library(path)) return true;
    if (child->errors >= 0) last_line(child->errors, said, sizeof said);
    const bool lacks_malloc = job->library != NULL && elf_file_lacks(job->library, "malloc");
    missing_error("%s%sthe worker's malloc comes from %s, not from %s%s, so nothing was measured%s%s",
                  job->allocator != NULL ? job->allocator : "", job->allocator != NULL ? ": " : "", path,
                  job->library != NULL ? job->library : "the C library", lacks_malloc ? ", which has no malloc" : "",
                  said[0] != '\0' ? "; it said: " : "", said);
    return false;
}

static void describe_end(const struct worker_job* job, const struct outcome* outcome, char* out, size_t size) {
    const int status = outcome->status;
    if (!outcome->timely)
        snprintf(out, size, "%s had %s after %g s", job->workload->name, outcome->complete ? "not ended" : "no result",
                 job->timeout);
    else if (WIFSIGNALED(status))
        snprintf(out, size, "%s ended by signal %d (%s)", job->workload->name, WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "%s ended with status %d%s", job->workload->name, WEXITSTATUS(status),
                 outcome->complete ? "" : " and no result");
}

static enum worker_end failed(const struct worker_job* job, const struct child* child, const struct outcome* outcome) {
    char text[256], said[512] = "";
    if (*job->stopped) return WORKER_STOPPED;
    if (job->failure == NULL && WIFEXITED(outcome->status) && WEXITSTATUS(outcome->status) == STATUS_MISSING)
        return WORKER_MISSING;  // it has printed the reason
    describe_end(job, outcome, text, sizeof text);
    if (job->failure == NULL) {
        missing_error("%s", text);
        return WORKER_FAILED;
    }
    last_line(child->errors, said, sizeof said);
    snprintf(job->failure, job->failure_size, "%s%s%s", text, said[0] != '\0' ? ": " : "", said);
    return WORKER_FAILED;
}

static double in_seconds(struct timeval time) {
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

// The wait for its end has a limit too: a library may hang in its destructor.
static void reap(const struct worker_job* job, const struct child* child, struct worker_figures* figures,
                 struct outcome* outcome) {
    const struct timespec nap = {.tv_nsec = 1000000};
    struct rusage usage = {0};
    outcome->timely = true;
    for (pid_t ended = 0; ended == 0 || (ended < 0 && errno == EINTR);) {
        ended = wait4(child->pid, &outcome->status, outcome->timely ? WNOHANG : 0, &usage);
        if (ended != 0) continue;
        outcome->timely = !must_end(job, child);
        if (outcome->timely)
            nanosleep(&nap, NULL);  // if the sleep is interrupted, the next check comes earlier
        else
            kill(child->pid, SIGKILL);
    }
    figures->user_seconds = in_seconds(usage.ru_utime);
    figures->system_seconds = in_seconds(usage.ru_stime);
    figures->minor_faults = (uint64_t)usage.ru_minflt;
    figures->major_faults = (uint64_t)usage.ru_majflt;
}

// Whether everything requested from the worker has arrived.
static bool read_figures(const struct worker_job* job, const struct child* child, struct worker_figures* figures,
                         uintptr_t* malloc_at) {
    char line[1024];
    if (!read_line(job, child, line, sizeof line) || !parse_line(line, figures, malloc_at)) return false;
    if (!job->latency) return true;
    return read_line(job, child, line, sizeof line) && latency_parse(line, "malloc", &figures->malloc_latency) &&
           read_line(job, child, line, sizeof line) && latency_parse(line, "free", &figures->free_latency);
}

// Reads all its output until it ends.
static void read_more(const struct worker_job* job, const struct child* child) {
    size_t used = 0;
    for (size_t got = 1; got > 0 && used + 1 < job->more_size; used += got)
        got = read_some(job, child, job->more + used, job->more_size - used - 1);
    job->more[used] = '\0';
}

enum worker_end worker_run(const struct worker_job* job, struct worker_figures* figures) {
    struct child child;
    struct outcome outcome = {.status = 0};
    uintptr_t malloc_at = 0;
    *figures = (struct worker_figures){0};
    if (!start(job, &child)) return WORKER_MISSING;
    outcome.complete = read_figures(job, &child, figures, &malloc_at);
    const bool right =
        outcome.complete && right_library(job, &child, malloc_at, figures->loaded_from,
                                          sizeof figures->loaded_from);  // it waits for us, so its maps are still there
    close(child.input);
    if (job->more != NULL) read_more(job, &child);
    close(child.output);
    reap(job, &child, figures, &outcome);
    enum worker_end end = right ? WORKER_OK : WORKER_MISSING;
    if (!outcome.complete || outcome.status != 0) end = failed(job, &child, &outcome);
    if (child.errors >= 0) close(child.errors);
    return end;
}
