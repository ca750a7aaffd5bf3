#include "explore/worker.h"

#include "base/error.h"
#include "explore/coverage.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

bool explore_worker_start(struct explore_worker* worker, const char* program, char* const* arguments) {
    int ends[2];
    posix_spawn_file_actions_t actions;
    *worker = (struct explore_worker){.output = -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        missing_error("cannot make a pipe: %s", strerror(errno));
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int error = posix_spawn(&worker->pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    worker->output = ends[0];
    if (error == 0) return true;
    close(ends[0]);
    missing_error("cannot start %s: %s", program, strerror(error));
    return false;
}

static void take_result(struct explore_worker* worker) {
    struct explore_result* r = &worker->result;
    int complete;
    worker->has_result =
        sscanf(worker->line,
               "result scenario=%*s schedules=%" SCNu64 " pruned=%" SCNu64 " ends=%" SCNu64
               " complete=%d bound=%u seconds=%lf words=%" SCNx64 " steps=%" SCNx64 " weakened=%" SCNu64,
               &r->schedules, &r->pruned, &r->ends, &complete, &r->bound, &r->seconds, &r->words, &r->steps,
               &r->weakened) == 9;
    r->complete = complete != 0;
}

static void take_fault(struct explore_worker* worker) {
    struct explore_fault* f = &worker->fault;
    worker->has_fault =
        sscanf(worker->line,
               "fault scenario=%63s check=%31s schedules=%" SCNu64 " switches=%u replayed=%15s replay=%65535s",
               f->scenario, f->check, &f->schedules, &f->switches, f->replayed, f->replay) == 6;
}

static void take_repeat(struct explore_worker* worker) {
    unsigned same = 0;
    worker->has_repeat = sscanf(worker->line, "replay check=%31s same=%u", worker->fault.check, &same) == 2;
    worker->same = same != 0;
}

static void take_place(struct explore_worker* worker) {
    if (worker->place_count == EXPLORE_PLACES_MOST) return;
    if (sscanf(worker->line, "place %31s", worker->place[worker->place_count]) == 1) worker->place_count++;
}

// What follows the first word, whole or not at all.
static void take_rest(const char* line, char* out, size_t size) {
    const char* rest = strchr(line, ' ') + 1;
    if (strlen(rest) < size) memcpy(out, rest, strlen(rest) + 1);
}

static void take_line(struct explore_worker* worker) {
    worker->line[worker->used] = '\0';
    if (strncmp(worker->line, "result ", 7) == 0) take_result(worker);
    if (strncmp(worker->line, "replay ", 7) == 0) take_repeat(worker);
    if (strncmp(worker->line, "fault ", 6) == 0) take_fault(worker);
    if (strncmp(worker->line, "place ", 6) == 0) take_place(worker);
    if (strncmp(worker->line, "item ", 5) == 0) coverage_take(worker->line);
    if (strncmp(worker->line, "build ", 6) == 0) take_rest(worker->line, worker->build, sizeof worker->build);
    if (strncmp(worker->line, "learned ", 8) == 0) take_rest(worker->line, worker->learned, sizeof worker->learned);
    if (strncmp(worker->line, "position ", 9) == 0) take_rest(worker->line, worker->position, sizeof worker->position);
    if (strncmp(worker->line, "text ", 5) == 0)
        snprintf(worker->fault.text, sizeof worker->fault.text, "%.*s", (int)sizeof worker->fault.text - 1,
                 worker->line + 5);
    worker->used = 0;
}

bool explore_worker_read(struct explore_worker* worker) {
    char bytes[4096];
    ssize_t got = read(worker->output, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) return true;
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] == '\n')
            take_line(worker);
        else if (worker->used + 1 < sizeof worker->line)
            worker->line[worker->used++] = bytes[i];
    }
    return got > 0;
}

void explore_worker_reap(struct explore_worker* worker) {
    int status = 0;
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {}
    close(worker->output);
    worker->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool explore_worker_run(struct explore_worker* worker, const char* program, char* const* arguments,
                        const volatile sig_atomic_t* stopped) {
    enum { MILLISECONDS = 200 };
    if (!explore_worker_start(worker, program, arguments)) return false;
    bool told = false;
    for (bool open = true; open;) {
        struct pollfd output = {worker->output, POLLIN, 0};
        if (*stopped && !told) told = kill(worker->pid, SIGTERM) == 0;
        if (poll(&output, 1, MILLISECONDS) > 0) open = explore_worker_read(worker);
    }
    explore_worker_reap(worker);
    return true;
}
