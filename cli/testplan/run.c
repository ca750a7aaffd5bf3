#include "testplan/run.h"

#include "base/error.h"
#include "supervise/progress_bar.h"
#include "workload/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const double stop_patience = 10;  // seconds that a run has to stop when asked
static const double late = 60;           // seconds beyond its time in which a run may still end by itself

struct child {
    pid_t pid;
    int result;    // memory in which it leaves its result
    int messages;  // its stderr
    int status;
};

static sigset_t awaited;

bool test_catch_stops(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    sigemptyset(&awaited);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaddset(&awaited, signals[i]);
    if (sigprocmask(SIG_BLOCK, &awaited, NULL) == 0) return true;
    missing_error("cannot hold signals back: %s", strerror(errno));
    return false;
}

// Starting

// In its own process group: a Ctrl-C on the terminal goes to the plan, which passes it on. Ends only by _exit.
static void become_run(const struct test* test, const struct test_setting* setting, const struct child* child,
                       pid_t parent) {
    const struct test_spec* spec = test->spec;
    char seconds[32], threads[16], seed[24], json[32];
    snprintf(seconds, sizeof seconds, "%g", test->seconds);
    snprintf(threads, sizeof threads, "%u", spec->threads);
    snprintf(seed, sizeof seed, "%" PRIu64, test->seed);
    snprintf(json, sizeof json, "/proc/self/fd/%d", child->result);
    const char* profile = spec->profile != NULL ? spec->profile : spec->mode;
    const char* const arguments[] = {
        setting->program, spec->mode, seconds,     threads,          "--profile", profile, "--changes", spec->changes,
        "--seed",         seed,       "--results", setting->results, "--json",    json,    "--quiet",   NULL,
    };
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool ready = nothing >= 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && setpgid(0, 0) == 0 &&
                 fcntl(child->result, F_SETFD, 0) == 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                 dup2(nothing, STDOUT_FILENO) >= 0 && dup2(child->messages, STDERR_FILENO) >= 0;
    if (getppid() != parent) _exit(STATUS_STOPPED);  // it died before the prctl
    if (ready) execv("/proc/self/exe", (char* const*)(uintptr_t)arguments);
    dprintf(child->messages, "hakstress: cannot start a test: %s\n", strerror(errno));
    _exit(STATUS_MISSING);
}

static bool start(const struct test* test, const struct test_setting* setting, struct child* child) {
    child->result = memfd_create("hakstress-result", MFD_CLOEXEC);
    child->messages = memfd_create("hakstress-messages", MFD_CLOEXEC);
    pid_t self = getpid();
    child->pid = child->result >= 0 && child->messages >= 0 ? fork() : -1;
    if (child->pid == 0) become_run(test, setting, child, self);
    if (child->pid > 0) return true;
    missing_error("cannot start a test: %s", strerror(errno));
    if (child->result >= 0) close(child->result);
    if (child->messages >= 0) close(child->messages);
    return false;
}

// Waiting

static void draw_progress(const struct test* test, const struct test_setting* setting, double elapsed) {
    char run[256];
    test_describe(test, run, sizeof run);
    double left = setting->seconds_after;
    if (test_is_faulty(test->spec))
        fprintf(stderr, "\rtestplan %zu/%zu: %s, until it faults", setting->number, setting->of, run);
    else
        fprintf(stderr, "\rtestplan %zu/%zu: %s", setting->number, setting->of, run);
    if (!test_is_faulty(test->spec) && elapsed < test->seconds) left += test->seconds - elapsed;
    fprintf(stderr, "; %.0f s, about %.0f s left\033[K", elapsed, left);
    fflush(stderr);
}

static bool has_ended(struct child* child) {
    pid_t ended;
    do ended = waitpid(child->pid, &child->status, WNOHANG);
    while (ended < 0 && errno == EINTR);
    return ended != 0;
}

// True: somebody asked to stop.
static bool await(const struct test* test, const struct test_setting* setting, struct child* child) {
    static const struct timespec tick = {.tv_nsec = 200000000};
    bool bar = progress_bar_wanted(setting->quiet), stopped = false;
    double began = workload_clock(), deadline = began + test->seconds + late;
    while (!has_ended(child)) {
        if (bar) draw_progress(test, setting, workload_clock() - began);
        int signal = sigtimedwait(&awaited, NULL, &tick);
        if (signal > 0 && signal != SIGCHLD) {
            if (!stopped) deadline = workload_clock() + stop_patience;
            stopped = true;
            kill(child->pid, SIGTERM);
        }
        if (workload_clock() > deadline) kill(child->pid, SIGKILL);
    }
    if (bar) progress_bar_clear();
    return stopped;
}

static bool stop_is_pending(void) {
    static const struct timespec at_once = {0};
    for (int signal; (signal = sigtimedwait(&awaited, NULL, &at_once)) > 0;)
        if (signal != SIGCHLD) return true;
    return false;
}

// Its result

static void print_messages(int fd) {
    char text[1024];
    ssize_t got;
    for (off_t at = 0; (got = pread(fd, text, sizeof text, at)) > 0; at += got) fwrite(text, 1, (size_t)got, stderr);
}

static enum test_end collect(struct test* test, struct child* child, bool stopped) {
    char run[256];
    lseek(child->result, 0, SEEK_SET);
    test->result = json_loadfd(child->result, 0, NULL);
    if (stopped) return TEST_STOPPED;
    if (test_is_complete(test)) return TEST_ENDED;
    print_messages(child->messages);
    test_describe(test, run, sizeof run);
    if (WIFSIGNALED(child->status))
        missing_error("%s died of signal %d", run, WTERMSIG(child->status));
    else
        missing_error("%s ended with status %d and no result", run, WEXITSTATUS(child->status));
    return TEST_FAILED;
}

enum test_end test_run(struct test* test, const struct test_setting* setting) {
    struct child child;
    if (stop_is_pending()) return TEST_STOPPED;
    if (!start(test, setting, &child)) return TEST_FAILED;
    bool stopped = await(test, setting, &child);
    enum test_end end = collect(test, &child, stopped);
    close(child.result);
    close(child.messages);
    return end;
}
