#include "worker/rss.h"

#include "workload/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct series {
    _Atomic uint32_t over;
    double begin, step;
    size_t count;
    struct rss_point points[RSS_POINTS];
};

static struct series* series;  // shared with the sampling process
static pid_t sampler;

// 0 if it cannot be read.
static uint64_t resident_kib(int statm) {
    char text[128];
    ssize_t length = pread(statm, text, sizeof text - 1, 0);
    if (length <= 0) return 0;
    text[length] = '\0';
    const char* second = strchr(text, ' ');  // size resident ..., in pages
    const uint64_t pages = second != NULL ? strtoull(second, NULL, 10) : 0;
    return pages * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
}

static void thin_out(void) {
    for (size_t i = 0; i < RSS_POINTS / 2; i++) series->points[i] = series->points[2 * i];
    series->count = RSS_POINTS / 2;
    series->step *= 2;
}

static void take_sample(int statm) {
    if (series->count == RSS_POINTS) thin_out();
    const uint64_t kib = resident_kib(statm);
    if (kib == 0) return;
    series->points[series->count++] = (struct rss_point){.seconds = workload_clock() - series->begin, .kib = kib};
}

static bool is_over(void) {
    return atomic_load_explicit(&series->over, memory_order_acquire) != 0;  // pairs with the release in rss_end()
}

// `statm` describes the process that opened it.
static _Noreturn void keep_sampling(int statm, pid_t parent) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);  // it died before the prctl
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    double next = series->begin;
    for (;;) {
        next += series->step;
        const double now = workload_clock();
        if (next < now) next = now;
        workload_wait(next, &series->over, &series->over);
        if (is_over()) _exit(0);
        take_sample(statm);
    }
}

int rss_begin(uint64_t step_ms) {
    const pid_t self = getpid();
    series = mmap(NULL, sizeof *series, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (series == MAP_FAILED) return errno;
    series->begin = workload_clock();
    series->step = (double)step_ms / 1000;
    const int statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (statm < 0) return errno;
    take_sample(statm);
    sampler = fork();
    const int error = sampler < 0 ? errno : 0;
    if (sampler == 0) keep_sampling(statm, self);
    close(statm);
    return error;
}

const struct rss_point* rss_end(size_t* count) {
    atomic_store_explicit(&series->over, 1, memory_order_release);  // pairs with the acquire in is_over()
    while (waitpid(sampler, NULL, 0) < 0 && errno == EINTR) {}
    const int statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (statm >= 0) {
        take_sample(statm);
        close(statm);
    }
    *count = series->count;
    return series->points;
}
