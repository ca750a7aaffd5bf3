// hakstress-launcher: one measured run of a user's command, for hakstress compare.
//   hakstress-launcher [NAME=VALUE ...] -- COMMAND [ARGUMENT...]
// Writes to file 3:
//   error=ERRNO status=WAITSTATUS seconds=S user=S system=S rss_peak_kib=N minor_faults=N major_faults=N
// It is a separate, small program because the peak memory of a process begins with that of its parent. Processes that
// the command leaves behind are counted and ended, so that they do not disturb the next run.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RESULT_FILE = 3, GRACE_SECONDS = 2 };

static volatile sig_atomic_t stopped;

static void note_stop(int number) {
    (void)number;
    stopped = 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double in_seconds(struct timeval time) {
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

// Runs in the new process, up to exec.
static void become(char** variables, char** command, int failure, pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
    for (; strcmp(*variables, "--") != 0; variables++) putenv(*variables);
    execvp(command[0], command);
    int error = errno;
    ssize_t written = write(failure, &error, sizeof error);
    _exit(written == (ssize_t)sizeof error ? 127 : 126);
}

static pid_t start(char** variables, char** command, int* failure) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    pid_t parent = getpid(), child = fork();
    if (child == 0) become(variables, command, ends[1], parent);
    close(ends[1]);
    *failure = ends[0];
    return child;
}

// The orphans that this process has adopted.
static void signal_children(int number) {
    FILE* file = fopen("/proc/thread-self/children", "re");
    int child;
    while (file != NULL && fscanf(file, "%d", &child) == 1) kill(child, number);
    if (file != NULL) fclose(file);
}

// Asks the remaining processes to end, then kills them.
static void end_children(int number) {
    const struct timespec pause = {.tv_nsec = 2000000};
    double deadline = now() + GRACE_SECONDS;
    for (;;) {
        pid_t ended = waitpid(-1, NULL, WNOHANG);
        if (ended < 0 && errno == ECHILD) return;
        if (ended > 0) continue;
        if (now() > deadline) number = SIGKILL;
        signal_children(number);
        nanosleep(&pause, NULL);
    }
}

// Any child may end while we wait, because orphans become our children.
static int wait_for(pid_t command) {
    int status = 0;
    for (;;) {
        pid_t ended = waitpid(-1, &status, 0);
        if (ended == command) return status;
        if (stopped || (ended < 0 && errno != EINTR)) return SIGKILL;
    }
}

static void catch_stops(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = note_stop};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sigaction(numbers[i], &action, NULL);
}

int main(int argc, char** argv) {
    int at = 1, failure = -1, error = 0;
    while (at < argc && strcmp(argv[at], "--") != 0) at++;
    if (at + 1 >= argc) {
        fputs("usage: hakstress-launcher [NAME=VALUE ...] -- COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    if (fcntl(RESULT_FILE, F_SETFD, FD_CLOEXEC) != 0) return 3;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    catch_stops();
    double started = now();
    pid_t command = start(argv + 1, argv + at + 1, &failure);
    if (command < 0) return 3;
    int status = wait_for(command);
    double seconds = now() - started;
    end_children(stopped ? SIGKILL : SIGTERM);
    if (read(failure, &error, sizeof error) != (ssize_t)sizeof error) error = 0;
    struct rusage usage = {0};
    getrusage(RUSAGE_CHILDREN, &usage);
    dprintf(
        RESULT_FILE,
        "error=%d status=%d seconds=%.6f user=%.6f system=%.6f rss_peak_kib=%ld minor_faults=%ld major_faults=%ld\n",
        error, status, seconds, in_seconds(usage.ru_utime), in_seconds(usage.ru_stime), usage.ru_maxrss,
        usage.ru_minflt, usage.ru_majflt);
    return 0;
}
